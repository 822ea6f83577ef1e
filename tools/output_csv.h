/*
 * output_csv.h - tables as CSV for spreadsheets, which run what they take for a formula.
 */
#ifndef ISMS_OUTPUT_CSV_H
#define ISMS_OUTPUT_CSV_H

#include "tools/output.h"

/*
 * Print an array of objects as CSV (RFC 4180): a line of the columns' keys, then one line a row. Control characters are
 * escaped as on a terminal; a cell that a spreadsheet would take for a formula gets an apostrophe before it; null is an
 * empty cell, an array has blanks between its values.
 */
void output_csv(const json_t *rows, const struct column *columns);

/*
 * One cell as it would be printed, quotes included.
 *
 *  buf,size  receives it; nothing is cut if size is 8 * strlen(text) + 4
 *
 * Returns buf.
 */
char *output_csv_cell(const char *text, char *buf, size_t size);

#endif

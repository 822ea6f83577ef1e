/*
 * csv.h - rows for spreadsheets (RFC 4180), safe from formulas: a cell that a spreadsheet would work out as one begins
 * with an apostrophe, and so shows as text.
 */
#ifndef ISMS_CSV_H
#define ISMS_CSV_H

#include <jansson.h>
#include <stdio.h>

#include "tools/output.h"

/* Write text as one cell, quoted. */
void csv_cell(FILE *to, const char *text);

/* Write an array of objects with a line of headings; lists are joined by blanks, null is empty. */
void csv_table(FILE *to, const json_t *rows, const struct column *columns);

#endif

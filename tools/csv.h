/*
 * csv.h - CSV files that people write by hand or a spreadsheet saves (RFC 4180).
 */
#ifndef ISMS_CSV_H
#define ISMS_CSV_H

#include <stddef.h>

#define CSV_BYTES_MAX	(1024 * 1024)
#define CSV_CELLS_MAX	64

/* One line of a file. */
struct csv_line {
	unsigned number;		/* counted from 1 */
	char *cells[CSV_CELLS_MAX];	/* borrowed from the text */
	size_t count;
};

/*
 * Call each() for every line that is not empty, cells without quotes and without blanks around them.
 *
 *  text,len  is written to; a NUL must follow. A byte order mark before it is skipped
 *  each      returns 0, or what csv_parse() is to return at once; its error is its own
 *  error     receives "LINE: what is wrong" (size bytes, NUL-terminated)
 *
 * Control characters, what is no UTF-8, a quote in the midst of a cell and more cells than CSV_CELLS_MAX are errors: a
 * line that could be read in two ways is read in none. Returns 0, -EINVAL with error set, or what each() returned.
 */
int csv_parse(char *text, size_t len, int (*each)(void *arg, const struct csv_line *line), void *arg, char *error,
    size_t size);

#endif

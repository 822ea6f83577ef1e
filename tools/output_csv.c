/*
 * output_csv.c - tables as CSV (see output_csv.h).
 *
 * Runs in isms-userctl only. Must never print a cell that acts in the spreadsheet of whoever opens it: anybody may
 * choose his own name in a directory.
 */
#include <config.h>

#include "tools/output_csv.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CELL_BYTES 4096

/* What a spreadsheet takes for one; blanks before it do not hide it, and a control character is a backslash by now. */
static bool
is_formula(const char *text)
{
	text += strspn(text, " ");
	return *text != '\0' && strchr("=+-@", *text) != NULL;
}

char *
output_csv_cell(const char *text, char *buf, size_t size)
{
	char safe[CELL_BYTES];
	size_t used = 0;

	if (size > 0)
		buf[0] = '\0';
	if (size < 4)
		return buf;
	(void)output_sanitise(text, safe, sizeof safe);
	buf[used++] = '"';
	if (is_formula(safe) && used + 2 < size)
		buf[used++] = '\'';
	for (const char *p = safe; *p != '\0' && used + (*p == '"') + 2 < size; p++) {
		if (*p == '"')
			buf[used++] = '"';
		buf[used++] = *p;
	}
	buf[used++] = '"';
	buf[used] = '\0';
	return buf;
}

static void
put_text(const char *text)
{
	size_t size = 2 * strlen(text) + 2 * CELL_BYTES;
	char *buf = malloc(size);

	if (buf != NULL)
		(void)fputs(output_csv_cell(text, buf, size), stdout);
	free(buf);
}

/* A value's own text, arrays joined by blanks; what is nested deeper is left to --json. */
static void
put_value(const json_t *value)
{
	char text[CELL_BYTES] = "";
	const json_t *item;
	size_t i, used = 0;

	if (json_is_integer(value)) {	/* a number is none that acts */
		(void)printf("%lld", (long long)json_integer_value(value));
		return;
	}
	if (json_is_boolean(value))
		(void)snprintf(text, sizeof text, "%s", json_is_true(value) ? "yes" : "no");
	else if (json_is_string(value)) {
		put_text(json_string_value(value));
		return;
	}
	json_array_foreach(value, i, item)
		if (json_is_string(item) && used < sizeof text)
			used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used > 0 ? " " : "", json_string_value(item));
	if (text[0] != '\0')
		put_text(text);
}

void
output_csv(const json_t *rows, const struct column *columns)
{
	const json_t *row;
	size_t i;

	for (const struct column *c = columns; c->key != NULL; c++)
		(void)printf("%s%s", c != columns ? "," : "", c->key);
	(void)printf("\r\n");
	json_array_foreach(rows, i, row) {
		for (const struct column *c = columns; c->key != NULL; c++) {
			if (c != columns)
				(void)putchar(',');
			put_value(json_object_get(row, c->key));
		}
		(void)printf("\r\n");
	}
}

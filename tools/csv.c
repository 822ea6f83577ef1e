/*
 * csv.c - rows for spreadsheets (see csv.h).
 *
 * Runs in isms-userctl only. Whoever may set a display name must not run anything where an auditor opens the file: what
 * begins with = + - @ or a control character is a formula to some program.
 */
#include <config.h>

#include "tools/csv.h"

#include <stdlib.h>
#include <string.h>

#define CELL_MAX_BYTES 4096

void
csv_cell(FILE *to, const char *text)
{
	char safe[CELL_MAX_BYTES];

	(void)output_sanitise(text, safe, sizeof safe);
	(void)fputc('"', to);
	/* The escape of a control character begins with a backslash: harmless. Blanks are skipped before a formula. */
	if (strchr("=+-@", safe[strspn(safe, " ")]) != NULL && safe[strspn(safe, " ")] != '\0')
		(void)fputc('\'', to);
	for (const char *p = safe; *p != '\0'; p++) {
		if (*p == '"')
			(void)fputc('"', to);
		(void)fputc(*p, to);
	}
	(void)fputc('"', to);
}

/* A value as text, lists joined by blanks; owned by the caller, NULL without memory. */
static char *
text_of(const json_t *value)
{
	char *text = NULL, number[32];
	size_t used = 0, i;
	json_t *item;
	FILE *f;

	if (json_is_string(value))
		return strdup(json_string_value(value));
	if (json_is_integer(value)) {
		(void)snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
		return strdup(number);
	}
	if (json_is_boolean(value))
		return strdup(json_is_true(value) ? "yes" : "no");
	if (!json_is_array(value))
		return strdup("");
	f = open_memstream(&text, &used);
	if (f == NULL)
		return NULL;
	json_array_foreach(value, i, item)
		(void)fprintf(f, "%s%s", i > 0 ? " " : "", json_is_string(item) ? json_string_value(item) : "");
	return fclose(f) == 0 ? text : NULL;
}

void
csv_table(FILE *to, const json_t *rows, const struct column *columns)
{
	json_t *row;
	char *text;
	size_t i, c;

	for (c = 0; columns[c].key != NULL; c++) {
		(void)fputs(c > 0 ? "," : "", to);
		csv_cell(to, columns[c].heading);
	}
	(void)fputs("\r\n", to);
	json_array_foreach(rows, i, row) {
		for (c = 0; columns[c].key != NULL; c++) {
			text = text_of(json_object_get(row, columns[c].key));
			(void)fputs(c > 0 ? "," : "", to);
			csv_cell(to, text != NULL ? text : "");
			free(text);
		}
		(void)fputs("\r\n", to);
	}
}

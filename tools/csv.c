/*
 * csv.c - see csv.h.
 *
 * Runs in isms-userctl only. Must never guess what a line means: many accounts are changed by it at once.
 */
#include <config.h>

#include "tools/csv.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tools/output.h"

#define BOM "\xef\xbb\xbf"

static int
wrong(char *error, size_t size, unsigned line, const char *what)
{
	(void)snprintf(error, size, "%u: %s", line, what);
	return -EINVAL;
}

/* Whether a line is text that can be shown as it is. */
static bool
is_text(const char *line)
{
	char safe[4096];

	return strlen(line) < sizeof safe && strcmp(output_sanitise(line, safe, sizeof safe), line) == 0;
}

/* A cell in quotes at p, whose content moves to its begin. Returns what follows it; NULL when the quotes do not end. */
static char *
take_quoted(char *p, char **ret_cell)
{
	char *to = p;

	*ret_cell = p;
	for (p++; *p != '\0'; p++) {
		if (*p == '"' && p[1] == '"')
			p++;
		else if (*p == '"')
			break;
		*to++ = *p;
	}
	if (*p == '\0')
		return NULL;
	*to = '\0';
	p++;
	return p + strspn(p, " ");
}

static char *
take_plain(char *p, char **ret_cell)
{
	size_t len = strcspn(p, ",");
	char *end = p + len;

	*ret_cell = p;
	while (len > 0 && p[len - 1] == ' ')
		len--;
	if (memchr(p, '"', len) != NULL)
		return NULL;
	if (p + len != end)
		p[len] = '\0';
	return end;
}

/* Cells of one line without its end. Returns NULL, or what is wrong. */
static const char *
split(char *p, struct csv_line *ret)
{
	char *next;
	bool last;

	for (last = false; !last; p = next + 1) {
		if (ret->count == CSV_CELLS_MAX)
			return "more cells than 64";
		p += strspn(p, " ");
		next = *p == '"' ? take_quoted(p, &ret->cells[ret->count++]) : take_plain(p, &ret->cells[ret->count++]);
		if (next == NULL)
			return "a quote where none can be; put the whole cell in quotes, and quotes in it twice";
		if (*next != ',' && *next != '\0')
			return "something between the quotes and the comma";
		last = *next == '\0';
		*next = '\0';
	}
	return NULL;
}

int
csv_parse(char *text, size_t len, int (*each)(void *arg, const struct csv_line *line), void *arg, char *error, size_t size)
{
	char *p = text, *end;
	unsigned number = 0;
	int r = 0;

	if (strncmp(p, BOM, strlen(BOM)) == 0)
		p += strlen(BOM);
	for (; r == 0 && p < text + len; p = end + 1) {
		struct csv_line line = { .number = ++number };
		const char *what;
		size_t n;

		end = memchr(p, '\n', (size_t)(text + len - p));
		if (end == NULL)
			end = text + len;
		*end = '\0';
		n = strlen(p);
		if (p + n != end)
			return wrong(error, size, number, "a NUL byte");
		if (n > 0 && p[n - 1] == '\r')
			p[--n] = '\0';
		if (!is_text(p))
			return wrong(error, size, number, "control characters, bytes that are no UTF-8, or more than 4095 of them");
		if (p[strspn(p, " ,")] == '\0')
			continue;
		what = split(p, &line);
		if (what != NULL)
			return wrong(error, size, number, what);
		r = each(arg, &line);
	}
	return r;
}

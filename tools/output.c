/*
 * output.c - JSON and text for people, from the same values.
 *
 * Runs in isms-userctl only. Must never let a byte of the directory or the journal act on a terminal,
 * and never print a secret: those go through tty_prompt.c to a terminal or a descriptor alone.
 */
#include <config.h>

#include "tools/output.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/civil_date.h"

#define LINE_MAX_BYTES 4096
#define CELL_MAX_BYTES 512

/* Bytes of the well-formed UTF-8 character at p (RFC 3629), or 0; *ret is its code point. */
static size_t
utf8_character(const unsigned char *p, uint32_t *ret)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t c;
	size_t len, i;

	len = *p < 0x80 ? 1 : (*p & 0xe0) == 0xc0 ? 2 : (*p & 0xf0) == 0xe0 ? 3 : (*p & 0xf8) == 0xf0 ? 4 : 0;
	if (len == 0)
		return 0;
	c = len == 1 ? *p : *p & (0x7fu >> len);
	for (i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;	/* also at the NUL */
		c = c << 6 | (p[i] & 0x3fu);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret = c;
	return len;
}

/* Control characters, and those that reorder what is already on the line (CVE-2021-42574). */
static bool
is_harmful(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200e && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

char *
output_sanitise(const char *text, char *buf, size_t size)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t used = 0, len, i;
	uint32_t c = 0;

	if (size == 0)
		return buf;
	while (*p != '\0') {
		len = utf8_character(p, &c);
		if (len != 0 && !is_harmful(c)) {
			if (used + len >= size)
				break;
			memcpy(buf + used, p, len);
			used += len;
			p += len;
			continue;
		}
		for (i = 0; i < (len == 0 ? 1 : len) && used + 4 < size; i++)
			used += (size_t)snprintf(buf + used, size - used, "\\x%02x", p[i]);
		if (i == 0)
			break;
		p += i;
	}
	buf[used] = '\0';
	return buf;
}

json_t *
output_string(const char *text)
{
	char buf[LINE_MAX_BYTES];
	json_t *value;

	if (text == NULL)
		return json_null();
	value = json_string(text);	/* jansson refuses what is no UTF-8 */
	return value != NULL ? value : json_string(output_sanitise(text, buf, sizeof buf));
}

json_t *
output_time(int64_t utc_sec)
{
	char buf[32];

	return utc_sec == 0 ? json_null() : json_string(civil_date_format(utc_sec, buf));
}

/* jansson itself escapes no C1 control, like U+009B, which begins a terminal's commands, and no bidirectional mark. */
static int
dump(const json_t *root, size_t flags)
{
	if (json_dumpf(root, stdout, flags | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII) < 0 || putchar('\n') == EOF)
		return -EIO;
	return 0;
}

int
output_json(const json_t *root)
{
	return dump(root, JSON_INDENT(2));
}

int
output_json_line(const json_t *root)
{
	return dump(root, JSON_COMPACT);
}

/* A value as text: arrays joined by ", ", objects as "key=value" pairs. */
static char *
cell(const json_t *value, char *buf, size_t size)
{
	char part[CELL_MAX_BYTES];
	json_t *item;
	const char *key;
	size_t i, used;

	buf[0] = '\0';
	if (json_is_string(value))
		return output_sanitise(json_string_value(value), buf, size);
	if (json_is_integer(value))
		(void)snprintf(buf, size, "%lld", (long long)json_integer_value(value));
	else if (json_is_boolean(value))
		(void)snprintf(buf, size, "%s", json_is_true(value) ? "yes" : "no");
	else if (value == NULL || json_is_null(value))
		(void)snprintf(buf, size, "-");
	else if (json_is_array(value)) {
		json_array_foreach(value, i, item) {
			used = strlen(buf);
			(void)snprintf(buf + used, size - used, "%s%s", i > 0 ? ", " : "", cell(item, part, sizeof part));
		}
	} else if (json_is_object(value)) {
		json_object_foreach((json_t *)(uintptr_t)value, key, item) {
			used = strlen(buf);
			(void)snprintf(buf + used, size - used, "%s%s=%s", used > 0 ? " " : "", key,
			    cell(item, part, sizeof part));
		}
	}
	return buf;
}

/* Columns on a terminal: bytes that begin a character. Wide characters count as one. */
static size_t
width(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

/* A cell of a table: what is empty is seen to be. */
static char *
table_cell(const json_t *value, char *buf, size_t size)
{
	if (cell(value, buf, size)[0] == '\0')
		(void)snprintf(buf, size, "-");
	return buf;
}

static void
pad(size_t columns)
{
	while (columns-- > 0)
		(void)putchar(' ');
}

void
output_record(const json_t *object, const struct column *columns)
{
	char buf[LINE_MAX_BYTES];
	const struct column *c;
	const json_t *value;
	json_t *item;
	size_t i, widest = 0;

	for (c = columns; c->key != NULL; c++) {
		value = json_object_get(object, c->key);
		if (value != NULL && !json_is_null(value) && width(c->heading) > widest)
			widest = width(c->heading);
	}
	for (c = columns; c->key != NULL; c++) {
		value = json_object_get(object, c->key);
		if (value == NULL || json_is_null(value) || (json_is_array(value) && json_array_size(value) == 0))
			continue;
		(void)printf("%s", c->heading);
		pad(widest - width(c->heading) + 2);
		if (!json_is_array(value)) {
			(void)printf("%s\n", cell(value, buf, sizeof buf));
			continue;
		}
		json_array_foreach(value, i, item) {
			if (i > 0)
				pad(widest + 2);
			(void)printf("%s\n", cell(item, buf, sizeof buf));
		}
	}
}

void
output_table(const json_t *rows, const struct column *columns)
{
	char buf[CELL_MAX_BYTES];
	size_t widest[16] = { 0 }, count, c, i, w;
	json_t *row;

	for (count = 0; columns[count].key != NULL && count < 16; count++) {
		widest[count] = width(columns[count].heading);
		json_array_foreach(rows, i, row) {
			w = width(table_cell(json_object_get(row, columns[count].key), buf, sizeof buf));
			if (w > widest[count])
				widest[count] = w;
		}
	}
	for (c = 0; c < count; c++) {
		(void)printf("%s", columns[c].heading);
		if (c + 1 < count)
			pad(widest[c] - width(columns[c].heading) + 2);
	}
	(void)putchar('\n');
	json_array_foreach(rows, i, row) {
		for (c = 0; c < count; c++) {
			(void)printf("%s", table_cell(json_object_get(row, columns[c].key), buf, sizeof buf));
			if (c + 1 < count)
				pad(widest[c] - width(buf) + 2);
		}
		(void)putchar('\n');
	}
}

static void __attribute__((format(printf, 3, 0)))
line(FILE *to, const char *before, const char *format, va_list arguments)
{
	char raw[LINE_MAX_BYTES], safe[LINE_MAX_BYTES];

	(void)vsnprintf(raw, sizeof raw, format, arguments);
	(void)fprintf(to, "%s%s\n", before, output_sanitise(raw, safe, sizeof safe));
}

void
output_line(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	line(stdout, "", format, arguments);
	va_end(arguments);
}

static char place[512] = "isms-userctl: ";

void
output_error_place(const char *file, unsigned number)
{
	char safe[400];

	if (file == NULL)
		(void)snprintf(place, sizeof place, "isms-userctl: ");
	else
		(void)snprintf(place, sizeof place, "isms-userctl: %s:%u: ", output_sanitise(file, safe, sizeof safe), number);
}

void
output_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	line(stderr, place, format, arguments);
	va_end(arguments);
}

int
output_finish(void)
{
	struct pollfd reader = { .fd = STDOUT_FILENO };

	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return 0;
	return poll(&reader, 1, 0) == 1 && (reader.revents & POLLERR) != 0 ? -EPIPE : -EIO;
}

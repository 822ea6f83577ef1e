/*
 * conf_parse.c - the text of isms.conf and policy.conf, read with inih, and nothing slips.
 *
 * Runs in every process of ismsd and in isms-userctl. Must never pass on half a line: inih cuts what is
 * too long without a word, so each line is judged by next_line() before inih sees it. Does no I/O.
 */
#include <config.h>

#include "common/conf_file.h"

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	NAME_ROOM = 50,		/* inih's MAX_SECTION and MAX_NAME, NUL included: a longer one is cut there */
	VALUE_ROOM = 4096,
};

struct reader {
	const char *at, *end;		/* text not yet read */
	const char *name;
	unsigned line, section_line;	/* of the line that inih has now */
	bool continued;			/* that line began with a space */
	conf_handler *handler;
	void *arg;
	char *error;
	size_t size;
	int result;			/* first error; nothing is handled after it */
	/* The value that may yet be continued. */
	bool pending;
	unsigned pending_line;
	char section[NAME_ROOM], key[NAME_ROOM], value[VALUE_ROOM];
};

int
conf_wrong(char *error, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(error, size, format, args);
	va_end(args);
	return -EINVAL;
}

static int __attribute__((format(printf, 3, 4)))
refuse(struct reader *r, unsigned line, const char *format, ...)
{
	char text[512];
	va_list args;

	if (r->result == 0) {
		va_start(args, format);
		(void)vsnprintf(text, sizeof text, format, args);
		va_end(args);
		(void)snprintf(r->error, r->size, "%s:%u: %s", r->name, line, text);
		r->result = -EINVAL;
	}
	return -EINVAL;
}

static void
handle(struct reader *r, unsigned line, const char *key, const char *value)
{
	const struct conf_line l = { .file = r->name, .line = line, .section_line = r->section_line,
		.section = r->section, .key = key, .value = value };
	char text[512] = "";
	int result;

	if (r->result != 0)
		return;
	result = r->handler(r->arg, &l, text, sizeof text);
	if (result == -EINVAL)
		(void)refuse(r, line, "%s", text);
	else
		r->result = result;
}

static void
flush(struct reader *r)
{
	if (r->pending)
		handle(r, r->pending_line, r->key, r->value);
	r->pending = false;
}

/* "[role x]", perhaps with a comment after it. inih would take "[role x] mfa = none" and say nothing. */
static int
begin_section(struct reader *r, const char *line, size_t len)
{
	const char *close = memchr(line, ']', len);
	const char *p;

	if (close == NULL || memchr(line + 1, '[', len - 1) != NULL)
		return refuse(r, r->line, "a section is written [name]");
	for (p = close + 1; p < line + len && (*p == ' ' || *p == '\t' || *p == '\r'); p++)
		;
	if (p < line + len && (*p != ';' || p == close + 1))
		return refuse(r, r->line, "nothing may follow the ] of a section");
	if (close - line - 1 >= NAME_ROOM - 1 || close - line - 1 == 0)
		return refuse(r, r->line, "a section's name has 1 to %d bytes", NAME_ROOM - 2);
	flush(r);
	memcpy(r->section, line + 1, (size_t)(close - line - 1));
	r->section[close - line - 1] = '\0';
	r->section_line = r->line;
	handle(r, r->line, NULL, NULL);
	return r->result;
}

/* Judge one line, before inih cuts anything off. */
static int
judge_line(struct reader *r, const char *line, size_t len, size_t room)
{
	size_t indent = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)line[i];

		if ((c < ' ' && c != '\t' && !(c == '\r' && i == len - 1)) || c == 0x7f)
			return refuse(r, r->line, "a control character (0x%02x) stands in this line", c);
	}
	if (r->line == 1 && len >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0)
		return refuse(r, r->line, "a byte order mark stands here; save the file without it");
	if (len + 2 > room)	/* newline and NUL */
		return refuse(r, r->line, "the line is longer than %zu bytes; continue a list on a next line that begins with a space", room - 2);
	while (indent < len && (line[indent] == ' ' || line[indent] == '\t'))
		indent++;
	r->continued = indent > 0;
	if (indent == len || line[indent] == '#' || line[indent] == ';' || line[indent] == '\r')
		return 0;		/* empty or a comment */
	if (indent > 0)
		return r->pending ? 0 : refuse(r, r->line, "an indented line continues a value, and there is none above");
	if (line[0] == '[')
		return begin_section(r, line, len);
	flush(r);
	return r->result;
}

/* inih's ini_reader: like fgets() from memory. NULL ends the file, or the reading after an error. */
static char *
next_line(char *to, int room, void *arg)
{
	struct reader *r = arg;
	const char *newline;
	size_t len;

	if (r->result != 0 || r->at == r->end || room < 3)
		return NULL;
	newline = memchr(r->at, '\n', (size_t)(r->end - r->at));
	len = (size_t)((newline != NULL ? newline : r->end) - r->at);
	r->line++;
	if (judge_line(r, r->at, len, (size_t)room) < 0)
		return NULL;
	memcpy(to, r->at, len);
	memcpy(to + len, "\n", 2);
	r->at = newline != NULL ? newline + 1 : r->end;
	return to;
}

/* An indented "key = value" was meant as a setting of its own; inih would take it for text. */
static bool
looks_like_setting(const char *text)
{
	size_t word = strspn(text, "abcdefghijklmnopqrstuvwxyz-");

	return word > 0 && text[word + strspn(text + word, " \t")] == '=';
}

/* Length of text without a comment and the spaces before it; not every inih does that in continued lines. */
static size_t
without_comment(const char *text)
{
	size_t len = 0;

	while (text[len] != '\0' && (text[len] != ';' || (len > 0 && text[len - 1] != ' ' && text[len - 1] != '\t')))
		len++;
	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t' || text[len - 1] == '\r'))
		len--;
	return len;
}

static int
continue_value(struct reader *r, const char *text)
{
	size_t len = strlen(r->value), more = without_comment(text);

	if (looks_like_setting(text))
		return refuse(r, r->line, "an indented line continues the value above, but this looks like a setting; remove the indent");
	if (len + 1 + more >= sizeof r->value)
		return refuse(r, r->line, "the value is longer than %zu bytes", sizeof r->value - 1);
	(void)snprintf(r->value + len, sizeof r->value - len, "%s%.*s", len > 0 ? " " : "",
	    (int)more, text);
	return 0;
}

/* inih's ini_handler: 1 to go on. */
static int
take_value(void *arg, const char *section, const char *name, const char *value)
{
	struct reader *r = arg;

	(void)section;		/* begin_section() has it, uncut */
	if (r->result != 0)
		return 0;
	if (r->continued)
		return strcmp(name, r->key) == 0 ? continue_value(r, value) == 0 :
		    refuse(r, r->line, "this inih does not continue lines; write the value on one") == 0;
	if (name[0] == '\0' || strlen(name) >= NAME_ROOM - 1)
		return refuse(r, r->line, "a key has 1 to %d bytes", NAME_ROOM - 2) == 0;
	if (value == NULL || strlen(value) >= sizeof r->value)
		return refuse(r, r->line, "write key = value") == 0;
	(void)snprintf(r->key, sizeof r->key, "%s", name);
	(void)snprintf(r->value, sizeof r->value, "%s", value);
	r->pending = true;
	r->pending_line = r->line;
	return 1;
}

int
conf_parse(const char *text, size_t len, const char *name, conf_handler *handler, void *arg, char *error, size_t size)
{
	struct reader *r = calloc(1, sizeof *r);
	int result, bad_line;

	if (r == NULL)
		return -ENOMEM;
	*r = (struct reader){ .at = text, .end = text + len, .name = name, .handler = handler, .arg = arg,
		.error = error, .size = size };
	bad_line = ini_parse_stream(next_line, r, take_value, r);
	if (bad_line == -2 && r->result == 0)
		r->result = -ENOMEM;
	else if (bad_line != 0)		/* inih found neither section nor key; our own errors are first */
		(void)refuse(r, (unsigned)bad_line, "neither a section, nor key = value, nor a comment");
	flush(r);
	result = r->result;
	if (result < 0 && result != -EINVAL)
		(void)snprintf(error, size, "%s: %s", name, strerrordesc_np(-result));
	free(r);
	return result;
}

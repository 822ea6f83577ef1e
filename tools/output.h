/*
 * output.h - what isms-userctl prints: one JSON document, or the same data as text for a terminal.
 *
 * Every verb builds jansson values; text is a rendering of them, so the two cannot differ. Whatever comes
 * from a directory, a journal or a file is escaped before it reaches a terminal.
 */
#ifndef ISMS_OUTPUT_H
#define ISMS_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a key of a JSON object is shown as text; a list ends with key NULL. */
struct column {
	const char *key, *heading;
};

/*
 * Make text harmless: control characters, DEL, C1, bidirectional overrides and bytes that are no UTF-8 become \xNN.
 *
 *  buf,size  receives it, NUL-terminated, cut at a whole character
 *
 * Returns buf.
 */
char *output_sanitise(const char *text, char *buf, size_t size);

/* A JSON string of text that may be no UTF-8; NULL text is JSON null. Never NULL but without memory. */
json_t *output_string(const char *text);

/* A JSON string of an instant, ISO 8601; 0 is JSON null. */
json_t *output_time(int64_t utc_sec);

/* Print a document, or one on a single line, and a line end; pure ASCII. Returns 0 or -EIO. */
int output_json(const json_t *root);
int output_json_line(const json_t *root);

/* Print the named keys of an object, one "Heading  value" a line; absent and null ones are left out. */
void output_record(const json_t *object, const struct column *columns);

/* Print an array of objects as a table with headings; null is "-". */
void output_table(const json_t *rows, const struct column *columns);

/* printf() to stdout with the result sanitised, one line. */
void output_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same to stderr, after "isms-userctl: ". */
void output_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Put a line of a file before what output_error() says from now on; NULL: no longer. */
void output_error_place(const char *file, unsigned number);

/* Whether all that was printed could be written. Returns 0 or -EIO; to be asked once, before exit. */
int output_finish(void);

#endif

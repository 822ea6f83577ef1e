/*
 * status_lines.h - the key=value lines in which a process tells how it is, for `isms-userctl status`.
 *
 * The keys are explained in ismsd(8), STATUS. A value goes to a terminal: nothing secret, and no line end of its own.
 */
#ifndef ISMS_STATUS_LINES_H
#define ISMS_STATUS_LINES_H

#include <stddef.h>
#include <stdint.h>

struct status_lines {
	char *at;			/* borrowed; the end of what is written */
	size_t left;			/* bytes from there on, with the NUL */
};

/* Write to buf, of size bytes, one at least; borrowed. */
void status_lines_begin(struct status_lines *l, char *buf, size_t size);

/* Add a line, or several, or nothing of it where it does not fit. */
void status_lines_add(struct status_lines *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Add key=instant.
 *
 *  otherwise  what stands for a time that there is not (0 or less, or beyond the calendar), e.g. "never"
 */
void status_lines_time(struct status_lines *l, const char *key, int64_t utc_sec, const char *otherwise);

#endif

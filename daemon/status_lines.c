/*
 * status_lines.c - key=value lines of a report that has a fixed size.
 *
 * Runs in the processes of ismsd. It must never leave half a line: a key without its value would be another statement.
 */
#include <config.h>

#include "daemon/status_lines.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "common/civil_date.h"

void
status_lines_begin(struct status_lines *l, char *buf, size_t size)
{
	*l = (struct status_lines){ .at = buf, .left = size };
	*buf = '\0';
}

void
status_lines_add(struct status_lines *l, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(l->at, l->left, format, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= l->left) {
		*l->at = '\0';
		return;
	}
	l->at += n;
	l->left -= (size_t)n;
}

void
status_lines_time(struct status_lines *l, const char *key, int64_t utc_sec, const char *otherwise)
{
	bool there = utc_sec > 0 && utc_sec <= CIVIL_DATE_MAX_SEC;
	char text[32];

	status_lines_add(l, "%s=%s\n", key, there ? civil_date_format(utc_sec, text) : otherwise);
}

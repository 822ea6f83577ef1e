/*
 * report.c - events and log lines of ismsd's processes (see report.h).
 *
 * Runs in every process of ismsd, on its loop or in a worker thread. It must never block a login: libsystemd's
 * sender does not wait, and a journal that is away costs one failed datagram (MEASURED 8).
 */
#include <config.h>

#include "daemon/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "daemon/peers.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

static const char *report_identifier = "ismsd";
static bool to_journal;
static bool debug;

void
report_init(const struct paths *paths, const char *identifier)
{
	report_identifier = identifier;
	to_journal = peers_is_system(paths);
	debug = getenv("ISMS_DEBUG") != NULL;
}

void
report_begin(struct event *e, enum event_id id)
{
	event_begin(e, id, report_identifier);
}

/* One event on standard error: MESSAGE, then the MESSAGE_ID's name is in it already. One write, so lines stay whole. */
static int
write_line(const struct event *e)
{
	static const char key[] = "MESSAGE=";
	char line[sizeof e->message + 16];
	ssize_t n;
	int len;

	for (unsigned i = 0; i < e->count; i++) {
		if (e->iov[i].iov_len < sizeof key || memcmp(e->iov[i].iov_base, key, sizeof key - 1) != 0)
			continue;
		len = snprintf(line, sizeof line, "%.*s\n", (int)(e->iov[i].iov_len - (sizeof key - 1)),
		    (const char *)e->iov[i].iov_base + sizeof key - 1);
		if (len < 0)
			return -EINVAL;
		if ((size_t)len >= sizeof line)
			len = (int)sizeof line - 1;
		n = write(STDERR_FILENO, line, (size_t)len);
		return n < 0 ? -errno : 0;
	}
	return -EINVAL;
}

int
report_event(struct event *e)
{
	event_finish(e);
	if (!to_journal)
		return write_line(e);
	/* libsystemd calls a journal that is not there a success (THREATS 5.11). */
	if (access(JOURNAL_SOCKET, F_OK) < 0)
		return -errno;
	return sd_journal_sendv(e->iov, (int)e->count);
}

void
report_log(int priority, const char *format, ...)
{
	char text[1024];
	va_list ap;

	if (priority == LOG_DEBUG && !debug)
		return;
	va_start(ap, format);
	(void)vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	if (!to_journal) {
		(void)dprintf(STDERR_FILENO, "%s: %s\n", report_identifier, text);
		return;
	}
	(void)sd_journal_send("MESSAGE=%s", text, "PRIORITY=%d", priority, "SYSLOG_IDENTIFIER=%s", report_identifier,
	    NULL);
}

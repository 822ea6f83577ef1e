/*
 * front_sessions.c - which sessions of managed users are open, for isms-userctl sessions (see front.h).
 *
 * Runs in the front. Answers root alone, and changes nothing.
 */
#include <config.h>

#include "daemon/front.h"

#include <stdio.h>
#include <string.h>

#include "daemon/live_session.h"

#define LINE_MAX_BYTES 400

int
handle_sessions_get(struct connection *c, const void *msg)
{
	struct front *f = connection_context(c);
	size_t i = ((const struct msg_sessions_get *)msg)->from, used = 0;
	struct msg_report m = { .verdict = 0 };
	const struct session_row *row;
	pid_t pid = 0;

	/* Room for the longest line and for next= besides, or the next answer has it. */
	for (; used + LINE_MAX_BYTES + 32 < sizeof m.lines && (row = live_session_nth(f->sessions, i, &pid)) != NULL; i++)
		used += (size_t)snprintf(m.lines + used, LINE_MAX_BYTES, "session=%d %u %u %lld %s %s %s %s\n", (int)pid, row->uid,
		    row->factors, (long long)row->opened_utc_sec, row->txn, row->user, row->service, row->tty);
	if (live_session_nth(f->sessions, i, &pid) != NULL)
		(void)snprintf(m.lines + used, sizeof m.lines - used, "next=%zu\n", i);
	(void)connection_send(c, MSG_REPORT, &m, ST_NEW);
	return 0;
}

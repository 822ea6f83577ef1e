/*
 * front_sessions.c - which sessions of managed users are open, for isms-userctl sessions; and what the publisher is to
 * end (see front.h).
 *
 * Runs in the front. Answers root alone.
 */
#include <config.h>

#include "daemon/front.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "daemon/live_session.h"
#include "daemon/loop.h"
#include "daemon/report.h"

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

static void
on_ended(void *arg, int error, enum message number, const void *msg)
{
	const struct msg_done *done = msg;

	if (error < 0 || number != MSG_DONE || done->error != 0)
		report_log(LOG_ERR, "%s could not be ended: %s", (const char *)arg,
		    error < 0 ? strerror(-error) : "the publisher refused");
}

void
front_sessions_end(struct front *f, const char *user, uint32_t uid, enum reason reason, const char *txn, const char *what)
{
	struct msg_sessions_end msg = { .uid = uid, .reason = reason };
	const struct ask_question q = {
		.path = f->paths->publisher_socket,
		.peers = &f->peers,
		.number = MSG_SESSIONS_END,
		.msg = &msg,
		.deadline_ms = loop_now_ms() + ASK_DEADLINE_MS,
	};

	(void)snprintf(msg.user, sizeof msg.user, "%s", user);
	(void)snprintf(msg.txn, sizeof msg.txn, "%s", txn != NULL ? txn : "");
	if (ask_start(f->event, &q, on_ended, (void *)(uintptr_t)what, NULL) < 0)
		report_log(LOG_ERR, "%s could not be ended", what);
}

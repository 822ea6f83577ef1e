/*
 * emergency.c - see emergency.h.
 *
 * Runs in front and directory process, which see no terminals. The events are evidence, this is a word besides: it must
 * never hold a login up, nor fail one.
 */
#include <config.h>

#include "daemon/emergency.h"

#include <string.h>
#include <syslog.h>

#include "daemon/ask.h"
#include "daemon/loop.h"
#include "daemon/report.h"

static void
on_told(void *arg, int error, enum message number, const void *msg)
{
	const struct msg_done *done = msg;

	(void)arg;
	if (error < 0 || number != MSG_DONE || done->error != 0)
		report_log(LOG_WARNING, "no administrator's terminal was told of a break-glass account: %s",
		    error < 0 ? strerror(-error) : "the publisher refused");
}

void
emergency_tell(sd_event *event, const struct paths *paths, const struct peers *peers, const struct msg_emergency *m)
{
	const struct ask_question q = {
		.path = paths->publisher_socket,
		.peers = peers,
		.number = MSG_EMERGENCY,
		.msg = m,
		.deadline_ms = loop_now_ms() + ASK_DEADLINE_MS,
	};
	int r = ask_start(event, &q, on_told, NULL, NULL);

	if (r < 0)
		on_told(NULL, r, 0, NULL);
}

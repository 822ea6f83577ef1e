/*
 * emergency.c - see emergency.h.
 *
 * Runs in front and directory process, which see no terminals. The events are evidence, this is a word besides: it must
 * never hold a login up, nor fail one.
 */
#include <config.h>

#include "daemon/emergency.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "daemon/ask.h"
#include "daemon/loop.h"
#include "daemon/report.h"

/* What was asked and not answered yet. */
static struct pending {
	struct ask *ask;
	struct pending *next;
} *all_pending;

static void
forget(struct pending *p)
{
	struct pending **at = &all_pending;

	while (*at != NULL && *at != p)
		at = &(*at)->next;
	if (*at == p)
		*at = p->next;
	free(p);
}

static void
on_told(void *arg, int error, enum message number, const void *msg)
{
	const struct msg_done *done = msg;

	if (error < 0 || number != MSG_DONE || done->error != 0)
		report_log(LOG_WARNING, "no administrator's terminal was told of a break-glass account: %s",
		    error < 0 ? strerror(-error) : "the publisher refused");
	forget(arg);
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
	struct pending *p = calloc(1, sizeof *p);
	int r;

	if (p == NULL) {
		report_log(LOG_WARNING, "no administrator's terminal was told of a break-glass account: out of memory");
		return;
	}
	p->next = all_pending;
	all_pending = p;
	r = ask_start(event, &q, on_told, p, &p->ask);
	if (r < 0)
		on_told(p, r, 0, NULL);
}

void
emergency_stop(void)
{
	while (all_pending != NULL) {
		ask_cancel(all_pending->ask);
		forget(all_pending);
	}
}

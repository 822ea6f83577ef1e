/*
 * front_local_watch.c - ends the sessions of local accounts under policy whose time is over (see front.h).
 *
 * Runs in the front. The publisher ends those of the directory's users by itself; of local accounts it knows nothing. Every
 * two seconds, and only while such a session is open, the facts of each are asked for anew. What cannot be told ends nobody:
 * it must never take the directory's silence for an end.
 */
#include <config.h>

#include "daemon/front.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "daemon/live_session.h"
#include "daemon/loop.h"
#include "daemon/report.h"

#define LOOK_MS		2000
#define FACTS_MS	2000

static void
on_ended(void *arg, int error, enum message number, const void *msg)
{
	const struct msg_done *done = msg;

	(void)arg;
	if (error < 0 || number != MSG_DONE || done->error != 0)
		report_log(LOG_ERR, "the sessions of a local account could not be ended: %s",
		    error < 0 ? strerror(-error) : "the publisher refused");
}

/* Whether, and why, whom these facts are about must leave; REASON_OK: may stay, or nobody can say. */
static enum reason
must_leave(struct front *f, const struct facts *facts)
{
	struct moment moment;
	uint64_t roles;
	int64_t end;

	if (facts->state == FACTS_UNKNOWN)
		return REASON_UNKNOWN_USER;
	if (facts->state != FACTS_MANAGED)
		return REASON_OK;
	if (facts->disabled != 0)
		return REASON_DISABLED;
	front_moment(f, &moment);
	if (facts->kind == KIND_BREAK_GLASS && facts->armed_until_utc_sec <= moment.now_utc_sec)
		return REASON_BREAKGLASS_NOT_ARMED;
	roles = policy_match(f->policy, facts);
	end = front_session_end(f, facts, roles);
	if (end != 0 && moment.now_utc_sec >= end)
		return REASON_EXPIRED;
	end = facts->kind == KIND_SERVICE ? policy_owner_end(f->policy, roles, facts) : 0;
	return end != 0 && moment.now_utc_sec >= end ? REASON_OWNER_EXPIRED : REASON_OK;
}

static void
put_out(struct front *f, enum reason reason)
{
	struct msg_sessions_end msg = { .uid = f->local_watch.uid, .reason = reason };
	const struct ask_question q = {
		.path = f->paths->publisher_socket,
		.peers = &f->peers,
		.number = MSG_SESSIONS_END,
		.msg = &msg,
		.deadline_ms = loop_now_ms() + ASK_DEADLINE_MS,
	};
	struct ask *ask;

	memcpy(msg.user, f->local_watch.user, sizeof msg.user);
	if (ask_start(f->event, &q, on_ended, NULL, &ask) < 0)
		report_log(LOG_ERR, "the sessions of a local account could not be ended");
}

/* From *at on, a session of a local account under policy, the first one of its uid. NULL past the last. */
static const struct session_row *
next_row(const struct front *f, size_t *at)
{
	const struct session_row *row, *other;
	pid_t pid;

	for (; (row = live_session_nth(f->sessions, *at, &pid)) != NULL; (*at)++) {
		size_t i = 0;

		if (!policy_manages_local(f->policy, row->user))
			continue;
		while (i < *at && (other = live_session_nth(f->sessions, i, &pid)) != NULL && other->uid != row->uid)
			i++;
		if (i == *at)
			return row;
	}
	return NULL;
}

static void look(struct front *f);

static void
on_facts(void *arg, int error, enum message number, const void *msg)
{
	struct front *f = arg;
	enum reason reason = REASON_OK;

	f->local_watch.ask = NULL;
	if (error == 0 && number == MSG_FACTS && f->policy != NULL)
		reason = must_leave(f, msg);
	if (reason != REASON_OK)
		put_out(f, reason);
	f->local_watch.at++;
	look(f);
}

static int
on_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	struct front *f = arg;

	(void)source;
	(void)usec;
	f->local_watch.armed = false;
	f->local_watch.at = 0;
	if (f->local_watch.ask == NULL)
		look(f);
	return 0;
}

/* Ask about one after the other; then rest. */
static void
look(struct front *f)
{
	const struct session_row *row = next_row(f, &f->local_watch.at);

	if (row != NULL) {
		memcpy(f->local_watch.user, row->user, sizeof f->local_watch.user);
		f->local_watch.uid = row->uid;
		if (front_ask_facts(f, row->user, loop_now_ms() + FACTS_MS, on_facts, f, &f->local_watch.ask) == 0)
			return;
	}
	front_local_watch(f);
}

void
front_local_watch(struct front *f)
{
	bool is_idle = f->policy == NULL || policy_local_managed(f->policy, 0) == NULL || live_session_count(f->sessions) == 0;

	if (!f->local_watch.armed && !is_idle)
		f->local_watch.armed = loop_timer(f->event, &f->local_watch.timer, LOOK_MS, on_timer, f) == 0;
}

void
front_local_watch_stop(struct front *f)
{
	ask_cancel(f->local_watch.ask);
	f->local_watch.ask = NULL;
	sd_event_source_disable_unref(f->local_watch.timer);
	f->local_watch.timer = NULL;
}

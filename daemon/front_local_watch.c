/*
 * front_local_watch.c - ends what runs of local accounts under policy whose time is over (see front.h).
 *
 * Runs in the front. The publisher ends the directory's users by itself; of local accounts it knows nothing. The facts of
 * those who are in are asked for anew every two seconds, those of all once a minute and when the next end comes: what somebody
 * has left running has no session. What cannot be told ends nobody: it must never take the directory's silence for an end.
 */
#include <config.h>

#include "daemon/front.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "daemon/live_session.h"
#include "daemon/local_accounts.h"
#include "daemon/loop.h"
#include "daemon/report.h"
#include "daemon/session_end.h"

#define LOOK_MS		2000
#define LOOK_ALL_MS	60000
#define LEAST_MS	500		/* between two walks, whatever is due */
#define FACTS_MS	2000

/* Look at all of them at this moment, too. */
static void
look_by(struct front *f, int64_t at_ms)
{
	if (at_ms < f->local_watch.next_all_ms)
		f->local_watch.next_all_ms = at_ms;
}

/* Whether an end has come; one that has not is kept in mind. 0: there is none. */
static bool
has_come(struct front *f, int64_t end_utc_sec, int64_t now_utc_sec)
{
	if (end_utc_sec == 0 || now_utc_sec >= end_utc_sec)
		return end_utc_sec != 0;
	if (end_utc_sec - now_utc_sec < LOOK_ALL_MS / 1000)
		look_by(f, loop_now_ms() + (end_utc_sec - now_utc_sec) * 1000);
	return false;
}

/* Whether, and why, whom these facts are about must leave; REASON_OK: may stay, or nobody can say. */
static enum reason
must_leave(struct front *f, const struct facts *facts)
{
	struct moment moment;
	uint64_t roles;

	if (facts->state == FACTS_UNKNOWN)
		return REASON_UNKNOWN_USER;
	if (facts->state == FACTS_NOT_READY)
		look_by(f, loop_now_ms() + LOOK_MS);
	if (facts->state != FACTS_MANAGED)
		return REASON_OK;
	if (facts->disabled != 0)
		return REASON_DISABLED;
	front_moment(f, &moment);
	if (facts->kind == KIND_BREAK_GLASS && facts->armed_until_utc_sec <= moment.now_utc_sec)
		return REASON_BREAKGLASS_NOT_ARMED;
	roles = policy_match(f->policy, facts);
	if (has_come(f, front_session_end(f, facts, roles), moment.now_utc_sec))
		return REASON_EXPIRED;
	return facts->kind == KIND_SERVICE && has_come(f, policy_owner_end(f->policy, roles, facts), moment.now_utc_sec) ?
	    REASON_OWNER_EXPIRED : REASON_OK;
}

/* Put out the account that has the name here; one that the publisher never ends is spared the asking. */
static void
put_out_account(struct front *f, enum reason reason)
{
	struct local_accounts local;
	int r = local_accounts_load(f->paths, &local);

	if (r < 0) {
		report_log(LOG_ERR, "the sessions of a local account could not be ended: %s", strerror(-r));
		return;
	}
	for (size_t i = 0; i < local.user_count; i++)
		if (strcmp(local.users[i].name, f->local_watch.user) == 0 && local.users[i].uid >= SESSION_END_UID_MIN)
			front_sessions_end(f, f->local_watch.user, local.users[i].uid, reason, NULL, "the sessions of a local account");
	local_accounts_done(&local);
}

/* Whether somebody is in by this name; NULL: by any that is under policy. */
static bool
is_in(const struct front *f, const char *user)
{
	const struct session_row *row;
	pid_t pid;

	for (size_t i = 0; (row = live_session_nth(f->sessions, i, &pid)) != NULL; i++)
		if (user != NULL ? strcmp(row->user, user) == 0 : policy_manages_local(f->policy, row->user))
			return true;
	return false;
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
	else
		look_by(f, loop_now_ms() + LOOK_MS);
	/* Not whom a reload has freed meanwhile. */
	if (reason != REASON_OK && policy_manages_local(f->policy, f->local_watch.user))
		put_out_account(f, reason);
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
	if (f->local_watch.ask != NULL)		/* its walk arms the timer again */
		return 0;
	f->local_watch.at = 0;
	f->local_watch.is_all = loop_now_ms() >= f->local_watch.all_ms;
	f->local_watch.next_all_ms = f->local_watch.is_all ? loop_now_ms() + LOOK_ALL_MS : f->local_watch.all_ms;
	look(f);
	return 0;
}

/* Ask about one after the other; then rest. */
static void
look(struct front *f)
{
	const char *name;

	for (; (name = policy_local_managed(f->policy, f->local_watch.at)) != NULL; f->local_watch.at++) {
		if (!f->local_watch.is_all && !is_in(f, name))
			continue;
		(void)snprintf(f->local_watch.user, sizeof f->local_watch.user, "%s", name);
		if (front_ask_facts(f, name, loop_now_ms() + FACTS_MS, on_facts, f, &f->local_watch.ask) == 0)
			return;
		look_by(f, loop_now_ms() + LOOK_MS);
		break;
	}
	f->local_watch.all_ms = f->local_watch.next_all_ms;
	front_local_watch(f);
}

void
front_local_watch(struct front *f)
{
	const int64_t now_ms = loop_now_ms();
	int64_t due_ms = f->local_watch.all_ms;

	if (f->policy == NULL || policy_local_managed(f->policy, 0) == NULL)
		return;
	if (due_ms == 0 || (due_ms > now_ms + LOOK_MS && is_in(f, NULL)))
		due_ms = now_ms + LOOK_MS;
	if (due_ms < now_ms + LEAST_MS)
		due_ms = now_ms + LEAST_MS;
	if (f->local_watch.armed && f->local_watch.due_ms <= due_ms)
		return;
	f->local_watch.due_ms = due_ms;
	f->local_watch.armed = loop_timer(f->event, &f->local_watch.timer, due_ms - now_ms, on_timer, f) == 0;
}

void
front_local_watch_opened(struct front *f, const char *user, int64_t end_utc_sec)
{
	struct clock_reading reading;

	if (policy_manages_local(f->policy, user))
		(void)has_come(f, end_utc_sec, front_now(f, &reading));
	if (f->local_watch.next_all_ms < f->local_watch.all_ms)
		f->local_watch.all_ms = f->local_watch.next_all_ms;
	front_local_watch(f);
}

void
front_local_watch_anew(struct front *f)
{
	f->local_watch.all_ms = f->local_watch.next_all_ms = 0;
	front_local_watch(f);
}

void
front_local_watch_stop(struct front *f)
{
	ask_cancel(f->local_watch.ask);
	f->local_watch.ask = NULL;
	sd_event_source_disable_unref(f->local_watch.timer);
	f->local_watch.timer = NULL;
}

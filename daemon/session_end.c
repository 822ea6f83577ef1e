/*
 * session_end.c - puts users out, asynchronously, within five seconds.
 *
 * Runs in the publisher, as uid 0 with CAP_KILL: logind obeys uid 0 without further capabilities (MEASURED 7). It must
 * never touch an id below 1000, never itself, and never wait: a logind or D-Bus that hangs costs its part only, since
 * the processes are found and killed through /proc all the same.
 */
#include <config.h>

#include "daemon/session_end.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "common/snapshot.h"
#include "daemon/logind.h"
#include "daemon/loop.h"
#include "daemon/proc_scan.h"
#include "daemon/report.h"

#define PROC		"/proc"
#define LIST_TICK_MS	10
#define TICK_MS		100
#define WATCH_TICK_MS	1000
#define DEADLINE_MS	4800	/* after it the end is reported with its survivors (THREATS 5.9: gone within 5 s) */
#define WATCH_MS	30000	/* covers a login that had passed its account stage just before */
#define COUNT_MS	250	/* the longest that an end waits for logind's count of sessions */

enum phase {
	PHASE_LIST,		/* logind counts the sessions, before any of them closes */
	PHASE_ASK, PHASE_WAIT, PHASE_KILL, PHASE_WATCH
};

struct ending {
	struct ending *next;
	struct session_end_order order;
	enum phase phase;
	int64_t began_ms;
	uint32_t grace_ms;
	unsigned processes, alive;	/* at the first look; at the last one */
	unsigned sessions;		/* of logind's first list */
	bool listing, killed_slice, reported, complained;
};

struct session_end {
	sd_event *event;		/* owned */
	sd_event_source *tick;		/* owned */
	struct session_end_hooks hooks;
	struct logind *logind;		/* owned */
	struct ending *endings;		/* owned */
	uint32_t grace_sec;
	unsigned total;
};

static int on_tick(sd_event_source *source, uint64_t usec, void *arg);

int
session_end_new(sd_event *event, const struct session_end_hooks *hooks, struct session_end **ret)
{
	struct session_end *s = calloc(1, sizeof *s);

	if (s == NULL)
		return -ENOMEM;
	s->logind = logind_new(event);
	if (s->logind == NULL) {
		free(s);
		return -ENOMEM;
	}
	s->event = sd_event_ref(event);
	s->hooks = *hooks;
	s->grace_sec = 2;
	*ret = s;
	return 0;
}

void
session_end_free(struct session_end *s)
{
	if (s == NULL)
		return;
	while (s->endings != NULL) {
		struct ending *next = s->endings->next;

		free(s->endings);
		s->endings = next;
	}
	logind_free(s->logind);
	sd_event_source_disable_unref(s->tick);
	sd_event_unref(s->event);
	free(s);
}

void
session_end_set_grace(struct session_end *s, uint32_t grace_sec)
{
	s->grace_sec = grace_sec;
}

unsigned
session_end_active(const struct session_end *s)
{
	unsigned n = 0;

	for (const struct ending *e = s->endings; e != NULL; e = e->next)
		n += e->phase != PHASE_WATCH;
	return n;
}

unsigned
session_end_total(const struct session_end *s)
{
	return s->total;
}

static struct ending *
find_ending(const struct session_end *s, uint32_t uid)
{
	for (struct ending *e = s->endings; e != NULL; e = e->next) {
		if (e->order.uid == uid)
			return e;
	}
	return NULL;
}

int
session_end_begin(struct session_end *s, const struct session_end_order *order)
{
	struct ending *e;
	int r;

	if (order->uid < SESSION_END_UID_MIN || !snapshot_id_allowed(order->uid))
		return -EPERM;
	e = find_ending(s, order->uid);
	/* One that is due no more is about to be dropped: it must not take this one with it. */
	if (e != NULL && e->phase != PHASE_WATCH && (e->order.once || s->hooks.due(&e->order, s->hooks.arg))) {
		if (e->order.once && !order->once)
			e->order = *order;	/* the lasting reason is the one to report and to watch for */
		return 0;
	}
	if (e == NULL) {
		e = calloc(1, sizeof *e);
		if (e == NULL)
			return -ENOMEM;
		e->next = s->endings;
		s->endings = e;
	}
	*e = (struct ending){ .next = e->next, .order = *order, .phase = PHASE_LIST, .began_ms = loop_now_ms(),
		.grace_ms = s->grace_sec * 1000 };
	r = loop_timer(s->event, &s->tick, 0, on_tick, s);
	if (r < 0)
		report_log(LOG_ERR, "cannot arm the timer that ends sessions: %s", strerror(-r));
	return 0;
}

/* Ask or kill one process, as its owner's phase says. */
static void
visit_process(const struct proc_facts *facts, void *arg)
{
	static const int ask[] = { SIGTERM, SIGHUP, SIGCONT, 0 }, look[] = { 0 }, kill[] = { SIGKILL, 0 };
	struct session_end *s = arg;

	for (struct ending *e = s->endings; e != NULL; e = e->next) {
		const int *signals = e->phase == PHASE_ASK ? ask : e->phase == PHASE_KILL ? kill : look;
		int r;

		if (!proc_belongs(facts, e->order.uid))
			continue;
		r = proc_signal(PROC, facts->pid, e->order.uid, signals);
		if (r < 0 && !e->complained) {
			report_log(LOG_ERR, "cannot signal process %d of uid %u: %s", (int)facts->pid, e->order.uid,
			    strerror(-r));
			e->complained = true;
		}
		if (r != 0)
			e->alive++;
	}
}

static void
finish(struct session_end *s, struct ending *e)
{
	struct session_end_result result = { .order = &e->order, .processes = e->processes, .sessions = e->sessions,
		.survivors = e->alive };

	if (!e->reported && (result.processes > 0 || result.sessions > 0)) {
		s->total++;
		s->hooks.done(&result, s->hooks.arg);
	}
	e->reported = true;
}

/* What logind is asked for, once at the beginning of an end. */
static void
ask_logind(struct session_end *s, const struct ending *e)
{
	if (!e->order.once && s->hooks.linger != NULL)
		logind_revoke_linger(s->logind, e->order.uid, s->hooks.linger, e->order.name);
	logind_terminate_user(s->logind, e->order.uid);
}

/* One step of an end, after its processes were visited. Returns false when the end has no more to do. */
static bool
step(struct session_end *s, struct ending *e, int64_t now_ms)
{
	int64_t age_ms = now_ms - e->began_ms;

	if (e->phase == PHASE_WATCH) {
		struct session_end_order again = e->order;

		if (e->alive == 0)
			return age_ms < WATCH_MS;
		return session_end_begin(s, &again) == 0;
	}
	if (e->phase == PHASE_LIST) {
		if (logind_listed(s->logind) || age_ms >= COUNT_MS) {
			e->sessions = logind_sessions(s->logind, e->order.uid);
			e->phase = PHASE_ASK;
			/* The front asks again and again about local accounts: where nothing runs, that is all. */
			return !e->order.once || e->sessions > 0 || e->alive > 0;
		}
		return true;
	}
	if (e->phase == PHASE_ASK) {
		e->processes = e->alive;
		e->phase = PHASE_WAIT;
	}
	if (e->phase == PHASE_WAIT && age_ms >= e->grace_ms)
		e->phase = PHASE_KILL;
	if (e->phase == PHASE_KILL && !e->killed_slice) {
		logind_kill_user(s->logind, e->order.uid);
		e->killed_slice = true;
	}
	if (e->alive == 0) {
		finish(s, e);
		e->phase = PHASE_WATCH;
		return !e->order.once;
	}
	if (age_ms >= DEADLINE_MS)
		finish(s, e);
	return !e->order.once || age_ms < WATCH_MS;	/* what survives is hit again for as long as the end is due */
}

static void
drop_undue(struct session_end *s)
{
	struct ending **at = &s->endings;

	while (*at != NULL) {
		struct ending *e = *at;

		if (e->order.once || s->hooks.due(&e->order, s->hooks.arg)) {
			at = &e->next;
			continue;
		}
		*at = e->next;
		free(e);
	}
}

static int64_t
next_tick_ms(const struct session_end *s)
{
	int64_t ms = WATCH_TICK_MS;

	for (const struct ending *e = s->endings; e != NULL; e = e->next) {
		if (e->phase == PHASE_LIST || e->phase == PHASE_ASK)
			return LIST_TICK_MS;
		if (e->phase != PHASE_WATCH && !e->reported)	/* survivors may take hours: at the pace of a watch */
			ms = TICK_MS;
	}
	return ms;
}

static int
on_tick(sd_event_source *source, uint64_t usec, void *arg)
{
	struct session_end *s = arg;
	struct ending **at = &s->endings;
	int r;

	(void)source;
	(void)usec;
	drop_undue(s);
	for (struct ending *e = s->endings; e != NULL; e = e->next) {
		e->alive = 0;
		if (e->phase == PHASE_LIST && !e->listing)
			logind_list(s->logind);
		if (e->phase == PHASE_ASK)
			ask_logind(s, e);
		e->listing = true;
	}
	r = s->endings == NULL ? 0 : proc_scan(PROC, visit_process, s);
	if (r < 0)
		report_log(LOG_ERR, "cannot look for processes to end: %s", strerror(-r));
	while (*at != NULL) {
		struct ending *e = *at;

		if (r < 0 || step(s, e, loop_now_ms())) {	/* what could not be looked at is not gone */
			at = &e->next;
			continue;
		}
		*at = e->next;
		free(e);
	}
	if (s->endings == NULL) {
		logind_idle(s->logind);
		return 0;
	}
	return loop_timer(s->event, &s->tick, next_tick_ms(s), on_tick, s);
}

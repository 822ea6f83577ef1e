/*
 * publisher_ends.c - watches the ends of contracts: one timer for the next instant, then a look at who is live.
 *
 * Runs in the publisher. No list of all users is ever walked when the time comes: /proc and the terminals name the few
 * that live, the register says which of those must leave. It must never end a user who is not managed, nor a local one
 * (but for those of [local] manage, at the front's word: on_sessions_end()),
 * nor what runs in a local one's user namespace.
 */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "common/civil_date.h"
#include "daemon/proc_scan.h"
#include "daemon/publisher_lost.h"
#include "daemon/publisher_state.h"
#include "daemon/report.h"
#include "daemon/session_warn.h"

#define PROC		"/proc"
#define DEV		"/dev"
#define LOGIND_USERS	"/run/systemd/users"
#define LINGER		"/var/lib/systemd/linger"
#define USEC_PER_SEC	1000000LL
#define ACCURACY_USEC	1000
#define AHEAD_LOOK_USEC	1000000	/* while the clock is ahead: how soon its correction is seen */
#define BOOT_LAG_USEC	2000	/* the wall clock's timer comes first while the clocks agree */

int64_t
publisher_now_utc_sec(struct publisher *p)
{
	return wall_clock_now_usec(&p->clock) / USEC_PER_SEC;
}

/* ---- who is live and must leave ---- */

/* Who was accepted under a uid before; NULL: nobody, or that is not known. */
static const struct user_record *
had_before(const struct publisher *p, const struct publisher_before *before, uint32_t uid)
{
	const struct user_record *past;

	if (before->book != p->book)
		return register_user_by_uid(before->book, uid);
	past = before->judging != NULL ? publisher_judge_past(before->judging, uid) : NULL;
	return past != NULL ? past : register_user_by_uid(p->book, uid);
}

/* Under which name a uid was managed before. Returns NULL when it was not. */
static const char *
name_before(const struct publisher *p, const struct publisher_before *before, uint32_t uid,
    int64_t *ret_not_after_utc_sec)
{
	const struct user_record *u = had_before(p, before, uid);
	struct snapshot_user had;

	*ret_not_after_utc_sec = 0;
	if (u != NULL) {
		*ret_not_after_utc_sec = u->not_after_utc_sec;
		return u->text;
	}
	if (before->book != NULL || before->snapshot == NULL || before->snapshot->base == NULL ||
	    snapshot_find_uid(before->snapshot, uid, &had) != 1)
		return NULL;
	return had.name;
}

static void
put_out(struct publisher *p, uint32_t uid, const char *name, enum reason reason, int64_t not_after_utc_sec, bool once)
{
	struct session_end_order order = { .uid = uid, .reason = reason, .not_after_utc_sec = not_after_utc_sec,
		.once = once };
	int r;

	(void)snprintf(order.name, sizeof order.name, "%s", name);
	r = session_end_begin(p->ender, &order);
	if (r < 0)
		report_log(LOG_ERR, "cannot end the sessions of uid %u: %s", uid, strerror(-r));
}

void
publisher_ends_put_out(struct publisher *p, const struct user_record *u, enum reason reason)
{
	put_out(p, u->r.id, u->text, reason, u->not_after_utc_sec, true);
}

static void
judge_live(struct publisher *p, const struct publisher_before *before, uint32_t uid, int64_t now_utc_sec)
{
	const struct user_record *u = register_user_by_uid(p->book, uid);
	int64_t not_after_utc_sec;
	const char *name = name_before(p, before, uid, &not_after_utc_sec);
	enum reason reason;

	if (u == NULL) {
		if (name != NULL && !local_accounts_owns_uid(&p->local, uid))
			put_out(p, uid, name, REASON_UNKNOWN_USER, not_after_utc_sec, false);
		return;
	}
	reason = roll_judge(u, now_utc_sec);
	if (reason != REASON_OK)
		put_out(p, uid, u->text, reason, u->not_after_utc_sec, false);
	else if (name != NULL && strcmp(name, u->text) != 0)	/* the uid is another person's now */
		put_out(p, uid, name, REASON_UNKNOWN_USER, not_after_utc_sec, true);
}

/* The uid that a name has, or had before; 0: none. */
static uint32_t
uid_of(const struct publisher *p, const struct publisher_before *before, const char *name)
{
	const struct user_record *u = register_user_by_name(p->book, name);
	struct snapshot_user had;

	if (u == NULL && before->book != p->book)
		u = register_user_by_name(before->book, name);
	if (u != NULL)
		return u->r.id;
	for (uint32_t i = 0; before->judging != NULL && i < before->judging->past_count; i++)
		if (strcmp(before->judging->past[i]->text, name) == 0)
			return before->judging->past[i]->r.id;
	if (before->book == NULL && before->snapshot != NULL && before->snapshot->base != NULL &&
	    snapshot_find_user(before->snapshot, name, &had) == 1)
		return had.uid;
	return 0;
}

/* User managers that run without a login: their owners count as live even while nothing of theirs runs. */
static void
judge_lingering(struct publisher *p, const struct publisher_before *before, int64_t now_utc_sec)
{
	DIR *dir = peers_is_system(p->paths) ? opendir(LINGER) : NULL;
	const struct dirent *d;

	if (dir == NULL)
		return;
	while ((d = readdir(dir)) != NULL) {
		uint32_t uid = uid_of(p, before, d->d_name);

		if (uid != 0)
			judge_live(p, before, uid, now_utc_sec);
	}
	(void)closedir(dir);
}

static void
judge_all_live(struct publisher *p, const struct publisher_before *before, int64_t now_utc_sec)
{
	uint32_t *uids = NULL;
	size_t count = 0;
	int r;

	r = proc_live_uids(PROC, peers_is_system(p->paths) ? LOGIND_USERS : NULL, &uids, &count);
	if (r < 0)
		report_log(LOG_ERR, "cannot see who is logged in: %s", strerror(-r));
	for (size_t i = 0; i < count; i++)
		judge_live(p, before, uids[i], now_utc_sec);
	free(uids);
	judge_lingering(p, before, now_utc_sec);
}

static bool
is_due(const struct session_end_order *order, void *arg)
{
	struct publisher *p = arg;
	const struct user_record *u = register_user_by_uid(p->book, order->uid);

	if (u == NULL)
		return !local_accounts_owns_uid(&p->local, order->uid);
	return strcmp(u->text, order->name) == 0 && roll_judge(u, publisher_now_utc_sec(p)) != REASON_OK;
}

static void
on_ended(const struct session_end_result *result, void *arg)
{
	const struct session_end_order *order = result->order;
	char text[128];
	struct event e;

	(void)arg;
	report_begin(&e, EVENT_SESSION_TERMINATED);
	event_add(&e, FIELD_ID_USER, order->name);
	event_add_int(&e, FIELD_ID_UID, order->uid);
	event_add(&e, FIELD_ID_REASON, reason_token(order->reason));
	if (order->not_after_utc_sec > 0)
		event_add(&e, FIELD_ID_NOT_AFTER, civil_date_format(order->not_after_utc_sec, text));
	event_add_int(&e, FIELD_ID_COUNT, result->sessions);
	event_add(&e, FIELD_ID_TXN, order->txn);
	(void)snprintf(text, sizeof text, "%u processes", result->processes);
	event_add(&e, FIELD_ID_NOTE, text);
	if (result->survivors > 0) {
		(void)snprintf(text, sizeof text, "%u processes could not be killed yet", result->survivors);
		event_add(&e, FIELD_ID_FAULT, text);
	}
	(void)report_event(&e);
}

/* ---- what they read on their terminals ---- */

struct telling {
	struct publisher *p;
	const struct publisher_before *before;	/* NULL: the timer, nobody else is accepted */
	int64_t since_utc_sec, now_utc_sec;
};

const char *
publisher_ends_contact(const struct publisher *p, const struct user_record *u)
{
	const char *contact = u != NULL ? user_record_contact(u) : "";

	return contact[0] != '\0' ? contact : p->settings.login_contact;
}

/* Whether the end came nearer, to within the time of warnings. */
static bool
came_nearer(const struct telling *t, const struct user_record *u)
{
	const struct user_record *had = t->before != NULL ? had_before(t->p, t->before, u->r.id) : NULL;

	if (had == NULL || u->not_after_utc_sec == 0 ||
	    u->not_after_utc_sec - t->now_utc_sec > (int64_t)t->p->settings.login_warn_before)
		return false;
	return had->not_after_utc_sec == 0 || u->not_after_utc_sec < had->not_after_utc_sec;
}

static bool
tell(uint32_t uid, char *buf, size_t size, void *arg)
{
	const struct telling *t = arg;
	const struct publisher *p = t->p;
	const struct user_record *u = register_user_by_uid(p->book, uid);
	int64_t ignored;

	if (u == NULL) {
		if (t->before == NULL || name_before(p, t->before, uid, &ignored) == NULL ||
		    local_accounts_owns_uid(&p->local, uid))
			return false;
		session_warn_ended(buf, size, publisher_ends_contact(p, NULL));
		return true;
	}
	if (roll_judge(u, t->now_utc_sec) != REASON_OK) {
		session_warn_ended(buf, size, publisher_ends_contact(p, u));
		return true;
	}
	if (!roll_warning_due(u->not_after_utc_sec, t->since_utc_sec, t->now_utc_sec, p->settings.login_warn_before) &&
	    !came_nearer(t, u))
		return false;
	session_warn_before(buf, size, u->not_after_utc_sec, t->now_utc_sec, publisher_ends_contact(p, u));
	return true;
}

/* ---- the timer ---- */

static int on_due(sd_event_source *source, uint64_t usec, void *arg);

static int
arm_one(struct publisher *p, sd_event_source **source, clockid_t clock, int64_t at_usec)
{
	int r;

	if (*source == NULL) {
		r = sd_event_add_time(p->event, source, clock, (uint64_t)at_usec, ACCURACY_USEC, on_due, p);
		if (r >= 0)		/* a flood of requests must not delay an end */
			r = sd_event_source_set_priority(*source, SD_EVENT_PRIORITY_IMPORTANT);
		return r;
	}
	r = sd_event_source_set_time(*source, (uint64_t)at_usec);
	return r < 0 ? r : sd_event_source_set_enabled(*source, SD_EVENT_ONESHOT);
}

static void
disarm(sd_event_source *source)
{
	if (source != NULL)
		(void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
}

/*
 * Arm for the next instant, twice: by the wall clock, which a step forward fires, and by the time that passes, which
 * a clock set back does not stop. A clock that is ahead may have passed ends that are due again once it is corrected.
 */
static void
arm(struct publisher *p)
{
	int64_t now_usec = wall_clock_now_usec(&p->clock), at_sec, wait_usec;
	struct timespec boot = { 0 };
	int r = 0;

	at_sec = roll_next_due(&p->roll, p->seen_utc_sec, p->settings.login_warn_before);
	if (at_sec <= 0 || at_sec > CIVIL_DATE_MAX_SEC) {
		disarm(p->due_real);
		disarm(p->due_boot);
		if (!p->clock.ahead)
			return;
		wait_usec = AHEAD_LOOK_USEC;
	} else {
		r = arm_one(p, &p->due_real, CLOCK_REALTIME, at_sec * USEC_PER_SEC);
		wait_usec = at_sec * USEC_PER_SEC > now_usec ? at_sec * USEC_PER_SEC - now_usec : 0;
		if (p->clock.ahead && wait_usec > AHEAD_LOOK_USEC)
			wait_usec = AHEAD_LOOK_USEC;
	}
	(void)clock_gettime(CLOCK_BOOTTIME, &boot);
	if (r >= 0)
		r = arm_one(p, &p->due_boot, CLOCK_BOOTTIME, boot.tv_sec * USEC_PER_SEC + boot.tv_nsec / 1000 + wait_usec +
		    BOOT_LAG_USEC);
	if (r < 0)
		report_log(LOG_ERR, "cannot arm the timer of contract ends: %s", strerror(-r));
}

static int
on_due(sd_event_source *source, uint64_t usec, void *arg)
{
	struct publisher *p = arg;
	const struct publisher_before same = { .book = p->book };
	int64_t since = p->seen_utc_sec, end;
	struct telling t;

	(void)source;
	(void)usec;
	p->seen_utc_sec = publisher_now_utc_sec(p);
	t = (struct telling){ .p = p, .since_utc_sec = since, .now_utc_sec = p->seen_utc_sec };
	if (t.now_utc_sec > since) {
		(void)session_warn_each(DEV, tell, &t);
		end = roll_next_end(&p->roll, since);
		if (end != 0 && end <= t.now_utc_sec)
			judge_all_live(p, &same, t.now_utc_sec);
	}
	arm(p);
	return 0;
}

void
publisher_ends_renew(struct publisher *p, const struct publisher_before *before)
{
	struct telling t = { .p = p, .before = before, .since_utc_sec = p->seen_utc_sec };

	t.now_utc_sec = p->seen_utc_sec = publisher_now_utc_sec(p);
	(void)session_warn_each(DEV, tell, &t);
	judge_all_live(p, before, t.now_utc_sec);
	publisher_lost_look(p);
	arm(p);
}

/* Whether a change has anybody leave, or told: somebody went, his uid is another's, or an end came near. */
static bool
concerns_who_lives(struct publisher *p, const struct publisher_before *before)
{
	const struct judging *j = before->judging;
	struct telling t = { .p = p, .before = before, .now_utc_sec = publisher_now_utc_sec(p) };

	for (uint32_t i = 0; i < j->past_count; i++) {
		const struct user_record *u = register_user_by_uid(p->book, j->past[i]->r.id);

		if (u == NULL || strcmp(u->text, j->past[i]->text) != 0)
			return true;
	}
	for (uint32_t i = 0; i < j->fresh.count; i++) {
		const struct user_record *u = record_user(register_at(p->book, REGISTER_USERS, j->fresh.list[i]));

		if (roll_judge(u, t.now_utc_sec) != REASON_OK || came_nearer(&t, u))
			return true;
	}
	return false;
}

void
publisher_ends_change(struct publisher *p, const struct publisher_before *before)
{
	if (concerns_who_lives(p, before))
		publisher_ends_renew(p, before);
	else
		arm(p);
	if (publisher_lost_concerns(p, before))
		publisher_lost_look(p);
}

void
publisher_ends_resume_clock(struct publisher *p, const struct wall_clock *kept)
{
	wall_clock_resume(&p->clock, kept);
	p->seen_utc_sec = publisher_now_utc_sec(p);
}

void
publisher_ends_trust_clock(struct publisher *p)
{
	const struct publisher_before same = { .book = p->book };

	wall_clock_init(&p->clock);
	publisher_ends_renew(p, &same);
}

void
publisher_ends_configure(struct publisher *p)
{
	session_end_set_grace(p->ender, p->settings.login_end_grace);
	arm(p);
}

int
publisher_ends_init(struct publisher *p)
{
	const struct session_end_hooks hooks = { .due = is_due, .done = on_ended, .arg = p,
		.linger = peers_is_system(p->paths) ? LINGER : NULL };
	int r;

	wall_clock_init(&p->clock);
	p->seen_utc_sec = publisher_now_utc_sec(p);
	r = publisher_lost_new(&p->lost);
	if (r >= 0)
		r = session_end_new(p->event, &hooks, &p->ender);
	if (r >= 0)
		session_end_set_grace(p->ender, p->settings.login_end_grace);
	return r;
}

void
publisher_ends_done(struct publisher *p)
{
	sd_event_source_disable_unref(p->due_real);
	sd_event_source_disable_unref(p->due_boot);
	session_end_free(p->ender);
	publisher_lost_free(p->lost);
}

/*
 * source_grants.c - the moments at which grants begin and end (see source_grants.h).
 *
 * Directory process, on its loop. An end needs no server: it comes when it is due, by the wall clock or, where that
 * is set back, by the time that passes (wall_clock.h).
 */
#include <config.h>

#include "daemon/source_grants.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "common/civil_date.h"
#include "daemon/grant_book.h"
#include "daemon/loop.h"
#include "daemon/report.h"
#include "daemon/source.h"
#include "daemon/wall_clock.h"
#include "daemon/wall_clock_store.h"

#define USEC_PER_SEC	1000000LL
#define ACCURACY_USEC	1000
#define BOOT_LAG_USEC	2000		/* the wall clock's timer comes first while the clocks agree */
#define AHEAD_LOOK_USEC	1000000		/* while the clock is ahead: how soon its correction is seen */
#define AGAIN_MS	1000		/* after a lack of memory */
#define TOLD_MAX	50		/* events of one moment, of each kind */

struct source_grants {
	struct source *s;		/* borrowed */
	struct grant_book *book;	/* owned */
	struct wall_clock clock;
	bool kept;			/* the clock's pair is stored, of this boot */
	sd_event_source *due_real, *due_boot, *again;	/* owned */
	size_t told[GRANT_REFUSED + 1];	/* by kind, of this moment */
};

static int on_due(sd_event_source *source, uint64_t usec, void *arg);

int
source_grants_new(struct source *s, struct source_grants **ret)
{
	struct source_grants *g = calloc(1, sizeof *g);
	int r;

	if (g == NULL)
		return -ENOMEM;
	g->s = s;
	g->book = grant_book_new();
	if (g->book == NULL) {
		free(g);
		return -ENOMEM;
	}
	wall_clock_init(&g->clock);
	r = wall_clock_load(s->paths->replica, &g->clock);
	if (r < 0)
		report_log(LOG_ERR, "cannot read the clock of before in %s: %s", s->paths->replica, strerror(-r));
	g->kept = r > 0;
	*ret = g;
	return 0;
}

void
source_grants_free(struct source_grants *g)
{
	if (g == NULL)
		return;
	sd_event_source_disable_unref(g->due_real);
	sd_event_source_disable_unref(g->due_boot);
	sd_event_source_disable_unref(g->again);
	grant_book_free(g->book);
	free(g);
}

const struct grant_book *
source_grants_book(const struct source_grants *g)
{
	return g->book;
}

int
source_grants_stage(struct source_grants *g, struct entry_changes *changes)
{
	const struct grant_moment moment = { .census = g->s->census, .settings = g->s->settings,
		.now_utc_sec = wall_clock_now_usec(&g->clock) / USEC_PER_SEC, .anew = g->s->anew };

	return grant_book_stage(g->book, &moment, changes);
}

/* A clock that is set back while the process is down must not give back what has ended. */
static void
keep_clock(struct source_grants *g)
{
	int r;

	if (g->kept || wall_clock_is_booting(g->clock.boot_usec))
		return;
	r = wall_clock_save(g->s->paths->replica, &g->clock);
	if (r < 0)
		report_log(LOG_ERR, "cannot keep the clock in %s: %s", g->s->paths->replica, strerror(-r));
	g->kept = true;			/* said once */
}

/* ---- telling ---- */

static const enum event_id events[GRANT_REFUSED + 1] = { [GRANT_BEGAN] = EVENT_GRANT_BEGUN,
	[GRANT_ENDED] = EVENT_GRANT_ENDED, [GRANT_REFUSED] = EVENT_DIRECTORY_ENTRY_REFUSED };

static void
tell(const struct grant_told *told, void *arg)
{
	const char *actor = entry_value(told->e, "modifiersName"), *ticket = entry_value(told->e, "ismsTicket");
	const char *approver = entry_value(told->e, "ismsApprover");
	struct source_grants *g = arg;
	char text[IDENTITY_FAULT_SIZE], date[32];
	struct event e;

	if (g->told[told->turn]++ >= TOLD_MAX)
		return;
	report_begin(&e, events[told->turn]);
	if (told->turn == GRANT_REFUSED) {
		(void)snprintf(text, sizeof text, "%.120s: %.120s", told->e->dn, told->fault);
		event_add(&e, FIELD_ID_FAULT, text);
		(void)report_event(&e);
		return;
	}
	event_add(&e, FIELD_ID_USER, told->user);
	event_add(&e, FIELD_ID_GROUPS, told->group);
	if (told->window.until_utc_sec > 0)
		event_add(&e, FIELD_ID_UNTIL, civil_date_format(told->window.until_utc_sec, date));
	event_add(&e, FIELD_ID_APPROVER, approver != NULL ? approver : "");
	if (ticket != NULL)
		event_add(&e, FIELD_ID_TICKET, ticket);
	if (actor != NULL)
		event_add(&e, FIELD_ID_ACTOR, actor);
	if (told->fault[0] != '\0')
		event_add(&e, FIELD_ID_FAULT, told->fault);
	(void)report_event(&e);
}

/* No kind hides another one, and what is not told one by one is counted. */
static void
tell_all(struct source_grants *g)
{
	struct event e;

	memset(g->told, 0, sizeof g->told);
	grant_book_each_told(g->book, tell, g);
	for (size_t turn = 0; turn <= GRANT_REFUSED; turn++) {
		if (g->told[turn] <= TOLD_MAX)
			continue;
		report_begin(&e, events[turn]);
		event_add(&e, turn == GRANT_REFUSED ? FIELD_ID_FAULT : FIELD_ID_NOTE,
		    "more grants; isms-userctl grant --list shows all");
		event_add_int(&e, FIELD_ID_COUNT, (int64_t)(g->told[turn] - TOLD_MAX));
		(void)report_event(&e);
	}
}

/* ---- the timer ---- */

static int
arm_one(struct source_grants *g, sd_event_source **source, clockid_t clock, int64_t at_usec)
{
	int r;

	if (*source == NULL)
		return sd_event_add_time(g->s->event, source, clock, (uint64_t)at_usec, ACCURACY_USEC, on_due, g);
	r = sd_event_source_set_time(*source, (uint64_t)at_usec);
	return r < 0 ? r : sd_event_source_set_enabled(*source, SD_EVENT_ONESHOT);
}

static void
disarm(sd_event_source *source)
{
	if (source != NULL)
		(void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
}

/* By both clocks, as publisher_ends.c does it, and for the same reasons. */
static void
arm(struct source_grants *g)
{
	int64_t now_usec = wall_clock_now_usec(&g->clock), at_sec = grant_book_next(g->book);
	int64_t wait_usec = AHEAD_LOOK_USEC;
	struct timespec boot = { 0 };
	int r = 0;

	if (at_sec <= 0 || at_sec > CIVIL_DATE_MAX_SEC) {
		size_t all, active;

		grant_book_counts(g->book, &all, &active);
		disarm(g->due_real);
		disarm(g->due_boot);
		if (!g->clock.ahead || all == 0)
			return;
	} else {
		r = arm_one(g, &g->due_real, CLOCK_REALTIME, at_sec * USEC_PER_SEC);
		wait_usec = at_sec * USEC_PER_SEC > now_usec ? at_sec * USEC_PER_SEC - now_usec : 0;
		if (g->clock.ahead && wait_usec > AHEAD_LOOK_USEC)
			wait_usec = AHEAD_LOOK_USEC;
	}
	(void)clock_gettime(CLOCK_BOOTTIME, &boot);
	if (r >= 0)
		r = arm_one(g, &g->due_boot, CLOCK_BOOTTIME, boot.tv_sec * USEC_PER_SEC + boot.tv_nsec / 1000 +
		    wait_usec + BOOT_LAG_USEC);
	if (r < 0)
		report_log(LOG_ERR, "cannot arm the timer of grants: %s", strerror(-r));
}

static int
on_due(sd_event_source *source, uint64_t usec, void *arg)
{
	struct source_grants *g = arg;
	int r;

	(void)source;
	(void)usec;
	if (g->s->generation == 0)
		return 0;		/* the first state comes with all of it */
	r = source_tick(g->s);
	if (r < 0) {
		report_log(LOG_ERR, "cannot judge grants: %s", strerror(-r));
		(void)loop_timer(g->s->event, &g->again, AGAIN_MS, on_due, g);
	}
	return 0;
}

void
source_grants_settle(struct source_grants *g, int r)
{
	if (r < 0) {
		grant_book_forget(g->book);
		return;			/* what failed is tried again by whoever asked for it */
	}
	grant_book_commit(g->book);
	tell_all(g);
	keep_clock(g);
	arm(g);
}

void
source_grants_trust_clock(struct source_grants *g)
{
	wall_clock_init(&g->clock);
	g->kept = false;
	(void)on_due(NULL, 0, g);
}

/*
 * ldap_source.c - an LDAP directory as a source: takes the states of ldap_sync.c, tells of its loss and return.
 *
 * Directory process, on its loop; what it is asked is in ldap_jobs.c. A lost server leaves the last complete state in
 * force, with the time at which it was last vouched for: how long that may be, policy says.
 */
#include <config.h>

#include "daemon/ldap_source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "daemon/holders_store.h"
#include "daemon/loop.h"
#include "daemon/report.h"

#define PROGRESS_MS	10000

static void
report_state(const struct ldap_source *s)
{
	struct event e;

	report_begin(&e, s->state.connected ? EVENT_DIRECTORY_CONNECTED : EVENT_DIRECTORY_LOST);
	if (s->state.connected) {
		event_add(&e, FIELD_ID_NOTE, s->state.server);
		event_add_int(&e, FIELD_ID_USERS, (int64_t)source_users(&s->base));
	} else {
		event_add(&e, FIELD_ID_FAULT, s->state.fault);
	}
	(void)report_event(&e);
}

static void
save_holders(struct source *base)
{
	struct ldap_source *s = (struct ldap_source *)base;
	int r = holders_store_write(base->paths->replica, base->settings->directory_base, &s->holders);

	if (r < 0 && !s->holders_behind)
		report_log(LOG_ERR, "cannot store who had which name before: %s", strerror(-r));
	s->holders_behind = r < 0;
}

/* Who waits for a person, and why. */
static void
count_held(const struct ldap_source *s, size_t *ret_removed, size_t *ret_renumbered)
{
	struct census_counts counts;

	census_counts(s->base.census, &counts);
	*ret_removed = s->state.held_removed;
	*ret_renumbered = s->state.held_renumbered + counts.newcomers + s->state.held_older;
}

/* Told when it begins, and again whenever it grows or shrinks: it is a person's turn. */
static void
report_held(size_t removed, size_t renumbered)
{
	char text[256];
	struct event e;

	(void)snprintf(text, sizeof text, "%zu users would go, %zu have another uid, are other people or older than known: held back, "
	    "look with isms-userctl snapshot show", removed, renumbered);
	report_begin(&e, EVENT_DIRECTORY_MASS_CHANGE);
	event_add(&e, FIELD_ID_FAULT, text);
	event_add_int(&e, FIELD_ID_COUNT, (int64_t)(removed + renumbered));
	(void)report_event(&e);
}

static int watch_progress(struct ldap_source *s);

/* A long reading is told of while it lasts: before its end nothing that comes of it is to be seen. */
static int
on_progress(sd_event_source *source, uint64_t usec, void *arg)
{
	struct ldap_source *s = arg;
	size_t received = s->sync != NULL ? ldap_sync_received(s->sync) : 0;

	(void)source;
	(void)usec;
	if (s->state.connected)
		return 0;
	if (received > 0)
		report_log(LOG_INFO, "the directory is being read: %zu entries have come, and count once all have", received);
	return watch_progress(s);
}

/* Without memory for it nothing is said. */
static int
watch_progress(struct ldap_source *s)
{
	return loop_timer(s->base.event, &s->progress, PROGRESS_MS, on_progress, s);
}

/* From here on the age of the view is counted, whatever is done to the wall clock. */
static void
note_loss(struct ldap_source *s)
{
	s->state.connected = false;
	s->lost_boot_sec = loop_clock_sec(CLOCK_BOOTTIME);
	(void)watch_progress(s);
}

/*
 * What the thread told comes into force, or all of it is asked for again: until that has come, a part would be published
 * over a hole. changes are freed.
 */
static bool
take_in(struct ldap_source *s, struct entry_changes *changes, bool departed_known)
{
	int r = departed_known && (!s->behind || changes->whole) ? source_publish(&s->base, changes) : -ENOMEM;

	entry_changes_done(changes);
	s->behind = r != 0;
	if (r == 0)
		return true;
	ldap_sync_want_all(s->sync);
	note_loss(s);			/* what was told is not in force */
	(void)snprintf(s->state.fault, sizeof s->state.fault, "%s", r == -ENOMEM ? "out of memory" : strerror(-r));
	s->base.changed(NULL, s->base.changed_arg);
	return false;
}

static void
on_news(void *arg)
{
	struct ldap_source *s = arg;
	struct ldap_sync_state before = s->state;
	struct entry_changes changes = { 0 };
	int departed;
	size_t removed_before, renumbered_before, removed, renumbered;
	bool fresh, news;

	count_held(s, &removed_before, &renumbered_before);
	fresh = ldap_sync_take(s->sync, &changes, &s->state);
	if (before.connected && !s->state.connected)
		note_loss(s);
	if (s->state.servers.fault[0] != '\0' && strcmp(before.servers.fault, s->state.servers.fault) != 0)
		report_log(LOG_WARNING, "%s", s->state.servers.fault);
	news = before.connected != s->state.connected || (!s->state.connected && strcmp(before.fault, s->state.fault) != 0) ||
	    (!s->seen && s->state.connected);
	s->base.accept_approved = s->base.accept_approved || s->state.approvals != before.approvals;
	departed = ldap_sync_departed(s->sync, &s->holders);
	if (fresh && take_in(s, &changes, departed >= 0))
		s->in_force = s->state.serial;
	if (s->behind) {		/* whatever the thread says since */
		s->state.connected = false;
		if (s->state.fault[0] == '\0')
			(void)snprintf(s->state.fault, sizeof s->state.fault, "not all that came is in force: it is asked for anew");
	}
	if (before.connected != s->state.connected || !s->base.begun) {
		s->base.begun = true;	/* the thread's first word is what it kept */
		s->base.changed(NULL, s->base.changed_arg);
	}
	if (s->holders_behind || departed > 0)	/* the next state is another occasion */
		save_holders(&s->base);
	if (!s->holders_behind && s->in_force == s->state.serial)
		ldap_sync_kept(s->sync, s->in_force);
	count_held(s, &removed, &renumbered);
	if ((removed != removed_before || renumbered != renumbered_before) && removed + renumbered > 0)
		report_held(removed, renumbered);
	if (s->state.connected && s->state.fault[0] != '\0' && strcmp(before.fault, s->state.fault) != 0)
		report_log(LOG_ERR, "%s", s->state.fault);	/* the replica is in memory alone */
	if (news && (s->state.connected ? s->base.generation > 0 : s->state.since_utc_sec != 0)) {
		s->seen = true;
		report_state(s);
	}
}

/* Another directory knows nobody of the former one. */
static void
load_holders(struct ldap_source *s)
{
	int r;

	if (s->base.holders != NULL)
		s->base.accept_newcomers = true;
	identity_holders_done(&s->holders);
	r = holders_store_read(s->base.paths->replica, s->base.settings->directory_base, &s->holders);
	if (r < 0)
		report_log(LOG_ERR, "cannot read all of who had which name before: %s", strerror(-r));
	s->base.holders = &s->holders;
}

static int
start(struct ldap_source *s)
{
	if (s->base.holders == NULL || strcmp(s->settings.directory_base, s->base.settings->directory_base) != 0)
		load_holders(s);
	s->settings = *s->base.settings;
	s->in_force = 0;
	s->base.anew = true;
	(void)watch_progress(s);
	return ldap_sync_start(s->base.event, &s->settings, s->base.paths->replica, s->base.heap, on_news,
	    s, &s->sync);
}

static int
ldap_open_source(struct source *base)
{
	return start((struct ldap_source *)base);
}

static void
ldap_close_source(struct source *base)
{
	struct ldap_source *s = (struct ldap_source *)base;

	ldap_sync_stop(s->sync);
	sd_event_source_disable_unref(s->progress);
	identity_holders_done(&s->holders);
}

static void
ldap_status(const struct source *base, struct source_status *ret)
{
	const struct ldap_sync_state *state = &((const struct ldap_source *)base)->state;
	const struct ldap_source *s = (const struct ldap_source *)base;

	*ret = (struct source_status){ .connected = state->connected, .since_utc_sec = state->since_utc_sec,
		.confirmed_utc_sec = state->confirmed_utc_sec, .server = state->connected ? state->server : "",
		.servers = state->servers.uris, .servers_fault = state->servers.fault };
	count_held(s, &ret->held_removed, &ret->held_renumbered);
	ret->held_older = state->held_older;
	ret->older = state->older;
	ret->received = s->sync != NULL ? ldap_sync_received(s->sync) : 0;
	if (state->connected)
		ret->manner = !state->polling ? "content synchronisation" : strcmp(s->settings.directory_schema, "active-directory") == 0 ?
		    "changes by number, at every poll-interval" : "all of it, at every poll-interval";
	/* While the first reading lasts, nothing is wrong that anybody knew of. */
	if (state->connected || ret->received == 0 || strcmp(state->fault, LDAP_SYNC_NOT_YET) != 0)
		memcpy(ret->fault, state->fault, sizeof ret->fault);
	/* A server that is followed answers every few seconds; one that is polled vouched at the last poll. */
	if (state->connected && !state->polling)
		ret->confirmed_utc_sec = loop_clock_sec(CLOCK_REALTIME);
	else if (!state->connected && s->lost_boot_sec != 0)	/* how long ago, whatever was done to the wall clock since */
		ret->confirmed_utc_sec = loop_clock_sec(CLOCK_REALTIME) - (loop_clock_sec(CLOCK_BOOTTIME) - s->lost_boot_sec);
}

/* What the thread goes by has changed: begin again with it, with the replica as it stands. */
static void
ldap_reload(struct source *base)
{
	struct ldap_source *s = (struct ldap_source *)base;
	struct ldap_sync *old = s->sync;

	if (old != NULL && memcmp(&s->settings, base->settings, sizeof s->settings) == 0)
		return;
	s->sync = NULL;
	ldap_sync_stop(old);		/* the replica has one user at a time */
	if (s->state.connected)
		note_loss(s);
	s->state.approvals = 0;		/* the new thread counts anew */
	s->state.servers = (struct ldap_servers){ .count = 0 };
	if (start(s) < 0) {
		(void)snprintf(s->state.fault, sizeof s->state.fault, "no thread to follow it; reload to try again");
		report_log(LOG_ERR, "cannot follow the directory: no thread");
	}
}

static void
ldap_approve(struct source *base)
{
	struct ldap_source *s = (struct ldap_source *)base;

	if (s->sync == NULL)		/* no thread, which would be told (ldap_reload) */
		return;
	census_approve(s->base.census);
	ldap_sync_approve(s->sync, &s->state);
}

static void
await_stored(struct source *base)
{
	const struct ldap_source *s = (const struct ldap_source *)base;

	if (s->sync != NULL)
		ldap_sync_await_stored(s->sync);
}

static const struct source_ops ldap_ops = {
	.open = ldap_open_source,
	.close = ldap_close_source,
	.password_check = ldap_password_check,
	.tokens = ldap_tokens,
	.password_change = ldap_password_change,
	.token_mark = ldap_token_mark,
	.recovery_use = ldap_recovery_use, .last_use = ldap_last_use,
	.approve = ldap_approve,
	.save_holders = save_holders,
	.await_stored = await_stored,
	.status = ldap_status,
	.reload = ldap_reload,
};

int
ldap_source_new(struct source **ret)
{
	struct ldap_source *s = calloc(1, sizeof *s);

	if (s == NULL)
		return -ENOMEM;
	s->base.ops = &ldap_ops;
	*ret = &s->base;
	return 0;
}

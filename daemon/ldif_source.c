/*
 * ldif_source.c - the embedded directory as a source: reads directory.ldif whenever it changes.
 *
 * Directory process, on its loop; what it is asked is in ldif_jobs.c. A file that is missing, broken or unsafe leaves
 * the last good view in force and is reported once as directory.lost. It must never take half a directory: the
 * file is taken whole, or not at all.
 */
#include <config.h>

#include "daemon/ldif_source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/random.h>
#include <time.h>

#include "common/ldif_store.h"
#include "common/recovery_code.h"
#include "common/siphash.h"
#include "daemon/loop.h"
#include "daemon/report.h"

#define SETTLE_MS	15		/* an editor makes several events of one change */
#define REWATCH_MS	1000		/* while the folder cannot be watched */
#define WATCH_MASK	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | \
			IN_MOVE_SELF | IN_ONLYDIR)

static int64_t
now_utc_sec(void)
{
	return loop_clock_sec(CLOCK_REALTIME);
}

/* ---- reading ---- */

static void
report_lost(const struct ldif_source *s)
{
	struct event e;

	report_begin(&e, EVENT_DIRECTORY_LOST);
	event_add(&e, FIELD_ID_FAULT, s->status.fault);
	(void)report_event(&e);
}

static void
report_connected(const struct ldif_source *s)
{
	struct event e;

	report_begin(&e, EVENT_DIRECTORY_CONNECTED);
	event_add(&e, FIELD_ID_NOTE, s->base.settings->directory_uri);
	event_add_int(&e, FIELD_ID_USERS, (int64_t)source_users(&s->base));
	(void)report_event(&e);
}

static void
lose(struct ldif_source *s, const char *fault)
{
	bool news = s->status.connected || !s->seen || strcmp(fault, s->status.fault) != 0;
	bool changed = s->status.connected;

	if (changed)
		s->lost_boot_sec = loop_clock_sec(CLOCK_BOOTTIME);
	if (changed || !s->seen)
		s->status.since_utc_sec = now_utc_sec();
	s->status.connected = false;
	s->seen = true;
	(void)snprintf(s->status.fault, sizeof s->status.fault, "%s", fault);
	if (news)
		report_lost(s);
	if (changed)
		s->base.changed(NULL, s->base.changed_arg);
}

/* A file without its base entry is a file that somebody is still writing, or emptied: not a directory of nobody. */
static bool
has_base(const struct ldif_source *s, const struct entries *entries, char *error, size_t size)
{
	if (entries_find(entries, s->base.settings->directory_base) != NULL)
		return true;
	(void)snprintf(error, size, "%s:1: the base entry %.200s is missing", s->path, s->base.settings->directory_base);
	return false;
}

/*
 * Seeds of tokens and hashes of recovery codes stay in the file (ldif_jobs.c): no core image of ours may hold the seeds
 * (THREATS I8, DM08a), and a code is judged by what the file says at that moment.
 */
static void
forget_seeds(struct entries *entries)
{
	for (size_t i = 0; i < entries->count; i++) {
		(void)entry_set(entries->list[i], "oathSecret", NULL);	/* removing cannot fail */
		(void)entry_set(entries->list[i], RECOVERY_ATTRIBUTE, NULL);
	}
}

/* An entry of a file is known by its DN: half of its id under each of two secrets, so that nobody can write two of one. */
static int
list_all(const struct ldif_source *s, const struct entries *entries, struct entry_changes *ret)
{
	uint8_t id[ENTRY_ID_SIZE];
	int r = 0;

	_Static_assert(ENTRY_ID_SIZE == 2 * sizeof(uint64_t), "two hashes make an id");
	ret->whole = true;
	for (size_t i = 0; i < entries->count && r == 0; i++) {
		const char *ndn = entries->list[i]->ndn;

		for (size_t half = 0; half < 2; half++) {
			uint64_t hash = siphash13(s->secrets[half], ndn, strlen(ndn));

			memcpy(id + half * sizeof hash, &hash, sizeof hash);
		}
		r = entry_changes_add(ret, id, entries->list[i], false);
	}
	return r;
}

static void
reread(struct ldif_source *s)
{
	struct entry_changes changes = { 0 };
	struct entries entries = { 0 };
	bool was_connected = s->status.connected;
	char error[sizeof s->status.fault];
	int r;

	r = ldif_store_read(s->path, &entries, error, sizeof error);
	if (r < 0 || !has_base(s, &entries, error, sizeof error)) {
		entries_done(&entries);
		lose(s, error);
		return;
	}
	forget_seeds(&entries);
	/* Before the publication, which tells others: what they ask is then answered with the new state. */
	s->status.connected = true;
	s->status.fault[0] = '\0';
	if (!was_connected)
		s->status.since_utc_sec = now_utc_sec();
	s->seen = true;
	r = list_all(s, &entries, &changes);
	entries_done(&entries);
	if (r == 0)
		r = source_publish(&s->base, &changes);
	entry_changes_done(&changes);
	if (!was_connected)
		s->base.changed(NULL, s->base.changed_arg);
	if (r < 0) {
		lose(s, "out of memory");
		return;
	}
	if (!was_connected)
		report_connected(s);
}

static int on_settled(sd_event_source *source, uint64_t usec, void *arg);

/* Reread in a while. A wait that runs is not prolonged: an editor that never pauses must not blind us. */
static int
settle(struct ldif_source *s, int64_t delay_ms)
{
	int r;

	if (s->settling)
		return 0;
	r = loop_timer(s->base.event, &s->settle, delay_ms, on_settled, s);
	s->settling = r >= 0;
	return r;
}

static int
on_inotify(sd_event_source *source, const struct inotify_event *event, void *arg)
{
	struct ldif_source *s = arg;

	(void)source;
	if ((event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT)) != 0)
		s->watched = false;
	else if ((event->mask & IN_Q_OVERFLOW) == 0 && event->len > 0 && strcmp(event->name, s->name) != 0)
		return 0;
	return settle(s, SETTLE_MS);
}

static int
start_watch(struct ldif_source *s)
{
	int r;

	s->watch = sd_event_source_disable_unref(s->watch);
	r = sd_event_add_inotify(s->base.event, &s->watch, s->folder, WATCH_MASK, on_inotify, s);
	s->watched = r >= 0;
	return r;
}

static int
on_settled(sd_event_source *source, uint64_t usec, void *arg)
{
	struct ldif_source *s = arg;

	(void)source;
	(void)usec;
	s->settling = false;
	if (!s->watched)
		(void)start_watch(s);
	reread(s);
	return s->watched ? 0 : settle(s, REWATCH_MS);
}

static int
ldif_open_source(struct source *base)
{
	struct ldif_source *s = (struct ldif_source *)base;

	/* The watch first, so that no change falls between reading and watching. */
	(void)start_watch(s);
	return settle(s, 0);
}

static void
ldif_status(const struct source *base, struct source_status *ret)
{
	const struct ldif_source *s = (const struct ldif_source *)base;

	*ret = s->status;
	ret->server = ret->servers = ret->servers_fault = "";
	if (ret->connected)
		ret->confirmed_utc_sec = now_utc_sec();	/* the kernel would have told of a change */
	else if (s->lost_boot_sec != 0)
		ret->confirmed_utc_sec = now_utc_sec() - (loop_clock_sec(CLOCK_BOOTTIME) - s->lost_boot_sec);
}

static void
ldif_close_source(struct source *base)
{
	struct ldif_source *s = (struct ldif_source *)base;

	sd_event_source_disable_unref(s->watch);
	sd_event_source_disable_unref(s->settle);
	free(s->path);
	free(s->folder);
}

/* Now, and not again at the next turn of the loop. */
static void
ldif_reload(struct source *base)
{
	struct ldif_source *s = (struct ldif_source *)base;

	s->base.anew = true;
	if (s->settle != NULL)
		(void)sd_event_source_set_enabled(s->settle, SD_EVENT_OFF);
	(void)on_settled(NULL, 0, s);
	s->base.begun = true;
}

static const struct source_ops ldif_ops = {
	.open = ldif_open_source,
	.close = ldif_close_source,
	.password_check = ldif_password_check,
	.tokens = ldif_tokens,
	.recovery_use = ldif_recovery_use, .last_use = ldif_last_use,
	.password_change = ldif_password_change,
	.status = ldif_status,
	.reload = ldif_reload,
};

int
ldif_source_new(const char *path, struct source **ret)
{
	struct ldif_source *s = calloc(1, sizeof *s);

	if (s == NULL)
		return -ENOMEM;
	s->base.ops = &ldif_ops;
	s->path = strdup(path);
	s->folder = strdup(path);
	if (s->path == NULL || s->folder == NULL ||
	    getrandom(s->secrets, sizeof s->secrets, 0) != (ssize_t)sizeof s->secrets) {
		source_free(&s->base);
		return -ENOMEM;
	}
	*strrchr(s->folder, '/') = '\0';
	if (s->folder[0] == '\0')
		(void)strcpy(s->folder, "/");
	s->name = strrchr(s->path, '/') + 1;
	*ret = &s->base;
	return 0;
}

/*
 * publisher_force.c - another state comes in force: rosters are taken, judged, published, and those put out who are gone.
 *
 * Runs in the publisher. A roster or a change is taken as a whole or not at all: whatever may fail comes before the
 * register changes, but for the writing of the snapshot, which is tried again.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <syslog.h>
#include <unistd.h>

#include "daemon/loop.h"
#include "daemon/publisher_state.h"
#include "daemon/publisher_store.h"
#include "daemon/report.h"

#define DELTA_FROM_BYTES	(256u * 1024)	/* a smaller base costs no more than a delta */
#define RETRY_DELAY_MS		10000	/* after a snapshot that could not be written */
#define ROLL_FEW		256u
#define REBUILD_DELAY_MS	50	/* editors write several files within it */

/* ---- what is told ---- */

static void
report_published(const struct publisher *p)
{
	struct event e;

	report_begin(&e, EVENT_SNAPSHOT_PUBLISHED);
	event_add_int(&e, FIELD_ID_GENERATION, (int64_t)p->last.generation);
	event_add_int(&e, FIELD_ID_USERS, p->book->tables[REGISTER_USERS].accepted);
	event_add_int(&e, FIELD_ID_REFUSED, p->refusals.count);
	(void)report_event(&e);
}

void
publisher_report_rejected(const char *fault)
{
	struct event e;

	report_begin(&e, EVENT_SNAPSHOT_REJECTED);
	event_add(&e, FIELD_ID_FAULT, fault);
	(void)report_event(&e);
}

/* ---- what is published ---- */

bool
publisher_open_published(const struct publisher *p, struct snapshot *ret)
{
	char path[PATH_MAX];
	int n, r;

	*ret = (struct snapshot){ 0 };
	n = snprintf(path, sizeof path, "%s/%s", p->paths->nss, SNAPSHOT_BASE_NAME);
	if (n < 0 || (size_t)n >= sizeof path)
		return false;
	r = snapshot_open_state(path, geteuid(), ret);
	if (r < 0 && r != -ENOENT)
		report_log(LOG_WARNING, "%s: %s; it will be replaced", path, strerror(-r));
	return r >= 0;
}

/* Whether the file that readers find is not the one that was written last: deleted, restored from a backup, cut short. */
static bool
is_published_gone(const struct publisher *p)
{
	struct snapshot found;
	bool gone;

	if (p->published.base == NULL)
		return true;
	if (!publisher_open_published(p, &found))
		return true;
	gone = found.size != p->published.size || found.delta_size != p->published.delta_size ||
	    snapshot_generation(&found) != snapshot_generation(&p->published);
	snapshot_close(&found);
	return gone;
}

/* Readers of a page that a restore has replaced, say, would stay with what they have for ever. */
static void
look_at_epoch(struct publisher *p)
{
	if (epoch_keep(&p->epoch, p->paths->nss) > 0)
		report_log(LOG_WARNING, "%s/%s was replaced: its readers were told", p->paths->nss, SNAPSHOT_EPOCH_NAME);
}

/* ---- one step ---- */

/* From one state to the next; all of it is prepared before anything changes. */
struct step {
	struct register_book *book;		/* the present one, or a new one */
	struct register_edit *edit;		/* NULL: nothing is edited */
	struct judging judging;
	bool fills_roll;			/* its roll is made anew: */
	struct roll roll;
	struct local_accounts local;		/* as of now */
};

static int
step_prepare(struct publisher *p, struct step *s)
{
	struct judge_in in = { .settings = &p->settings, .local = &s->local, .settled = s->book == p->book && p->settled,
		.previous = p->published.base != NULL ? &p->published : NULL };
	const struct register_table *users = &s->book->tables[REGISTER_USERS];
	int r;

	r = local_accounts_load(p->paths, &s->local);
	if (r < 0)
		return r;
	in.all = p->stale || !local_accounts_are_equal(&s->local, &p->local);
	r = publisher_judge_prepare(s->book, s->edit, &in, &s->judging);
	/* With so many, one after the other costs more than all of them at once. */
	s->fills_roll = s->judging.whole || (s->edit != NULL && s->edit->parts[REGISTER_USERS].put_count > ROLL_FEW) ||
	    (s->edit != NULL && s->edit->parts[REGISTER_USERS].drop_count > ROLL_FEW);
	if (r >= 0 && s->fills_roll)
		r = roll_reserve(&s->roll, (size_t)users->count + (s->edit != NULL ? s->edit->parts[REGISTER_USERS].put_count : 0));
	else if (r >= 0)
		r = roll_reserve(&p->roll, s->judging.fresh.room);
	return r;
}

static void
step_done(struct step *s)
{
	publisher_judge_done(&s->judging);
	roll_done(&s->roll);
	local_accounts_done(&s->local);
}

static void
renew_roll(struct publisher *p, struct step *s)
{
	const struct judging *j = &s->judging;

	if (s->fills_roll) {
		roll_done(&p->roll);
		p->roll = s->roll;	/* now owned by p */
		s->roll = (struct roll){ 0 };
		roll_fill(&p->roll, s->book);
		return;
	}
	for (uint32_t i = 0; i < j->past_count; i++)
		roll_remove(&p->roll, j->past[i]->not_after_utc_sec);
	for (uint32_t i = 0; i < j->fresh.count; i++)
		roll_add(&p->roll, record_user(register_at(s->book, REGISTER_USERS, j->fresh.list[i]))->not_after_utc_sec);
}

static void
renew_refusals(struct publisher *p, const struct judging *j)
{
	struct refusals before = p->refusals;

	publisher_refusals_take(&p->refusals, j);
	publisher_refusals_report(&before, &p->refusals);
}

static void
take_build(struct publisher *p, const struct publisher_build_out *out)
{
	if (out->local_left_out > 0 && (!p->built || p->last.local_left_out != out->local_left_out))
		report_log(LOG_WARNING, "policy keeps more local groups than a snapshot can carry; %u are left out",
		    out->local_left_out);
	p->last = *out;
	p->built = true;
	p->generation_seen = out->generation;
	if (out->written && out->changed)
		report_published(p);
}

static void
fill_in(struct publisher *p, const struct judging *j, struct publisher_build_in *ret)
{
	*ret = (struct publisher_build_in){ .paths = p->paths, .book = p->book, .judging = j, .settings = &p->settings,
		.policy = p->policy, .local = &p->local, .previous = &p->published, .dirty = &p->dirty,
		.now_utc_sec = publisher_now_utc_sec(p), .confirmed_utc_sec = p->confirmed_utc_sec,
		.generation_seen = p->generation_seen, .delta_from_bytes = DELTA_FROM_BYTES, .compact = &p->compact,
		.before = p->built ? &p->last : NULL };
}

/* ---- a new base in the background ---- */

static void
report_compaction(struct publisher *p, int error)
{
	char fault[128];

	(void)snprintf(fault, sizeof fault, "cannot write a new base: %s; trying again later", strerror(-error));
	publisher_report_rejected(fault);
	p->compact.not_before_ms = loop_now_ms() + COMPACT_PAUSE_MS;
}

static int
on_compacted(sd_event_source *source, int fd, uint32_t revents, void *arg)
{
	struct publisher *p = arg;
	struct publisher_build_in in;
	struct snapshot old = p->published;
	int r;

	(void)source;
	(void)fd;
	(void)revents;
	fill_in(p, NULL, &in);
	r = publisher_compact_reap(&p->compact);
	if (r < 0) {
		snapshot_discard_written(p->paths->nss);
		publisher_dirty_done(&p->compact.since);
	} else {
		r = publisher_compact_finish(&p->compact, &in, p->generation_seen + 1);
	}
	if (r < 0) {
		report_compaction(p, r);
		return 0;
	}
	p->generation_seen += r > 0;
	(void)publisher_open_published(p, &p->published);
	snapshot_close(&old);
	return 0;
}

/* When the deltas have cost as much as a base. */
static void
compact_if_due(struct publisher *p)
{
	struct publisher_build_in in;
	int r;

	fill_in(p, NULL, &in);
	if (!p->last.is_delta || !p->settled || p->dirty.all || !publisher_compact_is_due(&p->compact, &in))
		return;
	r = publisher_compact_start(&p->compact, p->event, &in, p->generation_seen + 1, on_compacted, p);
	if (r < 0)
		report_compaction(p, r);
	else
		p->generation_seen++;	/* that one is the new base's */
}

/* Publish what is accepted; the former mapping stays open in *ret_old, or what is published did not change. */
static void
publish(struct publisher *p, const struct judging *j, struct snapshot *ret_old)
{
	struct publisher_build_in in;
	struct publisher_build_out out;

	fill_in(p, j, &in);
	in.is_gone = is_published_gone(p);
	publisher_build(&in, &out);
	look_at_epoch(p);		/* at what was told just now */
	take_build(p, &out);
	*ret_old = p->published;
	if (out.written)
		(void)publisher_open_published(p, &p->published);
	if (out.is_delta)
		p->compact.delta_bytes += p->published.delta_size;
	p->settled = out.error >= 0;
	if (out.error < 0)
		publisher_force_later(p);
}

/* What was prepared comes in force. Cannot fail; p->last.error says whether the snapshot could be written. */
static void
step_make(struct publisher *p, struct step *s)
{
	struct register_book *old_book = p->book;
	struct publisher_before before = { .book = old_book };
	struct snapshot old;

	publisher_judge_run(&s->judging);
	if (s->judging.whole)
		loop_alive();
	p->book = s->book;
	p->stale = false;
	renew_roll(p, s);
	local_accounts_done(&p->local);
	p->local = s->local;	/* owns the lists from here on */
	s->local = (struct local_accounts){ 0 };
	renew_refusals(p, &s->judging);
	publish(p, &s->judging, &old);
	if (p->settled)
		publisher_judge_settle(&s->judging);
	compact_if_due(p);
	before.judging = old_book == p->book ? &s->judging : NULL;
	before.snapshot = &old;
	if (before.judging != NULL && !s->judging.whole)
		publisher_ends_change(p, &before);
	else
		publisher_ends_renew(p, &before);
	if (old.base != p->published.base)
		snapshot_close(&old);
	if (old_book != p->book)
		register_free(old_book);
	if (s->judging.whole) {		/* it needs much more than what stays */
		(void)malloc_trim(0);
		if (p->published.base != NULL)
			(void)madvise((void *)(uintptr_t)p->published.base, p->published.size, MADV_DONTNEED);
	}
}

/* What came, when it is to be in force. */
struct arrival {
	int fd;				/* borrowed */
	uint64_t serial;
	bool is_whole;
};

/*
 * What systemd keeps is what is in force. Kept before anybody sees it: whoever dies in between must not find what was
 * before, and publish that again.
 */
static void
keep(struct publisher *p, const struct arrival *a)
{
	p->serial = a->serial;
	if (!a->is_whole) {
		p->store_full = !publisher_store_change(a->fd, a->serial, p->confirmed_utc_sec);
		return;
	}
	if (p->roster_fd >= 0)
		(void)close(p->roster_fd);
	p->roster_fd = fcntl(a->fd, F_DUPFD_CLOEXEC, 3);
	p->store_full = false;
	publisher_store_whole(a->fd, a->serial, p->confirmed_utc_sec, &p->clock);
}

/*
 * Bring a book, edited or not, in force.
 *
 *  a  what it comes of; NULL: it was in force, or is what systemd keeps
 *
 * Returns 0, or -errno with nothing changed.
 */
static int
put_in_force(struct publisher *p, struct register_book *book, struct register_edit *edit, const struct arrival *a)
{
	struct step s = { .book = book, .edit = edit };
	int r;

	r = step_prepare(p, &s);
	if (r >= 0 && a != NULL)
		keep(p, a);
	if (r >= 0)
		step_make(p, &s);
	step_done(&s);
	return r < 0 ? r : 0;
}

/* The state in force once more, because of other local accounts, settings or policy, or after a failed write. */
static int
on_rebuild(sd_event_source *source, uint64_t usec, void *arg)
{
	struct publisher *p = arg;
	int had_error = p->last.error, r;
	char fault[256];

	(void)source;
	(void)usec;
	if (p->book == NULL)
		return 0;
	r = put_in_force(p, p->book, NULL, NULL);
	if (r < 0)
		publisher_force_later(p);
	else
		r = p->last.error;
	if (r < 0 && r != had_error) {
		(void)snprintf(fault, sizeof fault, "cannot publish the snapshot anew: %s", strerror(-r));
		publisher_report_rejected(fault);
	}
	return 0;
}

void
publisher_force_later(struct publisher *p)
{
	if (loop_timer(p->event, &p->rebuild, RETRY_DELAY_MS, on_rebuild, p) < 0)
		report_log(LOG_ERR, "cannot arm the timer of the next build");
}

void
publisher_force_soon(struct publisher *p)
{
	p->stale = true;
	if (loop_timer(p->event, &p->rebuild, REBUILD_DELAY_MS, on_rebuild, p) < 0)
		report_log(LOG_ERR, "cannot arm the timer of the next build");
}

/* ---- rosters ---- */

/* Whether the snapshot could be written. */
static int
say_written(const struct publisher *p, char *fault, size_t size)
{
	if (p->last.error < 0)
		(void)snprintf(fault, size, "the snapshot could not be written: %s", strerror(-p->last.error));
	return p->last.error;
}

int
publisher_force_again(struct publisher *p, int64_t confirmed_utc_sec, char *fault, size_t size)
{
	const struct publisher_before same = { .book = p->book };
	int r;

	p->confirmed_utc_sec = confirmed_utc_sec;
	look_at_epoch(p);
	publisher_store_confirm(p->roster_fd, &p->clock);
	if (p->stale || p->last.error < 0 || is_published_gone(p) ||
	    publisher_build_is_due(&p->published, &p->settings, confirmed_utc_sec)) {
		r = put_in_force(p, p->book, NULL, NULL);
		if (r < 0) {
			(void)snprintf(fault, size, "what is in force could not be judged again: %s", strerror(-r));
			return r;
		}
	} else
		publisher_ends_renew(p, &same);
	return say_written(p, fault, size);
}

/* A whole roster: a book of its own, which takes the place of the present one. */
static int
take_whole(struct publisher *p, struct roster *roster, const struct arrival *a)
{
	struct register_edit edit = { 0 };
	struct register_book *book;
	int r;

	r = register_new(&book);
	if (r < 0)
		return r;
	loop_alive();		/* a million users take a while */
	r = register_edit_prepare(book, roster, &edit);
	loop_alive();
	if (r >= 0)
		r = put_in_force(p, book, &edit, a);
	register_edit_done(&edit);
	if (r < 0)
		register_free(book);
	return r;
}

static int
take_change(struct publisher *p, struct roster *roster, const struct arrival *a)
{
	struct register_edit edit;
	int r;

	r = register_edit_prepare(p->book, roster, &edit);
	if (r < 0)
		return r;
	r = put_in_force(p, p->book, &edit, a);
	register_edit_done(&edit);
	return r;
}

int
publisher_force(struct publisher *p, int fd, uint64_t serial, uint64_t after, int64_t confirmed_utc_sec, char *fault,
    size_t size)
{
	int64_t confirmed_before = p->confirmed_utc_sec;
	const struct arrival a = { .fd = fd, .serial = serial, .is_whole = after == 0 };
	struct roster *roster;
	int r;

	if (p->book != NULL && serial == p->serial)	/* its answer was lost */
		return publisher_force_again(p, confirmed_utc_sec, fault, size);
	if (!a.is_whole && (p->book == NULL || after != p->serial)) {
		(void)snprintf(fault, size, "another state is in force");
		return -ESTALE;
	}
	r = roster_open(fd, &roster);
	if (r >= 0 && roster_kind(roster) != (a.is_whole ? ROSTER_WHOLE : ROSTER_CHANGE)) {
		roster_free(roster);
		r = -EBADMSG;
	}
	if (r < 0) {
		(void)snprintf(fault, size, "the candidate is malformed or not sealed: %s", strerror(-r));
		return r;
	}
	p->confirmed_utc_sec = confirmed_utc_sec;
	r = a.is_whole ? take_whole(p, roster, &a) : take_change(p, roster, &a);
	roster_free(roster);
	if (r < 0) {
		p->confirmed_utc_sec = confirmed_before;
		(void)snprintf(fault, size, "the candidate could not be judged: %s", strerror(-r));
		return r;
	}
	return say_written(p, fault, size);
}

/* ---- after a restart ---- */

static int
read_stored(struct register_book *book, const struct stored *stored)
{
	struct register_edit edit = { 0 };
	struct roster *roster;
	int r;

	r = roster_open(stored->fd, &roster);
	if (r < 0)
		return r;
	r = register_edit_prepare(book, roster, &edit);
	if (r >= 0)
		register_edit_make(book, &edit);
	register_edit_done(&edit);
	roster_free(roster);
	return r;
}

/* Read what was kept, one after the other. Returns 0, or -errno of the first that cannot be read. */
static int
read_all_stored(struct register_book *book, const struct stored *stored, unsigned count)
{
	int r = 0;

	for (unsigned i = 0; r >= 0 && i < count; i++)
		r = read_stored(book, &stored[i]);
	return r < 0 ? r : 0;
}

/*
 * Bring what was kept in force: all of it or nothing. What is older than what is published would bring users back who
 * are gone, and end the sessions of those whose contracts are longer now.
 */
static int
resume_all(struct publisher *p, const struct stored *stored, unsigned count)
{
	struct register_book *book;
	int r;

	r = register_new(&book);
	if (r < 0)
		return r;
	r = read_all_stored(book, stored, count);
	if (r >= 0) {
		p->confirmed_utc_sec = stored[count - 1].confirmed_utc_sec;
		r = put_in_force(p, book, NULL, NULL);
	}
	if (r < 0) {
		p->confirmed_utc_sec = 0;
		register_free(book);
		return r;
	}
	p->serial = stored[count - 1].serial;
	p->roster_fd = fcntl(stored[0].fd, F_DUPFD_CLOEXEC, 3);
	return 0;
}

void
publisher_force_resume(struct publisher *p)
{
	static struct stored stored[STORE_KEPT_MAX];
	struct wall_clock clock;
	unsigned count, placed = publisher_store_take(stored, &clock, &count);
	int r;

	if (count == 0)
		return;
	publisher_ends_resume_clock(p, &clock);
	r = placed < count ? -ENODATA : resume_all(p, stored, count);
	if (r < 0)
		report_log(LOG_WARNING, "the roster of before the restart: %s; what is published stands until another one comes",
		    strerror(-r));
	for (unsigned i = 0; i < count; i++)
		(void)close(stored[i].fd);
}

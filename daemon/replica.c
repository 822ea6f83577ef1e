/*
 * replica.c - the entries that a server told of (see replica.h); replica_gather.c gathers what changes them.
 *
 * Directory process, on the thread of the source. Gathering touches nothing that anybody sees; applying does all of it,
 * in memory first: a store that is full must not keep a disabled person in.
 */
#include <config.h>

#include "daemon/replica.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/entry_mark.h"
#include "common/exemption.h"
#include "common/grant.h"
#include "daemon/replica_parts.h"

#define WAITING_KEPT 4096		/* places */

void
replica_use_heap(struct replica *r, struct entry_heap *heap)
{
	r->heap = heap;
}

void
replica_count_received(struct replica *r, atomic_size_t *received)
{
	r->received = received;
}

void
replica_on_first(struct replica *r, void (*first)(void *arg), void *arg)
{
	r->first = first;
	r->first_arg = arg;
}

int
replica_entry(const struct replica *r, const struct member *m, bool members, struct entry **ret)
{
	int e;

	if (m->e == NULL) {
		e = entry_heap_get(r->heap, m->number, members, ret);
		if (e == 0)
			(*ret)->mark = m->mark;
		return e;
	}
	*ret = entry_ref(m->e);
	return 0;
}

bool
replica_shows(const struct replica *r, const struct member *m, const struct entry *e)
{
	struct entry *shown;
	bool same;

	if (m->e == NULL && entry_heap_is(r->heap, m->number, e))
		return true;
	if (replica_entry(r, m, true, &shown) < 0)
		return false;
	same = entry_same(shown, e);
	entry_free(shown);
	return same;
}

/* ---- members ---- */

static size_t
bytes_of(const struct member *m)
{
	return m->bytes + (m->next != NULL ? m->next->bytes : 0);
}

static bool
is_locked(const struct entry *e)
{
	const char *since = entry_value(e, "lockoutTime");

	return since != NULL && strcmp(since, "0") != 0;
}

void
replica_describe(struct member *m, const struct entry *e)
{
	m->mark = e->mark;
	m->bytes = (uint32_t)(e->bytes < UINT32_MAX ? e->bytes : UINT32_MAX);
	m->has_members = entry_attribute(e, "member") != NULL;
	m->locked = is_locked(e);
	m->is_user = entry_has_class(e, "posixAccount");
	m->is_plain = !grant_is(e) && !exemption_is(e);
}

/* Another entry is shown of a member; owned then. */
static void
show(struct replica *r, struct member *m, struct entry *e)
{
	entry_free(m->e);
	entry_heap_drop(r->heap, m->number);
	m->e = e;
	m->number = ENTRY_NOWHERE;
	r->users -= m->is_user;
	replica_describe(m, e);
	r->users += m->is_user;
}

/* To be told of at the next replica_changes(). What cannot be noted makes it tell of everybody. */
static void
soil(struct replica *r, struct member *m)
{
	if (m->dirty || r->all_dirty)
		return;
	if (r->dirty_count == r->dirty_room) {
		size_t room = r->dirty_room == 0 ? 64 : r->dirty_room * 2;
		uint8_t (*list)[SYNC_UUID_SIZE] = reallocarray(r->dirty, room, SYNC_UUID_SIZE);

		if (list == NULL) {
			r->all_dirty = true;
			return;
		}
		r->dirty = list;
		r->dirty_room = room;
	}
	memcpy(r->dirty[r->dirty_count++], m->uuid, SYNC_UUID_SIZE);
	m->dirty = true;
}

static bool
is_waiting(const struct member *m)
{
	return m->gone || m->next != NULL;
}

/* On the list of those whom settle() looks at; there is room for every member. */
static void
await(struct replica *r, struct member *m)
{
	if (is_waiting(m) && !m->listed) {
		r->waiting[r->waiting_count++] = m;
		m->listed = true;
	}
}

static void
set_gone(struct replica *r, struct member *m, bool gone)
{
	if (m->gone == gone)
		return;
	m->gone = gone;
	soil(r, m);
	await(r, m);
}

static void
take_out(struct replica *r, struct member *m)
{
	soil(r, m);
	r->held_bytes -= bytes_of(m);
	replica_table_remove(r, m);
	r->count--;
	if (m->at < r->count) {		/* the last one takes its place */
		replica_table_move(r, r->list[r->count], m->at);
		r->list[m->at] = r->list[r->count];
		r->list[m->at]->at = m->at;
	}
	r->users -= m->is_user;
	replica_member_free(&r->members, r->heap, m);
}

void
replica_put_new(struct replica *r, struct member *m)
{
	r->users += m->is_user;
	m->at = (uint32_t)r->count;
	r->list[r->count++] = m;
	replica_table_add(r, m);
	r->held_bytes += bytes_of(m);
	soil(r, m);
}

int
replica_reserve_members(struct replica *r, size_t n)
{
	int e = replica_reserve(&r->list, r->count, &r->room, n);

	return e == 0 ? replica_table_reserve(r, r->count + n) : e;
}

/* A copy of e with the numbers that before has. NULL without memory. */
static struct entry *
copy_with_number(const struct entry *e, const struct entry *before)
{
	const struct attribute *numbers = entry_attribute(before, "uidNumber");
	struct entry *copy = entry_new(e->dn);
	int r = copy != NULL ? entry_add_all(copy, e) : -ENOMEM;

	if (r == 0)
		r = entry_set(copy, "uidNumber", NULL);
	for (size_t i = 0; r == 0 && i < numbers->count; i++)
		r = entry_add_value(copy, "uidNumber", numbers->values[i].bytes, numbers->values[i].len);
	if (r == 0) {
		copy->waits = true;
		copy->mark = e->mark;
		return copy;
	}
	entry_free(copy);
	return NULL;
}

/*
 * An entry as it is now; another number of a user's waits in next until settle(), all else of him is shown at once: it
 * may be his end (THREATS 5.5). One that is no user any more waits as a whole, like one that goes. e is borrowed. Returns 0 or -ENOMEM.
 */
static int
put_changed(struct replica *r, struct member *there, struct entry *e)
{
	struct entry *before, *shown = NULL;
	bool leaves, waits, same;
	int err = replica_entry(r, there, false, &before);

	if (err < 0)
		return err;
	leaves = there->is_user && !entry_has_class(e, "posixAccount");
	waits = there->is_user && !leaves && replica_has_other(before, e, "uidNumber");
	if (!leaves) {
		shown = waits ? copy_with_number(e, before) : entry_ref(e);
		if (shown != NULL)
			replica_depart(r, before, shown);
	}
	entry_free(before);
	if (!leaves && shown == NULL)
		return -ENOMEM;
	same = shown == NULL || replica_shows(r, there, shown);
	if (there->gone || there->leaves != leaves || !same)
		soil(r, there);
	r->held_bytes -= bytes_of(there);
	entry_free(there->next);
	there->next = waits || leaves ? entry_ref(e) : NULL;
	there->leaves = leaves;
	there->gone = false;
	there->round = r->round;
	if (!same || (shown != NULL && there->e != NULL)) {
		show(r, there, shown);
	} else if (shown != NULL) {	/* the same, which need not be in memory for it */
		there->mark = shown->mark;
		entry_free(shown);
	}
	r->held_bytes += bytes_of(there);
	await(r, there);
	return 0;
}

/* ---- applying ---- */

/* Somebody who is not there; the change keeps its own for the store. Returns 0 or -ENOMEM. */
static int
apply_new(struct replica *r, struct member *change)
{
	struct member *m = replica_member_new(&r->members);

	if (m == NULL)
		return -ENOMEM;
	change->returned = replica_tomb_drop(r, change->uuid);
	*m = *change;
	m->forced = m->returned = false;
	if (m->e != NULL)
		m->e = entry_ref(m->e);
	entry_heap_hold(r->heap, m->number);
	replica_put_new(r, m);
	return 0;
}

/*
 * A change that is not older than what is known.
 *
 *  e  its entry; NULL: it has none, or nobody is there who could be another one
 *
 * Returns 0 or -ENOMEM.
 */
static int
apply_change(struct replica *r, struct member *change, struct member *there, struct entry *e)
{
	replica_older_drop(r, change->uuid);
	if (there == NULL)
		return replica_removes(change) ? 0 : apply_new(r, change);
	if (e != NULL)
		return put_changed(r, there, e);
	set_gone(r, there, true);
	return 0;
}

/* Of those whom the refresh did not mention the server knows that they have gone, or does not know them yet. */
static int
apply_only_these(struct replica *r, const struct sync_cookie *cookie)
{
	int e = 0;

	for (size_t i = 0; i < r->count && e == 0; i++) {
		struct member *m = r->list[i];

		if (m->round == r->round)
			continue;
		if (r->approved || !replica_lags(cookie, replica_newest_mark(m)))
			set_gone(r, m, true);
		else if (!m->gone)
			e = replica_older_put(r, m->uuid, NULL);
	}
	replica_older_only_these(r);
	return e;
}

/* One change, or what is older than what is known is kept apart. Returns 0 or -errno. */
static int
apply_gathered(struct replica *r, struct member *change, int64_t now_utc_sec)
{
	struct member *there = replica_find(r, change->uuid);
	bool looks = !replica_removes(change) && (there != NULL || replica_has_tomb(r, change->uuid));
	struct entry *e = NULL;
	int err = looks ? replica_entry(r, change, true, &e) : 0;

	if (err < 0)
		return err;
	change->skipped = e != NULL && !change->forced && replica_is_older(r, change->uuid, there, e, now_utc_sec);
	if (e != NULL)
		change->mark = e->mark;
	if (!change->skipped) {
		err = apply_change(r, change, there, e);
	} else {
		err = replica_older_put(r, change->uuid, e);
		if (there != NULL) {
			there->round = r->round;
			set_gone(r, there, false);
		}
	}
	entry_free(e);
	return err;
}

/* All changes in memory, but for what settle() does. */
static int
apply_in_memory(struct replica *r, const struct sync_cookie *cookie, int64_t now_utc_sec)
{
	int e = 0;

	for (size_t i = 0; r->kept && i < r->count; i++)	/* who was gone and waited for a person is there again */
		if (r->list[i]->round == r->round)
			set_gone(r, r->list[i], false);
	r->known_mark = cookie->there ? entry_mark_known(cookie->bytes, cookie->len, -1) : 0;
	for (size_t i = 0; i < r->change_count && e == 0; i++)
		e = apply_gathered(r, r->changes[i], now_utc_sec);
	return e == 0 && r->only_these ? apply_only_these(r, cookie) : e;
}

/*
 * Whether what is to go is more than a day's work (THREATS 5.5): somebody may have emptied a tree, or the server shows
 * us less than before. Only removals and new numbers of users wait for a person: what tightens one entry never does.
 * Those of a minute count together, since a server tells of them one by one.
 */
static bool
is_mass_change(struct replica *r, int64_t now_utc_sec)
{
	size_t many, limit;

	if (now_utc_sec < r->window_utc_sec || now_utc_sec >= r->window_utc_sec + REPLICA_WINDOW_SEC) {
		r->window_utc_sec = now_utc_sec;
		r->window_gone = 0;
	}
	limit = (r->users + r->window_gone) / 10 > REPLICA_HOLD_MIN ? (r->users + r->window_gone) / 10 : REPLICA_HOLD_MIN;

	r->held = (struct replica_held){ 0 };
	for (size_t i = 0; i < r->waiting_count; i++) {
		const struct member *m = r->waiting[i];
		bool leaves = m->gone || m->leaves;

		r->held.removed += m->is_user && leaves;
		r->held.renumbered += m->next != NULL && !leaves;
	}
	many = r->held.removed + r->held.renumbered;
	return (many > 0 && many + r->window_gone > limit) || (many > 0 && r->held.removed == r->users);
}

/* Who waits is about to go, or to be another one: what they had is remembered, so it is read. Returns 0 or -errno. */
static int
read_waiting(struct replica *r)
{
	int e = 0;

	for (size_t i = 0; i < r->waiting_count && e == 0; i++) {
		struct member *m = r->waiting[i];

		if (m->e == NULL && m->is_user && is_waiting(m))
			e = replica_entry(r, m, true, &m->e);
	}
	return e;
}

/* Let go what has gone, and take what has another number. The store's part, where it is up to date. Returns its error. */
static int
settle(struct replica *r, int stored)
{
	for (size_t i = 0; i < r->waiting_count; i++) {
		struct member *m = r->waiting[i];

		m->listed = false;
		if (m->gone) {
			if (stored == 0)
				stored = replica_store_remove(r->store, m->uuid);
			stored = replica_tomb_note(r, m->uuid, stored);
			if (m->is_user)
				replica_depart(r, m->e, NULL);
			take_out(r, m);
		} else if (m->next != NULL) {
			replica_depart(r, m->e, m->next);
			r->held_bytes -= bytes_of(m);
			show(r, m, m->next);
			m->next = NULL;
			m->leaves = false;
			r->held_bytes += bytes_of(m);
			soil(r, m);
		}
	}
	r->waiting_count = 0;
	r->window_gone = r->approved ? 0 : r->window_gone + r->held.removed + r->held.renumbered;
	r->held = (struct replica_held){ 0 };
	r->approved = false;
	return stored;
}

/* All that was gathered, which memory has. first: the store has nobody, and never had. */
static int
store_settled(struct replica *r, const struct sync_cookie *cookie, int64_t now_utc_sec, bool first, int stored)
{
	if (stored == 0 && !r->store_behind)
		stored = replica_write_changes(r, first);
	stored = settle(r, stored);
	if (stored == 0 && r->store_behind)
		stored = replica_write_all(r);
	if (stored == 0)
		stored = replica_write_departed(r);
	return stored < 0 ? stored : replica_write_finish(r, cookie, now_utc_sec);
}

/* How many may come to wait in this apply: whoever is changed, or is not mentioned. */
static size_t
may_wait(const struct replica *r)
{
	return r->change_count + (r->only_these ? r->count : 0);
}

/* What a whole directory took room for while it was applied goes; some is left for changes. */
static void
pack(struct replica *r)
{
	size_t room = r->count + r->count / 16 + 64;
	struct member **list = r->room > room + room / 4 ? reallocarray(r->list, room, sizeof *list) : NULL;

	if (list != NULL) {
		r->list = list;
		r->room = room;
	}
	if (r->waiting_count == 0 && r->waiting_room > WAITING_KEPT) {
		free(r->waiting);
		r->waiting = NULL;
		r->waiting_room = 0;
	}
}

int
replica_apply(struct replica *r, const struct sync_cookie *cookie, int64_t now_utc_sec, char *fault, size_t size)
{
	const bool first = r->confirmed_utc_sec == 0;
	bool hold;
	int e, stored;

	e = r->approved ? replica_older_release(r) : 0;
	if (e == 0)
		e = replica_reserve_members(r, r->change_count);
	if (e == 0)
		e = replica_reserve(&r->waiting, r->waiting_count, &r->waiting_room, may_wait(r));
	if (e == 0)
		e = replica_reserve_departed(r);
	if (e == 0)
		r->torn = (e = apply_in_memory(r, cookie, now_utc_sec)) < 0;
	if (e < 0)
		return e;
	hold = is_mass_change(r, now_utc_sec) && !r->approved;
	if (!hold)
		r->torn = (e = read_waiting(r)) < 0;
	if (e < 0)
		return e;
	r->cookie = *cookie;
	r->confirmed_utc_sec = now_utc_sec;
	/* Whoever waits is about to be settled, which the store has part in. */
	if (first && !hold && !r->store_behind && r->waiting_count == 0 && r->first != NULL)
		r->first(r->first_arg);
	stored = r->store == NULL ? -EACCES : replica_store_begin(r->store);
	if (!hold)
		stored = store_settled(r, cookie, now_utc_sec, first, stored);
	else if (stored == 0)
		stored = replica_write_shown(r);
	if (r->store != NULL && stored < 0)
		replica_store_undo(r->store);
	if (stored == 0 && r->departed_count > 0) {
		replica_forget_departed(r);
		r->departed_stored = true;
	}
	r->store_failed = stored < 0;
	r->store_behind = stored < 0 || hold;
	replica_drop(r);
	pack(r);
	if (stored < 0)
		(void)snprintf(fault, size, "the replica cannot be stored: %s", strerror(-stored));
	return stored < 0;
}

bool
replica_is_torn(const struct replica *r)
{
	return r->torn;
}

const struct replica_held *
replica_held(const struct replica *r)
{
	return &r->held;
}

void
replica_approve(struct replica *r)
{
	r->approved = true;
}

void
replica_confirm(struct replica *r, int64_t now_utc_sec)
{
	r->confirmed_utc_sec = now_utc_sec;
	if (r->store == NULL || r->store_behind || replica_store_begin(r->store) < 0)
		return;
	if (replica_write_finish(r, &r->cookie, now_utc_sec) < 0)
		replica_store_undo(r->store);
}

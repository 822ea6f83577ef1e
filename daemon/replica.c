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
#include <sys/random.h>

#include "daemon/replica_parts.h"

void
replica_use_heap(struct replica *r, struct entry_heap *heap)
{
	r->heap = heap;
}

int
replica_entry(const struct replica *r, const struct member *m, bool members, struct entry **ret)
{
	if (m->e == NULL)
		return entry_heap_get(r->heap, m->number, members, ret);
	*ret = entry_ref(m->e);
	return 0;
}

int
replica_reserve(struct member ***list, size_t count, size_t *room, size_t n)
{
	size_t wanted = *room == 0 ? 64 : *room;
	struct member **bigger;

	while (wanted < count + n)
		wanted *= 2;
	if (wanted == *room)
		return 0;
	bigger = reallocarray(*list, wanted, sizeof **list);
	if (bigger == NULL)
		return -ENOMEM;
	*list = bigger;
	*room = wanted;
	return 0;
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

/* Another entry is shown of a member; owned then. */
static void
show(struct replica *r, struct member *m, struct entry *e)
{
	entry_free(m->e);
	entry_heap_drop(r->heap, m->number);
	m->e = e;
	m->number = ENTRY_NOWHERE;
	m->bytes = (uint32_t)(e->bytes < UINT32_MAX ? e->bytes : UINT32_MAX);
	m->has_members = entry_attribute(e, "member") != NULL;
	m->locked = is_locked(e);
	r->users -= m->is_user;
	m->is_user = entry_has_class(e, "posixAccount");
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
	replica_member_free(r, m);
}

/* A new entry, whose uuid is not there; owns m from then on. There is room. */
static void
put_new(struct replica *r, struct member *m)
{
	struct entry *e;

	e = m->e;
	m->e = NULL;			/* now owned by show() */
	show(r, m, e);
	m->at = (uint32_t)r->count;
	r->list[r->count++] = m;
	replica_table_add(r, m);
	r->held_bytes += bytes_of(m);
	soil(r, m);
}

static int
reserve_members(struct replica *r, size_t n)
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
		return copy;
	}
	entry_free(copy);
	return NULL;
}

/* Room for all who may go in this apply and are remembered. Returns 0 or -ENOMEM. */
static int
reserve_departed(struct replica *r)
{
	size_t wanted = r->departed_count + 2 * r->count + r->change_count;	/* renamed, then gone: twice */
	struct entry **bigger;

	if (wanted > IDENTITY_HOLDERS_MAX)	/* depart() takes no more */
		wanted = IDENTITY_HOLDERS_MAX;
	if (wanted <= r->departed_room)
		return 0;
	bigger = reallocarray(r->departed, wanted, sizeof(struct entry *));
	if (bigger == NULL)
		return -ENOMEM;
	r->departed = bigger;
	r->departed_room = wanted;
	return 0;
}

static bool
has_other(const struct entry *before, const struct entry *after, const char *name)
{
	const char *x = entry_value(before, name), *y = entry_value(after, name);

	return x != NULL && (y == NULL || strcmp(x, y) != 0);
}

/* Remember what a user had who has it no more; after: as he is, NULL: gone. There is room. */
static void
depart(struct replica *r, struct entry *before, const struct entry *after)
{
	if (!entry_has_class(before, "posixAccount") || r->departed_count >= IDENTITY_HOLDERS_MAX)
		return;
	if (after == NULL || !entry_has_class(after, "posixAccount") || has_other(before, after, "uid") ||
	    has_other(before, after, "uidNumber") || has_other(before, after, "entryUUID"))
		r->departed[r->departed_count++] = entry_ref(before);
}

static void
forget_departed(struct replica *r)
{
	for (size_t i = 0; i < r->departed_count; i++)
		entry_free(r->departed[i]);
	r->departed_count = 0;
}

/*
 * An entry as it is now; another number of a user's waits in next until settle(), all else of him is shown at once: it
 * may be his end (THREATS 5.5). e is borrowed. Returns 0 or -ENOMEM.
 */
static int
put_changed(struct replica *r, struct member *there, struct entry *e)
{
	struct entry *before, *shown;
	bool waits;
	int err = replica_entry(r, there, false, &before);

	if (err < 0)
		return err;
	waits = there->is_user && has_other(before, e, "uidNumber");
	shown = waits ? copy_with_number(e, before) : entry_ref(e);
	if (shown == NULL) {
		entry_free(before);
		return -ENOMEM;
	}
	depart(r, before, shown);
	entry_free(before);
	r->held_bytes -= bytes_of(there);
	entry_free(there->next);
	there->next = waits ? entry_ref(e) : NULL;
	there->gone = false;
	there->round = r->round;
	show(r, there, shown);
	r->held_bytes += bytes_of(there);
	soil(r, there);
	await(r, there);
	return 0;
}

static int
take_stored(void *arg, const uint8_t uuid[SYNC_UUID_SIZE], struct entry *e)
{
	struct replica *r = arg;
	struct member *m = reserve_members(r, 1) == 0 ? replica_member_new(r) : NULL;

	if (m == NULL) {
		entry_free(e);
		return -ENOMEM;
	}
	memcpy(m->uuid, uuid, SYNC_UUID_SIZE);
	m->e = e;
	put_new(r, m);
	return 0;
}

static void
clear(struct replica *r)
{
	free(r->by_uuid);
	r->by_uuid = NULL;
	r->by_uuid_count = 0;
	for (size_t i = 0; i < r->count; i++)
		replica_member_free(r, r->list[i]);
	replica_slabs_done(r);
	r->count = r->users = r->held_bytes = 0;
	r->waiting_count = r->dirty_count = 0;
	r->all_dirty = true;
}

int
replica_open(const char *folder, const char *origin, struct replica **ret, char *fault, size_t size)
{
	struct replica *r = calloc(1, sizeof *r);
	int e;

	if (r == NULL || getrandom(r->secret, sizeof r->secret, 0) != (ssize_t)sizeof r->secret) {
		free(r);
		return -ENOMEM;
	}
	e = replica_store_open(folder, origin, &r->store, fault, size);
	if (e == 0)
		e = replica_store_read(r->store, &r->cookie, &r->confirmed_utc_sec);
	if (e == 0)
		e = replica_store_each(r->store, take_stored, r);
	if (e == -ENOMEM) {
		replica_close(r);
		return e;
	}
	if (e < 0) {			/* what cannot be read is read anew */
		clear(r);
		r->cookie.there = false;
		r->confirmed_utc_sec = 0;
		r->store_behind = true;
		if (fault[0] == '\0')
			(void)snprintf(fault, size, "%.255s: %s", folder, strerror(-e));
	}
	r->departed_stored = true;	/* perhaps */
	r->all_dirty = true;
	*ret = r;
	return 0;
}

void
replica_close(struct replica *r)
{
	if (r == NULL)
		return;
	replica_drop(r);
	clear(r);
	forget_departed(r);
	free(r->departed);
	free(r->list);
	free(r->changes);
	free(r->strangers);
	free(r->dirty);
	free(r->waiting);
	replica_store_close(r->store);
	free(r);
}

size_t
replica_count(const struct replica *r)
{
	return r->count;
}

const struct sync_cookie *
replica_cookie(const struct replica *r)
{
	return &r->cookie;
}

void
replica_forget_cookie(struct replica *r)
{
	r->cookie.there = false;
}

int64_t
replica_confirmed_utc_sec(const struct replica *r)
{
	return r->confirmed_utc_sec;
}

/* ---- applying ---- */

/* All changes in memory, but for what settle() does. */
static int
apply_in_memory(struct replica *r)
{
	int e;

	for (size_t i = 0; r->kept && i < r->count; i++)	/* who was gone and waited for a person is there again */
		if (r->list[i]->round == r->round)
			set_gone(r, r->list[i], false);
	for (size_t i = 0; i < r->change_count; i++) {
		const struct member *change = r->changes[i];
		struct member *there = replica_find(r, change->uuid), *m;

		if (there != NULL && change->e != NULL) {
			e = put_changed(r, there, change->e);
			if (e < 0)
				return e;
		} else if (there != NULL) {
			set_gone(r, there, true);
		} else if (change->e != NULL) {
			m = replica_member_new(r);
			if (m == NULL)
				return -ENOMEM;
			*m = *change;
			m->e = entry_ref(change->e);	/* the change keeps its own for the store */
			put_new(r, m);
		}
	}
	for (size_t i = 0; r->only_these && i < r->count; i++)
		if (r->list[i]->round != r->round)
			set_gone(r, r->list[i], true);
	return 0;
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
		r->held.removed += r->waiting[i]->is_user && r->waiting[i]->gone;
		r->held.renumbered += r->waiting[i]->next != NULL;
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
			e = entry_heap_get(r->heap, m->number, true, &m->e);
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
			if (m->is_user)
				depart(r, m->e, NULL);
			take_out(r, m);
		} else if (m->next != NULL) {
			depart(r, m->e, m->next);
			r->held_bytes -= bytes_of(m);
			show(r, m, m->next);
			m->next = NULL;
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

/* All that was gathered, which memory has. */
static int
store_settled(struct replica *r, const struct sync_cookie *cookie, int64_t now_utc_sec, int stored)
{
	if (stored == 0 && !r->store_behind)
		stored = replica_write_changes(r);
	stored = settle(r, stored);
	if (stored == 0 && r->store_behind)
		stored = replica_write_all(r);
	if (stored == 0)
		stored = replica_write_departed(r);
	return stored < 0 ? stored : replica_store_finish(r->store, cookie, now_utc_sec);
}

int
replica_apply(struct replica *r, const struct sync_cookie *cookie, int64_t now_utc_sec, char *fault, size_t size)
{
	bool hold;
	int e, stored;

	e = reserve_members(r, r->change_count);
	if (e == 0)
		e = replica_reserve(&r->waiting, r->count, &r->waiting_room, r->change_count);
	if (e == 0)
		e = reserve_departed(r);
	if (e == 0)
		e = apply_in_memory(r);
	if (e < 0)
		return e;
	hold = is_mass_change(r, now_utc_sec) && !r->approved;
	if (!hold)
		e = read_waiting(r);
	if (e < 0)
		return e;
	stored = r->store == NULL ? -EACCES : replica_store_begin(r->store);
	if (!hold)
		stored = store_settled(r, cookie, now_utc_sec, stored);
	else if (stored == 0)
		stored = replica_write_shown(r);
	if (r->store != NULL && stored < 0)
		replica_store_undo(r->store);
	if (stored == 0 && r->departed_count > 0) {
		forget_departed(r);
		r->departed_stored = true;
	}
	r->store_failed = stored < 0;
	r->store_behind = stored < 0 || hold;
	r->cookie = *cookie;
	r->confirmed_utc_sec = now_utc_sec;
	replica_drop(r);
	if (stored < 0)
		(void)snprintf(fault, size, "the replica cannot be stored: %s", strerror(-stored));
	return stored < 0;
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

int
replica_departed(const struct replica *r, struct identity_holders *ret)
{
	return r->store != NULL ? replica_store_departed(r->store, ret) : 0;
}

void
replica_departed_kept(struct replica *r)
{
	int e;

	forget_departed(r);
	if (!r->departed_stored || r->store == NULL)
		return;
	e = replica_store_begin(r->store);
	if (e == 0)
		e = replica_store_departed_clear(r->store);
	if (e == 0)
		e = replica_store_commit(r->store);
	if (e < 0)
		replica_store_undo(r->store);
	r->departed_stored = e < 0;
}

void
replica_confirm(struct replica *r, int64_t now_utc_sec)
{
	r->confirmed_utc_sec = now_utc_sec;
	if (r->store == NULL || r->store_behind || replica_store_begin(r->store) < 0)
		return;
	if (replica_store_finish(r->store, &r->cookie, now_utc_sec) < 0)
		replica_store_undo(r->store);
}

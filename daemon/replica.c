/*
 * replica.c - the entries that a server told of, and what is gathered to change them (see replica.h).
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

#include "common/tree.h"
#include "daemon/replica_store.h"

struct member {
	uint8_t uuid[SYNC_UUID_SIZE];
	struct entry *e;	/* owned; NULL in a change: to be removed */
	struct entry *next;	/* owned; as the server has it now, with another number, which e has not; NULL: e is that */
	bool gone;		/* the server has it no more */
	bool is_user;
	uint64_t round;		/* in which it was last put or kept */
	size_t at;		/* in list */
};

struct replica {
	struct replica_store *store;	/* owned; NULL: in memory alone */
	bool store_behind;		/* the store lacks something: write everything next time */
	bool store_failed;		/* also of what is shown in a hold */
	void *by_uuid;			/* owned; tree.h, of members */
	struct member **list;		/* owned */
	size_t count, room;
	struct member **changes;	/* owned; gathered, in the order in which they came */
	size_t change_count, change_room;
	size_t bytes;			/* of what was held when the gathering began, and of what was gathered since */
	bool only_these, kept;
	uint8_t (*strangers)[SYNC_UUID_SIZE];	/* owned; kept, and not ours */
	size_t stranger_count;
	bool approved;		/* the next apply may change as much as it likes */
	size_t users;		/* members that are users */
	int64_t window_utc_sec;	/* since when gone users are counted together */
	size_t window_gone;	/* users let go since then */
	struct replica_held held;
	uint64_t round;
	struct sync_cookie cookie;
	int64_t confirmed_utc_sec;
};

static int
compare(const void *a, const void *b)
{
	return memcmp(((const struct member *)a)->uuid, ((const struct member *)b)->uuid, SYNC_UUID_SIZE);
}

static void
member_free(struct member *m)
{
	if (m != NULL) {
		entry_free(m->e);
		entry_free(m->next);
	}
	free(m);
}

static struct member *
find(const struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE])
{
	struct member key;

	memcpy(key.uuid, uuid, SYNC_UUID_SIZE);
	return (struct member *)(uintptr_t)tree_find(&r->by_uuid, &key, compare);
}

/* Room for n more pointers. */
static int
reserve(struct member ***list, size_t count, size_t *room, size_t n)
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

static void
take_out(struct replica *r, struct member *m)
{
	tree_remove(&r->by_uuid, m, compare);
	r->list[m->at] = r->list[--r->count];
	r->list[m->at]->at = m->at;
	r->users -= m->is_user;
	member_free(m);
}

static bool
is_renumbered(const struct entry *before, const struct entry *after)
{
	const char *x = entry_value(before, "uidNumber"), *y = entry_value(after, "uidNumber");

	return x != NULL && (y == NULL || strcmp(x, y) != 0);
}

/* A new entry; owns m from then on. There is room. Returns 0 or -ENOMEM. */
static int
put_new(struct replica *r, struct member *m)
{
	if (tree_add(&r->by_uuid, m, compare) == NULL) {
		member_free(m);
		return -ENOMEM;
	}
	m->is_user = entry_has_class(m->e, "posixAccount");
	r->users += m->is_user;
	m->at = r->count;
	r->list[r->count++] = m;
	return 0;
}

static int
add_values(struct entry *to, const struct entry *from)
{
	int e = 0;

	for (size_t i = 0; i < from->count; i++)
		for (size_t k = 0; k < from->attributes[i].count && e == 0; k++)
			e = entry_add_value(to, from->attributes[i].name, from->attributes[i].values[k].bytes,
			    from->attributes[i].values[k].len);
	return e;
}

/* A copy of e with the numbers that before has. NULL without memory. */
static struct entry *
copy_with_number(const struct entry *e, const struct entry *before)
{
	const struct attribute *numbers = entry_attribute(before, "uidNumber");
	struct entry *copy = entry_new(e->dn);
	int r = copy != NULL ? add_values(copy, e) : -ENOMEM;

	if (r == 0)
		r = entry_set(copy, "uidNumber", NULL);
	for (size_t i = 0; r == 0 && i < numbers->count; i++)
		r = entry_add_value(copy, "uidNumber", numbers->values[i].bytes, numbers->values[i].len);
	if (r == 0)
		return copy;
	entry_free(copy);
	return NULL;
}

/*
 * An entry as it is now; another number of a user's waits in next until settle(), all else of him is shown at once: it
 * may be his end (THREATS 5.5). e is borrowed. Returns 0 or -ENOMEM.
 */
static int
put_changed(struct replica *r, struct member *there, struct entry *e)
{
	bool waits = there->is_user && is_renumbered(there->e, e);
	struct entry *shown = waits ? copy_with_number(e, there->e) : entry_ref(e);

	if (shown == NULL)
		return -ENOMEM;
	entry_free(there->next);
	there->next = waits ? entry_ref(e) : NULL;
	there->gone = false;
	there->round = r->round;
	entry_free(there->e);
	there->e = shown;
	r->users -= there->is_user;
	there->is_user = entry_has_class(shown, "posixAccount");
	r->users += there->is_user;
	return 0;
}

static int
take_stored(void *arg, const uint8_t uuid[SYNC_UUID_SIZE], struct entry *e)
{
	struct replica *r = arg;
	struct member *m = calloc(1, sizeof *m);

	if (m == NULL || reserve(&r->list, r->count, &r->room, 1) < 0) {
		free(m);
		entry_free(e);
		return -ENOMEM;
	}
	memcpy(m->uuid, uuid, SYNC_UUID_SIZE);
	m->e = e;
	return put_new(r, m);
}

static void
clear(struct replica *r)
{
	tree_done(&r->by_uuid);
	for (size_t i = 0; i < r->count; i++)
		member_free(r->list[i]);
	r->count = r->users = 0;
}

int
replica_open(const char *folder, const char *origin, struct replica **ret, char *fault, size_t size)
{
	struct replica *r = calloc(1, sizeof *r);
	int e;

	if (r == NULL)
		return -ENOMEM;
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
	free(r->list);
	free(r->changes);
	free(r->strangers);
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

/* ---- gathering ---- */

void
replica_drop(struct replica *r)
{
	for (size_t i = 0; i < r->change_count; i++)
		member_free(r->changes[i]);
	r->change_count = 0;
	r->stranger_count = 0;
	r->only_these = r->kept = false;
	r->round++;
	r->bytes = 0;
	for (size_t i = 0; i < r->count; i++)
		r->bytes += r->list[i]->e->bytes + (r->list[i]->next != NULL ? r->list[i]->next->bytes : 0);
}

/* Owns e from then on. */
static int
gather(struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE], struct entry *e)
{
	size_t bytes = sizeof(struct member) + (e != NULL ? e->bytes : 0);
	struct member *m;

	if (r->change_count >= REPLICA_GATHERED_MAX || bytes > REPLICA_BYTES_MAX ||
	    r->bytes > REPLICA_BYTES_MAX - bytes) {
		entry_free(e);
		return -E2BIG;
	}
	m = calloc(1, sizeof *m);
	if (m == NULL || reserve(&r->changes, r->change_count, &r->change_room, 1) < 0) {
		free(m);
		entry_free(e);
		return -ENOMEM;
	}
	memcpy(m->uuid, uuid, SYNC_UUID_SIZE);
	m->e = e;
	m->round = r->round;
	r->changes[r->change_count++] = m;
	r->bytes += bytes;
	return 0;
}

int
replica_put(struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE], struct entry *e)
{
	return gather(r, uuid, e);
}

int
replica_remove(struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE])
{
	return gather(r, uuid, NULL);
}

int
replica_keep(struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE])
{
	struct member *m = find(r, uuid);
	uint8_t (*more)[SYNC_UUID_SIZE];

	if (m != NULL) {
		m->round = r->round;
		r->kept = true;
		return 0;
	}
	if (r->stranger_count >= REPLICA_GATHERED_MAX)
		return -E2BIG;
	if ((r->stranger_count & (r->stranger_count - 1)) == 0) {	/* room is a power of two at least */
		more = reallocarray(r->strangers, r->stranger_count == 0 ? 1 : r->stranger_count * 2, SYNC_UUID_SIZE);
		if (more == NULL)
			return -ENOMEM;
		r->strangers = more;
	}
	memcpy(r->strangers[r->stranger_count++], uuid, SYNC_UUID_SIZE);
	return 0;
}

static int
compare_uuids(const void *a, const void *b)
{
	return memcmp(a, b, SYNC_UUID_SIZE);
}

bool
replica_is_whole(struct replica *r)
{
	uint8_t (*put)[SYNC_UUID_SIZE];
	size_t count = 0, i;

	if (r->stranger_count == 0)
		return true;
	put = calloc(r->change_count + 1, SYNC_UUID_SIZE);
	if (put == NULL)
		return false;
	for (i = 0; i < r->change_count; i++)
		if (r->changes[i]->e != NULL)
			memcpy(put[count++], r->changes[i]->uuid, SYNC_UUID_SIZE);
	qsort(put, count, SYNC_UUID_SIZE, compare_uuids);
	for (i = 0; i < r->stranger_count; i++)
		if (bsearch(r->strangers[i], put, count, SYNC_UUID_SIZE, compare_uuids) == NULL)
			break;
	free(put);
	return i == r->stranger_count;
}

void
replica_only_these(struct replica *r)
{
	r->only_these = true;
}

/* ---- applying ---- */

/* All changes in memory, but for what settle() does. */
static int
apply_in_memory(struct replica *r)
{
	for (size_t i = 0; r->kept && i < r->count; i++)	/* who was gone and waited for a person is there again */
		r->list[i]->gone = r->list[i]->gone && r->list[i]->round != r->round;
	for (size_t i = 0; i < r->change_count; i++) {
		const struct member *change = r->changes[i];
		struct member *there = find(r, change->uuid), *m;

		if (there != NULL && change->e != NULL) {
			if (put_changed(r, there, change->e) < 0)
				return -ENOMEM;
		} else if (there != NULL) {
			there->gone = true;
		} else if (change->e != NULL) {
			m = calloc(1, sizeof *m);
			if (m == NULL)
				return -ENOMEM;
			*m = *change;
			m->e = entry_ref(change->e);	/* the change keeps its own for the store */
			if (put_new(r, m) < 0)
				return -ENOMEM;
		}
	}
	for (size_t i = 0; r->only_these && i < r->count; i++)
		r->list[i]->gone = r->list[i]->gone || r->list[i]->round != r->round;
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
	for (size_t i = 0; i < r->count; i++) {
		r->held.removed += r->list[i]->is_user && r->list[i]->gone;
		r->held.renumbered += r->list[i]->next != NULL;
	}
	many = r->held.removed + r->held.renumbered;
	return (many > 0 && many + r->window_gone > limit) || (many > 0 && r->held.removed == r->users);
}

/* Let go what has gone, and take what has another number. The store's part, where it is up to date. */
static void
settle(struct replica *r, int *store_error)
{
	for (size_t i = r->count; i > 0; i--) {
		struct member *m = r->list[i - 1];

		if (m->gone) {
			if (*store_error == 0)
				*store_error = replica_store_remove(r->store, m->uuid);
			take_out(r, m);		/* moves the last one, which was looked at already, to its place */
		} else if (m->next != NULL) {
			entry_free(m->e);
			m->e = m->next;
			m->next = NULL;
		}
	}
	r->window_gone = r->approved ? 0 : r->window_gone + r->held.removed + r->held.renumbered;
	r->held = (struct replica_held){ 0 };
	r->approved = false;
}

static int
store_changes(struct replica *r)
{
	int e = 0;

	for (size_t i = 0; i < r->change_count && e == 0; i++) {
		const struct member *m = r->changes[i];

		e = m->e != NULL ? replica_store_put(r->store, m->uuid, m->e) : replica_store_remove(r->store, m->uuid);
	}
	return e;
}

static int
store_everything(struct replica *r)
{
	int e = replica_store_clear(r->store);

	for (size_t i = 0; i < r->count && e == 0; i++)
		e = replica_store_put(r->store, r->list[i]->uuid, r->list[i]->e);
	return e;
}

int
replica_apply(struct replica *r, const struct sync_cookie *cookie, int64_t now_utc_sec, char *fault, size_t size)
{
	bool hold;
	int e, stored;

	e = reserve(&r->list, r->count, &r->room, r->change_count);
	if (e < 0)
		return e;
	stored = r->store == NULL ? -EACCES : replica_store_begin(r->store);
	if (stored == 0 && !r->store_behind)
		stored = store_changes(r);
	e = apply_in_memory(r);
	hold = e == 0 && is_mass_change(r, now_utc_sec) && !r->approved;
	if (e == 0 && !hold)
		settle(r, &stored);
	if (e == 0 && stored == 0 && r->store_behind && !hold)
		stored = store_everything(r);
	if (e == 0 && stored == 0 && !hold)
		stored = replica_store_finish(r->store, cookie, now_utc_sec);
	/* While much waits for a person the store stays as it was: a restart resumes before it, and waits again. */
	if (r->store != NULL && (e < 0 || stored < 0 || hold))
		replica_store_undo(r->store);
	r->store_behind = e < 0 || stored < 0 || hold;
	r->cookie = *cookie;
	r->confirmed_utc_sec = now_utc_sec;
	replica_drop(r);
	if (e == 0 && stored < 0)
		(void)snprintf(fault, size, "the replica cannot be stored: %s", strerror(-stored));
	return e < 0 ? e : stored < 0;
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
	if (replica_store_finish(r->store, &r->cookie, now_utc_sec) < 0)
		replica_store_undo(r->store);
}

/* ---- giving out ---- */

/* Two that claim one DN, in the place of the one that was given already. Neither of them is changed. */
static int
give_both(struct entries *ret, const struct entry *other)
{
	const struct entry *there = entries_find(ret, other->dn);
	struct entry *both = entry_new(other->dn);
	int e = both != NULL && there != NULL ? add_values(both, there) : -ENOMEM;

	if (e == 0)
		e = add_values(both, other);
	if (e == 0) {
		(void)entries_remove(ret, other->dn);
		e = entries_add(ret, both);
	}
	if (e < 0)
		entry_free(both);
	return e;
}

/* What others hold is never changed: one who is gone is told from himself by a copy. NULL without memory. */
static struct entry *
copy_gone(const struct entry *e)
{
	struct entry *copy = entry_new(e->dn);

	if (copy != NULL && add_values(copy, e) < 0) {
		entry_free(copy);
		return NULL;
	}
	if (copy != NULL)
		copy->gone = true;
	return copy;
}

static int
give(struct entries *ret, const struct member *m)
{
	struct entry *given = m->gone ? copy_gone(m->e) : entry_ref(m->e);
	const struct entry *there;
	int e = given != NULL ? entries_add(ret, given) : -ENOMEM;

	if (e < 0)
		entry_free(given);
	if (e != -EEXIST)
		return e;
	there = entries_find(ret, m->e->dn);
	return there != NULL && there->gone ? 0 : give_both(ret, m->e);
}

int
replica_entries(const struct replica *r, struct entries *ret)
{
	int e = 0;

	for (int there = 0; there < 2; there++)
		for (size_t i = 0; i < r->count && e == 0; i++)
			if (r->list[i]->gone == (there == 0))
				e = give(ret, r->list[i]);
	if (e < 0)
		entries_done(ret);
	return e;
}

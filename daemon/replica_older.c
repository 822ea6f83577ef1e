/*
 * replica_older.c - what a server that lags behind tells, kept apart from what is known (THREATS 5.5; entry_mark.h).
 *
 * Directory process, on the thread of the source. An entry as it was before the change that is held loosens nothing, nor
 * does one that had gone; and who is not there yet, has not gone. Each stays as known until the server has caught up,
 * or a person lets the server be right: a directory that was restored from a backup looks the same.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/entry_mark.h"
#include "common/identity_parts.h"
#include "common/tree.h"
#include "daemon/replica_parts.h"

/* Both begin with the uuid. */
static int
compare(const void *a, const void *b)
{
	return memcmp(a, b, SYNC_UUID_SIZE);
}

struct older *
replica_older_find(const struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE])
{
	return r->older_count == 0 ? NULL : (struct older *)(uintptr_t)tree_find(&r->older_by_uuid, uuid, compare);
}

static size_t
bytes_of(const struct older *o)
{
	return sizeof *o + (o->told != NULL ? o->told->bytes : 0);
}

void
replica_older_drop(struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE])
{
	struct older *o = replica_older_find(r, uuid);

	if (o == NULL)
		return;
	tree_remove(&r->older_by_uuid, o, compare);
	r->older[o->at] = r->older[--r->older_count];
	r->older[o->at]->at = o->at;
	r->held_bytes -= bytes_of(o);
	entry_free(o->told);
	free(o);
}

int
replica_older_put(struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE], struct entry *told)
{
	struct older *o, **list;

	replica_older_drop(r, uuid);
	if (r->older_count == r->older_room) {
		list = reallocarray(r->older, r->older_room * 2 + 16, sizeof(struct older *));
		if (list == NULL)
			return -ENOMEM;
		r->older = list;
		r->older_room = r->older_room * 2 + 16;
	}
	o = calloc(1, sizeof *o);
	if (o == NULL)
		return -ENOMEM;
	memcpy(o->uuid, uuid, SYNC_UUID_SIZE);
	if (tree_add(&r->older_by_uuid, o, compare) == NULL) {
		free(o);
		return -ENOMEM;
	}
	o->told = told != NULL ? entry_ref(told) : NULL;
	o->round = r->round;
	o->at = r->older_count;
	r->older[r->older_count++] = o;
	r->held_bytes += bytes_of(o);
	return 0;
}

/* ---- who has gone ---- */

static struct tomb *
find_tomb(const struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE])
{
	return r->tomb_count == 0 ? NULL : (struct tomb *)(uintptr_t)tree_find(&r->tombs_by_uuid, uuid, compare);
}

bool
replica_has_tomb(const struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE])
{
	return find_tomb(r, uuid) != NULL;
}

bool
replica_tomb_drop(struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE])
{
	struct tomb *t = find_tomb(r, uuid);

	if (t == NULL)
		return false;
	tree_remove(&r->tombs_by_uuid, t, compare);
	r->tombs[t->at] = r->tombs[--r->tomb_count];
	r->tombs[t->at]->at = t->at;
	free(t);
	return true;
}

int
replica_tomb_add(struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE], uint64_t mark)
{
	struct tomb *t, **list;

	(void)replica_tomb_drop(r, uuid);
	if (r->tomb_count == r->tomb_room) {
		list = reallocarray(r->tombs, r->tomb_room * 2 + 16, sizeof(struct tomb *));
		if (list == NULL)
			return -ENOMEM;
		r->tombs = list;
		r->tomb_room = r->tomb_room * 2 + 16;
	}
	t = calloc(1, sizeof *t);
	if (t == NULL)
		return -ENOMEM;
	memcpy(t->uuid, uuid, SYNC_UUID_SIZE);
	t->mark = mark;
	t->at = r->tomb_count;
	if (tree_add(&r->tombs_by_uuid, t, compare) == NULL) {
		free(t);
		return -ENOMEM;
	}
	r->tombs[r->tomb_count++] = t;
	return 0;
}

/*
 * Note by how much of the directory it went, so that another server's entry of before is known to be one. Returns 0 or
 * -errno of the store; what memory cannot hold is not remembered.
 */
int
replica_tomb_note(struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE], int stored)
{
	uint8_t victim[SYNC_UUID_SIZE];

	if (r->known_mark == 0)
		return stored;		/* no server says how much it knows: any return would be one of before */
	if (r->tomb_count >= REPLICA_TOMBS_MAX) {
		memcpy(victim, r->tombs[r->tomb_next++ % r->tomb_count]->uuid, sizeof victim);
		(void)replica_tomb_drop(r, victim);
		if (stored == 0)
			stored = replica_store_tomb(r->store, victim, 0);
	}
	if (replica_tomb_add(r, uuid, r->known_mark) == 0 && stored == 0)
		stored = replica_store_tomb(r->store, uuid, r->known_mark);
	return stored;
}

/* ---- what is older ---- */

/* Disabled, or past the end: to take that at once lets nobody in. */
static bool
shuts_out(const struct entry *e, int64_t now_utc_sec)
{
	struct identity user = { 0 };
	struct fault fault = { "" };

	identity_read_window(e, &user, &fault);
	return user.disabled || (user.not_after_utc_sec != 0 && user.not_after_utc_sec <= now_utc_sec);
}

/* Whether an entry says what the newest that was told of it says. */
static bool
is_as_told(const struct replica *r, const struct member *there, const struct entry *e)
{
	return there->next != NULL ? entry_same(there->next, e) : replica_shows(r, there, e);
}

bool
replica_is_older(const struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE], const struct member *there, struct entry *e,
    int64_t now_utc_sec)
{
	const struct tomb *gone = there == NULL ? find_tomb(r, uuid) : NULL;
	uint64_t known = there != NULL ? replica_newest_mark(there) : 0;

	if (gone != NULL)
		return e->mark != 0 && !entry_mark_older(gone->mark, e->mark);
	if (there == NULL || (e->mark != 0 && !entry_mark_older(e->mark, known)))
		return false;
	if (e->mark != 0 && !is_as_told(r, there, e) && !shuts_out(e, now_utc_sec))
		return true;
	e->mark = known;	/* what was seen stays seen */
	return false;
}

bool
replica_lags(const struct sync_cookie *cookie, uint64_t mark)
{
	return mark != 0 && cookie->there &&
	    entry_mark_older(entry_mark_known(cookie->bytes, cookie->len, entry_mark_server(mark)), mark);
}

/* ---- the end of a refresh, and a person's word ---- */

void
replica_older_only_these(struct replica *r)
{
	for (size_t i = r->older_count; i > 0; i--)
		if (r->older[i - 1]->round != r->round)
			replica_older_drop(r, r->older[i - 1]->uuid);
}

int
replica_older_release(struct replica *r)
{
	struct replica_uuids told_since;
	int e = replica_gathered(r, false, &told_since);

	for (size_t i = r->older_count; i > 0 && e == 0; i--) {
		const struct older *o = r->older[i - 1];

		if (replica_uuids_have(&told_since, o->uuid))
			continue;
		e = o->told != NULL ? replica_put(r, o->uuid, entry_ref(o->told)) : replica_remove(r, o->uuid);
		if (e == 0)
			r->changes[r->change_count - 1]->forced = true;
	}
	free(told_since.list);
	return e;
}

void
replica_older_clear(struct replica *r)
{
	while (r->older_count > 0)
		replica_older_drop(r, r->older[r->older_count - 1]->uuid);
	while (r->tomb_count > 0)
		(void)replica_tomb_drop(r, r->tombs[r->tomb_count - 1]->uuid);
	r->known_mark = 0;
}

void
replica_older_done(struct replica *r)
{
	replica_older_clear(r);
	free(r->older);
	free(r->tombs);
}

size_t
replica_older(const struct replica *r)
{
	return r->older_count;
}

void
replica_older_names(const struct replica *r, char *buf, size_t size)
{
	size_t at = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < r->older_count && at < size; i++) {
		const struct older *o = r->older[i];
		const struct member *m = replica_find(r, o->uuid);
		struct entry *e = o->told != NULL ? entry_ref(o->told) : NULL;
		bool there = e != NULL || m != NULL;

		if (e == NULL && m != NULL && replica_entry(r, m, false, &e) < 0)
			e = NULL;
		if (there)
			at += (size_t)snprintf(buf + at, size - at, "%s%.64s", at > 0 ? "; " : "",
			    e != NULL ? e->dn : "one that cannot be read");
		entry_free(e);
	}
}

/*
 * replica_open.c - the replica's begin and end: what the store holds of it (see replica.h).
 *
 * Directory process, on the thread of the source.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "daemon/replica_parts.h"

static int
take_stored(void *arg, const uint8_t uuid[SYNC_UUID_SIZE], struct entry *e)
{
	struct replica *r = arg;
	struct member *m = replica_reserve_members(r, 1) == 0 ? replica_member_new(&r->members) : NULL;

	if (m == NULL) {
		entry_free(e);
		return -ENOMEM;
	}
	memcpy(m->uuid, uuid, SYNC_UUID_SIZE);
	m->e = e;
	replica_describe(m, e);
	replica_put_new(r, m);
	return 0;
}

static int
take_tomb(void *arg, const uint8_t uuid[SYNC_UUID_SIZE], uint64_t mark)
{
	struct replica *r = arg;

	return replica_find(r, uuid) == NULL ? replica_tomb_add(r, uuid, mark) : 0;
}

/* What the store holds; of a refresh that never came to its end, nothing. Returns 0 or -errno. */
static int
read_store(struct replica *r)
{
	int e = replica_store_read(r->store, &r->cookie, &r->confirmed_utc_sec);

	if (e == 0 && r->confirmed_utc_sec == 0) {
		e = replica_store_begin(r->store);
		if (e == 0)
			e = replica_store_clear(r->store);
		if (e == 0)
			e = replica_store_commit(r->store);
		if (e < 0)
			replica_store_undo(r->store);
		return e;
	}
	if (e == 0)
		e = replica_store_each(r->store, take_stored, r);
	return e < 0 ? e : replica_store_each_tomb(r->store, take_tomb, r);
}

static void
clear(struct replica *r)
{
	free(r->by_uuid);
	r->by_uuid = NULL;
	r->by_uuid_count = 0;
	for (size_t i = 0; i < r->count; i++)
		replica_member_free(&r->members, r->heap, r->list[i]);
	replica_members_done(&r->members);
	r->count = r->users = r->held_bytes = 0;
	r->waiting_count = r->dirty_count = 0;
	r->all_dirty = true;
	replica_older_clear(r);
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
		e = read_store(r);
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
	replica_forget_departed(r);
	replica_members_done(&r->change_members);
	free(r->departed);
	free(r->list);
	free(r->changes);
	free(r->strangers);
	free(r->dirty);
	free(r->waiting);
	replica_older_done(r);
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

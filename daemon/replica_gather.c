/*
 * replica_gather.c - what a server tells, gathered until it is complete (see replica.h).
 *
 * Directory process, on the thread of the source. Nothing of it is seen before replica_apply().
 */
#include <config.h>

#include "daemon/replica_parts.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define KEPT_MAX 4096	/* places for changes */
#define LOOSE_MAX ((size_t)16 << 20)	/* bytes of entries that are gathered in memory */

void
replica_drop(struct replica *r)
{
	for (size_t i = 0; i < r->change_count; i++)
		replica_member_free(&r->change_members, r->heap, r->changes[i]);
	r->change_count = r->loose_bytes = 0;
	if (r->change_room > KEPT_MAX) {	/* a whole directory was gathered, which is seldom */
		replica_members_done(&r->change_members);
		free(r->changes);
		r->changes = NULL;
		r->change_room = 0;
		(void)malloc_trim(0);
	}
	free(r->strangers);
	r->strangers = NULL;
	r->stranger_count = 0;
	if (r->received != NULL)
		atomic_store_explicit(r->received, 0, memory_order_relaxed);
	r->only_these = r->kept = false;
	r->round++;
	r->bytes = r->held_bytes;
}

/*
 * A change's entry, owned from then on. One of somebody new goes to the heap at once, where it will stay, and so does what
 * is too much to wait in memory.
 */
static void
give_entry(struct replica *r, struct member *change, struct entry *e, bool is_new)
{
	replica_describe(change, e);
	if (r->heap != NULL && (is_new || r->loose_bytes > LOOSE_MAX))
		change->number = entry_heap_put(r->heap, e);
	if (change->number != ENTRY_NOWHERE) {
		entry_free(e);
		return;
	}
	change->e = e;
	r->loose_bytes += e->bytes;
}

/* Owns e from then on. */
static int
gather(struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE], struct entry *e, bool is_new)
{
	size_t bytes = sizeof(struct member) + (e != NULL ? e->bytes : 0);
	struct member *m;

	if (r->change_count >= REPLICA_GATHERED_MAX || bytes > REPLICA_BYTES_MAX ||
	    r->bytes > REPLICA_BYTES_MAX - bytes) {
		entry_free(e);
		return -E2BIG;
	}
	m = replica_reserve(&r->changes, r->change_count, &r->change_room, 1) == 0 ? replica_member_new(&r->change_members) : NULL;
	if (m == NULL) {
		entry_free(e);
		return -ENOMEM;
	}
	memcpy(m->uuid, uuid, SYNC_UUID_SIZE);
	if (e != NULL)
		give_entry(r, m, e, is_new);
	m->round = r->round;
	r->changes[r->change_count++] = m;
	r->bytes += bytes;
	return 0;
}

/*
 * Whether an entry is what is held, and nothing else of it was gathered: then it need not be held twice. A full refresh
 * mostly tells what is known.
 */
static bool
is_known(const struct replica *r, const struct member *there, const struct entry *e)
{
	return there != NULL && !there->gone && there->next == NULL && there->changed_round != r->round &&
	    there->mark == e->mark && replica_older_find(r, there->uuid) == NULL && replica_shows(r, there, e);
}

int
replica_put(struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE], struct entry *e)
{
	struct member *there = replica_find(r, uuid);

	if (r->received != NULL)
		(void)atomic_fetch_add_explicit(r->received, 1, memory_order_relaxed);
	if (is_known(r, there, e)) {
		there->round = r->round;
		entry_free(e);
		return 0;
	}
	if (there != NULL)
		there->changed_round = r->round;
	return gather(r, uuid, e, there == NULL);
}

int
replica_remove(struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE])
{
	struct member *there = replica_find(r, uuid);

	if (there != NULL)
		there->changed_round = r->round;
	return gather(r, uuid, NULL, false);
}

int
replica_keep(struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE])
{
	struct member *m = replica_find(r, uuid);
	struct older *o = replica_older_find(r, uuid);
	uint8_t (*more)[SYNC_UUID_SIZE];

	if (o != NULL)
		o->round = r->round;
	if (m != NULL) {
		m->round = r->round;
		r->kept = true;
	}
	if (m != NULL || o != NULL)
		return 0;
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

int
replica_gathered(const struct replica *r, bool put, struct replica_uuids *ret)
{
	*ret = (struct replica_uuids){ .list = calloc(r->change_count + 1, SYNC_UUID_SIZE) };
	if (ret->list == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < r->change_count; i++)
		if (!put || !replica_removes(r->changes[i]))
			memcpy(ret->list[ret->count++], r->changes[i]->uuid, SYNC_UUID_SIZE);
	qsort(ret->list, ret->count, SYNC_UUID_SIZE, compare_uuids);
	return 0;
}

bool
replica_uuids_have(const struct replica_uuids *all, const uint8_t uuid[SYNC_UUID_SIZE])
{
	return bsearch(uuid, all->list, all->count, SYNC_UUID_SIZE, compare_uuids) != NULL;
}

bool
replica_is_whole(struct replica *r)
{
	struct replica_uuids put;
	size_t i;

	if (r->stranger_count == 0)
		return true;
	if (replica_gathered(r, true, &put) < 0)
		return false;
	for (i = 0; i < r->stranger_count; i++)
		if (!replica_uuids_have(&put, r->strangers[i]))
			break;
	free(put.list);
	return i == r->stranger_count;
}

void
replica_only_these(struct replica *r)
{
	r->only_these = true;
}

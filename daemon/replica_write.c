/*
 * replica_write.c - what of the replica goes to its store, within a transaction (see replica_parts.h).
 *
 * Directory process, on the thread of the source. Entries that are not in memory are read on their way.
 */
#include <config.h>

#include "daemon/replica_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/entry_pack.h"

#define FEW 64u
#define PART 16384u	/* changes */

struct ordered {
	const struct member *m;
	size_t at;
};

static int
compare(const void *a, const void *b)
{
	const struct ordered *x = a, *y = b;
	int order = memcmp(x->m->uuid, y->m->uuid, SYNC_UUID_SIZE);

	return order != 0 ? order : (x->at > y->at) - (x->at < y->at);
}

/* In the order of the table, which is written much faster; of one uuid in that in which they came. NULL: without memory. */
static struct ordered *
in_order(struct member *const *list, size_t count)
{
	struct ordered *all = calloc(count + 1, sizeof *all);

	for (size_t i = 0; all != NULL && i < count; i++)
		all[i] = (struct ordered){ list[i], i };
	if (all != NULL && count > FEW)
		qsort(all, count, sizeof *all, compare);
	return all;
}

typedef int store_fn(struct replica_store *s, const uint8_t uuid[SYNC_UUID_SIZE], const struct replica_packed *e);

/* ahead: of the entries that are not in memory. */
static int
write_member(struct replica *r, struct entry_window *ahead, const struct member *m, store_fn *store)
{
	struct replica_packed e = { .mark = m->e != NULL ? m->e->mark : m->mark };
	uint8_t *own = NULL;
	size_t head;
	int err = 0;

	if (m->e == NULL)
		err = entry_heap_next_block(r->heap, ahead, m->number, &e.block, &e.size);
	else
		e.block = own = entry_pack(m->e, &e.size, &head);
	if (err == 0)
		err = e.block != NULL ? store(r->store, m->uuid, &e) : -ENOMEM;
	free(own);
	return err;
}

int
replica_write_changes(struct replica *r, bool in_parts)
{
	struct ordered *all = in_order(r->changes, r->change_count);
	struct entry_window ahead = { 0 };
	int e = all != NULL ? 0 : -ENOMEM;

	for (size_t i = 0; i < r->change_count && e == 0; i++) {
		const struct member *m = all[i].m;

		if (m->skipped)
			continue;
		if (in_parts && i % PART == PART - 1 && (e = replica_store_commit(r->store)) == 0)
			e = replica_store_begin(r->store);
		if (e < 0)
			break;
		e = replica_removes(m) ? replica_store_remove(r->store, m->uuid) : write_member(r, &ahead, m, replica_store_put);
		if (e == 0 && m->returned)
			e = replica_store_tomb(r->store, m->uuid, 0);
	}
	entry_window_done(&ahead);
	free(all);
	return e;
}

int
replica_write_all(struct replica *r)
{
	struct ordered *all = in_order(r->list, r->count);
	struct entry_window ahead = { 0 };
	int e = all != NULL ? replica_store_clear(r->store) : -ENOMEM;

	for (size_t i = 0; i < r->count && e == 0; i++)
		e = write_member(r, &ahead, all[i].m, replica_store_put);
	for (size_t i = 0; i < r->tomb_count && e == 0; i++)
		e = replica_store_tomb(r->store, r->tombs[i]->uuid, r->tombs[i]->mark);
	entry_window_done(&ahead);
	free(all);
	return e;
}

int
replica_write_departed(struct replica *r)
{
	int e = 0;

	for (size_t i = 0; i < r->departed_count && e == 0; i++)
		e = replica_store_depart(r->store, r->departed[i]);
	return e;
}

int
replica_write_shown(struct replica *r)
{
	size_t count = r->store_failed ? r->count : r->change_count;
	struct entry_window ahead = { 0 };
	int e = 0;

	for (size_t i = 0; i < count && e == 0; i++) {
		const struct member *m = r->store_failed ? r->list[i] : replica_find(r, r->changes[i]->uuid);

		if (m != NULL)
			e = write_member(r, &ahead, m, replica_store_update);
	}
	entry_window_done(&ahead);
	if (e == 0)
		e = replica_write_departed(r);
	return e < 0 ? e : replica_store_suspend(r->store);
}

/* What is older than it should be is not stored: without a cookie a restart is told of it once more. */
int
replica_write_finish(struct replica *r, const struct sync_cookie *cookie, int64_t now_utc_sec)
{
	struct sync_cookie known = *cookie;

	known.there = known.there && r->older_count == 0;
	return replica_store_finish(r->store, &known, now_utc_sec);
}

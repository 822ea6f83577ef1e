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

static int
write_member(struct replica *r, const struct member *m,
    int (*store)(struct replica_store *s, const uint8_t uuid[SYNC_UUID_SIZE], const struct entry *e))
{
	struct entry *e;
	int err = replica_entry(r, m, true, &e);

	if (err < 0)
		return err;
	err = store(r->store, m->uuid, e);
	entry_free(e);
	return err;
}

int
replica_write_changes(struct replica *r, bool in_parts)
{
	struct ordered *all = in_order(r->changes, r->change_count);
	int e = all != NULL ? 0 : -ENOMEM;

	for (size_t i = 0; i < r->change_count && e == 0; i++) {
		const struct member *m = all[i].m;

		if (m->skipped)
			continue;
		if (in_parts && i % PART == PART - 1 && (e = replica_store_commit(r->store)) == 0)
			e = replica_store_begin(r->store);
		if (e < 0)
			break;
		e = replica_removes(m) ? replica_store_remove(r->store, m->uuid) : write_member(r, m, replica_store_put);
		if (e == 0 && m->returned)
			e = replica_store_tomb(r->store, m->uuid, 0);
	}
	free(all);
	return e;
}

int
replica_write_all(struct replica *r)
{
	struct ordered *all = in_order(r->list, r->count);
	int e = all != NULL ? replica_store_clear(r->store) : -ENOMEM;

	for (size_t i = 0; i < r->count && e == 0; i++)
		e = write_member(r, all[i].m, replica_store_put);
	for (size_t i = 0; i < r->tomb_count && e == 0; i++)
		e = replica_store_tomb(r->store, r->tombs[i]->uuid, r->tombs[i]->mark);
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
	int e = 0;

	for (size_t i = 0; i < count && e == 0; i++) {
		const struct member *m = r->store_failed ? r->list[i] : replica_find(r, r->changes[i]->uuid);

		if (m != NULL)
			e = write_member(r, m, replica_store_update);
	}
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

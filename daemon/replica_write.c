/*
 * replica_write.c - what the store gets of a replica that was applied in memory (see replica.h).
 *
 * Directory process, on the thread of the source, within one transaction of replica_store.h. Memory has it all already:
 * what cannot be written leaves a store that is behind, and never anybody in.
 */
#include <config.h>

#include "daemon/replica_parts.h"

int
replica_write_changes(struct replica *r)
{
	int e = 0;

	for (size_t i = 0; i < r->change_count && e == 0; i++) {
		const struct member *m = r->changes[i];

		if (m->skipped)
			continue;
		e = m->e != NULL ? replica_store_put(r->store, m->uuid, m->e) : replica_store_remove(r->store, m->uuid);
		if (e == 0 && m->returned)
			e = replica_store_tomb(r->store, m->uuid, 0);
	}
	return e;
}

int
replica_write_everything(struct replica *r)
{
	int e = replica_store_clear(r->store);

	for (size_t i = 0; i < r->count && e == 0; i++)
		e = replica_store_put(r->store, r->list[i]->uuid, r->list[i]->e);
	for (size_t i = 0; i < r->tomb_count && e == 0; i++)
		e = replica_store_tomb(r->store, r->tombs[i]->uuid, r->tombs[i]->mark);
	return e;
}

/* In the transaction that lets them go: else nobody would know of them after a crash. */
int
replica_write_departed(struct replica *r)
{
	int e = 0;

	for (size_t i = 0; i < r->departed_count && e == 0; i++)
		e = replica_store_depart(r->store, r->departed[i]);
	return e;
}

/*
 * While much waits for a person the store keeps those whom it has, as they are shown: a restart must not take back what
 * tightens somebody. Who came since, comes again. The cookie goes, or the server would not tell of the rest once more.
 */
int
replica_write_shown(struct replica *r)
{
	size_t count = r->store_failed ? r->count : r->change_count;
	int e = 0;

	for (size_t i = 0; i < count && e == 0; i++) {
		const struct member *m = r->store_failed ? r->list[i] : replica_find(r, r->changes[i]->uuid);

		if (m != NULL)
			e = replica_store_update(r->store, m->uuid, m->e);
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

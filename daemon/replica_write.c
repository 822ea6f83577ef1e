/*
 * replica_write.c - what of the replica goes to its store, within a transaction (see replica_parts.h).
 *
 * Directory process, on the thread of the source. Entries that are not in memory are read on their way.
 */
#include <config.h>

#include "daemon/replica_parts.h"

int
replica_write_changes(struct replica *r)
{
	int e = 0;

	for (size_t i = 0; i < r->change_count && e == 0; i++) {
		const struct member *m = r->changes[i];

		e = m->e != NULL ? replica_store_put(r->store, m->uuid, m->e) : replica_store_remove(r->store, m->uuid);
	}
	return e;
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
replica_write_all(struct replica *r)
{
	int e = replica_store_clear(r->store);

	for (size_t i = 0; i < r->count && e == 0; i++)
		e = write_member(r, r->list[i], replica_store_put);
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

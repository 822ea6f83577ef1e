/*
 * replica_departed.c - users as they were before they went or became others, until that is remembered elsewhere (see
 * replica.h).
 *
 * Directory process, on the thread of the source.
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/replica_parts.h"

int
replica_reserve_departed(struct replica *r)
{
	size_t wanted = r->departed_count + 2 * r->count + r->change_count;	/* renamed, then gone: twice */
	struct entry **bigger;

	if (wanted > IDENTITY_HOLDERS_MAX)	/* replica_depart() takes no more */
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

bool
replica_has_other(const struct entry *before, const struct entry *after, const char *name)
{
	const char *x = entry_value(before, name), *y = entry_value(after, name);

	return x != NULL && (y == NULL || strcmp(x, y) != 0);
}

void
replica_depart(struct replica *r, struct entry *before, const struct entry *after)
{
	if (!entry_has_class(before, "posixAccount") || r->departed_count >= IDENTITY_HOLDERS_MAX)
		return;
	if (after == NULL || !entry_has_class(after, "posixAccount") || replica_has_other(before, after, "uid") ||
	    replica_has_other(before, after, "uidNumber") || replica_has_other(before, after, "entryUUID"))
		r->departed[r->departed_count++] = entry_ref(before);
}

void
replica_forget_departed(struct replica *r)
{
	for (size_t i = 0; i < r->departed_count; i++)
		entry_free(r->departed[i]);
	r->departed_count = 0;
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

	replica_forget_departed(r);
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

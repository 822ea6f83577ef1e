/*
 * replica_table.c - where the members of the replica lie, and which has a uuid: a table with linear probing, keyed (see
 * replica_parts.h).
 *
 * Directory process, on the thread of the source.
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/siphash.h"
#include "daemon/replica_parts.h"

#define SLAB 1024	/* members */

struct slab {
	struct slab *next;
	struct member members[SLAB];
};

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

struct member *
replica_member_new(struct members *of)
{
	struct member *m = of->free;
	struct slab *slab;

	if (m == NULL) {
		slab = calloc(1, sizeof *slab);
		if (slab == NULL)
			return NULL;
		slab->next = of->slabs;
		of->slabs = slab;
		for (size_t i = SLAB; i > 0; i--) {
			slab->members[i - 1].next_free = of->free;
			of->free = &slab->members[i - 1];
		}
		m = of->free;
	}
	of->free = m->next_free;
	*m = (struct member){ .next_free = NULL };
	return m;
}

void
replica_member_free(struct members *of, struct entry_heap *heap, struct member *m)
{
	entry_free(m->e);
	entry_free(m->next);
	entry_heap_drop(heap, m->number);
	*m = (struct member){ .next_free = of->free };
	of->free = m;
}

void
replica_members_done(struct members *all)
{
	struct slab *slab;

	while ((slab = all->slabs) != NULL) {
		all->slabs = slab->next;
		free(slab);
	}
	all->free = NULL;
}

/* Whoever names entries does not know the secret: nobody makes a list of the table. */
static size_t
home(const struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE])
{
	return (size_t)((siphash13(r->secret, uuid, SYNC_UUID_SIZE) >> 32) * r->by_uuid_count >> 32);
}

static size_t
after(const struct replica *r, size_t slot)
{
	return slot + 1 < r->by_uuid_count ? slot + 1 : 0;
}

/* Where a uuid is, or the empty slot where it would be. There is one. */
static size_t
find(const struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE])
{
	size_t slot = home(r, uuid);

	while (r->by_uuid[slot] != 0 && memcmp(r->list[r->by_uuid[slot] - 1]->uuid, uuid, SYNC_UUID_SIZE) != 0)
		slot = after(r, slot);
	return slot;
}

int
replica_table_reserve(struct replica *r, size_t count)
{
	size_t wanted = 2 * count + 64;	/* a fuller one is searched for long, and each step is a miss of the cache */
	uint32_t *table;

	if (count + count / 2 < r->by_uuid_count)
		return 0;
	table = wanted < UINT32_MAX ? calloc(wanted, sizeof *table) : NULL;
	if (table == NULL)
		return -ENOMEM;
	free(r->by_uuid);
	r->by_uuid = table;
	r->by_uuid_count = wanted;
	for (size_t i = 0; i < r->count; i++)
		replica_table_add(r, r->list[i]);
	return 0;
}

void
replica_table_add(struct replica *r, const struct member *m)
{
	r->by_uuid[find(r, m->uuid)] = m->at + 1;
}

void
replica_table_move(struct replica *r, const struct member *m, size_t to)
{
	r->by_uuid[find(r, m->uuid)] = (uint32_t)to + 1;
}

void
replica_table_remove(struct replica *r, const struct member *m)
{
	size_t hole = find(r, m->uuid);

	/* Those behind it that were pushed on move up. */
	for (size_t slot = after(r, hole); r->by_uuid[slot] != 0; slot = after(r, slot)) {
		size_t wanted = home(r, r->list[r->by_uuid[slot] - 1]->uuid);

		if (hole <= slot ? hole < wanted && wanted <= slot : hole < wanted || wanted <= slot)
			continue;
		r->by_uuid[hole] = r->by_uuid[slot];
		hole = slot;
	}
	r->by_uuid[hole] = 0;
}

struct member *
replica_find(const struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE])
{
	uint32_t at = r->by_uuid_count > 0 ? r->by_uuid[find(r, uuid)] : 0;

	return at != 0 ? r->list[at - 1] : NULL;
}

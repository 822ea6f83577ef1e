/*
 * id_set.c - open addressing, doubled when two thirds full, nothing left behind by a removal. Publisher only.
 */
#include <config.h>

#include "daemon/id_set.h"

#include <errno.h>
#include <stdlib.h>

#define ROOM_MIN 16u

static uint32_t
start_of(const struct id_set *set, uint32_t id)
{
	uint64_t hash = (id ^ set->salt) * 0x9e3779b97f4a7c15ull;

	hash ^= set->salt >> 32 ^ hash >> 29;
	return (uint32_t)((hash * 0xbf58476d1ce4e5b9ull) >> 32) & (set->room - 1);
}

void
id_set_done(struct id_set *set)
{
	free(set->slots);
	*set = (struct id_set){ .salt = set->salt };
}

/* The slot of an id, or the empty one where it belongs. There is always an empty one. */
static uint32_t
slot_of(const struct id_set *set, uint32_t id)
{
	uint32_t at = start_of(set, id);

	while (set->slots[at] != 0 && set->slots[at] != id)
		at = (at + 1) & (set->room - 1);
	return at;
}

int
id_set_reserve(struct id_set *set, uint32_t more)
{
	struct id_set bigger = { .salt = set->salt, .count = set->count };
	uint64_t room = set->room > 0 ? set->room : ROOM_MIN;

	while (((uint64_t)set->count + more) * 3 > room * 2)
		room *= 2;
	if (room == set->room)
		return 0;
	if (room > UINT32_MAX / 2)
		return -ENOMEM;
	bigger.room = (uint32_t)room;
	bigger.slots = calloc(bigger.room, sizeof *bigger.slots);
	if (bigger.slots == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < set->room; i++)
		if (set->slots[i] != 0)
			bigger.slots[slot_of(&bigger, set->slots[i])] = set->slots[i];
	free(set->slots);
	*set = bigger;
	return 0;
}

int
id_set_add(struct id_set *set, uint32_t id)
{
	uint32_t at;
	int r;

	if (id == 0 || id_set_has(set, id))
		return 0;
	r = id_set_reserve(set, 1);
	if (r < 0)
		return r;
	at = slot_of(set, id);
	set->slots[at] = id;
	set->count++;
	return 1;
}

void
id_set_remove(struct id_set *set, uint32_t id)
{
	uint32_t mask = set->room - 1, hole, at;

	if (!id_set_has(set, id))
		return;
	hole = slot_of(set, id);
	/* Whoever was pushed over the hole comes back. */
	for (at = (hole + 1) & mask; set->slots[at] != 0; at = (at + 1) & mask) {
		if (((at - start_of(set, set->slots[at])) & mask) >= ((at - hole) & mask)) {
			set->slots[hole] = set->slots[at];
			hole = at;
		}
	}
	set->slots[hole] = 0;
	set->count--;
}

bool
id_set_has(const struct id_set *set, uint32_t id)
{
	return id != 0 && set->count > 0 && set->slots[slot_of(set, id)] == id;
}

uint32_t
id_set_next(const struct id_set *set, uint32_t *at)
{
	while (*at < set->room) {
		uint32_t id = set->slots[(*at)++];

		if (id != 0)
			return id;
	}
	return 0;
}

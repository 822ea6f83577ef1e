/*
 * tally.c - open addressing, at most two thirds full, nothing left behind by a removal. Publisher only.
 */
#include <config.h>

#include "daemon/tally.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_MIN 16u

void
tally_done(struct hash_tally *t)
{
	free(t->hashes);
	free(t->counts);
	*t = (struct hash_tally){ 0 };
}

void
tally_clear(struct hash_tally *t)
{
	if (t->used > 0)
		memset(t->counts, 0, t->room * sizeof *t->counts);
	t->used = 0;
}

/* The slot of a hash, or the empty one where it belongs. There is always an empty one. */
static size_t
slot_of(const struct hash_tally *t, uint64_t hash)
{
	size_t at = (size_t)hash & (t->room - 1);

	while (t->counts[at] != 0 && t->hashes[at] != hash)
		at = (at + 1) & (t->room - 1);
	return at;
}

int
tally_reserve(struct hash_tally *t, size_t more)
{
	struct hash_tally bigger = { .used = t->used, .room = t->room > 0 ? t->room : ROOM_MIN };

	if (more > SIZE_MAX / 32 || t->used > SIZE_MAX / 32)
		return -ENOMEM;
	while ((t->used + more) * 3 > bigger.room * 2)
		bigger.room *= 2;
	if (bigger.room == t->room)
		return 0;
	bigger.hashes = calloc(bigger.room, sizeof *bigger.hashes);
	bigger.counts = calloc(bigger.room, sizeof *bigger.counts);
	if (bigger.hashes == NULL || bigger.counts == NULL) {
		tally_done(&bigger);
		return -ENOMEM;
	}
	for (size_t i = 0; i < t->room; i++) {
		if (t->counts[i] != 0) {
			size_t at = slot_of(&bigger, t->hashes[i]);

			bigger.hashes[at] = t->hashes[i];
			bigger.counts[at] = t->counts[i];
		}
	}
	tally_done(t);
	*t = bigger;
	return 0;
}

void
tally_add(struct hash_tally *t, uint64_t hash)
{
	size_t at;

	if (t->used + 1 >= t->room)	/* somebody counted wrong: no endless search, whatever it costs */
		return;
	at = slot_of(t, hash);
	if (t->counts[at] == 0) {
		t->hashes[at] = hash;
		t->used++;
	}
	t->counts[at]++;
}

void
tally_remove(struct hash_tally *t, uint64_t hash)
{
	size_t mask = t->room - 1, hole, at;

	if (tally_count(t, hash) == 0)
		return;
	hole = slot_of(t, hash);
	if (--t->counts[hole] > 0)
		return;
	/* Whoever was pushed over the hole comes back. */
	for (at = (hole + 1) & mask; t->counts[at] != 0; at = (at + 1) & mask) {
		if (((at - (size_t)t->hashes[at]) & mask) >= ((at - hole) & mask)) {
			t->hashes[hole] = t->hashes[at];
			t->counts[hole] = t->counts[at];
			hole = at;
		}
	}
	t->counts[hole] = 0;
	t->used--;
}

uint32_t
tally_count(const struct hash_tally *t, uint64_t hash)
{
	if (t->room == 0)
		return 0;
	return t->counts[slot_of(t, hash)];
}

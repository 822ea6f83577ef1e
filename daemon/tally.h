/*
 * tally.h - how many there are of what has a 64-bit hash, for the publisher.
 *
 * The hashes are made under a random secret key, so two different things never meet in practice.
 */
#ifndef ISMS_TALLY_H
#define ISMS_TALLY_H

#include <stddef.h>
#include <stdint.h>

struct hash_tally {
	uint64_t *hashes;	/* owned */
	uint32_t *counts;	/* owned; 0 is empty */
	size_t room, used;	/* room is a power of two or 0 */
};

/* Frees and empties; a zeroed struct is fine. */
void tally_done(struct hash_tally *t);

/* Empties; the room stays. */
void tally_clear(struct hash_tally *t);

/* Make room for so many more different hashes. Returns 0 or -ENOMEM. */
int tally_reserve(struct hash_tally *t, size_t more);

/* One more, for which there is room; one less, of those that are there. */
void tally_add(struct hash_tally *t, uint64_t hash);
void tally_remove(struct hash_tally *t, uint64_t hash);

/* 0 when there is none. */
uint32_t tally_count(const struct hash_tally *t, uint64_t hash);

#endif

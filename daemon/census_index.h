/*
 * census_index.h - which items of the census have a key: many items per key, many keys per item.
 *
 * Keys are 64-bit hashes under a random secret key: no author of entries can choose some that meet. An index knows all
 * of a key. A brief one knows 38 bits of it, takes less room, and now and then finds an item of another key, too: whoever
 * asks it compares with the item's entry. A key of one item takes 11 bytes there, else 27; each more about 2.
 */
#ifndef ISMS_CENSUS_INDEX_H
#define ISMS_CENSUS_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct census_index {
	uint64_t secret[2];
	bool brief;
	uint64_t *slots;		/* owned; part of a key, and its item or list; 0: empty */
	size_t slot_count, used;
	uint64_t *lists;		/* owned; struct list, each from an even place on */
	uint32_t list_used, list_room;	/* units of 16 bytes; the first is none */
	uint32_t holes[18];		/* lists that are free, by units */
};

/* Draw the secret; a zeroed struct is one for keys that were made otherwise. Returns 0 or -errno. */
int census_index_init(struct census_index *x, bool brief);
void census_index_done(struct census_index *x);	/* a zeroed struct is fine */

/*
 * The hash of a key.
 *
 *  kind  keys of different kinds are different
 */
uint64_t census_key(const struct census_index *x, unsigned char kind, const void *bytes, size_t len);

/* A key is about to be looked for: its slot may be on its way to the processor meanwhile. */
void census_index_expect(const struct census_index *x, uint64_t key);

/* So many more keys are expected: there is room for them, unless there is no memory. */
void census_index_reserve(struct census_index *x, size_t more);

/* Add; the same pair may be there several times. Returns 0 or -ENOMEM. */
int census_index_add(struct census_index *x, uint64_t key, uint32_t item);

/* Take one such pair out; fine when there is none. */
void census_index_remove(struct census_index *x, uint64_t key, uint32_t item);

/*
 * Items of a key, one after the other; nothing is added or removed meanwhile.
 *
 *  at  0 at first; opaque
 *
 * Returns the item plus one, 0 after the last.
 */
uint32_t census_index_next(const struct census_index *x, uint64_t key, uint32_t *at);

/* Give back what adding took and does not need. No memory: it stays as it is. */
void census_index_pack(struct census_index *x);

#endif

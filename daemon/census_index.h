/*
 * census_index.h - which items of the census have a key: many items per key, many keys per item.
 *
 * Keys are 64-bit hashes under a random secret key: two different ones never meet in practice, and no author of
 * entries can choose some that do.
 */
#ifndef ISMS_CENSUS_INDEX_H
#define ISMS_CENSUS_INDEX_H

#include <stddef.h>
#include <stdint.h>

struct census_index {
	uint64_t secret[2];
	uint32_t *heads;		/* owned; per bucket the first node plus one */
	struct census_node *nodes;	/* owned */
	size_t bucket_count;		/* a power of two, or 0 */
	size_t used, room;		/* of nodes; free ones included */
	uint32_t free_node;		/* plus one; 0: none */
};

/* Draw the secret. Returns 0 or -errno. */
int census_index_init(struct census_index *x);
void census_index_done(struct census_index *x);	/* a zeroed struct is fine */

/*
 * The hash of a key.
 *
 *  kind  keys of different kinds are different
 */
uint64_t census_key(const struct census_index *x, unsigned char kind, const void *bytes, size_t len);

/* Add; the same pair may be there several times. Returns 0 or -ENOMEM. */
int census_index_add(struct census_index *x, uint64_t key, uint32_t item);

/* Take one such pair out; fine when there is none. */
void census_index_remove(struct census_index *x, uint64_t key, uint32_t item);

/*
 * Items of a key, one after the other.
 *
 *  at  0 at first; opaque
 *
 * Returns the item plus one, 0 after the last.
 */
uint32_t census_index_next(const struct census_index *x, uint64_t key, uint32_t *at);

#endif

/*
 * hash_map.h - numbers by 64-bit key, for the publisher's building of a snapshot.
 *
 * Keys are hashes under a random secret key, so two different things never meet in practice, and no
 * directory can choose names that do.
 */
#ifndef ISMS_HASH_MAP_H
#define ISMS_HASH_MAP_H

#include <stddef.h>
#include <stdint.h>

struct hash_map {
	uint64_t *keys;		/* owned */
	uint32_t *values;	/* owned; value plus one, 0 is empty */
	size_t count, room;	/* room is a power of two or 0 */
};

/* Free and empty it. */
void hash_map_done(struct hash_map *map);

/* Add a key that must be new; value is below UINT32_MAX. Returns 0, -EEXIST or -ENOMEM. */
int hash_map_add(struct hash_map *map, uint64_t key, uint32_t value);

/* Returns 1 found, 0 absent. */
int hash_map_find(const struct hash_map *map, uint64_t key, uint32_t *ret_value);

#endif

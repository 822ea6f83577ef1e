/*
 * hash_map.c - open addressing, doubled when half full. Publisher only.
 */
#include <config.h>

#include "daemon/hash_map.h"

#include <errno.h>

#include "common/pages.h"

void
hash_map_done(struct hash_map *map)
{
	pages_free(map->keys, map->room * sizeof *map->keys);
	pages_free(map->values, map->room * sizeof *map->values);
	*map = (struct hash_map){ 0 };
}

/* The slot of a key, or the empty one where it belongs. There is always an empty one. */
static size_t
slot_of(const struct hash_map *map, uint64_t key)
{
	size_t at = (size_t)key & (map->room - 1);

	while (map->values[at] != 0 && map->keys[at] != key)
		at = (at + 1) & (map->room - 1);
	return at;
}

static int
grow(struct hash_map *map)
{
	struct hash_map bigger = { .count = map->count, .room = map->room == 0 ? 64 : map->room * 2 };

	bigger.keys = pages_take_array(bigger.room, sizeof *bigger.keys);
	bigger.values = pages_take_array(bigger.room, sizeof *bigger.values);
	if (bigger.keys == NULL || bigger.values == NULL) {
		hash_map_done(&bigger);
		return -ENOMEM;
	}
	for (size_t i = 0; i < map->room; i++) {
		size_t at;

		if (map->values[i] == 0)
			continue;
		at = slot_of(&bigger, map->keys[i]);
		bigger.keys[at] = map->keys[i];
		bigger.values[at] = map->values[i];
	}
	hash_map_done(map);
	*map = bigger;
	return 0;
}

int
hash_map_add(struct hash_map *map, uint64_t key, uint32_t value)
{
	size_t at;
	int r;

	if (map->count >= map->room / 2) {
		r = grow(map);
		if (r < 0)
			return r;
	}
	at = slot_of(map, key);
	if (map->values[at] != 0)
		return -EEXIST;
	map->keys[at] = key;
	map->values[at] = value + 1;
	map->count++;
	return 0;
}

int
hash_map_find(const struct hash_map *map, uint64_t key, uint32_t *ret_value)
{
	size_t at;

	if (map->room == 0)
		return 0;
	at = slot_of(map, key);
	if (map->values[at] == 0)
		return 0;
	*ret_value = map->values[at] - 1;
	return 1;
}

/*
 * census_items.c - the items of the census by the id of their entry, and those that are free.
 *
 * Directory process, on its loop.
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/census_parts.h"

int
census_new(struct census **ret)
{
	struct census *c = calloc(1, sizeof *c);
	int r;

	if (c == NULL)
		return -ENOMEM;
	r = census_index_init(&c->index, true);
	if (r < 0) {
		free(c);
		return r;
	}
	*ret = c;
	return 0;
}

void
census_free(struct census *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->used; i++) {
		entry_free(c->items[i].e);
		entry_heap_drop(c->heap, c->items[i].number);
	}
	census_index_done(&c->index);
	census_index_done(&c->children);
	free(c->items);
	free(c->free_items);
	free(c->staged);
	free(c->touched);
	free(c->faults);
	free(c);
}

uint64_t
census_id_key(const struct census *c, const uint8_t id[ENTRY_ID_SIZE])
{
	return census_key(&c->index, CENSUS_ID, id, ENTRY_ID_SIZE);
}

uint32_t
census_find_item(const struct census *c, const uint8_t id[ENTRY_ID_SIZE])
{
	uint32_t at = 0, item;

	while ((item = census_index_next(&c->index, census_id_key(c, id), &at)) != 0)
		if (memcmp(c->items[item - 1].id, id, ENTRY_ID_SIZE) == 0)
			return item;
	return 0;
}

/* Whatever is dropped later finds a place on the list of free items. */
static int
reserve_free(struct census *c)
{
	size_t wanted = c->used + 1;
	uint32_t *list;

	if (wanted <= c->free_room)
		return 0;
	wanted += wanted / 2;
	list = reallocarray(c->free_items, wanted, sizeof *list);
	if (list == NULL)
		return -ENOMEM;
	c->free_items = list;
	c->free_room = wanted;
	return 0;
}

uint32_t
census_new_item(struct census *c, const uint8_t id[ENTRY_ID_SIZE])
{
	struct census_item *items;
	uint32_t item;

	if (reserve_free(c) < 0)	/* whatever becomes of it, it can be dropped */
		return 0;
	if (c->free_count == 0 && c->used == c->room) {
		size_t room = c->room == 0 ? 64 : c->room + c->room / 2;

		items = room < UINT32_MAX ? reallocarray(c->items, room, sizeof *items) : NULL;
		if (items == NULL)
			return 0;
		c->items = items;
		c->room = room;
	}
	item = c->free_count > 0 ? c->free_items[c->free_count - 1] : (uint32_t)c->used;
	if (census_index_add(&c->index, census_id_key(c, id), item) < 0)
		return 0;
	if (c->free_count > 0)
		c->free_count--;
	else
		c->used++;
	c->items[item] = (struct census_item){ 0 };
	memcpy(c->items[item].id, id, ENTRY_ID_SIZE);
	return item + 1;
}

void
census_drop_item(struct census *c, uint32_t item)
{
	census_index_remove(&c->index, census_id_key(c, c->items[item].id), item);
	c->items[item] = (struct census_item){ 0 };
	c->free_items[c->free_count++] = item;
}

/*
 * census_entries.c - entries of the census, from memory or from the heap.
 *
 * Directory process, on its loop. What is read stays until the question is answered or the update is made. Whoever
 * cannot be read must not pass for one who is not there: the whole question, or update, fails.
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "daemon/census_parts.h"

void
census_use_heap(struct census *c, struct entry_heap *heap)
{
	c->heap = heap;
}

static int
retire(struct census *c, struct entry *e)
{
	if (c->retired_count == c->retired_room) {
		size_t room = c->retired_room == 0 ? 16 : c->retired_room * 2;
		struct entry **list = reallocarray(c->retired, room, sizeof(struct entry *));

		if (list == NULL)
			return -ENOMEM;
		c->retired = list;
		c->retired_room = room;
	}
	c->retired[c->retired_count++] = e;
	return 0;
}

static const struct entry *
load(struct census *c, uint32_t item, bool members)
{
	struct census_item *i = &c->items[item];
	struct entry *e = NULL;
	int r;

	if ((i->e != NULL && (!members || !i->head)) || i->number == ENTRY_NOWHERE)
		return i->e;
	r = entry_heap_get(c->heap, i->number, members, &e);
	census_step(c->loaded_count);
	if (r == 0 && i->e != NULL)
		r = retire(c, i->e);
	else if (r == 0)
		r = census_push(&c->loaded, &c->loaded_count, &c->loaded_room, item);
	if (r < 0) {
		entry_free(e);
		c->unread = r;
		return NULL;
	}
	i->e = e;
	i->head = !members;
	return e;
}

const struct entry *
census_now(struct census *c, uint32_t item)
{
	return load(c, item, true);
}

const struct entry *
census_head(struct census *c, uint32_t item)
{
	return load(c, item, false);
}

const struct entry *
census_old(struct census *c, uint32_t item)
{
	struct census_staged *s = c->items[item].staged != 0 ? &c->staged[c->items[item].staged - 1] : NULL;
	int r = 0;

	if (s == NULL)
		return NULL;
	if (s->e == NULL && s->number != ENTRY_NOWHERE)
		r = entry_heap_get(c->heap, s->number, true, &s->e);
	if (r < 0)
		c->unread = r;
	return s->e;
}

const struct entry *
census_then(struct census *c, uint32_t item)
{
	return c->items[item].staged != 0 ? census_old(c, item) : census_head(c, item);
}

void
census_release(struct census *c)
{
	for (size_t k = 0; k < c->loaded_count; k++) {
		struct census_item *i = &c->items[c->loaded[k]];

		if (i->number == ENTRY_NOWHERE)
			continue;	/* another one meanwhile, which is in memory alone */
		entry_free(i->e);
		i->e = NULL;
		i->head = false;
	}
	for (size_t k = 0; k < c->retired_count; k++)
		entry_free(c->retired[k]);
	free(c->loaded);
	free(c->retired);
	c->loaded = NULL;
	c->retired = NULL;
	c->loaded_count = c->loaded_room = c->retired_count = c->retired_room = 0;
	c->unread = 0;
}

/*
 * census_index.c - a multimap: a table of keys with linear probing, and lists of the items of those that have several.
 *
 * Directory process. A slot has the upper bits of the key, by which alone it is placed, and its item or its list. A list
 * is a chain of chunks of a few items each, ascending, as the steps between them: what an item costs does not depend on
 * how many there are.
 */
#include <config.h>

#include "daemon/census_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/pages.h"
#include "common/siphash.h"

#define VALUE_BITS	26		/* of a slot, below those of the key */
#define IS_LIST		(UINT64_C(1) << (VALUE_BITS - 1))
#define NUMBER_MAX	(IS_LIST - 1)	/* of an item plus one, or a list */
#define UNIT		16u		/* bytes */
#define CHUNK_ITEMS	64u
#define CHUNK_BYTES	255u
#define STEP_BYTES	4u		/* of the longest step, seven bits each */
#define DONE		UINT32_MAX	/* of census_index_next() */

struct chunk {
	uint64_t key;
	uint32_t next;			/* chunk of the same key; of a hole: hole of the same size; 0: none */
	uint8_t count, used;		/* items, bytes of them */
	uint8_t bytes[];
};

int
census_index_init(struct census_index *x, bool brief)
{
	*x = (struct census_index){ .brief = brief };
	return getrandom(x->secret, sizeof x->secret, 0) == (ssize_t)sizeof x->secret ? 0 : -EIO;
}

void
census_index_done(struct census_index *x)
{
	pages_free(x->slots, x->slot_count * sizeof *x->slots);
	free(x->lists);
	*x = (struct census_index){ 0 };
}

uint64_t
census_key(const struct census_index *x, unsigned char kind, const void *bytes, size_t len)
{
	/* The kind goes into the secret: no copy of the bytes is needed. */
	const uint64_t secret[2] = { x->secret[0] + kind, x->secret[1] };

	return siphash13(secret, bytes, len);
}

/* ---- chunks ---- */

static struct chunk *
chunk_at(const struct census_index *x, uint32_t number)
{
	return (void *)((uint8_t *)x->lists + (size_t)number * UNIT);
}

static uint32_t
units(uint32_t bytes)
{
	return (uint32_t)(offsetof(struct chunk, bytes) + bytes + UNIT - 1) / UNIT;
}

static void
add_hole(struct census_index *x, uint32_t number, uint32_t size)
{
	chunk_at(x, number)->next = x->holes[size];
	x->holes[size] = number;
}

/* A chunk of so many units. Returns 0 without memory. */
static uint32_t
take_chunk(struct census_index *x, uint32_t size)
{
	const uint32_t sizes = sizeof x->holes / sizeof x->holes[0];
	uint32_t number;

	for (uint32_t there = size; there < sizes; there++) {
		number = x->holes[there];
		if (number == 0)
			continue;
		x->holes[there] = chunk_at(x, number)->next;
		if (there > size)
			add_hole(x, number + size, there - size);
		return number;
	}
	if (x->list_used + size > x->list_room) {
		uint32_t room = x->list_used + x->list_used / 8 + 64;
		uint64_t *lists = room <= NUMBER_MAX ? reallocarray(x->lists, room, UNIT) : NULL;

		if (lists == NULL)
			return 0;
		x->lists = lists;
		x->list_room = room;
		if (x->list_used == 0)
			x->list_used = 1;	/* 0 is none */
	}
	number = x->list_used;
	x->list_used += size;
	return number;
}

static uint32_t
read_items(const struct chunk *c, uint32_t ret[static CHUNK_ITEMS])
{
	const uint8_t *at = c->bytes;
	uint32_t last = 0;

	for (uint32_t i = 0; i < c->count; i++) {
		uint32_t step = 0;

		for (unsigned shift = 0;; shift += 7) {
			step |= (uint32_t)(*at & 0x7f) << shift;
			if ((*at++ & 0x80) == 0)
				break;
		}
		ret[i] = last += step;
	}
	return c->count;
}

/* Returns the bytes they take. */
static uint32_t
pack_items(const uint32_t *items, uint32_t count, uint8_t *to)
{
	const uint8_t *begin = to;
	uint32_t last = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t step = items[i] - last;

		for (; step >= 0x80; step >>= 7)
			*to++ = (uint8_t)(step | 0x80);
		*to++ = (uint8_t)step;
		last = items[i];
	}
	return (uint32_t)(to - begin);
}

static void
fill_chunk(struct chunk *c, uint32_t count, const uint8_t *bytes, uint32_t used)
{
	c->count = (uint8_t)count;
	c->used = (uint8_t)used;
	memcpy(c->bytes, bytes, used);
}

/* A chunk of two or one. Returns 0 without memory. */
static uint32_t
new_chunk(struct census_index *x, uint64_t key, uint32_t next, const uint32_t *items, uint32_t count)
{
	uint8_t bytes[2 * STEP_BYTES];
	uint32_t used = pack_items(items, count, bytes), number = take_chunk(x, units(used));
	struct chunk *c;

	if (number == 0)
		return 0;
	c = chunk_at(x, number);
	c->key = key;
	c->next = next;
	fill_chunk(c, count, bytes, used);
	return number;
}

/* One more item in a list. Returns its first chunk, 0 without memory. */
static uint32_t
list_add(struct census_index *x, uint32_t number, uint32_t item)
{
	struct chunk *c = chunk_at(x, number), *moved;
	uint8_t bytes[CHUNK_BYTES + STEP_BYTES];
	uint32_t items[CHUNK_ITEMS + 1], count, used, at, there;

	if (c->count >= CHUNK_ITEMS || c->used + STEP_BYTES > CHUNK_BYTES)
		return new_chunk(x, c->key, number, &item, 1);
	count = read_items(c, items);
	for (at = count; at > 0 && items[at - 1] > item; at--)
		items[at] = items[at - 1];
	items[at] = item;
	used = pack_items(items, count + 1, bytes);
	if (units(used) == units(c->used)) {
		fill_chunk(c, count + 1, bytes, used);
		return number;
	}
	there = take_chunk(x, units(used));
	if (there == 0)
		return 0;
	c = chunk_at(x, number);	/* taking one may have moved all of them */
	moved = chunk_at(x, there);
	moved->key = c->key;
	moved->next = c->next;
	fill_chunk(moved, count + 1, bytes, used);
	add_hole(x, number, units(c->used));
	return there;
}

/* Take an item out of a chunk; its room is given back. Returns whether it was there. */
static bool
chunk_remove(struct census_index *x, uint32_t number, uint32_t item)
{
	struct chunk *c = chunk_at(x, number);
	uint8_t bytes[CHUNK_BYTES + STEP_BYTES];
	uint32_t items[CHUNK_ITEMS], count = read_items(c, items), size = units(c->used), used, at = 0;

	while (at < count && items[at] != item)
		at++;
	if (at == count)
		return false;
	memmove(&items[at], &items[at + 1], (count - at - 1) * sizeof items[0]);
	used = pack_items(items, count - 1, bytes);
	fill_chunk(c, count - 1, bytes, used);
	if (units(used) < size)
		add_hole(x, number + units(used), size - units(used));
	return true;
}

/* Take an item out of a list. Returns its first chunk, 0 when it is empty. */
static uint32_t
list_remove(struct census_index *x, uint32_t first, uint32_t item)
{
	uint32_t before = 0, number = first;
	struct chunk *c;

	while (number != 0 && !chunk_remove(x, number, item)) {
		before = number;
		number = chunk_at(x, number)->next;
	}
	if (number == 0 || (c = chunk_at(x, number))->count > 0)
		return first;
	if (before != 0)
		chunk_at(x, before)->next = c->next;
	else
		first = c->next;
	add_hole(x, number, units(0));
	return first;
}

/* ---- slots ---- */

static size_t
home(const struct census_index *x, uint64_t slot)
{
	return (size_t)((slot >> VALUE_BITS) * x->slot_count >> (64 - VALUE_BITS));
}

static size_t
after(const struct census_index *x, size_t at)
{
	return at + 1 < x->slot_count ? at + 1 : 0;
}

/* Where a key is, or the empty slot where it would be. There is one. */
static size_t
find_slot(const struct census_index *x, uint64_t key)
{
	size_t at = home(x, key);

	for (; x->slots[at] != 0; at = after(x, at))
		if (x->slots[at] >> VALUE_BITS == key >> VALUE_BITS &&
		    (x->brief || chunk_at(x, (uint32_t)(x->slots[at] & NUMBER_MAX))->key == key))
			break;
	return at;
}

void
census_index_expect(const struct census_index *x, uint64_t key)
{
	if (x->slot_count > 0)
		__builtin_prefetch(&x->slots[home(x, key)], 1);
}

static int
resize(struct census_index *x, size_t count)
{
	uint64_t *old = x->slots, *slots = pages_take_array(count, sizeof *slots);
	size_t old_count = x->slot_count;

	if (slots == NULL)
		return -ENOMEM;
	x->slots = slots;
	x->slot_count = count;
	for (size_t i = 0; i < old_count; i++) {
		size_t at = home(x, old[i]);

		while (old[i] != 0 && slots[at] != 0)
			at = after(x, at);
		if (old[i] != 0)
			slots[at] = old[i];
	}
	pages_free(old, old_count * sizeof *old);
	return 0;
}

/* Empty a slot; those behind it that were pushed on move up. */
static void
empty_slot(struct census_index *x, size_t hole)
{
	for (size_t at = after(x, hole); x->slots[at] != 0; at = after(x, at)) {
		size_t wanted = home(x, x->slots[at]);

		if (hole <= at ? hole < wanted && wanted <= at : hole < wanted || wanted <= at)
			continue;
		x->slots[hole] = x->slots[at];
		hole = at;
	}
	x->slots[hole] = 0;
	x->used--;
}

static void
set_slot(struct census_index *x, size_t at, uint64_t key, uint64_t value)
{
	x->slots[at] = key >> VALUE_BITS << VALUE_BITS | value;
}

void
census_index_reserve(struct census_index *x, size_t more)
{
	size_t wanted = (x->used + more) / 13 * 16 + 64;

	if (wanted > x->slot_count)
		(void)resize(x, wanted);
}

int
census_index_add(struct census_index *x, uint64_t key, uint32_t item)
{
	uint32_t items[2] = { item, item }, list;
	uint64_t value;
	size_t at;

	if (item >= NUMBER_MAX)
		return -ENOMEM;
	if ((x->used + 1) * 16 > x->slot_count * 13 && resize(x, x->slot_count + x->slot_count / 4 + 64) < 0)
		return -ENOMEM;
	at = find_slot(x, key);
	value = x->slots[at] & (IS_LIST | NUMBER_MAX);
	if (value == 0 && x->brief) {
		set_slot(x, at, key, item + 1);
		x->used++;
		return 0;
	}
	if (value == 0) {
		list = new_chunk(x, key, 0, items, 1);
	} else if ((value & IS_LIST) != 0) {
		list = list_add(x, (uint32_t)(value & NUMBER_MAX), item);
	} else {
		items[value - 1 < item ? 0 : 1] = (uint32_t)value - 1;
		list = new_chunk(x, key, 0, items, 2);
	}
	if (list == 0)
		return -ENOMEM;
	set_slot(x, at, key, IS_LIST | list);
	x->used += value == 0;
	return 0;
}

void
census_index_remove(struct census_index *x, uint64_t key, uint32_t item)
{
	size_t at = x->used > 0 ? find_slot(x, key) : 0;
	uint64_t value = x->used > 0 ? x->slots[at] & (IS_LIST | NUMBER_MAX) : 0;
	uint32_t list;

	if (value == 0 || ((value & IS_LIST) == 0 && value != (uint64_t)item + 1))
		return;
	list = (value & IS_LIST) != 0 ? list_remove(x, (uint32_t)(value & NUMBER_MAX), item) : 0;
	if (list == 0)
		empty_slot(x, at);
	else
		set_slot(x, at, key, IS_LIST | list);
}

/* at: a chunk and the place in it, plus one. */
uint32_t
census_index_next(const struct census_index *x, uint64_t key, uint32_t *at)
{
	uint32_t items[CHUNK_ITEMS], number, place = 0;
	const struct chunk *c;

	if (*at == DONE || x->used == 0)
		return 0;
	if (*at == 0) {
		uint64_t value = x->slots[find_slot(x, key)] & (IS_LIST | NUMBER_MAX);

		if ((value & IS_LIST) == 0) {
			*at = DONE;
			return (uint32_t)value;
		}
		number = (uint32_t)(value & NUMBER_MAX);
	} else {
		number = (*at - 1) / CHUNK_ITEMS;
		place = (*at - 1) % CHUNK_ITEMS + 1;
	}
	c = chunk_at(x, number);
	if (place == c->count) {
		place = 0;
		number = c->next;
		c = chunk_at(x, number);
	}
	*at = number != 0 ? number * CHUNK_ITEMS + place + 1 : DONE;
	if (number == 0)
		return 0;
	(void)read_items(c, items);
	return items[place] + 1;
}

/* ---- packing ---- */

/* Units of all lists. */
static size_t
measure_lists(const struct census_index *x)
{
	size_t all = 1;

	for (size_t i = 0; i < x->slot_count; i++) {
		uint32_t number = (x->slots[i] & IS_LIST) != 0 ? (uint32_t)(x->slots[i] & NUMBER_MAX) : 0;

		for (; number != 0; number = chunk_at(x, number)->next)
			all += units(chunk_at(x, number)->used);
	}
	return all;
}

/* Copy a list behind what is used of x, whose chunks are those of from otherwise. Returns its first chunk. */
static uint32_t
copy_list(const struct census_index *from, uint32_t number, struct census_index *x)
{
	uint32_t first = x->list_used;

	while (number != 0) {
		const struct chunk *c = chunk_at(from, number);
		struct chunk *copy = chunk_at(x, x->list_used);
		uint32_t size = units(c->used);

		memcpy(copy, c, (size_t)size * UNIT);
		x->list_used += size;
		number = c->next;
		copy->next = number != 0 ? x->list_used : 0;
	}
	return first;
}

void
census_index_pack(struct census_index *x)
{
	const struct census_index from = *x;
	size_t room = measure_lists(x);
	uint64_t *lists = room <= NUMBER_MAX ? calloc(room, UNIT) : NULL;

	if (lists != NULL) {
		x->lists = lists;
		x->list_used = 1;
		x->list_room = (uint32_t)room;
		memset(x->holes, 0, sizeof x->holes);
		for (size_t i = 0; i < x->slot_count; i++)
			if ((x->slots[i] & IS_LIST) != 0)
				set_slot(x, i, x->slots[i], IS_LIST | copy_list(&from, (uint32_t)(x->slots[i] & NUMBER_MAX), x));
		free(from.lists);
	}
	if (x->used + x->used / 4 + 64 < x->slot_count)
		(void)resize(x, x->used + x->used / 4 + 64);
}

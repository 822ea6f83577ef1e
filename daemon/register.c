/*
 * register.c - the records and their indexes (see register.h).
 *
 * Runs in the publisher. Records come from a roster that was judged for its form alone. It must never be left between
 * two states: whatever may fail comes before the first change.
 */
#include <config.h>

#include "daemon/register.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/pages.h"
#include "common/siphash.h"

#define PLACES_MIN 16u
#define AHEAD 8u			/* records: their slots come while those before are dealt with */

/* ---- places ---- */

static uint64_t
hash_bytes(const struct register_book *b, const void *bytes, size_t len)
{
	return siphash13(b->secret, bytes, len);
}

enum index { BY_KEY, BY_NAME, BY_ID };

static uint32_t
hash_of(const struct register_book *b, enum index index, const struct record *r, const char *name)
{
	switch (index) {
	case BY_KEY:
		return (uint32_t)hash_bytes(b, &r->key, sizeof r->key);
	case BY_NAME:
		return (uint32_t)hash_bytes(b, name, strlen(name));
	default:
		return (uint32_t)hash_bytes(b, &r->id, sizeof r->id);
	}
}

static struct places *
places_of(struct register_table *t, enum index index)
{
	return index == BY_KEY ? &t->by_key : index == BY_NAME ? &t->by_name : &t->by_id;
}

static void
places_done(struct places *p)
{
	pages_free(p->slots, p->room * sizeof *p->slots);
}

/* Make room for so many more, none of which can then fail. */
static int
places_reserve(struct places *p, uint64_t more)
{
	uint64_t room = p->room > 0 ? p->room : PLACES_MIN;
	struct place *slots;

	while ((p->used + more) * 3 > room * 2)
		room *= 2;
	if (room == p->room)
		return 0;
	if (room > UINT32_MAX / 2)
		return -ENOMEM;
	slots = pages_take_array((size_t)room, sizeof *slots);
	if (slots == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < p->room; i++) {
		uint32_t at = p->slots[i].hash & ((uint32_t)room - 1);

		if (p->slots[i].record == 0)
			continue;
		while (slots[at].record != 0)
			at = (at + 1) & ((uint32_t)room - 1);
		slots[at] = p->slots[i];
	}
	places_done(p);
	p->slots = slots;
	p->room = (uint32_t)room;
	return 0;
}

/* A record is about to be looked for: its slot may be on its way to the processor meanwhile. */
static void
places_expect(const struct register_book *b, enum index index, const struct places *p, const struct record *r,
    const char *name)
{
	if (p->room > 0)
		__builtin_prefetch(&p->slots[hash_of(b, index, r, name) & (p->room - 1)], 1);
}

static void
places_remove(struct places *p, uint32_t hole)
{
	uint32_t mask = p->room - 1;

	/* Whoever was pushed over the hole comes back. */
	for (uint32_t at = (hole + 1) & mask; p->slots[at].record != 0; at = (at + 1) & mask)
		if (((at - p->slots[at].hash) & mask) >= ((at - hole) & mask)) {
			p->slots[hole] = p->slots[at];
			hole = at;
		}
	p->slots[hole] = (struct place){ 0 };
	p->used--;
}

/*
 * The slot that has an equal record, or the empty one where it belongs; p has room.
 *
 *  ret_hash  of the record
 */
static uint32_t
slot_of(const struct register_book *b, enum register_kind kind, enum index index, const struct places *p,
    const struct record *r, const char *name, uint32_t *ret_hash)
{
	struct record *const *list = b->tables[kind].list;
	uint32_t hash = hash_of(b, index, r, name), at = hash & (p->room - 1);

	for (; p->slots[at].record != 0; at = (at + 1) & (p->room - 1)) {
		const struct record *other = list[p->slots[at].record - 1];

		if (p->slots[at].hash != hash)
			continue;
		if (index == BY_KEY ? other->key == r->key : index == BY_ID ? other->id == r->id :
		    strcmp(record_name(other, kind), name) == 0)
			break;
	}
	*ret_hash = hash;
	return at;
}

static uint32_t
find(const struct register_book *b, enum register_kind kind, enum index index, const struct record *r, const char *name)
{
	const struct register_table *t = &b->tables[kind];
	const struct places *p = index == BY_KEY ? &t->by_key : index == BY_NAME ? &t->by_name : &t->by_id;

	uint32_t hash;

	if (p->used == 0)
		return REGISTER_NONE;
	return p->slots[slot_of(b, kind, index, p, r, name, &hash)].record - 1;	/* 0 - 1 is REGISTER_NONE */
}

uint32_t
register_find_key(const struct register_book *b, enum register_kind kind, uint64_t key)
{
	return find(b, kind, BY_KEY, &(const struct record){ .key = key }, NULL);
}

uint32_t
register_first_name(const struct register_book *b, enum register_kind kind, const char *name)
{
	return find(b, kind, BY_NAME, NULL, name);
}

uint32_t
register_first_id(const struct register_book *b, enum register_kind kind, uint32_t id)
{
	return find(b, kind, BY_ID, &(const struct record){ .id = id }, NULL);
}

struct record *
register_at(const struct register_book *b, enum register_kind kind, uint32_t at)
{
	return at < b->tables[kind].end ? b->tables[kind].list[at] : NULL;
}

/* ---- candidates ---- */

static uint32_t *
next_of(struct record *r, enum index index)
{
	return index == BY_NAME ? &r->next_name : &r->next_id;
}

/* Put a record before the others that are equal. */
static void
chain_add(struct register_book *b, enum register_kind kind, enum index index, uint32_t at)
{
	struct places *p = places_of(&b->tables[kind], index);
	struct record *r = b->tables[kind].list[at];
	uint32_t hash, slot = slot_of(b, kind, index, p, r, record_name(r, kind), &hash);

	*next_of(r, index) = p->slots[slot].record - 1;
	p->used += p->slots[slot].record == 0;
	p->slots[slot] = (struct place){ at + 1, hash };
}

static void
chain_remove(struct register_book *b, enum register_kind kind, enum index index, uint32_t at)
{
	struct register_table *t = &b->tables[kind];
	struct places *p = places_of(t, index);
	struct record *r = t->list[at];
	uint32_t hash, slot = slot_of(b, kind, index, p, r, record_name(r, kind), &hash), before = p->slots[slot].record - 1;

	if (before != at) {
		while (*next_of(t->list[before], index) != at)
			before = *next_of(t->list[before], index);
		*next_of(t->list[before], index) = *next_of(r, index);
	} else if (*next_of(r, index) != REGISTER_NONE) {
		p->slots[slot].record = *next_of(r, index) + 1;
	} else {
		places_remove(p, slot);
	}
	*next_of(r, index) = REGISTER_NONE;
}

void
register_expect(const struct register_book *b, enum register_kind kind, uint32_t at)
{
	const struct register_table *t = &b->tables[kind];
	const struct record *r = register_at(b, kind, at + AHEAD);

	if (r == NULL)
		return;
	places_expect(b, BY_NAME, &t->by_name, r, record_name(r, kind));
	places_expect(b, BY_ID, &t->by_id, r, NULL);
}

void
register_link(struct register_book *b, enum register_kind kind, uint32_t at)
{
	b->tables[kind].list[at]->bits |= RECORD_CANDIDATE;
	chain_add(b, kind, BY_NAME, at);
	chain_add(b, kind, BY_ID, at);
}

void
register_unlink(struct register_book *b, enum register_kind kind, uint32_t at)
{
	b->tables[kind].list[at]->bits &= (uint8_t)~RECORD_CANDIDATE;
	chain_remove(b, kind, BY_NAME, at);
	chain_remove(b, kind, BY_ID, at);
}

void
register_put_first(struct register_book *b, enum register_kind kind, uint32_t at)
{
	for (enum index index = BY_NAME; index <= BY_ID; index++) {
		struct record *r = b->tables[kind].list[at];
		struct places *p = places_of(&b->tables[kind], index);
		uint32_t hash;

		if (p->slots[slot_of(b, kind, index, p, r, record_name(r, kind), &hash)].record == at + 1)
			continue;
		chain_remove(b, kind, index, at);
		chain_add(b, kind, index, at);
	}
}

void
register_unlink_all(struct register_book *b, enum register_kind kind)
{
	struct register_table *t = &b->tables[kind];

	if (t->by_name.used > 0)
		memset(t->by_name.slots, 0, t->by_name.room * sizeof *t->by_name.slots);
	if (t->by_id.used > 0)
		memset(t->by_id.slots, 0, t->by_id.room * sizeof *t->by_id.slots);
	t->by_name.used = t->by_id.used = 0;
	for (uint32_t i = 0; i < t->end; i++)
		if (t->list[i] != NULL)
			t->list[i]->bits &= (uint8_t)~RECORD_CANDIDATE;
}

/* ---- accepted ones ---- */

/* The accepted one is the first of those that are equal. */
static const struct record *
accepted(const struct register_book *b, enum register_kind kind, uint32_t at)
{
	const struct record *r = at != REGISTER_NONE ? b->tables[kind].list[at] : NULL;

	return r != NULL && (r->bits & RECORD_ACCEPTED) != 0 ? r : NULL;
}

const struct user_record *
register_user_by_name(const struct register_book *b, const char *name)
{
	return b == NULL ? NULL : (const void *)accepted(b, REGISTER_USERS, register_first_name(b, REGISTER_USERS, name));
}

const struct user_record *
register_user_by_uid(const struct register_book *b, uint32_t uid)
{
	return b == NULL ? NULL : (const void *)accepted(b, REGISTER_USERS, register_first_id(b, REGISTER_USERS, uid));
}

const struct group_record *
register_group_by_gid(const struct register_book *b, uint32_t gid)
{
	return b == NULL ? NULL : (const void *)accepted(b, REGISTER_GROUPS, register_first_id(b, REGISTER_GROUPS, gid));
}

/* ---- the book ---- */

int
register_new(struct register_book **ret)
{
	struct register_book *b = calloc(1, sizeof *b);

	if (b == NULL)
		return -ENOMEM;
	if (getrandom(b->secret, sizeof b->secret, 0) != (ssize_t)sizeof b->secret ||
	    getrandom(&b->gids.salt, sizeof b->gids.salt, 0) != (ssize_t)sizeof b->gids.salt) {
		register_free(b);
		return -EIO;
	}
	*ret = b;
	return 0;
}

void
register_free(struct register_book *b)
{
	if (b == NULL)
		return;
	for (enum register_kind kind = 0; kind < REGISTER_KINDS; kind++) {
		struct register_table *t = &b->tables[kind];

		for (uint32_t i = 0; i < t->end; i++)
			free(t->list[i]);
		free(t->list);
		free(t->holes);
		free(t->contested);
		places_done(&t->by_key);
		places_done(&t->by_name);
		places_done(&t->by_id);
	}
	homes_done(&b->homes);
	id_set_done(&b->gids);
	free(b->claims);
	free(b);
}

/* ---- edits ---- */

/* Room for so many numbers in a list of them. */
static int
reserve_numbers(uint32_t **list, uint32_t *room, uint64_t wanted)
{
	uint32_t *more;
	uint64_t bigger = *room;

	if (wanted <= *room)
		return 0;
	bigger = bigger + bigger / 2 > wanted ? bigger + bigger / 2 : wanted;
	if (bigger >= REGISTER_NONE)
		return -ENOMEM;
	more = reallocarray(*list, (size_t)bigger, sizeof **list);
	if (more == NULL)
		return -ENOMEM;
	*list = more;
	*room = (uint32_t)bigger;
	return 0;
}

static int
reserve_records(struct register_table *t, uint32_t more)
{
	uint64_t wanted = (uint64_t)t->end + more, bigger = (uint64_t)t->room + t->room / 2;
	struct record **list;

	if (wanted <= t->room)
		return 0;
	if (bigger < wanted)
		bigger = wanted;
	if (bigger >= REGISTER_NONE)
		return -ENOMEM;
	list = reallocarray(t->list, (size_t)bigger, sizeof *list);
	if (list == NULL)
		return -ENOMEM;
	t->list = list;
	t->room = (uint32_t)bigger;
	return 0;
}

static int
reserve(struct register_book *b, enum register_kind kind, const struct edit_part *part)
{
	struct register_table *t = &b->tables[kind];
	int r;

	if ((r = reserve_records(t, part->put_count)) < 0 ||
	    (r = reserve_numbers(&t->holes, &t->hole_room, (uint64_t)t->hole_count + part->drop_count)) < 0 ||
	    (r = places_reserve(&t->by_key, part->put_count)) < 0)
		return r;
	/* Whoever is no candidate today may be one when settings change. */
	r = places_reserve(&t->by_name, (uint64_t)t->count + part->put_count - t->by_name.used);
	return r < 0 ? r : places_reserve(&t->by_id, (uint64_t)t->count + part->put_count - t->by_id.used);
}

static int
part_init(struct edit_part *part, uint32_t puts, uint32_t drops)
{
	part->puts = calloc((size_t)puts + 1, sizeof *part->puts);
	part->at = calloc((size_t)puts + 1, sizeof *part->at);
	part->drops = calloc((size_t)drops + 1, sizeof *part->drops);
	part->gone = calloc((size_t)puts + drops + 1, sizeof *part->gone);
	return part->puts == NULL || part->at == NULL || part->drops == NULL || part->gone == NULL ? -ENOMEM : 0;
}

static int
part_put(const struct register_book *b, enum register_kind kind, struct edit_part *part, struct record *r)
{
	if (r == NULL)
		return -ENOMEM;
	r->next_name = r->next_id = REGISTER_NONE;
	part->at[part->put_count] = register_find_key(b, kind, r->key);
	part->puts[part->put_count++] = r;	/* now owned by part */
	return 0;
}

/* Whoever changed and is not needed here is dropped also where nobody knew him. */
static void
part_drop(const struct register_book *b, enum register_kind kind, struct edit_part *part, uint64_t key)
{
	uint32_t at = register_find_key(b, kind, key);

	if (at != REGISTER_NONE)
		part->drops[part->drop_count++] = at;
}

static int
prepare_groups(struct register_book *b, struct roster *roster, struct edit_part *part)
{
	const struct roster_group *g;
	int r;

	r = part_init(part, roster_group_count(roster), roster_dropped_group_count(roster));
	for (uint32_t i = 0; r == 0 && (g = roster_group_at(roster, i)) != NULL; i++)
		r = part_put(b, REGISTER_GROUPS, part, record_pack_group(g));
	for (uint32_t i = 0; r == 0 && i < roster_dropped_group_count(roster); i++)
		part_drop(b, REGISTER_GROUPS, part, roster_dropped_group_at(roster, i));
	return r == 0 ? reserve(b, REGISTER_GROUPS, part) : r;
}

static int
prepare_users(struct register_book *b, struct roster *roster, struct edit_part *part)
{
	const struct roster_user *u;
	int r;

	r = part_init(part, roster_user_count(roster), roster_dropped_user_count(roster));
	for (uint32_t i = 0; r == 0 && (u = roster_user_at(roster, i)) != NULL; i++)
		r = part_put(b, REGISTER_USERS, part, record_pack_user(u));
	for (uint32_t i = 0; r == 0 && i < roster_dropped_user_count(roster); i++)
		part_drop(b, REGISTER_USERS, part, roster_dropped_user_at(roster, i));
	return r == 0 ? reserve(b, REGISTER_USERS, part) : r;
}

/* What all records will take: many changes add up, and whoever sends them is not trusted with our memory. */
static uint64_t
bytes_after(const struct register_book *b, const struct register_edit *edit)
{
	uint64_t bytes = b->bytes;

	for (enum register_kind kind = 0; kind < REGISTER_KINDS; kind++) {
		const struct edit_part *part = &edit->parts[kind];

		for (uint32_t i = 0; i < part->drop_count; i++)
			bytes -= record_size(register_at(b, kind, part->drops[i]), kind);
		for (uint32_t i = 0; i < part->put_count; i++) {
			bytes += record_size(part->puts[i], kind);
			if (part->at[i] != REGISTER_NONE)
				bytes -= record_size(register_at(b, kind, part->at[i]), kind);
		}
	}
	return bytes;
}

int
register_edit_prepare(struct register_book *b, struct roster *roster, struct register_edit *ret)
{
	int r;

	*ret = (struct register_edit){ 0 };
	r = prepare_groups(b, roster, &ret->parts[REGISTER_GROUPS]);
	if (r == 0)
		r = prepare_users(b, roster, &ret->parts[REGISTER_USERS]);
	if (r == 0)
		r = register_reserve_claims(b, roster_user_count(roster));
	ret->bytes = r == 0 ? bytes_after(b, ret) : 0;
	if (ret->bytes > ROSTER_BYTES_MAX)
		r = -E2BIG;
	if (r < 0)
		register_edit_done(ret);
	return r;
}

/* Take a record out of everything but the list and the index by key. */
static struct record *
take_out(struct register_book *b, enum register_kind kind, uint32_t at)
{
	struct register_table *t = &b->tables[kind];
	struct record *r = t->list[at];

	if ((r->bits & RECORD_CANDIDATE) != 0)
		register_unlink(b, kind, at);
	if (kind == REGISTER_USERS)
		register_count_claims(b, r, UINT32_MAX);		/* one less */
	if (kind == REGISTER_USERS && (r->bits & RECORD_HOLDS) != 0)
		homes_remove(&b->homes, b->secret, user_record_home(record_user(r)));
	if ((r->bits & RECORD_ACCEPTED) != 0) {
		t->accepted--;
		if (kind == REGISTER_GROUPS)
			id_set_remove(&b->gids, r->id);
	}
	return r;
}

static void
make_part(struct register_book *b, enum register_kind kind, struct edit_part *part)
{
	struct register_table *t = &b->tables[kind];
	uint32_t hash, slot;

	for (uint32_t i = 0; i < part->drop_count; i++) {
		uint32_t at = part->drops[i];
		struct record *r = take_out(b, kind, at);

		places_remove(&t->by_key, slot_of(b, kind, BY_KEY, &t->by_key, r, NULL, &hash));
		t->list[at] = NULL;
		t->holes[t->hole_count++] = at;
		t->count--;
		part->gone[part->gone_count++] = r;
	}
	for (uint32_t i = 0; i < part->put_count; i++) {
		uint32_t at = part->at[i];

		if (i + AHEAD < part->put_count)
			places_expect(b, BY_KEY, &t->by_key, part->puts[i + AHEAD], NULL);
		if (kind == REGISTER_USERS)
			register_count_claims(b, part->puts[i], 1);
		if (at != REGISTER_NONE) {
			part->gone[part->gone_count++] = take_out(b, kind, at);
			t->list[at] = part->puts[i];
		} else {
			at = part->at[i] = t->hole_count > 0 ? t->holes[--t->hole_count] : t->end++;
			t->list[at] = part->puts[i];
			slot = slot_of(b, kind, BY_KEY, &t->by_key, part->puts[i], NULL, &hash);
			t->by_key.slots[slot] = (struct place){ at + 1, hash };
			t->by_key.used++;
			t->count++;
		}
		part->puts[i] = NULL;	/* now owned by the table */
	}
}

void
register_edit_make(struct register_book *b, struct register_edit *edit)
{
	make_part(b, REGISTER_GROUPS, &edit->parts[REGISTER_GROUPS]);
	make_part(b, REGISTER_USERS, &edit->parts[REGISTER_USERS]);
	b->bytes = edit->bytes;
}

void
register_edit_done(struct register_edit *edit)
{
	for (enum register_kind kind = 0; kind < REGISTER_KINDS; kind++) {
		struct edit_part *part = &edit->parts[kind];

		for (uint32_t i = 0; i < part->put_count; i++)
			free(part->puts[i]);
		for (uint32_t i = 0; i < part->gone_count; i++)
			free(part->gone[i]);
		free(part->puts);
		free(part->at);
		free(part->drops);
		free(part->gone);
	}
	*edit = (struct register_edit){ 0 };
}

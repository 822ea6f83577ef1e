/*
 * census.c - the items of the census: staged, judged, taken in; all of a change or nothing of it (see census.h).
 *
 * Directory process, on its loop. While a change is judged, an item has its entry as it was beside the one as it is, and
 * the index knows the keys of both.
 */
#include <config.h>

#include "daemon/census.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/census_parts.h"

int
census_push(uint32_t **list, size_t *count, size_t *room, uint32_t value)
{
	if (*count == *room) {
		size_t bigger_room = *room == 0 ? 16 : *room * 2;
		uint32_t *bigger = reallocarray(*list, bigger_room, sizeof *bigger);

		if (bigger == NULL)
			return -ENOMEM;
		*list = bigger;
		*room = bigger_room;
	}
	(*list)[(*count)++] = value;
	return 0;
}

/* ---- keys ---- */

#define OWN_KEYS 5u			/* of an account: its id, DN, name, number and UUID; most entries are accounts */

struct keying {
	struct census *c;
	uint32_t item;
	size_t count;			/* added, or left to be removed */
	bool children, others;		/* which kinds are removed */
};

static bool
is_child_key(enum census_kind kind)
{
	return kind == CENSUS_CHILD_DN || kind == CENSUS_CHILD_NAME;
}

static struct census_index *
index_of(struct census *c, enum census_kind kind)
{
	return is_child_key(kind) ? &c->children : &c->index;
}

static int
add_key(uint64_t key, enum census_kind kind, void *arg)
{
	struct keying *k = arg;
	int r = census_index_add(index_of(k->c, kind), key, k->item);

	k->count += r == 0;
	return r;
}

static int
remove_key(uint64_t key, enum census_kind kind, void *arg)
{
	struct keying *k = arg;

	if (k->count == 0)
		return 1;
	k->count--;
	if (is_child_key(kind) ? k->children : k->others)
		census_index_remove(index_of(k->c, kind), key, k->item);
	return 0;
}

static int
take_primary_gid(enum identity_claim kind, const char *key, void *arg)
{
	if (kind == CLAIM_PRIMARY_GID)
		*(uint32_t *)arg = (uint32_t)strtoul(key, NULL, 10);
	return 0;
}

/* What an item is by its entry. */
static int
describe(struct census *c, uint32_t item, const struct settings *settings)
{
	struct census_item *i = &c->items[item];
	const struct entry *e = census_now(c, item), *old = census_old(c, item);
	const char *token = e != NULL ? census_token(e, false) : NULL;

	if (c->unread < 0)
		return c->unread;
	i->gid = 0;
	i->token = token != NULL ? (uint32_t)strtoul(token, NULL, 10) : 0;
	i->waits = e != NULL && e->waits;
	i->is_user = (e != NULL && entry_has_class(e, "posixAccount")) ||
	    (old != NULL && entry_has_class(old, "posixAccount"));
	i->is_group = (e != NULL && identity_is_group(e)) || (old != NULL && identity_is_group(old));
	return e != NULL ? identity_claims(e, settings, take_primary_gid, &i->gid) : 0;
}

/* Every key of before anew: settings say otherwise what an entry claims. */
static int
index_anew(struct census *c, const struct settings *settings)
{
	struct census_index fresh, replaced = c->index, children = c->children;
	int r = census_index_init(&fresh, true);

	if (r < 0)
		return r;
	c->index = fresh;
	c->children = (struct census_index){ 0 };
	for (uint32_t i = 0; i < c->used && r == 0; census_step(i++)) {
		struct keying k = { .c = c, .item = i };
		const struct entry *before = c->items[i].staged != 0 ? census_old(c, i) : census_now(c, i);

		r = c->unread;
		if (before == NULL && c->items[i].staged == 0)
			continue;	/* free */
		if (r == 0)
			r = census_index_add(&c->index, census_id_key(c, c->items[i].id), i);
		if (r == 0 && before != NULL)
			r = census_each_key(c, before, settings, add_key, &k);
		if (r == 0)
			r = describe(c, i, settings);
	}
	if (r < 0) {
		census_index_done(&c->index);
		census_index_done(&c->children);
		c->index = replaced;
		c->children = children;
		return r;
	}
	census_index_done(&replaced);
	census_index_done(&children);
	return 0;
}

/* ---- staging ---- */

static bool
is_same_entry(const struct census *c, const struct census_item *i, const struct entry *e, uint32_t number)
{
	bool there = i->e != NULL || i->number != ENTRY_NOWHERE;

	if (!there || e == NULL || (number != ENTRY_NOWHERE && i->number == number))
		return there == (e != NULL);
	if (i->number != ENTRY_NOWHERE)
		return entry_heap_is(c->heap, i->number, e);
	return i->e == e || entry_same(i->e, e);
}

/* The same entry was told again: it may be in the heap now. number is held then. */
static void
keep(struct census *c, struct census_item *i, uint32_t number)
{
	if (number == ENTRY_NOWHERE)
		return;
	if (i->number == ENTRY_NOWHERE) {
		entry_free(i->e);
		i->e = NULL;
	}
	entry_heap_drop(c->heap, i->number);	/* whoever tells has it in another place: once is enough */
	i->number = number;
}

/* Room for one more. */
static int
reserve_staged(struct census *c)
{
	size_t room = c->staged_room == 0 ? 16 : c->staged_room * 2;
	struct census_staged *staged;

	if (c->staged_count < c->staged_room)
		return 0;
	staged = reallocarray(c->staged, room, sizeof *staged);
	if (staged == NULL)
		return -ENOMEM;
	c->staged = staged;
	c->staged_room = room;
	return 0;
}

/* Put an entry beside the one that is there. e is owned and number held then. */
static int
stage(struct census *c, uint32_t item, struct entry *e, uint32_t number, bool gone)
{
	struct census_item *i = &c->items[item];
	int r;

	if (i->staged == 0 && i->gone == gone && is_same_entry(c, i, e, number)) {
		entry_free(e);
		keep(c, i, number);
		return 0;
	}
	r = census_see_approved(c, item, e);
	if (r == 0 && i->staged == 0)
		r = reserve_staged(c);
	if (r < 0) {
		entry_free(e);
		entry_heap_drop(c->heap, number);
		return r;
	}
	if (i->staged != 0) {
		entry_free(i->e);	/* of one id the last one counts */
		entry_heap_drop(c->heap, i->number);
	} else {
		c->staged[c->staged_count++] = (struct census_staged){ .item = item, .number = i->number, .e = i->e,
			.gone = i->gone };
		i->staged = (uint32_t)c->staged_count;
	}
	i->e = e;
	i->number = number;
	i->gone = gone;
	return 0;
}

/* One that is only in the heap, and is there as it was. */
static bool
is_unread_same(const struct census *c, uint32_t item, const struct entry_change *change)
{
	const struct census_item *i = item != 0 ? &c->items[item - 1] : NULL;

	return i != NULL && i->staged == 0 && i->gone == change->gone && change->number != ENTRY_NOWHERE &&
	    i->number == change->number;
}

static int
stage_change(struct census *c, const char *nbase, struct entry_change *change, struct entry_window *window)
{
	uint32_t item = census_find_item(c, change->id), number = change->number;
	struct entry *e = change->e;
	int r = 0;

	if (is_unread_same(c, item, change)) {
		c->items[item - 1].listed = true;
		return 0;
	}
	change->e = NULL;		/* stage() owns it, and holds the number */
	change->number = ENTRY_NOWHERE;
	if (e == NULL && number != ENTRY_NOWHERE)
		r = entry_heap_next(c->heap, window, number, &e);
	if (r == 0 && item == 0 && e != NULL && identity_is_below(e->ndn, nbase)) {
		item = census_new_item(c, change->id);
		r = item == 0 ? -ENOMEM : 0;
	}
	if (r < 0 || (e != NULL && !identity_is_below(e->ndn, nbase))) {
		entry_free(e);
		entry_heap_drop(c->heap, number);
		e = NULL;
		number = ENTRY_NOWHERE;
	}
	if (r < 0 || item == 0)
		return r;
	c->items[item - 1].listed = true;
	return stage(c, item - 1, e, number, change->gone);
}

static int
stage_all(struct census *c, const struct settings *settings, struct entry_changes *changes)
{
	char *nbase = entry_normalise_dn(settings->directory_base);
	struct entry_window window = { 0 };
	int r = nbase != NULL ? 0 : -ENOMEM;

	if (c->used == 0)
		census_index_reserve(&c->index, changes->count * OWN_KEYS);
	for (size_t i = 0; changes->whole && i < c->used; i++)	/* others have been listed before */
		c->items[i].listed = false;
	for (size_t i = 0; i < changes->count && r == 0; census_step(i++))
		r = stage_change(c, nbase, &changes->list[i], &window);
	entry_window_done(&window);
	for (uint32_t i = 0; changes->whole && i < c->used && r == 0; i++)
		if (!c->items[i].listed && census_is_there(c, i))
			r = stage(c, i, NULL, ENTRY_NOWHERE, false);
	for (size_t i = 0; i < c->staged_count && r == 0; census_step(i++))
		r = describe(c, c->staged[i].item, settings);
	free(nbase);
	return r;
}

/* Children of the first state are due later. */
static int
(*keys_of(const struct census *c))(const struct census *c, const struct entry *e, const struct settings *settings,
    census_each *each, void *arg)
{
	return c->children_due ? census_each_own_key : census_each_key;
}

/* Keys of all staged entries as they are. ret: how many were done, and of one more how many keys. */
struct keyed {
	size_t items, more;
};

static int
add_keys(struct census *c, const struct settings *settings, struct keyed *ret)
{
	int r = 0;

	for (*ret = (struct keyed){ 0 }; ret->items < c->staged_count; census_step(ret->items++)) {
		struct keying k = { .c = c, .item = c->staged[ret->items].item };

		if (c->items[k.item].e != NULL)
			r = keys_of(c)(c, c->items[k.item].e, settings, add_key, &k);
		ret->more = k.count;
		if (r < 0)
			return r;
	}
	return 0;
}

static void
forget_touched(struct census *c)
{
	for (size_t i = 0; i < c->touched_count; i++)
		c->items[c->touched[i]].touched = false;
	c->touched_count = 0;
}

/* The index may lack keys, or have some too many: it is made anew by the next update, which judges everybody. */
static void
doubt(struct census *c, int r)
{
	c->doubtful = c->doubtful || r < 0;
}

/* An item is not staged any more. What is in the heap need not be in memory. */
static void
unstage(struct census *c, uint32_t item)
{
	struct census_item *i = &c->items[item];

	i->staged = 0;
	if (i->number != ENTRY_NOWHERE) {
		entry_free(i->e);
		i->e = NULL;
		i->head = false;
	}
	if (!census_is_there(c, item))
		census_drop_item(c, item);
}

/* Back to what was. */
static void
undo(struct census *c, const struct settings *settings, const struct keyed *keyed)
{
	for (size_t i = 0; i < c->staged_count; i++) {
		struct census_staged *s = &c->staged[i];
		struct keying k = { .c = c, .item = s->item, .count = i < keyed->items ? SIZE_MAX : keyed->more,
			.children = true, .others = true };
		struct census_item *at = &c->items[k.item];
		const struct entry *old = c->children_dropped ? census_old(c, k.item) : NULL;

		if (i <= keyed->items && at->e != NULL)
			doubt(c, keys_of(c)(c, at->e, settings, remove_key, &k));
		if (c->children_dropped && old != NULL)
			doubt(c, census_each_child(c, old, add_key, &k));
		entry_free(at->e);
		entry_heap_drop(c->heap, at->number);
		at->e = s->e;
		at->number = s->number;
		at->gone = s->gone;
		unstage(c, k.item);
		if (census_is_there(c, k.item))
			doubt(c, describe(c, k.item, settings));
	}
	doubt(c, c->unread);
	c->staged_count = 0;
	c->children_dropped = false;
	forget_touched(c);
}

/* ---- taking in ---- */

int
census_drop_children(struct census *c, const struct settings *settings)
{
	for (size_t i = 0; i < c->staged_count; i++) {
		struct keying k = { .c = c, .item = c->staged[i].item, .count = SIZE_MAX, .children = true };
		const struct entry *old = census_old(c, k.item);

		if (old != NULL)
			doubt(c, census_each_key(c, old, settings, remove_key, &k));
	}
	c->children_dropped = true;
	return c->doubtful ? -ENOMEM : 0;
}

/* Old entries go, with their keys. */
static void
settle(struct census *c, const struct settings *settings)
{
	for (size_t i = 0; i < c->staged_count; census_step(i++)) {
		struct census_staged *s = &c->staged[i];
		struct keying k = { .c = c, .item = s->item, .count = SIZE_MAX, .others = true,
			.children = !c->children_dropped };
		struct census_item *at = &c->items[k.item];
		bool was = census_was_there(c, s->item);
		const struct entry *old = census_old(c, s->item);

		c->present = c->present + (census_is_there(c, s->item) ? 1 : 0) - (was ? 1 : 0);
		if (old != NULL)
			doubt(c, census_each_key(c, old, settings, remove_key, &k));
		entry_free(s->e);
		entry_heap_drop(c->heap, s->number);
		if (was && at->e != NULL)
			at->is_user = entry_has_class(at->e, "posixAccount"), at->is_group = identity_is_group(at->e);
		unstage(c, k.item);
	}
	doubt(c, c->unread);
	c->staged_count = 0;
	c->children_dropped = false;
	forget_touched(c);
}

/* A whole load takes room as it goes; some more is left for changes. */
static void
pack(struct census *c)
{
	size_t room = c->used + c->used / 16 + 64;
	struct census_item *items = room < c->room ? reallocarray(c->items, room, sizeof *items) : NULL;
	uint32_t *list;

	free(c->staged);
	c->staged = NULL;
	c->staged_room = 0;
	if (items != NULL) {
		c->items = items;
		c->room = room;
	}
	list = room < c->free_room ? reallocarray(c->free_items, room, sizeof *list) : NULL;
	if (list != NULL) {
		c->free_items = list;
		c->free_room = room;
	}
	census_index_pack(&c->index);
	if (!c->children_due)
		census_index_pack(&c->children);
}

int
census_complete(struct census *c)
{
	int r = 0;

	if (!c->children_due)
		return 0;
	for (uint32_t i = 0; i < c->used && r == 0; census_step(i++)) {
		struct keying k = { .c = c, .item = i };
		const struct entry *e = c->items[i].is_group ? census_now(c, i) : NULL;

		r = e != NULL ? census_each_child(c, e, add_key, &k) : c->unread;
		census_release(c);
	}
	if (r < 0) {			/* better none than some: they are still due */
		census_index_done(&c->children);
		return r;
	}
	census_index_pack(&c->children);
	c->children_due = false;
	return 0;
}

int
census_update(struct census *c, const struct census_how *how, struct entry_changes *changes, struct census_news *ret)
{
	struct census_how now = *how;
	struct keyed keyed = { 0 };
	int r;

	c->doubtful = c->doubtful || c->children_due;
	c->children_due = c->used == 0;	/* the first state: nobody asks for them before it is judged */
	now.anew = how->anew || c->doubtful;
	how = &now;
	r = stage_all(c, how->settings, changes);
	entry_changes_done(changes);
	if (r == 0 && how->anew && (c->present > 0 || c->doubtful))	/* else the index has no key of before */
		r = index_anew(c, how->settings);
	c->doubtful = c->doubtful && r < 0;
	if (r == 0)
		r = add_keys(c, how->settings, &keyed);
	if (r == 0)
		r = c->unread;
	c->accepting = how->accept_approved;
	if (r == 0 && (c->staged_count > 0 || how->anew || how->accept_newcomers || how->accept_approved))
		r = census_judge(c, how, ret);
	for (size_t i = 0; r >= 0 && c->accepting && i < c->used; i++)
		c->items[i].approved = false;
	c->accepting = false;
	if (r < 0)
		undo(c, how->settings, &keyed);
	else
		settle(c, how->settings);
	census_release(c);
	if (ret->whole)
		pack(c);
	return r;
}

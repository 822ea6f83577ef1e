/*
 * census_closure.c - some users with all that their standing depends on, as a small directory of its own.
 *
 * Directory process. Whoever is asked for is expanded: everybody who claims what he claims comes along, to be compared
 * with, and every group that has him comes along and is expanded in turn. Entries are borrowed as shadows, groups with those members alone
 * that are here. identities_build_from() then says of the expanded ones what it would say of them in the whole.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/pages.h"
#include "common/snapshot.h"
#include "daemon/census_parts.h"

/* A membership: child is in parent, by DN, or by this name. */
struct link {
	uint32_t parent, child;		/* items */
	const char *name;		/* borrowed from the child's entry; NULL: by DN */
};

struct closure {
	struct census *c;		/* borrowed */
	const struct settings *settings;	/* borrowed */
	bool everybody;
	bool shares;			/* somebody's DN is also another one's */
	uint32_t *list;			/* owned; items, ascending once complete */
	bool *expanded;			/* owned; by place, until the list is sorted */
	struct entry **held;		/* owned; of the list, in no order: shadows and links borrow from them */
	size_t count, room, expanded_room;
	struct link *links;		/* owned; sorted by parent once complete */
	size_t link_count, link_room;
	struct entry *shadows;		/* owned; by place */
	size_t shadow_room;
	struct entry **given;		/* owned; those shadows that are entries of their own */
	struct attribute **attributes;	/* owned; arrays of limited shadows */
	size_t attributes_count;
	struct value *values;		/* owned; of all links */
	struct entry **merged;		/* owned; several of one DN */
	size_t merged_count;
	bool *touched;			/* owned; by place */
};

/* ---- who belongs to it ---- */

static bool
is_in(const struct closure *x, uint32_t item)
{
	return x->c->items[item].stamp == x->c->stamp;
}

/* An item's entry, of a group without its members: those who are here are found otherwise (limit_members()). */
static const struct entry *
entry_of(const struct closure *x, uint32_t item)
{
	return x->everybody ? census_now(x->c, item) : census_head(x->c, item);
}

/* Room for one more beside the list. */
static int
reserve(struct closure *x)
{
	bool *expanded;
	struct entry **held;

	if (x->expanded_room == x->room)
		return 0;
	expanded = realloc(x->expanded, x->room * sizeof *expanded);
	if (expanded == NULL)
		return -ENOMEM;
	x->expanded = expanded;
	held = reallocarray(x->held, x->room, sizeof(struct entry *));
	if (held == NULL)
		return -ENOMEM;
	x->held = held;
	x->expanded_room = x->room;
	return 0;
}

/* Returns 0, -E2BIG, -ENOMEM or -EIO. */
static int
include_one(struct closure *x, uint32_t item)
{
	struct census_item *i = &x->c->items[item];

	if (!census_is_there(x->c, item) || is_in(x, item))
		return 0;
	if (x->count >= CLOSURE_MAX && !x->everybody)
		return -E2BIG;
	if (entry_of(x, item) == NULL)
		return x->c->unread;
	i->place = (uint32_t)x->count;
	i->stamp = x->c->stamp;
	if (census_push(&x->list, &x->count, &x->room, item) < 0)
		return -ENOMEM;
	if (reserve(x) < 0) {
		x->count--;
		return -ENOMEM;
	}
	x->expanded[x->count - 1] = false;
	x->held[x->count - 1] = entry_ref(i->e);
	return 0;
}

/* With others of its DN, with which it is one. */
static int
include(struct closure *x, uint32_t item)
{
	const struct entry *e;
	uint32_t at = 0, other;
	uint64_t key;
	int r;

	if (!census_is_there(x->c, item) || is_in(x, item))
		return 0;
	r = include_one(x, item);
	if (r < 0)
		return r;
	e = x->c->items[item].e;
	key = census_key(&x->c->index, CENSUS_DN, e->ndn, strlen(e->ndn));
	while (r == 0 && (other = census_index_next(&x->c->index, key, &at)) != 0)
		r = include_one(x, other - 1);
	return r;
}

static int
add_link(struct closure *x, uint32_t parent, uint32_t child, const char *name)
{
	struct link *links;

	if (x->link_count == x->link_room) {
		size_t room = x->link_room == 0 ? 64 : x->link_room * 2;

		links = reallocarray(x->links, room, sizeof *links);
		if (links == NULL)
			return -ENOMEM;
		x->links = links;
		x->link_room = room;
	}
	x->links[x->link_count++] = (struct link){ parent, child, name };
	return 0;
}

struct expanding {
	struct closure *x;
	uint32_t *next;			/* owned; items to be expanded */
	size_t count, room;
};

/* Whoever claims the same; groups that claim a user's primary gid decide about him, so they are expanded (expand()). */
static int
include_claimants(uint64_t key, enum census_kind kind, void *arg)
{
	struct expanding *to = arg;
	uint32_t at = 0, item;
	size_t others = 0;
	int r = 0;

	while (r == 0 && (item = census_next_claimant(to->x->c, kind, key, &at, &others)) != 0)
		r = include(to->x, item - 1);
	return r;
}

/* Groups that have a child under this key. */
static int
include_parents(struct expanding *to, uint64_t key, uint32_t child, const char *name)
{
	uint32_t at = 0, item;
	int r = 0;

	while (r == 0 && (item = census_index_next(&to->x->c->children, key, &at)) != 0) {
		if (!census_is_there(to->x->c, item - 1))
			continue;
		r = add_link(to->x, item - 1, child, name);
		if (r == 0)
			r = census_push(&to->next, &to->count, &to->room, item - 1);
	}
	return r;
}

/* A user's primary group, by its gid or its token. */
static int
include_primary(struct expanding *to, enum census_kind kind, uint32_t number)
{
	uint32_t at = 0, item;
	char digits[16];
	uint64_t key;
	size_t others = 0;
	int r = 0, n = snprintf(digits, sizeof digits, "%u", (unsigned)number);

	if (number == 0)
		return 0;
	key = census_key(&to->x->c->index, (unsigned char)kind, digits, (size_t)n);
	while (r == 0 && (item = census_next_claimant(to->x->c, kind, key, &at, &others)) != 0)
		r = census_push(&to->next, &to->count, &to->room, item - 1);
	return r;
}

/* Others of an item's DN, with which it is one. */
static int
include_same_dn(struct expanding *to, uint32_t self, const struct entry *e)
{
	uint64_t key = census_key(&to->x->c->index, CENSUS_DN, e->ndn, strlen(e->ndn));
	uint32_t at = 0, item;
	int r = 0;

	while (r == 0 && (item = census_index_next(&to->x->c->index, key, &at)) != 0)
		if (census_is_there(to->x->c, item - 1) && item - 1 != self)
			r = census_push(&to->next, &to->count, &to->room, item - 1);
	return r;
}

static int
expand(struct expanding *to, uint32_t item)
{
	const struct census *c = to->x->c;
	int r = include(to->x, item);
	const struct entry *e = c->items[item].e;
	const struct attribute *names = e != NULL ? entry_attribute(e, "uid") : NULL;

	if (r < 0 || e == NULL || to->x->expanded[c->items[item].place])
		return r;
	to->x->expanded[c->items[item].place] = true;
	r = census_each_claim(c, e, to->x->settings, include_claimants, to);
	if (r == 0)
		r = include_same_dn(to, item, e);
	if (r == 0)
		r = include_parents(to, census_key(&c->index, CENSUS_CHILD_DN, e->ndn, strlen(e->ndn)), item, NULL);
	for (size_t i = 0; r == 0 && c->items[item].is_user && names != NULL && i < names->count; i++) {
		const char *name = names->values[i].bytes;

		if (snapshot_name_allowed(name, strlen(name)))
			r = include_parents(to, census_key(&c->index, CENSUS_CHILD_NAME, name, strlen(name)), item, name);
	}
	if (r == 0)
		r = include_primary(to, (enum census_kind)CLAIM_GID, c->items[item].gid);
	return r == 0 ? include_primary(to, CENSUS_TOKEN, c->items[item].token) : r;
}

static int
expand_all(struct closure *x, const uint32_t *seeds, size_t count)
{
	struct expanding to = { .x = x };
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++)
		r = expand(&to, seeds[i]);
	for (size_t i = 0; i < to.count && r == 0; i++)
		r = expand(&to, to.next[i]);
	free(to.next);
	return r;
}

static int
include_everybody(struct closure *x)
{
	int r = 0;

	x->everybody = true;
	for (size_t i = 0; i < x->c->used && r == 0; i++)
		r = include_one(x, (uint32_t)i);
	return r;
}

/* ---- their entries ---- */

static int
compare_items(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int
compare_links(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	return (x->parent > y->parent) - (x->parent < y->parent);
}

static bool
is_member_attribute(const char *name)
{
	return strcasecmp(name, "member") == 0 || strcasecmp(name, "memberUid") == 0;
}

/* Any value longer than an entry may have makes it broken: then it is not made shorter here. */
static bool
is_oversized(const struct entry *e)
{
	for (size_t i = 0; i < e->count; i++)
		for (size_t k = 0; is_member_attribute(e->attributes[i].name) && k < e->attributes[i].count; k++)
			if (e->attributes[i].values[k].len > ENTRY_VALUE_MAX)
				return true;
	return false;
}

/* The first link of a parent. */
static size_t
first_link(const struct closure *x, uint32_t parent)
{
	size_t low = 0, high = x->link_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (x->links[middle].parent < parent)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The values of a group's member, or memberUid: those who are here. They lie where its links lie, names behind DNs. */
static struct attribute
limited_values(struct closure *x, size_t link, size_t end, bool by_name)
{
	struct attribute a = { .name = by_name ? "memberUid" : "member" };
	size_t at = link;

	for (size_t i = link; by_name && i < end; i++)
		at += x->links[i].name == NULL;
	a.values = &x->values[at];
	for (size_t i = link; i < end; i++) {
		const char *text = by_name ? x->links[i].name : x->c->items[x->links[i].child].e->dn;

		if ((x->links[i].name != NULL) == by_name)
			a.values[a.count++] = (struct value){ (char *)(uintptr_t)text, strlen(text) };
	}
	return a;
}

/* Borrow an entry of which others hold references: field by field, since those are counted elsewhere meanwhile. */
static void
cast_shadow(const struct entry *e, bool gone, struct entry *ret)
{
	ret->dn = e->dn;
	ret->ndn = e->ndn;
	ret->attributes = e->attributes;
	ret->count = e->count;
	ret->names = e->names;
	ret->bytes = e->bytes;
	ret->waits = e->waits;
	ret->gone = gone;
}

/* A group without the members who are not here. */
static int
limit_members(struct closure *x, uint32_t item, struct entry *shadow)
{
	size_t link = first_link(x, item), end = link, count = 0;
	struct attribute *attributes;

	if (!x->c->items[item].is_group || is_oversized(shadow) || shadow->count >= ENTRY_ATTRIBUTES_MAX)
		return 0;
	while (end < x->link_count && x->links[end].parent == item)
		end++;
	attributes = calloc(shadow->count + 2, sizeof *attributes);
	if (attributes == NULL)
		return -ENOMEM;
	x->attributes[x->attributes_count++] = attributes;
	for (size_t i = 0; i < shadow->count; i++)
		if (!is_member_attribute(shadow->attributes[i].name))
			attributes[count++] = shadow->attributes[i];
	for (int by_name = 0; by_name < 2; by_name++) {
		attributes[count] = limited_values(x, link, end, by_name);
		count += attributes[count].count > 0;
	}
	shadow->attributes = attributes;
	shadow->count = count;
	shadow->names |= entry_name_bit("member") | entry_name_bit("memberUid");
	return 0;
}

/* Two that claim one DN become one with the values of both, which no user can be (THREATS I10). */
static int
merge(struct closure *x, struct entry *shadow, const struct entry *other)
{
	struct entry *both = entry_new(shadow->dn), **merged;

	if (both == NULL || entry_add_all(both, shadow) < 0 || entry_add_all(both, other) < 0)
		goto out;
	merged = reallocarray(x->merged, x->merged_count + 1, sizeof(struct entry *));
	if (merged == NULL)
		goto out;
	x->merged = merged;
	x->merged[x->merged_count++] = both;	/* now owned there */
	cast_shadow(both, false, shadow);
	return 0;
out:
	entry_free(both);
	return -ENOMEM;
}

/* The first here of an item's DN: of those that are gone, if there are such. */
static uint32_t
first_of_dn(const struct closure *x, uint32_t item)
{
	const char *ndn = x->c->items[item].e->ndn;
	uint64_t key = census_key(&x->c->index, CENSUS_DN, ndn, strlen(ndn));
	uint32_t at = 0, found, first = item;

	while ((found = census_index_next(&x->c->index, key, &at)) != 0) {
		const struct census_item *other = &x->c->items[found - 1], *best = &x->c->items[first];

		if (is_in(x, found - 1) && strcmp(other->e->ndn, ndn) == 0 &&
		    (other->gone > best->gone || (other->gone == best->gone && found - 1 < first)))
			first = found - 1;
	}
	return first;
}

/*
 * Give an item's entry: by its own shadow, or into that of the first one of its DN. One that is gone and only shown until
 * a person has looked keeps the DN to itself.
 */
static int
give(struct closure *x, uint32_t place, size_t *given)
{
	uint32_t item = x->list[place], first = first_of_dn(x, item);
	const struct census_item *i = &x->c->items[item];
	int r = 0;

	x->shares = x->shares || first != item;
	if (first != item)
		return x->c->items[first].gone ? 0 : merge(x, &x->shadows[x->c->items[first].place], i->e);
	cast_shadow(i->e, i->gone, &x->shadows[place]);
	if (!x->everybody)
		r = limit_members(x, item, &x->shadows[place]);
	x->given[(*given)++] = &x->shadows[place];
	return r;
}

static int
give_all(struct closure *x, size_t *ret_given)
{
	int r = 0;

	x->shadows = pages_take_array(x->shadow_room = x->count + 1, sizeof *x->shadows);
	x->given = calloc(x->count + 1, sizeof(struct entry *));
	x->touched = calloc(x->count + 1, sizeof *x->touched);
	x->values = calloc(x->link_count + 1, sizeof *x->values);
	x->attributes = calloc(x->everybody ? 1 : x->count + 1, sizeof(struct attribute *));
	if (x->shadows == NULL || x->given == NULL || x->touched == NULL || x->values == NULL || x->attributes == NULL)
		return -ENOMEM;
	/* In the order of items, as everybody would stand: which of two faults is named does not depend on who is here. */
	if (x->count > 0)
		qsort(x->list, x->count, sizeof *x->list, compare_items);
	for (size_t i = 0; i < x->count; i++) {
		x->c->items[x->list[i]].place = (uint32_t)i;
		x->touched[i] = x->c->items[x->list[i]].touched;
	}
	if (x->link_count > 0)
		qsort(x->links, x->link_count, sizeof *x->links, compare_links);
	for (uint32_t i = 0; i < x->count && r == 0; i++)
		r = give(x, i, ret_given);
	return r;
}

/* ---- the whole of it ---- */

static void
closure_free(struct closure *x)
{
	if (x == NULL)
		return;
	for (size_t i = 0; i < x->attributes_count; i++)
		free(x->attributes[i]);
	for (size_t i = 0; i < x->merged_count; i++)
		entry_free(x->merged[i]);
	for (size_t i = 0; i < x->count; i++)
		entry_free(x->held[i]);
	free(x->held);
	free(x->attributes);
	free(x->merged);
	free(x->touched);
	free(x->values);
	pages_free(x->shadows, x->shadow_room * sizeof *x->shadows);
	free(x->given);
	free(x->links);
	free(x->expanded);
	free(x->list);
	free(x);
}

void
census_part_done(struct census_part *part)
{
	identities_done(&part->identities);
	closure_free(part->closure);
	*part = (struct census_part){ 0 };
}

uint32_t
closure_item(const struct closure *x, const struct entry *e)
{
	return x->list[e - x->shadows];
}

bool
closure_shares(const struct closure *x)
{
	return x->shares;
}

bool
closure_is_touched(const struct closure *x, const struct entry *e)
{
	return x->touched[e - x->shadows];
}

int
closure_build(struct census *c, const struct settings *settings, const struct identity_holders *holders,
    const uint32_t *seeds, size_t count, struct census_part *ret)
{
	struct closure *x = calloc(1, sizeof *x);
	struct census_past from = { .c = c, .x = x, .settings = settings };
	const struct identity_past past = { .holder = census_past_holder, .knew = census_past_knew,
		.accepted = census_past_accepted, .arg = &from };
	struct entries entries = { 0 };
	int r;

	if (x == NULL)
		return -ENOMEM;
	x->c = c;
	x->settings = settings;
	c->stamp++;
	r = seeds == NULL ? include_everybody(x) : expand_all(x, seeds, count);
	if (r == 0)
		r = give_all(x, &entries.count);
	entries.list = x->given;
	from.owned = NULL;
	if (seeds == NULL)
		loop_alive();
	if (r == 0)
		r = identities_build_from(&entries, settings, c->counts.users > 0 || c->counts.groups > 0 || c->accepting ? &past : NULL, holders,
		    &ret->identities);
	if (seeds == NULL)
		loop_alive();
	entry_free(from.owned);
	if (r == 0 && c->unread < 0) {
		r = c->unread;
		identities_done(&ret->identities);
	}
	if (r < 0) {
		closure_free(x);
		return r;
	}
	ret->closure = x;
	return 0;
}

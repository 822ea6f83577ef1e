/*
 * census_touch.c - who may be another one by a change: its entries, whoever claims what they claim, and who is in their groups.
 *
 * Directory process. Too many cost time; one too few is a person who is let in, or kept, by what is no longer true.
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/census_parts.h"

#define TOUCHED_MIN	2000	/* fewer are judged one by one in any case */

struct touching {
	struct census *c;
	const struct settings *settings;
	uint32_t *groups;		/* owned; whose members are touched too, each once */
	size_t group_count, group_room;
	size_t limit;
	uint32_t self;			/* the item whose keys are looked at */
};

static int
touch(struct touching *t, uint32_t item)
{
	struct census_item *i = &t->c->items[item];

	if (i->touched)
		return 0;
	if (t->c->touched_count >= t->limit)
		return 1;
	if (census_push(&t->c->touched, &t->c->touched_count, &t->c->touched_room, item) < 0)
		return -ENOMEM;
	i->touched = true;		/* until forget_touched(), which knows the list alone */
	return 0;
}

/* All members of a group are to be touched, when its turn comes. */
static int
touch_members_of(struct touching *t, uint32_t item)
{
	if (t->c->items[item].members_touched)
		return 0;
	if (t->group_count >= t->limit)
		return 1;
	if (census_push(&t->groups, &t->group_count, &t->group_room, item) < 0)
		return -ENOMEM;
	t->c->items[item].members_touched = true;
	return 0;
}

static int
touch_child(struct touching *t, const struct value *v, bool by_name)
{
	uint32_t at = 0, item;
	int r = 0;

	while (r == 0 && (item = census_next_child(t->c, v, by_name, &at)) != 0) {
		r = touch(t, item - 1);
		if (r == 0 && t->c->items[item - 1].is_group)
			r = touch_members_of(t, item - 1);
	}
	return r;
}

static int
touch_children(struct touching *t, const struct entry *e, bool by_name)
{
	const struct attribute *a = e != NULL ? entry_attribute(e, by_name ? "memberUid" : "member") : NULL;
	int r = 0;

	for (size_t i = 0; a != NULL && i < a->count && r == 0; i++)
		r = touch_child(t, &a->values[i], by_name);
	return r;
}

/* ---- members that came or went ---- */

struct member_key {
	uint64_t key;
	const struct value *value;
};

static int
compare_keys(const void *a, const void *b)
{
	const struct member_key *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

/* The keys of a group's members, sorted. Returns how many, or -ENOMEM. */
static ssize_t
list_keys(const struct census *c, const struct entry *e, bool by_name, struct member_key **ret)
{
	const struct attribute *a = e != NULL ? entry_attribute(e, by_name ? "memberUid" : "member") : NULL;
	size_t count = 0;

	*ret = calloc(a != NULL ? a->count + 1 : 1, sizeof **ret);
	if (*ret == NULL)
		return -ENOMEM;
	for (size_t i = 0; a != NULL && i < a->count; i++) {
		if (census_child_key(c, &a->values[i], by_name, &(*ret)[count].key))
			(*ret)[count++].value = &a->values[i];
	}
	if (count > 0)
		qsort(*ret, count, sizeof **ret, compare_keys);
	return (ssize_t)count;
}

static int
touch_difference(struct touching *t, uint32_t item, bool by_name)
{
	struct member_key *before = NULL, *now = NULL;
	ssize_t before_count = list_keys(t->c, census_old(t->c, item), by_name, &before);
	ssize_t now_count = list_keys(t->c, census_now(t->c, item), by_name, &now);
	int r = before_count < 0 || now_count < 0 ? -ENOMEM : 0;

	for (ssize_t b = 0, n = 0; r == 0 && (b < before_count || n < now_count);) {
		if (n == now_count || (b < before_count && before[b].key < now[n].key))
			r = touch_child(t, before[b++].value, by_name);
		else if (b == before_count || now[n].key < before[b].key)
			r = touch_child(t, now[n++].value, by_name);
		else
			b++, n++;
	}
	free(before);
	free(now);
	return r;
}

/* ---- one change ---- */

static bool
is_member_attribute(const char *name)
{
	return strcasecmp(name, "member") == 0 || strcasecmp(name, "memberUid") == 0;
}

bool
census_same_but_members(const struct entry *a, const struct entry *b)
{
	size_t left = 0;

	if (strcmp(a->dn, b->dn) != 0 || a->waits != b->waits)
		return false;
	for (size_t i = 0; i < b->count; i++)
		left += !is_member_attribute(b->attributes[i].name);
	for (size_t i = 0; i < a->count; i++) {
		if (is_member_attribute(a->attributes[i].name))
			continue;
		if (!entry_same_values(a, b, a->attributes[i].name))
			return false;
		left--;
	}
	return left == 0;
}

/* A value too long breaks the whole group (identity_check_sizes()). */
static bool
is_odd(const struct entry *e)
{
	const char *const names[] = { "member", "memberUid" };

	for (size_t n = 0; n < 2; n++) {
		const struct attribute *a = entry_attribute(e, names[n]);

		for (size_t i = 0; a != NULL && i < a->count; i++)
			if (a->values[i].len > ENTRY_VALUE_MAX)
				return true;
	}
	return e->count >= ENTRY_ATTRIBUTES_MAX;
}

static int
touch_claimants(uint64_t key, enum census_kind kind, void *arg)
{
	struct touching *t = arg;
	uint32_t at = 0, item;
	int r = 0;

	(void)kind;
	while (r == 0 && (item = census_index_next(&t->c->index, key, &at)) != 0) {
		if (item - 1 == t->self)
			continue;
		r = touch(t, item - 1);
		if (r == 0 && t->c->items[item - 1].is_group)
			r = touch_members_of(t, item - 1);
	}
	return r;
}

/* Whoever claims what an item claims, or claimed. */
static int
touch_around(struct touching *t, uint32_t item)
{
	const struct entry *old = census_old(t->c, item), *e = census_head(t->c, item);
	int r = t->c->unread;

	t->self = item;
	if (r == 0 && old != NULL)
		r = census_each_claim(t->c, old, t->settings, touch_claimants, t);
	if (r == 0 && e != NULL)
		r = census_each_claim(t->c, e, t->settings, touch_claimants, t);
	return r;
}

/* Others of its DN are one with it, and claim together, or nothing: the same for them. */
static int
touch_same_dn(struct touching *t, uint32_t item, const struct entry *e)
{
	uint64_t key;
	uint32_t at = 0, other;
	int r = 0;

	if (e == NULL)
		return 0;
	key = census_key(&t->c->index, CENSUS_DN, e->ndn, strlen(e->ndn));
	while (r == 0 && (other = census_index_next(&t->c->index, key, &at)) != 0)
		if (other - 1 != item)
			r = touch_around(t, other - 1);
	return r;
}

/* Whom somebody owns stands by how he stands. */
static int
touch_owned(struct touching *t, const struct entry *owner)
{
	uint32_t at = 0, item;
	int r = 0;

	while (r == 0 && owner != NULL && (item = census_next_owned(t->c, owner, &at)) != 0)
		r = touch(t, item - 1);
	return r;
}

static int
touch_staged(struct touching *t, uint32_t item)
{
	const struct entry *old = census_old(t->c, item), *e = census_now(t->c, item);
	const struct census_item *i = &t->c->items[item];
	int r = t->c->unread < 0 ? t->c->unread : touch(t, item);

	if (r == 0)
		r = touch_around(t, item);
	if (r == 0)
		r = touch_same_dn(t, item, old);
	if (r == 0)
		r = touch_same_dn(t, item, e);
	if (r == 0)
		r = touch_owned(t, old);
	if (r == 0)
		r = touch_owned(t, e);
	if (r != 0 || !i->is_group)
		return r;
	if (old == NULL || e == NULL || i->gone != census_was_gone(t->c, item) || is_odd(old) || is_odd(e) ||
	    !census_same_but_members(old, e))
		return touch_members_of(t, item);
	r = touch_difference(t, item, false);
	return r == 0 ? touch_difference(t, item, true) : r;
}

/* ---- whole groups ---- */

static int
compare_numbers(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

struct numbers {
	uint32_t *list;			/* owned */
	size_t count, room;
};

/* Of groups: by which users refer to them. */
struct references {
	struct numbers gids, tokens;
};

static int
add_number(struct numbers *to, const char *text)
{
	return census_push(&to->list, &to->count, &to->room, (uint32_t)strtoul(text, NULL, 10));
}

static int
take_gid(enum identity_claim kind, const char *key, void *arg)
{
	struct references *to = arg;

	return kind == CLAIM_GID ? add_number(&to->gids, key) : 0;
}

static int
take_references(const struct touching *t, const struct entry *e, struct references *to)
{
	const char *token = e != NULL ? census_token(e, true) : NULL;
	int r = e != NULL ? identity_claims(e, t->settings, take_gid, to) : 0;

	return r == 0 && token != NULL ? add_number(&to->tokens, token) : r;
}

static bool
has_number(const struct numbers *in, uint32_t number)
{
	return number != 0 && in->count > 0 &&
	    bsearch(&number, in->list, in->count, sizeof *in->list, compare_numbers) != NULL;
}

static void
sort_numbers(struct numbers *n)
{
	if (n->count > 0)
		qsort(n->list, n->count, sizeof *n->list, compare_numbers);
}

/* Whoever has one of these groups as primary group. */
static int
touch_primary(struct touching *t, struct references *of)
{
	int r = 0;

	if (of->gids.count + of->tokens.count == 0)
		return 0;
	sort_numbers(&of->gids);
	sort_numbers(&of->tokens);
	for (size_t i = 0; i < t->c->used && r == 0; i++) {
		const struct census_item *u = &t->c->items[i];

		if (has_number(&of->gids, u->gid) || has_number(&of->tokens, u->token))
			r = touch(t, (uint32_t)i);
	}
	return r;
}

static int
touch_groups(struct touching *t)
{
	struct references of = { 0 };
	int r = 0;

	for (size_t i = 0; i < t->group_count && r == 0; i++) {		/* grows meanwhile: groups within groups */
		const struct entry *e = census_now(t->c, t->groups[i]), *old = census_old(t->c, t->groups[i]);

		r = t->c->unread;
		for (int by_name = 0; by_name < 2 && r == 0; by_name++) {
			r = touch_children(t, e, by_name);
			if (r == 0)
				r = touch_children(t, old, by_name);
		}
		if (r == 0)
			r = take_references(t, e, &of);
		if (r == 0)
			r = take_references(t, old, &of);
	}
	if (r == 0)
		r = touch_primary(t, &of);
	free(of.gids.list);
	free(of.tokens.list);
	return r;
}

int
census_touch(struct census *c, const struct settings *settings)
{
	struct touching t = { .c = c, .settings = settings, .limit = c->used / 16 };
	int r = 0;

	if (t.limit < TOUCHED_MIN)
		t.limit = TOUCHED_MIN;
	if (t.limit > CLOSURE_MAX / 4)
		t.limit = CLOSURE_MAX / 4;
	for (size_t i = 0; i < c->staged_count && r == 0; i++)
		r = touch_staged(&t, c->staged[i].item);
	if (r == 0)
		r = touch_groups(&t);
	for (size_t i = 0; i < t.group_count; i++)
		c->items[t.groups[i]].members_touched = false;
	free(t.groups);
	return r;
}

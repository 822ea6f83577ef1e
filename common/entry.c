/*
 * entry.c - directory entries in memory, and how DNs compare.
 *
 * Used by the directory process and isms-userctl. It must never keep a value that was freed without
 * wiping it (userPassword and oathSecret pass through here), and never match an attribute with
 * options ("uid;lang-en") as if it had none.
 */
#include <config.h>

#include "common/entry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/tree.h"

/* Attributes whose values are DNs: they compare normalised. */
static const char *const dn_attributes[] = {
	"member", "manager", "owner", "secretary", "seeAlso", "oathTOTPToken", "oathHOTPToken", "oathTOTPParams",
	"oathHOTPParams", "ismsMember", "ismsGroup", "ismsApprover", "ismsRequest", "ismsArmedBy", "ismsReviewedBy",
	"ismsReviewer", "ismsDecidedBy", "ismsRequestedBy", "ismsCampaign", NULL
};

static int
compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return strcmp(x->ndn, y->ndn);
}

#define ALIGN		_Alignof(void *)	/* of arrays */
#define ATTRIBUTES	16	/* for which there is room at first, where nobody knows */

struct entry *
entry_new_of(struct arena_pool *pool, const char *dn, size_t attributes, size_t values, size_t bytes)
{
	struct arena memory = { NULL };
	char *ndn = entry_normalise_dn(dn);
	struct entry *e = NULL;

	if (ndn != NULL && ndn[0] != '\0') {
		arena_reserve_in(&memory, pool, sizeof *e + strlen(dn) + strlen(ndn) + 2 + bytes + (attributes + 2) * ALIGN +
		    attributes * sizeof *e->attributes + values * sizeof *e->attributes->values);
		e = arena_take(&memory, sizeof *e, _Alignof(struct entry));
	}
	if (e != NULL) {
		*e = (struct entry){ .room = (uint32_t)attributes };
		atomic_init(&e->refs, 1);
		e->attributes = arena_take(&memory, attributes * sizeof *e->attributes, ALIGN);
		e->dn = arena_text(&memory, dn);
		e->ndn = arena_text(&memory, ndn);
	}
	free(ndn);
	if (e == NULL || e->attributes == NULL || e->dn == NULL || e->ndn == NULL) {
		arena_done(&memory);
		return NULL;
	}
	e->bytes = sizeof *e + strlen(e->dn) + strlen(e->ndn);
	e->memory = memory;
	return e;
}

struct entry *
entry_new(const char *dn)
{
	return entry_new_of(NULL, dn, ATTRIBUTES, ATTRIBUTES, 24 * ATTRIBUTES);
}

struct entry *
entry_ref(struct entry *e)
{
	(void)atomic_fetch_add(&e->refs, 1);
	return e;
}

void
entry_free(struct entry *e)
{
	struct arena memory;

	if (e == NULL || atomic_fetch_sub(&e->refs, 1) > 1)
		return;
	memory = e->memory;		/* in which e lies */
	arena_done(&memory);
}

void
entries_done(struct entries *all)
{
	tree_done(&all->by_ndn);
	for (size_t i = 0; i < all->count; i++)
		entry_free(all->list[i]);
	free(all->list);
	*all = (struct entries){ 0 };
}

int
entries_add(struct entries *all, struct entry *e)
{
	const struct entry *there;

	if (all->count == all->room) {
		size_t room = all->room == 0 ? 64 : all->room * 2;
		struct entry **list = reallocarray(all->list, room, sizeof *list);

		if (list == NULL)
			return -ENOMEM;
		all->list = list;
		all->room = room;
	}
	there = tree_add(&all->by_ndn, e, compare_entries);
	if (there == NULL)
		return -ENOMEM;
	if (there != e)
		return -EEXIST;
	all->list[all->count++] = e;
	return 0;
}

struct entry *
entries_find(const struct entries *all, const char *dn)
{
	struct entry key = { 0 };
	const void *found;

	key.ndn = entry_normalise_dn(dn);
	if (key.ndn == NULL)
		return NULL;
	found = tree_find(&all->by_ndn, &key, compare_entries);
	free(key.ndn);
	return (struct entry *)found;	/* the list's own, which is not const */
}

bool
entries_remove(struct entries *all, const char *dn)
{
	struct entry *e = entries_find(all, dn);

	if (e == NULL)
		return false;
	tree_remove(&all->by_ndn, e, compare_entries);
	for (size_t i = 0; i < all->count; i++)
		if (all->list[i] == e) {
			memmove(&all->list[i], &all->list[i + 1], (all->count - i - 1) * sizeof(struct entry *));
			all->count--;
			break;
		}
	entry_free(e);
	return true;
}

/* By its first two letters, of which both cases are one. */
uint64_t
entry_name_bit(const char *name)
{
	unsigned first = (unsigned char)name[0] | 0x20u, second = first != 0x20 ? (unsigned char)name[1] | 0x20u : 0;

	return UINT64_C(1) << ((first * 7 + second) & 63);
}

static struct attribute *
find_attribute(const struct entry *e, const char *name)
{
	if ((e->names & entry_name_bit(name)) == 0)
		return NULL;
	for (size_t i = 0; i < e->count; i++)
		if ((e->attributes[i].name[0] | 0x20) == (name[0] | 0x20) &&	/* spares most of the calls */
		    strcasecmp(e->attributes[i].name, name) == 0)
			return &e->attributes[i];
	return NULL;
}

const struct attribute *
entry_attribute(const struct entry *e, const char *name)
{
	return find_attribute(e, name);
}

const char *
entry_value(const struct entry *e, const char *name)
{
	const struct attribute *a = find_attribute(e, name);

	return a != NULL && a->count > 0 ? a->values[0].bytes : NULL;
}

int
entry_single(const struct entry *e, const char *name, const char **ret)
{
	const struct attribute *a = find_attribute(e, name);

	if (a == NULL || a->count == 0)
		return 0;
	if (a->count > 1 || a->values[0].len > ENTRY_VALUE_MAX || strlen(a->values[0].bytes) != a->values[0].len)
		return -EBADMSG;
	*ret = a->values[0].bytes;
	return 1;
}

/* Whether a value of an attribute is another one: DNs and object classes compare as such. */
static bool
same_value(const char *name, const struct value *a, const char *b, size_t len)
{
	char *x, *y;
	bool same;

	if (a->len == len && memcmp(a->bytes, b, len) == 0)
		return true;
	if (strcasecmp(name, "objectClass") == 0)
		return strcasecmp(a->bytes, b) == 0;
	for (size_t i = 0; dn_attributes[i] != NULL; i++) {
		if (strcasecmp(dn_attributes[i], name) != 0)
			continue;
		x = entry_normalise_dn(a->bytes);
		y = entry_normalise_dn(b);
		same = x != NULL && y != NULL && strcmp(x, y) == 0;
		free(x);
		free(y);
		return same;
	}
	return false;
}

bool
entry_has_value(const struct entry *e, const char *name, const char *value)
{
	const struct attribute *a = find_attribute(e, name);
	size_t len = strlen(value);

	for (size_t i = 0; a != NULL && i < a->count; i++)
		if (same_value(name, &a->values[i], value, len))
			return true;
	return false;
}

bool
entry_has_class(const struct entry *e, const char *object_class)
{
	const struct attribute *a = find_attribute(e, "objectClass");

	for (size_t i = 0; a != NULL && i < a->count; i++)
		if ((a->values[i].bytes[0] | 0x20) == (object_class[0] | 0x20) &&
		    strcasecmp(a->values[i].bytes, object_class) == 0)
			return true;
	return false;
}

static bool
same_attribute(const struct attribute *a, const struct attribute *b)
{
	if (a == NULL || b == NULL || a->count != b->count)
		return a == b;
	for (size_t i = 0; i < a->count; i++)
		if (a->values[i].len != b->values[i].len || memcmp(a->values[i].bytes, b->values[i].bytes, a->values[i].len) != 0)
			return false;
	return true;
}

bool
entry_same_values(const struct entry *a, const struct entry *b, const char *name)
{
	return same_attribute(find_attribute(a, name), find_attribute(b, name));
}

bool
entry_same(const struct entry *a, const struct entry *b)
{
	if (a == b)
		return true;
	if (a->count != b->count || a->waits != b->waits || strcmp(a->dn, b->dn) != 0)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!same_attribute(&a->attributes[i], find_attribute(b, a->attributes[i].name)))
			return false;
	return true;
}

/* More room for an array of the entry's; what it has moves. NULL without memory. */
static void *
grow(struct entry *e, const void *list, size_t count, size_t room, size_t size)
{
	void *bigger = room < UINT32_MAX ? arena_take(&e->memory, room * size, ALIGN) : NULL;

	if (bigger != NULL && count > 0)
		memcpy(bigger, list, count * size);
	return bigger;
}

/* Find an attribute or append an empty one; lasting: its name is. NULL without memory. */
static struct attribute *
need_attribute(struct entry *e, const char *name, bool lasting)
{
	struct attribute *a = find_attribute(e, name);

	if (a != NULL)
		return a;
	if (e->count == e->room) {
		a = grow(e, e->attributes, e->count, e->count * 2 + ATTRIBUTES, sizeof *a);
		if (a == NULL)
			return NULL;
		e->attributes = a;
		e->room = (uint32_t)(e->count * 2 + ATTRIBUTES);
	}
	if (!lasting)
		name = arena_text(&e->memory, name);
	if (name == NULL)
		return NULL;
	a = &e->attributes[e->count++];
	*a = (struct attribute){ .name = name };
	e->names |= entry_name_bit(name);
	e->bytes += sizeof *a + strlen(name);
	return a;
}

static int
reserve_values(struct entry *e, struct attribute *a, size_t room)
{
	struct value *values = grow(e, a->values, a->count, room, sizeof *values);

	if (values == NULL)
		return -ENOMEM;
	a->values = values;
	a->room = (uint32_t)room;
	return 0;
}

static struct attribute *
with_room(struct entry *e, struct attribute *a, size_t values)
{
	return a == NULL || values <= a->room - a->count || reserve_values(e, a, a->count + values) == 0 ? a : NULL;
}

struct attribute *
entry_need(struct entry *e, const char *name, size_t values)
{
	return with_room(e, need_attribute(e, name, false), values);
}

struct attribute *
entry_need_lasting(struct entry *e, const char *name, size_t values)
{
	return with_room(e, need_attribute(e, name, true), values);
}

int
entry_append(struct entry *e, struct attribute *a, const void *bytes, size_t len)
{
	char *copy;

	/* Doubled: 100,000 members must not cost 100,000 moves. */
	if (a->count == a->room && reserve_values(e, a, a->count > 0 ? (size_t)a->count * 2 : 1) < 0)
		return -ENOMEM;
	copy = arena_take(&e->memory, len + 1, 1);
	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, bytes, len);
	copy[len] = '\0';
	a->values[a->count++] = (struct value){ .bytes = copy, .len = len };
	e->bytes += 3 * sizeof *a->values + len;	/* its place, of which as much again may be empty */
	return 0;
}

int
entry_add_value(struct entry *e, const char *name, const void *bytes, size_t len)
{
	struct attribute *a = need_attribute(e, name, false);

	return a != NULL ? entry_append(e, a, bytes, len) : -ENOMEM;
}

int
entry_add_all(struct entry *e, const struct entry *from)
{
	int r = 0;

	for (size_t i = 0; i < from->count; i++)
		for (size_t k = 0; k < from->attributes[i].count && r == 0; k++)
			r = entry_add_value(e, from->attributes[i].name, from->attributes[i].values[k].bytes,
			    from->attributes[i].values[k].len);
	return r;
}

/* Values that go stay in the arena as long as the entry does, but nobody finds there what they were. */
static void
wipe_values(const struct value *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		explicit_bzero(values[i].bytes, values[i].len);
}

static void
remove_attribute(struct entry *e, struct attribute *a)
{
	size_t i = (size_t)(a - e->attributes);

	memmove(a, a + 1, (e->count - i - 1) * sizeof *a);
	e->count--;
}

int
entry_set(struct entry *e, const char *name, const char *value)
{
	struct attribute *a = find_attribute(e, name), old;
	size_t at;

	if (a == NULL)
		return value != NULL ? entry_add_value(e, name, value, strlen(value)) : 0;
	at = (size_t)(a - e->attributes);
	old = *a;
	*a = (struct attribute){ .name = old.name };
	if (value != NULL && entry_add_value(e, name, value, strlen(value)) < 0) {	/* all or nothing */
		e->attributes[at] = old;
		return -ENOMEM;
	}
	wipe_values(old.values, old.count);
	if (value == NULL)
		remove_attribute(e, a);
	return 0;
}

int
entry_remove_value(struct entry *e, const char *name, const char *value)
{
	struct attribute *a = find_attribute(e, name);
	uint32_t left = 0;

	if (a == NULL)
		return 0;
	for (size_t i = 0; i < a->count; i++) {
		if (same_value(name, &a->values[i], value, strlen(value)))
			wipe_values(&a->values[i], 1);
		else
			a->values[left++] = a->values[i];
	}
	a->count = left;
	if (left == 0)
		remove_attribute(e, a);
	return 0;
}

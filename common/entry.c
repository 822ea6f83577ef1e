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

static void
value_done(struct value *v)
{
	if (v->bytes != NULL)
		explicit_bzero(v->bytes, v->len);
	free(v->bytes);
	*v = (struct value){ 0 };
}

static void
attribute_done(struct attribute *a)
{
	for (size_t i = 0; i < a->count; i++)
		value_done(&a->values[i]);
	free(a->values);
	free(a->name);
	*a = (struct attribute){ 0 };
}

struct entry *
entry_new(const char *dn)
{
	struct entry *e = calloc(1, sizeof *e);

	if (e == NULL)
		return NULL;
	atomic_init(&e->refs, 1);
	e->dn = strdup(dn);
	e->ndn = entry_normalise_dn(dn);
	if (e->dn == NULL || e->ndn == NULL || e->ndn[0] == '\0') {
		entry_free(e);
		return NULL;
	}
	e->bytes = sizeof *e + strlen(e->dn) + strlen(e->ndn);
	return e;
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
	if (e == NULL || atomic_fetch_sub(&e->refs, 1) > 1)
		return;
	for (size_t i = 0; i < e->count; i++)
		attribute_done(&e->attributes[i]);
	free(e->attributes);
	free(e->dn);
	free(e->ndn);
	free(e);
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

static struct attribute *
find_attribute(const struct entry *e, const char *name)
{
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

/* Whether two values of an attribute are the same one. */
static bool
same_value(const char *name, const struct value *a, const char *b)
{
	char *x, *y;
	bool same;

	if (a->len == strlen(b) && memcmp(a->bytes, b, a->len) == 0)
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

	for (size_t i = 0; a != NULL && i < a->count; i++)
		if (same_value(name, &a->values[i], value))
			return true;
	return false;
}

bool
entry_has_class(const struct entry *e, const char *object_class)
{
	return entry_has_value(e, "objectClass", object_class);
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

#define ROOM 4			/* attributes */

/* Find an attribute or append an empty one; NULL without memory. */
static struct attribute *
need_attribute(struct entry *e, const char *name)
{
	struct attribute *a = find_attribute(e, name);
	char *copy;

	if (a != NULL)
		return a;
	copy = strdup(name);
	a = e->attributes;
	if (e->count % ROOM == 0)	/* there is room up to the next multiple of it */
		a = reallocarray(e->attributes, e->count + ROOM, sizeof *a);
	if (a != NULL)
		e->attributes = a;
	if (copy == NULL || a == NULL) {
		free(copy);
		return NULL;
	}
	a = &e->attributes[e->count++];
	*a = (struct attribute){ .name = copy };
	e->bytes += sizeof *a + strlen(copy);
	return a;
}

int
entry_add_value(struct entry *e, const char *name, const void *bytes, size_t len)
{
	struct attribute *a;
	struct value *values;
	char *copy = malloc(len + 1);

	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, bytes, len);
	copy[len] = '\0';
	a = need_attribute(e, name);
	values = NULL;
	/* Doubled at powers of two: 100,000 members must not cost 100,000 moves. Room never shrinks below that. */
	if (a != NULL && (a->count & (a->count - 1)) == 0)
		values = reallocarray(a->values, a->count == 0 ? 1 : a->count * 2, sizeof *values);
	else if (a != NULL)
		values = a->values;
	if (values == NULL) {
		explicit_bzero(copy, len);
		free(copy);
		return -ENOMEM;
	}
	a->values = values;
	a->values[a->count++] = (struct value){ .bytes = copy, .len = len };	/* now owned by the entry */
	e->bytes += 3 * sizeof *values + len;	/* its place, of which as much again may be empty, and what malloc() adds */
	return 0;
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

static void
remove_attribute(struct entry *e, struct attribute *a)
{
	size_t i = (size_t)(a - e->attributes);

	attribute_done(a);
	memmove(a, a + 1, (e->count - i - 1) * sizeof *a);
	e->count--;
}

int
entry_set(struct entry *e, const char *name, const char *value)
{
	struct attribute *a = find_attribute(e, name);
	struct attribute old = { 0 };
	size_t at;
	int r;

	if (value == NULL) {
		if (a != NULL)
			remove_attribute(e, a);
		return 0;
	}
	if (a == NULL)
		return entry_add_value(e, name, value, strlen(value));
	at = (size_t)(a - e->attributes);
	old.values = a->values;
	old.count = a->count;
	a->values = NULL;
	a->count = 0;
	r = entry_add_value(e, name, value, strlen(value));
	if (r < 0) {			/* all or nothing */
		e->attributes[at].values = old.values;
		e->attributes[at].count = old.count;
		return r;
	}
	attribute_done(&old);
	return 0;
}

int
entry_remove_value(struct entry *e, const char *name, const char *value)
{
	struct attribute *a = find_attribute(e, name);
	size_t left = 0;

	if (a == NULL)
		return 0;
	for (size_t i = 0; i < a->count; i++) {
		if (same_value(name, &a->values[i], value))
			value_done(&a->values[i]);
		else
			a->values[left++] = a->values[i];
	}
	a->count = left;
	if (left == 0)
		remove_attribute(e, a);
	return 0;
}

/*
 * grant_nesting.c - groups within groups, upwards (see grant_nesting.h).
 *
 * Directory process and isms-userctl. It must never miss a group of which a grant makes somebody a member, as
 * identity_groups.c has it; one too many only tightens.
 */
#include <config.h>

#include "common/grant_nesting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/grant.h"
#include "common/identity_parts.h"
#include "common/siphash.h"

struct grant_link {
	uint64_t child;			/* hash of the DN of a member */
	size_t parent;			/* of groups */
};

uint64_t
grant_hash(const void *bytes, size_t len)
{
	static const uint64_t key[2];

	return siphash13(key, bytes, len);
}

/* ---- one group ---- */

static void
group_done(struct grant_group *g)
{
	free(g->ndn);
	free(g->name);
}

static int
group_read(const struct entry *e, uint64_t tag, struct grant_group *ret)
{
	const char *name = NULL, *number = entry_value(e, "gidNumber");
	bool named = entry_single(e, "cn", &name) == 1;
	uint64_t gid = 0;

	if (number != NULL && identity_parse_number(number, UINT32_MAX, &gid) < 0)
		gid = 0;
	*ret = (struct grant_group){ .ndn = strdup(e->ndn), .name = named ? strdup(name) : NULL, .gid = (uint32_t)gid,
		.tag = tag };
	if (ret->ndn != NULL && (ret->name != NULL || !named))
		return 0;
	group_done(ret);
	return -ENOMEM;
}

static int
group_copy(const struct grant_group *g, struct grant_group *ret)
{
	*ret = *g;
	ret->ndn = strdup(g->ndn);
	ret->name = g->name != NULL ? strdup(g->name) : NULL;
	if (ret->ndn != NULL && (ret->name != NULL || g->name == NULL))
		return 0;
	group_done(ret);
	return -ENOMEM;
}

static bool
is_same(const struct grant_group *a, const struct grant_group *b)
{
	return a->gid == b->gid && strcmp(a->ndn, b->ndn) == 0 && (a->name == NULL) == (b->name == NULL) &&
	    (a->name == NULL || strcmp(a->name, b->name) == 0);
}

/* ---- what one comes to ---- */

void
grant_reach_unref(struct grant_reach *r)
{
	if (r == NULL || --r->refs > 0)
		return;
	for (size_t i = 0; i < r->count; i++)
		group_done(&r->list[i]);
	free(r->list);
	free(r);
}

/* g is owned then. */
static int
reach_push(struct grant_reach *to, struct grant_group *g)
{
	struct grant_group *list;
	bool there = false;

	for (size_t i = 0; i < to->count && !there; i++)
		there = is_same(&to->list[i], g);
	to->many = to->many || (!there && to->count == GRANT_REACH_MAX);
	if (there || to->many) {
		group_done(g);
		return 0;
	}
	list = reallocarray(to->list, to->count + 1, sizeof *list);
	if (list == NULL) {
		group_done(g);
		return -ENOMEM;
	}
	to->list = list;
	to->list[to->count++] = *g;
	return 0;
}

int
grant_reach_add(struct grant_reach *to, const struct entry *e, uint64_t tag)
{
	struct grant_group g;
	int r = group_read(e, tag, &g);

	return r == 0 ? reach_push(to, &g) : r;
}

bool
grant_reach_has_more(const struct grant_reach *than_other, const struct grant_reach *other)
{
	for (size_t i = 0; i < than_other->count; i++) {
		bool there = than_other->list[i].gid == 0;

		for (size_t k = 0; k < other->count && !there; k++)
			there = other->list[k].gid == than_other->list[i].gid;
		if (!there)
			return true;
	}
	return false;
}

static void
measure(struct grant_reach *r, const struct settings *settings)
{
	for (size_t i = 0; i < r->count; i++) {
		int64_t longest_sec = r->list[i].name != NULL ?
		    grant_longest_sec(settings->directory_max_grant, r->list[i].name) : 0;

		if (i > 0 && longest_sec >= r->longest_sec)
			continue;
		r->longest_sec = longest_sec;
		r->limiting = i;
	}
}

/* ---- all of them ---- */

void
grant_nesting_done(struct grant_nesting *n)
{
	for (size_t i = 0; i < n->count; i++)
		group_done(&n->groups[i]);
	free(n->groups);
	free(n->links);
	*n = (struct grant_nesting){ 0 };
}

static int
add_link(struct grant_nesting *n, uint64_t child)
{
	if (n->link_count == n->link_room) {
		size_t room = n->link_room == 0 ? 64 : n->link_room * 2;
		struct grant_link *links = reallocarray(n->links, room, sizeof *links);

		if (links == NULL)
			return -ENOMEM;
		n->links = links;
		n->link_room = room;
	}
	n->links[n->link_count++] = (struct grant_link){ child, n->count };
	return 0;
}

/* Returns whether a value is a DN; without memory it is none, as identity_groups.c has it. */
static bool
member_hash(const struct value *v, uint64_t *ret)
{
	char *ndn = entry_normalise_dn(v->bytes);

	if (ndn == NULL)
		return false;
	*ret = grant_hash(ndn, strlen(ndn));
	free(ndn);
	return true;
}

int
grant_nesting_add(struct grant_nesting *n, const struct entry *e, uint64_t tag)
{
	const struct attribute *members = identity_is_group(e) ? entry_attribute(e, "member") : NULL;
	uint64_t child;
	int r = 0;

	if (members == NULL)
		return 0;
	if (n->count == n->room) {
		size_t room = n->room == 0 ? 64 : n->room * 2;
		struct grant_group *groups = reallocarray(n->groups, room, sizeof *groups);

		if (groups == NULL)
			return -ENOMEM;
		n->groups = groups;
		n->room = room;
	}
	for (size_t i = 0; i < members->count && r == 0; i++)
		if (member_hash(&members->values[i], &child))
			r = add_link(n, child);
	if (r == 0)
		r = group_read(e, tag, &n->groups[n->count]);
	n->count += r == 0;
	n->sorted = false;
	return r;
}

int
grant_nesting_add_all(struct grant_nesting *n, const struct entries *all)
{
	int r = 0;

	for (size_t i = 0; i < all->count && r == 0; i++)
		r = grant_nesting_add(n, all->list[i], 0);
	return r;
}

static int
compare_links(const void *a, const void *b)
{
	const struct grant_link *x = a, *y = b;

	return (x->child > y->child) - (x->child < y->child);
}

static int
add_parents(const struct grant_nesting *n, const char *ndn, struct grant_reach *to)
{
	uint64_t child = grant_hash(ndn, strlen(ndn));
	size_t low = 0, high = n->link_count;
	int r = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (n->links[middle].child < child)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < n->link_count && n->links[low].child == child && r == 0 && !to->many; low++) {
		struct grant_group g;

		r = group_copy(&n->groups[n->links[low].parent], &g);
		if (r == 0)
			r = reach_push(to, &g);
	}
	return r;
}

int
grant_nesting_reach(struct grant_nesting *n, const struct entry *group, const struct settings *settings,
    grant_parents *more, void *arg, struct grant_reach **ret)
{
	struct grant_reach *reach = calloc(1, sizeof *reach);
	int r;

	if (reach == NULL)
		return -ENOMEM;
	reach->refs = 1;
	if (!n->sorted && n->link_count > 0)
		qsort(n->links, n->link_count, sizeof *n->links, compare_links);
	n->sorted = true;
	r = grant_reach_add(reach, group, 0);
	for (size_t i = 0; i < reach->count && r == 0 && !reach->many; i++) {
		r = add_parents(n, reach->list[i].ndn, reach);
		if (r == 0 && more != NULL)
			r = more(reach->list[i].ndn, reach, arg);
	}
	if (r < 0) {
		grant_reach_unref(reach);
		return r;
	}
	measure(reach, settings);
	*ret = reach;
	return 0;
}

static int
compare_hashes(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

bool
grant_has_member(const struct entry *group, const uint64_t *hashes, size_t count)
{
	const struct attribute *members = NULL;
	uint64_t child;

	if (count > 0 && identity_is_group(group))
		members = entry_attribute(group, "member");
	for (size_t i = 0; members != NULL && i < members->count; i++)
		if (member_hash(&members->values[i], &child) &&
		    bsearch(&child, hashes, count, sizeof child, compare_hashes) != NULL)
			return true;
	return false;
}

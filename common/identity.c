/*
 * identity.c - a directory's entries -> all its users and groups.
 *
 * Directory process and isms-userctl. Pure. It must never let one entry's fault reach another's identity, except where
 * two entries claim the same name, id or UUID (identity_contest.c).
 */
#include <config.h>

#include "common/identity.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/identity_parts.h"
#include "common/pages.h"
#include "common/snapshot.h"
#include "common/together.h"

int
identity_add_fault(struct identities *all, const struct entry *e, const char *what)
{
	struct fault line = { "" };
	struct identity_fault_line *faults;

	/* Grown at powers of two, so that a directory of broken entries costs no more than one of good ones. */
	if ((all->fault_count & (all->fault_count - 1)) == 0) {
		faults = reallocarray(all->faults, all->fault_count == 0 ? 1 : all->fault_count * 2, sizeof *faults);
		if (faults == NULL)
			return -ENOMEM;
		all->faults = faults;
	}
	identity_fault(&line, "%.120s: %s", e->dn, what);
	all->faults[all->fault_count].entry = e;
	memcpy(all->faults[all->fault_count++].text, line.text, sizeof line.text);
	return 0;
}

int
identity_break(struct arena *memory, struct identity *user, const char *what)
{
	if (user->state == FACTS_BROKEN)
		return 0;
	user->fault = arena_text(memory, what);
	if (user->fault == NULL)
		return -ENOMEM;
	user->state = FACTS_BROKEN;
	return 0;
}

/* Of the array, in which one more would have room. */
static size_t
user_bytes(const struct identities *all)
{
	return (all->user_count + 1) * sizeof *all->users;
}

void
identities_done(struct identities *all)
{
	arena_done(&all->memory);
	pages_free(all->users, user_bytes(all));
	free(all->groups);
	free(all->faults);
	*all = (struct identities){ 0 };
}

static int
compare_names(const void *a, const void *b)
{
	const struct identity *x = a, *y = b;

	return strcmp(x->name, y->name);
}

const struct identity *
identities_find(const struct identities *all, const char *name)
{
	const struct identity *found, *end = all->users + all->user_count;
	struct identity key;

	if (name[0] == '\0' || strlen(name) >= sizeof key.name || all->user_count == 0)
		return NULL;
	memcpy(key.name, name, strlen(name) + 1);
	found = bsearch(&key, all->users, all->user_count, sizeof key, compare_names);
	/* Of several the good one, if there is one: beside him stand only those who are refused. */
	while (found != NULL && found > all->users && compare_names(found - 1, &key) == 0)
		found--;
	while (found != NULL && found->state != FACTS_MANAGED && found + 1 < end && compare_names(found + 1, &key) == 0)
		found++;
	return found;
}

uint64_t
identity_leading_bytes(const char *text, size_t at)
{
	size_t len = strlen(text);
	uint64_t bytes = 0;

	for (size_t i = at; i < at + sizeof bytes; i++)
		bytes = bytes << 8 | (i < len ? (unsigned char)text[i] : 0);
	return bytes;
}

/*
 * Where a user will stand among all, which are sorted by name. Users are large, and their names mostly differ in the
 * first bytes: what is sorted is these, before anybody is read.
 */
struct name_order {
	uint64_t first, second;		/* bytes of a name that can be used; else 0 */
	const char *claimed;		/* borrowed from the entry; NULL: none */
	uint32_t entry, value;		/* which one of below_base, which of its names */
};

static int
compare_order(const void *a, const void *b)
{
	const struct name_order *x = a, *y = b;
	int order = 0;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	if (x->second != y->second)
		return x->second < y->second ? -1 : 1;
	if (x->first != 0)
		order = strcmp(x->claimed, y->claimed);
	if (order == 0)
		order = (x->entry > y->entry) - (x->entry < y->entry);
	return order != 0 ? order : (x->value > y->value) - (x->value < y->value);
}

/* Some of the entries, whose accounts are put in order. */
struct ordering {
	const struct entry *const *below_base;	/* borrowed */
	uint32_t begin, end;		/* of them */
	struct name_order *list;	/* owned */
	size_t count;
	int r;				/* 0 or -ENOMEM */
};

/* An account with several uids becomes a broken user of each of those names, so that none of them is anybody else's. */
static size_t
count_names(const struct entry *e)
{
	const struct attribute *names = entry_attribute(e, "uid");

	return names != NULL && names->count > 1 ? names->count : 1;
}

static void
order_accounts(void *arg)
{
	struct ordering *o = arg;
	size_t room = 0;

	for (uint32_t i = o->begin; i < o->end; i++)
		room += count_names(o->below_base[i]);
	o->list = calloc(room + 1, sizeof *o->list);
	o->r = o->list != NULL ? 0 : -ENOMEM;
	for (uint32_t i = o->begin; i < o->end && o->r == 0; i++) {
		const struct entry *e = o->below_base[i];
		const struct attribute *names = entry_attribute(e, "uid");
		uint32_t count = entry_has_class(e, "posixAccount") ? (uint32_t)count_names(e) : 0;

		for (uint32_t k = 0; k < count; k++) {
			const char *name = names != NULL && names->count > 0 ? names->values[k].bytes : NULL;
			bool usable = name != NULL && snapshot_name_allowed(name, strlen(name));

			o->list[o->count++] = (struct name_order){ .claimed = name, .entry = i, .value = k,
				.first = usable ? identity_leading_bytes(name, 0) : 0,
				.second = usable ? identity_leading_bytes(name, sizeof(uint64_t)) : 0 };
		}
	}
	if (o->r == 0)
		qsort(o->list, o->count, sizeof *o->list, compare_order);
}

/* Two that are in order become one. Returns it, owned by the caller, or NULL without memory. */
static struct name_order *
merge_orders(const struct ordering *a, const struct ordering *b)
{
	struct name_order *both = calloc(a->count + b->count + 1, sizeof *both);
	size_t i = 0, k = 0;

	while (both != NULL && i + k < a->count + b->count) {
		bool first = k == b->count || (i < a->count && compare_order(&a->list[i], &b->list[k]) < 0);

		both[i + k] = first ? a->list[i] : b->list[k];
		*(first ? &i : &k) += 1;
	}
	return both;
}

/* Some of the accounts, which are read. */
struct reading {
	const struct entry *const *below_base;	/* borrowed */
	const struct settings *settings;	/* borrowed */
	const struct name_order *order;	/* borrowed */
	struct identity *users;		/* borrowed; of the same order */
	size_t count;
	struct arena memory;		/* owned; of what users say */
	int r;				/* 0 or -ENOMEM */
};

static int
read_user(struct reading *of, const struct name_order *o, struct identity *user)
{
	const struct entry *e = of->below_base[o->entry];
	struct fault fault = { "" };
	int r;

	user->claimed_name = o->claimed;
	if (count_names(e) > 1)
		identity_fault(&fault, "several values of uid; leave one");
	else if (o->claimed != NULL && entry_attribute(e, "uid")->values[0].len != strlen(o->claimed))
		identity_fault(&fault, "uid holds a NUL byte");
	if (o->first != 0)
		memcpy(user->name, o->claimed, strlen(o->claimed) + 1);
	else
		identity_fault(&fault, "uid \"%.40s\" cannot be a user's name here (a-z 0-9 _ . -, at most 32)",
		    o->claimed != NULL ? o->claimed : "");
	r = identity_read_user(e, of->settings, &of->memory, user, &fault);
	return r == 0 && fault.text[0] != '\0' ? identity_break(&of->memory, user, fault.text) : r;
}

static void
read_accounts(void *arg)
{
	struct reading *of = arg;

	for (size_t i = 0; i < of->count && of->r == 0; i++)
		of->r = read_user(of, &of->order[i], &of->users[i]);
}

static int
read_users(const struct entry *const *below_base, size_t count, const struct settings *settings,
    struct identities *all)
{
	uint32_t middle = (uint32_t)(count / 2);
	struct ordering low = { .below_base = below_base, .end = middle };
	struct ordering high = { .below_base = below_base, .begin = middle, .end = (uint32_t)count };
	struct name_order *order = NULL;
	int r;

	together(count, order_accounts, &low, order_accounts, &high);
	r = low.r < 0 || high.r < 0 ? -ENOMEM : 0;
	if (r == 0) {
		all->user_count = low.count + high.count;
		all->users = pages_take(user_bytes(all));
		order = merge_orders(&low, &high);
		r = all->users == NULL || order == NULL ? -ENOMEM : 0;
	}
	free(low.list);
	free(high.list);
	if (r == 0) {
		size_t half = all->user_count / 2;
		struct reading one = { below_base, settings, order, all->users, half, { 0 }, 0 };
		struct reading other = { below_base, settings, order + half, all->users + half, all->user_count - half, { 0 }, 0 };

		together(count, read_accounts, &one, read_accounts, &other);
		arena_join(&all->memory, &one.memory);
		arena_join(&all->memory, &other.memory);
		r = one.r < 0 || other.r < 0 ? -ENOMEM : 0;
	}
	free(order);
	return r;
}

const char *
identity_group_id(const struct entry *e)
{
	const char *uuid = entry_value(e, "entryUUID");

	return uuid != NULL ? uuid : e->ndn;
}

static int
note_user_faults(struct identities *all)
{
	int r = 0;

	for (size_t i = 0; i < all->user_count && r == 0; i++)
		if (all->users[i].state == FACTS_BROKEN)
			r = identity_add_fault(all, all->users[i].entry, all->users[i].fault);
	return r;
}

/* Everybody who was read: who claims what another one does, and beside it what is in which group. */
struct weighing {
	struct identities *all;		/* borrowed */
	const struct identity_past *past;	/* borrowed */
	const struct identity_holders *holders;	/* borrowed */
	const struct entry *const *below_base;	/* borrowed */
	size_t count;
	struct identity_graph *graph;	/* owned */
	int judged, listed;		/* 0 or -ENOMEM */
};

static void
judge_claims(void *arg)
{
	struct weighing *w = arg;

	w->judged = identity_judge_claims(w->all, w->past, w->holders);
}

static void
list_memberships(void *arg)
{
	struct weighing *w = arg;

	w->listed = identity_graph_new(w->below_base, w->count, w->all, &w->graph);
}

static int
weigh(struct weighing *w)
{
	int r;

	/* The past is asked on this thread: whoever answers has one. */
	together(w->count, judge_claims, w, list_memberships, w);
	r = w->judged < 0 ? w->judged : w->listed;
	if (r == 0)
		r = identity_link_groups(w->graph);
	identity_graph_free(w->graph);
	return r;
}

int
identities_build_from(const struct entries *entries, const struct settings *settings,
    const struct identity_past *past, const struct identity_holders *holders, struct identities *ret)
{
	const struct entry **below_base = calloc(entries->count + 1, sizeof(struct entry *));
	char *nbase = entry_normalise_dn(settings->directory_base);
	struct identities all = { 0 };
	size_t count = 0;
	int r = -ENOMEM;

	if (below_base == NULL || nbase == NULL)
		goto out;
	r = identity_list_below(entries, nbase, &all, below_base, &count);
	if (r == 0)
		r = read_users(below_base, count, settings, &all);
	if (r == 0)
		r = identity_read_groups(below_base, count, settings, &all);
	if (r == 0)
		r = weigh(&(struct weighing){ .all = &all, .past = past, .holders = holders, .below_base = below_base, .count = count });
	if (r == 0)
		r = note_user_faults(&all);
	if (r == 0) {
		*ret = all;
		all = (struct identities){ 0 };		/* now owned by *ret */
	}
out:
	identities_done(&all);
	free(below_base);
	free(nbase);
	return r;
}

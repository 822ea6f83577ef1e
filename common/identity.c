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
#include "common/snapshot.h"

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

void
identities_done(struct identities *all)
{
	arena_done(&all->memory);
	free(all->users);
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

/* Users are large, and their names mostly differ in the first bytes: what is sorted is these, and where each user is. */
struct name_order {
	uint64_t first, second;		/* bytes of the name */
	const struct identity *user;
};

static int
compare_order(const void *a, const void *b)
{
	const struct name_order *x = a, *y = b;
	int order;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	if (x->second != y->second)
		return x->second < y->second ? -1 : 1;
	order = strcmp(x->user->name, y->user->name);
	return order != 0 ? order : (x->user > y->user) - (x->user < y->user);
}

/* Move users to where the order has them: along the cycles of the permutation, without a second array. */
static void
move_users(struct identity *users, struct name_order *order, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct identity first = users[i];
		size_t at = i, from;

		if (order[i].user == NULL)	/* in its place */
			continue;
		while ((from = (size_t)(order[at].user - users)) != i) {
			users[at] = users[from];
			order[at].user = NULL;
			at = from;
		}
		users[at] = first;
		order[at].user = NULL;
	}
}

/* Returns 0 or -ENOMEM. */
static int
sort_users(struct identities *all)
{
	struct name_order *order = calloc(all->user_count + 1, sizeof *order);

	if (order == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < all->user_count; i++) {
		const char *name = all->users[i].name;

		order[i] = (struct name_order){ .first = identity_leading_bytes(name, 0),
			.second = identity_leading_bytes(name, sizeof order[i].first), .user = &all->users[i] };
	}
	qsort(order, all->user_count, sizeof *order, compare_order);
	move_users(all->users, order, all->user_count);
	free(order);
	return 0;
}

/*
 * Read one posixAccount entry. One with several uids becomes a broken user of each of those names,
 * so that none of them is anybody else's.
 */
static int
read_entry(const struct entry *e, const struct settings *settings, struct identities *all)
{
	const struct attribute *names = entry_attribute(e, "uid");
	size_t count = names != NULL && names->count > 1 ? names->count : 1;
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++) {
		const char *name = names != NULL && names->count > 0 ? names->values[i].bytes : "";
		struct identity *user = &all->users[all->user_count++];
		struct fault fault = { "" };

		user->claimed_name = names != NULL && names->count > 0 ? name : NULL;
		if (count > 1)
			identity_fault(&fault, "several values of uid; leave one");
		else if (names != NULL && names->count > 0 && names->values[0].len != strlen(name))
			identity_fault(&fault, "uid holds a NUL byte");
		if (snapshot_name_allowed(name, strlen(name)))
			memcpy(user->name, name, strlen(name) + 1);
		else
			identity_fault(&fault, "uid \"%.40s\" cannot be a user's name here (a-z 0-9 _ . -, at most 32)",
			    name);
		r = identity_read_user(e, settings, &all->memory, user, &fault);
		if (r == 0 && fault.text[0] != '\0')
			r = identity_break(&all->memory, user, fault.text);
	}
	return r;
}

static int
read_users(const struct entry *const *below_base, size_t count, const struct settings *settings,
    struct identities *all)
{
	size_t room = 0;
	int r = 0;

	for (size_t i = 0; i < count; i++) {
		const struct attribute *names = entry_attribute(below_base[i], "uid");

		room += names != NULL && names->count > 1 ? names->count : 1;
	}
	all->users = calloc(room + 1, sizeof *all->users);
	if (all->users == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count && r == 0; i++)
		if (entry_has_class(below_base[i], "posixAccount"))
			r = read_entry(below_base[i], settings, all);
	return r == 0 ? sort_users(all) : r;
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
		r = identity_judge_claims(&all, past, holders);
	if (r == 0)
		r = identity_link_groups(below_base, count, &all);
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

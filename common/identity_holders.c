/*
 * identity_holders.c - who had a name or a number and has it no more (see identity.h).
 *
 * Directory process and isms-userctl. Pure. It must never forget one while nobody good has taken his place: a new entry
 * with an old name would be taken for the person who left (THREATS 5.5).
 */
#include <config.h>

#include "common/identity.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
compare_keys(const void *a, const void *b)
{
	const struct identity_holder *x = a, *y = b;

	return x->is_number != y->is_number ? x->is_number - y->is_number : strcmp(x->key, y->key);
}

static void
write_key(struct identity_holder *ret, bool is_number, const struct identity *user)
{
	ret->is_number = is_number;
	if (is_number)
		(void)snprintf(ret->key, sizeof ret->key, "%u", (unsigned)user->uid);
	else
		(void)snprintf(ret->key, sizeof ret->key, "%s", user->name);
}

static struct identity_holder *
find(const struct identity_holders *all, const struct identity_holder *key)
{
	return all->count > 0 ? bsearch(key, all->list, all->count, sizeof *key, compare_keys) : NULL;
}

const char *
identity_holders_find(const struct identity_holders *all, bool is_number, const char *key)
{
	struct identity_holder wanted = { .is_number = is_number };
	const struct identity_holder *found;

	if (strlen(key) >= sizeof wanted.key)
		return NULL;
	memcpy(wanted.key, key, strlen(key) + 1);
	found = find(all, &wanted);
	return found != NULL ? found->entry_id : NULL;
}

int
identity_holders_add(struct identity_holders *all, bool is_number, const char *key, const char *entry_id)
{
	struct identity_holder h = { .is_number = is_number }, *list;
	size_t at = all->count;

	if (key[0] == '\0' || strlen(key) >= sizeof h.key || entry_id[0] == '\0' || strlen(entry_id) >= sizeof h.entry_id)
		return -EINVAL;
	memcpy(h.key, key, strlen(key) + 1);
	memcpy(h.entry_id, entry_id, strlen(entry_id) + 1);
	if (find(all, &h) != NULL)
		return -EEXIST;
	if (all->count == IDENTITY_HOLDERS_MAX)
		return -E2BIG;
	if (all->count == all->room) {
		list = reallocarray(all->list, all->room * 2 + 16, sizeof *list);
		if (list == NULL)
			return -ENOMEM;
		all->list = list;
		all->room = all->room * 2 + 16;
	}
	while (at > 0 && compare_keys(&all->list[at - 1], &h) > 0)
		at--;
	memmove(&all->list[at + 1], &all->list[at], (all->count - at) * sizeof *all->list);
	all->list[at] = h;
	all->count++;
	return 0;
}

int
identity_holders_join(struct identity_holders *all, const struct identity_holders *more)
{
	const size_t before = all->count;
	struct identity_holder *list;

	list = reallocarray(all->list, before + more->count + 1, sizeof *list);
	if (list == NULL)
		return -ENOMEM;
	all->list = list;
	all->room = before + more->count + 1;
	for (size_t i = 0; i < more->count && all->count < IDENTITY_HOLDERS_MAX; i++)
		if (before == 0 || bsearch(&more->list[i], list, before, sizeof *list, compare_keys) == NULL)
			list[all->count++] = more->list[i];
	if (all->count > before)
		qsort(list, all->count, sizeof *list, compare_keys);
	return all->count > before;
}

static bool
is_same(const struct identity *before, const struct identity *now)
{
	return now->state == FACTS_MANAGED && now->uid == before->uid && strcmp(now->entry_id, before->entry_id) == 0;
}

/* Good users of previous that now are not there as they were. Returns their number; ret may be NULL. */
static size_t
list_changed(const struct identities *previous, const struct identities *now, const struct identity **ret)
{
	size_t at = 0, count = 0;

	for (size_t i = 0; previous != NULL && i < previous->user_count; i++) {
		const struct identity *user = &previous->users[i];

		/* Both are sorted by name, and the name of a good user stands once. */
		while (at < now->user_count && strcmp(now->users[at].name, user->name) < 0)
			at++;
		if (user->state != FACTS_MANAGED || (at < now->user_count &&
		    strcmp(now->users[at].name, user->name) == 0 && is_same(user, &now->users[at])))
			continue;
		if (ret != NULL)
			ret[count] = user;
		count++;
	}
	return count;
}

/* all and what users had; of two with one key the one that was known before. */
static int
join(const struct identity_holders *all, const struct identity *const *users, size_t count, struct identity_holders *ret)
{
	ret->room = all->count + 2 * count + 1;
	ret->list = calloc(ret->room, sizeof *ret->list);
	if (ret->list == NULL)
		return -ENOMEM;
	if (all->count > 0)
		memcpy(ret->list, all->list, all->count * sizeof *ret->list);
	ret->count = all->count;
	for (size_t i = 0; i < 2 * count && ret->count < IDENTITY_HOLDERS_MAX; i++) {
		struct identity_holder *h = &ret->list[ret->count];

		write_key(h, i % 2 == 1, users[i / 2]);
		memcpy(h->entry_id, users[i / 2]->entry_id, sizeof h->entry_id);
		if (find(all, h) == NULL)
			ret->count++;
	}
	if (ret->count > 0)
		qsort(ret->list, ret->count, sizeof *ret->list, compare_keys);
	return 0;
}

/* Take out what a good user has. */
static void
drop_held(struct identity_holders *all, const struct identities *now)
{
	size_t left = 0;

	for (size_t i = 0; i < 2 * now->user_count && all->count > 0; i++) {
		struct identity_holder key = { 0 }, *found;

		if (now->users[i / 2].state != FACTS_MANAGED)
			continue;
		write_key(&key, i % 2 == 1, &now->users[i / 2]);
		found = find(all, &key);
		if (found != NULL)
			found->entry_id[0] = '\0';
	}
	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].entry_id[0] != '\0')
			all->list[left++] = all->list[i];
	all->count = left;
}

/* Whether a good user has what somebody had. */
static bool
has_held(const struct identity_holders *all, const struct identities *now)
{
	struct identity_holder key = { 0 };

	for (size_t i = 0; i < 2 * now->user_count && all->count > 0; i++) {
		if (now->users[i / 2].state != FACTS_MANAGED)
			continue;
		write_key(&key, i % 2 == 1, &now->users[i / 2]);
		if (find(all, &key) != NULL)
			return true;
	}
	return false;
}

int
identity_holders_update(struct identity_holders *all, const struct identities *previous, const struct identities *now)
{
	size_t count = list_changed(previous, now, NULL);
	const struct identity **changed;
	struct identity_holders next = { 0 };
	int r = -ENOMEM;

	if (count == 0 && !has_held(all, now))
		return 0;
	changed = calloc(count + 1, sizeof(struct identity *));
	if (changed != NULL) {
		(void)list_changed(previous, now, changed);
		r = join(all, changed, count, &next);
	}
	free(changed);
	if (r < 0)
		return r;
	drop_held(&next, now);
	r = next.count != all->count || (next.count > 0 && memcmp(next.list, all->list, next.count * sizeof *next.list) != 0);
	identity_holders_done(all);
	*all = next;
	return r;
}

void
identity_holders_done(struct identity_holders *all)
{
	free(all->list);
	*all = (struct identity_holders){ 0 };
}

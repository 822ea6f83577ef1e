/*
 * local_accounts.c - reads /etc/passwd and /etc/group with the parser that glibc's "files" uses, and subids.
 *
 * Runs in the publisher, afresh at each build of a snapshot. It must never fall back to an empty list: what
 * could not be read whole is an error, because every name of the directory would pass as not local.
 */
#include <config.h>

#include "daemon/local_accounts.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for one more element, doubling. Returns the array, or NULL without memory; the old one stays valid then. */
static void *
grow(void *array, size_t count, size_t element)
{
	if (count != 0 && (count < 16 || (count & (count - 1)) != 0))
		return array;
	return reallocarray(array, count < 16 ? 16 : count * 2, element);
}

static int
compare_id(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int
compare_user(const void *a, const void *b)
{
	const struct local_user *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int
compare_group(const void *a, const void *b)
{
	const struct local_group *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	return r != 0 ? r : (x->line > y->line) - (x->line < y->line);
}

static int
compare_string(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static int
add_user(struct local_accounts *all, const struct passwd *pw)
{
	struct local_user *to = grow(all->users, all->user_count, sizeof *all->users);
	uint32_t *uids;

	if (to == NULL)
		return -ENOMEM;
	all->users = to;
	uids = grow(all->uids, all->user_count, sizeof *all->uids);
	if (uids == NULL)
		return -ENOMEM;
	all->uids = uids;
	to += all->user_count;
	*to = (struct local_user){ .name = strdup(pw->pw_name), .uid = pw->pw_uid, .gid = pw->pw_gid };
	to->home = strdup(pw->pw_dir != NULL ? pw->pw_dir : "/");	/* lines for NIS may have none */
	if (to->name == NULL || to->home == NULL) {
		free(to->name);
		free(to->home);
		return -ENOMEM;
	}
	uids[all->user_count++] = pw->pw_uid;
	return 0;
}

static int
copy_members(char *const *from, struct local_group *to)
{
	size_t n = 0;

	while (from[n] != NULL)
		n++;
	if (n == 0)
		return 0;
	to->members = calloc(n, sizeof *to->members);
	if (to->members == NULL)
		return -ENOMEM;
	for (; to->member_count < n; to->member_count++) {
		to->members[to->member_count] = strdup(from[to->member_count]);
		if (to->members[to->member_count] == NULL)
			return -ENOMEM;
	}
	qsort(to->members, n, sizeof *to->members, compare_string);
	return 0;
}

static int
add_group(struct local_accounts *all, const struct group *gr)
{
	struct local_group *to = grow(all->groups, all->group_count, sizeof *all->groups);
	uint32_t *gids;

	if (to == NULL)
		return -ENOMEM;
	all->groups = to;
	gids = grow(all->gids, all->group_count, sizeof *all->gids);
	if (gids == NULL)
		return -ENOMEM;
	all->gids = gids;
	to += all->group_count;
	*to = (struct local_group){ .name = strdup(gr->gr_name), .gid = gr->gr_gid, .line = all->group_count };
	if (to->name == NULL)
		return -ENOMEM;
	gids[all->group_count++] = gr->gr_gid;
	return copy_members(gr->gr_mem, to);
}

static int
load_users(const char *path, struct local_accounts *all)
{
	const struct passwd *pw;
	FILE *f = fopen(path, "re");
	int r = 0;

	if (f == NULL)
		return -errno;
	for (;;) {
		errno = 0;
		pw = fgetpwent(f);
		if (pw == NULL)
			break;
		r = add_user(all, pw);
		if (r < 0)
			goto out;
	}
	if (ferror(f) || (errno != 0 && errno != ENOENT))
		r = errno != 0 ? -errno : -EIO;
out:
	(void)fclose(f);
	return r;
}

static int
load_groups(const char *path, struct local_accounts *all)
{
	const struct group *gr;
	FILE *f = fopen(path, "re");
	int r = 0;

	if (f == NULL)
		return -errno;
	for (;;) {
		errno = 0;
		gr = fgetgrent(f);
		if (gr == NULL)
			break;
		r = add_group(all, gr);
		if (r < 0)
			goto out;
	}
	if (ferror(f) || (errno != 0 && errno != ENOENT))
		r = errno != 0 ? -errno : -EIO;
out:
	(void)fclose(f);
	return r;
}

int
local_accounts_load(const struct paths *paths, struct local_accounts *ret)
{
	struct local_accounts all = { 0 };
	int r;

	r = load_users(paths->passwd, &all);
	if (r < 0)
		goto out;
	r = load_groups(paths->group, &all);
	if (r < 0)
		goto out;
	r = subids_load(paths->subuid, &all.subuids);
	if (r < 0)
		goto out;
	r = subids_load(paths->subgid, &all.subgids);
	if (r < 0)
		goto out;
	if (all.user_count > 0) {
		qsort(all.users, all.user_count, sizeof *all.users, compare_user);
		qsort(all.uids, all.user_count, sizeof *all.uids, compare_id);
	}
	if (all.group_count > 0) {
		qsort(all.groups, all.group_count, sizeof *all.groups, compare_group);
		qsort(all.gids, all.group_count, sizeof *all.gids, compare_id);
	}
	*ret = all;
	all = (struct local_accounts){ 0 };	/* now owned by *ret */
out:
	local_accounts_done(&all);
	return r;
}

void
local_accounts_done(struct local_accounts *all)
{
	for (size_t i = 0; i < all->user_count; i++) {
		free(all->users[i].name);
		free(all->users[i].home);
	}
	for (size_t i = 0; i < all->group_count; i++) {
		for (size_t m = 0; m < all->groups[i].member_count; m++)
			free(all->groups[i].members[m]);
		free(all->groups[i].members);
		free(all->groups[i].name);
	}
	free(all->users);
	free(all->groups);
	free(all->uids);
	free(all->gids);
	subids_done(&all->subuids);
	subids_done(&all->subgids);
	*all = (struct local_accounts){ 0 };
}

static bool
has_id(const uint32_t *ids, size_t count, uint32_t id)
{
	return count > 0 && bsearch(&id, ids, count, sizeof *ids, compare_id) != NULL;
}

bool
local_accounts_has_user(const struct local_accounts *all, const char *name)
{
	struct local_user key = { .name = (char *)(uintptr_t)name };

	return all->user_count > 0 &&
	    bsearch(&key, all->users, all->user_count, sizeof key, compare_user) != NULL;
}

bool
local_accounts_has_uid(const struct local_accounts *all, uint32_t uid)
{
	return has_id(all->uids, all->user_count, uid);
}

bool
local_accounts_owns_uid(const struct local_accounts *all, uint32_t uid)
{
	return local_accounts_has_uid(all, uid) || subids_has(&all->subuids, uid);
}

bool
local_accounts_has_gid(const struct local_accounts *all, uint32_t gid)
{
	return has_id(all->gids, all->group_count, gid);
}

const struct local_group *
local_accounts_group(const struct local_accounts *all, const char *name)
{
	size_t low = 0, high = all->group_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(all->groups[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == all->group_count || strcmp(all->groups[low].name, name) != 0)
		return NULL;
	return &all->groups[low];
}

bool
local_group_lists(const struct local_group *group, const char *user)
{
	return group->member_count > 0 &&
	    bsearch(&user, group->members, group->member_count, sizeof *group->members, compare_string) != NULL;
}

static bool
are_equal_groups(const struct local_group *a, const struct local_group *b)
{
	if (strcmp(a->name, b->name) != 0 || a->gid != b->gid || a->member_count != b->member_count)
		return false;
	for (size_t i = 0; i < a->member_count; i++)
		if (strcmp(a->members[i], b->members[i]) != 0)
			return false;
	return true;
}

static bool
are_equal_ranges(const struct subids *a, const struct subids *b)
{
	return a->count == b->count && (a->count == 0 || memcmp(a->ranges, b->ranges, a->count * sizeof *a->ranges) == 0);
}

bool
local_accounts_are_equal(const struct local_accounts *a, const struct local_accounts *b)
{
	if (a->user_count != b->user_count || a->group_count != b->group_count ||
	    !are_equal_ranges(&a->subuids, &b->subuids) || !are_equal_ranges(&a->subgids, &b->subgids))
		return false;
	for (size_t i = 0; i < a->user_count; i++)
		if (strcmp(a->users[i].name, b->users[i].name) != 0 || strcmp(a->users[i].home, b->users[i].home) != 0 ||
		    a->users[i].uid != b->users[i].uid)
			return false;
	for (size_t i = 0; i < a->group_count; i++)
		if (!are_equal_groups(&a->groups[i], &b->groups[i]))
			return false;
	return true;
}

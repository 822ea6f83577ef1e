/*
 * pam_groups.c - drops supplementary groups of the calling process.
 *
 * Runs in setcred and open_session, mostly as root. It must never give a group that the process did not
 * have (but for the primary one, see the header), nor touch uids or gids. glibc carries the change to
 * all threads.
 */
#include <config.h>

#include "pam/pam_groups.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIST_MAX 65536		/* the kernel's NGROUPS_MAX */

static int
by_id(const void *a, const void *b)
{
	gid_t x, y;

	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return (x > y) - (x < y);
}

size_t
groups_keep(gid_t *list, size_t count, gid_t primary, const gid_t *allowed, size_t allowed_count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		gid_t gid = list[i];

		if (gid != primary && bsearch(&gid, allowed, allowed_count, sizeof gid, by_id) == NULL)
			continue;
		memmove(list + kept + 1, list + kept, (i - kept) * sizeof gid);
		list[kept++] = gid;
	}
	return kept;
}

/* The groups of this process: count and a list that the caller frees, or -errno. */
static ssize_t
read_current(gid_t **ret_list)
{
	int n = getgroups(0, NULL);
	gid_t *list;

	if (n <= 0)
		return n < 0 ? -errno : 0;
	list = malloc((size_t)n * sizeof *list);
	if (list == NULL)
		return -ENOMEM;
	n = getgroups(n, list);
	if (n < 0) {
		int e = errno;

		free(list);
		return -e;
	}
	*ret_list = list;
	return n;
}

/* The user's groups, sorted: count and a list that the caller frees, or -errno. */
static ssize_t
read_allowed(const struct snapshot *snapshot, const struct snapshot_user *user, gid_t **ret_list)
{
	gid_t *list;
	int r;

	if (user->group_count > LIST_MAX)
		return -EBADMSG;
	list = malloc(((size_t)user->group_count + 1) * sizeof *list);
	if (list == NULL)
		return -ENOMEM;
	r = snapshot_user_gids(snapshot, user, list);
	if (r < 0) {
		free(list);
		return r;
	}
	*ret_list = list;
	return (ssize_t)user->group_count;
}

static void
name_dropped(const gid_t *list, size_t count, struct groups_change *ret)
{
	size_t used = 0;

	ret->dropped = count;
	for (size_t i = 0; i < count; i++) {
		char one[16];
		int n = snprintf(one, sizeof one, "%s%lu", used > 0 ? " " : "", (unsigned long)list[i]);

		if (n < 0 || used + (size_t)n > GROUPS_TEXT_MAX)
			return;
		memcpy(ret->text + used, one, (size_t)n + 1);
		used += (size_t)n;
	}
}

void
groups_strip(const struct snapshot *snapshot, const struct snapshot_user *user, bool privileged,
    struct groups_change *ret)
{
	gid_t *current = NULL, *allowed = NULL;
	ssize_t count, allowed_count;
	size_t kept;

	*ret = (struct groups_change){ 0 };
	count = read_current(&current);
	if (count == 0 || (count == 1 && current[0] == 0))
		goto out;
	if (count < 0) {
		ret->failed = privileged;
		goto out;
	}
	allowed_count = read_allowed(snapshot, user, &allowed);
	if (allowed_count < 0) {
		ret->failed = privileged;
		goto out;
	}
	kept = groups_keep(current, (size_t)count, user->gid, allowed, (size_t)allowed_count);
	if (kept == (size_t)count)
		goto out;
	name_dropped(current + kept, (size_t)count - kept, ret);
	if (kept == 0)
		current[kept++] = user->gid;
	if (setgroups(kept, current) < 0) {
		ret->failed = privileged || errno != EPERM;
		if (!ret->failed)
			*ret = (struct groups_change){ 0 };
	}
out:
	free(allowed);
	free(current);
}

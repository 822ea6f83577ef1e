/*
 * snapshot_whole.c - the full check of a snapshot, which the publisher makes before the rename.
 *
 * Runs in the publisher and in tests, never in a reader: it walks every record, list, table and name.
 */
#include <config.h>

#include "common/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/snapshot_format.h"

static const struct snapshot_header *
header(const struct snapshot *s)
{
	return (const struct snapshot_header *)(const void *)s->base;
}

/* Whether each string is as long as its length says. */
static bool
strings_whole(const struct snapshot_user *user)
{
	return strlen(user->name) == user->name_len && strlen(user->gecos) == user->gecos_len &&
	    strlen(user->home) == user->home_len && strlen(user->shell) == user->shell_len;
}

/* Whether a user's record is found again by both of its keys. */
static bool
user_found(const struct snapshot *s, const struct snapshot_user *user)
{
	struct snapshot_user by_name, by_id;

	return snapshot_find_user(s, user->name, &by_name) == 1 && by_name.name == user->name &&
	    snapshot_find_uid(s, user->uid, &by_id) == 1 && by_id.name == user->name;
}

static bool
group_found(const struct snapshot *s, const struct snapshot_group *group)
{
	struct snapshot_group by_name, by_id;

	return snapshot_find_group(s, group->name, &by_name) == 1 && by_name.name == group->name &&
	    snapshot_find_gid(s, group->gid, &by_id) == 1 && by_id.name == group->name;
}

/* Whether each gid of a list is a group of this file, or a local one of the header; counts those of the file. */
static bool
list_whole(const struct snapshot *s, const struct snapshot_user *user, uint64_t *memberships)
{
	struct snapshot_gids gids;
	struct snapshot_group group;
	uint32_t gid;
	int r;

	r = snapshot_gids_begin(s, user, &gids);
	while (r > 0 && (r = snapshot_gids_next(s, &gids, &gid, 1)) > 0) {
		if (snapshot_find_gid(s, gid, &group) == 1)
			*memberships += 1;
		else if (!snapshot_local_gid(s, gid))
			return false;
	}
	return r == 0;
}

static bool
users_whole(const struct snapshot *s, uint64_t *ret_memberships)
{
	uint32_t at = 0, count = 0, last = 0;
	struct snapshot_user user;
	int r;

	while ((r = snapshot_next_user(s, &at, &user)) > 0) {
		if (user.uid <= last || !strings_whole(&user) || !user_found(s, &user) ||
		    !list_whole(s, &user, ret_memberships))
			return false;
		last = user.uid;
		count++;
	}
	return r == 0 && count == header(s)->user_count;
}

/* Whether each member is a user of this file. That both sides agree is seen by their totals. */
static bool
members_whole(const struct snapshot *s, const struct snapshot_group *group)
{
	const char *name = group->members, *end = name + group->members_len;
	struct snapshot_user user;

	for (uint32_t i = 0; i < group->member_count; i++) {
		size_t len = group->member_lens[i];

		if (len >= (size_t)(end - name) || name[len] != '\0' || strlen(name) != len ||
		    snapshot_find_user(s, name, &user) != 1)
			return false;
		name += len + 1;
	}
	return name == end;
}

static bool
groups_whole(const struct snapshot *s, uint64_t *ret_memberships)
{
	uint32_t at = 0, count = 0, last = 0;
	struct snapshot_group group;
	int r;

	while ((r = snapshot_next_group(s, &at, &group)) > 0) {
		if (group.gid <= last || strlen(group.name) != group.name_len || !group_found(s, &group) ||
		    !members_whole(s, &group))
			return false;
		*ret_memberships += group.member_count;
		last = group.gid;
		count++;
	}
	return r == 0 && count == header(s)->group_count;
}

/* Whether a table has exactly one slot per record, and no run that a reader would not see the end of. */
static bool
table_whole(const struct snapshot *s, enum snapshot_section table, uint32_t records)
{
	const struct snapshot_span *span = &header(s)->section[table];
	const uint32_t *slots = (const void *)(s->base + span->at);
	size_t count = span->size / sizeof *slots;
	uint32_t used = 0, run = 0;

	for (size_t i = 0; i < count; i++) {
		run = slots[i] != 0 ? run + 1 : 0;
		used += slots[i] != 0;
		if (run >= SNAPSHOT_PROBE_MAX)
			return false;
	}
	return used == records && run == 0;
}

int
snapshot_check_whole(const struct snapshot *s)
{
	uint64_t lists = 0, members = 0;
	int r;

	r = snapshot_check(s);
	if (r < 0)
		return r;
	if (!users_whole(s, &lists) || !groups_whole(s, &members) || lists != members)
		return -EBADMSG;
	for (unsigned i = SECTION_USER_NAMES; i < SECTION_COUNT; i++)
		if (!table_whole(s, i, i < SECTION_GROUP_NAMES ? header(s)->user_count : header(s)->group_count))
			return -EBADMSG;
	return 0;
}

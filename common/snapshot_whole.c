/*
 * snapshot_whole.c - the full check of a snapshot, which the publisher makes before the rename.
 *
 * Runs in the publisher and in tests, never in a reader: it walks every record, list, table and name of a base.
 * What a delta makes of it: snapshot_whole_delta.c.
 */
#include <config.h>

#include "common/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/snapshot_whole.h"

bool
snapshot_strings_whole(const struct snapshot_user *user)
{
	return strlen(user->name) == user->name_len && strlen(user->gecos) == user->gecos_len &&
	    strlen(user->home) == user->home_len && strlen(user->shell) == user->shell_len;
}

bool
snapshot_user_found(const uint8_t *file, const struct snapshot_user *user)
{
	struct snapshot_user by_name, by_id;
	uint32_t ref;

	return snapshot_locate_user(file, user->name, 0, &by_name, &ref) == 1 && by_name.name == user->name &&
	    snapshot_locate_user(file, NULL, user->uid, &by_id, &ref) == 1 && by_id.name == user->name;
}

bool
snapshot_group_found(const uint8_t *file, const struct snapshot_group *group)
{
	struct snapshot_group by_name, by_id;
	uint32_t ref;

	return snapshot_locate_group(file, group->name, 0, &by_name, &ref) == 1 && by_name.name == group->name &&
	    snapshot_locate_group(file, NULL, group->gid, &by_id, &ref) == 1 && by_id.name == group->name;
}

bool
snapshot_table_whole(const uint8_t *file, unsigned table)
{
	const struct snapshot_header *h = (const void *)file;
	const uint32_t *slots = (const void *)(file + h->section[table].at);
	size_t count = h->section[table].size / sizeof *slots;
	uint32_t used = 0, run = 0, records = 0;

	if (!snapshot_table_records(h, table, &records))
		return true;
	for (size_t i = 0; i < count; i++) {
		run = slots[i] != 0 ? run + 1 : 0;
		used += slots[i] != 0;
		if (run >= SNAPSHOT_PROBE_MAX)
			return false;
	}
	return used == records && run == 0;
}

bool
snapshot_member_is(const struct snapshot_group *group, const struct snapshot_members *at, const char *name, size_t len)
{
	return at->index < group->member_count && group->member_lens[at->index] == len &&
	    at->names + len <= group->members_len - group->member_count &&
	    memcmp(group->member_names + at->names, name, len) == 0;
}

/*
 * Walk through the groups of a user: each is one of this file, whose next member he is, or a local one of the header.
 * done: how far each group's members were met, by its reference.
 */
static bool
memberships_whole(const struct snapshot *s, const struct snapshot_user *user, struct snapshot_members *done)
{
	struct snapshot_gids gids;
	struct snapshot_group group;
	uint32_t gid, ref;
	int r;

	r = snapshot_gids_begin(s, user, &gids);
	while (r > 0 && (r = snapshot_gids_next(s, &gids, &gid, 1)) > 0) {
		if (snapshot_locate_group(s->base, NULL, gid, &group, &ref) == 1) {
			if (!snapshot_member_is(&group, &done[ref], user->name, user->name_len))
				return false;
			done[ref].index++;
			done[ref].names += user->name_len;
		} else if (!snapshot_local_gid(s, gid)) {
			return false;
		}
	}
	return r == 0;
}

static bool
users_whole(const struct snapshot *s, struct snapshot_members *done)
{
	const struct snapshot_header *h = (const void *)s->base;
	uint32_t count = 0, last = 0;
	struct snapshot_user user;
	uint64_t at = 0;
	int r;

	while ((r = snapshot_next_user(s, &at, &user)) > 0) {
		if (user.uid <= last || !snapshot_strings_whole(&user) || !snapshot_user_found(s->base, &user) ||
		    !memberships_whole(s, &user, done))
			return false;
		last = user.uid;
		count++;
	}
	return r == 0 && count == h->user_count;
}

/* The groups, after their members were met: none is left over. */
static bool
groups_whole(const struct snapshot *s, const struct snapshot_members *done)
{
	const struct snapshot_header *h = (const void *)s->base;
	uint32_t count = 0, last = 0, ref;
	struct snapshot_group group, same;
	uint64_t at = 0;
	int r;

	while ((r = snapshot_next_group(s, &at, &group)) > 0) {
		if (group.gid <= last || strlen(group.name) != group.name_len || !snapshot_group_found(s->base, &group) ||
		    snapshot_locate_group(s->base, NULL, group.gid, &same, &ref) != 1 ||
		    done[ref].index != group.member_count ||
		    done[ref].names + group.member_count != group.members_len)
			return false;
		last = group.gid;
		count++;
	}
	return r == 0 && count == h->group_count;
}

/* The base without what may hide it. */
static int
check_base(const struct snapshot *s)
{
	const struct snapshot_header *h = (const void *)s->base;
	const struct snapshot base = { .base = s->base, .size = s->size };
	struct snapshot_members *done = calloc(h->section[SECTION_GROUPS].size / 4 + 1, sizeof *done);
	bool whole;

	if (done == NULL)
		return -ENOMEM;
	whole = users_whole(&base, done) && groups_whole(&base, done);
	for (unsigned i = 0; i < SECTION_COUNT; i++)
		whole = whole && snapshot_table_whole(s->base, i);
	free(done);
	return whole ? 0 : -EBADMSG;
}

int
snapshot_check_whole(const struct snapshot *s)
{
	int r;

	r = snapshot_check(s);
	if (r == 0)
		r = check_base(s);
	if (r == 0 && s->delta != NULL)
		r = snapshot_check_delta(s);
	return r;
}

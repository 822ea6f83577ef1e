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
#include "common/together.h"

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
	    at->names + len < group->members_len && memcmp(group->member_names + at->names, name, len) == 0 &&
	    group->member_names[at->names + len] == SNAPSHOT_NAME_END;
}

/* ---- lists and members ---- */

/* A group and those of its members who were not met yet. */
struct roll {
	uint32_t gid, left;
	const uint8_t *lens;
	const char *names;
	uint64_t names_left;	/* bytes */
};

/* All groups by gid: each membership is looked for here, and a table of its own has what is needed in one line. */
struct rolls {
	const struct snapshot_header *header;	/* its secret seed: whoever chooses gids chooses no place */
	struct roll *slots;			/* owned; gid 0 is empty */
	uint32_t mask;
};

/* The slot of a gid, or the empty one where it would be. */
static struct roll *
roll_of(const struct rolls *r, uint32_t gid)
{
	uint32_t at = (uint32_t)(snapshot_hash_id(r->header, gid) >> 32) & r->mask;

	while (r->slots[at].gid != 0 && r->slots[at].gid != gid)
		at = (at + 1) & r->mask;
	return &r->slots[at];
}

static int
open_rolls(const struct snapshot *s, struct rolls *ret)
{
	uint32_t room = 16;

	ret->header = (const void *)s->base;
	while (room / 2 <= ret->header->group_count)
		room *= 2;
	ret->slots = calloc(room, sizeof *ret->slots);
	ret->mask = room - 1;
	return ret->slots == NULL ? -ENOMEM : 0;
}

/* The groups, each into a roll. */
static bool
groups_whole(const struct snapshot *s, const struct rolls *rolls)
{
	uint32_t count = 0, last = 0;
	struct snapshot_group group;
	uint64_t at = 0;
	int r;

	while ((r = snapshot_next_group(s, &at, &group)) > 0) {
		if (group.gid <= last || count == rolls->header->group_count || strlen(group.name) != group.name_len ||
		    !snapshot_group_found(s->base, &group))
			return false;
		*roll_of(rolls, group.gid) = (struct roll){
			.gid = group.gid, .left = group.member_count, .lens = group.member_lens, .names = group.member_names,
			.names_left = group.members_len,
		};
		last = group.gid;
		count++;
	}
	return r == 0 && count == rolls->header->group_count;
}

/* Take a user off a roll, if he is the next on it. */
static bool
meet(struct roll *roll, const struct snapshot_user *user)
{
	if (roll->left == 0 || *roll->lens != user->name_len || roll->names_left <= user->name_len ||
	    memcmp(roll->names, user->name, user->name_len) != 0 || roll->names[user->name_len] != SNAPSHOT_NAME_END)
		return false;
	roll->left--;
	roll->lens++;
	roll->names += user->name_len + 1;
	roll->names_left -= user->name_len + 1u;
	return true;
}

/* Walk through a user's groups: each is one of this file, whose next member he is, or a local one of the header. */
static bool
memberships_whole(const struct snapshot *s, const struct snapshot_user *user, const struct rolls *rolls)
{
	struct snapshot_gids gids;
	uint32_t gid;
	int r;

	r = snapshot_gids_begin(s, user, &gids);
	while (r > 0 && (r = snapshot_gids_next(s, &gids, &gid, 1)) > 0) {
		struct roll *roll = roll_of(rolls, gid);

		if (roll->gid != 0 ? !meet(roll, user) : !snapshot_local_gid(s, gid))
			return false;
	}
	return r == 0;
}

/* One of the two walks through a base, which both only read it. */
struct walk {
	const struct snapshot *base;
	const struct rolls *rolls;	/* written by the walk through the lists */
	bool whole;
};

/* The users in order, each found again by both keys; and the tables by which they are. */
static void
walk_users(void *arg)
{
	struct walk *w = arg;
	uint32_t count = 0, last = 0;
	struct snapshot_user user;
	uint64_t at = 0;
	int r;

	while ((r = snapshot_next_user(w->base, &at, &user)) > 0) {
		if (user.uid <= last || !snapshot_strings_whole(&user) || !snapshot_user_found(w->base->base, &user))
			return;
		last = user.uid;
		count++;
	}
	w->whole = r == 0 && count == w->rolls->header->user_count;
	for (unsigned i = 0; i < SECTION_COUNT; i++)
		w->whole = w->whole && snapshot_table_whole(w->base->base, i);
}

static bool
all_met(const struct rolls *rolls)
{
	for (uint32_t i = 0; i <= rolls->mask; i++)
		if (rolls->slots[i].left != 0 || rolls->slots[i].names_left != 0)
			return false;
	return true;
}

/* The lists of all users, against the members of all groups. */
static void
walk_lists(void *arg)
{
	struct walk *w = arg;
	struct snapshot_user user;
	uint64_t at = 0;
	int r;

	while ((r = snapshot_next_user(w->base, &at, &user)) > 0)
		if (!memberships_whole(w->base, &user, w->rolls))
			return;
	w->whole = r == 0 && all_met(w->rolls);
}

/* The base without what may hide it. */
static int
check_base(const struct snapshot *s)
{
	const struct snapshot base = { .base = s->base, .size = s->size };
	struct rolls rolls;
	struct walk users = { .base = &base, .rolls = &rolls }, lists = users;
	bool whole;
	int r;

	r = open_rolls(&base, &rolls);
	if (r < 0)
		return r;
	whole = groups_whole(&base, &rolls);
	if (whole)
		together(rolls.header->user_count, walk_users, &users, walk_lists, &lists);
	free(rolls.slots);
	return whole && users.whole && lists.whole ? 0 : -EBADMSG;
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

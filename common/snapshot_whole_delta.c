/*
 * snapshot_whole_delta.c - the full check of a delta upon a base that was checked before.
 *
 * Runs in the publisher and in tests, never in a reader. Costs what the delta holds and not what the base does: it
 * looks at the base's records that the delta hides, and at its members of groups that the delta has anew. That
 * suffices, since in the base lists and members agree:
 *   - a hidden user is in no group of the base that is shown, unless somebody of his name is, by the delta
 *   - a hidden group has no member left who is shown and still lists it, unless the delta has a group of its gid
 *   - a group of the delta has all of these, and all users of the delta who list it, and nobody else
 */
#include <config.h>

#include "common/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/snapshot_whole.h"

struct delta {
	const struct snapshot *s;
	const struct snapshot_header *own, *base;
	uint32_t *users, *groups;		/* owned; hidden references, ascending */
	uint32_t *lost;				/* owned; hidden members of each of these groups */
	struct snapshot_members *done;		/* owned; by reference of the delta's groups */
};

/* ---- hidden references ---- */

static int
compare_refs(const void *one, const void *other)
{
	uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;

	return (a > b) - (a < b);
}

/* The used slots of a hidden table, ascending; false when there is one twice, or one that its probe does not find. */
static bool
take_refs(const struct delta *d, enum snapshot_section table, uint32_t count, uint32_t *ret)
{
	const struct snapshot_span *span = &d->own->section[table];
	const uint32_t *slots = (const void *)(d->s->delta + span->at);
	uint32_t used = 0;

	for (size_t i = 0; i < span->size / sizeof *slots; i++) {
		if (slots[i] == 0)
			continue;
		if (used == count || snapshot_hides(d->s->delta, table, slots[i]) != 1)
			return false;
		ret[used++] = slots[i];
	}
	qsort(ret, used, sizeof *ret, compare_refs);
	for (uint32_t i = 1; i < used; i++)
		if (ret[i] == ret[i - 1])
			return false;
	return used == count;
}

/* Whether a reference is that of a record of the base, where both of its keys lead. */
static bool
is_user(const struct delta *d, uint32_t ref, struct snapshot_user *ret)
{
	uint32_t found;

	return snapshot_user_at(d->s->base, ref, ret) == 1 && ret->name_len == strlen(ret->name) &&
	    snapshot_locate_user(d->s->base, ret->name, 0, ret, &found) == 1 && found == ref;
}

static bool
is_group(const struct delta *d, uint32_t ref, struct snapshot_group *ret)
{
	uint32_t found;

	return snapshot_group_at(d->s->base, ref, ret) == 1 && ret->name_len == strlen(ret->name) &&
	    snapshot_locate_group(d->s->base, ret->name, 0, ret, &found) == 1 && found == ref;
}

/* The place of a hidden group in its list, or NULL for one that is shown. */
static uint32_t *
lost_of(const struct delta *d, uint32_t ref)
{
	const uint32_t *at = bsearch(&ref, d->groups, d->own->hidden_group_count, sizeof *d->groups, compare_refs);

	return at == NULL ? NULL : &d->lost[at - d->groups];
}

/* ---- lists ---- */

static bool
list_has(const struct snapshot *s, const struct snapshot_user *user, uint32_t wanted)
{
	struct snapshot_gids gids;
	uint32_t gid;

	if (snapshot_gids_begin(s, user, &gids) < 0)
		return false;
	while (snapshot_gids_next(s, &gids, &gid, 1) > 0)
		if (gid == wanted)
			return true;
	return false;
}

/* A group of the base as long as it is shown: 1, 0 or -EBADMSG. */
static int
shown_group(const struct delta *d, uint32_t gid, uint32_t **ret_lost)
{
	struct snapshot_group group;
	uint32_t ref;
	int r;

	*ret_lost = NULL;
	r = snapshot_locate_group(d->s->base, NULL, gid, &group, &ref);
	if (r > 0)
		*ret_lost = lost_of(d, ref);
	return r > 0 && *ret_lost != NULL ? 0 : r;
}

/* What becomes of the groups of a hidden user. */
static bool
hidden_user_whole(const struct delta *d, const struct snapshot_user *user)
{
	struct snapshot_user now;
	struct snapshot_gids gids;
	uint32_t gid, ref, *lost;
	int r, again;

	again = snapshot_locate_user(d->s->delta, user->name, 0, &now, &ref);
	now.in_delta = true;
	r = snapshot_gids_begin(d->s, user, &gids);
	while (r > 0 && (r = snapshot_gids_next(d->s, &gids, &gid, 1)) > 0) {
		int shown = shown_group(d, gid, &lost);

		if (lost != NULL)
			*lost += 1;
		if (shown < 0 || (shown > 0 && (again != 1 || !list_has(d->s, &now, gid))))
			return false;
	}
	return r == 0;
}

static bool
hidden_users_whole(const struct delta *d)
{
	struct snapshot_user user;

	for (uint32_t i = 0; i < d->own->hidden_user_count; i++)
		if (!is_user(d, d->users[i], &user) || !hidden_user_whole(d, &user))
			return false;
	return true;
}

/* After the hidden users: a hidden group without successor has lost everybody. */
static bool
hidden_groups_whole(const struct delta *d)
{
	struct snapshot_group group, now;
	uint32_t ref;

	for (uint32_t i = 0; i < d->own->hidden_group_count; i++) {
		if (!is_group(d, d->groups[i], &group))
			return false;
		if (snapshot_locate_group(d->s->delta, NULL, group.gid, &now, &ref) != 1 && d->lost[i] != group.member_count)
			return false;
	}
	return true;
}

/* ---- the delta's own records ---- */

/* Whether what the base knows under a key of the delta is hidden. */
static bool
user_unique(const struct delta *d, const struct snapshot_user *user)
{
	struct snapshot_user other;
	uint32_t ref;
	int r;

	r = snapshot_locate_user(d->s->base, user->name, 0, &other, &ref);
	if (r < 0 || (r > 0 && snapshot_hides(d->s->delta, SECTION_HIDDEN_USERS, ref) != 1))
		return false;
	r = snapshot_locate_user(d->s->base, NULL, user->uid, &other, &ref);
	return r == 0 || (r > 0 && snapshot_hides(d->s->delta, SECTION_HIDDEN_USERS, ref) == 1);
}

static bool
group_unique(const struct delta *d, const struct snapshot_group *group)
{
	struct snapshot_group other;
	uint32_t ref;
	int r;

	r = snapshot_locate_group(d->s->base, group->name, 0, &other, &ref);
	if (r < 0 || (r > 0 && lost_of(d, ref) == NULL))
		return false;
	r = snapshot_locate_group(d->s->base, NULL, group->gid, &other, &ref);
	return r == 0 || (r > 0 && lost_of(d, ref) != NULL);
}

/* Whether a member that the delta did not keep is a hidden user. */
static bool
was_hidden(const struct delta *d, const char *name, size_t len)
{
	char copy[SNAPSHOT_NAME_MAX + 1];
	struct snapshot_user user;
	uint32_t ref;

	if (len > SNAPSHOT_NAME_MAX)
		return false;
	memcpy(copy, name, len);
	copy[len] = '\0';
	return snapshot_locate_user(d->s->base, copy, 0, &user, &ref) == 1 &&
	    snapshot_hides(d->s->delta, SECTION_HIDDEN_USERS, ref) == 1;
}

/* The members that a group of the delta has kept come first: all of the base's but the hidden ones, in its order. */
static bool
kept_whole(const struct delta *d, const struct snapshot_group *group, struct snapshot_members *ret)
{
	struct snapshot_group before;
	struct snapshot_members at = { 0 };
	const uint32_t *lost;
	uint32_t ref, skipped = 0;

	*ret = (struct snapshot_members){ 0 };
	if (snapshot_locate_group(d->s->base, NULL, group->gid, &before, &ref) != 1)
		return true;
	lost = lost_of(d, ref);
	while (at.index < before.member_count) {
		size_t len = before.member_lens[at.index];

		if (ret->index + skipped == at.index && ret->index + *lost < before.member_count &&
		    snapshot_member_is(group, ret, before.member_names + at.names, len)) {
			ret->index++;
			ret->names += (uint32_t)len + 1;
		} else if (was_hidden(d, before.member_names + at.names, len)) {
			skipped++;
		} else {
			return false;
		}
		at.index++;
		at.names += (uint32_t)len + 1;
	}
	return skipped == *lost;
}

static bool
groups_whole(const struct delta *d)
{
	const struct snapshot own = { .base = d->s->delta, .size = d->s->delta_size };
	struct snapshot_group group, same;
	uint32_t count = 0, last = 0, ref;
	uint64_t at = 0;
	int r;

	while ((r = snapshot_next_group(&own, &at, &group)) > 0) {
		/* a list of the base may have a local gid, whose group has no members here */
		if (group.gid <= last || strlen(group.name) != group.name_len || snapshot_local_gid(d->s, group.gid) ||
		    !snapshot_group_found(own.base, &group) || !group_unique(d, &group) ||
		    snapshot_locate_group(own.base, NULL, group.gid, &same, &ref) != 1 ||
		    !kept_whole(d, &group, &d->done[ref]))
			return false;
		last = group.gid;
		count++;
	}
	return r == 0 && count == d->own->group_count;
}

/* The groups of a user of the delta: of the delta, then he is the next member; or shown ones that had his name. */
static bool
memberships_whole(const struct delta *d, const struct snapshot_user *user)
{
	struct snapshot_user before;
	struct snapshot_group group;
	struct snapshot_gids gids;
	uint32_t gid, ref, *lost;
	int r, had;

	had = snapshot_locate_user(d->s->base, user->name, 0, &before, &ref);
	r = snapshot_gids_begin(d->s, user, &gids);
	while (r > 0 && (r = snapshot_gids_next(d->s, &gids, &gid, 1)) > 0) {
		if (snapshot_locate_group(d->s->delta, NULL, gid, &group, &ref) == 1) {
			if (!snapshot_member_is(&group, &d->done[ref], user->name, user->name_len))
				return false;
			d->done[ref].index++;
			d->done[ref].names += user->name_len + 1u;
		} else if (shown_group(d, gid, &lost) > 0 ? had != 1 || !list_has(d->s, &before, gid) :
		    !snapshot_local_gid(d->s, gid)) {
			return false;
		}
	}
	return r == 0;
}

static bool
users_whole(const struct delta *d)
{
	const struct snapshot own = { .base = d->s->delta, .size = d->s->delta_size };
	struct snapshot_user user;
	uint32_t count = 0, last = 0;
	uint64_t at = 0;
	int r;

	while ((r = snapshot_next_user(&own, &at, &user)) > 0) {
		user.in_delta = true;
		if (user.uid <= last || !snapshot_strings_whole(&user) || !snapshot_user_found(own.base, &user) ||
		    !user_unique(d, &user) || !memberships_whole(d, &user))
			return false;
		last = user.uid;
		count++;
	}
	return r == 0 && count == d->own->user_count;
}

/* After kept and new members were met: none is left over. */
static bool
members_whole(const struct delta *d)
{
	const struct snapshot own = { .base = d->s->delta, .size = d->s->delta_size };
	struct snapshot_group group, same;
	uint64_t at = 0;
	uint32_t ref;

	while (snapshot_next_group(&own, &at, &group) > 0)
		if (snapshot_locate_group(own.base, NULL, group.gid, &same, &ref) != 1 ||
		    d->done[ref].index != group.member_count || d->done[ref].names != group.members_len)
			return false;
	return true;
}

/* A local gid that a list of the base may have is one of the delta too: readers ask the newest header alone. */
static bool
local_gids_whole(const struct delta *d)
{
	for (uint32_t i = 0; i < d->base->local_gid_count; i++)
		if (!snapshot_local_gid(d->s, d->base->local_gids[i]))
			return false;
	return true;
}

int
snapshot_check_delta(const struct snapshot *s)
{
	struct delta d = { .s = s, .own = (const void *)s->delta, .base = (const void *)s->base };
	bool whole;
	int r;

	r = snapshot_check(s);
	if (r < 0)
		return r;
	d.users = calloc((size_t)d.own->hidden_user_count + 1, sizeof *d.users);
	d.groups = calloc((size_t)d.own->hidden_group_count + 1, sizeof *d.groups);
	d.lost = calloc((size_t)d.own->hidden_group_count + 1, sizeof *d.lost);
	d.done = calloc(d.own->section[SECTION_GROUPS].size / 4 + 1, sizeof *d.done);
	if (d.users == NULL || d.groups == NULL || d.lost == NULL || d.done == NULL) {
		r = -ENOMEM;
		goto out;
	}
	whole = local_gids_whole(&d) && take_refs(&d, SECTION_HIDDEN_USERS, d.own->hidden_user_count, d.users) &&
	    take_refs(&d, SECTION_HIDDEN_GROUPS, d.own->hidden_group_count, d.groups) && hidden_users_whole(&d) &&
	    hidden_groups_whole(&d) && groups_whole(&d) && users_whole(&d) && members_whole(&d);
	for (unsigned i = 0; i < SECTION_COUNT; i++)
		whole = whole && snapshot_table_whole(s->delta, i);
	r = whole ? 0 : -EBADMSG;
out:
	free(d.done);
	free(d.lost);
	free(d.groups);
	free(d.users);
	return r;
}

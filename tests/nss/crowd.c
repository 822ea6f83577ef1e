/*
 * crowd.c - see crowd.h. Test programs only.
 */
#include <config.h>

#include "tests/nss/crowd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/snapshot_format.h"

static const uint32_t local_gids[] = { 27 };

static void
must(int r, const char *what)
{
	if (r == 0)
		return;
	fprintf(stderr, "crowd: %s: %d\n", what, r);
	abort();
}

static uint32_t
roll(struct crowd *c, uint32_t sides)
{
	c->dice = c->dice * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(c->dice >> 33) % sides;
}

/* ---- people ---- */

/* Ids of all sizes, so that lists have steps of both kinds; never one that was there before. */
static uint32_t
fresh_id(struct crowd *c)
{
	uint32_t id = c->next_id++;

	return roll(c, 4) == 0 ? 20000000 + id * 70000 : 70000 + id;
}

static void
describe_user(struct crowd *c, struct crowd_user *u)
{
	static const char *const shells[] = { "/bin/bash", "/bin/sh", "/usr/sbin/nologin", "/usr/bin/zsh" };

	(void)snprintf(u->gecos, sizeof u->gecos, "Number %u", roll(c, 1000));
	(void)snprintf(u->shell, sizeof u->shell, "%s", shells[roll(c, 4)]);
	(void)snprintf(u->home, sizeof u->home, roll(c, 3) == 0 ? "/srv/%.30s/home" : "/home/%.33s", u->name);
}

static void
name_user(struct crowd *c, struct crowd_user *u)
{
	static const char tail[] = "-of-a-family";

	(void)snprintf(u->name, sizeof u->name, "u%u%.*s", c->next_id++, (int)roll(c, sizeof tail), tail);
}

static void
join_some(struct crowd *c, struct crowd_user *u)
{
	for (unsigned i = 0; i < CROWD_GROUPS; i++)
		u->member[i] = c->groups[i].there && roll(c, 3) == 0;
	u->sudo = roll(c, 8) == 0;
}

static void
add_user(struct crowd *c, struct crowd_user *u)
{
	*u = (struct crowd_user){ .there = true, .uid = fresh_id(c), .gid = 5000 };
	name_user(c, u);
	describe_user(c, u);
	join_some(c, u);
}

static void
add_group(struct crowd *c, struct crowd_group *g)
{
	*g = (struct crowd_group){ .there = true, .gid = fresh_id(c) };
	(void)snprintf(g->name, sizeof g->name, "g%u", c->next_id++);
}

static void
remove_group(struct crowd *c, unsigned i)
{
	c->groups[i].there = false;
	for (unsigned k = 0; k < CROWD_USERS; k++)
		c->users[k].member[i] = false;
}

void
crowd_begin(struct crowd *c, uint64_t seed, unsigned percent)
{
	*c = (struct crowd){ .dice = seed, .next_id = 1 };
	for (unsigned i = 0; i < CROWD_GROUPS; i++)
		if (roll(c, 100) < percent)
			add_group(c, &c->groups[i]);
	for (unsigned i = 0; i < CROWD_USERS; i++)
		if (roll(c, 100) < percent)
			add_user(c, &c->users[i]);
}

/* ---- change ---- */

static void
change_user(struct crowd *c, struct crowd_user *u)
{
	struct crowd_user *other = &c->users[roll(c, CROWD_USERS)];
	char name[sizeof u->name];
	uint32_t uid;

	if (!u->there) {
		add_user(c, u);
		return;
	}
	switch (roll(c, 8)) {
	case 0: u->there = false; break;
	case 1: name_user(c, u); break;
	case 2: u->uid = fresh_id(c); break;
	case 3: describe_user(c, u); break;
	case 4: join_some(c, u); break;
	case 5: u->member[roll(c, CROWD_GROUPS)] = false; break;
	case 6:			/* two people swap names: each group of one must learn of it */
		memcpy(name, u->name, sizeof name);
		memcpy(u->name, other->name, sizeof name);
		memcpy(other->name, name, sizeof name);
		break;
	default:		/* or numbers */
		uid = u->uid;
		u->uid = other->uid;
		other->uid = uid;
		break;
	}
	/* who was never there has neither */
	if (u->name[0] == '\0' || u->uid == 0)
		u->there = false;
}

static void
change_group(struct crowd *c, unsigned i)
{
	struct crowd_group *g = &c->groups[i], *other = &c->groups[roll(c, CROWD_GROUPS)];
	uint32_t gid;

	if (!g->there) {
		add_group(c, g);
		for (unsigned k = 0; k < CROWD_USERS; k++)
			c->users[k].member[i] = c->users[k].there && roll(c, 3) == 0;
		return;
	}
	switch (roll(c, 5)) {
	case 0: remove_group(c, i); break;
	case 1: (void)snprintf(g->name, sizeof g->name, "g%u", c->next_id++); break;
	case 2: g->gid = fresh_id(c); break;
	case 3: c->users[roll(c, CROWD_USERS)].member[i] ^= 1; break;
	default:
		if (!other->there)
			break;
		gid = g->gid;
		g->gid = other->gid;
		other->gid = gid;
		break;
	}
}

void
crowd_change(struct crowd *c)
{
	if (roll(c, 3) == 0)
		change_group(c, roll(c, CROWD_GROUPS));
	else
		change_user(c, &c->users[roll(c, CROWD_USERS)]);
}

/* ---- building ---- */

static uint32_t
gids_of(const struct crowd *c, const struct crowd_user *u, uint32_t gids[CROWD_GROUPS + 1])
{
	uint32_t count = 0;

	for (unsigned i = 0; i < CROWD_GROUPS; i++)
		if (c->groups[i].there && u->member[i])
			gids[count++] = c->groups[i].gid;
	if (u->sudo)
		gids[count++] = local_gids[0];
	return count;
}

static void
build_user(struct snapshot_builder *b, const struct crowd *c, const struct crowd_user *u)
{
	uint32_t gids[CROWD_GROUPS + 1], count = gids_of(c, u, gids);

	must(snapshot_builder_add_user(b, u->uid, u->gid, u->name, u->gecos, u->home, u->shell, gids, count), u->name);
}

struct snapshot_builder *
crowd_build(const struct crowd *c)
{
	struct snapshot_builder *b = snapshot_builder_new();

	must(b == NULL, "builder");
	for (unsigned i = 0; i < CROWD_GROUPS; i++)
		if (c->groups[i].there)
			must(snapshot_builder_add_group(b, c->groups[i].gid, c->groups[i].name), c->groups[i].name);
	for (unsigned i = 0; i < CROWD_USERS; i++)
		if (c->users[i].there)
			build_user(b, c, &c->users[i]);
	return b;
}

static int
compare_ids(const void *one, const void *other)
{
	uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;

	return (a > b) - (a < b);
}

static bool
user_is(const struct crowd *c, const struct crowd_user *u, const struct crowd *before, const struct crowd_user *v)
{
	uint32_t now[CROWD_GROUPS + 1] = { 0 }, then[CROWD_GROUPS + 1] = { 0 };
	uint32_t count = gids_of(c, u, now);

	if (!u->there || !v->there)
		return u->there == v->there;
	if (count != gids_of(before, v, then))
		return false;
	qsort(now, count, sizeof now[0], compare_ids);
	qsort(then, count, sizeof then[0], compare_ids);
	return u->uid == v->uid && u->gid == v->gid && strcmp(u->name, v->name) == 0 && strcmp(u->gecos, v->gecos) == 0 &&
	    strcmp(u->home, v->home) == 0 && strcmp(u->shell, v->shell) == 0 && memcmp(now, then, sizeof now) == 0;
}

static bool
has_member(const struct crowd *c, unsigned group, const char *name)
{
	for (unsigned i = 0; i < CROWD_USERS; i++)
		if (c->users[i].there && c->users[i].member[group] && strcmp(c->users[i].name, name) == 0)
			return true;
	return false;
}

static bool
group_is(const struct crowd *c, const struct crowd *before, unsigned i)
{
	const struct crowd_group *g = &c->groups[i], *h = &before->groups[i];

	if (!g->there || !h->there)
		return g->there == h->there;
	if (g->gid != h->gid || strcmp(g->name, h->name) != 0)
		return false;
	for (unsigned k = 0; k < CROWD_USERS; k++) {
		if (c->users[k].there && c->users[k].member[i] && !has_member(before, i, c->users[k].name))
			return false;
		if (before->users[k].there && before->users[k].member[i] && !has_member(c, i, before->users[k].name))
			return false;
	}
	return true;
}

struct snapshot_builder *
crowd_build_delta(const struct crowd *c, const struct crowd *before, const struct snapshot *base)
{
	struct snapshot_builder *b = snapshot_builder_new_delta(base);

	must(b == NULL, "builder");
	for (unsigned i = 0; i < CROWD_USERS; i++)
		if (before->users[i].there && !user_is(c, &c->users[i], before, &before->users[i]))
			must(snapshot_builder_hide_user(b, before->users[i].uid), before->users[i].name);
	for (unsigned i = 0; i < CROWD_GROUPS; i++)
		if (before->groups[i].there && !group_is(c, before, i))
			must(snapshot_builder_hide_group(b, before->groups[i].gid), before->groups[i].name);
	for (unsigned i = 0; i < CROWD_GROUPS; i++) {
		const struct crowd_group *g = &c->groups[i];

		if (!g->there || group_is(c, before, i))
			continue;
		must(snapshot_builder_add_group(b, g->gid, g->name), g->name);
		must(snapshot_builder_keep_members(b, g->gid), g->name);
	}
	for (unsigned i = 0; i < CROWD_USERS; i++)
		if (c->users[i].there && !user_is(c, &c->users[i], before, &before->users[i]))
			build_user(b, c, &c->users[i]);
	return b;
}

struct snapshot_header_in
crowd_header(uint64_t generation)
{
	return (struct snapshot_header_in){
		.generation = generation, .created_utc_sec = (int64_t)generation, .valid_until_utc_sec = 2000000000,
		.enumerate = true, .contact = "it@example.com", .local_gid_count = 1, .local_gids = local_gids,
	};
}

/* ---- comparing ---- */

static int
compare_names(const void *one, const void *other)
{
	return strcmp(*(char *const *)one, *(char *const *)other);
}

/* All members in one text, sorted: their order is none that anybody may rely on. */
static bool
list_members(const struct snapshot_group *group, char *ret, size_t size)
{
	char names[CROWD_USERS * 34], *members[CROWD_USERS];
	size_t used = 0;

	ret[0] = '\0';
	if (group->member_count > CROWD_USERS || group->members_len > sizeof names ||
	    snapshot_group_members(group, names, members) != 1)
		return false;
	qsort(members, group->member_count, sizeof members[0], compare_names);
	for (uint32_t i = 0; i < group->member_count; i++)
		used += (size_t)snprintf(ret + used, size - used, "%s,", members[i]);
	return used < size;
}

static bool
same_user(const struct snapshot *s, const struct snapshot_user *u, const struct snapshot *t,
    const struct snapshot_user *v)
{
	uint32_t a[CROWD_GROUPS + 1], b[CROWD_GROUPS + 1];

	return u->uid == v->uid && u->gid == v->gid && strcmp(u->name, v->name) == 0 && strcmp(u->gecos, v->gecos) == 0 &&
	    strcmp(u->home, v->home) == 0 && strcmp(u->shell, v->shell) == 0 && u->name_len == strlen(u->name) &&
	    u->gecos_len == strlen(u->gecos) && u->home_len == strlen(u->home) && u->shell_len == strlen(u->shell) &&
	    u->group_count == v->group_count && u->group_count <= CROWD_GROUPS + 1 && snapshot_user_gids(s, u, a) == 1 &&
	    snapshot_user_gids(t, v, b) == 1 && memcmp(a, b, u->group_count * sizeof a[0]) == 0;
}

static bool
same_group(const struct snapshot_group *g, const struct snapshot_group *h)
{
	char one[CROWD_USERS * 34 + 1], other[CROWD_USERS * 34 + 1];

	return g->gid == h->gid && strcmp(g->name, h->name) == 0 && g->member_count == h->member_count &&
	    g->members_len == h->members_len && list_members(g, one, sizeof one) && list_members(h, other, sizeof other) &&
	    strcmp(one, other) == 0;
}

static const char *
lists_differ(const struct snapshot *s, const struct snapshot *t)
{
	struct snapshot_user u, v;
	struct snapshot_group g, h;
	uint64_t at = 0, other_at = 0;
	uint32_t count = 0;
	int r;

	while ((r = snapshot_next_user(s, &at, &u)) == snapshot_next_user(t, &other_at, &v) && r > 0) {
		if (!same_user(s, &u, t, &v))
			return "users in the list";
		count++;
	}
	if (r != 0 || count != snapshot_user_count(s) || count != snapshot_user_count(t))
		return "number of users";
	at = other_at = count = 0;
	while ((r = snapshot_next_group(s, &at, &g)) == snapshot_next_group(t, &other_at, &h) && r > 0) {
		if (!same_group(&g, &h))
			return "groups in the list";
		count++;
	}
	return r != 0 || count != snapshot_group_count(s) || count != snapshot_group_count(t) ? "number of groups" : NULL;
}

static const char *
user_differs(const struct snapshot *s, const struct snapshot *t, const struct crowd_user *u)
{
	struct snapshot_user a, b;
	int r;

	r = snapshot_find_user(s, u->name, &a);
	if (r != snapshot_find_user(t, u->name, &b) || r < 0 || (r > 0 && !same_user(s, &a, t, &b)))
		return "user by name";
	r = snapshot_find_uid(s, u->uid, &a);
	return r != snapshot_find_uid(t, u->uid, &b) || r < 0 || (r > 0 && !same_user(s, &a, t, &b)) ? "user by uid" : NULL;
}

static const char *
group_differs(const struct snapshot *s, const struct snapshot *t, const struct crowd_group *g)
{
	struct snapshot_group a, b;
	int r;

	r = snapshot_find_group(s, g->name, &a);
	if (r != snapshot_find_group(t, g->name, &b) || r < 0 || (r > 0 && !same_group(&a, &b)))
		return "group by name";
	r = snapshot_find_gid(s, g->gid, &a);
	return r != snapshot_find_gid(t, g->gid, &b) || r < 0 || (r > 0 && !same_group(&a, &b)) ? "group by gid" : NULL;
}

const char *
crowd_differs(const struct snapshot *one, const struct snapshot *other, const struct crowd *candidates, unsigned count)
{
	const char *what = lists_differ(one, other);

	for (unsigned k = 0; k < count; k++) {
		for (unsigned i = 0; i < CROWD_USERS && what == NULL; i++)
			what = user_differs(one, other, &candidates[k].users[i]);
		for (unsigned i = 0; i < CROWD_GROUPS && what == NULL; i++)
			what = group_differs(one, other, &candidates[k].groups[i]);
	}
	return what;
}

/*
 * test_snapshot_delta.c - base and delta as one state: equal to a base of the same people, and refused when not.
 */
#include <config.h>

#include "common/snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/snapshot_format.h"
#include "daemon/snapshot_build.h"
#include "tests/nss/crowd.h"
#include "tests/unit/suite.h"

/* A base in memory and the delta upon it; freed by the test. */
struct state {
	struct snapshot_image base, delta;
	struct snapshot s;
};

static void
image_of(struct snapshot_builder *b, uint64_t generation, struct snapshot_image *ret)
{
	const struct snapshot_header_in header = crowd_header(generation);

	ck_assert_ptr_nonnull(b);
	ck_assert_int_eq(snapshot_image_make(b, &header, ret), 0);
	snapshot_builder_free(b);
}

static void
set_base(struct state *st, struct snapshot_builder *b)
{
	image_of(b, 7, &st->base);
	st->s = (struct snapshot){ .base = st->base.bytes, .size = st->base.size };
}

static void
set_delta(struct state *st, struct snapshot_builder *b)
{
	image_of(b, 8, &st->delta);
	st->s.delta = st->delta.bytes;
	st->s.delta_size = st->delta.size;
}

static void
drop_delta(struct state *st)
{
	snapshot_image_done(&st->delta);
	st->s.delta = NULL;
	st->s.delta_size = 0;
}

static void
drop(struct state *st)
{
	snapshot_image_done(&st->delta);
	snapshot_image_done(&st->base);
}

/* ---- the same as a whole one ---- */

static const struct { unsigned percent, changes, rounds; } walks[] = {
	{ 0, 1, 40 }, { 10, 3, 60 }, { 60, 1, 60 }, { 60, 6, 100 }, { 90, 40, 40 }, { 100, 400, 10 },
};

/* Changes add up: each delta is of everything since the base. */
START_TEST(delta_is_the_whole)
{
	struct crowd *crowds = calloc(2, sizeof *crowds);
	struct state st = { 0 }, whole = { 0 };
	unsigned unlike_base = 0;

	crowd_begin(&crowds[0], (uint64_t)_i + 1, walks[_i].percent);
	set_base(&st, crowd_build(&crowds[0]));
	ck_assert_int_eq(snapshot_check_whole(&st.s), 0);
	crowds[1] = crowds[0];
	for (unsigned round = 0; round < walks[_i].rounds; round++) {
		const char *differs;

		for (unsigned i = 0; i < walks[_i].changes; i++)
			crowd_change(&crowds[1]);
		set_delta(&st, crowd_build_delta(&crowds[1], &crowds[0], &st.s));
		ck_assert_int_eq(snapshot_check_whole(&st.s), 0);
		set_base(&whole, crowd_build(&crowds[1]));
		ck_assert_int_eq(snapshot_check_whole(&whole.s), 0);
		differs = crowd_differs(&st.s, &whole.s, crowds, 2);
		ck_assert_msg(differs == NULL, "round %u: %s", round, differs);
		drop_delta(&st);
		unlike_base += crowd_differs(&st.s, &whole.s, crowds, 2) != NULL;
		drop(&whole);
	}
	ck_assert_uint_ge(unlike_base, walks[_i].rounds - 3);	/* it is the delta that makes them equal */
	drop(&st);
	free(crowds);
}
END_TEST

/* ---- one of each kind ---- */

/* ada 4000 and bob 4001 are in web 5000; ada in log 5001 too; eve 4002 is in none. */
static struct snapshot_builder *
three(void)
{
	const uint32_t both[] = { 5000, 5001 };
	struct snapshot_builder *b = snapshot_builder_new();

	ck_assert_int_eq(snapshot_builder_add_group(b, 5000, "web"), 0);
	ck_assert_int_eq(snapshot_builder_add_group(b, 5001, "log"), 0);
	ck_assert_int_eq(snapshot_builder_add_user(b, 4000, 5000, "ada", "Ada", "/home/ada", "/bin/sh", both, 2), 0);
	ck_assert_int_eq(snapshot_builder_add_user(b, 4001, 5000, "bob", "Bob", "/srv/b", "/bin/sh", both, 1), 0);
	ck_assert_int_eq(snapshot_builder_add_user(b, 4002, 5000, "eve", "Eve", "/home/eve", "/bin/sh", NULL, 0), 0);
	return b;
}

static int
add(struct snapshot_builder *b, uint32_t uid, const char *name, const uint32_t *gids, uint32_t count)
{
	return snapshot_builder_add_user(b, uid, 5000, name, "New", "/home/x", "/bin/zsh", gids, count);
}

static const uint32_t web_log[] = { 5000, 5001 };

static void
user_changed(struct snapshot_builder *b)
{
	ck_assert_int_eq(snapshot_builder_hide_user(b, 4000), 0);
	ck_assert_int_eq(add(b, 4000, "ada", web_log, 2), 0);
}

static void
user_renumbered(struct snapshot_builder *b)
{
	ck_assert_int_eq(snapshot_builder_hide_user(b, 4000), 0);
	ck_assert_int_eq(add(b, 4100, "ada", web_log, 2), 0);
}

static void
groups_again(struct snapshot_builder *b)
{
	ck_assert_int_eq(snapshot_builder_hide_group(b, 5000), 0);
	ck_assert_int_eq(snapshot_builder_hide_group(b, 5001), 0);
	ck_assert_int_eq(snapshot_builder_add_group(b, 5000, "web"), 0);
	ck_assert_int_eq(snapshot_builder_add_group(b, 5001, "log"), 0);
	ck_assert_int_eq(snapshot_builder_keep_members(b, 5000), 0);
	ck_assert_int_eq(snapshot_builder_keep_members(b, 5001), 0);
}

static void
user_renamed(struct snapshot_builder *b)
{
	ck_assert_int_eq(snapshot_builder_hide_user(b, 4000), 0);
	groups_again(b);
	ck_assert_int_eq(add(b, 4000, "augusta", web_log, 2), 0);
}

static void
user_removed(struct snapshot_builder *b)
{
	ck_assert_int_eq(snapshot_builder_hide_user(b, 4000), 0);
	groups_again(b);
}

static void
user_added(struct snapshot_builder *b)
{
	groups_again(b);
	ck_assert_int_eq(add(b, 3999, "kim", web_log, 1), 0);
}

static void
group_renamed(struct snapshot_builder *b)
{
	ck_assert_int_eq(snapshot_builder_hide_group(b, 5001), 0);
	ck_assert_int_eq(snapshot_builder_add_group(b, 5001, "logs"), 0);
	ck_assert_int_eq(snapshot_builder_keep_members(b, 5001), 0);
}

static void
group_renumbered(struct snapshot_builder *b)
{
	const uint32_t gids[] = { 5000, 4999 };

	ck_assert_int_eq(snapshot_builder_hide_group(b, 5001), 0);
	ck_assert_int_eq(snapshot_builder_hide_user(b, 4000), 0);
	ck_assert_int_eq(snapshot_builder_add_group(b, 4999, "log"), 0);
	ck_assert_int_eq(snapshot_builder_keep_members(b, 4999), 0);
	ck_assert_int_eq(add(b, 4000, "ada", gids, 2), 0);
}

static void
group_removed(struct snapshot_builder *b)
{
	ck_assert_int_eq(snapshot_builder_hide_group(b, 5001), 0);
	ck_assert_int_eq(snapshot_builder_hide_user(b, 4000), 0);
	ck_assert_int_eq(add(b, 4000, "ada", web_log, 1), 0);
}

static void
group_added(struct snapshot_builder *b)
{
	ck_assert_int_eq(snapshot_builder_add_group(b, 5002, "new"), 0);
}

static void
nothing(struct snapshot_builder *b)
{
	ck_assert_int_eq(snapshot_builder_hide_user(b, 4711), 0);
	ck_assert_int_eq(snapshot_builder_hide_group(b, 4711), 0);
}

/* Everybody as "name:uid:gecos:gids;...", every group as "name:gid:members;...". */
static const struct {
	const char *what;
	void (*change)(struct snapshot_builder *);
	const char *users, *groups;
} kinds[] = {
	{ "nothing", nothing, "ada:4000:Ada:5000,5001,;bob:4001:Bob:5000,;eve:4002:Eve:;",
	    "web:5000:ada,bob,;log:5001:ada,;" },
	{ "user changed", user_changed, "ada:4000:New:5000,5001,;bob:4001:Bob:5000,;eve:4002:Eve:;",
	    "web:5000:ada,bob,;log:5001:ada,;" },
	{ "user renumbered", user_renumbered, "bob:4001:Bob:5000,;eve:4002:Eve:;ada:4100:New:5000,5001,;",
	    "web:5000:ada,bob,;log:5001:ada,;" },
	{ "user renamed", user_renamed, "augusta:4000:New:5000,5001,;bob:4001:Bob:5000,;eve:4002:Eve:;",
	    "web:5000:bob,augusta,;log:5001:augusta,;" },
	{ "user removed", user_removed, "bob:4001:Bob:5000,;eve:4002:Eve:;", "web:5000:bob,;log:5001:;" },
	{ "user added", user_added, "kim:3999:New:5000,;ada:4000:Ada:5000,5001,;bob:4001:Bob:5000,;eve:4002:Eve:;",
	    "web:5000:ada,bob,kim,;log:5001:ada,;" },
	{ "group renamed", group_renamed, "ada:4000:Ada:5000,5001,;bob:4001:Bob:5000,;eve:4002:Eve:;",
	    "web:5000:ada,bob,;logs:5001:ada,;" },
	{ "group renumbered", group_renumbered, "ada:4000:New:4999,5000,;bob:4001:Bob:5000,;eve:4002:Eve:;",
	    "log:4999:ada,;web:5000:ada,bob,;" },
	{ "group removed", group_removed, "ada:4000:New:5000,;bob:4001:Bob:5000,;eve:4002:Eve:;", "web:5000:ada,bob,;" },
	{ "group added", group_added, "ada:4000:Ada:5000,5001,;bob:4001:Bob:5000,;eve:4002:Eve:;",
	    "web:5000:ada,bob,;log:5001:ada,;new:5002:;" },
};

static const char *
users_of(const struct snapshot *s)
{
	static char text[512];
	struct snapshot_user user;
	uint32_t gids[8];
	uint64_t at = 0;
	size_t used = 0;

	text[0] = '\0';
	while (snapshot_next_user(s, &at, &user) == 1) {
		used += (size_t)snprintf(text + used, sizeof text - used, "%s:%u:%s:", user.name, user.uid, user.gecos);
		ck_assert_int_eq(snapshot_user_gids(s, &user, gids), 1);
		for (uint32_t i = 0; i < user.group_count; i++)
			used += (size_t)snprintf(text + used, sizeof text - used, "%u,", gids[i]);
		used += (size_t)snprintf(text + used, sizeof text - used, ";");
	}
	return text;
}

static const char *
groups_of(const struct snapshot *s)
{
	static char text[512];
	struct snapshot_group group;
	char names[256], *members[16];
	uint64_t at = 0;
	size_t used = 0;

	text[0] = '\0';
	while (snapshot_next_group(s, &at, &group) == 1) {
		used += (size_t)snprintf(text + used, sizeof text - used, "%s:%u:", group.name, group.gid);
		ck_assert_int_eq(snapshot_group_members(&group, names, members), 1);
		for (uint32_t i = 0; i < group.member_count; i++)
			used += (size_t)snprintf(text + used, sizeof text - used, "%s,", members[i]);
		used += (size_t)snprintf(text + used, sizeof text - used, ";");
	}
	return text;
}

START_TEST(each_kind)
{
	struct snapshot_builder *b;
	struct state st = { 0 };

	set_base(&st, three());
	ck_assert_str_eq(users_of(&st.s), kinds[0].users);
	b = snapshot_builder_new_delta(&st.s);
	kinds[_i].change(b);
	set_delta(&st, b);
	ck_assert_int_eq(snapshot_check_whole(&st.s), 0);
	ck_assert_str_eq(users_of(&st.s), kinds[_i].users);
	ck_assert_str_eq(groups_of(&st.s), kinds[_i].groups);
	ck_assert_uint_eq(snapshot_generation(&st.s), 8);
	ck_assert_int_eq(snapshot_created_utc_sec(&st.s), 8);
	drop(&st);
}
END_TEST

/* ---- what must not be published ---- */

static void
removed_but_listed(struct snapshot_builder *b)
{
	(void)snapshot_builder_hide_user(b, 4000);
}

static void
renamed_but_listed(struct snapshot_builder *b)
{
	(void)snapshot_builder_hide_user(b, 4000);
	(void)add(b, 4000, "augusta", NULL, 0);
}

static void
left_but_listed(struct snapshot_builder *b)
{
	(void)snapshot_builder_hide_user(b, 4000);
	(void)add(b, 4000, "ada", web_log, 1);
}

static void
joined_but_not_listed(struct snapshot_builder *b)
{
	(void)snapshot_builder_hide_user(b, 4002);
	(void)add(b, 4002, "eve", web_log, 1);
}

static void
new_but_not_listed(struct snapshot_builder *b)
{
	(void)add(b, 4003, "kim", web_log, 1);
}

static void
group_gone_but_in_lists(struct snapshot_builder *b)
{
	(void)snapshot_builder_hide_group(b, 5001);
}

static void
members_not_kept(struct snapshot_builder *b)
{
	(void)snapshot_builder_hide_group(b, 5001);
	(void)snapshot_builder_add_group(b, 5001, "log");
}

static void
below_the_floor(struct snapshot_builder *b)
{
	(void)add(b, 999, "kim", NULL, 0);
}

static void (*const inconsistent[])(struct snapshot_builder *) = {
	removed_but_listed, renamed_but_listed, left_but_listed, joined_but_not_listed, new_but_not_listed,
	group_gone_but_in_lists, members_not_kept, below_the_floor,
};

START_TEST(inconsistent_is_refused)
{
	struct snapshot_builder *b;
	struct state st = { 0 };

	set_base(&st, three());
	b = snapshot_builder_new_delta(&st.s);
	inconsistent[_i](b);
	set_delta(&st, b);
	ck_assert_int_eq(snapshot_check(&st.s), 0);
	ck_assert_int_eq(snapshot_check_whole(&st.s), -EBADMSG);
	drop(&st);
}
END_TEST

START_TEST(builder_refuses)
{
	const uint32_t gone[] = { 5001 }, unknown[] = { 5005 };
	struct snapshot_header_in header = crowd_header(8);
	struct snapshot_builder *b, *base = snapshot_builder_new();
	struct snapshot_image image;
	struct state st = { 0 };

	set_base(&st, three());
	b = snapshot_builder_new_delta(&st.s);
	ck_assert_int_eq(add(b, 4000, "kim", NULL, 0), -EEXIST);
	ck_assert_int_eq(add(b, 4003, "ada", NULL, 0), -EEXIST);
	ck_assert_int_eq(snapshot_builder_add_group(b, 5000, "new"), -EEXIST);
	ck_assert_int_eq(snapshot_builder_add_group(b, 5002, "web"), -EEXIST);
	ck_assert_int_eq(snapshot_builder_keep_members(b, 5000), -ENOENT);
	ck_assert_int_eq(snapshot_builder_hide_user(b, 4000), 0);
	ck_assert_int_eq(snapshot_builder_hide_user(b, 4000), 0);
	ck_assert_int_eq(add(b, 4000, "kim", NULL, 0), 0);
	ck_assert_int_eq(add(b, 4000, "ada", NULL, 0), -EEXIST);
	ck_assert_int_eq(add(b, 4003, "kim", NULL, 0), -EEXIST);
	ck_assert_int_eq(add(b, 4003, "ada", NULL, 0), 0);
	header.local_gid_count = 0;
	ck_assert_int_eq(snapshot_image_make(b, &header, &image), -EINVAL);
	header.local_gid_count = 1;
	ck_assert_int_eq(snapshot_builder_hide_group(b, 5001), 0);
	ck_assert_int_eq(snapshot_image_make(b, &header, &image), 0);
	snapshot_image_done(&image);
	ck_assert_int_eq(add(b, 4004, "lee", gone, 1), 0);
	ck_assert_int_eq(snapshot_image_make(b, &header, &image), -EINVAL);
	snapshot_builder_free(b);
	b = snapshot_builder_new_delta(&st.s);
	ck_assert_int_eq(add(b, 4004, "lee", unknown, 1), 0);
	ck_assert_int_eq(snapshot_image_make(b, &header, &image), -EINVAL);
	snapshot_builder_free(b);
	ck_assert_int_eq(snapshot_builder_hide_user(base, 4000), -EINVAL);
	ck_assert_int_eq(snapshot_builder_hide_group(base, 5000), -EINVAL);
	ck_assert_int_eq(snapshot_builder_keep_members(base, 5000), -EINVAL);
	snapshot_builder_free(base);
	drop(&st);
}
END_TEST

/* ---- hostile ones ---- */

static struct snapshot_header *
header_of(const struct snapshot_image *image)
{
	return (void *)image->bytes;
}

static void
sign(const struct snapshot_image *image)
{
	header_of(image)->header_crc = snapshot_header_checksum(header_of(image));
}

/* A base as a delta, a delta as a base, and a delta of another base. */
START_TEST(kinds_are_told_apart)
{
	struct snapshot_builder *b;
	struct state st = { 0 }, other = { 0 };
	struct snapshot s;

	set_base(&st, three());
	set_base(&other, three());
	b = snapshot_builder_new_delta(&st.s);
	set_delta(&st, b);
	ck_assert_int_eq(snapshot_check(&st.s), 0);
	s = (struct snapshot){ .base = st.s.delta, .size = st.s.delta_size };
	ck_assert_int_eq(snapshot_check(&s), -EBADMSG);
	s = (struct snapshot){ .base = st.s.base, .size = st.s.size, .delta = other.s.base, .delta_size = other.s.size };
	ck_assert_int_eq(snapshot_check(&s), -ESTALE);
	/* the same people and generation, but another file */
	s.base = other.s.base;
	s.size = other.s.size;
	s.delta = st.s.delta;
	s.delta_size = st.s.delta_size;
	ck_assert_int_eq(snapshot_check(&s), -ESTALE);
	header_of(&st.delta)->base_generation++;
	sign(&st.delta);
	ck_assert_int_eq(snapshot_check(&st.s), -ESTALE);
	header_of(&st.delta)->base_generation--;
	header_of(&st.delta)->hidden_user_count = 4;
	sign(&st.delta);
	ck_assert_int_eq(snapshot_check(&st.s), -EBADMSG);
	drop(&other);
	drop(&st);
}
END_TEST

START_TEST(sn04a_every_byte_of_a_deltas_header)
{
	struct state st = { 0 };

	set_base(&st, three());
	set_delta(&st, snapshot_builder_new_delta(&st.s));
	for (size_t at = 0; at < sizeof(struct snapshot_header); at++) {
		uint8_t good = st.delta.bytes[at];

		for (unsigned change = 1; change < 256; change++) {
			st.delta.bytes[at] = good ^ (uint8_t)change;
			ck_assert_msg(snapshot_check(&st.s) < 0, "byte %zu ^ %u", at, change);
		}
		st.delta.bytes[at] = good;
	}
	ck_assert_int_eq(snapshot_check(&st.s), 0);
	drop(&st);
}
END_TEST

/* Any byte of the delta may be anything: no answer leaves the files, and what passes the check is not another state. */
START_TEST(hostile_delta)
{
	static const uint8_t values[] = { 0, 1, 0x80, 0xff };
	struct state st = { 0 };
	struct crowd *crowds = calloc(2, sizeof *crowds);

	crowd_begin(&crowds[0], 42, 8);
	crowds[1] = crowds[0];
	for (unsigned i = 0; i < 30; i++)
		crowd_change(&crowds[1]);
	set_base(&st, crowd_build(&crowds[0]));
	set_delta(&st, crowd_build_delta(&crowds[1], &crowds[0], &st.s));
	for (size_t at = 0; at < st.delta.size; at++) {
		uint8_t good = st.delta.bytes[at];

		for (size_t i = 0; i < sizeof values; i++) {
			st.delta.bytes[at] = values[i];
			sign(&st.delta);
			if (snapshot_check(&st.s) < 0)
				continue;
			(void)snapshot_check_delta(&st.s);
			(void)crowd_differs(&st.s, &st.s, crowds, 2);
		}
		st.delta.bytes[at] = good;
	}
	sign(&st.delta);
	ck_assert_int_eq(snapshot_check_whole(&st.s), 0);
	drop(&st);
	free(crowds);
}
END_TEST

/* A member's length, name and the end of it: another byte is never published, in a base or in a delta. */
START_TEST(every_byte_of_members)
{
	struct state st = { 0 };
	struct snapshot_image *const files[] = { &st.base, &st.delta };
	struct snapshot_builder *b;

	set_base(&st, three());
	b = snapshot_builder_new_delta(&st.s);
	user_renamed(b);		/* one group has a member that it keeps and a new one */
	set_delta(&st, b);
	ck_assert_int_eq(snapshot_check_whole(&st.s), 0);
	for (unsigned i = 0; i < 2; i++) {
		struct snapshot_span members = header_of(files[i])->section[SECTION_MEMBERS];

		ck_assert_uint_gt(members.size, 0);
		for (uint32_t at = members.at; at < members.at + members.size; at++) {
			files[i]->bytes[at] ^= 1;
			ck_assert_msg(snapshot_check_whole(&st.s) == -EBADMSG, "file %u, byte %u", i, at);
			files[i]->bytes[at] ^= 1;
		}
	}
	ck_assert_int_eq(snapshot_check_whole(&st.s), 0);
	drop(&st);
}
END_TEST

/* Its name has the base's generation, and a path that is too long is refused whole. */
START_TEST(where_it_lies)
{
	char name[SNAPSHOT_DELTA_NAME_SIZE], path[SNAPSHOT_PATH_MAX + 1];
	struct state st = { 0 };

	snapshot_delta_name(0xfedcba9876543210, name);
	ck_assert_str_eq(name, "delta.1.fedcba9876543210.snap");
	snapshot_delta_name(10, name);
	ck_assert_str_eq(name, "delta.1.000000000000000a.snap");
	set_base(&st, three());
	memset(path, 'd', sizeof path);
	path[sizeof path - SNAPSHOT_DELTA_NAME_SIZE - 1] = '/';
	path[sizeof path - 1] = '\0';
	ck_assert_int_eq(snapshot_open_delta(path, 0, &st.s), -ENAMETOOLONG);
	ck_assert_int_eq(snapshot_open_delta(path + 1, 0, &st.s), 0);
	drop(&st);
}
END_TEST

/* Hidden tables without an empty slot end a lookup all the same, and hide nobody from the list by being endless. */
START_TEST(endless_hidden_run)
{
	struct snapshot_user user;
	struct snapshot_group group;
	struct state st = { 0 };
	uint64_t at = 0;

	set_base(&st, three());
	set_delta(&st, snapshot_builder_new_delta(&st.s));
	for (unsigned i = SECTION_HIDDEN_USERS; i <= SECTION_HIDDEN_GROUPS; i++)
		memset(st.delta.bytes + header_of(&st.delta)->section[i].at, 0xff, header_of(&st.delta)->section[i].size);
	ck_assert_int_eq(snapshot_find_user(&st.s, "ada", &user), -EBADMSG);
	ck_assert_int_eq(snapshot_find_gid(&st.s, 5000, &group), -EBADMSG);
	ck_assert_int_eq(snapshot_next_user(&st.s, &at, &user), -EBADMSG);
	at = 0;
	ck_assert_int_eq(snapshot_next_group(&st.s, &at, &group), -EBADMSG);
	ck_assert_int_eq(snapshot_check_whole(&st.s), -EBADMSG);
	drop(&st);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ delta_is_the_whole, ROWS(walks) }, { each_kind, ROWS(kinds) },
		{ inconsistent_is_refused, ROWS(inconsistent) }, { builder_refuses, 0 }, { kinds_are_told_apart, 0 },
		{ sn04a_every_byte_of_a_deltas_header, 0 }, { hostile_delta, 0 }, { every_byte_of_members, 0 },
		{ where_it_lies, 0 }, { endless_hidden_run, 0 },
	};

	return suite_run("snapshot_delta", rows, ROWS(rows), 60);
}

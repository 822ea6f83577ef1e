/*
 * roster_maker.c - rosters for tests (see roster_maker.h). Test code only.
 */
#include <config.h>

#include "tests/unit/roster_maker.h"

#include <check.h>
#include <unistd.h>

static const char *
or_else(const char *text, const char *fallback)
{
	return text != NULL ? text : fallback;
}

static void
add(struct roster_writer *w, const struct roster_user *user)
{
	struct roster_user u = *user;

	u.gecos = or_else(u.gecos, "");
	u.home = or_else(u.home, "/home/x");
	u.shell = or_else(u.shell, "/bin/sh");
	u.contact = or_else(u.contact, "");
	ck_assert_int_eq(roster_add_user(w, &u), 0);
}

static int
seal(struct roster_writer *w)
{
	int fd = -1;

	ck_assert_int_eq(roster_seal(w, &fd), 0);
	roster_writer_free(w);
	return fd;
}

int
roster_maker_seal(const struct roster_group *groups, size_t group_count, const struct roster_user *users,
    size_t user_count)
{
	struct roster_writer *w = roster_writer_new(ROSTER_WHOLE);

	ck_assert_ptr_nonnull(w);
	for (size_t i = 0; i < group_count; i++) {
		struct roster_group g = groups[i];

		if (g.key == 0)
			g.key = i + 1;
		ck_assert_int_eq(roster_add_group(w, &g), 0);
	}
	for (size_t i = 0; i < user_count; i++) {
		struct roster_user u = users[i];

		if (u.key == 0)
			u.key = i + 1;
		add(w, &u);
	}
	return seal(w);
}

int
roster_maker_change(const struct roster_group *groups, size_t group_count, const struct roster_user *users,
    size_t user_count, const uint64_t *dropped_groups, size_t dropped_group_count, const uint64_t *dropped_users,
    size_t dropped_user_count)
{
	struct roster_writer *w = roster_writer_new(ROSTER_CHANGE);

	ck_assert_ptr_nonnull(w);
	for (size_t i = 0; i < group_count; i++)
		ck_assert_int_eq(roster_add_group(w, &groups[i]), 0);
	for (size_t i = 0; i < user_count; i++)
		add(w, &users[i]);
	for (size_t i = 0; i < dropped_group_count; i++)
		ck_assert_int_eq(roster_drop_group(w, dropped_groups[i]), 0);
	for (size_t i = 0; i < dropped_user_count; i++)
		ck_assert_int_eq(roster_drop_user(w, dropped_users[i]), 0);
	return seal(w);
}

struct roster *
roster_maker_open(const struct roster_group *groups, size_t group_count, const struct roster_user *users,
    size_t user_count)
{
	int fd = roster_maker_seal(groups, group_count, users, user_count);
	struct roster *roster = NULL;

	ck_assert_int_eq(roster_open(fd, &roster), 0);
	(void)close(fd);
	return roster;
}

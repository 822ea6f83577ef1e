/*
 * test_roster.c - rosters: written and read back, hostile ones refused; what the publisher keeps of a record.
 */
#include <config.h>

#include "daemon/roster.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/record.h"
#include "tests/unit/suite.h"

static const struct roster_group group_rows[] = { { 9, 5000, "web" }, { 0, 5001, "db" }, { UINT64_MAX, 5002, "" } };
static const uint32_t gids[] = { 5002, 77 };
static const uint64_t dropped_groups[] = { 3, 1 }, dropped_users[] = { 8 };
static const char *const locals[] = { "adm", "docker" };
static const uint32_t lost[] = { 5001, 9 };
static const struct roster_user user_rows[] = {
	{ .key = 7, .uid = 4000, .gid = 4000, .not_before_utc_sec = -1, .not_after_utc_sec = INT64_MAX, .flags = ROSTER_MFA,
	  .name = "ada", .gecos = "Ada L\xc3\xb6velace", .home = "/home/ada", .shell = "/bin/bash", .contact = "x@y",
	  .group_count = 2, .groups = gids, .local_count = 2, .locals = locals },
	{ .key = 1, .uid = UINT32_MAX, .flags = ROSTER_ENDED | ROSTER_MFA, .name = "", .gecos = "", .home = "", .shell = "",
	  .contact = "" },
	{ .key = 2, .uid = 4001, .gid = 4001, .flags = ROSTER_LOST, .name = "bob", .gecos = "", .home = "/home/bob",
	  .shell = "/bin/sh", .contact = "", .lost_count = 2, .lost_ending = 1, .lost = lost },
};

static struct roster_writer *
written(enum roster_kind kind)
{
	struct roster_writer *w = roster_writer_new(kind);

	ck_assert_ptr_nonnull(w);
	for (int i = 0; i < ROWS(group_rows); i++)
		ck_assert_int_eq(roster_add_group(w, &group_rows[i]), 0);
	for (int i = 0; i < ROWS(user_rows); i++)
		ck_assert_int_eq(roster_add_user(w, &user_rows[i]), 0);
	for (int i = 0; kind == ROSTER_CHANGE && i < ROWS(dropped_groups); i++)
		ck_assert_int_eq(roster_drop_group(w, dropped_groups[i]), 0);
	for (int i = 0; kind == ROSTER_CHANGE && i < ROWS(dropped_users); i++)
		ck_assert_int_eq(roster_drop_user(w, dropped_users[i]), 0);
	return w;
}

/* The bytes of the roster above, to be changed and freed by the test. */
static uint8_t *
bytes_of_written(size_t *ret_size)
{
	struct roster_writer *w = written(ROSTER_CHANGE);
	uint8_t *bytes;
	off_t size;
	int fd;

	ck_assert_int_eq(roster_seal(w, &fd), 0);
	roster_writer_free(w);
	size = lseek(fd, 0, SEEK_END);
	bytes = malloc((size_t)size);
	ck_assert_int_eq(pread(fd, bytes, (size_t)size, 0), size);
	(void)close(fd);
	*ret_size = (size_t)size;
	return bytes;
}

START_TEST(written_and_read)
{
	enum roster_kind kind = _i == 0 ? ROSTER_WHOLE : ROSTER_CHANGE;
	struct roster_writer *w = written(kind);
	struct roster *r;
	int fd;

	ck_assert_int_eq(roster_seal(w, &fd), 0);
	roster_writer_free(w);
	ck_assert_int_eq(fcntl(fd, F_GET_SEALS) & ROSTER_SEALS, ROSTER_SEALS);
	ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	ck_assert_int_eq(roster_open(fd, &r), 0);
	(void)close(fd);
	ck_assert_int_eq(roster_kind(r), kind);
	ck_assert_uint_eq(roster_dropped_group_count(r), kind == ROSTER_CHANGE ? ROWS(dropped_groups) : 0);
	ck_assert_uint_eq(roster_dropped_user_count(r), kind == ROSTER_CHANGE ? ROWS(dropped_users) : 0);
	for (uint32_t i = 0; i < roster_dropped_group_count(r); i++)
		ck_assert_uint_eq(roster_dropped_group_at(r, i), dropped_groups[i]);
	for (uint32_t i = 0; i < roster_dropped_user_count(r); i++)
		ck_assert_uint_eq(roster_dropped_user_at(r, i), dropped_users[i]);
	ck_assert_uint_eq(roster_group_count(r), ROWS(group_rows));
	ck_assert_uint_eq(roster_user_count(r), ROWS(user_rows));
	ck_assert_ptr_null(roster_group_at(r, ROWS(group_rows)));
	ck_assert_ptr_null(roster_user_at(r, ROWS(user_rows)));
	for (uint32_t i = 0; i < ROWS(group_rows); i++) {
		ck_assert_uint_eq(roster_group_at(r, i)->key, group_rows[i].key);
		ck_assert_uint_eq(roster_group_at(r, i)->gid, group_rows[i].gid);
		ck_assert_str_eq(roster_group_at(r, i)->name, group_rows[i].name);
	}
	for (uint32_t i = 0; i < ROWS(user_rows); i++) {
		const struct roster_user *got = roster_user_at(r, i), *want = &user_rows[i];

		ck_assert_uint_eq(got->key, want->key);
		ck_assert_uint_eq(got->uid, want->uid);
		ck_assert_uint_eq(got->gid, want->gid);
		ck_assert_int_eq(got->not_before_utc_sec, want->not_before_utc_sec);
		ck_assert_int_eq(got->not_after_utc_sec, want->not_after_utc_sec);
		ck_assert_uint_eq(got->flags, want->flags);
		ck_assert_str_eq(got->name, want->name);
		ck_assert_str_eq(got->gecos, want->gecos);
		ck_assert_str_eq(got->home, want->home);
		ck_assert_str_eq(got->shell, want->shell);
		ck_assert_str_eq(got->contact, want->contact);
		ck_assert_uint_eq(got->group_count, want->group_count);
		ck_assert_uint_eq(got->local_count, want->local_count);
		ck_assert_uint_eq(got->lost_count, want->lost_count);
		ck_assert_uint_eq(got->lost_ending, want->lost_ending);
		for (uint32_t k = 0; k < want->lost_count; k++)
			ck_assert_uint_eq(got->lost[k], want->lost[k]);
		for (uint32_t k = 0; k < want->group_count; k++)
			ck_assert_uint_eq(got->groups[k], want->groups[k]);
		for (uint32_t k = 0; k < want->local_count; k++)
			ck_assert_str_eq(got->locals[k], want->locals[k]);
	}
	roster_free(r);
}
END_TEST

START_TEST(empty)
{
	struct roster_writer *w = roster_writer_new(ROSTER_WHOLE);
	struct roster *r;
	int fd;

	ck_assert_int_eq(roster_seal(w, &fd), 0);
	roster_writer_free(w);
	ck_assert_int_eq(roster_open(fd, &r), 0);
	ck_assert_uint_eq(roster_user_count(r), 0);
	roster_free(r);
	(void)close(fd);
}
END_TEST

/* Whoever could still write could change it between the two passes. */
START_TEST(unsealed)
{
	static const unsigned seals[] = { 0, F_SEAL_WRITE, F_SEAL_WRITE | F_SEAL_GROW, F_SEAL_SHRINK | F_SEAL_GROW };
	struct roster *r;
	size_t size;
	uint8_t *bytes = bytes_of_written(&size);
	int fd;

	for (int i = 0; i < ROWS(seals); i++) {
		fd = memfd_create("test", MFD_ALLOW_SEALING | MFD_CLOEXEC);
		ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
		ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals[i]), 0);
		ck_assert_int_eq(roster_open(fd, &r), -EPERM);
		(void)close(fd);
	}
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(roster_open(fd, &r), -EPERM);
	(void)close(fd);
	ck_assert_int_eq(roster_open(-1, &r), -EPERM);
	free(bytes);
}
END_TEST

START_TEST(every_length)
{
	struct roster *r;
	size_t size;
	uint8_t *bytes = bytes_of_written(&size);

	for (size_t n = 0; n < size; n++) {
		uint8_t *part = malloc(n + 1);	/* of its own, so that the sanitizer sees a byte too many */

		memcpy(part, bytes, n);
		ck_assert_int_eq(roster_parse(part, n, &r), -EBADMSG);
		free(part);
	}
	bytes = realloc(bytes, size + 1);
	bytes[size] = 0;
	ck_assert_int_eq(roster_parse(bytes, size + 1, &r), -EBADMSG);
	ck_assert_int_eq(roster_parse(bytes, size, &r), 0);
	roster_free(r);
	free(bytes);
}
END_TEST

/* Any byte may be anything: refused, or strings are clean and keys stand once. */
START_TEST(every_byte)
{
	static const uint8_t values[] = { 0, 1, '\n', 0x7f, 0x80, 0xff };
	struct roster *r;
	size_t size;
	uint8_t *bytes = bytes_of_written(&size);

	for (size_t at = 0; at < size; at++) {
		uint8_t good = bytes[at];

		for (int i = 0; i < ROWS(values); i++) {
			bytes[at] = values[i];
			if (roster_parse(bytes, size, &r) < 0)
				continue;
			for (uint32_t u = 0; u < roster_user_count(r); u++) {
				const struct roster_user *user = roster_user_at(r, u);

				ck_assert_ptr_null(strpbrk(user->name, "\n\x7f"));
				for (uint32_t k = 0; k < roster_dropped_user_count(r); k++)
					ck_assert_uint_ne(user->key, roster_dropped_user_at(r, k));
			}
			roster_free(r);
		}
		bytes[at] = good;
	}
	free(bytes);
}
END_TEST

/* Numbers that only claim much cost nothing. */
START_TEST(claims)
{
	struct { uint8_t magic[8]; uint32_t kind, counts[4]; } header = { .magic = "ISMSROS2", .kind = ROSTER_CHANGE };
	const uint8_t *bytes = (const uint8_t *)&header;
	struct roster *r;

	ck_assert_int_eq(roster_parse((const uint8_t *)"", 0, &r), -EBADMSG);
	ck_assert_int_eq(roster_parse(bytes, sizeof header, &r), 0);
	roster_free(r);
	for (int i = 0; i < ROWS(header.counts); i++) {
		header.counts[i] = UINT32_MAX;
		ck_assert_int_eq(roster_parse(bytes, sizeof header, &r), -EBADMSG);
		header.counts[i] = 0;
	}
	for (header.kind = 0; header.kind < 5; header.kind++) {
		int want = header.kind == ROSTER_WHOLE || header.kind == ROSTER_CHANGE ? 0 : -EBADMSG;

		ck_assert_int_eq(roster_parse(bytes, sizeof header, &r), want);
		if (want == 0)
			roster_free(r);
	}
	header.kind = ROSTER_WHOLE;
	header.magic[7] = '1';
	ck_assert_int_eq(roster_parse(bytes, sizeof header, &r), -EBADMSG);
}
END_TEST

/* A key stands once among the groups, and once among the users, whether they are put or dropped. */
static const struct { uint64_t group, dropped_group, user, dropped_user; int want; } key_rows[] = {
	{ 10, 11, 10, 11, 0 }, { 9, 11, 10, 11, -EBADMSG }, { 10, 0, 10, 11, -EBADMSG }, { 10, 10, 10, 11, -EBADMSG },
	{ 10, 3, 10, 11, -EBADMSG }, { 10, 11, 7, 11, -EBADMSG }, { 10, 11, 10, 1, -EBADMSG }, { 10, 11, 10, 10, -EBADMSG },
	{ 10, 11, 10, 8, -EBADMSG }, { 8, 7, 9, 3, 0 },
};

START_TEST(keys)
{
	struct roster_writer *w = roster_writer_new(ROSTER_CHANGE);
	struct roster_group group = { key_rows[_i].group, 6000, "more" };
	struct roster_user user = user_rows[0];
	struct roster *r;
	int fd;

	user.key = key_rows[_i].user;
	for (int i = 0; i < ROWS(group_rows); i++)
		ck_assert_int_eq(roster_add_group(w, &group_rows[i]), 0);
	ck_assert_int_eq(roster_add_group(w, &group), 0);
	for (int i = 0; i < ROWS(user_rows); i++)
		ck_assert_int_eq(roster_add_user(w, &user_rows[i]), 0);
	ck_assert_int_eq(roster_add_user(w, &user), 0);
	ck_assert_int_eq(roster_drop_user(w, 8), 0);
	ck_assert_int_eq(roster_drop_user(w, key_rows[_i].dropped_user), 0);
	ck_assert_int_eq(roster_drop_group(w, 3), 0);
	ck_assert_int_eq(roster_drop_group(w, key_rows[_i].dropped_group), 0);
	ck_assert_int_eq(roster_seal(w, &fd), 0);
	roster_writer_free(w);
	ck_assert_int_eq(roster_open(fd, &r), key_rows[_i].want);
	if (key_rows[_i].want == 0)
		roster_free(r);
	(void)close(fd);
}
END_TEST

/* The writer refuses, record by record, what the reader would refuse as a whole. */
START_TEST(writer_refuses)
{
	struct roster_writer *w = written(ROSTER_WHOLE);
	struct roster_group group = { 77, 6000, "late" };
	struct roster_user user = user_rows[0];
	uint32_t *many = calloc(ROSTER_USER_GROUPS_MAX + 1, sizeof *many);
	const char *names[ROSTER_LOCAL_MAX + 1];
	char text[ROSTER_STR_MAX + 2];

	ck_assert_int_eq(roster_add_group(w, &group), -EINVAL);
	memset(text, 't', sizeof text);
	text[sizeof text - 1] = '\0';
	user.gecos = text;
	ck_assert_int_eq(roster_add_user(w, &user), -E2BIG);
	text[sizeof text - 2] = '\0';
	ck_assert_int_eq(roster_add_user(w, &user), 0);
	user.gecos = "two\nlines";
	ck_assert_int_eq(roster_add_user(w, &user), -EINVAL);
	user = user_rows[0];
	ck_assert_int_eq(roster_drop_user(w, 5), -EINVAL);	/* in a whole roster nothing is gone */
	ck_assert_int_eq(roster_drop_group(w, 5), -EINVAL);
	user.groups = many;
	user.group_count = ROSTER_USER_GROUPS_MAX + 1;
	ck_assert_int_eq(roster_add_user(w, &user), -E2BIG);
	user.group_count = ROSTER_USER_GROUPS_MAX;
	ck_assert_int_eq(roster_add_user(w, &user), 0);
	user = user_rows[0];
	for (int i = 0; i < ROWS(names); i++)
		names[i] = "adm";
	user.locals = names;
	user.local_count = ROSTER_LOCAL_MAX + 1;
	ck_assert_int_eq(roster_add_user(w, &user), -E2BIG);
	user.local_count = 0;
	user.lost = lost;
	user.lost_count = 2;
	ck_assert_int_eq(roster_add_user(w, &user), -EINVAL);	/* without the flag */
	user.flags = ROSTER_LOST;
	ck_assert_int_eq(roster_add_user(w, &user), 0);
	user.lost_ending = 3;
	ck_assert_int_eq(roster_add_user(w, &user), -EINVAL);
	roster_writer_free(w);
	free(many);
}
END_TEST

/* All of a record comes back; gids sorted and each once. */
START_TEST(packed)
{
	static const uint32_t mixed[] = { UINT32_MAX, 5, 70000, 5, 0, 70001 }, want[] = { 0, 5, 70000, 70001, UINT32_MAX };
	static const char *const three[] = { "adm", "", "docker" };
	const struct roster_user in = { .key = UINT64_MAX, .uid = UINT32_MAX, .gid = 7, .not_after_utc_sec = INT64_MIN,
		.flags = ROSTER_MFA | ROSTER_LOST, .name = "ada", .gecos = "", .home = "/home/ada", .shell = "/bin/sh",
		.contact = "x@y", .lost_count = 2, .lost_ending = 1, .lost = lost,
		.group_count = ROWS(mixed), .groups = mixed, .local_count = ROWS(three), .locals = three };
	struct record *r = record_pack_user(&in);
	struct user_lists lists;
	struct roster_user out;

	ck_assert_ptr_nonnull(r);
	user_record_read(record_user(r), &lists, &out);
	ck_assert(out.key == in.key && out.uid == in.uid && out.gid == in.gid && out.flags == in.flags &&
	    out.not_after_utc_sec == in.not_after_utc_sec);
	ck_assert_str_eq(out.name, in.name);
	ck_assert_str_eq(out.gecos, in.gecos);
	ck_assert_str_eq(out.home, in.home);
	ck_assert_str_eq(out.shell, in.shell);
	ck_assert_str_eq(out.contact, in.contact);
	ck_assert_uint_eq(out.group_count, ROWS(want));
	ck_assert_int_eq(memcmp(out.groups, want, sizeof want), 0);
	ck_assert(out.lost_count == 2 && out.lost_ending == 1 && memcmp(out.lost, lost, sizeof lost) == 0);
	ck_assert_uint_eq(out.local_count, ROWS(three));
	for (int i = 0; i < ROWS(three); i++)
		ck_assert_str_eq(out.locals[i], three[i]);
	ck_assert_str_eq(user_record_home(record_user(r)), in.home);
	ck_assert_str_eq(user_record_contact(record_user(r)), in.contact);
	ck_assert_uint_eq(record_size(r, REGISTER_USERS), 44 + 5 * 4 + 8 * 2 + strlen("ada/home/ada/bin/shx@yadmdocker"));
	free(r);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ written_and_read, 2 }, { empty, 0 }, { unsealed, 0 }, { every_length, 0 }, { every_byte, 0 },
		{ claims, 0 }, { keys, ROWS(key_rows) }, { writer_refuses, 0 }, { packed, 0 },
	};

	return suite_run("roster", rows, ROWS(rows), 30);
}

/*
 * test_roster.c - rosters: written and read back, hostile ones refused.
 */
#include <config.h>

#include "daemon/roster.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/suite.h"

static const struct roster_group group_rows[] = { { 5000, "web" }, { 5001, "db" }, { 5002, "" } };
static const uint32_t indexes[] = { 2, 0 };
static const char *const locals[] = { "adm", "docker" };
static const struct roster_user user_rows[] = {
	{ .uid = 4000, .gid = 4000, .not_before_utc_sec = -1, .not_after_utc_sec = INT64_MAX, .flags = ROSTER_MFA,
	  .name = "ada", .gecos = "Ada L\xc3\xb6velace", .home = "/home/ada", .shell = "/bin/bash", .contact = "x@y",
	  .group_count = 2, .groups = indexes, .local_count = 2, .locals = locals },
	{ .uid = UINT32_MAX, .flags = ROSTER_ENDED | ROSTER_MFA, .name = "", .gecos = "", .home = "", .shell = "",
	  .contact = "" },
};

static struct roster_writer *
written(void)
{
	struct roster_writer *w = roster_writer_new();

	ck_assert_ptr_nonnull(w);
	for (int i = 0; i < ROWS(group_rows); i++)
		ck_assert_int_eq(roster_add_group(w, &group_rows[i]), 0);
	for (int i = 0; i < ROWS(user_rows); i++)
		ck_assert_int_eq(roster_add_user(w, &user_rows[i]), 0);
	return w;
}

/* The bytes of the roster above, to be changed and freed by the test. */
static uint8_t *
bytes_of_written(size_t *ret_size)
{
	struct roster_writer *w = written();
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
	struct roster_writer *w = written();
	struct roster *r;
	int fd;

	ck_assert_int_eq(roster_seal(w, &fd), 0);
	roster_writer_free(w);
	ck_assert_int_eq(fcntl(fd, F_GET_SEALS) & ROSTER_SEALS, ROSTER_SEALS);
	ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	ck_assert_int_eq(roster_open(fd, &r), 0);
	(void)close(fd);
	ck_assert_uint_eq(roster_group_count(r), ROWS(group_rows));
	ck_assert_uint_eq(roster_user_count(r), ROWS(user_rows));
	ck_assert_ptr_null(roster_group_at(r, ROWS(group_rows)));
	ck_assert_ptr_null(roster_user_at(r, ROWS(user_rows)));
	for (uint32_t i = 0; i < ROWS(group_rows); i++) {
		ck_assert_uint_eq(roster_group_at(r, i)->gid, group_rows[i].gid);
		ck_assert_str_eq(roster_group_at(r, i)->name, group_rows[i].name);
	}
	for (uint32_t i = 0; i < ROWS(user_rows); i++) {
		const struct roster_user *got = roster_user_at(r, i), *want = &user_rows[i];

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
	struct roster_writer *w = roster_writer_new();
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

/* Any byte may be anything: refused, or strings are clean and indexes in range. */
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
				for (uint32_t k = 0; k < user->group_count; k++)
					ck_assert_uint_lt(user->groups[k], roster_group_count(r));
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
	static const uint8_t many[] = "ISMSROS1\xff\xff\xff\xff\xff\xff\xff\xff";
	struct roster *r;

	ck_assert_int_eq(roster_parse(many, 16, &r), -EBADMSG);
	ck_assert_int_eq(roster_parse((const uint8_t *)"", 0, &r), -EBADMSG);
	ck_assert_int_eq(roster_parse((const uint8_t *)"ISMSROS2\0\0\0\0\0\0\0\0", 16, &r), -EBADMSG);
}
END_TEST

/* The writer refuses, record by record, what the reader would refuse as a whole. */
START_TEST(writer_refuses)
{
	struct roster_writer *w = written();
	struct roster_group group = { 6000, "late" };
	struct roster_user user = user_rows[0];
	uint32_t bad_index = ROWS(group_rows), *many = calloc(ROSTER_USER_GROUPS_MAX + 1, sizeof *many);
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
	user.groups = &bad_index;
	user.group_count = 1;
	ck_assert_int_eq(roster_add_user(w, &user), -EINVAL);
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
	roster_writer_free(w);
	free(many);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ written_and_read, 0 }, { empty, 0 }, { unsealed, 0 }, { every_length, 0 }, { every_byte, 0 },
		{ claims, 0 }, { writer_refuses, 0 },
	};

	return suite_run("roster", rows, ROWS(rows), 30);
}

/*
 * test_snapshot.c - snapshots: built and read back, and broken in every way that a test can think of.
 */
#include <config.h>

#include "common/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/snapshot_format.h"
#include "daemon/snapshot_build.h"
#include "tests/nss/population.h"
#include "tests/nss/scratch.h"
#include "tests/unit/suite.h"

static const uint32_t local_gids[] = { 27, 998, 1005 };
static const struct snapshot_header_in plain = {
	.generation = 7, .created_utc_sec = 1700000000, .valid_until_utc_sec = 1700086400, .enumerate = true,
	.contact = "it@example.com", .local_gid_count = 3, .local_gids = local_gids,
};

/* A snapshot in memory, to be changed and freed by the test. */
static struct snapshot_image
image_of(uint32_t users, uint32_t groups, uint32_t per_user)
{
	const struct population p = { users, groups, per_user };
	struct snapshot_builder *b = population_build(&p);
	struct snapshot_image image;

	ck_assert_int_eq(snapshot_image_make(b, &plain, &image), 0);
	snapshot_builder_free(b);
	return image;
}

static struct snapshot
snapshot_of(const struct snapshot_image *image)
{
	return (struct snapshot){ .base = image->bytes, .size = image->size };
}

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

/* The record of a user, to be changed by the test: homes of this population end in the names. */
static struct snapshot_user_record *
user_record_of(const struct snapshot_user *user)
{
	return (void *)(uintptr_t)(user->gecos - SNAPSHOT_USER_STRINGS);
}

/* Ask everything that can be asked, for the sanitizers to watch. */
static void
ask_everything(const struct snapshot *s)
{
	struct snapshot_user user;
	struct snapshot_group group;
	uint32_t gids[64];
	uint64_t at = 0;
	char name[16];

	for (uint32_t i = 0; i < 12; i++) {
		(void)snprintf(name, sizeof name, "u%u", i);
		if (snapshot_find_user(s, name, &user) == 1 && user.group_count <= 64)
			(void)snapshot_user_gids(s, &user, gids);
		(void)snapshot_find_uid(s, POPULATION_UID + i, &user);
		(void)snprintf(name, sizeof name, "g%u", i);
		(void)snapshot_find_group(s, name, &group);
		if (snapshot_find_gid(s, POPULATION_GID + i, &group) == 1) {
			char *names = malloc((size_t)group.members_len + 1);
			char **members = calloc((size_t)group.member_count + 1, sizeof *members);

			if (names != NULL && members != NULL)
				(void)snapshot_group_members(&group, names, members);
			free(members);
			free(names);
		}
	}
	for (unsigned i = 0; i < 100 && snapshot_next_user(s, &at, &user) > 0; i++)
		;
	at = 0;
	for (unsigned i = 0; i < 100 && snapshot_next_group(s, &at, &group) > 0; i++)
		;
}

/* ---- reading back ---- */

static const struct population populations[] = {
	{ 0, 1, 0 }, { 1, 1, 0 }, { 1, 1, 1 }, { 10, 3, 3 }, { 1000, 100, 20 }, { 5000, 600, 300 },
};

static void
check_user(const struct snapshot *s, const struct population *p, uint32_t i)
{
	char name[16], gecos[32], home[32];
	struct snapshot_user user, by_id;
	uint32_t gids[512];

	(void)snprintf(name, sizeof name, "u%u", i);
	(void)snprintf(gecos, sizeof gecos, "User %u", i);
	(void)snprintf(home, sizeof home, "/home/u%u", i);
	ck_assert_int_eq(snapshot_find_user(s, name, &user), 1);
	ck_assert_uint_eq(user.uid, POPULATION_UID + i);
	ck_assert_uint_eq(user.gid, POPULATION_GID + i % p->groups);
	ck_assert_str_eq(user.name, name);
	ck_assert_str_eq(user.gecos, gecos);
	ck_assert_str_eq(user.home, home);
	ck_assert_str_eq(user.shell, "/bin/bash");
	ck_assert_int_eq(snapshot_find_uid(s, user.uid, &by_id), 1);
	ck_assert_ptr_eq(by_id.name, user.name);
	ck_assert_uint_le(user.group_count, p->per_user + 1);
	ck_assert_int_eq(snapshot_user_gids(s, &user, gids), 1);
	ck_assert_uint_eq(gids[0], POPULATION_EVERYBODY);
	for (uint32_t k = 1; k < user.group_count; k++)
		ck_assert_uint_gt(gids[k], gids[k - 1]);
}

static void
check_everybody(const struct snapshot *s, const struct population *p)
{
	struct snapshot_group group;
	char *names, **members;

	ck_assert_int_eq(snapshot_find_group(s, "everybody", &group), 1);
	ck_assert_uint_eq(group.gid, POPULATION_EVERYBODY);
	ck_assert_uint_eq(group.member_count, p->users);
	names = malloc((size_t)group.members_len + 1);
	members = calloc((size_t)group.member_count + 1, sizeof *members);
	ck_assert_int_eq(snapshot_group_members(&group, names, members), 1);
	for (uint32_t i = 0; i < group.member_count; i++) {
		char name[16];

		(void)snprintf(name, sizeof name, "u%u", i);
		ck_assert_str_eq(members[i], name);
	}
	free(members);
	free(names);
}

START_TEST(built_and_read)
{
	const struct population *p = &populations[_i];
	struct snapshot_image image = image_of(p->users, p->groups, p->per_user);
	struct snapshot s = snapshot_of(&image);
	struct snapshot_user user;
	struct snapshot_group group;
	uint32_t count = 0;
	uint64_t at = 0;

	ck_assert_int_eq(snapshot_check_whole(&s), 0);
	ck_assert_uint_eq(snapshot_user_count(&s), p->users);
	ck_assert_uint_eq(snapshot_group_count(&s), p->groups + 1);
	ck_assert_uint_eq(snapshot_generation(&s), 7);
	ck_assert_int_eq(snapshot_created_utc_sec(&s), 1700000000);
	ck_assert_int_eq(snapshot_valid_until_utc_sec(&s), 1700086400);
	ck_assert(snapshot_enumerable(&s));
	ck_assert_str_eq(snapshot_contact(&s), "it@example.com");
	ck_assert(snapshot_local_gid(&s, 27) && !snapshot_local_gid(&s, 28) && !snapshot_local_gid(&s, 0));
	for (uint32_t i = 0; i < p->users; i++)
		check_user(&s, p, i);
	check_everybody(&s, p);
	ck_assert_int_eq(snapshot_find_user(&s, "nobody-here", &user), 0);
	ck_assert_int_eq(snapshot_find_user(&s, "", &user), 0);
	ck_assert_int_eq(snapshot_find_user(&s, "a-name-of-more-than-32-characters", &user), 0);
	ck_assert_int_eq(snapshot_find_uid(&s, POPULATION_UID - 1, &user), 0);
	ck_assert_int_eq(snapshot_find_group(&s, "u0", &group), 0);
	ck_assert_int_eq(snapshot_find_gid(&s, 4242, &group), 0);
	while (snapshot_next_user(&s, &at, &user) > 0)
		ck_assert_uint_eq(user.uid, POPULATION_UID + count++);
	ck_assert_uint_eq(count, p->users);
	snapshot_image_done(&image);
}
END_TEST

/* Steps between gids that need 16 bits, exactly, and one more. */
START_TEST(wide_lists)
{
	static const uint32_t gids[][3] = { { 2000, 67535, 133070 }, { 2000, 67536, 133071 }, { 27, 1005, 500000 } };
	struct snapshot_builder *b = snapshot_builder_new();
	struct snapshot_image image;
	struct snapshot s;
	struct snapshot_user user;
	uint32_t got[3];
	char name[8];

	for (uint32_t i = 0; i < 3; i++) {
		for (uint32_t k = 0; k < 3; k++) {
			(void)snprintf(name, sizeof name, "g%u-%u", i, k);
			if (i == 2 && k < 2)
				continue;	/* local gids have no entry */
			(void)snapshot_builder_add_group(b, gids[i][k], name);
		}
		(void)snprintf(name, sizeof name, "u%u", i);
		ck_assert_int_eq(snapshot_builder_add_user(b, 3000 + i, 3000, name, "", "/", "/bin/sh", gids[i], 3), 0);
	}
	ck_assert_int_eq(snapshot_image_make(b, &plain, &image), 0);
	s = snapshot_of(&image);
	ck_assert_int_eq(snapshot_check_whole(&s), 0);
	for (uint32_t i = 0; i < 3; i++) {
		(void)snprintf(name, sizeof name, "u%u", i);
		ck_assert_int_eq(snapshot_find_user(&s, name, &user), 1);
		ck_assert_int_eq(snapshot_user_gids(&s, &user, got), 1);
		ck_assert_mem_eq(got, gids[i], sizeof got);
	}
	snapshot_image_done(&image);
	snapshot_builder_free(b);
}
END_TEST

/* ---- the floor ---- */

static const struct { uint32_t id; bool allowed; } ids[] = {
	{ 0, false }, { 1, false }, { 999, false }, { 1000, true }, { 60000, true }, { 60001, false }, { 60513, false },
	{ 60514, true }, { 61183, true }, { 61184, false }, { 65519, false }, { 65520, true }, { 65533, true },
	{ 65534, false }, { 65535, false }, { 65536, true }, { INT32_MAX, true }, { 0x80000000u, false },
	{ UINT32_MAX, false },
};

START_TEST(ids_allowed)
{
	ck_assert_int_eq(snapshot_id_allowed(ids[_i].id), ids[_i].allowed);
}
END_TEST

/* Change the record of u3; whatever it says, nothing below the floor comes out. */
static const struct { const char *what; uint32_t uid, gid; const char *name; } bad_records[] = {
	{ "ns01a uid 0", 0, 100000, "u3" }, { "uid 999", 999, 100000, "u3" }, { "uid -1", UINT32_MAX, 100000, "u3" },
	{ "uid 65534", 65534, 100000, "u3" }, { "uid of DynamicUser", 61184, 100000, "u3" },
	{ "gid 0", 100003, 0, "u3" }, { "gid 999", 100003, 999, "u3" },
};

START_TEST(ns01a_ids_below_the_floor)
{
	struct snapshot_image image = image_of(5, 2, 1);
	struct snapshot s = snapshot_of(&image);
	struct snapshot_user_record *record;
	struct snapshot_user user;
	uint64_t at = 0;

	ck_assert_int_eq(snapshot_find_user(&s, "u3", &user), 1);
	record = user_record_of(&user);
	record->uid = bad_records[_i].uid;
	record->gid = bad_records[_i].gid;
	ck_assert_int_eq(snapshot_find_user(&s, "u3", &user), 0);
	ck_assert_int_eq(snapshot_find_uid(&s, record->uid, &user), 0);
	ck_assert_int_eq(snapshot_find_uid(&s, POPULATION_UID + 3, &user), 0);
	while (snapshot_next_user(&s, &at, &user) > 0)
		ck_assert_str_ne(user.name, "u3");
	ck_assert_int_eq(snapshot_check_whole(&s), -EBADMSG);
	snapshot_image_done(&image);
}
END_TEST

/* A table that names "root", and an id whose record has that name. */
START_TEST(ns02a_names_below_the_floor)
{
	struct snapshot_builder *b = snapshot_builder_new();
	struct snapshot_image image;
	struct snapshot s;
	struct snapshot_user user;
	struct snapshot_group group;

	ck_assert_int_eq(snapshot_builder_add_user(b, 3000, 3000, "root", "", "/", "/bin/sh", NULL, 0), 0);
	ck_assert_int_eq(snapshot_builder_add_user(b, 3001, 3000, "0", "", "/", "/bin/sh", NULL, 0), 0);
	ck_assert_int_eq(snapshot_builder_add_user(b, 3002, 3000, "Ada", "", "/", "/bin/sh", NULL, 0), 0);
	ck_assert_int_eq(snapshot_builder_add_group(b, 3000, "root"), 0);
	ck_assert_int_eq(snapshot_image_make(b, &plain, &image), 0);
	s = snapshot_of(&image);
	ck_assert_int_eq(snapshot_check(&s), 0);
	ck_assert_int_eq(snapshot_check_whole(&s), -EBADMSG);
	ck_assert_int_eq(snapshot_find_user(&s, "root", &user), 0);
	ck_assert_int_eq(snapshot_find_user(&s, "0", &user), 0);
	ck_assert_int_eq(snapshot_find_user(&s, "Ada", &user), 0);
	ck_assert_int_eq(snapshot_find_group(&s, "root", &group), 0);
	for (uint32_t id = 3000; id < 3003; id++)
		ck_assert_int_eq(snapshot_find_uid(&s, id, &user), 0);
	ck_assert_int_eq(snapshot_find_gid(&s, 3000, &group), 0);
	snapshot_image_done(&image);
	snapshot_builder_free(b);
}
END_TEST

/* A gid below the floor that the header does not list is corruption, not an answer. */
START_TEST(gids_below_the_floor)
{
	struct snapshot_image image = image_of(5, 2, 1);
	struct snapshot s = snapshot_of(&image);
	struct snapshot_user user;
	uint32_t gids[8], bad = 28;

	ck_assert_int_eq(snapshot_find_user(&s, "u3", &user), 1);
	memcpy(image.bytes + header_of(&image)->section[SECTION_LISTS].at + user.list_at, &bad, sizeof bad);
	ck_assert_int_eq(snapshot_user_gids(&s, &user, gids), -EBADMSG);
	bad = 27;	/* listed */
	memcpy(image.bytes + header_of(&image)->section[SECTION_LISTS].at + user.list_at, &bad, sizeof bad);
	header_of(&image)->local_gids[0] = 0;
	sign(&image);
	ck_assert_int_eq(snapshot_check(&s), -EBADMSG);		/* 0 is never a local gid */
	snapshot_image_done(&image);
}
END_TEST

/* ---- corruption ---- */

START_TEST(sn04a_every_byte_of_the_header)
{
	struct snapshot_image image = image_of(5, 2, 1);
	struct snapshot s = snapshot_of(&image);

	for (size_t at = 0; at < sizeof(struct snapshot_header); at++) {
		uint8_t good = image.bytes[at];

		for (unsigned change = 1; change < 256; change++) {
			image.bytes[at] = good ^ (uint8_t)change;
			ck_assert_msg(snapshot_check(&s) == -EBADMSG, "byte %zu ^ %u", at, change);
		}
		image.bytes[at] = good;
	}
	ck_assert_int_eq(snapshot_check(&s), 0);
	snapshot_image_done(&image);
}
END_TEST

/* The same with a checksum that fits: refused, or every answer stays in bounds. */
START_TEST(hostile_header)
{
	struct snapshot_image image = image_of(5, 2, 1);
	struct snapshot s = snapshot_of(&image);
	static const uint8_t values[] = { 0, 1, 0x40, 0x7f, 0x80, 0xff };

	for (size_t at = 0; at < sizeof(struct snapshot_header); at++) {
		uint8_t good = image.bytes[at];

		for (size_t i = 0; i < sizeof values; i++) {
			image.bytes[at] = values[i];
			sign(&image);
			if (snapshot_check(&s) == 0)
				ask_everything(&s);
		}
		image.bytes[at] = good;
	}
	snapshot_image_done(&image);
}
END_TEST

/* Any byte of the body may be anything: no answer leaves the file. */
START_TEST(hostile_body)
{
	struct snapshot_image image = image_of(5, 2, 1);
	struct snapshot s = snapshot_of(&image);
	static const uint8_t values[] = { 0, 1, 0x80, 0xff };

	for (size_t at = sizeof(struct snapshot_header); at < image.size; at++) {
		uint8_t good = image.bytes[at];

		for (size_t i = 0; i < sizeof values; i++) {
			image.bytes[at] = values[i];
			(void)snapshot_check_whole(&s);
			ask_everything(&s);
		}
		image.bytes[at] = good;
	}
	ck_assert_int_eq(snapshot_check_whole(&s), 0);
	snapshot_image_done(&image);
}
END_TEST

/* A table without an empty slot ends a lookup all the same. */
START_TEST(endless_run)
{
	struct snapshot_image image = image_of(5, 2, 1);
	struct snapshot s = snapshot_of(&image);
	struct snapshot_user user;

	for (unsigned i = SECTION_USER_NAMES; i <= SECTION_USER_IDS; i++)
		memset(image.bytes + header_of(&image)->section[i].at, 0xff, header_of(&image)->section[i].size);
	ck_assert_int_eq(snapshot_find_user(&s, "u1", &user), -EBADMSG);
	ck_assert_int_eq(snapshot_find_uid(&s, POPULATION_UID + 1, &user), -EBADMSG);
	ck_assert_int_eq(snapshot_check_whole(&s), -EBADMSG);
	snapshot_image_done(&image);
}
END_TEST

/* Every length of the file but the right one. */
START_TEST(sn09a_size)
{
	struct snapshot_image image = image_of(5, 2, 1);
	struct snapshot s;
	const char *path;

	(void)scratch_begin();
	path = scratch_path("s");
	scratch_write("s", "", 0);
	ck_assert_int_eq(snapshot_open(path, getuid(), &s), -EBADMSG);
	scratch_write("s", image.bytes, sizeof(struct snapshot_header));
	ck_assert_int_eq(snapshot_open(path, getuid(), &s), -EBADMSG);
	for (size_t size = 1; size < image.size; size += 97) {
		scratch_write("s", image.bytes, size);
		ck_assert_int_eq(snapshot_open(path, getuid(), &s), -EBADMSG);
	}
	header_of(&image)->total_size = sizeof(struct snapshot_header);
	sign(&image);
	scratch_write("s", image.bytes, sizeof(struct snapshot_header));
	ck_assert_int_eq(snapshot_open(path, getuid(), &s), -EBADMSG);
	snapshot_image_done(&image);
}
END_TEST

START_TEST(sn08a_version)
{
	struct snapshot_image image = image_of(5, 2, 1);
	struct snapshot s = snapshot_of(&image);

	header_of(&image)->version = SNAPSHOT_VERSION + 1;
	sign(&image);
	ck_assert_int_eq(snapshot_check(&s), -EBADMSG);
	header_of(&image)->version = SNAPSHOT_VERSION;
	header_of(&image)->byte_order = 0x04030201;
	sign(&image);
	ck_assert_int_eq(snapshot_check(&s), -EBADMSG);
	header_of(&image)->byte_order = SNAPSHOT_BYTE_ORDER;
	header_of(&image)->flags |= 1u << 31;
	sign(&image);
	ck_assert_int_eq(snapshot_check(&s), -EBADMSG);
	snapshot_image_done(&image);
}
END_TEST

START_TEST(sn05a_file_types)
{
	struct snapshot_image image = image_of(5, 2, 1);
	struct snapshot s;

	(void)scratch_begin();
	scratch_write("good", image.bytes, image.size);
	ck_assert_int_eq(snapshot_open(scratch_path("good"), getuid(), &s), 0);
	snapshot_close(&s);
	ck_assert_int_eq(snapshot_open(scratch_path("good"), getuid() + 1, &s), -EPERM);
	ck_assert_int_eq(symlink(scratch_path("good"), scratch_path("link")), 0);
	ck_assert_int_eq(snapshot_open(scratch_path("link"), getuid(), &s), -EPERM);
	ck_assert_int_eq(mkfifo(scratch_path("fifo"), 0644), 0);
	ck_assert_int_eq(snapshot_open(scratch_path("fifo"), getuid(), &s), -EPERM);
	ck_assert_int_eq(mkdir(scratch_path("folder"), 0755), 0);
	ck_assert_int_eq(snapshot_open(scratch_path("folder"), getuid(), &s), -EPERM);
	ck_assert_int_eq(snapshot_open("/dev/null", 0, &s), -EPERM);
	ck_assert_int_eq(chmod(scratch_path("good"), 0664), 0);
	ck_assert_int_eq(snapshot_open(scratch_path("good"), getuid(), &s), -EPERM);
	ck_assert_int_eq(chmod(scratch_path("good"), 0646), 0);
	ck_assert_int_eq(snapshot_open(scratch_path("good"), getuid(), &s), -EPERM);
	ck_assert_int_eq(snapshot_open(scratch_path("missing"), getuid(), &s), -ENOENT);
	snapshot_image_done(&image);
}
END_TEST

/* ---- building ---- */

START_TEST(builder_refuses)
{
	struct snapshot_builder *b = snapshot_builder_new();
	struct snapshot_header_in in = plain;
	const uint32_t unknown = 4711;
	struct snapshot_image image;
	char contact[200];

	ck_assert_int_eq(snapshot_builder_add_group(b, 2000, "one"), 0);
	ck_assert_int_eq(snapshot_builder_add_group(b, 2001, "one"), -EEXIST);
	ck_assert_int_eq(snapshot_builder_add_group(b, 2000, "two"), -EEXIST);
	ck_assert_int_eq(snapshot_builder_add_user(b, 2000, 2000, "ada", "", "/", "/bin/sh", NULL, 0), 0);
	ck_assert_int_eq(snapshot_builder_add_user(b, 2001, 2000, "ada", "", "/", "/bin/sh", NULL, 0), -EEXIST);
	ck_assert_int_eq(snapshot_builder_add_user(b, 2000, 2000, "bob", "", "/", "/bin/sh", NULL, 0), -EEXIST);
	memset(contact, 'c', sizeof contact);
	contact[SNAPSHOT_CONTACT_MAX + 1] = '\0';
	in.contact = contact;
	ck_assert_int_eq(snapshot_image_make(b, &in, &image), -EINVAL);
	in.contact = NULL;
	ck_assert_int_eq(snapshot_image_make(b, &in, &image), 0);
	snapshot_image_done(&image);
	in.local_gid_count = SNAPSHOT_LOCAL_GIDS_MAX + 1;
	ck_assert_int_eq(snapshot_image_make(b, &in, &image), -EINVAL);
	ck_assert_int_eq(snapshot_builder_add_user(b, 2002, 2000, "eve", "", "/", "/bin/sh", &unknown, 1), 0);
	ck_assert_int_eq(snapshot_image_make(b, &plain, &image), -EINVAL);
	snapshot_builder_free(b);
}
END_TEST

/* The same content twice: another seed, so nobody can prepare names that collide in the next file (NS12a). */
START_TEST(seeds_differ)
{
	struct snapshot_image one = image_of(5, 2, 1), other = image_of(5, 2, 1);

	ck_assert_mem_ne(header_of(&one)->seed, header_of(&other)->seed, sizeof header_of(&one)->seed);
	snapshot_image_done(&one);
	snapshot_image_done(&other);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ built_and_read, ROWS(populations) }, { wide_lists, 0 }, { ids_allowed, ROWS(ids) },
		{ ns01a_ids_below_the_floor, ROWS(bad_records) }, { ns02a_names_below_the_floor, 0 },
		{ gids_below_the_floor, 0 }, { sn04a_every_byte_of_the_header, 0 }, { hostile_header, 0 },
		{ hostile_body, 0 }, { endless_run, 0 }, { sn09a_size, 0 }, { sn08a_version, 0 },
		{ sn05a_file_types, 0 }, { builder_refuses, 0 }, { seeds_differ, 0 },
	};

	int status;

	scratch_make();
	status = suite_run("snapshot", rows, ROWS(rows), 60);
	scratch_remove();
	return status;
}

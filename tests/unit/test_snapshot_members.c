/*
 * test_snapshot_members.c - the names of a group's members: copied whole, and only if they can be names.
 */
#include <config.h>

#include "common/snapshot_format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/suite.h"

/* Some answers are short, others long enough for wide registers, where there are any (snapshot_wide.h). */
enum { MEMBERS_MAX = 300, LONGEST = 32 };

/* A group as its record would say, each part exactly as long as it is, for the sanitizers to watch. */
static struct snapshot_group group;
static uint8_t *lens;
static char *names;

/* Names of these lengths in turn: "aaaa", "bbb", ... */
static void
make_group(uint32_t count, const uint8_t *lengths, size_t length_count)
{
	size_t size = 0, at = 0;

	for (uint32_t i = 0; i < count; i++)
		size += lengths[i % length_count] + 1u;
	lens = malloc(count == 0 ? 1 : count);
	names = malloc(size == 0 ? 1 : size);
	for (uint32_t i = 0; i < count; at += lens[i++] + 1u) {
		lens[i] = lengths[i % length_count];
		memset(names + at, 'a' + (int)(i % 26), lens[i]);
		names[at + lens[i]] = SNAPSHOT_NAME_END;
	}
	group = (struct snapshot_group){
		.member_count = count, .member_lens = lens, .member_names = names, .members_len = size,
	};
}

static void
drop_group(void)
{
	free(lens);
	free(names);
}

/* The answer, in room that is exactly what is asked for. */
static int
ask(bool compare)
{
	char *to = malloc(group.members_len == 0 ? 1 : group.members_len);
	char **ret = calloc(group.member_count == 0 ? 1 : group.member_count, sizeof *ret);
	const char *from = names;
	int r;

	r = snapshot_group_members(&group, to, ret);
	for (uint32_t i = 0; r > 0 && compare && i < group.member_count; from += lens[i++] + 1u) {
		ck_assert_uint_eq(strlen(ret[i]), lens[i]);
		ck_assert_mem_eq(ret[i], from, lens[i]);
		ck_assert_ptr_eq(ret[i], to + (from - names));
	}
	free(ret);
	free(to);
	return r;
}

static const struct { const char *what; uint8_t lengths[4]; size_t count; } shapes[] = {
	{ "one", { 1 }, 1 }, { "six", { 6 }, 1 }, { "fifteen", { 15 }, 1 }, { "sixteen", { 16 }, 1 },
	{ "longest", { LONGEST }, 1 }, { "short ones", { 1, 15, 7, 8 }, 4 },
	{ "a long one at times", { 3, 4, 17, 5 }, 4 }, { "around", { 15, 16, 17, 32 }, 4 },
};

START_TEST(copied)
{
	for (uint32_t count = 0; count <= MEMBERS_MAX; count++) {
		make_group(count, shapes[_i].lengths, shapes[_i].count);
		ck_assert_int_eq(ask(true), 1);
		drop_group();
	}
}
END_TEST

/* Every byte in every place of names that fill some chunks and a rest. */
static const uint32_t numbers_of_names[] = { 13, 100 };

START_TEST(characters)
{
	static const uint8_t lengths[] = { 5, 6 };

	make_group(numbers_of_names[_i], lengths, 2);
	for (size_t at = 0; at < group.members_len; at++) {
		char good = names[at];

		for (int c = 0; c < 256; c++) {
			bool allowed = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';

			names[at] = (char)c;
			ck_assert_msg(ask(false) == (allowed ? 1 : -EBADMSG), "byte %d at %zu", c, at);
		}
		names[at] = good;
	}
	ck_assert_int_eq(ask(true), 1);
	drop_group();
}
END_TEST

/* Lengths that are none of a name, or together not the bytes that there are. */
START_TEST(lengths)
{
	static const uint8_t six[] = { 6 }, bad[] = { 0, LONGEST + 1, 128, UINT8_MAX };

	for (uint32_t count = 1; count <= 40; count++) {
		make_group(count, six, 1);
		for (uint32_t at = 0; at < count; at++) {
			for (size_t i = 0; i < sizeof bad; i++) {
				lens[at] = bad[i];
				ck_assert_int_eq(ask(false), -EBADMSG);
			}
			lens[at] = 7;
			ck_assert_int_eq(ask(false), -EBADMSG);
			lens[at] = 5;
			ck_assert_int_eq(ask(false), -EBADMSG);
			if (at > 0) {	/* the sum fits, the length does not */
				lens[at - 1] = 12;
				lens[at] = 0;
				ck_assert_int_eq(ask(false), -EBADMSG);
				lens[at - 1] = 6;
			}
			lens[at] = 6;
		}
		ck_assert_int_eq(ask(true), 1);
		drop_group();
	}
}
END_TEST

/* Lengths that are none of a name although all together fit, also where eight are looked at and added up at once. */
static const struct { uint32_t count; uint8_t first[7], others; } fitting[] = {
	{ 7, { LONGEST + 1, 1, 1, 1, 1, 1, 4 }, 6 },
	{ 23, { LONGEST + 1, 1, 1, 1, 1, 1, 4 }, 6 },
	{ 16, { 250, 17, 6, 6, 6, 6, 6 }, 6 },	/* 250 and 6 are 0 in a byte, and 1 in the next */
	{ 32, { 250, 17, 6, 6, 6, 6, 6 }, 6 },
	{ 80, { LONGEST + 1, 1, 1, 1, 1, 1, 4 }, 6 },
	{ 87, { 250, 17, 6, 6, 6, 6, 6 }, 6 },
};

START_TEST(lengths_that_fit)
{
	static const uint8_t six[] = { 6 };

	make_group(fitting[_i].count, six, 1);
	ck_assert_int_eq(ask(true), 1);
	for (uint32_t i = 0; i < fitting[_i].count; i++)
		lens[i] = i < sizeof fitting[_i].first ? fitting[_i].first[i] : fitting[_i].others;
	ck_assert_int_eq(ask(false), -EBADMSG);
	drop_group();
}
END_TEST

/* All of it once more with what every processor has, if this one has more. */
static int
again_without_avx2(char **argv)
{
	if (getenv("GLIBC_TUNABLES") != NULL)
		return EXIT_SUCCESS;
	if (setenv("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX2", 1) == 0)
		(void)execv("/proc/self/exe", argv);
	return EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	const struct suite_row rows[] = {
		{ copied, ROWS(shapes) }, { characters, ROWS(numbers_of_names) }, { lengths, 0 }, { lengths_that_fit, ROWS(fitting) },
	};

	(void)argc;
	if (suite_run("snapshot_members", rows, ROWS(rows), 60) != EXIT_SUCCESS)
		return EXIT_FAILURE;
	return again_without_avx2(argv);
}

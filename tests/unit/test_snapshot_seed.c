/*
 * test_snapshot_seed.c - NS12a: names chosen to collide under a seed that everybody can read cost nobody anything.
 */
#include <config.h>

#include "common/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/snapshot_format.h"
#include "daemon/snapshot_build.h"
#include "tests/unit/suite.h"

enum { NAMES = 100000, SLOTS = 2000 };

static char (*names)[16];

static const struct snapshot_header *
header_of(const struct snapshot_image *image)
{
	return (const void *)image->bytes;
}

static uint32_t
starts_of(const struct snapshot_image *image)
{
	return header_of(image)->section[SECTION_USER_NAMES].size / (uint32_t)sizeof(uint32_t) - SNAPSHOT_PROBE_MAX;
}

/* Names that all begin in the first slots of a file's table, as many as that file has. */
static void
choose_names(const struct snapshot_image *known)
{
	uint32_t starts = starts_of(known), count = 0;

	for (uint32_t i = 0; count < NAMES; i++) {
		int len = snprintf(names[count], sizeof names[0], "n%u", i);
		uint64_t hash = snapshot_hash_name(header_of(known), names[count], (size_t)len);

		if (snapshot_slot_start(hash, starts) < SLOTS)
			count++;
	}
}

static struct snapshot_image
build(void)
{
	const struct snapshot_header_in header = { .generation = 1 };
	struct snapshot_builder *b = snapshot_builder_new();
	struct snapshot_image image;

	for (uint32_t i = 0; i < NAMES; i++) {
		if (names[i][0] == '\0')
			(void)snprintf(names[i], sizeof names[0], "u%u", i);
		ck_assert_int_eq(snapshot_builder_add_user(b, 70000 + i, 70000, names[i], "", "/", "/bin/sh", NULL, 0), 0);
	}
	ck_assert_int_eq(snapshot_image_make(b, &header, &image), 0);
	snapshot_builder_free(b);
	return image;
}

static uint32_t
longest_run(const struct snapshot_image *image)
{
	const uint32_t *slots = (const void *)(image->bytes + header_of(image)->section[SECTION_USER_NAMES].at);
	uint32_t run = 0, longest = 0;

	for (uint32_t i = 0; i < starts_of(image) + SNAPSHOT_PROBE_MAX; i++) {
		run = slots[i] != 0 ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	return longest;
}

/* Whoever knows a file knows its seed, and what would be one run of 100,000. In the next they are like any. */
START_TEST(ns12a_hash)
{
	struct snapshot_image known, next;
	struct snapshot_user user;
	struct snapshot s;
	uint32_t others;

	names = calloc(NAMES, sizeof *names);
	known = build();
	others = longest_run(&known);
	choose_names(&known);
	next = build();
	ck_assert_uint_ne(header_of(&known)->seed[0], header_of(&next)->seed[0]);
	s = (struct snapshot){ .base = next.bytes, .size = next.size };
	ck_assert_int_eq(snapshot_check_whole(&s), 0);
	ck_assert_msg(longest_run(&next) < 2 * others + 32, "%u slots, where others need %u", longest_run(&next), others);
	for (uint32_t i = 0; i < NAMES; i++)
		ck_assert_int_eq(snapshot_find_user(&s, names[i], &user), 1);
	snapshot_image_done(&next);
	snapshot_image_done(&known);
	free(names);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = { { ns12a_hash, 0 } };

	return suite_run("snapshot_seed", rows, ROWS(rows), 60);
}

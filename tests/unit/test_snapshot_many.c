/*
 * test_snapshot_many.c - so many users that two threads make the file, and two check it (common/together.h).
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>

#include "common/together.h"
#include "daemon/snapshot_build.h"
#include "tests/nss/population.h"
#include "tests/unit/suite.h"

static const struct population many = { TOGETHER_MIN + 3000, 400, 12 };
static struct snapshot_image image;
static struct snapshot s;

static void
make(void)
{
	const struct snapshot_header_in header = { .generation = 1, .contact = "" };
	struct snapshot_builder *b = population_build(&many);

	ck_assert_int_eq(snapshot_image_make(b, &header, &image), 0);
	snapshot_builder_free(b);
	s = (struct snapshot){ .base = image.bytes, .size = image.size };
}

/* What each thread has written is there for everybody, by both keys. */
START_TEST(everybody)
{
	struct snapshot_group group;
	struct snapshot_user user, by_id;
	uint64_t members = 0, at = 0;
	uint32_t gids[64];
	char name[16];

	make();
	ck_assert_int_eq(snapshot_check_whole(&s), 0);
	for (uint32_t i = 0; i < many.users; i++) {
		(void)snprintf(name, sizeof name, "u%u", i);
		ck_assert_int_eq(snapshot_find_user(&s, name, &user), 1);
		ck_assert_int_eq(snapshot_find_uid(&s, POPULATION_UID + i, &by_id), 1);
		ck_assert_ptr_eq(user.name, by_id.name);
		ck_assert_int_eq(snapshot_user_gids(&s, &user, gids), 1);
		members += user.group_count;
	}
	while (snapshot_next_group(&s, &at, &group) == 1)
		members -= group.member_count;
	ck_assert_uint_eq(members, 0);
	snapshot_image_done(&image);
}
END_TEST

/* A byte here and there of what either thread looks at: never published, whichever of them finds it. */
START_TEST(a_wrong_byte)
{
	static const enum snapshot_section parts[] = { SECTION_MEMBERS, SECTION_LISTS, SECTION_USER_NAMES, SECTION_USER_IDS };
	const struct snapshot_span *part;
	uint32_t step;

	make();
	part = &((const struct snapshot_header *)(const void *)image.bytes)->section[parts[_i]];
	step = part->size / 8;
	for (uint32_t at = part->at + step / 2; at < part->at + part->size; at += step) {
		uint32_t *slot = (void *)(image.bytes + at / 4 * 4), good = *slot;

		*slot ^= 0x01010101;
		ck_assert_msg(snapshot_check_whole(&s) == -EBADMSG, "section %u, word at %u", parts[_i], at);
		*slot = good;
	}
	ck_assert_int_eq(snapshot_check_whole(&s), 0);
	snapshot_image_done(&image);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = { { everybody, 0 }, { a_wrong_byte, 4 } };

	return suite_run("snapshot_many", rows, ROWS(rows), 120);
}

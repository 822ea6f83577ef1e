/*
 * test_snapshot_gids.c - a user's list of gids, whatever its bytes are: the same as one gid after the other.
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/snapshot_format.h"
#include "tests/unit/suite.h"

enum { GIDS_MAX = 60, TURNS = 300000 };

static struct snapshot_header header = { .local_gid_count = 2, .local_gids = { 27, 998 } };
static const struct snapshot s = { .base = (const uint8_t *)&header, .size = sizeof header };

static uint64_t state = 88172645463325252u;

static uint32_t
below(uint32_t bound)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32) % bound;
}

/* Where lists begin, and where they go on after a gap: around the ends of what may be given out. */
static uint32_t
some_gid(void)
{
	static const uint32_t ends[] = { 0, 27, 998, 999, 1000, 59900, 60000, 60514, 61183, 65500, 65519, 65533, 65536,
		1000000, INT32_MAX - 200, INT32_MAX, UINT32_MAX - 200 };

	return ends[below(ROWS(ends))] + below(4) * below(60);
}

static size_t
make(uint8_t *to, uint32_t count)
{
	uint32_t kind = below(4), gid = some_gid();
	uint8_t *begin = to;

	for (uint32_t i = 0; i < count; i++) {
		uint16_t step = (uint16_t)(kind == 0 ? 1 + below(9) : kind == 1 ? below(30) : kind == 2 ? 1 + below(65535) : 1);

		if (i > 0) {
			memcpy(to, &step, sizeof step);
			to += sizeof step;
		}
		if (i == 0 || step == 0) {
			memcpy(to, &gid, sizeof gid);
			to += sizeof gid;
			gid = some_gid();
		}
	}
	return (size_t)(to - begin);
}

/* As the format says (common/snapshot_format.h), without any haste. */
static int
one_by_one(const uint8_t *at, const uint8_t *end, uint32_t count, uint32_t *ret)
{
	uint64_t last = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint16_t step = 0;
		uint32_t gid;

		if (i > 0) {
			if (end - at < 2)
				return -EBADMSG;
			memcpy(&step, at, sizeof step);
			at += sizeof step;
		}
		gid = (uint32_t)last + step;
		if (step == 0) {
			if (end - at < 4)
				return -EBADMSG;
			memcpy(&gid, at, sizeof gid);
			at += sizeof gid;
		}
		if (gid <= last || (!snapshot_id_allowed(gid) && gid != 27 && gid != 998))
			return -EBADMSG;
		ret[i] = gid;
		last = gid;
	}
	return 1;
}

/* A list of so many and what lies behind it, exactly as long as it is; at times cut off, at times with other bytes. */
static uint8_t *
some_list(uint32_t count, size_t *ret_size)
{
	uint8_t scratch[6 * GIDS_MAX], *list;
	size_t size = make(scratch, count), rest = below(2) * 6 * GIDS_MAX;

	if (below(3) == 0) {
		size = below((uint32_t)size + 1);
		rest = 0;
	}
	for (uint32_t i = below(8); size > 0 && i < 3; i++)
		scratch[below((uint32_t)size)] = (uint8_t)below(256);
	list = calloc(1, size + rest == 0 ? 1 : size + rest);
	ck_assert_ptr_nonnull(list);
	memcpy(list, scratch, size);
	*ret_size = size + rest;
	return list;
}

/* So many gids of a list, some at a time, each time with exactly that room. Returns how many until one was refused. */
static uint32_t
in_parts(const uint8_t *list, size_t size, uint32_t count, uint32_t part, uint32_t *ret)
{
	struct snapshot_gids gids = { .at = list, .end = list + size, .left = count };
	uint32_t done = 0;
	int n = 1;

	while (n > 0 && done < count) {
		uint32_t room = part < count - done ? part : count - done, *got = calloc(room, sizeof *got);

		n = snapshot_gids_next(&s, &gids, got, room);
		ck_assert(n == (int)room || n == -EBADMSG);
		if (n > 0)
			memcpy(ret + done, got, room * sizeof *got);
		done += n > 0 ? room : 0;
		free(got);
	}
	return done;
}

/* All at once and some at a time, of lists that end where the room does, or go on. */
START_TEST(any_bytes)
{
	unsigned good = 0, bad = 0;

	for (unsigned turn = 0; turn < TURNS; turn++) {
		uint32_t count = 1 + below(GIDS_MAX), part = below(2) == 0 ? count : 1 + below(20), done;
		uint32_t expected[GIDS_MAX], got[GIDS_MAX];
		size_t size;
		uint8_t *list = some_list(count, &size);
		bool right = one_by_one(list, list + size, count, expected) > 0;

		done = in_parts(list, size, count, part, got);
		ck_assert_int_eq(done == count, right);
		ck_assert_int_eq(memcmp(got, expected, done * sizeof *got), 0);
		good += right;
		bad += !right;
		free(list);
	}
	ck_assert_uint_gt(good, TURNS / 10);
	ck_assert_uint_gt(bad, TURNS / 10);
}
END_TEST

/* From numbers as high as no header may allow a local gid, eight steps do not lead to low ones. */
START_TEST(no_way_around)
{
	static const uint16_t steps[][8] = { { 1, 95, 43, 43, 43, 43, 43, 43 }, { 1096, 1, 1, 1, 1, 1, 1, 1 } };
	struct snapshot_header high = { .local_gid_count = 1, .local_gids = { UINT32_MAX - 95 } };
	const struct snapshot of_high = { .base = (const uint8_t *)&high, .size = sizeof high };
	uint8_t list[6 * 9] = { 0 };
	struct snapshot_gids gids = { .at = list, .end = list + sizeof list, .left = 9 };
	uint32_t got[9];

	memcpy(list, high.local_gids, sizeof high.local_gids[0]);
	memcpy(list + sizeof high.local_gids[0], steps[_i], sizeof steps[_i]);
	ck_assert_int_eq(snapshot_gids_next(&of_high, &gids, got, 9), -EBADMSG);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = { { any_bytes, 0 }, { no_way_around, 2 } };

	return suite_run("snapshot_gids", rows, ROWS(rows), 120);
}

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

/* All at once, of room that ends with the list or goes on, and some at a time. */
START_TEST(any_bytes)
{
	unsigned good = 0;

	for (unsigned turn = 0; turn < TURNS; turn++) {
		uint32_t count = 1 + below(GIDS_MAX), rest = below(2) * 6 * GIDS_MAX, expected[GIDS_MAX], got[GIDS_MAX], done = 0;
		uint8_t scratch[6 * GIDS_MAX];
		size_t size = make(scratch, count);
		uint8_t *list = calloc(1, size + rest);
		struct snapshot_gids gids = { .at = list, .end = list + size + rest, .left = count };
		uint32_t room = below(2) == 0 ? count : 1 + below(20);
		int r, n = 1;

		memcpy(list, scratch, size);
		r = one_by_one(list, list + size + rest, count, expected);
		while (n > 0 && done < count) {
			n = snapshot_gids_next(&s, &gids, got + done, room < count - done ? room : count - done);
			done += n > 0 ? (uint32_t)n : 0;
		}
		ck_assert_int_eq(n > 0 ? 1 : n, r);
		ck_assert_int_eq(memcmp(got, expected, done * sizeof *got), 0);
		good += r > 0;
		free(list);
	}
	ck_assert_uint_gt(good, TURNS / 10);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = { { any_bytes, 0 } };

	return suite_run("snapshot_gids", rows, ROWS(rows), 120);
}

/*
 * test_roll.c - who must leave when, the next instant at which anything is due, and clocks that are set.
 */
#include <config.h>

#include "daemon/roll.h"

#include <stdlib.h>

#include "daemon/wall_clock.h"
#include "tests/unit/roster_maker.h"
#include "tests/unit/suite.h"

#define WARN_SEC 900u
#define T 1000000

static struct roll filled, added;
static struct register_book *book;

/* Users u0, u1 ... of uids 2000, 2001 ... with these ends, all accepted; their ends, at once and one after the other. */
static void
begin(const int64_t *ends, size_t count)
{
	static const char *const names[] = { "u0", "u1", "u2", "u3", "u4", "u5" };
	struct roster_user list[6] = { 0 };
	struct register_edit edit;
	struct roster *roster;

	ck_assert_uint_le(count, 6);
	for (size_t i = 0; i < count; i++)
		list[i] = (struct roster_user){ .name = names[i], .uid = 2000 + (uint32_t)i, .gid = 2000,
			.not_after_utc_sec = ends[i] };
	roster = roster_maker_open(NULL, 0, list, count);
	ck_assert_int_eq(register_new(&book), 0);
	ck_assert_int_eq(register_edit_prepare(book, roster, &edit), 0);
	register_edit_make(book, &edit);
	register_edit_done(&edit);
	roster_free(roster);
	for (uint32_t i = 0; i < count; i++)
		register_at(book, REGISTER_USERS, i)->bits |= RECORD_ACCEPTED;
	ck_assert_int_eq(roll_reserve(&filled, count), 0);
	roll_fill(&filled, book);
	ck_assert_int_eq(roll_reserve(&added, count + 2), 0);
	roll_add(&added, T + 7);		/* comes and goes again */
	for (size_t i = 0; i < count; i++)
		roll_add(&added, ends[i]);
	roll_add(&added, T + 7);
	roll_remove(&added, T + 7);
	roll_remove(&added, T + 7);
	roll_remove(&added, T + 8);		/* never was */
}

static void
end(void)
{
	ck_assert_uint_eq(added.count, filled.count);
	roll_done(&filled);
	roll_done(&added);
	register_free(book);
}

static enum reason
judge(uint32_t flags, int64_t not_after_utc_sec, int64_t now_utc_sec)
{
	const struct user_record u = { .flags = (uint8_t)flags, .not_after_utc_sec = not_after_utc_sec };

	return roll_judge(&u, now_utc_sec);
}

START_TEST(px01a_boundary)
{
	ck_assert_int_eq(judge(0, T, T - 1), REASON_OK);
	ck_assert_int_eq(judge(0, T, T), REASON_EXPIRED);
	ck_assert_int_eq(judge(0, T, INT64_MAX), REASON_EXPIRED);
	ck_assert_int_eq(judge(ROSTER_ENDED, T, T - 1), REASON_DISABLED);
	ck_assert_int_eq(judge(0, 0, INT64_MAX), REASON_OK);
	ck_assert_int_eq(judge(0, -1, 0), REASON_EXPIRED);	/* nonsense is no licence */
}
END_TEST

static const struct { int64_t now, due; } dues[] = {
	/* ends at T and T + 1000, warned 900, 300, 60 and 10 seconds before */
	{ 0, T - 900 }, { T - 901, T - 900 }, { T - 900, T - 300 }, { T - 300, T - 60 }, { T - 60, T - 10 },
	{ T - 11, T - 10 }, { T - 10, T }, { T - 1, T }, { T, T + 100 }, { T + 100, T + 700 },
	{ T + 989, T + 990 }, { T + 999, T + 1000 }, { T + 1000, 0 }, { INT64_MAX / 2, 0 },
};

START_TEST(next_due)
{
	const int64_t ends[] = { T, 0, T + 1000, T, INT64_MIN };

	begin(ends, 5);
	ck_assert_int_eq(roll_next_due(&filled, dues[_i].now, WARN_SEC), dues[_i].due);
	ck_assert_int_eq(roll_next_due(&added, dues[_i].now, WARN_SEC), dues[_i].due);
	end();
}
END_TEST

START_TEST(short_warning)
{
	const int64_t ends[] = { T };

	begin(ends, 1);
	ck_assert_int_eq(roll_next_due(&added, 0, 30), T - 30);	/* the setting names the first warning */
	ck_assert_int_eq(roll_next_due(&added, T - 30, 30), T - 10);
	ck_assert_int_eq(roll_next_due(&added, 0, 5), T - 5);
	ck_assert(!roll_warning_due(T, T - 61, T - 59, 30));
	end();
}
END_TEST

START_TEST(nobody)
{
	begin(NULL, 0);
	ck_assert_int_eq(roll_next_due(&added, 0, WARN_SEC), 0);
	ck_assert_int_eq(roll_next_end(&filled, 0), 0);
	end();
}
END_TEST

START_TEST(warnings)
{
	ck_assert(roll_warning_due(T, T - 901, T - 900, WARN_SEC));
	ck_assert(!roll_warning_due(T, T - 900, T - 899, WARN_SEC));	/* once */
	ck_assert(roll_warning_due(T, T - 900, T - 1, WARN_SEC));	/* asleep: one for all */
	ck_assert(!roll_warning_due(T, T - 5, T, WARN_SEC));		/* too late for it */
	ck_assert(!roll_warning_due(0, 0, T, WARN_SEC));
	ck_assert(!roll_warning_due(INT64_MIN, 0, T, WARN_SEC));
	ck_assert(!roll_warning_due(T + 86400, T - 61, T - 60, WARN_SEC));	/* ps07a: extended */
}
END_TEST

START_TEST(tm07a_random)
{
	srandom(7);
	for (int i = 0; i < 1000000; i++) {
		int64_t end_sec = 1 + random() % 100, now = random() % 200;

		ck_assert_int_eq(judge(0, end_sec, now) == REASON_OK, now < end_sec);
	}
}
END_TEST

#define SEC 1000000LL
#define DAY (86400 * SEC)

START_TEST(tm04a_rollback)
{
	struct wall_clock clock = { .real_usec = 100 * DAY, .boot_usec = DAY };

	ck_assert_int_eq(wall_clock_judge(&clock, 100 * DAY + SEC, DAY + SEC), 100 * DAY + SEC);
	/* Set back by a day: time goes on where it was. */
	ck_assert_int_eq(wall_clock_judge(&clock, 99 * DAY + 2 * SEC, DAY + 2 * SEC), 100 * DAY + 2 * SEC);
	ck_assert_int_eq(wall_clock_judge(&clock, 99 * DAY + 3 * SEC, DAY + 3 * SEC), 100 * DAY + 3 * SEC);
	/* Right again. */
	ck_assert_int_eq(wall_clock_judge(&clock, 100 * DAY + 4 * SEC, DAY + 4 * SEC), 100 * DAY + 4 * SEC);
}
END_TEST

START_TEST(tm05a_forward)
{
	struct wall_clock clock = { .real_usec = 100 * DAY, .boot_usec = DAY };

	ck_assert_int_eq(wall_clock_judge(&clock, 3750 * DAY, DAY + SEC), 3750 * DAY);
	ck_assert_int_eq(wall_clock_judge(&clock, 100 * DAY + 2 * SEC, DAY + 2 * SEC), 100 * DAY + 2 * SEC);
}
END_TEST

/* A clock that was ahead when the host came up is set right; later it is not followed back. */
START_TEST(tm05a_forward_at_boot)
{
	struct wall_clock clock = { .real_usec = 3750 * DAY, .boot_usec = 10 * SEC };

	ck_assert_int_eq(wall_clock_judge(&clock, 100 * DAY, 40 * SEC), 100 * DAY);
	ck_assert(!clock.ahead);
	ck_assert_int_eq(wall_clock_judge(&clock, 99 * DAY, 140 * SEC), 100 * DAY + 100 * SEC);
	ck_assert_int_eq(wall_clock_judge(&clock, 3750 * DAY, 150 * SEC), 3750 * DAY);
	ck_assert(clock.ahead);
	ck_assert_int_eq(wall_clock_judge(&clock, 100 * DAY + 120 * SEC, 160 * SEC), 100 * DAY + 120 * SEC);
	ck_assert(!clock.ahead);
}
END_TEST

START_TEST(resumes)
{
	const struct wall_clock kept = { .real_usec = 100 * DAY, .boot_usec = DAY };
	const struct wall_clock useless[] = { { .real_usec = 0 }, { .real_usec = 100 * DAY, .boot_usec = 119 * SEC },
		{ .real_usec = 100 * DAY, .boot_usec = 3 * DAY } };
	struct wall_clock clock = { .real_usec = 3750 * DAY, .boot_usec = DAY + 5 * SEC };

	for (size_t i = 0; i < ROWS(useless); i++) {
		wall_clock_resume(&clock, &useless[i]);
		ck_assert_int_eq(clock.real_usec, 3750 * DAY);
	}
	/* Restarted while the clock is ten years ahead, then corrected. */
	wall_clock_resume(&clock, &kept);
	ck_assert_int_eq(wall_clock_judge(&clock, 3750 * DAY, DAY + 6 * SEC), 3750 * DAY);
	ck_assert_int_eq(wall_clock_judge(&clock, 100 * DAY + 9 * SEC, DAY + 9 * SEC), 100 * DAY + 9 * SEC);
}
END_TEST

START_TEST(small_steps_are_corrections)
{
	struct wall_clock clock = { .real_usec = 100 * DAY, .boot_usec = DAY };

	ck_assert_int_eq(wall_clock_judge(&clock, 100 * DAY - 100 * SEC, DAY), 100 * DAY - 100 * SEC);
	ck_assert_int_eq(wall_clock_judge(&clock, 100 * DAY, DAY + 100 * SEC), 100 * DAY);
	ck_assert_int_eq(clock.real_usec, 100 * DAY);
}
END_TEST

/* Corrections backwards do not add up: together they are bounded as one is. */
START_TEST(tm04a_small_steps_back)
{
	struct wall_clock clock = { .real_usec = 100 * DAY, .boot_usec = DAY };

	ck_assert_int_eq(wall_clock_judge(&clock, 100 * DAY - 299 * SEC, DAY), 100 * DAY - 299 * SEC);
	ck_assert_int_eq(wall_clock_judge(&clock, 100 * DAY - 598 * SEC, DAY), 100 * DAY);
	ck_assert_int_eq(wall_clock_judge(&clock, 100 * DAY - 896 * SEC, DAY + SEC), 100 * DAY + SEC);
	/* Forward they do, as the clock of a host may run slow. */
	ck_assert_int_eq(wall_clock_judge(&clock, 100 * DAY + 299 * SEC, DAY), 100 * DAY + 299 * SEC);
	ck_assert_int_eq(wall_clock_judge(&clock, 100 * DAY - 10 * SEC, DAY), 100 * DAY + 299 * SEC);
	ck_assert_int_eq(wall_clock_judge(&clock, 100 * DAY, DAY), 100 * DAY);
}
END_TEST

START_TEST(reads_the_clock)
{
	struct wall_clock clock;
	int64_t now;

	wall_clock_init(&clock);
	now = wall_clock_now_usec(&clock);
	ck_assert_int_ge(now, clock.real_usec - SEC);
	ck_assert_int_lt(now, clock.real_usec + 60 * SEC);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ px01a_boundary, 0 }, { next_due, ROWS(dues) }, { short_warning, 0 }, { nobody, 0 },
		{ warnings, 0 }, { tm07a_random, 0 }, { tm04a_rollback, 0 }, { tm05a_forward, 0 },
		{ tm05a_forward_at_boot, 0 }, { resumes, 0 }, { small_steps_are_corrections, 0 }, { tm04a_small_steps_back, 0 },
		{ reads_the_clock, 0 },
	};

	return suite_run("roll", rows, ROWS(rows), 30);
}

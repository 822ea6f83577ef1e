/*
 * test_clock.c - effective time and trust, with injected readings (THREATS 5.7).
 */
#include <config.h>

#include "daemon/clock.h"

#include <string.h>

#include "tests/unit/suite.h"

#define DAY 86400
#define YEAR (365 * DAY)
#define T0 1800000000LL

static struct clock_reading
reading(int64_t wall_sec, int64_t boot_sec)
{
	struct clock_reading r = { .wall_sec = wall_sec, .boot_sec = boot_sec };

	memcpy(r.boot_id, "11111111-2222-3333-4444-555555555555", sizeof r.boot_id);
	return r;
}

static struct clock
started(int64_t wall_sec, int64_t boot_sec)
{
	struct clock_reading now = reading(wall_sec, boot_sec);
	struct clock_mark none = { .known = false };
	struct clock c;

	clock_start(&c, &none, &now, 0);
	ck_assert(c.trusted);
	return c;
}

static int64_t
effective(struct clock *c, int64_t wall_sec, int64_t boot_sec)
{
	struct clock_reading now = reading(wall_sec, boot_sec);

	(void)clock_update(c, &now);
	return clock_effective(c, &now);
}

START_TEST(runs_with_the_wall_clock)
{
	struct clock c = started(T0, 10000);

	for (int64_t sec = 0; sec < 10 * DAY; sec += 977) {
		ck_assert_int_eq(effective(&c, T0 + sec, 10000 + sec), T0 + sec);
		ck_assert(c.trusted);
	}
}
END_TEST

/* Set back one day while running: what has expired stays expired. */
START_TEST(tm04a_rollback)
{
	struct clock c = started(T0, 10000);

	(void)effective(&c, T0 + 600, 10600);
	ck_assert_int_ge(effective(&c, T0 + 600 - DAY, 10601), T0 + 600);
	ck_assert(!c.trusted);
	/* Time goes on meanwhile. */
	ck_assert_int_ge(effective(&c, T0 + 600 - DAY + 3600, 10601 + 3600), T0 + 600 + 3600);
	ck_assert(!c.trusted);
	/* Put right. */
	ck_assert_int_eq(effective(&c, T0 + 4202, 14202), T0 + 4202);
	ck_assert(c.trusted);
}
END_TEST

START_TEST(tm04a_rollback_by_small_steps)
{
	struct clock c = started(T0, 10000);
	int64_t before = T0;

	for (int i = 1; i <= 100; i++) {
		int64_t now = effective(&c, T0 - i * 100, 10000 + i);

		ck_assert_int_ge(now, before);
		before = now;
	}
	ck_assert(!c.trusted);
}
END_TEST

START_TEST(tm04a_rollback_over_a_reboot)
{
	struct clock c = started(T0, 10000), again;
	struct clock_reading now = reading(T0 - DAY, 5);

	(void)effective(&c, T0 + 50000, 60000);
	memcpy(now.boot_id, "99999999-2222-3333-4444-555555555555", sizeof now.boot_id);
	clock_start(&again, &c.mark, &now, 0);
	ck_assert(!again.trusted);
	ck_assert_int_eq(clock_effective(&again, &now), T0 + 50000);
	/* No battery: time synchronisation sets it right later, far beyond the boot phase. */
	now.wall_sec = T0 + 60000;
	now.boot_sec = 4000;
	ck_assert(clock_update(&again, &now));
	ck_assert(again.trusted);
	ck_assert_int_eq(clock_effective(&again, &now), T0 + 60000);
}
END_TEST

/* Ten years ahead, then corrected: nobody is locked out afterwards. */
START_TEST(tm05a_forward)
{
	struct clock c = started(T0, 10000);

	(void)effective(&c, T0 + 100, 10100);
	ck_assert_int_eq(effective(&c, T0 + 10LL * YEAR, 10200), T0 + 10LL * YEAR);
	ck_assert(!c.trusted);
	ck_assert_int_eq(effective(&c, T0 + 10LL * YEAR + DAY, 10200 + DAY), T0 + 10LL * YEAR + DAY);
	ck_assert_int_eq(effective(&c, T0 + 300 + DAY, 10300 + DAY), T0 + 300 + DAY);
	ck_assert(c.trusted);
}
END_TEST

/* The same with a restart of the front while the clock is wrong. */
START_TEST(tm05a_forward_over_a_restart)
{
	struct clock c = started(T0, 10000), again;
	struct clock_reading now = reading(T0 + 10LL * YEAR, 10300);

	(void)effective(&c, T0 + 10LL * YEAR, 10200);
	clock_start(&again, &c.mark, &now, 0);
	ck_assert(!again.trusted);
	clock_confirm(&again, &now);		/* an untrusted clock confirms nothing */
	ck_assert_int_eq(effective(&again, T0 + 400, 10400), T0 + 400);
	ck_assert(again.trusted);
}
END_TEST

/* And with a snapshot that was published meanwhile: the jump must not come back by its date. */
START_TEST(tm05a_forward_past_a_snapshot)
{
	struct clock c = started(T0, 10000), again;
	struct clock_mark none = { .known = false };
	struct clock_reading now = reading(T0 + 10LL * YEAR, 10300);

	(void)effective(&c, T0 + 10LL * YEAR, 10200);
	clock_start(&again, &c.mark, &now, T0 + 10LL * YEAR - 50);
	ck_assert(!again.trusted);
	ck_assert_int_eq(effective(&again, T0 + 400, 10400), T0 + 400);
	ck_assert(again.trusted);
	/* Started after the correction, the snapshot not yet replaced. */
	now = reading(T0 + 500, 10500);
	clock_start(&again, &c.mark, &now, T0 + 10LL * YEAR - 50);
	ck_assert(again.trusted);
	/* The host came up with the wrong clock, published, and was set right in the boot phase. */
	now = reading(T0 + 10LL * YEAR, 20);
	clock_start(&again, &none, &now, T0 + 10LL * YEAR - 5);
	again.mark.mark_sec = T0;
	ck_assert_int_eq(effective(&again, T0 + 100, 60), T0 + 100);
	ck_assert(again.trusted);
	/* Its twin: what was published before it came up does bind. */
	clock_start(&again, &none, &now, T0 + 10LL * YEAR - 21);
	again.mark.mark_sec = T0;
	(void)effective(&again, T0 + 100, 60);
	ck_assert(!again.trusted);
}
END_TEST

START_TEST(host_was_off)
{
	struct clock c = started(T0, 10000), again;
	struct clock_reading now = reading(T0 + 90LL * DAY, 30);

	memcpy(now.boot_id, "99999999-2222-3333-4444-555555555555", sizeof now.boot_id);
	clock_start(&again, &c.mark, &now, 0);
	ck_assert(again.trusted);
	ck_assert_int_eq(clock_effective(&again, &now), T0 + 90LL * DAY);
	/* The mark lags until an independent clock has vouched for the time. */
	ck_assert_int_eq(again.mark.mark_sec, T0);
	clock_confirm(&again, &now);
	ck_assert_int_eq(again.mark.mark_sec, T0 + 90LL * DAY);
}
END_TEST

START_TEST(boot_phase_is_set_right)
{
	struct clock c = started(T0, 10);

	ck_assert_int_eq(effective(&c, T0 + 30LL * DAY, 40), T0 + 30LL * DAY);
	ck_assert(c.trusted);
	/* Only then. */
	ck_assert_int_eq(effective(&c, T0 + 60LL * DAY, CLOCK_BOOT_PHASE_SEC), T0 + 60LL * DAY);
	ck_assert(!c.trusted);
}
END_TEST

START_TEST(boot_before_the_snapshot)
{
	struct clock_reading now = reading(T0, 50);
	struct clock_mark none = { .known = false };
	struct clock c;

	clock_start(&c, &none, &now, T0 + DAY);
	ck_assert(!c.trusted);
	ck_assert_int_eq(clock_effective(&c, &now), T0);
	clock_trust(&c, &now);
	ck_assert(c.trusted);
	now.boot_sec++;
	now.wall_sec++;
	ck_assert(!clock_update(&c, &now));
	ck_assert(c.trusted);
}
END_TEST

START_TEST(trust_resets_the_mark)
{
	struct clock c = started(T0, 10000);
	struct clock_reading now = reading(T0 - 3LL * DAY, 10100);

	(void)clock_update(&c, &now);
	ck_assert(!c.trusted);
	clock_trust(&c, &now);
	ck_assert(c.trusted);
	ck_assert_int_eq(clock_effective(&c, &now), T0 - 3LL * DAY);
}
END_TEST

START_TEST(drift_limits)
{
	struct clock c = started(T0, 10000);

	(void)effective(&c, T0 + 100 + CLOCK_DRIFT_MAX_SEC, 10100);
	ck_assert(c.trusted);
	(void)effective(&c, T0 + 200 + CLOCK_DRIFT_MAX_SEC + 1, 10200);
	ck_assert(!c.trusted);
}
END_TEST

START_TEST(reads_this_host)
{
	struct clock_reading now;

	ck_assert_int_eq(clock_read(&now), 0);
	ck_assert_int_gt(now.wall_sec, 1700000000);
	ck_assert_int_gt(now.boot_sec, 0);
	ck_assert_uint_eq(strlen(now.boot_id), 36);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ runs_with_the_wall_clock, 0 },
		{ tm04a_rollback, 0 },
		{ tm04a_rollback_by_small_steps, 0 },
		{ tm04a_rollback_over_a_reboot, 0 },
		{ tm05a_forward, 0 },
		{ tm05a_forward_over_a_restart, 0 },
		{ tm05a_forward_past_a_snapshot, 0 },
		{ host_was_off, 0 },
		{ boot_phase_is_set_right, 0 },
		{ boot_before_the_snapshot, 0 },
		{ trust_resets_the_mark, 0 },
		{ drift_limits, 0 },
		{ reads_this_host, 0 },
	};

	return suite_run("clock", rows, ROWS(rows), 30);
}

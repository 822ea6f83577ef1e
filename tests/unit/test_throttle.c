/*
 * test_throttle.c - waits, locks, and how they end.
 */
#include <config.h>

#include "daemon/evaluation.h"

#include "tests/unit/suite.h"

#define T0 1800000000LL

static struct settings
defaults(void)
{
	struct settings s;

	settings_defaults(&s);
	return s;
}

START_TEST(ot10a_throttle)
{
	struct settings s = defaults();
	struct failures f = { .count = 0 };
	int64_t now = T0;

	for (unsigned i = 1; i <= s.mfa_lock_after; i++) {
		ck_assert(!throttle_refuses(&f, &s, now, true));
		throttle_count(&f, &s, now, true);
		ck_assert_uint_eq(f.count, i);
		if (i >= s.mfa_delay_after && i < s.mfa_lock_after) {
			int64_t wait = (int64_t)1 << (i - s.mfa_delay_after);

			ck_assert(throttle_refuses(&f, &s, now + wait - 1, true));
			ck_assert_uint_eq(f.count, i);		/* what came too early was not counted */
			now += wait;
		}
	}
	ck_assert_int_eq(f.locked_until_utc_sec, now + (int64_t)s.mfa_lock_time);
	ck_assert(throttle_refuses(&f, &s, now + (int64_t)s.mfa_lock_time - 1, true));
	ck_assert(!throttle_refuses(&f, &s, now + (int64_t)s.mfa_lock_time, true));
	/* Then the waits again, not the next lock at once. */
	ck_assert_uint_eq(f.count, s.mfa_delay_after);
	throttle_count(&f, &s, now + (int64_t)s.mfa_lock_time, true);
	ck_assert_int_eq(f.locked_until_utc_sec, 0);
}
END_TEST

/* Set while the clock was years ahead: it lasts no longer than a lock. */
START_TEST(tm05a_lock_of_the_future)
{
	struct settings s = defaults();
	struct failures f = { .count = 10, .last_utc_sec = T0 + 315360000, .locked_until_utc_sec = T0 + 315360900 };

	ck_assert(!throttle_refuses(&f, &s, T0, true));
	f = (struct failures){ .count = 7, .last_utc_sec = T0 + 315360000 };
	ck_assert(throttle_refuses(&f, &s, T0, true));
	ck_assert(!throttle_refuses(&f, &s, T0 + 4, true));
}
END_TEST

START_TEST(break_glass_waits_and_is_never_locked)
{
	struct settings s = defaults();
	struct failures f = { .count = 0 };

	for (unsigned i = 0; i < 100; i++)
		throttle_count(&f, &s, T0, false);
	ck_assert_int_eq(f.locked_until_utc_sec, 0);
	ck_assert(throttle_refuses(&f, &s, T0 + 29, false));
	ck_assert(!throttle_refuses(&f, &s, T0 + 30, false));
}
END_TEST

START_TEST(odd_settings)
{
	struct settings s = defaults();
	struct failures f = { .count = 0 };

	s.mfa_delay_after = 100;
	s.mfa_lock_after = 2;
	s.mfa_lock_time = 1;
	throttle_count(&f, &s, T0, true);
	throttle_count(&f, &s, T0, true);
	ck_assert(throttle_refuses(&f, &s, T0, true));
	ck_assert(!throttle_refuses(&f, &s, T0 + 1, true));
	ck_assert_uint_eq(f.count, 0);
	f = (struct failures){ .count = UINT32_MAX, .last_utc_sec = T0 };
	s.mfa_lock_time = 604800;
	throttle_count(&f, &s, T0, true);
	ck_assert_uint_eq(f.count, UINT32_MAX);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ ot10a_throttle, 0 },
		{ tm05a_lock_of_the_future, 0 },
		{ break_glass_waits_and_is_never_locked, 0 },
		{ odd_settings, 0 },
	};

	return suite_run("throttle", rows, ROWS(rows), 30);
}

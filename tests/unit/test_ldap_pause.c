/*
 * test_ldap_pause.c - pauses before asking an LDAP server again: their bounds, their spread over a fleet, and that one
 * host alone is back soon.
 */
#include <config.h>

#include "daemon/ldap_pause.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/suite.h"

#define HOSTS 10000

static uint64_t seed = 1;

/* splitmix64: each host of the fleet has luck of its own. */
static uint32_t
luck(void)
{
	uint64_t z = seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (uint32_t)(z >> 32 ^ z);
}

START_TEST(bounds)
{
	static const struct { int64_t bad_ms; int longest_ms; } rows[] = {
		{ 0, 5000 }, { 4999, 5000 }, { 5000, 5000 }, { 5001, 5001 }, { 12000, 12000 }, { 30000, 30000 }, { 30001, 30000 },
		{ INT64_MAX, 30000 }, { -1, 5000 },
	};

	for (int i = 0; i < ROWS(rows); i++) {
		ck_assert_int_eq(ldap_pause_retry_ms(rows[i].bad_ms, 0), 100);
		ck_assert_int_eq(ldap_pause_retry_ms(rows[i].bad_ms, UINT32_MAX), rows[i].longest_ms);
	}
	ck_assert_int_eq(ldap_pause_anew_ms(0), 100);
	ck_assert_int_eq(ldap_pause_anew_ms(UINT32_MAX), 10000);
	ck_assert_int_eq(ldap_pause_poll_ms(30000, true, 0), 100);
	ck_assert_int_eq(ldap_pause_poll_ms(30000, true, UINT32_MAX), 30000);
	ck_assert_int_eq(ldap_pause_poll_ms(30000, false, 0), 30000);
	ck_assert_int_eq(ldap_pause_poll_ms(30000, false, UINT32_MAX), 33000);
	ck_assert_int_eq(ldap_pause_poll_ms(86400000, false, UINT32_MAX), 95040000);
	ck_assert_int_eq(ldap_pause_poll_ms(1000, false, UINT32_MAX), 1100);
	ck_assert_int_eq(ldap_pause_spread_ms(5000, 5), 5000);
	ck_assert_int_eq(ldap_pause_spread_ms(30000, 600), 3600000);
	ck_assert_int_eq(ldap_pause_spread_ms(30000, 0), 100);
	ck_assert_int_eq(ldap_pause_spread_ms(INT_MAX, UINT32_MAX), INT_MAX);
	for (uint32_t c = 0; c < UINT32_MAX - 65536; c += 65521)	/* more chance is never a shorter pause */
		ck_assert_int_le(ldap_pause_retry_ms(9000, c), ldap_pause_retry_ms(9000, c + 65521));
}
END_TEST

/* Evenly: no tenth of the span has much more or less than a tenth of the hosts. */
static void
check_even(int (*pause)(uint32_t chance), int from_ms, int to_ms)
{
	unsigned tenths[10] = { 0 };

	for (int i = 0; i < HOSTS; i++) {
		int ms = pause(luck());

		ck_assert(ms >= from_ms && ms <= to_ms);
		tenths[(int64_t)(ms - from_ms) * 10 / (to_ms - from_ms + 1)]++;
	}
	for (int i = 0; i < 10; i++)
		ck_assert_msg(tenths[i] > HOSTS / 10 * 9 / 10 && tenths[i] < HOSTS / 10 * 11 / 10, "%d: %u", i, tenths[i]);
}

static int just_lost(uint32_t chance) { return ldap_pause_retry_ms(0, chance); }
static int long_lost(uint32_t chance) { return ldap_pause_retry_ms(3600000, chance); }
static int first_poll(uint32_t chance) { return ldap_pause_poll_ms(30000, true, chance); }
static int later_poll(uint32_t chance) { return ldap_pause_poll_ms(30000, false, chance); }

START_TEST(evenly_spread)
{
	check_even(just_lost, 100, 5000);
	check_even(long_lost, 100, 30000);
	check_even(ldap_pause_anew_ms, 100, 10000);
	check_even(first_poll, 100, 30000);
	check_even(later_poll, 30000, 33000);
}
END_TEST

/* All lose the server in one instant; it is back after a time. How many come within a second, when the last one does. */
static const struct {
	int away_ms, last_ms;		/* the last one at the latest: as long as it was away, 5 s at least, 30 s at most */
	unsigned a_second;		/* hosts, at most */
} outages[] = {
	{ 0, 5000, HOSTS * 22 / 100 }, { 1000, 6000, HOSTS * 27 / 100 }, { 10000, 20000, HOSTS * 25 / 100 },
	{ 60000, 90000, HOSTS * 8 / 100 }, { 3600000, 3630000, HOSTS * 8 / 100 },
};

START_TEST(fleet_after_an_outage)
{
	const int away_ms = outages[_i].away_ms;
	unsigned seconds[32] = { 0 };

	for (int host = 0; host < HOSTS; host++) {
		int64_t at_ms = 0;

		do
			at_ms += ldap_pause_retry_ms(at_ms, luck());
		while (at_ms < away_ms);
		ck_assert_int_le(at_ms, outages[_i].last_ms);
		seconds[(at_ms - away_ms) / 1000]++;
	}
	for (int i = 0; i < ROWS(seconds); i++)
		ck_assert_msg(seconds[i] <= outages[_i].a_second, "second %d: %u hosts", i, seconds[i]);
}
END_TEST

/* Two processes, as two hosts, do not come at the same moments. */
START_TEST(chances_differ)
{
	uint32_t mine[8], others[8];
	int pipes[2], status;
	pid_t child;

	ck_assert_int_eq(pipe(pipes), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	for (int i = 0; i < 8; i++)
		mine[i] = ldap_pause_chance();
	if (child == 0)
		_exit(write(pipes[1], mine, sizeof mine) == (ssize_t)sizeof mine ? 0 : 1);
	ck_assert_int_eq(read(pipes[0], others, sizeof others), (ssize_t)sizeof others);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert_int_ne(memcmp(mine, others, sizeof mine), 0);
	ck_assert_int_ne(memcmp(mine, mine + 1, sizeof mine[0] * 7), 0);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ bounds, 0 }, { evenly_spread, 0 }, { fleet_after_an_outage, ROWS(outages) }, { chances_differ, 0 },
	};

	return suite_run("ldap pause", rows, ROWS(rows), 60);
}

/*
 * test_flood.c - equal reports: the first pass, the rest are counted, none is lost.
 */
#include <config.h>

#include "daemon/flood.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/suite.h"

static unsigned summaries, total;
static char last_key[FLOOD_KEY_MAX], last_sample[16];

static void
on_summary(const char *key, const void *sample, unsigned count, void *arg)
{
	(void)arg;
	summaries++;
	total += count;
	(void)snprintf(last_key, sizeof last_key, "%s", key);
	(void)snprintf(last_sample, sizeof last_sample, "%s", sample == NULL ? "" : (const char *)sample);
}

static struct flood *
make(sd_event **event)
{
	struct flood *f;

	summaries = total = 0;
	ck_assert_int_eq(sd_event_new(event), 0);
	ck_assert_int_eq(flood_new(*event, 3, on_summary, NULL, &f), 0);
	return f;
}

START_TEST(counts)
{
	sd_event *event;
	struct flood *f = make(&event);
	unsigned passed = 0;

	for (unsigned i = 0; i < 10; i++)
		passed += flood_pass(f, "a", i == 3 ? "fourth" : "other", sizeof "fourth");
	ck_assert_uint_eq(passed, 3);
	ck_assert(flood_pass(f, "b", NULL, 0));
	ck_assert_uint_eq(summaries, 0);
	flood_free(f);
	sd_event_unref(event);
	ck_assert_uint_eq(summaries, 1);
	ck_assert_uint_eq(total, 7);
	ck_assert_str_eq(last_key, "a");
	ck_assert_str_eq(last_sample, "fourth");
}
END_TEST

/* More different keys than there is room for share one window: bounded, and still counted. */
START_TEST(jl03a_many_keys)
{
	sd_event *event;
	struct flood *f = make(&event);
	unsigned passed = 0, n = 5000;
	char key[300];

	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(key, sizeof key, "%0*u", (int)(i % 200) + 8, i);
		passed += flood_pass(f, key, NULL, 0);
	}
	ck_assert_uint_le(passed, 3 * FLOOD_KEYS_MAX);
	flood_free(f);
	sd_event_unref(event);
	ck_assert_uint_eq(passed + total, n);
	ck_assert_uint_ge(summaries, 1);
}
END_TEST

/* The window ends by itself. */
START_TEST(ends_by_the_clock)
{
	sd_event *event;
	struct flood *f = make(&event);

	for (unsigned i = 0; i < 5; i++)
		(void)flood_pass(f, "a", NULL, 0);
	while (summaries == 0)
		ck_assert_int_gt(sd_event_run(event, 30000000), 0);
	ck_assert_uint_eq(total, 2);
	ck_assert(flood_pass(f, "a", NULL, 0));
	flood_free(f);
	sd_event_unref(event);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ counts, 0 },
		{ jl03a_many_keys, 0 },
		{ ends_by_the_clock, 0 },
	};

	return suite_run("flood", rows, ROWS(rows), 60);
}

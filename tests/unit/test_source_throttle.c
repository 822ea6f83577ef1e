/*
 * test_source_throttle.c - places that failures come from: keys, waits, and a full table.
 */
#include <config.h>

#include "daemon/source_throttle.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/suite.h"

static const uint32_t mallory = 1234, unnamed = UINT32_MAX;

static const struct {
	const char *rhost;
	const uint32_t *caller;
	const char *key;	/* NULL: none */
} keys[] = {
	{ "192.0.2.7", NULL, "4 192.0.2.7" },
	{ "192.0.2.7", &mallory, "4 192.0.2.7" },
	{ "::ffff:192.0.2.7", NULL, "4 192.0.2.7" },
	{ "2001:db8:1:2:3:4:5:6", NULL, "6 2001:db8:1:2::" },
	{ "2001:db8:1:2:ffff::1", NULL, "6 2001:db8:1:2::" },
	{ "127.0.0.1", NULL, NULL },
	{ "::1", NULL, NULL },
	{ "::ffff:127.0.0.1", NULL, NULL },
	{ "UNKNOWN", NULL, "h UNKNOWN" },
	{ "", NULL, NULL },
	{ "", &mallory, "u 1234" },
	{ "", &unnamed, "u 4294967295" },
};

START_TEST(places)
{
	char key[SOURCE_KEY_SIZE];
	bool is = source_key(keys[_i].rhost, keys[_i].caller, key);

	ck_assert(is == (keys[_i].key != NULL));
	if (is)
		ck_assert_str_eq(key, keys[_i].key);
}
END_TEST

START_TEST(waits)
{
	struct sources *all = sources_new();
	int64_t now = 1000;

	for (unsigned i = 0; i < SOURCE_FREE_FAILURES; i++) {
		ck_assert(!source_refuses(all, "4 192.0.2.7", now));
		source_count(all, "4 192.0.2.7", now);
	}
	ck_assert(source_refuses(all, "4 192.0.2.7", now + 999));
	ck_assert(!source_refuses(all, "4 192.0.2.7", now + 1000));
	ck_assert(!source_refuses(all, "4 192.0.2.8", now));
	for (unsigned i = 0; i < 100; i++)
		source_count(all, "4 192.0.2.7", now);
	ck_assert(source_refuses(all, "4 192.0.2.7", now + SOURCE_WAIT_MAX_MS - 1));
	ck_assert(!source_refuses(all, "4 192.0.2.7", now + SOURCE_WAIT_MAX_MS));
	/* Forgotten. */
	source_count(all, "4 192.0.2.7", now + SOURCE_FORGET_MS);
	ck_assert(!source_refuses(all, "4 192.0.2.7", now + SOURCE_FORGET_MS));
	sources_free(all);
}
END_TEST

/* A full table slows everybody new, and nobody that has a place. */
START_TEST(full)
{
	struct sources *all = sources_new();
	char key[SOURCE_KEY_SIZE];

	for (unsigned i = 0; i < SOURCES_MAX + SOURCE_FREE_FAILURES; i++) {
		(void)snprintf(key, sizeof key, "4 10.0.%u.%u", i / 256, i % 256);
		source_count(all, key, 1000);
	}
	ck_assert(source_refuses(all, "4 203.0.113.1", 1500));
	ck_assert(!source_refuses(all, "4 10.0.0.1", 1500));
	ck_assert(!source_refuses(all, "4 203.0.113.1", 1000 + SOURCE_FORGET_MS));
	sources_free(all);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ places, ROWS(keys) },
		{ waits, 0 },
		{ full, 0 },
	};

	return suite_run("source_throttle", rows, ROWS(rows), 30);
}

/*
 * test_census_index.c - the index says of a key the items that were added to it and not removed, whatever came between.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/census_index.h"
#include "tests/unit/suite.h"

enum { KEYS = 40, ITEMS = 400, STEPS = 60000 };

static unsigned counts[KEYS][ITEMS];	/* how often a pair is there */
static uint64_t dice;

static unsigned
roll(unsigned sides)
{
	dice = dice * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((dice >> 33) % sides);
}

static uint64_t
key_of(const struct census_index *x, unsigned key)
{
	return census_key(x, 1, &key, sizeof key);
}

/* Items far apart and close together. */
static uint32_t
item_of(unsigned i)
{
	return i < ITEMS / 2 ? i : i * 70001;
}

static void
compare(const struct census_index *x, unsigned key)
{
	static unsigned found[ITEMS];
	uint32_t at = 0, item;

	memset(found, 0, sizeof found);
	while ((item = census_index_next(x, key_of(x, key), &at)) != 0) {
		unsigned i = item - 1 < ITEMS / 2 ? item - 1 : (item - 1) / 70001;

		ck_assert_uint_lt(i, ITEMS);
		ck_assert_uint_eq(item_of(i), item - 1);
		found[i]++;
	}
	ck_assert_uint_eq(census_index_next(x, key_of(x, key), &at), 0);
	ck_assert_mem_eq(found, counts[key], sizeof found);
}

static void
change(struct census_index *x, bool grows)
{
	unsigned key = roll(KEYS), i = roll(roll(3) == 0 ? ITEMS : 3);

	if (key % 4 == 0)
		i = key;		/* one item at most, or the same again */
	if (roll(8) < (grows ? 6u : 2u)) {
		ck_assert_int_eq(census_index_add(x, key_of(x, key), item_of(i)), 0);
		counts[key][i]++;
	} else {
		census_index_remove(x, key_of(x, key), item_of(i));
		counts[key][i] -= counts[key][i] > 0;
	}
}

/* brief or not, and both ways from empty to full and back. */
START_TEST(as_many_as_were_added)
{
	struct census_index x;

	memset(counts, 0, sizeof counts);
	dice = (uint64_t)_i + 1;
	ck_assert_int_eq(census_index_init(&x, _i % 2 == 0), 0);
	compare(&x, 0);
	for (unsigned step = 0; step < STEPS; step++) {
		change(&x, step % 20000 < 10000);
		if (step % 5000 == 0)
			census_index_pack(&x);
		if (step % 50 == 0)
			compare(&x, roll(KEYS));
	}
	for (unsigned key = 0; key < KEYS; key++)
		compare(&x, key);
	for (unsigned key = 0; key < KEYS; key++)
		for (unsigned i = 0; i < ITEMS; i++)
			for (; counts[key][i] > 0; counts[key][i]--)
				census_index_remove(&x, key_of(&x, key), item_of(i));
	ck_assert_uint_eq(x.used, 0);
	census_index_done(&x);
}
END_TEST

/* 38 bits of two keys are the same: a brief index takes them for one, another one must not. */
START_TEST(keys_that_nearly_meet)
{
	const uint64_t key = UINT64_C(0x123456789abcdef0), other = key + 1;
	struct census_index x = { 0 };
	uint32_t at = 0;

	ck_assert_int_eq(census_index_add(&x, key, 7), 0);
	ck_assert_uint_eq(census_index_next(&x, other, &at), 0);
	ck_assert_int_eq(census_index_add(&x, other, 8), 0);
	at = 0;
	ck_assert_uint_eq(census_index_next(&x, key, &at), 7 + 1);
	ck_assert_uint_eq(census_index_next(&x, key, &at), 0);
	census_index_remove(&x, other, 7);
	census_index_remove(&x, key, 7);
	at = 0;
	ck_assert_uint_eq(census_index_next(&x, key, &at), 0);
	at = 0;
	ck_assert_uint_eq(census_index_next(&x, other, &at), 8 + 1);
	census_index_done(&x);
}
END_TEST

/* Many keys, as a directory has: all of them are found, in an index that grew by fractions. */
START_TEST(many_keys)
{
	enum { MANY = 300000 };
	struct census_index x;
	unsigned strangers = 0;
	uint32_t at;

	ck_assert_int_eq(census_index_init(&x, _i == 0), 0);
	for (unsigned i = 0; i < MANY; i++)
		ck_assert_int_eq(census_index_add(&x, key_of(&x, i), i), 0);
	for (unsigned i = 1; i < MANY; i += 2)
		census_index_remove(&x, key_of(&x, i), i);
	census_index_pack(&x);
	for (unsigned i = 0; i < MANY; i++) {
		bool found = false;
		uint32_t item;

		for (at = 0; (item = census_index_next(&x, key_of(&x, i), &at)) != 0; strangers += item != i + 1)
			found = found || item == i + 1;
		ck_assert(found == (i % 2 == 0));
	}
	ck_assert_uint_le(strangers, x.brief ? 20 : 0);	/* 38 bits: that two keys meet is to be expected once in ten runs */
	ck_assert_uint_le(x.slot_count, MANY / 2 + MANY / 8 + 64);
	census_index_done(&x);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = { { as_many_as_were_added, 4 }, { keys_that_nearly_meet, 1 }, { many_keys, 2 } };

	return suite_run("census_index", rows, ROWS(rows), 60);
}

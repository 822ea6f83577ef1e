/*
 * test_pages.c - memory for very much at once: zeroed, in large pages, and back to the system when it is freed.
 */
#include <config.h>

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/pages.h"
#include "tests/unit/suite.h"

static const size_t sizes[] = { 1, 4096, PAGES_LARGE - 1, PAGES_LARGE, PAGES_LARGE + 1, 3 * PAGES_LARGE + 12345 };

START_TEST(zeroed_and_whole)
{
	size_t size = sizes[_i];

	for (int round = 0; round < 2; round++) {	/* also where something was before */
		uint8_t *all = pages_take(size);

		ck_assert_ptr_nonnull(all);
		ck_assert(all[0] == 0 && memcmp(all, all + 1, size - 1) == 0);
		memset(all, 0xa5, size);
		pages_free(all, size);
	}
	pages_free(NULL, size);
}
END_TEST

START_TEST(too_many)
{
	ck_assert_ptr_null(pages_take_array(SIZE_MAX / 8, 16));
#ifndef __SANITIZE_ADDRESS__		/* which ends the process instead */
	ck_assert_ptr_null(pages_take_array(SIZE_MAX / 8, 8));
#endif
}
END_TEST

#ifndef __SANITIZE_ADDRESS__
/* Bytes of this process that are mapped. */
static size_t
mapped(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	size_t all;

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fscanf(f, "%zu", &all), 1);
	(void)fclose(f);
	return all * 4096;
}

START_TEST(large_ones_stand_where_large_pages_do)
{
	size_t size = 5 * PAGES_LARGE + 1, before;
	char *all;

	before = mapped();
	all = pages_take(size);
	ck_assert_ptr_nonnull(all);
	ck_assert_uint_eq((uintptr_t)all % PAGES_LARGE, 0);
	ck_assert_uint_eq(mapped(), before + 6 * PAGES_LARGE);	/* and nothing that stood around it */
	pages_free(all, size);
	ck_assert_uint_eq(mapped(), before);
}
END_TEST
#define MAPPED { large_ones_stand_where_large_pages_do, 0 }
#else
#define MAPPED
#endif

int
main(void)
{
	const struct suite_row rows[] = { { zeroed_and_whole, ROWS(sizes) }, { too_many, 0 }, MAPPED };

	return suite_run("pages", rows, ROWS(rows), 60);
}

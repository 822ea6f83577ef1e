/*
 * test_realloc.c - realloc() of ismsd keeps what is there, and touches nothing that is free (daemon/realloc.c).
 */
#include <config.h>

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

enum { BIG = 64 << 20, SMALL = 1 << 20, MORE = 2 << 20 };

void *__libc_realloc(void *old, size_t size);	/* glibc's own */

START_TEST(keeps_what_is_there)
{
	size_t at = 1;
	uint8_t *block = realloc(NULL, at);

	ck_assert_ptr_nonnull(block);
	block[0] = 0;
	for (size_t size = 2; size < 100000; size += size / 3 + 1) {
		block = realloc(block, size);
		ck_assert_ptr_nonnull(block);
		for (size_t i = 0; i < at; i++)
			ck_assert_uint_eq(block[i], i % 251);
		for (; at < size; at++)
			block[at] = (uint8_t)(at % 251);
	}
	for (; at > 1; at = at * 2 / 3) {
		block = realloc(block, at);
		ck_assert_ptr_nonnull(block);
		for (size_t i = 0; i < at; i++)
			ck_assert_uint_eq(block[i], i % 251);
	}
	free(block);
}
END_TEST

/* A sanitizer has a realloc() of its own (daemon/realloc.c), which ends the process instead. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(__clang__)
START_TEST(too_much)
{
	uint8_t *block = calloc(1, 1);

	ck_assert_ptr_nonnull(block);
	ck_assert_ptr_null(reallocarray(block, SIZE_MAX / 2, (size_t)_i + 3));
	ck_assert_int_eq(errno, ENOMEM);
	block = reallocarray(block, 3, 5);	/* is there as before */
	ck_assert_ptr_nonnull(block);
	ck_assert_uint_eq(block[0], 0);
	free(block);
}
END_TEST

/* Pages of this process that are in memory, in bytes. */
static size_t
resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	size_t all, here;

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fscanf(f, "%zu %zu", &all, &here), 2);
	(void)fclose(f);
	return here * 4096;
}

/* A block beside much that is free, and was given back to the system. By ours; ours = false, its twin: by glibc's. */
static const struct {
	size_t from, to;		/* bytes; also beyond the highest threshold that glibc sets itself from which it maps a block */
	bool ours;
} grown[] = {
	{ SMALL, MORE, true }, { SMALL, MORE, false }, { 40 << 20, 48 << 20, true }, { 40 << 20, 48 << 20, false },
};

START_TEST(touches_nothing_free)
{
	void *block, *big, *behind;
	size_t before, from = grown[_i].from, to = grown[_i].to;

	ck_assert_int_eq(mallopt(M_MMAP_THRESHOLD, 8 * BIG), 1);
	ck_assert_int_eq(mallopt(M_PERTURB, 165), 1);
	big = malloc(4 * (size_t)BIG);
	behind = malloc(SMALL);
	ck_assert(big != NULL && behind != NULL);
	free(big);
	block = malloc(from);		/* of its beginning: nothing else that is free is as large */
	ck_assert_ptr_nonnull(block);
	(void)malloc_trim(0);
	before = resident();
	block = grown[_i].ours ? realloc(block, to) : __libc_realloc(block, to);
	ck_assert_ptr_nonnull(block);
	ck_assert((resident() > before + to + BIG / 2) == !grown[_i].ours);
	free(block);
	free(behind);
}
END_TEST

/* One that is a mapping of its own keeps its pages, and gets none before it is written to. 1, its twin: a new one. */
START_TEST(moves_what_is_mapped)
{
	size_t before;
	uint8_t *block = malloc(BIG), *copy;

	ck_assert_ptr_nonnull(block);
	memset(block, 7, BIG);
	ck_assert_int_eq(mallopt(M_PERTURB, 165), 1);
	before = resident();
	if (_i == 0) {
		block = realloc(block, 2 * BIG);
	} else {
		copy = malloc(2 * BIG);
		ck_assert_ptr_nonnull(copy);
		memcpy(copy, block, BIG);
		free(block);
		block = copy;
	}
	ck_assert_ptr_nonnull(block);
	ck_assert((resident() > before + BIG / 2) == (_i == 1));
	ck_assert_uint_eq(block[0], 7);
	ck_assert_uint_eq(block[BIG - 1], 7);
	block = realloc(block, BIG);
	ck_assert_ptr_nonnull(block);
	ck_assert_uint_eq(block[BIG - 1], 7);
	free(block);
}
END_TEST
#define OURS { too_much, 2 }, { touches_nothing_free, ROWS(grown) }, { moves_what_is_mapped, 2 }
#else
#define OURS
#endif

int
main(void)
{
	const struct suite_row rows[] = {
		{ keeps_what_is_there, 0 }, OURS
	};

	return suite_run("realloc", rows, ROWS(rows), 60);
}

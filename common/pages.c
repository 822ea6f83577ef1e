/*
 * pages.c - see pages.h. Directory process, publisher and isms-userctl.
 *
 * Under the address sanitizer all of it comes from malloc(), so that it sees where a piece ends.
 */
#include <config.h>

#include "common/pages.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifdef __SANITIZE_ADDRESS__
#define MAPPED_FROM SIZE_MAX
#else
#define MAPPED_FROM PAGES_LARGE
#endif

/* Bytes of the mapping: whole pages. */
static size_t
mapped_size(size_t size)
{
	return (size + PAGES_LARGE - 1) & ~(PAGES_LARGE - 1);
}

void *
pages_take(size_t size)
{
	size_t wanted = mapped_size(size), before;
	char *all;

	if (size < MAPPED_FROM)
		return calloc(1, size);
	if (wanted < size || wanted > SIZE_MAX - PAGES_LARGE)
		return NULL;
	/* One page too many, of which goes back what stands before the first that is aligned, and behind the last. */
	all = mmap(NULL, wanted + PAGES_LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (all == MAP_FAILED)
		return NULL;
	before = -(uintptr_t)all & (PAGES_LARGE - 1);
	if (before > 0)
		(void)munmap(all, before);
	if (before < PAGES_LARGE)
		(void)munmap(all + before + wanted, PAGES_LARGE - before);
	(void)madvise(all + before, wanted, MADV_HUGEPAGE);
	return all + before;
}

void *
pages_take_array(size_t count, size_t size)
{
	size_t bytes;

	return __builtin_mul_overflow(count, size, &bytes) ? NULL : pages_take(bytes);
}

void
pages_free(void *memory, size_t size)
{
	if (memory == NULL)
		return;
	if (size < MAPPED_FROM)
		free(memory);
	else
		(void)munmap(memory, mapped_size(size));
}

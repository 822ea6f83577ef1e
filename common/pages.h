/*
 * pages.h - memory for very much at once, in the large pages of the processor where the system has them to give
 * (madvise(2), MADV_HUGEPAGE): the first touch of a small one costs as much as all that is then written there.
 */
#ifndef ISMS_PAGES_H
#define ISMS_PAGES_H

#include <stddef.h>

#define PAGES_LARGE ((size_t)2 << 20)	/* bytes; what is smaller comes from malloc() */

/* Zeroed; to be freed with the same size. Returns NULL without memory. */
void *pages_take(size_t size);

/* The same of so many things of a size each. */
void *pages_take_array(size_t count, size_t size);

/* Nothing of what was there stays in this process. NULL is fine. */
void pages_free(void *memory, size_t size);

#endif

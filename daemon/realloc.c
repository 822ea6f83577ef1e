/*
 * realloc.c - realloc() of ismsd: never into free memory beside a block.
 *
 * The directory process has glibc overwrite whatever is freed (glibc.malloc.perturb in its unit), and glibc's own
 * realloc() frees the rest of a neighbour that it grows into: with a directory's worth of memory free, each attribute of
 * each entry had all of that overwritten, and brought back from the system. Used by libraries, too; any thread. Builds
 * with a sanitizer have the sanitizer's.
 */
#include <config.h>

#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#endif

#ifndef SANITIZED
#define LARGE (64u << 10)		/* bytes; of such a block little may be left over */
#define IS_MAPPED 2u			/* of the size before a block of glibc: it is a mapping of its own */

void *__libc_realloc(void *old, size_t size);	/* glibc's own */

/* Whether a block of so much room does for a size. */
static bool
does(size_t room, size_t size)
{
	return size <= room && room - size <= (room < LARGE ? room / 2 : room / 16);
}

__attribute__((visibility("default"))) void *
realloc(void *old, size_t size)
{
	size_t room = old != NULL ? malloc_usable_size(old) : 0;
	void *block;

	if (old != NULL && size > 0 && does(room, size))
		return old;
	if (old != NULL && size == 0) {		/* as glibc does */
		free(old);
		return NULL;
	}
	if (old != NULL && room >= LARGE && size >= LARGE && (((const size_t *)old)[-1] & IS_MAPPED) != 0)
		return __libc_realloc(old, size);	/* it has no neighbour, and the kernel moves its pages */
	block = malloc(size);
	if (block == NULL || old == NULL)
		return block;
	memcpy(block, old, size < room ? size : room);
	free(old);
	return block;
}

/* glibc's calls its own realloc(). */
__attribute__((visibility("default"))) void *
reallocarray(void *old, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(old, bytes);
}
#endif

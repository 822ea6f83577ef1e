/*
 * arena.c - see arena.h. Directory process and isms-userctl.
 *
 * Under the address sanitizer each piece has a block of its own, so that it sees where a piece ends.
 */
#include <config.h>

#include "common/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SANITIZE_ADDRESS__
#define BLOCK_MIN 0u
#define BLOCK_MAX 0u
#else
#define BLOCK_MIN 512u
#define BLOCK_MAX 65536u
#endif

struct arena_block {
	struct arena_block *before;
	size_t size, used;		/* bytes */
	_Alignas(max_align_t) char bytes[];
};

static struct arena_block *
add_block(struct arena *a, size_t size)
{
	struct arena_block *b = size <= SIZE_MAX - sizeof *b ? malloc(sizeof *b + size) : NULL;

	if (b == NULL)
		return NULL;
	b->before = a->last;
	b->size = size;
	b->used = 0;
	a->last = b;
	return b;
}

void
arena_reserve(struct arena *a, size_t size)
{
	if (BLOCK_MAX > 0 && size > 0)
		(void)add_block(a, size);
}

/* Bytes of a block after the last one: each larger than the one before, up to a limit. */
static size_t
next_size(const struct arena *a, size_t needed)
{
	size_t size = a->last == NULL ? BLOCK_MIN : a->last->size < BLOCK_MAX / 2 ? a->last->size * 2 : BLOCK_MAX;

	return size > needed ? size : needed;
}

void *
arena_take(struct arena *a, size_t size, size_t align)
{
	struct arena_block *b = a->last;
	size_t at = b != NULL ? (b->used + align - 1) & ~(align - 1) : 0;

	if (b == NULL || at > b->size || size > b->size - at) {
		b = add_block(a, next_size(a, size));
		at = 0;
	}
	if (b == NULL)
		return NULL;
	b->used = at + size;
	return b->bytes + at;
}

void
arena_done(struct arena *a)
{
	struct arena_block *b;

	while ((b = a->last) != NULL) {
		a->last = b->before;
		explicit_bzero(b->bytes, b->used);
		free(b);
	}
}

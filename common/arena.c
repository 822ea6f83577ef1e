/*
 * arena.c - see arena.h. Directory process and isms-userctl.
 *
 * Under the address sanitizer each piece has a block of its own, so that it sees where a piece ends.
 */
#include <config.h>

#include "common/arena.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/pages.h"

#ifdef __SANITIZE_ADDRESS__
#define BLOCK_MIN 0u
#define BLOCK_MAX 0u
#else
#define BLOCK_MIN 512u
#define BLOCK_MAX 65536u
#endif

#define SLAB_MIN ((size_t)4096)
#define SLAB_MAX PAGES_LARGE

struct arena_block {
	struct arena_block *before;
	struct arena_slab *slab;	/* held; in which it lies; NULL: it was allocated */
	size_t size, used;		/* bytes */
	_Alignas(max_align_t) char bytes[];
};

struct arena_slab {
	atomic_size_t holders;		/* the pool while it is open, and blocks */
	size_t size, used;		/* bytes, without these; of the pool's thread */
	_Alignas(max_align_t) char bytes[];
};

static void
slab_drop(struct arena_slab *slab)
{
	if (slab != NULL && atomic_fetch_sub(&slab->holders, 1) == 1)
		pages_free(slab, sizeof *slab + slab->size);
}

static void
link_block(struct arena *a, struct arena_block *b, struct arena_slab *slab, size_t size)
{
	b->before = a->last;
	b->slab = slab;
	b->size = size;
	b->used = 0;
	a->last = b;
}

static struct arena_block *
add_block(struct arena *a, size_t size)
{
	struct arena_block *b = size <= SIZE_MAX - sizeof *b ? malloc(sizeof *b + size) : NULL;

	if (b != NULL)
		link_block(a, b, NULL, size);
	return b;
}

void
arena_reserve(struct arena *a, size_t size)
{
	if (BLOCK_MAX > 0 && size > 0)
		(void)add_block(a, size);
}

/* Room for a block in the open piece, or in a new one. Returns NULL without memory. */
static struct arena_block *
slab_take(struct arena_pool *pool, size_t size)
{
	struct arena_slab *slab = pool->open;

	if (slab == NULL || size > slab->size - slab->used) {
		slab_drop(slab);
		while (pool->size < SLAB_MIN || (pool->size < size * 8 && pool->size < SLAB_MAX))
			pool->size = pool->size < SLAB_MIN ? SLAB_MIN : pool->size * 2;
		pool->open = slab = pages_take(pool->size);
		if (slab == NULL)
			return NULL;
		atomic_init(&slab->holders, 1);
		slab->size = pool->size - sizeof *slab;
		slab->used = 0;
		if (pool->size < SLAB_MAX)
			pool->size *= 2;
	}
	(void)atomic_fetch_add(&slab->holders, 1);
	slab->used += size;
	return (struct arena_block *)(void *)(slab->bytes + slab->used - size);
}

void
arena_reserve_in(struct arena *a, struct arena_pool *pool, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	struct arena_block *b;

	if (pool == NULL || BLOCK_MAX == 0 || size == 0 || size > SLAB_MAX / 8) {
		arena_reserve(a, size);
		return;
	}
	size = (size + align - 1) & ~(align - 1);
	b = slab_take(pool, sizeof *b + size);
	if (b != NULL)
		link_block(a, b, pool->open, size);
}

void
arena_pool_done(struct arena_pool *pool)
{
	slab_drop(pool->open);
	*pool = (struct arena_pool){ 0 };
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

char *
arena_text(struct arena *a, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = arena_take(a, size, 1);

	if (copy != NULL)
		memcpy(copy, text, size);
	return copy;
}

void
arena_join(struct arena *a, struct arena *more)
{
	struct arena_block *first = more->last;

	if (first == NULL)
		return;
	if (a->last == NULL) {
		a->last = more->last;
	} else {			/* beneath the block that is being filled */
		while (first->before != NULL)
			first = first->before;
		first->before = a->last->before;
		a->last->before = more->last;
	}
	more->last = NULL;
}

void
arena_done(struct arena *a)
{
	struct arena_block *b;

	while ((b = a->last) != NULL) {
		a->last = b->before;
		explicit_bzero(b->bytes, b->used);
		if (b->slab != NULL)
			slab_drop(b->slab);
		else
			free(b);
	}
}

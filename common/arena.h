/*
 * arena.h - memory for what is made of many small pieces and goes as a whole: wiped, since some pieces are secrets.
 */
#ifndef ISMS_ARENA_H
#define ISMS_ARENA_H

#include <stddef.h>

struct arena_block;
struct arena_slab;

struct arena {
	struct arena_block *last;	/* owned; a zeroed arena is empty */
};

/*
 * Make room for what is known to come; less is fine, and so is nothing at all.
 *
 *  size  bytes
 */
void arena_reserve(struct arena *a, size_t size);

/*
 * Memory for very many arenas that are made one after the other and go about together: it is fetched in large pieces, and
 * each goes with the last arena that lies in it. Of one thread; its arenas are of any.
 */
struct arena_pool {
	struct arena_slab *open;	/* held; a zeroed pool is empty */
	size_t size;			/* of the next piece, at least */
};

/* arena_reserve() of an arena in a pool; NULL: of its own. */
void arena_reserve_in(struct arena *a, struct arena_pool *pool, size_t size);

/* No more arenas; those that are there stay. */
void arena_pool_done(struct arena_pool *pool);

/*
 * A piece that lives as long as the arena.
 *
 *  align  a power of two, at most that of max_align_t
 *
 * Returns NULL without memory. Its bytes are not set.
 */
void *arena_take(struct arena *a, size_t size, size_t align);

/* A copy of a text; NULL without memory. */
char *arena_text(struct arena *a, const char *text);

/* Everything that lies in more lies in a from now on; more is empty. */
void arena_join(struct arena *a, struct arena *more);

/* Wipe and free all of it. */
void arena_done(struct arena *a);

#endif

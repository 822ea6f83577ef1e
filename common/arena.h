/*
 * arena.h - memory for what is made of many small pieces and goes as a whole: wiped, since some pieces are secrets.
 */
#ifndef ISMS_ARENA_H
#define ISMS_ARENA_H

#include <stddef.h>

struct arena_block;

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
 * A piece that lives as long as the arena.
 *
 *  align  a power of two, at most that of max_align_t
 *
 * Returns NULL without memory. Its bytes are not set.
 */
void *arena_take(struct arena *a, size_t size, size_t align);

/* Wipe and free all of it. */
void arena_done(struct arena *a);

#endif

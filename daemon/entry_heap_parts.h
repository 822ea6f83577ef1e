/*
 * entry_heap_parts.h - what the files of the heap share: spots and the file. Nobody else includes it.
 */
#ifndef ISMS_ENTRY_HEAP_PARTS_H
#define ISMS_ENTRY_HEAP_PARTS_H

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/entry_heap.h"

#define SLAB_BITS	12
#define SLAB		(1u << SLAB_BITS)	/* spots */
#define CLASSES		256u
#define IN_MEMORY	(UINT64_C(1) << 63)	/* at is a pointer */
#define HEAD_SIZE	12u			/* before a block: the length of its head, the head's hash */

struct spot {
	uint64_t at;			/* in the file, or a pointer; of a free one: the next one */
	uint64_t check;
	uint32_t refs, size;		/* size: with what stands before the block */
};

/* Places in the file that are free, all of one size. */
struct places {
	uint64_t *list;			/* owned */
	size_t count, room;
};

struct entry_heap {
	pthread_mutex_t lock;
	char folder[PATH_MAX];
	uint64_t secret[2];
	int fd;				/* -1: none */
	int damage_fd;			/* an eventfd: something could not be read */
	bool opened, full;		/* full: the file grows no more */
	uint64_t end;			/* of what is in the file, behind which stands what is pending */
	uint8_t *pending;		/* owned */
	size_t pending_size;
	struct places places[CLASSES];
	struct spot **slabs;		/* owned */
	uint32_t slab_count, free_spot;	/* a number, or ENTRY_NOWHERE */
	uint32_t held;			/* numbers that are not free */
};

/* Under the lock. */
static inline struct spot *
spot_of(const struct entry_heap *h, uint32_t number)
{
	return &h->slabs[(number - 1) >> SLAB_BITS][(number - 1) & (SLAB - 1)];
}

/* entry_heap.c: a block with what stands before it. The caller frees it. NULL without memory, or for one too large. */
uint8_t *entry_heap_make_block(const struct entry_heap *h, const struct entry *e, size_t *ret_size);

#endif

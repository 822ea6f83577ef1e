/*
 * entry_heap.h - entries outside of memory, in a file that has no name and goes with the process.
 *
 * What the directory process holds of a million users is theirs to fill, and is looked at seldom. An entry is put here
 * once and read whenever somebody is judged; all holders share it by its number. Where there is no file, or the disk is
 * full, it is kept in memory, packed. Entries with secrets never come here. Any thread.
 */
#ifndef ISMS_ENTRY_HEAP_H
#define ISMS_ENTRY_HEAP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/entry.h"

#define ENTRY_NOWHERE 0u		/* no entry's number */

struct entry_heap;

/*
 * Make one; its file when the first entry is put.
 *
 *  folder  of the file, which has no name there; NULL: entries stay in memory, packed
 *
 * Returns 0, -ENOMEM, -EMFILE, or -EIO without random numbers.
 */
int entry_heap_new(const char *folder, struct entry_heap **ret);
void entry_heap_free(struct entry_heap *h);	/* NULL is fine */
/* A descriptor that can be read once an entry could not be, which then never can; borrowed. */
int entry_heap_damage_fd(const struct entry_heap *h);

/* Put an entry; the caller holds it. Returns its number, or ENTRY_NOWHERE without memory or for one too large. */
uint32_t entry_heap_put(struct entry_heap *h, const struct entry *e);

/* One holder more, or less; with the last one it is gone. ENTRY_NOWHERE is fine. */
void entry_heap_hold(struct entry_heap *h, uint32_t number);
void entry_heap_drop(struct entry_heap *h, uint32_t number);

/*
 * Read an entry.
 *
 *  members  with all it has; else without member and memberUid, unless one of their values is too long
 *           (ENTRY_VALUE_MAX) or the attributes are too many
 *  ret      the caller frees it
 *
 * Returns 0, -ENOMEM, or -EIO: the file cannot be read, or says what was not written.
 */
int entry_heap_get(struct entry_heap *h, uint32_t number, bool members, struct entry **ret);

/* What whoever reads entries in the order in which they were put has read ahead; zeroed at first. */
struct entry_window {
	uint8_t *bytes;			/* owned */
	uint64_t at, next;		/* in the file: where they begin, and where the last entry that was asked for ended */
	size_t size;
	uint8_t *alone;			/* owned; an entry that was not read ahead */
	struct arena_pool pool;		/* owned; of entries: they go about together, since a piece of it goes with its last one */
};

/* The same with all members, for many entries one after the other; of any order, but that one is quick. */
int entry_heap_next(struct entry_heap *h, struct entry_window *w, uint32_t number, struct entry **ret);
/* The same, packed (entry_pack.h). It is the window's, until the next call. */
int entry_heap_next_block(struct entry_heap *h, struct entry_window *w, uint32_t number, const uint8_t **ret,
    size_t *ret_size);
void entry_window_done(struct entry_window *w);

/* Whether an entry is one that was put: the same in the same order, by a hash that nobody can aim at. */
bool entry_heap_is(struct entry_heap *h, uint32_t number, const struct entry *e);

#endif

/*
 * entry_changes.h - what became other in a directory: its entries by an id that lives as long as they do.
 *
 * A kind of source tells of them, the census takes them in. Several lists that nobody took yet become one.
 */
#ifndef ISMS_ENTRY_CHANGES_H
#define ISMS_ENTRY_CHANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/entry.h"
#include "daemon/entry_heap.h"

#define ENTRY_ID_SIZE 16		/* an LDAP server's entryUUID, or a hash of the DN */

struct entry_change {
	uint8_t id[ENTRY_ID_SIZE];
	struct entry *e;		/* owned; as it is now; NULL: it is in the heap, or there no more */
	uint32_t number;		/* held; in the heap; ENTRY_NOWHERE: not there */
	bool gone;			/* the server has it no more; shown until a person has looked */
	bool plain;			/* known to be neither grant nor exemption: whoever looks for these need not read it */
};

struct entry_changes {
	bool whole;			/* what is not listed is not there */
	struct entry_change *list;	/* owned; of one id the last one counts */
	size_t count, room;
	struct entry_heap *heap;	/* borrowed; NULL: every entry is here */
};

/*
 * Add one.
 *
 *  e  one more reference is taken; may be NULL
 *
 * Returns 0 or -ENOMEM.
 */
int entry_changes_add(struct entry_changes *all, const uint8_t id[ENTRY_ID_SIZE], struct entry *e, bool gone);

/* The same for one that is in a heap, the list's; it is held once more. e is the same entry, or NULL. */
int entry_changes_add_stored(struct entry_changes *all, const uint8_t id[ENTRY_ID_SIZE], struct entry *e,
    uint32_t number, bool gone);

/*
 * The entry of a change, read from the heap where it is there alone.
 *
 *  ret  NULL: there is none; the caller frees it
 *
 * Returns 0 or -errno: it could not be read.
 */
int entry_changes_entry(const struct entry_changes *all, const struct entry_change *change, struct entry **ret);

/* Append what came later, which is then empty; a whole list replaces all. Returns 0 or -ENOMEM: neither is changed. */
int entry_changes_join(struct entry_changes *all, struct entry_changes *later);

void entry_changes_done(struct entry_changes *all);	/* a zeroed struct is fine */

#endif

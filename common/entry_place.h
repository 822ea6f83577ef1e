/*
 * entry_place.h - what an entry may be, by where it stands.
 *
 * Some containers directly below the base are written to by people who may make neither accounts nor groups: requests by
 * everybody, grants and exemptions by approvers, reviews and tokens by operators. What stands there is what the container
 * is for and nothing else, whatever a directory's access rules let somebody write. Pure.
 */
#ifndef ISMS_ENTRY_PLACE_H
#define ISMS_ENTRY_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/entry.h"

enum entry_kind {
	ENTRY_ACCOUNT, ENTRY_GROUP,
	ENTRY_GRANT, ENTRY_EXEMPTION, ENTRY_REQUEST, ENTRY_REVIEW, ENTRY_REVIEW_DECISION,
	ENTRY_KIND_COUNT
};

#define ENTRY_PLACE_FAULT_SIZE 128

/*
 * Whether an entry of a kind counts as one where this DN is.
 *
 *  ndn,nbase  normalised
 *
 * Accounts and groups: anywhere but in the containers, at any depth. Others: in their own alone, directly below it; a
 * decision directly below something that is.
 */
bool entry_place_allows(const char *ndn, const char *nbase, enum entry_kind kind);

/*
 * Whether an entry is of a kind by its classes, and counts as one where it stands.
 *
 *  base  [directory] base, normalised or not
 *
 * False also without memory.
 */
bool entry_counts(const struct entry *e, enum entry_kind kind, const char *base);

/*
 * What an entry says that it is and is not where it stands.
 *
 *  nbase      normalised
 *  ret_fault  in words; written when there is something
 *
 * Returns a bit 1 << kind for each; 0: nothing.
 */
unsigned entry_misplaced(const struct entry *e, const char *nbase, char ret_fault[static ENTRY_PLACE_FAULT_SIZE]);

#endif

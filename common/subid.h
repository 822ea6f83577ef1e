/*
 * subid.h - the ranges of /etc/subuid and /etc/subgid: ids that a user namespace lends to a local account.
 *
 * Within such a namespace the account bears these ids, and the kernel knows them only by number: whoever else has one
 * of them shares files and processes with that account (subuid(5), newuidmap(1)).
 */
#ifndef ISMS_SUBID_H
#define ISMS_SUBID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SUBID_RANGES_MAX	65536u	/* of one file */

struct subid_range {
	uint32_t first, last;
};

struct subids {
	struct subid_range *ranges;	/* owned; sorted, apart */
	size_t count;
};

/*
 * Read a file of lines NAME:FIRST:COUNT; other lines are ignored, as newuidmap(1) ignores them.
 *
 *  path  a missing file is empty
 *
 * Returns 0; -E2BIG above SUBID_RANGES_MAX; or -errno when it cannot be read whole. Free with subids_done().
 */
int subids_load(const char *path, struct subids *ret);

/* Frees and zeroes; a zeroed struct is fine. */
void subids_done(struct subids *s);

/* The range that an id lies in; NULL when in none. Ranges that overlap have been joined. */
const struct subid_range *subids_find(const struct subids *s, uint32_t id);

/* Whether an id lies in one of the ranges. */
bool subids_has(const struct subids *s, uint32_t id);

#endif

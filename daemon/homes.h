/*
 * homes.h - which folders are homes, and which have homes below them.
 *
 * Publisher only. Paths are counted by a keyed hash; slashes at their end do not count. They have no empty part, as
 * publisher_home_allowed() sees to, and at most HOMES_DEPTH_MAX parts.
 */
#ifndef ISMS_HOMES_H
#define ISMS_HOMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/tally.h"

#define HOMES_DEPTH_MAX 32	/* what one home costs is bounded */

struct homes {
	struct hash_tally here;	/* homes at a path */
	struct hash_tally below;	/* homes strictly below a path */
};

void homes_done(struct homes *h);	/* a zeroed struct is fine */
void homes_clear(struct homes *h);	/* the room stays */

/* Parts of a path: "/home/ada" has two. */
size_t homes_depth(const char *home);

/*
 * Make room.
 *
 *  count  of homes
 *  outer  folders above all of them together
 *
 * Returns 0 or -ENOMEM.
 */
int homes_reserve(struct homes *h, size_t count, size_t outer);

/* One more home, for which there is room; one less. secret: the same for all calls. */
void homes_add(struct homes *h, const uint64_t secret[2], const char *home);
void homes_remove(struct homes *h, const uint64_t secret[2], const char *home);

/* The same for the place alone, in a tally of its own. */
void homes_add_place(struct hash_tally *here, const uint64_t secret[2], const char *home);

/* Whether a home lies in a place that is there, or a home that is there lies in it; both strictly. */
bool homes_has_outer(const struct hash_tally *here, const uint64_t secret[2], const char *home);
bool homes_has_inner(const struct homes *h, const uint64_t secret[2], const char *home);

#endif

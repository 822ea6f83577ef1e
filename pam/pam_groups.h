/*
 * pam_groups.h - takes supplementary groups away that the snapshot does not give to the user.
 *
 * The snapshot's list is the truth (DESIGN 3.14); this removes what a caller added besides. It works on the
 * process itself, where pam_setcred() and pam_open_session() are called (MEASURED 5).
 */
#ifndef ISMS_PAM_GROUPS_H
#define ISMS_PAM_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/snapshot.h"

#define GROUPS_TEXT_MAX 1024

struct groups_change {
	bool failed;			/* something had to go and could not */
	size_t dropped;			/* how many went, or had to */
	char text[GROUPS_TEXT_MAX + 1];	/* their gids, space separated; the last ones may be missing */
};

/*
 * Keep of a list what is allowed, in order.
 *
 *  list,count       changed in place: what is kept comes first, what is dropped after it
 *  allowed          sorted
 *
 * Returns how many are kept.
 */
size_t groups_keep(gid_t *list, size_t count, gid_t primary, const gid_t *allowed, size_t allowed_count);

/*
 * Strip this process.
 *
 *  snapshot,user  whose list counts
 *  privileged     the caller is root: a failure to strip is a failure. Else EPERM changes nothing and is none.
 *  ret            wholly written
 *
 * Adds nothing, but for the primary group where the list would become empty (sudo matches every group then).
 * A process that has no groups, or root's alone, has not taken on the user's yet and is left as it is.
 */
void groups_strip(const struct snapshot *snapshot, const struct snapshot_user *user, bool privileged,
    struct groups_change *ret);

#endif

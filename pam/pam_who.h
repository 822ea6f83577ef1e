/*
 * pam_who.h - whose name is this: local, managed, of another source, or nobody's?
 *
 * The fork in the road of every stage (THREATS I2). The passwd file is read itself, not through NSS, so
 * that no directory can claim a local account and no local account depends on a directory.
 */
#ifndef ISMS_PAM_WHO_H
#define ISMS_PAM_WHO_H

#include <pwd.h>
#include <stdbool.h>
#include <sys/types.h>

#include "common/snapshot.h"
#include "pam/pam_paths.h"

#define WHO_NAME_MAX 256	/* bytes; longer names are nobody's */

enum who {
	WHO_UNSURE,	/* cannot be told (snapshot gone, no memory): deny */
	WHO_NONE,	/* no name at all */
	WHO_LOCAL,	/* in the passwd file: never managed, but for: */
	WHO_OTHER,	/* another NSS source resolves it */
	WHO_MANAGED,	/* name, or the uid it resolves to, is in the snapshot */
	WHO_NOBODY,	/* nobody resolves it */
	WHO_GUARDED,	/* in the passwd file, and under policy by [local] manage; never uid 0 */
	WHO_COUNT
};

struct person {
	enum who who;
	const char *fault;		/* WHO_UNSURE: why, in words; static */
	char contact[SNAPSHOT_CONTACT_MAX + 1];	/* of the snapshot's header; "" when there is none */
	struct snapshot snapshot;	/* open for WHO_MANAGED */
	struct snapshot_user user;	/* WHO_MANAGED: the record, inside the snapshot; WHO_GUARDED: uid alone */
};

/*
 * Find out who a name is.
 *
 *  name  as PAM_USER says; NULL or "" is WHO_NONE
 *  ret   wholly written; release with who_done()
 *
 * Cannot fail: what cannot be told is WHO_UNSURE. Leaves a getpwent() loop of the caller alone (PH07a).
 */
void who_find(const struct pam_paths *paths, const char *name, struct person *ret);

/* Unmap the snapshot. A zeroed person is fine. */
void who_done(struct person *person);

/*
 * The uid of a local account, from the passwd file alone.
 *
 * Returns 1 and the uid, 0 when there is none, or -errno when the file cannot be read. A missing file is 0.
 */
int who_local_uid(const struct pam_paths *paths, const char *name, uid_t *ret_uid);

/*
 * Search the passwd file alone, line by line.
 *
 *  is_it  true ends the search; the record lives during the call
 *
 * Returns 1, 0 when there is none, or -errno as above.
 */
int who_local_search(const struct pam_paths *paths, bool (*is_it)(const struct passwd *record, void *arg), void *arg);

/* "local", "managed", ... for diagnostics; never NULL. */
const char *who_name(enum who who);

#endif

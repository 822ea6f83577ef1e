/*
 * pam_guarded.h - whether a local account is under policy, as the publisher's list of names says.
 */
#ifndef ISMS_PAM_GUARDED_H
#define ISMS_PAM_GUARDED_H

#include <sys/types.h>

#include "pam/pam_paths.h"

enum guarded {
	GUARDED_UNSURE,		/* no descriptor, no memory: it cannot be told */
	GUARDED_NO,
	GUARDED_YES,
	GUARDED_ALIAS,		/* not listed, but has the uid of one that is: a way around the list */
};

/*
 * Look a local account up. Asks no daemon.
 *
 *  name, uid  as the passwd file has them; uid 0 must not be asked about
 *
 * A list that is missing or no plain file lists nobody: a local account depends on no file of ours (THREATS I2).
 */
enum guarded guarded_find(const struct pam_paths *paths, const char *name, uid_t uid);

#endif

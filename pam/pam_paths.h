/*
 * pam_paths.h - where pam_isms finds its counterparts, and which uid counts as root.
 *
 * Compiled in: nothing that a caller, an option or the environment says can move them (THREATS 5.1,
 * fake socket). Tests link a pam_paths() of their own instead of pam_paths.c.
 */
#ifndef ISMS_PAM_PATHS_H
#define ISMS_PAM_PATHS_H

#include <sys/types.h>

struct pam_paths {
	const char *socket;		/* of ismsd's front */
	const char *passwd;		/* local accounts */
	const char *snapshot;		/* managed accounts */
	const char *server_user;	/* who may listen on the socket besides owner */
	uid_t owner;			/* of the snapshot, and of who called listen(): 0 */
	uid_t privileged;		/* effective uid of callers that may speak for others: 0 */
};

/* The paths of this build; never NULL. */
const struct pam_paths *pam_paths(void);

#endif

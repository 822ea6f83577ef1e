/*
 * pam_paths.h - where pam_isms finds its counterparts, which uid counts as root, and how long it waits.
 *
 * Compiled in: nothing that a caller, an option or the environment says can move them (THREATS 5.1,
 * fake socket). Tests link a pam_paths() of their own instead of pam_paths.c.
 */
#ifndef ISMS_PAM_PATHS_H
#define ISMS_PAM_PATHS_H

#include <stdint.h>
#include <sys/types.h>

struct pam_paths {
	const char *socket;		/* of ismsd's front */
	const char *passwd;		/* local accounts */
	const char *snapshot;		/* managed accounts */
	const char *guarded;		/* names of local accounts under policy, one a line */
	const char *server_user;	/* who may listen on the socket besides owner */
	uid_t owner;			/* of the snapshot, and of who called listen(): 0 */
	uid_t privileged;		/* effective uid of callers that may speak for others: 0 */
	int64_t connect_ms;		/* for the front to take a connection */
	int64_t total_ms;		/* all waits of one call together, the person's time aside (THREATS I7) */
	int64_t tell_ms;		/* for a report whose answer changes nothing */
	int64_t person_ms;		/* for the person to answer; as long as the front keeps a connection */
};

/* The paths of this build; never NULL. */
const struct pam_paths *pam_paths(void);

#endif

/*
 * peers.h - the uids that our processes run as, read from the passwd file itself, never through NSS:
 * a lookup of ours must not wait for a service that waits for us (THREATS I4, 5.3).
 */
#ifndef ISMS_PEERS_H
#define ISMS_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/paths.h"
#include "common/proto.h"

#define PEERS_NOBODY ((uid_t)-1)	/* no such user here: matches nobody */

struct peers {
	uid_t root;		/* 0; below a root other than "/" the unprivileged user who runs us */
	uid_t front;		/* of user isms */
	uid_t directory;	/* of user isms-dir */
};

/*
 * Find the uids.
 *
 *  paths  passwd is read; below another root than "/" our own uid counts as root, so that tests and rescue need none
 *
 * Returns 0, or -errno when the passwd file cannot be read. A user that is missing becomes PEERS_NOBODY.
 */
int peers_load(const struct paths *paths, struct peers *ret);

/* Whether these are the paths of the running system, not of a folder. */
bool peers_is_system(const struct paths *paths);

/* Whether a process of this uid may send messages of a sender class (proto.def). Unknown classes: no. */
bool peers_allow(const struct peers *peers, uid_t uid, enum peer sender);

/* The uids that may have called listen() on a socket of ours: for channel_connect(). Returns how many of the 3 it wrote. */
size_t peers_owners(const struct peers *peers, uid_t ret[static 3]);

#endif

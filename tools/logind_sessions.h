/*
 * logind_sessions.h - the sessions that logind knows, over the system bus.
 */
#ifndef ISMS_LOGIND_SESSIONS_H
#define ISMS_LOGIND_SESSIONS_H

#include <jansson.h>

/*
 * Ask logind; at most a few seconds.
 *
 *  ret  a new array of objects: session, user, uid, leader, service, from, tty, class, since (UTC seconds); owned by the caller
 *
 * Returns 0, or -errno: there is no bus, or no logind on it.
 */
int logind_sessions(json_t **ret);

#endif

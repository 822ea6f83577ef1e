/*
 * state_parts.h - what the files of the front's store share (state.h, state_login.h).
 */
#ifndef ISMS_STATE_PARTS_H
#define ISMS_STATE_PARTS_H

#include <sqlite3.h>

#include "daemon/state.h"

/* The open store; tries to open it again when it is time. Returns 0, or -EROFS: it cannot be used. */
int state_use(struct state *s, sqlite3 **ret);

/* -errno of a result of SQLite; 0 for its successes. */
int state_error(int rc);

/* Remember whether the last write came through, for state_fault(). Returns r. */
int state_told(struct state *s, int r);

#endif

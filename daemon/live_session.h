/*
 * live_session.h - the sessions of managed users that are open on this host, and what each was proven with.
 *
 * A session lives as long as the process that opened it (sshd's monitor, login, su ...): its pidfd is watched on the
 * loop and kept in systemd's file descriptor store over restarts, where it is named by the transaction; the rest of
 * the row is in state.db. A session of which either half is missing proves nothing.
 */
#ifndef ISMS_LIVE_SESSION_H
#define ISMS_LIVE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "daemon/state.h"

#define LIVE_SESSIONS_MAX	512	/* FileDescriptorStoreMax= of the unit */
#define LIVE_SESSIONS_UNPROVEN	384	/* those proven without a code must leave room for the others */
#define LIVE_SESSIONS_PER_UID	16	/* one person must leave room for the others */

struct live_sessions;

/*
 * Begin with what systemd kept.
 *
 *  ended  called for each session that ends by its process; also for those that ended while we were away
 *
 * Returns 0 or -ENOMEM.
 */
int live_sessions_new(sd_event *event, struct state *state,
    void (*ended)(const struct session_row *row, const char *note, void *arg), void *arg, struct live_sessions **ret);
void live_sessions_free(struct live_sessions *all);	/* NULL is fine; the sessions go on */

/*
 * A session opens.
 *
 *  row  copied; its txn must not be that of another session
 *  pid  of the process that opened it, connected to us at this moment
 *
 * Returns 0, or -errno: it is then not known as proven (-EUSERS: too many, or too many of this uid; -ESRCH: the process has gone).
 */
int live_session_add(struct live_sessions *all, const struct session_row *row, pid_t pid);

/* It was closed in good order. Returns true and the row when it was known. */
bool live_session_remove(struct live_sessions *all, const char *txn, const char *user, struct session_row *ret);

/* Whether a person has a live session that was proven with a one-time code. */
bool live_session_proven(const struct live_sessions *all, uint32_t uid);

/* How many live sessions a person has by services of which counts() says so. */
unsigned live_session_count_of(const struct live_sessions *all, uint32_t uid,
    bool (*counts)(const char *service, const void *arg), const void *arg);

/* Whether a transaction names a session that is open. */
bool live_session_exists(const struct live_sessions *all, const char *txn);
/*
 * The i-th session that is watched, in no order that means anything.
 *
 *  ret_pid  of the process that opened it; 0 when it has just ended, or cannot be told
 *
 * Returns NULL past the last.
 */
const struct session_row *live_session_nth(const struct live_sessions *all, size_t i, pid_t *ret_pid);
/* Sessions that are watched, for status. */
size_t live_session_count(const struct live_sessions *all);

#endif

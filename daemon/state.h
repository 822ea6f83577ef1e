/*
 * state.h - what the front must remember over restarts: accepted codes, failures, last use, clock mark, event
 * sequence, open sessions. SQLite, synchronous=FULL: a function that writes returns 0 only once it is durable.
 *
 * Without a usable store everything here fails with -errno; who needs it must then deny (THREATS I9). The store is
 * opened again, at most every few seconds, until it can be used.
 */
#ifndef ISMS_STATE_H
#define ISMS_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/clock.h"
#include "daemon/otp.h"

#define STATE_FILE_NAME "state.db"

/*
 * Failures of remote and of local services count apart, so that a stranger cannot lock the console (OT11a); and so do
 * those of another local user, who tries su, so that he cannot lock the person's own sudo.
 */
enum scope { SCOPE_REMOTE, SCOPE_LOCAL, SCOPE_OTHERS, SCOPE_COUNT };

struct failures {
	unsigned count;
	int64_t last_utc_sec;		/* effective time of the last counted one */
	int64_t locked_until_utc_sec;	/* 0: not locked */
};

/* A row of the sessions that are open. */
struct session_row {
	char txn[33], user[33], service[65], tty[65];
	uint32_t uid;
	unsigned factors;
	int64_t opened_utc_sec;
};

/* All that becomes true together when an authentication succeeds. */
struct acceptance {
	const char *user;
	enum scope scope;		/* whose failures are forgotten */
	const char *token;		/* id of the token whose code was taken; NULL: none */
	uint64_t last;			/* its new mark */
	int64_t now_utc_sec;
	const struct clock_mark *mark;
};

struct state;

/*
 * Open the store.
 *
 *  dir  must be a folder of ours that nobody else can write
 *
 * Returns 0 even when the store cannot be used (see state_fault()), or -ENOMEM.
 */
int state_open(const char *dir, struct state **ret);
void state_close(struct state *s);		/* NULL is fine */

/* Why the store cannot be used, in words; NULL when it can. Tries to open it again when it is time. */
const char *state_fault(struct state *s);

/* Bound the file, as a full disk would; for tests. Returns 0 or -errno. */
int state_set_max_pages(struct state *s, unsigned pages);

/* What was accepted of a token. */
int state_token_mark(struct state *s, const char *id, struct otp_mark *ret);

/* Failures of a user; all zero when there are none. Storing a count of 0 removes the row. Both return 0 or -errno. */
int state_failures(struct state *s, const char *user, enum scope scope, struct failures *ret);
int state_set_failures(struct state *s, const char *user, enum scope scope, const struct failures *f);

/* Forget the failures of a user in both scopes. *ret_count: rows that there were. */
int state_forget_failures(struct state *s, const char *user, unsigned *ret_count);

/* How many users are locked, for status. */
int state_locked_count(struct state *s, int64_t now_utc_sec, unsigned *ret);

/*
 * Store a success: the token's mark only ever rises.
 *
 * Returns 0, -EEXIST when the mark is there already (another login took that code), or -errno.
 */
int state_accept(struct state *s, const struct acceptance *a);

/*
 * The next number for an event, without gaps.
 *
 *  user  whose last use is now, stored in the same step; NULL: nobody's
 */
int state_next_sequence(struct state *s, const char *user, int64_t now_utc_sec, uint64_t *ret);

/* The clock mark; known is false on a new host. Both return 0 or -errno. */
int state_load_clock(struct state *s, struct clock_mark *ret);
int state_save_clock(struct state *s, const struct clock_mark *mark);

/* Sessions that are open; one that is absent is removed with success. Both return 0 or -errno. */
int state_add_session(struct state *s, const struct session_row *row);
int state_remove_session(struct state *s, const char *txn);
/* Call each with every row; it may not write. */
int state_each_session(struct state *s, void (*each)(const struct session_row *row, void *arg), void *arg);

#endif

/*
 * state_login.h - what state.db knows of logins: the last use of an account, how much of it the directory was told,
 * and the last login of each person, for showing it to him. Every function fails with -errno when the store cannot be
 * used (state.h); nobody is refused for that here.
 */
#ifndef ISMS_STATE_LOGIN_H
#define ISMS_STATE_LOGIN_H

#include <stdint.h>

#include "daemon/state.h"

struct login_row {
	int64_t utc_sec;
	char service[65], rhost[256], tty[65];
};

/* Tables of this file, to be made where they are not there yet. */
extern const char state_login_schema[];

/* When an account was last used on this host, UTC seconds. Returns 1, 0: never, or -errno. */
int state_last_use(struct state *s, const char *user, int64_t *ret_utc_sec);

/*
 * An account of whose last use the directory was not told yet for that day, the longest due first.
 *
 *  only  this account alone, which costs nothing; NULL: any, for which all are looked at
 *
 * Returns 1, 0: there is none, or -errno.
 */
int state_last_use_due(struct state *s, const char *only, char ret_user[static 33], int64_t *ret_utc_sec);

/* The directory knows of the use at that time, or does not want to. Returns 0 or -errno. */
int state_last_use_told(struct state *s, const char *user, int64_t utc_sec);

/* The last login of a person on this host. Returns 1, 0: none, or -errno. */
int state_last_login(struct state *s, const char *user, struct login_row *ret);

/* Note a login, in place of the one before. Returns 0 or -errno. */
int state_set_login(struct state *s, const char *user, const struct login_row *row);

#endif

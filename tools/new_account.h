/*
 * new_account.h - the entries of an account that `add` makes: user, private group, memberships.
 */
#ifndef ISMS_NEW_ACCOUNT_H
#define ISMS_NEW_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/account.h"
#include "tools/new_password.h"
#include "tools/service_account.h"

#define NEW_ACCOUNT_GROUPS_MAX 64

struct new_account {
	const char *user, *display, *sponsor, *shell, *home;	/* borrowed; NULL: not given */
	enum kind kind;
	uint32_t uid;			/* 0: the lowest free one */
	int64_t not_before_utc_sec, not_after_utc_sec;	/* 0: none */
	bool must_change;
	bool local;			/* about an account of /etc/passwd */
	struct service_account service;	/* owner, key, networks, command */
	const char *made[NEW_ACCOUNT_GROUPS_MAX];	/* groups that had to be made; borrowed */
	uint32_t made_gids[NEW_ACCOUNT_GROUPS_MAX];
	unsigned made_count;
};

/*
 * Judge names, sponsor, groups and uid against the directory and the local files. Changes nothing.
 *
 * Returns EXIT_DONE, or has said what is wrong.
 */
enum exit_code new_account_check(const struct invocation *in, const struct account *account,
    const struct new_account *new);

/*
 * Hand all entries to the directory, in memory still.
 *
 *  password  its hash becomes userPassword, or itself goes to a server that hashes; none where the hash is ""
 */
enum exit_code new_account_build(const struct invocation *in, struct account *account, struct new_account *new,
    const struct new_password *password);

/* Read the account back as the daemon would: it must be whole and as asked. Sets account->identity. */
enum exit_code new_account_verify(const struct invocation *in, struct account *account, const struct new_account *new);

#endif

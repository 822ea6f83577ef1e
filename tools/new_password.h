/*
 * new_password.h - the first password of an account: typed twice, read from a descriptor, or made.
 */
#ifndef ISMS_NEW_PASSWORD_H
#define ISMS_NEW_PASSWORD_H

#include <stdbool.h>

#include "tools/invocation.h"
#include "tools/secret.h"

#define NEW_PASSWORD_LEN_MIN 12

struct new_password {
	char hash[384];			/* "{CRYPT}$y$...", or "" for none */
	struct secret clear;		/* the same as it was typed, for a server that hashes itself */
	bool was_generated;
};

/*
 * Get it by --password-fd, --generate-password or the terminal, and hash it (yescrypt).
 *
 *  optional  an account of services may go without
 *
 * Returns EXIT_DONE, or has said what is wrong.
 */
enum exit_code new_password_get(const struct invocation *in, bool optional, struct new_password *ret);

/* Give a generated one to --secret-fd or show it once, on a terminal. Says what failed. */
enum exit_code new_password_show(const struct invocation *in, const struct new_password *password);

/* "set", "generated" or "none". */
const char *new_password_word(const struct new_password *password);

/* Wipe it. */
void new_password_done(struct new_password *password);

#endif

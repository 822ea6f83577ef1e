/*
 * password.h - verifiers of the embedded directory: {CRYPT} by libcrypt. Everything here is pure computation that
 * takes a tenth of a second or so: call it on a worker, not on the loop.
 */
#ifndef ISMS_PASSWORD_H
#define ISMS_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

#define PASSWORD_BYTES_MAX	1024	/* refused beyond, never cut */
#define PASSWORD_CHARACTERS_MIN	12	/* of a new one, as isms-userctl counts */
#define PASSWORD_HASH_SIZE	384	/* CRYPT_OUTPUT_SIZE */
#define PASSWORD_VERIFIER_SIZE	(PASSWORD_HASH_SIZE + 8)	/* with "{CRYPT}" */

/*
 * Whether a userPassword value is one that we check: "{CRYPT}" and yescrypt, gost-yescrypt, scrypt, bcrypt (2b),
 * SHA-512 or SHA-256 crypt, at a cost that a worker can bear (a stray "rounds=999999999" must not stop all logins).
 */
bool password_verifier_known(const char *verifier);

/*
 * Check a password.
 *
 *  verifier  userPassword; NULL or an unknown one: the work of a check is done all the same and the answer is false
 *  password  an empty one is always wrong (THREATS 5.1)
 */
bool password_check(const char *verifier, const char *password);

/*
 * Judge a new password.
 *
 *  user,old  it must differ from; old may be ""
 *
 * Returns NULL when it will do, else what is wrong, for the person; static.
 */
const char *password_judge(const char *user, const char *old, const char *new_password);

/* Make a verifier, "{CRYPT}$y$..."; with fresh salt. Returns 0 or -errno. */
int password_make(const char *password, char ret[static PASSWORD_VERIFIER_SIZE]);

#endif

/*
 * token.h - one-time code tokens as entries of the directory, and the codes they give.
 */
#ifndef ISMS_TOKEN_H
#define ISMS_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/proto.h"	/* enum token_type, enum token_algorithm */
#include "tools/directory_edit.h"

#define TOKEN_SECRET_MAX	64
#define TOKEN_STEP_SEC		30
#define TOKEN_DN_MAX		384

struct token {
	enum token_type type;
	enum token_algorithm algorithm;
	unsigned digits;
	char serial[24];
	char dn[TOKEN_DN_MAX];
	uint8_t secret[TOKEN_SECRET_MAX];
	size_t secret_len;
};

/*
 * Make a token: random serial and a secret as long as the hash function's output (RFC 4226 4, R6).
 *
 *  base  entry below which ou=tokens lies
 *
 * Returns 0 or -EIO.
 */
int token_make(struct token *ret, enum token_type type, enum token_algorithm algorithm, unsigned digits,
    const char *base);

/* Wipe it. */
void token_done(struct token *token);

/* The secret in base32 without padding, as apps take it. Returns 0, -ENOBUFS or -ENOMEM. */
int token_base32(const struct token *token, char *buf, size_t size);

/*
 * The otpauth:// URI that apps scan.
 *
 *  issuer  shown beside the account name
 *
 * Returns 0 or -ENOBUFS, -ENOMEM. buf holds the secret: wipe it.
 */
int token_uri(const struct token *token, const char *user, const char *issuer, char *buf, size_t size);

/*
 * Judge a code. Exactly `digits` digits are demanded first: liboath takes the length from the code, so an
 * 8-digit token would take its own 6-digit suffix (THREATS 5.6). The whole window is looked at in equal time.
 *
 *  now_utc_sec  for TOTP
 *  window       TOTP: steps before and after now; HOTP: counters from 0 on
 *  ret_factor   TOTP: the step that matched; HOTP: the counter
 *
 * Returns 1 right, 0 wrong, -EINVAL for what is no code, -EIO when the library fails.
 */
int token_check(const struct token *token, const char *code, int64_t now_utc_sec, unsigned window,
    uint64_t *ret_factor);

/* "oathTOTPToken" or "oathHOTPToken": class of the token, and the user's attribute that links to it. */
const char *token_link(enum token_type type);

/* Add the token as an entry that nobody links to: useless yet. Returns 0 or -errno of directory_add(). */
int token_add(const struct token *token, struct directory *directory, const char *owner_dn, int64_t now_utc_sec);

/* Note the code as used and link the token to its user. Returns 0 or -errno of directory_modify(). */
int token_activate(const struct token *token, struct directory *directory, const char *user_dn, uint64_t factor);

/*
 * Unlink tokens of a user and delete those that nobody else links to.
 *
 *  serial   only this one; NULL: all
 *  keep_dn  never this one; may be NULL
 *  removed  called with the serial of each
 *
 * Returns how many, or -errno of directory_modify().
 */
int token_remove(struct directory *directory, const char *user_dn, const char *serial, const char *keep_dn,
    void (*removed)(const char *serial, void *arg), void *arg);

/* Delete pending tokens that were made for a user and never linked. Returns 0 or -ENOMEM. */
int token_remove_pending(struct directory *directory, const char *user_dn);

#endif

/*
 * key_entry.h - public keys of an account, as verbs give, take and show them.
 */
#ifndef ISMS_KEY_ENTRY_H
#define ISMS_KEY_ENTRY_H

#include <jansson.h>

#include "common/authorized_key.h"
#include "tools/account.h"

#define KEY_ENTRY_SIZE (AUTHORIZED_KEY_TEXT_MAX + 1)

/*
 * Read the one public key of a file, as ssh-keygen writes it, and make the value that an entry gets of it: with the mark
 * of when it was added.
 *
 *  path  "-" for standard input
 *
 * Returns EXIT_DONE, or has said what is wrong.
 */
enum exit_code key_entry_read(const struct invocation *in, const char *path, struct authorized_key *ret,
    char value[static KEY_ENTRY_SIZE]);

/* Whether an entry has a key of this fingerprint; *ret_count: how many it has. */
bool key_entry_has(const struct entry *e, const char *fingerprint, size_t *ret_count);

/* Rows of all values: fingerprint, type, comment, added, age_days, attribute; or fault. The caller's to release. */
json_t *key_entry_list(const struct entry *e, int64_t now_utc_sec);

/* Add to such rows when a key last opened a session on this host, and from where, as far as its journal goes back. */
void key_entry_add_uses(const struct invocation *in, const char *user, json_t *rows);

#endif

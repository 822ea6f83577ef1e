/*
 * active_directory.h - entries of Active Directory and Samba -> entries of the standard schema.
 */
#ifndef ISMS_ACTIVE_DIRECTORY_H
#define ISMS_ACTIVE_DIRECTORY_H

#include "common/server_schema.h"

/*
 * Translate an entry in place. A user becomes a posixAccount, a security group of the domain a posixGroup (or, without an
 * id, a groupOfNames that only passes its members on). Computers, trusts, groups of every machine (S-1-5-32) and lists of
 * mail, which give no rights in Windows either, keep DN, entryUUID and sAMAccountType: they are nobody. Other entries keep
 * all of their attributes.
 *
 * Returns 0 or -ENOMEM. What cannot be translated is ENTRY_FAULT of the entry.
 */
int active_directory_translate(const struct server_schema *schema, struct entry *e);

/* Whether it is a user or a security group by its sAMAccountType, translated or not. */
bool active_directory_is_account(const struct entry *e);

/* objectGUID's 16 bytes as Windows writes them. Returns buf. */
char *active_directory_guid(const uint8_t guid[static 16], char buf[static 37]);

#endif

/*
 * ldap_entry.h - an entry of a search's answer as one of ours.
 */
#ifndef ISMS_LDAP_ENTRY_H
#define ISMS_LDAP_ENTRY_H

#include <ldap.h>

#include "common/attribute_map.h"
#include "common/entry.h"

/*
 * Take an entry over. What is too long or too much is kept so far that it can be seen to be: that its entry is refused
 * for it is for identity.h to say.
 *
 *  msg      cannot be read again: its values are wiped
 *  map      of names: what is mapped to another attribute is left out; its kind of server says what becomes of values
 *  without  names, ours or the server's, of attributes that are left out, with options too; ends with NULL. NULL: none
 *  ret      the caller's
 *
 * Returns 0, -ENOMEM, or -EBADMSG for what is no entry, or not wholly understood.
 */
int ldap_entry_take(LDAP *ld, LDAPMessage *msg, const struct attribute_map *map, const char *const *without,
    struct entry **ret);

#endif

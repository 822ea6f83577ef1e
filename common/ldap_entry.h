/*
 * ldap_entry.h - an entry of a search's answer as one of ours.
 */
#ifndef ISMS_LDAP_ENTRY_H
#define ISMS_LDAP_ENTRY_H

#include <ldap.h>

#include "common/entry.h"

/*
 * Take an entry over. Values of any size are kept as they are: which of them cannot be used, and that its entry is
 * refused for it, is for identity.h to say.
 *
 *  ret  the caller's
 *
 * Returns 0, -ENOMEM, or -EBADMSG for what is no entry.
 */
int ldap_entry_take(LDAP *ld, LDAPMessage *msg, struct entry **ret);

#endif

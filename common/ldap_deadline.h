/*
 * ldap_deadline.h - an end to the TLS handshake with a server that says nothing (LD09a).
 *
 * libldap's own network timeout does not end it where it is built with GnuTLS: it asks the socket again and again.
 */
#ifndef ISMS_LDAP_DEADLINE_H
#define ISMS_LDAP_DEADLINE_H

#include <ldap.h>

/*
 * From now on every read of the connection fails with ETIMEDOUT once the time is over.
 *
 *  ld  with LDAP_OPT_NETWORK_TIMEOUT set, so that the handshake does not block; connected or not yet
 *
 * Returns 0, -ENOMEM or -EPROTO.
 */
int ldap_deadline_begin(LDAP *ld, int timeout_sec);

/* Take that back: after the handshake each operation has its own time. */
void ldap_deadline_end(LDAP *ld);

#endif

/*
 * ldap_escape.h - the one place where filters and DNs are built from values (THREATS 5.4; RFC 4515, RFC 4514).
 *
 * Whatever a value holds, what comes out is one assertion value or one value of one RDN, never more.
 */
#ifndef ISMS_LDAP_ESCAPE_H
#define ISMS_LDAP_ESCAPE_H

#include <stddef.h>

/* A value as it stands in a filter. Returns a new string, or NULL without memory. */
char *ldap_escape_filter(const void *value, size_t len);

/*
 * A filter for one value: "(uid=ada)".
 *
 *  attribute  a constant of ours or a name of [directory] attribute-map, never anybody's input
 *
 * Returns a new string, or NULL without memory.
 */
char *ldap_escape_equality(const char *attribute, const void *value, size_t len);

/* A value as it stands in an RDN. Returns a new string, or NULL without memory. */
char *ldap_escape_rdn(const void *value, size_t len);

/*
 * The DN of a child: "uid=ada,ou=people,dc=example,dc=com".
 *
 *  type    as attribute above
 *  units   what lies between, a constant of ours ("ou=people"), or NULL
 *  parent  a DN; "" for none
 *
 * Returns 0, -ENAMETOOLONG (buf is "" then) or -ENOMEM.
 */
int ldap_escape_dn(char *buf, size_t size, const char *type, const char *value, const char *units, const char *parent);

#endif

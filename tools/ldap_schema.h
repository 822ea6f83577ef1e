/*
 * ldap_schema.h - which attributes and classes an LDAP server has (its subschema, RFC 4512 4.2).
 */
#ifndef ISMS_LDAP_SCHEMA_H
#define ISMS_LDAP_SCHEMA_H

#include <ldap.h>
#include <stdbool.h>
#include <stddef.h>

struct ldap_schema {
	bool is_known;			/* the server showed one */
	char **writable;		/* owned; names of attributes that a user may write, sorted without case */
	size_t writable_count, writable_room;
	char **auxiliary;		/* owned; names of auxiliary classes, likewise */
	size_t auxiliary_count, auxiliary_room;
};

/*
 * Read the subschema that governs an entry. A server that shows none is no error.
 *
 *  dn  of the entry
 *
 * Returns 0, -ENOMEM, or -errno of a server that does not answer. Free with ldap_schema_done() in either case.
 */
int ldap_schema_load(struct ldap_schema *ret, LDAP *ld, const char *dn, int timeout_sec);

/* Free it. */
void ldap_schema_done(struct ldap_schema *schema);

/* Whether an attribute exists and may be written; true where the schema is not known. */
bool ldap_schema_writable(const struct ldap_schema *schema, const char *attribute);

/* Whether a class is known to be auxiliary. */
bool ldap_schema_auxiliary(const struct ldap_schema *schema, const char *object_class);

#endif

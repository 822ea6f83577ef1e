/*
 * ldap_password.h - how a person changes his own password at a server.
 */
#ifndef ISMS_LDAP_PASSWORD_H
#define ISMS_LDAP_PASSWORD_H

#include <ldap.h>
#include <stddef.h>

#include "common/server_schema.h"

#define LDAP_PASSWORD_UNICODE_SIZE(bytes)	(2 * (bytes) + 4)

/*
 * Change it on a connection that he is bound on: by RFC 3062, or by unicodePwd (MS-ADTS 3.1.1.3.1.5) at an Active
 * Directory. What the server's policy refuses stays as it was.
 *
 *  old, fresh  UTF-8, not empty
 *
 * Returns a result code of LDAP; LDAP_CONSTRAINT_VIOLATION also for what is no text.
 */
int ldap_password_modify(LDAP *ld, enum server_kind kind, const char *dn, const char *old, const char *fresh,
    int timeout_sec);

/*
 * Write a password as unicodePwd wants it: in quotes, UTF-16, little endian.
 *
 *  ret,size  at least LDAP_PASSWORD_UNICODE_SIZE(strlen(text)) bytes; wiped by the caller
 *
 * Returns the bytes written, or -EINVAL: no UTF-8, or too long.
 */
int ldap_password_unicode(const char *text, unsigned char *ret, size_t size);

#endif

/*
 * ldap_handle.h - a connection to one LDAP server, safe before anything is said on it (THREATS 5.4).
 *
 * Used by the directory process (on its threads; every call may block up to its deadline) and by isms-userctl.
 * Certificates and names are always verified, referrals never followed, aliases never dereferenced, and no file
 * and no variable of the environment changes that.
 */
#ifndef ISMS_LDAP_HANDLE_H
#define ISMS_LDAP_HANDLE_H

#include <ldap.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/settings.h"

/*
 * Bytes of one message of a server; a longer one ends the connection (LD12a). A group of 100,000 members, by DNs of usual
 * length, fits three times.
 */
#define LDAP_HANDLE_MESSAGE_MAX	(32UL << 20)
#define LDAP_HANDLE_CONNECT_SEC	3	/* to one server, TLS included */
#define LDAP_HANDLE_URI_MAX	255	/* bytes of one server's uri */

/*
 * Keep libldap from reading ldap.conf, .ldaprc and LDAP* of the environment. Once, in main(), before any thread and
 * any other call of libldap (LD04a).
 */
void ldap_handle_prepare(void);

/*
 * Pick a server of "ldaps://a ldaps://b".
 *
 *  ret  room for LDAP_HANDLE_URI_MAX + 1 bytes
 *
 * Returns whether there is an n-th (from 0).
 */
bool ldap_handle_uri(const char *uris, unsigned n, char *ret);

/*
 * Connect, with TLS unless it is ldapi:// (or [directory] allow-cleartext is set): nobody is bound yet.
 *
 *  uri    of one server
 *  fault  receives "URI: what is wrong" for the administrator
 *
 * Returns 0; -EPROTO when TLS is refused or not to be trusted; -EHOSTUNREACH when nobody answers; -ENOMEM.
 */
int ldap_handle_open(const struct settings *settings, const char *uri, LDAP **ret, char *fault, size_t size);

/* Say goodbye and close; NULL is fine. */
void ldap_handle_close(LDAP *ld);

/* What the password policy of the server says of a bind (draft-behera-ldap-password-policy). */
enum ldap_policy_word {
	LDAP_POLICY_SILENT,		/* nothing */
	LDAP_POLICY_EXPIRED,		/* the password has expired */
	LDAP_POLICY_LOCKED,
	LDAP_POLICY_MUST_CHANGE,	/* after a reset */
	LDAP_POLICY_GRACE,		/* good for a few more binds only */
};

/*
 * Bind with a name and a password.
 *
 *  password  never empty: an unauthenticated bind is a success to most servers (RFC 4513 5.1.2); refused here too
 *  ret_word  may be NULL: then the server's policy is not asked
 *
 * Returns 0; -EACCES for wrong credentials (also locked and expired ones; *ret_word says which where the server does);
 * -EINVAL for an empty name or password; -ETIMEDOUT or -EHOSTUNREACH when there is no answer in time; -EPROTO for any
 * other result.
 */
int ldap_handle_bind(LDAP *ld, const char *dn, const char *password, int timeout_sec, enum ldap_policy_word *ret_word);

/* Bind as the user who runs this process (SASL EXTERNAL; ldapi:// only). Returns as ldap_handle_bind(). */
int ldap_handle_bind_external(LDAP *ld, int timeout_sec);

/*
 * Bind as this host: [directory] bind-dn with the password of bind-password-file, as the process's user on ldapi://
 * ("external"), or not at all ("anonymous").
 *
 *  fault  receives what is wrong
 */
int ldap_handle_bind_host(const struct settings *settings, const char *uri, LDAP *ld, char *fault, size_t size);

/* Negative errno for a result code of LDAP: 0, -EACCES, -ENOENT, -EEXIST, -ETIMEDOUT, -EHOSTUNREACH or -EPROTO. */
int ldap_handle_error(int code);

/* Of a call that failed without saying why: the result code, never LDAP_SUCCESS. */
int ldap_handle_last_code(LDAP *ld);

/* Wait for the result of one operation, and free it. Returns its result code, or LDAP_TIMEOUT, LDAP_SERVER_DOWN ... . */
int ldap_handle_wait(LDAP *ld, int msgid, int timeout_sec);

#endif

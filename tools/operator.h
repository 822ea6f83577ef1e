/*
 * operator.h - as whom isms-userctl binds at an LDAP server: always the person who runs it, never this host.
 */
#ifndef ISMS_OPERATOR_H
#define ISMS_OPERATOR_H

#include <ldap.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/settings.h"
#include "tools/command_line.h"
#include "tools/secret.h"

enum operator_way {
	OPERATOR_UNNAMED,	/* nothing was given: the local user at ldapi://, nobody anywhere else */
	OPERATOR_SIMPLE,	/* a DN and a password */
	OPERATOR_EXTERNAL,	/* the local user, by SASL EXTERNAL at ldapi:// */
	OPERATOR_GSSAPI,	/* the Kerberos ticket */
};

struct operator {
	enum operator_way way;
	const char *dn;		/* OPERATOR_SIMPLE; borrowed */
	bool has_fd;
	unsigned password_fd;	/* where the password is read from; else the terminal */
	bool has_password;	/* was asked for or read already: a verb may open the directory several times */
	struct secret password;
};

/*
 * Take --bind-dn, --bind-password-fd and --sasl of a command line, which must outlive *ret.
 *
 *  error  receives what is wrong
 *
 * Returns 0 or -EINVAL.
 */
int operator_init(struct operator *ret, const struct command_line *line, char *error, size_t size);

/* Whether the operator can bind at a server without a name being given: at ldapi:// alone. */
bool operator_is_named(const struct operator *who, const char *uri);

/*
 * Bind.
 *
 *  who  NULL: as one who was not named
 *  uri  of the server that ld is connected to
 *
 * Returns 0; -EINVAL when nobody was named or the way does not lead to this server; -EACCES when the server or the
 * person refuses; else -errno as ldap_handle_bind().
 */
int operator_bind(struct operator *who, LDAP *ld, const char *uri, int timeout_sec, char *error, size_t size);

/* Wipe the password. */
void operator_done(struct operator *who);

#endif

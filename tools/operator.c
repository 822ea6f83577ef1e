/*
 * operator.c - binds at an LDAP server as the person who runs isms-userctl.
 *
 * Runs in isms-userctl only. Must never use the host's own bind-dn, take a password from argv or the environment, ask
 * before the connection is safe, or try one that was refused a second time.
 */
#include <config.h>

#include "tools/operator.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/ldap_handle.h"

/* As sasl/sasl.h has had it ever since version 2: the one thing of it that is needed here. */
struct sasl_question {
	unsigned long id;	/* 0: the last one */
	const char *challenge, *prompt, *fallback;
	const void *result;
	unsigned len;
};

int
operator_init(struct operator *ret, const struct command_line *line, char *error, size_t size)
{
	const char *sasl = command_line_value(line, OPTION_global_sasl);
	uint32_t fd = 0;
	int given;

	ret->dn = command_line_value(line, OPTION_global_bind_dn);
	given = command_line_number(line, OPTION_global_bind_password_fd, 0, 65535, &fd);
	if (given < 0) {
		(void)snprintf(error, size, "--bind-password-fd needs a number");
		return -EINVAL;
	}
	if (ret->dn != NULL && (sasl != NULL || strchr(ret->dn, '=') == NULL)) {
		(void)snprintf(error, size, sasl != NULL ? "--bind-dn and --sasl exclude each other" :
		    "--bind-dn needs a DN: uid=carol,ou=people,dc=example,dc=com");
		return -EINVAL;
	}
	if (given > 0 && ret->dn == NULL) {
		(void)snprintf(error, size, "--bind-password-fd goes with --bind-dn");
		return -EINVAL;
	}
	ret->has_fd = given > 0;
	ret->password_fd = fd;
	ret->way = ret->dn != NULL ? OPERATOR_SIMPLE : sasl == NULL ? OPERATOR_UNNAMED :
	    strcmp(sasl, "gssapi") == 0 ? OPERATOR_GSSAPI : OPERATOR_EXTERNAL;
	return 0;
}

static bool
is_local(const char *uri)
{
	return strncasecmp(uri, "ldapi:", 6) == 0;
}

bool
operator_is_named(const struct operator *who, const char *uri)
{
	return (who != NULL && who->way != OPERATOR_UNNAMED) || is_local(uri);
}

/* The password, once for all connections of this run. */
static int
need_password(struct operator *who, char *error, size_t size)
{
	char prompt[320];
	int r;

	if (who->has_password)
		return 0;
	if (who->has_fd)
		r = secret_read((int)who->password_fd, &who->password);
	else {
		(void)snprintf(prompt, sizeof prompt, "Password of %.256s: ", who->dn);
		r = secret_ask(prompt, false, &who->password);
	}
	if (r == 0 && who->password.len == 0)	/* would be an unauthenticated bind, which succeeds (RFC 4513 5.1.2) */
		r = -ENODATA;
	who->has_password = r == 0;
	if (r == 0)
		return 0;
	if (who->has_fd)
		(void)snprintf(error, size, "--bind-password-fd %u: %s", who->password_fd, r == -ENODATA ? "nothing to read" :
		    r == -E2BIG ? "longer than 1024 bytes, or holds a NUL" : strerror(-r));
	else
		(void)snprintf(error, size, r == -ENXIO ? "no terminal to ask for the password of --bind-dn on; give --bind-password-fd N" :
		    "no password was given; nothing was changed");
	return r == -ENXIO || r == -EBADF ? -EINVAL : -EACCES;
}

static int
bind_simple(struct operator *who, LDAP *ld, const char *uri, int timeout_sec, char *error, size_t size)
{
	static const char *const words[] = {
		[LDAP_POLICY_SILENT] = "wrong password, no such entry, or it may not bind",
		[LDAP_POLICY_EXPIRED] = "its password has expired", [LDAP_POLICY_LOCKED] = "it is locked",
		[LDAP_POLICY_MUST_CHANGE] = "its password must be changed first", [LDAP_POLICY_GRACE] = "its password has expired",
	};
	enum ldap_policy_word word = LDAP_POLICY_SILENT;
	int r = need_password(who, error, size);

	if (r < 0)
		return r;
	r = ldap_handle_bind(ld, who->dn, who->password.text, timeout_sec, &word);
	if (r == 0 && word == LDAP_POLICY_MUST_CHANGE)	/* bound, but nothing else would be allowed */
		r = -EACCES;
	if (r < 0)
		(void)snprintf(error, size, "%.255s: bind as %.255s: %s", uri, who->dn, r == -EACCES ? words[word] : strerror(-r));
	return r;
}

static int
bind_external(LDAP *ld, const char *uri, int timeout_sec, char *error, size_t size)
{
	int r;

	if (!is_local(uri)) {
		(void)snprintf(error, size, "%.255s: --sasl external is for ldapi:// alone; say who you are: --bind-dn DN", uri);
		return -EINVAL;
	}
	r = ldap_handle_bind_external(ld, timeout_sec);
	if (r < 0)
		(void)snprintf(error, size, "%.255s: SASL EXTERNAL: %s", uri, r == -EACCES ? "the server does not take it" : strerror(-r));
	return r;
}

/* Kerberos knows who it is; whatever else the library asks for gets its default. */
static int
answer_nothing(LDAP *ld, unsigned flags, void *defaults, void *questions)
{
	struct sasl_question *q;

	(void)ld;
	(void)flags;
	(void)defaults;
	for (q = questions; q->id != 0; q++) {
		q->result = q->fallback != NULL ? q->fallback : "";
		q->len = (unsigned)strlen(q->result);
	}
	return LDAP_SUCCESS;
}

static int
bind_gssapi(LDAP *ld, const char *uri, char *error, size_t size)
{
	char *more = NULL;
	int code;

	/* The server's name as it was configured, whatever DNS says of its address. */
	(void)ldap_set_option(ld, LDAP_OPT_X_SASL_NOCANON, LDAP_OPT_ON);
	code = ldap_sasl_interactive_bind_s(ld, NULL, "GSSAPI", NULL, NULL, LDAP_SASL_QUIET, answer_nothing, NULL);
	if (code == LDAP_SUCCESS)
		return 0;
	(void)ldap_get_option(ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &more);
	(void)snprintf(error, size, "%.255s: SASL GSSAPI: %s%s%.200s; is there a ticket (klist), and the module (libsasl2-modules-gssapi-mit)?",
	    uri, ldap_err2string(code), more != NULL && more[0] != '\0' ? ": " : "", more != NULL ? more : "");
	ldap_memfree(more);
	code = ldap_handle_error(code);
	return code == -EHOSTUNREACH || code == -ETIMEDOUT || code == -ENOMEM ? code : -EACCES;
}

int
operator_bind(struct operator *who, LDAP *ld, const char *uri, int timeout_sec, char *error, size_t size)
{
	if (!operator_is_named(who, uri)) {
		(void)snprintf(error, size, "%.255s: say who you are: --bind-dn DN, or run as root against ldapi://", uri);
		return -EINVAL;
	}
	if (who != NULL && who->way == OPERATOR_SIMPLE)
		return bind_simple(who, ld, uri, timeout_sec, error, size);
	if (who != NULL && who->way == OPERATOR_GSSAPI)
		return bind_gssapi(ld, uri, error, size);
	return bind_external(ld, uri, timeout_sec, error, size);
}

void
operator_done(struct operator *who)
{
	secret_done(&who->password);
	who->has_password = false;
}

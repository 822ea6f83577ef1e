/*
 * ldap_handle.c - opens and binds connections to LDAP servers (see ldap_handle.h).
 *
 * Directory process and isms-userctl. It must never send a password before TLS is up and the server's name is
 * proven, and never take another server's word: no referral, no second answer, no default of a file.
 */
#include <config.h>

#include "common/ldap_handle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/ldap_deadline.h"

#define PASSWORD_MAX	1024

extern char **environ;

void
ldap_handle_prepare(void)
{
	/* LDAPNOINIT makes libldap skip its files and variables; those that name TLS are taken away besides. */
	for (char **v = environ; *v != NULL;) {
		char name[64];
		size_t len = strcspn(*v, "=");

		if (strncmp(*v, "LDAP", 4) != 0 || len >= sizeof name) {
			v++;
			continue;
		}
		memcpy(name, *v, len);
		name[len] = '\0';
		(void)unsetenv(name);	/* moves the others up */
	}
	(void)setenv("LDAPNOINIT", "1", 1);
}

bool
ldap_handle_uri(const char *uris, unsigned n, char *ret)
{
	for (;;) {
		size_t len;

		uris += strspn(uris, " \t");
		len = strcspn(uris, " \t");
		if (len == 0 || len > LDAP_HANDLE_URI_MAX)
			return false;
		if (n-- == 0) {
			memcpy(ret, uris, len);
			ret[len] = '\0';
			return true;
		}
		uris += len;
	}
}

int
ldap_handle_error(int code)
{
	switch (code) {
	case LDAP_SUCCESS:
		return 0;
	case LDAP_INVALID_CREDENTIALS:
	case LDAP_INSUFFICIENT_ACCESS:
	case LDAP_INAPPROPRIATE_AUTH:
		return -EACCES;
	case LDAP_NO_SUCH_OBJECT:
		return -ENOENT;
	case LDAP_ALREADY_EXISTS:
		return -EEXIST;
	case LDAP_TIMEOUT:
		return -ETIMEDOUT;
	case LDAP_SERVER_DOWN:
	case LDAP_CONNECT_ERROR:
	case LDAP_UNAVAILABLE:
	case LDAP_BUSY:
		return -EHOSTUNREACH;
	case LDAP_NO_MEMORY:
		return -ENOMEM;
	default:
		return -EPROTO;
	}
}

/* ---- opening ---- */

static bool
has_scheme(const char *uri, const char *scheme)
{
	return strncasecmp(uri, scheme, strlen(scheme)) == 0;
}

static int
set_int(LDAP *ld, int option, int value)
{
	return ldap_set_option(ld, option, &value) == LDAP_OPT_SUCCESS ? 0 : -EPROTO;
}

/* What holds for every connection; set before it is made. */
static int
set_options(LDAP *ld)
{
	const struct timeval connect = { .tv_sec = LDAP_HANDLE_CONNECT_SEC };
	ber_len_t incoming = LDAP_HANDLE_MESSAGE_MAX;
	Sockbuf *buffer = NULL;

	if (set_int(ld, LDAP_OPT_PROTOCOL_VERSION, LDAP_VERSION3) < 0 || set_int(ld, LDAP_OPT_DEREF, LDAP_DEREF_NEVER) < 0 ||
	    ldap_set_option(ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) != LDAP_OPT_SUCCESS ||
	    ldap_set_option(ld, LDAP_OPT_RESTART, LDAP_OPT_ON) != LDAP_OPT_SUCCESS ||
	    ldap_set_option(ld, LDAP_OPT_NETWORK_TIMEOUT, &connect) != LDAP_OPT_SUCCESS)
		return -EPROTO;
	/* A black hole is noticed in some seconds, also by a connection that only listens (MEASURED 1). */
	if (set_int(ld, LDAP_OPT_X_KEEPALIVE_IDLE, 2) < 0 || set_int(ld, LDAP_OPT_X_KEEPALIVE_PROBES, 3) < 0 ||
	    set_int(ld, LDAP_OPT_X_KEEPALIVE_INTERVAL, 1) < 0 || set_int(ld, LDAP_OPT_TCP_USER_TIMEOUT, 5000) < 0)
		return -EPROTO;
	if (ldap_get_option(ld, LDAP_OPT_SOCKBUF, &buffer) != LDAP_OPT_SUCCESS || buffer == NULL ||
	    ber_sockbuf_ctrl(buffer, LBER_SB_OPT_SET_MAX_INCOMING, &incoming) < 0)
		return -EPROTO;
	return 0;
}

static int
set_tls(LDAP *ld, const struct settings *settings)
{
	if (set_int(ld, LDAP_OPT_X_TLS_REQUIRE_CERT, LDAP_OPT_X_TLS_HARD) < 0 ||
	    set_int(ld, LDAP_OPT_X_TLS_REQUIRE_SAN, LDAP_OPT_X_TLS_TRY) < 0 ||
	    set_int(ld, LDAP_OPT_X_TLS_PROTOCOL_MIN, LDAP_OPT_X_TLS_PROTOCOL_TLS1_2) < 0 ||
	    ldap_set_option(ld, LDAP_OPT_X_TLS_CACERTFILE, settings->directory_ca_file) != LDAP_OPT_SUCCESS)
		return -EPROTO;
	return set_int(ld, LDAP_OPT_X_TLS_NEWCTX, 0);	/* last: it makes what was set above effective */
}

static void
explain(LDAP *ld, const char *uri, const char *what, int code, char *fault, size_t size)
{
	/* libldap's words are the same for a closed port, another name and an unknown authority. */
	static const char hint[] = "; does a server answer there, with a certificate for this very name, from an authority in "
	    "[directory] ca-file (setup: --ca-file)?";
	bool is_mute = code == LDAP_SERVER_DOWN || code == LDAP_CONNECT_ERROR;
	char *more = NULL;

	(void)ldap_get_option(ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &more);
	(void)snprintf(fault, size, "%.255s: %s: %s%s%.200s%s", uri, what, ldap_err2string(code),
	    more != NULL && more[0] != '\0' ? ": " : "", more != NULL ? more : "", is_mute ? hint : "");
	ldap_memfree(more);
}

/* RFC 4513 3.1.1: whatever else came with the answer in clear was not said by whom the certificate names. */
static bool
has_unread_bytes(LDAP *ld)
{
	Sockbuf *buffer = NULL;

	return ldap_get_option(ld, LDAP_OPT_SOCKBUF, &buffer) != LDAP_OPT_SUCCESS ||
	    ber_sockbuf_ctrl(buffer, LBER_SB_OPT_DATA_READY, NULL) != 0;
}

static int
start_tls(LDAP *ld, const char *uri, char *fault, size_t size)
{
	int code, msgid = 0;

	code = ldap_start_tls(ld, NULL, NULL, &msgid);
	if (code == LDAP_SUCCESS)
		code = ldap_handle_wait(ld, msgid, LDAP_HANDLE_CONNECT_SEC);
	if (code == LDAP_SUCCESS && has_unread_bytes(ld))
		code = LDAP_PROTOCOL_ERROR;
	if (code == LDAP_SUCCESS && ldap_deadline_begin(ld, LDAP_HANDLE_CONNECT_SEC) < 0)
		code = LDAP_NO_MEMORY;
	if (code == LDAP_SUCCESS) {
		code = ldap_install_tls(ld);
		ldap_deadline_end(ld);
	}
	if (code == LDAP_SUCCESS && ldap_tls_inplace(ld))
		return 0;
	explain(ld, uri, "StartTLS", code == LDAP_SUCCESS ? LDAP_CONNECT_ERROR : code, fault, size);
	code = ldap_handle_error(code);
	return code == -EHOSTUNREACH || code == -ETIMEDOUT ? -EHOSTUNREACH : -EPROTO;
}

static int
secure(LDAP *ld, const struct settings *settings, const char *uri, char *fault, size_t size)
{
	int code;

	if (has_scheme(uri, "ldapi:"))
		return 0;
	if (has_scheme(uri, "ldap:") && settings->directory_allow_cleartext)
		return 0;
	if (set_tls(ld, settings) < 0) {
		(void)snprintf(fault, size, "%s: TLS cannot be set up; is [directory] ca-file %s there and readable?", uri,
		    settings->directory_ca_file);
		return -EPROTO;
	}
	if (has_scheme(uri, "ldap:"))
		return start_tls(ld, uri, fault, size);
	if (ldap_deadline_begin(ld, LDAP_HANDLE_CONNECT_SEC) < 0)
		return -ENOMEM;
	code = ldap_connect(ld);
	ldap_deadline_end(ld);
	if (code == LDAP_SUCCESS && ldap_tls_inplace(ld))
		return 0;
	explain(ld, uri, "TLS", code == LDAP_SUCCESS ? LDAP_CONNECT_ERROR : code, fault, size);
	return -EHOSTUNREACH;	/* libldap does not tell a refused certificate from a server that is not there */
}

int
ldap_handle_open(const struct settings *settings, const char *uri, LDAP **ret, char *fault, size_t size)
{
	LDAP *ld = NULL;
	int code, r;

	code = ldap_initialize(&ld, uri);
	if (code != LDAP_SUCCESS) {
		(void)snprintf(fault, size, "%.255s: %s", uri, ldap_err2string(code));
		return code == LDAP_NO_MEMORY ? -ENOMEM : -EPROTO;
	}
	r = set_options(ld);
	if (r < 0)
		(void)snprintf(fault, size, "%.255s: libldap lacks an option that we depend on", uri);
	else
		r = secure(ld, settings, uri, fault, size);
	if (r < 0) {
		ldap_handle_close(ld);
		return r;
	}
	*ret = ld;
	return 0;
}

void
ldap_handle_close(LDAP *ld)
{
	if (ld != NULL)
		(void)ldap_unbind_ext(ld, NULL, NULL);
}

/* ---- binding ---- */

int
ldap_handle_last_code(LDAP *ld)
{
	int code = LDAP_SUCCESS;

	(void)ldap_get_option(ld, LDAP_OPT_RESULT_CODE, &code);
	return code == LDAP_SUCCESS ? LDAP_SERVER_DOWN : code;
}

/* The answer to one operation. Returns LDAP_SUCCESS with *ret, which whatever it says is an answer, or a result code. */
static int
fetch_answer(LDAP *ld, int msgid, int timeout_sec, LDAPMessage **ret)
{
	struct timeval timeout = { .tv_sec = timeout_sec };
	int type;

	*ret = NULL;
	type = ldap_result(ld, msgid, LDAP_MSG_ALL, &timeout, ret);
	if (type == 0)
		return LDAP_TIMEOUT;
	return type < 0 || *ret == NULL ? ldap_handle_last_code(ld) : LDAP_SUCCESS;
}

int
ldap_handle_wait(LDAP *ld, int msgid, int timeout_sec)
{
	LDAPMessage *res;
	int code;

	code = fetch_answer(ld, msgid, timeout_sec, &res);
	if (code == LDAP_TIMEOUT)
		(void)ldap_abandon_ext(ld, msgid, NULL, NULL);
	if (code != LDAP_SUCCESS)
		return code;
	if (ldap_parse_result(ld, res, &code, NULL, NULL, NULL, NULL, 1) != LDAP_SUCCESS)
		code = LDAP_DECODING_ERROR;
	return code;
}

static enum ldap_policy_word
policy_word(LDAP *ld, LDAPControl **controls)
{
	LDAPControl *control = ldap_control_find(LDAP_CONTROL_PASSWORDPOLICYRESPONSE, controls, NULL);
	ber_int_t expire = -1, grace = -1;
	LDAPPasswordPolicyError error = PP_noError;

	if (control == NULL || ldap_parse_passwordpolicy_control(ld, control, &expire, &grace, &error) != LDAP_SUCCESS)
		return LDAP_POLICY_SILENT;
	switch (error) {
	case PP_passwordExpired:
		return LDAP_POLICY_EXPIRED;
	case PP_accountLocked:
		return LDAP_POLICY_LOCKED;
	case PP_changeAfterReset:
		return LDAP_POLICY_MUST_CHANGE;
	default:
		return grace >= 0 ? LDAP_POLICY_GRACE : LDAP_POLICY_SILENT;
	}
}

/* The result of a bind, and what the policy says beside it: only the result decides (LD08a). */
static int
bind_result(LDAP *ld, int msgid, int timeout_sec, enum ldap_policy_word *ret_word)
{
	LDAPControl **controls = NULL;
	LDAPMessage *res;
	int code;

	code = fetch_answer(ld, msgid, timeout_sec, &res);
	if (code != LDAP_SUCCESS)
		return code;
	if (ldap_msgtype(res) != LDAP_RES_BIND || ldap_msgid(res) != msgid) {
		(void)ldap_msgfree(res);
		return LDAP_PROTOCOL_ERROR;
	}
	if (ldap_parse_result(ld, res, &code, NULL, NULL, NULL, &controls, 1) != LDAP_SUCCESS)
		return LDAP_DECODING_ERROR;
	if (ret_word != NULL)
		*ret_word = policy_word(ld, controls);
	ldap_controls_free(controls);
	return code;
}

int
ldap_handle_bind(LDAP *ld, const char *dn, const char *password, int timeout_sec, enum ldap_policy_word *ret_word)
{
	LDAPControl policy = { .ldctl_oid = (char *)(uintptr_t)LDAP_CONTROL_PASSWORDPOLICYREQUEST };
	LDAPControl *controls[] = { &policy, NULL };
	struct berval cred = { .bv_val = (char *)(uintptr_t)password, .bv_len = strlen(password) };
	int code, msgid = 0;

	if (ret_word != NULL)
		*ret_word = LDAP_POLICY_SILENT;
	if (dn[0] == '\0' || password[0] == '\0')
		return -EINVAL;
	code = ldap_sasl_bind(ld, dn, LDAP_SASL_SIMPLE, &cred, ret_word != NULL ? controls : NULL, NULL, &msgid);
	if (code == LDAP_SUCCESS)
		code = bind_result(ld, msgid, timeout_sec, ret_word);
	return ldap_handle_error(code);
}

int
ldap_handle_bind_external(LDAP *ld, int timeout_sec)
{
	struct berval none = { .bv_val = (char *)(uintptr_t)"" };	/* empty, but there: without one the server asks for it */
	int code, msgid = 0;

	code = ldap_sasl_bind(ld, NULL, "EXTERNAL", &none, NULL, NULL, &msgid);
	if (code == LDAP_SUCCESS)
		code = bind_result(ld, msgid, timeout_sec, NULL);
	return ldap_handle_error(code);
}

/* The first line of a file that nobody else may read. Returns 0 or -errno. */
static int
read_password(const char *path, char *buf, size_t size)
{
	ssize_t n = -1;
	struct stat st;
	int fd, r = 0;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode) || (st.st_mode & 027) != 0)
		r = -EPERM;
	else if ((n = read(fd, buf, size - 1)) < 0)
		r = -errno;
	(void)close(fd);
	if (r < 0)
		return r;
	buf[n] = '\0';
	buf[strcspn(buf, "\r\n")] = '\0';
	return buf[0] != '\0' ? 0 : -ENODATA;
}

int
ldap_handle_bind_host(const struct settings *settings, const char *uri, LDAP *ld, char *fault, size_t size)
{
	const char *path = settings->directory_bind_password_file;
	char password[PASSWORD_MAX + 2];
	int timeout = (int)settings->directory_operation_timeout;
	int r;

	if (strcmp(settings->directory_bind_dn, "anonymous") == 0)
		return 0;
	if (strcmp(settings->directory_bind_dn, "external") == 0) {
		r = has_scheme(uri, "ldapi:") ? ldap_handle_bind_external(ld, timeout) : -EINVAL;
		if (r < 0)
			(void)snprintf(fault, size, "%.255s: SASL EXTERNAL: %s", uri, strerror(-r));
		return r;
	}
	r = read_password(path, password, sizeof password);
	if (r < 0) {
		(void)snprintf(fault, size, "[directory] bind-password-file %.255s: %s", path,
		    r == -EPERM ? "must be a file that only its owner and group may read" :
		    r == -ENODATA ? "is empty" : strerror(-r));
		return r;
	}
	r = ldap_handle_bind(ld, settings->directory_bind_dn, password, timeout, NULL);
	explicit_bzero(password, sizeof password);
	if (r < 0)
		(void)snprintf(fault, size, "%.255s: bind as %.255s: %s", uri, settings->directory_bind_dn,
		    r == -EACCES ? "wrong password, or no such entry" : strerror(-r));
	return r;
}

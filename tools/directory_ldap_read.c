/*
 * directory_ldap_read.c - entries of an LDAP server, by paged search.
 *
 * Runs in isms-userctl only. Must never take a part for the whole: a limit, a referral or a page that fails is an
 * error, and nothing was read. Keeps no password hash and no token secret, whatever the server shows (THREATS I8).
 */
#include <config.h>

#include "tools/directory_ldap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

#define PAGE_ENTRIES	500

/* What "*" does not bring; other operational attributes are none of our business. */
static const char *const operational[] = {
	"entryUUID", "entryCSN", "createTimestamp", "modifyTimestamp", "modifiersName", "pwdStartTime", "pwdEndTime",
	"pwdAccountLockedTime", "pwdAccountTmpLockoutEnd", "pwdReset", "pwdChangedTime", "nsAccountLock",
};
#define OPERATIONAL_COUNT	(sizeof operational / sizeof operational[0])

static const char *const secrets[] = { "userPassword", "oathSecret", "pwdHistory", "sambaNTPassword" };

static bool
is_secret(const char *name)
{
	for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
		if (strncasecmp(name, secrets[i], strlen(secrets[i])) == 0)	/* with options too */
			return true;
	return false;
}

static int
take_attribute(const struct ldap_directory *l, struct entry *e, const char *theirs, struct berval **values)
{
	const char *name = attribute_map_ours(&l->map, theirs);
	bool secret = is_secret(theirs) || (name != NULL && is_secret(name));
	int r = 0;

	for (size_t i = 0; values[i] != NULL; i++) {
		if (secret)
			explicit_bzero(values[i]->bv_val, values[i]->bv_len);
		else if (name != NULL && r == 0)
			r = entry_add_value(e, name, values[i]->bv_val, values[i]->bv_len);
	}
	return r;
}

static int
take_attributes(const struct ldap_directory *l, LDAPMessage *message, struct entry *e)
{
	struct berval **values;
	BerElement *at = NULL;
	char *name;
	int r = 0;

	for (name = ldap_first_attribute(l->ld, message, &at); name != NULL && r == 0;
	    name = ldap_next_attribute(l->ld, message, at)) {
		values = ldap_get_values_len(l->ld, message, name);
		if (values != NULL)
			r = take_attribute(l, e, name, values);
		ldap_value_free_len(values);
		ldap_memfree(name);
	}
	ldap_memfree(name);	/* left over by an error */
	ber_free(at, 0);
	return r;
}

static int
take_entry(const struct ldap_directory *l, LDAPMessage *message, struct entries *ret)
{
	char *dn = ldap_get_dn(l->ld, message);
	struct entry *e = dn != NULL ? entry_new(dn) : NULL;
	int r = e != NULL ? 0 : -ENOMEM;

	ldap_memfree(dn);
	if (r == 0)
		r = take_attributes(l, message, e);
	if (r == 0)
		r = entries_add(ret, e);	/* now owned by *ret */
	if (r < 0)
		entry_free(e);
	return r == -EEXIST ? 0 : r;
}

/* All entries of one page; a reference to another server means that something is missing here (LD05a). */
static int
take_page(const struct ldap_directory *l, LDAPMessage *page, struct entries *ret, char *error, size_t size)
{
	LDAPMessage *m;
	int r = 0;

	for (m = ldap_first_message(l->ld, page); m != NULL && r == 0; m = ldap_next_message(l->ld, m)) {
		if (ldap_msgtype(m) == LDAP_RES_SEARCH_ENTRY)
			r = take_entry(l, m, ret);
		else if (ldap_msgtype(m) == LDAP_RES_SEARCH_REFERENCE) {
			(void)snprintf(error, size, "%s: a part of %.255s lies on another server (referral), which is never followed; "
			    "name a server that has all of it", l->uri, l->settings->directory_base);
			return -EPROTO;
		}
	}
	return r;
}

static int
explain(const struct ldap_directory *l, const char *dn, int code, char *error, size_t size)
{
	char who[256], *more = NULL;
	const char *cure = "";

	(void)ldap_get_option(l->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &more);
	(void)directory_ldap_whoami(l, who, sizeof who);
	if (code == LDAP_SIZELIMIT_EXCEEDED || code == LDAP_ADMINLIMIT_EXCEEDED || code == LDAP_TIMELIMIT_EXCEEDED)
		cure = "; the server limits what may be read: give operators size and time without limit (acl-sample.ldif)";
	else if (code == LDAP_NO_SUCH_OBJECT)
		cure = "; is [directory] base right, and may it be read?";
	(void)snprintf(error, size, "%s: reading %.255s as %s: %s%s%.200s%s", l->uri, dn, who, ldap_err2string(code),
	    more != NULL && more[0] != '\0' ? ": " : "", more != NULL ? more : "", cure);
	ldap_memfree(more);
	return ldap_handle_error(code);
}

/* The cookie of the next page out of a result's controls; empty after the last one. */
static int
next_page(const struct ldap_directory *l, LDAPMessage *page, struct berval *cookie)
{
	LDAPControl **controls = NULL, *control;
	int code = LDAP_OTHER, parsed;
	ber_int_t count = 0;

	ber_memfree(cookie->bv_val);
	*cookie = (struct berval){ 0 };
	parsed = ldap_parse_result(l->ld, page, &code, NULL, NULL, NULL, &controls, 0);
	if (parsed != LDAP_SUCCESS)
		return parsed;
	control = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL);
	if (code == LDAP_SUCCESS && control != NULL &&
	    ldap_parse_pageresponse_control(l->ld, control, &count, cookie) != LDAP_SUCCESS)
		code = LDAP_DECODING_ERROR;
	ldap_controls_free(controls);
	return code;
}

/* "*" and what it does not bring, by the names of the server; also every name of attribute-map. */
static void
list_attributes(const struct ldap_directory *l, const char **list)
{
	size_t n = 0;

	list[n++] = "*";
	for (size_t i = 0; i < OPERATIONAL_COUNT; i++)
		list[n++] = attribute_map_theirs(&l->map, operational[i]);
	for (size_t i = 0; i < l->map.count; i++)
		list[n++] = l->map.text + l->map.pairs[i].theirs;
	list[n] = NULL;
}

/* One page; *ret is freed by ldap_msgfree(). Returns a result code of LDAP. */
static int
fetch_page(const struct ldap_directory *l, const char *dn, int scope, const char *const *attributes,
    struct berval *cookie, LDAPMessage **ret)
{
	struct timeval timeout = { .tv_sec = l->timeout_sec };
	LDAPControl *controls[2] = { NULL, NULL };
	int code;

	code = ldap_create_page_control(l->ld, PAGE_ENTRIES, cookie->bv_val != NULL ? cookie : NULL, 0, &controls[0]);
	if (code == LDAP_SUCCESS)
		code = ldap_search_ext_s(l->ld, dn, scope, "(objectClass=*)", (char **)(uintptr_t)attributes, 0, controls, NULL,
		    &timeout, 0, ret);
	ldap_control_free(controls[0]);
	return code;
}

int
directory_ldap_read(struct ldap_directory *l, const char *dn, int scope, struct entries *ret, char *error, size_t size)
{
	const char *attributes[OPERATIONAL_COUNT + ATTRIBUTE_MAP_PAIRS_MAX + 2];
	struct berval cookie = { 0 };
	LDAPMessage *page;
	int code, r = 0;

	list_attributes(l, attributes);
	do {
		page = NULL;
		code = fetch_page(l, dn, scope, attributes, &cookie, &page);
		if (code == LDAP_SUCCESS)
			code = next_page(l, page, &cookie);
		if (code != LDAP_SUCCESS)
			r = explain(l, dn, code, error, size);
		else
			r = take_page(l, page, ret, error, size);
		(void)ldap_msgfree(page);
	} while (r == 0 && cookie.bv_len > 0);
	ber_memfree(cookie.bv_val);
	return r;
}

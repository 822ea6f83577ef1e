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

#include "common/ldap_entry.h"
#include "common/ldap_page.h"
#include "common/ldap_range.h"

#define PAGE_ENTRIES	500

/* What "*" does not bring; other operational attributes are none of our business. */
static const char *const operational[] = {
	"entryUUID", "entryCSN", "createTimestamp", "modifyTimestamp", "modifiersName", "pwdStartTime", "pwdEndTime",
	"pwdAccountLockedTime", "pwdAccountTmpLockoutEnd", "pwdReset", "pwdChangedTime", "nsAccountLock",
};
#define OPERATIONAL_COUNT	(sizeof operational / sizeof operational[0])

static const char *const secrets[] = { "userPassword", "oathSecret", "pwdHistory", "sambaNTPassword", NULL };

static int
take_entry(const struct ldap_directory *l, LDAPMessage *message, struct entries *ret)
{
	struct entry *e = NULL;
	int r = ldap_entry_take(l->ld, message, &l->map, secrets, &e);

	if (r == 0)
		r = ldap_range_complete(l->ld, &l->map, l->timeout_sec, e);
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

int
directory_ldap_read(struct ldap_directory *l, const char *dn, int scope, struct entries *ret, char *error, size_t size)
{
	const char *attributes[OPERATIONAL_COUNT + ATTRIBUTE_MAP_PAIRS_MAX + 2];
	const struct ldap_page_search search = {
		.base = dn, .scope = scope, .filter = "(objectClass=*)", .attributes = attributes, .page_entries = PAGE_ENTRIES,
		.timeout_sec = l->timeout_sec, .one_domain = l->map.schema.kind == SERVER_AD,
	};
	struct berval cookie = { 0 };
	LDAPMessage *page;
	int code, r;

	list_attributes(l, attributes);
	do {
		code = ldap_page_next(l->ld, &search, &cookie, &page);
		r = code == LDAP_SUCCESS ? take_page(l, page, ret, error, size) : explain(l, dn, code, error, size);
		(void)ldap_msgfree(page);
	} while (r == 0 && cookie.bv_len > 0);
	ber_memfree(cookie.bv_val);
	return r;
}

/*
 * ldap_page.h - a search page by page (RFC 2696), with nothing taken for the end that is none.
 */
#ifndef ISMS_LDAP_PAGE_H
#define ISMS_LDAP_PAGE_H

#include <ldap.h>
#include <stdbool.h>

/* What is searched for; all of it is borrowed. */
struct ldap_page_search {
	const char *base, *filter;
	int scope;
	const char *const *attributes;	/* as the server names them, NULL at the end */
	int page_entries;
	int timeout_sec;		/* of one page */
	bool one_domain;		/* of Active Directory: what lies below in other parts of the forest is no part of it */
};

/*
 * Read the next page. A server that knows no pages gives everything at once.
 *
 *  cookie  zeroed before the first page; bv_len is 0 after the last one. Free bv_val with ber_memfree()
 *  ret     freed by ldap_msgfree(), also on failure; NULL is possible then
 *
 * Returns a result code of LDAP; LDAP_DECODING_ERROR when it cannot be told whether there is another page.
 */
int ldap_page_next(LDAP *ld, const struct ldap_page_search *search, struct berval *cookie, LDAPMessage **ret);

#endif

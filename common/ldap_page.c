/*
 * ldap_page.c - see ldap_page.h. Directory process (on its threads) and isms-userctl.
 *
 * It must never call a part the whole: whoever is missing in a complete view is removed (THREATS 5.5).
 */
#include <config.h>

#include "common/ldap_page.h"

#include <stdint.h>
#include <sys/time.h>

/* The cookie of the page after this one out of its controls. */
static int
take_cookie(LDAP *ld, LDAPMessage *page, struct berval *cookie)
{
	LDAPControl **controls = NULL, *control;
	int code = LDAP_OTHER, parsed;
	ber_int_t count = 0;

	parsed = ldap_parse_result(ld, page, &code, NULL, NULL, NULL, &controls, 0);
	if (parsed != LDAP_SUCCESS)
		return parsed;
	control = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL);
	if (code == LDAP_SUCCESS && control != NULL &&
	    ldap_parse_pageresponse_control(ld, control, &count, cookie) != LDAP_SUCCESS)
		code = LDAP_DECODING_ERROR;
	ldap_controls_free(controls);
	return code;
}

int
ldap_page_next(LDAP *ld, const struct ldap_page_search *search, struct berval *cookie, LDAPMessage **ret)
{
	struct timeval timeout = { .tv_sec = search->timeout_sec };
	/* LDAP_SERVER_DOMAIN_SCOPE_OID (MS-ADTS 3.1.1.3.4.1.8); critical: else references come, which are a failure */
	LDAPControl domain = { .ldctl_oid = (char *)(uintptr_t)"1.2.840.113556.1.4.1339", .ldctl_iscritical = 1 };
	LDAPControl *controls[3] = { NULL, search->one_domain ? &domain : NULL, NULL };
	int code;

	*ret = NULL;
	code = ldap_create_page_control(ld, search->page_entries, cookie->bv_val != NULL ? cookie : NULL, 0, &controls[0]);
	if (code == LDAP_SUCCESS)
		code = ldap_search_ext_s(ld, search->base, search->scope, search->filter,
		    (char **)(uintptr_t)search->attributes, 0, controls, NULL, &timeout, LDAP_NO_LIMIT, ret);
	ldap_control_free(controls[0]);
	ber_memfree(cookie->bv_val);
	*cookie = (struct berval){ 0 };
	return code == LDAP_SUCCESS ? take_cookie(ld, *ret, cookie) : code;
}

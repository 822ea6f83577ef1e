/*
 * ldap_servers.h - [directory] uri -> the servers to try, in order: named there, or by DNS for a domain.
 */
#ifndef ISMS_LDAP_SERVERS_H
#define ISMS_LDAP_SERVERS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/dns_srv.h"
#include "common/ldap_handle.h"
#include "common/settings.h"

#define LDAP_SERVERS_MAX	32

struct ldap_servers {
	char uris[LDAP_SERVERS_MAX * (LDAP_HANDLE_URI_MAX + 1)];	/* for ldap_handle_uri(); never a domain's */
	unsigned count;
	uint32_t ttl_sec;		/* after which to ask again; 0: DNS was not asked */
	char fault[512];		/* what DNS did not say, or what of it was refused; "" for nothing */
};

/* Whether [directory] uri leaves it to DNS which servers there are. */
bool ldap_servers_by_dns(const struct settings *settings);

/*
 * Add the servers that DNS has named for one domain of uri; for ldap_servers_find() and the tests.
 *
 *  uri   e.g. "ldaps+srv://example.com"
 *  list  in the order of dns_srv_order()
 *  last  as below
 */
void ldap_servers_add(const struct settings *settings, const char *uri, struct dns_srv_list *list, const char *last,
    struct ldap_servers *ret);

/*
 * Find them. With a domain in uri it asks DNS, and may block for ten seconds for each.
 *
 *  last   a server that was good before: first among those of its priority; "" for none
 *
 * Returns 0; -EHOSTUNREACH with the fault when there is none.
 */
int ldap_servers_find(const struct settings *settings, const char *last, struct ldap_servers *ret);

/* Where a server is among them; 0 when it is not. */
unsigned ldap_servers_place(const struct ldap_servers *servers, const char *server);

#endif

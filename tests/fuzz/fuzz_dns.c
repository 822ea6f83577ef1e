/*
 * fuzz_dns.c - answers of a hostile name server. No server comes of them but hosts of the domain, or listed ones.
 *
 * dns_ask.c hands bytes of the resolver over, and takes none of them apart. covers: common/dns_srv.c
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "common/ldap_servers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t
next(void *arg)
{
	uint32_t *state = arg;

	return *state = *state * 1664525 + 1013904223;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct settings settings;
	static struct ldap_servers servers;
	static struct dns_srv_list list;
	char uri[LDAP_HANDLE_URI_MAX + 1];
	uint32_t state = size > 1 ? (uint32_t)data[1] << 24 : 0;
	unsigned n;

	if (settings.directory_srv_targets[0] == '\0') {
		settings_defaults(&settings);
		strcpy(settings.directory_srv_targets, "listed.net .listed.org");
	}
	if (dns_srv_decode(data, size, &list) < 0 && list.count > 0)
		abort();
	if (list.count > DNS_SRV_MAX)
		abort();
	dns_srv_order(&list, next, &state);
	for (n = 1; n < list.count; n++) {
		if (list.record[n - 1].priority > list.record[n].priority)
			abort();
	}
	servers = (struct ldap_servers){ .count = 0 };
	ldap_servers_add(&settings, "ldaps+srv://example.com", &list, "ldaps://ldap1.example.com", &servers);
	for (n = 0; ldap_handle_uri(servers.uris, n, uri); n++) {
		char *host = uri + strlen("ldaps://");

		if (ldap_is_ldap_url(uri) == 0)
			abort();
		host[strcspn(host, ":")] = '\0';
		if (!dns_srv_is_below(host, "example.com") && strcmp(host, "listed.net") != 0 &&
		    !dns_srv_is_below(host, "listed.org"))
			abort();
	}
	return n == servers.count ? 0 : (abort(), 0);
}

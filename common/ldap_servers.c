/*
 * ldap_servers.c - [directory] uri -> the servers to try, in order (see ldap_servers.h).
 *
 * Directory process and isms-userctl. A domain (ldaps+srv://, ldap+srv://) is asked of DNS, which is not trusted: a
 * server must prove by its certificate the name that DNS gave for it, so root must have listed that name (THREATS 5.4).
 * It must never follow DNS anywhere else, also not within the domain: any host with a certificate of one of the
 * authorities, such as each member of it, could then be the directory.
 */
#include <config.h>

#include "common/ldap_servers.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#define TTL_MIN_SEC	60
#define TTL_MAX_SEC	86400

static const struct kind {
	const char *scheme, *service, *server;
	unsigned port;			/* that goes without saying */
} kinds[] = {
	{ "ldaps+srv://", "_ldaps._tcp.", "ldaps://", 636 },
	{ "ldap+srv://", "_ldap._tcp.", "ldap://", 389 },
};

static const struct kind *
kind_of(const char *uri)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strncasecmp(uri, kinds[i].scheme, strlen(kinds[i].scheme)) == 0)
			return &kinds[i];
	}
	return NULL;
}

bool
ldap_servers_by_dns(const struct settings *settings)
{
	char uri[LDAP_HANDLE_URI_MAX + 1];

	for (unsigned n = 0; ldap_handle_uri(settings->directory_uri, n, uri); n++) {
		if (kind_of(uri) != NULL)
			return true;
	}
	return false;
}

static uint32_t
chance(void *arg)
{
	uint32_t bits;

	(void)arg;
	return getrandom(&bits, sizeof bits, GRND_NONBLOCK) == (ssize_t)sizeof bits ? bits : UINT32_MAX / 2;
}

/* [directory] srv-targets: HOST is that host, .DOMAIN all below it. */
static bool
is_listed(const char *list, const char *host)
{
	char word[LDAP_HANDLE_URI_MAX + 1];

	if (strcmp(list, "none") == 0)
		return false;
	for (unsigned n = 0; ldap_handle_uri(list, n, word); n++) {
		if (word[0] == '.' ? dns_srv_is_below(host, word + 1) && strcasecmp(host, word + 1) != 0 :
		    strcasecmp(host, word) == 0)
			return true;
	}
	return false;
}

static bool
has_server(const struct ldap_servers *all, const char *uri)
{
	char other[LDAP_HANDLE_URI_MAX + 1];

	for (unsigned n = 0; ldap_handle_uri(all->uris, n, other); n++) {
		if (strcmp(other, uri) == 0)
			return true;
	}
	return false;
}

/* One more, unless it is there already or there are enough. */
static void
add(struct ldap_servers *all, const char *uri)
{
	size_t used = strlen(all->uris);

	if (all->count == LDAP_SERVERS_MAX || has_server(all, uri))
		return;
	(void)snprintf(all->uris + used, sizeof all->uris - used, "%s%s", used > 0 ? " " : "", uri);
	all->count++;
}

/* As a uri; the port only where it is another one, as a person would write it. */
static void
format(const struct kind *kind, const struct dns_srv *r, char *buf, size_t size)
{
	if (r->port == kind->port)
		(void)snprintf(buf, size, "%s%.240s", kind->server, r->host);
	else
		(void)snprintf(buf, size, "%s%.240s:%u", kind->server, r->host, r->port);
}

/* Who was good before goes first among those of the same priority, which are as good as he. */
static void
prefer(const struct kind *kind, struct dns_srv_list *list, const char *last)
{
	char uri[LDAP_HANDLE_URI_MAX + 1];
	struct dns_srv found;

	for (unsigned i = 0; i < list->count; i++) {
		format(kind, &list->record[i], uri, sizeof uri);
		if (strcmp(uri, last) != 0)
			continue;
		found = list->record[i];
		for (; i > 0 && list->record[i - 1].priority == found.priority; i--)
			list->record[i] = list->record[i - 1];
		list->record[i] = found;
		return;
	}
}

void
ldap_servers_add(const struct settings *settings, const char *srv_uri, struct dns_srv_list *list, const char *last,
    struct ldap_servers *ret)
{
	const struct kind *kind = kind_of(srv_uri);
	uint32_t ttl_sec = list->ttl_sec < TTL_MIN_SEC ? TTL_MIN_SEC : list->ttl_sec;
	char uri[LDAP_HANDLE_URI_MAX + 1];

	if (ttl_sec > TTL_MAX_SEC)
		ttl_sec = TTL_MAX_SEC;
	prefer(kind, list, last);
	for (unsigned i = 0; i < list->count; i++) {
		const char *host = list->record[i].host;

		if (!is_listed(settings->directory_srv_targets, host)) {
			(void)snprintf(ret->fault, sizeof ret->fault, "DNS: %s%.100s names %.240s, which is not listed: refused; "
			    "if it is right, list it in [directory] srv-targets", kind->service, srv_uri + strlen(kind->scheme), host);
			continue;
		}
		format(kind, &list->record[i], uri, sizeof uri);
		add(ret, uri);
	}
	if (ret->ttl_sec == 0 || ttl_sec < ret->ttl_sec)
		ret->ttl_sec = ttl_sec;
}

static void
find_by_dns(const struct settings *settings, const char *uri, const char *last, struct ldap_servers *ret)
{
	const struct kind *kind = kind_of(uri);
	char name[LDAP_HANDLE_URI_MAX + 16];
	struct dns_srv_list list;
	int r;

	(void)snprintf(name, sizeof name, "%s%s", kind->service, uri + strlen(kind->scheme));
	r = dns_srv_ask(name, &list);
	if (r < 0)
		(void)snprintf(ret->fault, sizeof ret->fault, "DNS: %s: %s", name, r == -ENOENT ? "there are no such servers" :
		    r == -EBADMSG ? "an answer that cannot be understood" : "no answer");
	dns_srv_order(&list, chance, NULL);
	ldap_servers_add(settings, uri, &list, last, ret);
}

int
ldap_servers_find(const struct settings *settings, const char *last, struct ldap_servers *ret)
{
	char uri[LDAP_HANDLE_URI_MAX + 1];

	*ret = (struct ldap_servers){ .count = 0 };
	for (unsigned n = 0; ldap_handle_uri(settings->directory_uri, n, uri); n++) {
		if (kind_of(uri) == NULL)
			add(ret, uri);
		else
			find_by_dns(settings, uri, last, ret);
	}
	return ret->count > 0 ? 0 : -EHOSTUNREACH;
}

unsigned
ldap_servers_place(const struct ldap_servers *servers, const char *server)
{
	char uri[LDAP_HANDLE_URI_MAX + 1];

	for (unsigned n = 0; ldap_handle_uri(servers->uris, n, uri); n++) {
		if (strcmp(uri, server) == 0)
			return n;
	}
	return 0;
}

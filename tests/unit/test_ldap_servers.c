/*
 * test_ldap_servers.c - servers by DNS: answers taken apart, the order of RFC 2782, and which names are believed.
 */
#include <config.h>

#include "common/ldap_servers.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

/* ---- an answer, byte by byte ---- */

static uint8_t answer[65536];
static size_t size;
static struct dns_srv_list list;

static void
put16(unsigned n)
{
	answer[size++] = (uint8_t)(n >> 8);
	answer[size++] = (uint8_t)n;
}

/* "a.example.com": its labels and the root. */
static void
put_name(const char *name)
{
	while (*name != '\0') {
		size_t len = strcspn(name, ".");

		answer[size++] = (uint8_t)len;
		memcpy(answer + size, name, len);
		size += len;
		name += len + (name[len] == '.');
	}
	answer[size++] = 0;
}

/* Header and question; records follow. */
static void
begin(unsigned records)
{
	size = 0;
	put16(1);
	put16(0x8180);
	put16(1);
	put16(records);
	put16(0);
	put16(0);
	put_name("_ldaps._tcp.example.com");
	put16(ns_t_srv);
	put16(ns_c_in);
}

static void
put_head(unsigned type, unsigned ttl_sec, size_t len)
{
	put16(0xc00c);		/* the question's name */
	put16(type);
	put16(ns_c_in);
	put16(ttl_sec >> 16);
	put16(ttl_sec & 0xffff);
	put16((unsigned)len);
}

static void
put_srv(unsigned priority, unsigned weight, unsigned port, const char *host, unsigned ttl_sec)
{
	put_head(ns_t_srv, ttl_sec, 6 + (host[0] == '\0' ? 1 : strlen(host) + 2));
	put16(priority);
	put16(weight);
	put16(port);
	put_name(host);
}

START_TEST(an_answer)
{
	begin(4);
	put_head(ns_t_cname, 5, 2);
	put16(0xc00c);
	put_srv(20, 5, 636, "LDAP2.Example.com", 600);
	put_srv(10, 0, 3636, "ldap1.example.com", 300);
	put_head(ns_t_srv, 900, 8);		/* a compressed target, of old servers */
	put16(30), put16(1), put16(636), put16(0xc018);
	ck_assert_int_eq(dns_srv_decode(answer, size, &list), 0);
	ck_assert_uint_eq(list.count, 3);
	ck_assert_uint_eq(list.dropped, 0);
	ck_assert_uint_eq(list.ttl_sec, 300);	/* the CNAME's is not asked */
	ck_assert_str_eq(list.record[0].host, "ldap2.example.com");
	ck_assert_str_eq(list.record[2].host, "example.com");
	ck_assert(list.record[0].priority == 20 && list.record[0].weight == 5 && list.record[0].port == 636);
	ck_assert_uint_eq(list.record[1].port, 3636);
}
END_TEST

/* Names that are none, port 0, one record too long by a byte: dropped, beside one that is taken. */
START_TEST(odd_records)
{
	static const char *const hosts[] = { "a_b.example.com", "-a.example.com", "a/b.example.com", "a:b.example.com",
		"a@b.example.com", "a b.example.com", "a\x80.example.com", "%41.example.com", "*.example.com" };
	char name[256] = "";

	begin(ROWS(hosts) + 4);
	for (int i = 0; i < ROWS(hosts); i++)
		put_srv(1, 1, 636, hosts[i], 60);
	put_srv(1, 1, 0, "ldap1.example.com", 60);
	while (strlen(name) <= DNS_SRV_HOST_MAX)
		strcat(name, "abcdefghijk.");
	name[strlen(name) - 1] = '\0';
	put_srv(1, 1, 636, name, 60);
	put_srv(1, 1, 636, "ldap1.example.com", 60);
	put_srv(1, 1, 636, "ldap2.example.com", 60);
	answer[size - 19]++;		/* a label that runs beyond its record */
	ck_assert_int_eq(dns_srv_decode(answer, size, &list), 0);
	ck_assert_uint_eq(list.count, 1);
	ck_assert_uint_eq(list.dropped, ROWS(hosts) + 3);
	ck_assert_str_eq(list.record[0].host, "ldap1.example.com");
}
END_TEST

START_TEST(too_many_and_none)
{
	char host[32];

	begin(100);
	for (int i = 0; i < 100; i++) {
		(void)snprintf(host, sizeof host, "ldap%d.example.com", i);
		put_srv(1, 1, 636, host, 60);
	}
	ck_assert_int_eq(dns_srv_decode(answer, size, &list), 0);
	ck_assert_uint_eq(list.count, DNS_SRV_MAX);
	ck_assert_uint_eq(list.dropped, 100 - DNS_SRV_MAX);
	begin(0);
	ck_assert_int_eq(dns_srv_decode(answer, size, &list), -ENOENT);
	begin(2);
	put_srv(1, 1, 636, "ldap1.example.com", 60);
	put_srv(0, 0, 0, "", 60);		/* "decidedly not available" */
	ck_assert_int_eq(dns_srv_decode(answer, size, &list), -ENOENT);
	ck_assert_uint_eq(list.count, 0);
	begin(1);
	put_srv(1, 1, 0, "ldap1.example.com", 60);
	ck_assert_int_eq(dns_srv_decode(answer, size, &list), -EBADMSG);
}
END_TEST

/* Cut at every byte: never anything but none, or those before the cut. */
START_TEST(cut_answers)
{
	size_t whole;

	begin(2);
	put_srv(1, 1, 636, "ldap1.example.com", 60);
	put_srv(1, 1, 636, "ldap2.example.com", 60);
	whole = size;
	for (size_t n = 0; n < whole; n++) {
		uint8_t *copy = malloc(n > 0 ? n : 1);	/* an array of its own: a step beyond it is seen by sanitizers */

		memcpy(copy, answer, n);
		ck_assert_int_lt(dns_srv_decode(copy, n, &list), 0);
		ck_assert_uint_eq(list.count, 0);
		free(copy);
	}
	ck_assert_int_eq(dns_srv_decode(answer, whole, &list), 0);
}
END_TEST

/* ---- order ---- */

static uint64_t seed = 7;

static uint32_t
luck(void *arg)
{
	(void)arg;
	seed = seed * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)(seed >> 32);
}

static void
add(unsigned priority, unsigned weight, const char *host)
{
	struct dns_srv *r = &list.record[list.count++];

	*r = (struct dns_srv){ .priority = (uint16_t)priority, .weight = (uint16_t)weight, .port = 636 };
	(void)snprintf(r->host, sizeof r->host, "%s", host);
}

START_TEST(order_by_weight)
{
	unsigned first[4] = { 0 };

	for (int i = 0; i < 40000; i++) {
		bool seen[4] = { false };

		list.count = 0;
		add(20, 65535, "3");
		add(10, 3, "0");
		add(10, 0, "2");
		add(10, 1, "1");
		dns_srv_order(&list, luck, NULL);
		first[atoi(list.record[0].host)]++;
		ck_assert_str_eq(list.record[3].host, "3");	/* whatever its weight */
		for (int n = 0; n < 4; n++)
			seen[atoi(list.record[n].host)] = true;
		ck_assert(seen[0] && seen[1] && seen[2] && seen[3]);
	}
	/* A number of 0..4: 0 is the one of weight 0, 1 the one of weight 1, the rest the one of weight 3. */
	ck_assert(first[2] > 7600 && first[2] < 8400);
	ck_assert(first[1] > 7600 && first[1] < 8400);
	ck_assert(first[0] > 23500 && first[0] < 24500);
	ck_assert_uint_eq(first[3], 0);
	list.count = 0;
	dns_srv_order(&list, luck, NULL);
}
END_TEST

/* ---- names ---- */

START_TEST(below)
{
	static const struct { const char *host, *domain; bool below; } rows[] = {
		{ "ldap1.example.com", "example.com", true }, { "a.b.example.com", "example.com", true },
		{ "example.com", "example.com", true }, { "LDAP1.EXAMPLE.COM", "example.com", true },
		{ "ldap1.example.com", "Example.Com", true }, { "badexample.com", "example.com", false },
		{ "example.com.evil.org", "example.com", false }, { "com", "example.com", false }, { "x.com", "example.com", false },
		{ "", "example.com", false }, { "ldap1.example.com", "", false },
	};

	for (int i = 0; i < ROWS(rows); i++)
		ck_assert_msg(dns_srv_is_below(rows[i].host, rows[i].domain) == rows[i].below, "%s %s", rows[i].host, rows[i].domain);
}
END_TEST

static struct settings settings;
static struct ldap_servers servers;

static void
take(const char *srv_targets, const char *last)
{
	settings_defaults(&settings);
	(void)snprintf(settings.directory_srv_targets, sizeof settings.directory_srv_targets, "%s", srv_targets);
	servers = (struct ldap_servers){ .count = 0 };
	ldap_servers_add(&settings, "ldaps+srv://example.com", &list, last, &servers);
}

START_TEST(believed)
{
	list = (struct dns_srv_list){ .ttl_sec = 300 };
	add(1, 1, "ldap1.example.com");
	list.record[0].port = 3636;
	add(2, 1, "ldap.evil.org");
	add(3, 1, "none");
	add(4, 1, "ldap2.example.com");
	add(5, 1, "ldap2.example.com");
	take("none", "");				/* nobody: neither outside of the domain nor within */
	ck_assert_uint_eq(servers.count, 0);
	take("LDAP2.example.com", "");
	ck_assert_str_eq(servers.uris, "ldaps://ldap2.example.com");
	ck_assert_ptr_nonnull(strstr(servers.fault, "names none, which is not listed: refused"));
	take(".example.com", "");
	ck_assert_str_eq(servers.uris, "ldaps://ldap1.example.com:3636 ldaps://ldap2.example.com");
	ck_assert_uint_eq(servers.count, 2);
	ck_assert_uint_eq(servers.ttl_sec, 300);
	ck_assert_ptr_nonnull(strstr(servers.fault, "_ldaps._tcp.example.com names "));
	ck_assert_ptr_nonnull(strstr(servers.fault, "refused"));
	take("ldap.example.net ldap1.example.com none.org .evil.org", "");
	ck_assert_ptr_nonnull(strstr(servers.uris, "ldaps://ldap.evil.org"));
	take("ldap1.example.com ldap.evil.org none.", "");
	ck_assert_ptr_nonnull(strstr(servers.uris, "ldaps://ldap.evil.org"));
	take(".ldap.evil.org evil.org ldap2.example.com", "");	/* below it, and another host */
	ck_assert_uint_eq(servers.count, 1);
	list.ttl_sec = 0;
	take(".example.com", "");
	ck_assert_uint_eq(servers.ttl_sec, 60);
	list.ttl_sec = UINT32_MAX;
	take(".example.com", "");
	ck_assert_uint_eq(servers.ttl_sec, 86400);
}
END_TEST

/* Who was good before goes first among equals, and not before those of a better priority. */
START_TEST(last_good)
{
	list = (struct dns_srv_list){ .ttl_sec = 300 };
	add(1, 9, "a.example.com");
	add(1, 9, "b.example.com");
	add(2, 9, "c.example.com");
	add(2, 9, "d.example.com");
	take(".example.com", "ldaps://b.example.com");
	ck_assert_int_eq(strncmp(servers.uris, "ldaps://b.example.com ldaps://a.example.com ", 44), 0);
	take(".example.com", "ldaps://d.example.com");
	ck_assert_str_eq(servers.uris,
	    "ldaps://b.example.com ldaps://a.example.com ldaps://d.example.com ldaps://c.example.com");
	take(".example.com", "ldaps://e.example.com");
	ck_assert_uint_eq(servers.count, 4);
}
END_TEST

/* The longest names there are fit, and so do as many as there may be. */
START_TEST(fits)
{
	char host[DNS_SRV_HOST_MAX + 1], uri[LDAP_HANDLE_URI_MAX + 1];

	list = (struct dns_srv_list){ .ttl_sec = 300 };
	memset(host, 'a', sizeof host);
	(void)snprintf(host + sizeof host - 13, 13, ".example.com");
	for (int i = 0; i < DNS_SRV_MAX; i++) {
		host[0] = (char)('a' + i % 26);
		host[1] = (char)('a' + i / 26);
		add(1, 1, host);
		list.record[i].port = 65535;
	}
	take(".example.com", "");
	ck_assert_uint_eq(servers.count, LDAP_SERVERS_MAX);
	ck_assert(ldap_handle_uri(servers.uris, LDAP_SERVERS_MAX - 1, uri));
	ck_assert_ptr_nonnull(strstr(uri, ".example.com:65535"));
	ck_assert(!ldap_handle_uri(servers.uris, LDAP_SERVERS_MAX, uri));
}
END_TEST

/* What uri names itself is taken as it stands, and DNS is not asked. */
START_TEST(named_by_uri)
{
	settings_defaults(&settings);
	(void)snprintf(settings.directory_uri, sizeof settings.directory_uri,
	    "ldaps://b  ldapi://%%2frun ldaps://a ldaps://b");
	ck_assert(!ldap_servers_by_dns(&settings));
	ck_assert_int_eq(ldap_servers_find(&settings, "ldaps://a", &servers), 0);
	ck_assert_str_eq(servers.uris, "ldaps://b ldapi://%2frun ldaps://a");
	ck_assert_uint_eq(servers.ttl_sec, 0);
	ck_assert_uint_eq(ldap_servers_place(&servers, "ldaps://a"), 2);
	ck_assert_uint_eq(ldap_servers_place(&servers, "ldaps://c"), 0);
	(void)snprintf(settings.directory_uri, sizeof settings.directory_uri, "ldaps://b ldap+srv://example.com");
	ck_assert(ldap_servers_by_dns(&settings));
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ an_answer, 0 }, { odd_records, 0 }, { too_many_and_none, 0 }, { cut_answers, 0 }, { order_by_weight, 0 },
		{ below, 0 }, { believed, 0 }, { last_good, 0 }, { fits, 0 }, { named_by_uri, 0 },
	};

	return suite_run("ldap servers", rows, ROWS(rows), 60);
}

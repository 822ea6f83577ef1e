/*
 * test_ldap_names.c - values in filters and DNs (LD06a), and names of attributes between two schemas.
 */
#include <config.h>

#include "common/attribute_map.h"
#include "common/ldap_escape.h"

#include <errno.h>
#include <ldap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

static const struct { const char *bytes; size_t len; const char *filter; } values[] = {
#define VALUE(text, filter) { text, sizeof(text) - 1, filter }
	VALUE("ada", "ada"),
	VALUE("", ""),
	VALUE("a)(uid=*", "a\\29\\28uid=\\2a"),
	VALUE("*)(uid=*", "\\2a\\29\\28uid=\\2a"),
	VALUE("a\\2a", "a\\5c2a"),
	VALUE("a\0b", "a\\00b"),
	VALUE("\0", "\\00"),
	VALUE("\303\244da", "\\c3\\a4da"),
	VALUE("\377\200", "\\ff\\80"),
	VALUE(" a ", " a "),
	VALUE("#a", "#a"),
	VALUE("a,b+c=d;e\"f<g>", "a,b+c=d;e\"f<g>"),
	VALUE("a\nb\x7f", "a\\0ab\\7f"),
	VALUE("20261125224905.000000Z#000000#000#000000", "20261125224905.000000Z#000000#000#000000"),
};

START_TEST(filter_holds_one_value)
{
	char *escaped = ldap_escape_filter(values[_i].bytes, values[_i].len);
	char *filter = ldap_escape_equality("uid", values[_i].bytes, values[_i].len);
	char back[64];
	size_t len = 0;

	ck_assert_str_eq(escaped, values[_i].filter);
	ck_assert_int_eq(strncmp(filter, "(uid=", 5), 0);
	ck_assert_str_eq(filter + strlen(filter) - 1, ")");
	ck_assert_int_eq(strncmp(filter + 5, escaped, strlen(escaped)), 0);
	ck_assert_uint_eq(strlen(filter), strlen(escaped) + 6);
	for (const char *p = escaped; *p != '\0'; p++) {	/* what a reader of RFC 4515 makes of it */
		unsigned byte = (unsigned char)*p;

		ck_assert_ptr_null(strchr("()*", *p));
		if (*p == '\\') {
			ck_assert_int_eq(sscanf(p + 1, "%2x", &byte), 1);
			p += 2;
		}
		back[len++] = (char)byte;
	}
	ck_assert_uint_eq(len, values[_i].len);
	ck_assert_mem_eq(back, values[_i].bytes, len);
	free(escaped);
	free(filter);
}
END_TEST

/* libldap's own parser must find one RDN of one value, which is the one that went in. */
START_TEST(rdn_holds_one_value)
{
	char *escaped = ldap_escape_rdn(values[_i].bytes, values[_i].len);
	LDAPDN parsed = NULL;
	char dn[128];

	(void)snprintf(dn, sizeof dn, "cn=%s,ou=people", escaped);
	free(escaped);
	if (values[_i].bytes[0] == '\377')	/* no UTF-8, which no DN can hold: libldap says so, as a server would */
		return;
	ck_assert_msg(ldap_str2dn(dn, &parsed, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS, "%s", dn);
	ck_assert_ptr_nonnull(parsed[0]);
	ck_assert_ptr_nonnull(parsed[1]);
	ck_assert_ptr_null(parsed[2]);
	ck_assert_ptr_null(parsed[0][1]);
	ck_assert_uint_eq(parsed[0][0]->la_value.bv_len, values[_i].len);
	if (values[_i].len > 0)
		ck_assert_mem_eq(parsed[0][0]->la_value.bv_val, values[_i].bytes, values[_i].len);
	ldap_dnfree(parsed);
}
END_TEST

START_TEST(dn_of_a_child)
{
	char dn[40];

	ck_assert_int_eq(ldap_escape_dn(dn, sizeof dn, "uid", "ada", "ou=people", "dc=x"), 0);
	ck_assert_str_eq(dn, "uid=ada,ou=people,dc=x");
	ck_assert_int_eq(ldap_escape_dn(dn, sizeof dn, "cn", "a,ou=b", NULL, "dc=x"), 0);
	ck_assert_str_eq(dn, "cn=a\\,ou\\=b,dc=x");
	ck_assert_int_eq(ldap_escape_dn(dn, sizeof dn, "dc", "x", NULL, ""), 0);
	ck_assert_str_eq(dn, "dc=x");
	ck_assert_int_eq(ldap_escape_dn(dn, sizeof dn, "uid", "ada", "ou=people", "dc=example,dc=example,dc=com"), -ENAMETOOLONG);
	ck_assert_str_eq(dn, "");
	ck_assert_int_eq(ldap_escape_dn(dn, sizeof dn, "uid", "ada", "ou=people", "dc=example,dc=example,dc=x"), -ENAMETOOLONG);
	ck_assert_int_eq(ldap_escape_dn(dn, sizeof dn, "uid", "ada", "ou=people", "dc=example,dc=example"), 0);
}
END_TEST

START_TEST(no_map)
{
	struct attribute_map map;
	char fault[256];

	ck_assert_int_eq(attribute_map_init(&map, "none", fault, sizeof fault), 0);
	ck_assert_str_eq(attribute_map_ours(&map, "uid"), "uid");
	ck_assert_str_eq(attribute_map_theirs(&map, "uid"), "uid");
}
END_TEST

START_TEST(mapped_names)
{
	struct attribute_map map;
	char fault[256];

	ck_assert_int_eq(attribute_map_init(&map, " uid=sAMAccountName \t ismsNotAfter=accountEnd ", fault, sizeof fault), 0);
	ck_assert_str_eq(attribute_map_ours(&map, "samaccountname"), "uid");
	ck_assert_str_eq(attribute_map_ours(&map, "accountEnd"), "ismsNotAfter");
	ck_assert_ptr_null(attribute_map_ours(&map, "uid"));	/* the server's own uid is not what was asked for */
	ck_assert_ptr_null(attribute_map_ours(&map, "ISMSNOTAFTER"));
	ck_assert_str_eq(attribute_map_ours(&map, "cn"), "cn");
	ck_assert_str_eq(attribute_map_theirs(&map, "UID"), "sAMAccountName");
	ck_assert_str_eq(attribute_map_theirs(&map, "cn"), "cn");
}
END_TEST

START_TEST(exchanged_names)
{
	struct attribute_map map;
	char fault[256];

	ck_assert_int_eq(attribute_map_init(&map, "cn=displayName displayName=cn", fault, sizeof fault), 0);
	ck_assert_str_eq(attribute_map_ours(&map, "cn"), "displayName");
	ck_assert_str_eq(attribute_map_ours(&map, "displayName"), "cn");
}
END_TEST

static const char *const doubled[] = {
	"uid=a uid=b", "uid=a UID=b", "uid=a cn=a", "uid=a cn=A", "uid",
};

START_TEST(doubled_names_are_refused)
{
	struct attribute_map map;
	char fault[256] = "";

	ck_assert_int_eq(attribute_map_init(&map, doubled[_i], fault, sizeof fault), -EINVAL);
	ck_assert_ptr_nonnull(strstr(fault, "attribute-map"));
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ filter_holds_one_value, ROWS(values) },
		{ rdn_holds_one_value, ROWS(values) },
		{ dn_of_a_child, 0 },
		{ no_map, 0 },
		{ mapped_names, 0 },
		{ exchanged_names, 0 },
		{ doubled_names_are_refused, ROWS(doubled) },
	};

	return suite_run("ldap_names", rows, ROWS(rows), 20);
}

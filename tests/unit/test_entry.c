/*
 * test_entry.c - DNs in all their spellings, single values, edits.
 */
#include <config.h>

#include "common/entry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

static const struct { const char *dn, *normal; } dns[] = {
	{ "uid=ada,ou=people,dc=isms,dc=local", "uid=ada,ou=people,dc=isms,dc=local" },
	{ "UID = Ada , OU=People,DC=isms,  dc=local ", "uid=ada,ou=people,dc=isms,dc=local" },
	{ "cn=Lovelace\\, Ada,ou=people", "cn=lovelace\\2c ada,ou=people" },
	{ "cn=Lovelace\\2C Ada,ou=people", "cn=lovelace\\2c ada,ou=people" },
	{ "cn=\"Lovelace, Ada\",ou=people", NULL },
	{ "", "" },
	{ "   ", "" },
	{ "ada", NULL },
	{ "uid=,ou=people", NULL },
	{ "=ada,ou=people", NULL },
	{ "uid=ada,,ou=people", NULL },
	{ "uid=ada,", NULL },
	{ "uid=ada\\", NULL },
	{ "uid=ada\\zz", NULL },
};

START_TEST(dn_spellings)
{
	char *normal = entry_normalise_dn(dns[_i].dn);

	if (dns[_i].normal == NULL)
		ck_assert_ptr_null(normal);
	else
		ck_assert_pstr_eq(normal, dns[_i].normal);
	free(normal);
}
END_TEST

/* Whatever a person types as a name is one value of one RDN. */
static const char *const typed[] = {
	"ada", "a,b", "a=b", "a+b", " a ", "#a", "a\\b", "a\"b", "a<b>", "a;b", "a\nb", "x,ou=people", "\303\244da", "a#b",
};

START_TEST(escaped_rdn)
{
	char *escaped = entry_escape_rdn(typed[_i]);
	char dn[256];
	struct entry *e;
	const char *p;
	int commas = 0;

	ck_assert_ptr_nonnull(escaped);
	(void)snprintf(dn, sizeof dn, "cn=%s,ou=people", escaped);
	e = entry_new(dn);
	ck_assert_msg(e != NULL, "%s", dn);
	for (p = e->ndn; *p != '\0'; p++)
		if (*p == '\\' && p[1] != '\0')
			p++;
		else
			commas += *p == ',';
	ck_assert_msg(commas == 1, "%s", e->ndn);
	entry_free(e);
	free(escaped);
}
END_TEST

START_TEST(singles)
{
	struct entry *e = entry_new("uid=ada,dc=x");
	const char *value = NULL;
	char *big = calloc(1, ENTRY_VALUE_MAX + 2);

	ck_assert_int_eq(entry_single(e, "cn", &value), 0);
	ck_assert_int_eq(entry_add_value(e, "cn", "Ada", 3), 0);
	ck_assert_int_eq(entry_single(e, "CN", &value), 1);
	ck_assert_str_eq(value, "Ada");
	ck_assert_int_eq(entry_add_value(e, "cn", "Eve", 3), 0);
	ck_assert_int_eq(entry_single(e, "cn", &value), -EBADMSG);
	ck_assert_int_eq(entry_add_value(e, "sn", "a\0b", 3), 0);
	ck_assert_int_eq(entry_single(e, "sn", &value), -EBADMSG);
	memset(big, 'x', ENTRY_VALUE_MAX + 1);
	ck_assert_int_eq(entry_add_value(e, "description", big, ENTRY_VALUE_MAX + 1), 0);
	ck_assert_int_eq(entry_single(e, "description", &value), -EBADMSG);
	free(big);
	entry_free(e);
}
END_TEST

/* An attribute with options is another attribute. */
START_TEST(rp10a_attribute_options)
{
	struct entry *e = entry_new("uid=ada,dc=x");
	const char *value = NULL;

	ck_assert_int_eq(entry_add_value(e, "uid;lang-en", "eve", 3), 0);
	ck_assert_int_eq(entry_single(e, "uid", &value), 0);
	ck_assert_ptr_null(entry_value(e, "uid"));
	ck_assert_int_eq(entry_add_value(e, "uid", "ada", 3), 0);
	ck_assert_int_eq(entry_single(e, "uid", &value), 1);
	ck_assert_str_eq(value, "ada");
	entry_free(e);
}
END_TEST

START_TEST(edits)
{
	struct entry *e = entry_new("cn=ops,dc=x");
	const struct attribute *a;
	char name[16];

	for (int i = 0; i < 7; i++) {
		(void)snprintf(name, sizeof name, "user%d", i);
		ck_assert_int_eq(entry_add_value(e, "memberUid", name, strlen(name)), 0);
	}
	ck_assert_int_eq(entry_remove_value(e, "memberUid", "user2"), 0);
	ck_assert_int_eq(entry_remove_value(e, "memberUid", "user9"), 0);
	ck_assert_int_eq(entry_remove_value(e, "nothing", "user9"), 0);
	for (int i = 7; i < 20; i++) {
		(void)snprintf(name, sizeof name, "user%d", i);
		ck_assert_int_eq(entry_add_value(e, "memberUid", name, strlen(name)), 0);
	}
	a = entry_attribute(e, "memberuid");
	ck_assert_uint_eq(a->count, 19);
	ck_assert_str_eq(a->values[2].bytes, "user3");
	ck_assert(!entry_has_value(e, "memberUid", "USER3"));
	ck_assert_int_eq(entry_set(e, "memberUid", "only"), 0);
	ck_assert_uint_eq(entry_attribute(e, "memberUid")->count, 1);
	ck_assert_int_eq(entry_set(e, "memberUid", NULL), 0);
	ck_assert_ptr_null(entry_attribute(e, "memberUid"));
	ck_assert_int_eq(entry_set(e, "member", "uid=ada,dc=x"), 0);
	ck_assert(entry_has_value(e, "member", "UID=Ada, DC=x"));
	ck_assert_int_eq(entry_remove_value(e, "member", "UID=Ada, DC=x"), 0);
	ck_assert_uint_eq(e->count, 0);
	ck_assert_int_eq(entry_set(e, "objectClass", "posixGroup"), 0);
	ck_assert(entry_has_class(e, "POSIXGROUP"));
	entry_free(e);
}
END_TEST

START_TEST(lists)
{
	struct entries all = { 0 };
	struct entry *twin;
	char dn[32];

	for (int i = 0; i < 1000; i++) {
		(void)snprintf(dn, sizeof dn, "uid=u%d,dc=x", i);
		ck_assert_int_eq(entries_add(&all, entry_new(dn)), 0);
	}
	twin = entry_new("UID=u7, dc=X");
	ck_assert_int_eq(entries_add(&all, twin), -EEXIST);
	entry_free(twin);
	ck_assert_str_eq(entries_find(&all, "uid=U999,dc=x")->dn, "uid=u999,dc=x");
	ck_assert(entries_remove(&all, "uid=u0,dc=x"));
	ck_assert(!entries_remove(&all, "uid=u0,dc=x"));
	ck_assert_ptr_null(entries_find(&all, "uid=u0,dc=x"));
	ck_assert_ptr_null(entries_find(&all, "no dn"));
	ck_assert_uint_eq(all.count, 999);
	ck_assert_str_eq(all.list[0]->dn, "uid=u1,dc=x");
	entries_done(&all);
	ck_assert_ptr_null(entries_find(&all, "uid=u1,dc=x"));
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ dn_spellings, ROWS(dns) },
		{ escaped_rdn, ROWS(typed) },
		{ singles, 0 },
		{ rp10a_attribute_options, 0 },
		{ edits, 0 },
		{ lists, 0 },
	};

	return suite_run("entry", rows, ROWS(rows), 30);
}

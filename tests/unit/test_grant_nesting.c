/*
 * test_grant_nesting.c - what groups within groups make of a grant's limit (common/grant_nesting.c).
 */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "common/grant.h"
#include "tests/unit/suite.h"

#define BASE	"dc=x"
#define WEB	"cn=web,ou=groups," BASE
#define START	1800000000LL		/* 2027-01-15T08:00:00Z */

static struct settings settings;
static struct entries all;
static struct entry *granted;		/* ada in web from 08:01 to 08:05, by bob */

static struct entry *
make(const char *dn, const char *const *pairs)
{
	struct entry *e = entry_new(dn);

	ck_assert_ptr_nonnull(e);
	for (size_t i = 0; pairs[i] != NULL; i += 2)
		ck_assert_int_eq(entry_add_value(e, pairs[i], pairs[i + 1], strlen(pairs[i + 1])), 0);
	return e;
}

static struct entry *
add(const char *dn, const char *const *pairs)
{
	struct entry *e = make(dn, pairs);

	ck_assert_int_eq(entries_add(&all, e), 0);
	return e;
}

static void
add_user(const char *name, const char *number)
{
	char dn[64];

	(void)snprintf(dn, sizeof dn, "uid=%s,ou=people," BASE, name);
	(void)add(dn, (const char *const[]){ "objectClass", "posixAccount", "uid", name, "uidNumber", number, "gidNumber",
	    "3000", "homeDirectory", "/home/x", "employeeType", "employee", NULL });
}

static void
setup(void)
{
	settings_defaults(&settings);
	(void)snprintf(settings.directory_base, sizeof settings.directory_base, BASE);
	(void)snprintf(settings.directory_max_grant, sizeof settings.directory_max_grant, "5m");
	all = (struct entries){ 0 };
	add_user("ada", "2001");
	add_user("bob", "2002");
	(void)add(WEB, (const char *const[]){ "objectClass", "posixGroup", "cn", "web", "gidNumber", "3001", NULL });
	granted = make("cn=g1,ou=grants," BASE, (const char *const[]){ "objectClass", "ismsGrant", "cn", "g1",
	    "ismsMember", "uid=ada,ou=people," BASE, "ismsGroup", WEB, "ismsApprover", "uid=bob,ou=people," BASE,
	    "ismsFrom", "20270115080100Z", "ismsUntil", "20270115080500Z", NULL });
}

static void
teardown(void)
{
	entries_done(&all);
	entry_free(granted);
}

/* fault receives "" when the grant is good. */
static void
judge(struct grant_window *ret, char fault[static GRANT_FAULT_SIZE])
{
	struct grant_nesting nesting = { 0 };
	struct grant g = { 0 };
	int r = grant_read(granted, &g, fault);

	ck_assert_int_eq(grant_nesting_add_all(&nesting, &all), 0);
	if (r == 0)
		r = grant_judge_among(&all, &g, &nesting, &settings, ret, fault);
	if (r == 0)
		fault[0] = '\0';
	grant_done(&g);
	grant_nesting_done(&nesting);
}

/* web is in the groups between it and top, in a ring with them. */
static void
nest(unsigned depth)
{
	char name[32], dn[64], member[64] = WEB;
	struct entry *e = NULL;

	for (unsigned i = 0; i < depth; i++) {
		if (i + 1 == depth)
			(void)snprintf(name, sizeof name, "top");
		else
			(void)snprintf(name, sizeof name, "g%u", i);
		(void)snprintf(dn, sizeof dn, "CN=%s, ou=groups," BASE, name);
		e = add(dn, (const char *const[]){ "objectClass", "groupOfNames", "cn", name, "member", member, NULL });
		(void)snprintf(member, sizeof member, "%s", dn);
	}
	ck_assert_int_eq(entry_add_value(entries_find(&all, WEB), "member", e->dn, strlen(e->dn)), 0);
}

static const struct {
	const char *max_grant;
	unsigned depth;
	const char *fault;		/* NULL: good, of 4 minutes */
} nestings[] = {
	{ "5m", 3, NULL },
	{ "5m top=4m", 3, NULL },
	{ "5m top=3m", 3, "the longest grant of this group is 3 minutes, since it is a member of top (" },
	{ "5m top=0s", 1, "the group takes no grants, since it is a member of top (" },
	{ "5m top=0s", 16, "the group takes no grants, since it is a member of top (" },
	{ "5m top=0s g1=1m", 3, "the group takes no grants, since it is a member of top (" },
	{ "5m web=0s top=1m", 3, "the group takes no grants (" },
	{ "0s web=5m top=5m g0=5m g1=5m", 3, NULL },
	{ "0s web=5m top=5m g0=5m", 3, "the group takes no grants, since it is a member of g1 (" },
	{ "5m other=0s", 3, NULL },
	{ "5m", GRANT_REACH_MAX - 1, NULL },
	{ "5m", GRANT_REACH_MAX, "the group takes no grants: it is a member of more than 255 groups" },
};

/* Whoever gets a group gets those that it is in: their limits are its own. */
START_TEST(by_nesting)
{
	char fault[GRANT_FAULT_SIZE];
	struct grant_window w;

	(void)snprintf(settings.directory_max_grant, sizeof settings.directory_max_grant, "%s", nestings[_i].max_grant);
	nest(nestings[_i].depth);
	judge(&w, fault);
	if (nestings[_i].fault == NULL)
		ck_assert_str_eq(fault, "");
	else
		ck_assert_msg(strncmp(fault, nestings[_i].fault, strlen(nestings[_i].fault)) == 0, "\"%s\"", fault);
	if (_i == 1) {			/* one that names no begin */
		ck_assert_int_eq(entry_set(granted, "ismsFrom", NULL), 0);
		judge(&w, fault);
		ck_assert_int_eq(w.from_utc_sec, START + 60);
	}
}
END_TEST

/* A group above that nobody can name limits like one that takes none; who is a member of no group, but called so, does not. */
START_TEST(nesting_is_strict)
{
	struct entry *top;
	char fault[GRANT_FAULT_SIZE];
	struct grant_window w;

	nest(1);
	top = entries_find(&all, "cn=top,ou=groups," BASE);
	ck_assert_int_eq(entry_add_value(top, "cn", "other", 5), 0);
	judge(&w, fault);
	ck_assert_ptr_nonnull(strstr(fault, "since it is a member of cn=top,ou=groups,dc=x ("));
	ck_assert_int_eq(entry_set(top, "objectClass", "device"), 0);
	judge(&w, fault);
	ck_assert_str_eq(fault, "");
	ck_assert_int_eq(entry_set(top, "objectClass", "groupOfMembers"), 0);
	ck_assert_int_eq(entry_set(top, "member", "cn=web\\2cou=groups," BASE), 0);
	judge(&w, fault);
	ck_assert_str_eq(fault, "");
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = { { by_nesting, ROWS(nestings) }, { nesting_is_strict, 1 } };

	return suite_run_between("grant nesting", rows, ROWS(rows), 10, setup, teardown);
}

/*
 * test_directory_grants.c - the real directory process: what a grant in a group within groups gives, who loses what at its
 * end, and which events tell of grants and exemptions.
 */
#include <config.h>

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/civil_date.h"
#include "common/ldif_store.h"
#include "tests/unit/directory_maker.h"
#include "tests/unit/suite.h"

#define PERSON(name)	"uid=" name ",ou=people," BASE
#define GROUP(name)	"cn=" name ",ou=groups," BASE
#define CAROL PERSON("carol")
#define DAN PERSON("dan")
#define EVE PERSON("eve")
#define FAY PERSON("fay")

static char ldif[256 * 1024];

static void __attribute__((format(printf, 1, 2)))
say(const char *format, ...)
{
	size_t used = strlen(ldif);
	va_list args;

	va_start(args, format);
	ck_assert_int_lt(vsnprintf(ldif + used, sizeof ldif - used, format, args), (int)(sizeof ldif - used));
	va_end(args);
}

static void
say_user(const char *name, unsigned uid, const char *more)
{
	say("dn: uid=%s,ou=people," BASE "\nobjectClass: posixAccount\nuid: %s\ncn: %s\nuidNumber: %u\ngidNumber: %u\n"
	    "homeDirectory: /home/%s\nemployeeType: employee\n%s\n", name, name, name, uid, uid, name, more);
}

/* gid 0: a group that only holds members of others. */
static void
say_group(const char *name, unsigned gid, const char *more)
{
	say("dn: cn=%s,ou=groups," BASE "\nobjectClass: groupOfMembers\ncn: %s\n", name, name);
	if (gid != 0)
		say("objectClass: posixGroup\ngidNumber: %u\n", gid);
	say("%s\n", more);
}

static const char *
at(int64_t in_sec, char buf[static 32])
{
	return civil_date_format_generalized((int64_t)time(NULL) + in_sec, buf);
}

/* Approved by carol, since a minute. */
static void
say_grant(const char *name, const char *member, const char *group, int64_t until_sec)
{
	char from[32], until[32];

	say("dn: cn=%s,ou=grants," BASE "\nobjectClass: ismsGrant\ncn: %s\nismsMember: %s\nismsGroup: %s\nismsApprover: " CAROL
	    "\nismsFrom: %s\nismsUntil: %s\nismsReason: test\n\n", name, name, member, group, at(-60, from),
	    at(until_sec, until));
}

static void
begin(const char *max_grant)
{
	char conf[256];

	setup();
	(void)snprintf(conf, sizeof conf, "[login]\ncontact = someone\n[directory]\nmax-grant = %s\n", max_grant);
	write_etc("isms.conf", conf);
	write_etc("policy.conf", "[role any]\nmatch = any\nallow-services = cron\nmfa = none\n[groups]\nprivileged = root-like\n");
	ldif[0] = '\0';
	say("dn: " BASE "\nobjectClass: domain\ndc: isms\n\n");
	say_user("carol", 2001, "");
	say_user("dan", 2002, "entryUUID: 11111111-2222-3333-4444-555555555555\n");
	say_user("eve", 2003, "");
	say_user("fay", 2004, "");
}

/* root-like has devs, and by way of nogid ops; web stands alone. */
static void
say_groups(void)
{
	say_group("root-like", 3001, "member: cn=Devs, ou=groups," BASE "\nmember: " GROUP("nogid") "\n");
	say_group("devs", 3002, "member: " CAROL "\n");
	say_group("nogid", 0, "member: " GROUP("ops") "\n");
	say_group("ops", 3003, "");
	say_group("web", 3004, "");
}

static void
start(void)
{
	make_directory();		/* for its modes */
	write_file(file, ldif);
	start_directory();
}

/* A user of the next roster that has him; in *ret. */
static const struct roster_user *
next_of(const char *name, struct roster **ret)
{
	const struct roster_user *u;

	for (;;) {
		*ret = next_roster();
		u = in_roster(*ret, name);
		if (u != NULL)
			return u;
		roster_free(*ret);
	}
}

/* Which groups a user has lost: gids, those that end his sessions before the "/". */
static void
ck_lost(const struct roster_user *u, const char *wanted)
{
	char got[128] = "";

	for (uint32_t i = 0; i <= u->lost_count; i++) {
		size_t used = strlen(got);

		if (i == u->lost_ending)
			used += (size_t)snprintf(got + used, sizeof got - used, "/ ");
		if (i < u->lost_count)
			(void)snprintf(got + used, sizeof got - used, "%u ", u->lost[i]);
	}
	ck_assert_msg(strcmp(got, wanted) == 0, "%s lost %s, not %s", u->name, got, wanted);
}

/* A change of another tool: an entry replaced (e) or removed (NULL). e is owned then. */
static void
put(const char *dn, struct entry *e)
{
	struct ldif_edit all;
	char error[256];

	ck_assert_msg(ldif_store_begin(file, PATIENCE_MS, &all, error, sizeof error) == 0, "%s", error);
	ck_assert(entries_remove(&all.entries, dn) || e != NULL);
	if (e != NULL)
		ck_assert_int_eq(entries_add(&all.entries, e), 0);
	ck_assert_int_eq(ldif_store_commit(&all), 0);
}

/* A copy of an entry under another DN. */
static struct entry *
copy_of(const char *dn, const char *as)
{
	struct entry *e = entry_new(as);
	struct ldif_edit all;
	char error[256];

	ck_assert_msg(ldif_store_begin(file, PATIENCE_MS, &all, error, sizeof error) == 0, "%s", error);
	ck_assert_int_eq(entry_add_all(e, entries_find(&all.entries, dn)), 0);
	ldif_store_abort(&all);
	return e;
}

/* ---- groups within groups ---- */

START_TEST(end_takes_what_nesting_gave)
{
	const struct roster_user *u;
	struct roster *r;

	begin("30d");
	say_groups();
	say_grant("g1", DAN, GROUP("devs"), 5);
	say_grant("g2", EVE, GROUP("ops"), 5);
	say_grant("g3", FAY, GROUP("web"), 5);
	start();
	r = next_roster();
	ck_assert(has_group(r, in_roster(r, "dan"), "root-like") && has_group(r, in_roster(r, "dan"), "devs"));
	ck_assert(has_group(r, in_roster(r, "eve"), "root-like") && has_group(r, in_roster(r, "eve"), "ops"));
	ck_assert(has_group(r, in_roster(r, "fay"), "web") && !has_group(r, in_roster(r, "fay"), "root-like"));
	ck_lost(in_roster(r, "dan"), "/ ");
	roster_free(r);
	u = next_of("dan", &r);		/* all of one moment */
	ck_assert(!has_group(r, u, "root-like"));
	ck_lost(u, "3001 / 3002 ");
	ck_lost(in_roster(r, "eve"), "3001 / 3003 ");
	ck_lost(in_roster(r, "fay"), "/ 3004 ");	/* its twin: a group in no other one */
	roster_free(r);
	teardown();
}
END_TEST

static const struct {
	const char *max_grant;
	int64_t until_sec;		/* its length is a minute more */
	bool devs, ops, web;		/* who counts */
} limits[] = {
	{ "30d", 3600, true, true, true },
	{ "30d root-like=0s", 3600, false, false, true },
	{ "30d root-like=2m", 3600, false, false, true },
	{ "30d root-like=2m", 60, true, true, true },
	{ "30d nogid=0s", 3600, true, false, true },
	{ "30d devs=0s", 3600, false, true, true },
	{ "0s devs=30d ops=30d web=30d", 3600, false, false, true },
	{ "0s devs=30d root-like=30d", 3600, true, false, false },
};

START_TEST(nesting_limits)
{
	struct roster *r;

	begin(limits[_i].max_grant);
	say_groups();
	say_grant("g1", DAN, GROUP("devs"), limits[_i].until_sec);
	say_grant("g2", EVE, GROUP("ops"), limits[_i].until_sec);
	say_grant("g3", FAY, GROUP("web"), limits[_i].until_sec);
	start();
	r = next_roster();
	ck_assert_int_eq(has_group(r, in_roster(r, "dan"), "devs"), limits[_i].devs);
	ck_assert_int_eq(has_group(r, in_roster(r, "dan"), "root-like"), limits[_i].devs);
	ck_assert_int_eq(has_group(r, in_roster(r, "eve"), "ops"), limits[_i].ops);
	ck_assert_int_eq(has_group(r, in_roster(r, "eve"), "root-like"), limits[_i].ops);
	ck_assert_int_eq(has_group(r, in_roster(r, "fay"), "web"), limits[_i].web);
	roster_free(r);
	teardown();
}
END_TEST

/* A group that comes into another one, or out of it, while somebody has it by a grant. */
START_TEST(nesting_changes_meanwhile)
{
	const struct roster_user *u;
	struct roster *r;
	bool counts;

	begin("30d root-like=0s");
	say_group("root-like", 3001, "");
	say_group("between", 0, "");
	say_group("devs", 3002, "");
	say_group("more", 3005, "member: " GROUP("web") "\n");
	say_group("web", 3004, "");
	say_grant("g1", DAN, GROUP("devs"), 3600);
	say_grant("g2", FAY, GROUP("web"), 3600);
	start();
	r = next_roster();
	ck_assert(has_group(r, in_roster(r, "dan"), "devs"));
	ck_assert(has_group(r, in_roster(r, "fay"), "more"));
	roster_free(r);
	edit(GROUP("between"), "member", GROUP("devs"));	/* which gives nothing yet, nor takes */
	edit(GROUP("root-like"), "member", GROUP("between"));
	do {
		u = next_of("dan", &r);
		if (has_group(r, u, "devs"))
			ck_assert(!has_group(r, u, "root-like"));
		else
			ck_lost(u, "/ 3002 ");
		counts = has_group(r, u, "devs");
		roster_free(r);
	} while (counts);
	edit(GROUP("root-like"), "member", NULL);
	u = next_of("dan", &r);
	ck_assert(has_group(r, u, "devs") && !has_group(r, u, "root-like"));	/* its twin */
	roster_free(r);
	edit(GROUP("more"), "member", NULL);
	u = next_of("fay", &r);
	ck_assert(has_group(r, u, "web") && !has_group(r, u, "more"));
	ck_lost(u, "/ 3005 ");
	roster_free(r);
	teardown();
}
END_TEST

/* Who lost something is known by his entry, not by where it stands. */
START_TEST(lost_although_moved)
{
	static const char moved[] = "uid=dan,ou=staff,ou=people," BASE;
	const struct roster_user *u;
	struct roster *r;

	begin("30d");
	say_groups();
	say_grant("g1", DAN, GROUP("devs"), 3600);
	start();
	u = next_of("dan", &r);
	ck_assert(has_group(r, u, "devs"));
	roster_free(r);
	put(DAN, copy_of(DAN, moved));
	u = next_of("dan", &r);
	ck_assert(!has_group(r, u, "devs"));
	ck_lost(u, "3001 / 3002 ");
	roster_free(r);
	teardown();
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = { { end_takes_what_nesting_gave, 0 }, { nesting_limits, ROWS(limits) },
		{ nesting_changes_meanwhile, 0 }, { lost_although_moved, 0 } };

	return suite_run("directory grants", rows, ROWS(rows), 180);
}

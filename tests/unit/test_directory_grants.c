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

/* ---- what is told ---- */

static char events[PATH_MAX];

/* The process's events stand in a file. */
static void
start_telling(void)
{
	int keep = dup(STDERR_FILENO), fd;

	(void)snprintf(events, sizeof events, "%s/events", root);
	fd = open(events, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
	ck_assert(keep >= 0 && fd >= 0 && dup2(fd, STDERR_FILENO) == STDERR_FILENO);
	ck_assert_int_eq(setenv("ISMS_TEST_VERBOSE", "1", 1), 0);	/* which lets it write there */
	start();
	ck_assert_int_eq(dup2(keep, STDERR_FILENO), STDERR_FILENO);
	(void)close(keep);
	(void)close(fd);
	roster_free(next_roster());
}

/* How many events have both texts. */
static unsigned
told(const char *text, const char *more)
{
	FILE *f = fopen(events, "re");
	char line[2048];
	unsigned count = 0;

	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof line, f) != NULL)
		count += strstr(line, text) != NULL && strstr(line, more) != NULL;
	(void)fclose(f);
	return count;
}

static void
await_told(const char *text, const char *more, unsigned wanted)
{
	for (int ms = 0; told(text, more) < wanted && ms < PATIENCE_MS; ms += 10)
		(void)usleep(10000);
	ck_assert_msg(told(text, more) == wanted, "%u of %u: %s %s", told(text, more), wanted, text, more);
}

/* Each kind has its own number of events in one moment, and what is beyond is counted: what is refused hides nothing. */
START_TEST(none_is_hidden)
{
	size_t without;
	char name[16];

	begin("30d");
	say_groups();
	without = strlen(ldif);
	start_telling();
	for (unsigned i = 0; i < 60; i++) {
		(void)snprintf(name, sizeof name, "a%u", i);	/* in any order with the good ones */
		say_grant(name, CAROL, GROUP("web"), 3600);
		(void)snprintf(name, sizeof name, "b%u", i);
		say_grant(name, DAN, GROUP("web"), 3600);
	}
	write_file(file, ldif);
	await_told("grant begun", "user=dan", 50);
	await_told("grant begun", "count=10", 1);
	await_told("directory entry refused", "approved it himself", 50);
	await_told("directory entry refused", "count=10", 1);
	ck_assert_uint_eq(told("grant begun", ""), 51);
	ldif[without] = '\0';
	for (unsigned i = 0; i < 50; i++) {	/* its twin: as many as are told */
		(void)snprintf(name, sizeof name, "c%u", i);
		say_grant(name, DAN, GROUP("ops"), 3600);
	}
	write_file(file, ldif);
	await_told("grant ended", "groups=web", 50);
	await_told("grant ended", "count=10", 1);
	await_told("grant begun", "groups=ops", 50);
	ck_assert_uint_eq(told("grant begun", "count="), 1);
	teardown();
}
END_TEST

static void
say_exemption(const char *name, const char *control, const char *until)
{
	say("dn: cn=%s,ou=exemptions," BASE "\nobjectClass: ismsExemption\ncn: %s\nismsControl: %s\nismsMember: " DAN
	    "\nismsApprover: " CAROL "\nismsUntil: %s\nismsReason: test\ncreateTimestamp: 20960601000000Z\n"
	    "modifiersName: cn=alice,ou=roles," BASE "\n\n", name, name, control, until);
}

/* Whoever adds one, by whatever tool: this host tells of it when it counts, not when it is used. */
START_TEST(exemptions_are_told)
{
	size_t without;
	char name[16];

	begin("30d");
	say_exemption("there", "mfa", "20970101000000Z");
	without = strlen(ldif);
	start_telling();
	say_exemption("bad", "everything", "20970101000000Z");
	say_exemption("fresh", "mfa", "20970101000000Z");
	write_file(file, ldif);
	await_told("exemption added", "user=dan exemption=fresh new=\"mfa until 2097-01-01T00:00:00Z approved by carol\"", 1);
	ck_assert_uint_eq(told("exemption added", "actor=\"cn=alice,ou=roles"), 1);
	edit("cn=fresh,ou=exemptions," BASE, "ismsReason", "another");	/* which lowers nothing more */
	edit("cn=fresh,ou=exemptions," BASE, "ismsUntil", "20960101000000Z");
	edit("cn=there,ou=exemptions," BASE, "ismsControl", "hours");	/* another control: as a new one */
	await_told("exemption added", "exemption=there new=\"hours", 1);
	edit("cn=fresh,ou=exemptions," BASE, "ismsUntil", "20970101000000Z");
	await_told("exemption added", "exemption=fresh", 2);
	edit("cn=bad,ou=exemptions," BASE, "ismsControl", "source");
	await_told("exemption added", "exemption=bad", 1);
	ck_assert_uint_eq(told("exemption added", ""), 4);
	ldif[without] = '\0';
	for (unsigned i = 0; i < 60; i++) {
		(void)snprintf(name, sizeof name, "many%u", i);
		say_exemption(name, "mfa", "20970101000000Z");
	}
	write_file(file, ldif);
	await_told("exemption added", "count=11", 1);	/* there is as it was, again */
	await_told("exemption added", "exemption=many", 49);
	teardown();
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = { { end_takes_what_nesting_gave, 0 }, { nesting_limits, ROWS(limits) },
		{ nesting_changes_meanwhile, 0 }, { lost_although_moved, 0 }, { none_is_hidden, 0 },
		{ exemptions_are_told, 0 } };

	return suite_run("directory grants", rows, ROWS(rows), 180);
}

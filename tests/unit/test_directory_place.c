/*
 * test_directory_place.c - the real directory process: what people without rights over accounts may write, requests,
 * grants, exemptions, reviews and tokens, is that and nothing else, whatever classes it claims (THREATS 5.10, 5.4).
 */
#include <config.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/civil_date.h"
#include "tests/unit/directory_maker.h"
#include "tests/unit/suite.h"

#define CAROL "uid=carol,ou=people," BASE
#define DAN "uid=dan,ou=people," BASE
#define PROD "cn=prod-root,ou=groups," BASE

static char ldif[16384];

static void __attribute__((format(printf, 1, 2)))
say(const char *format, ...)
{
	size_t used = strlen(ldif);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(ldif + used, sizeof ldif - used, format, args);
	va_end(args);
}

static void
say_user(const char *dn, const char *name, unsigned uid, unsigned gid, const char *more)
{
	say("dn: %s," BASE "\nobjectClass: inetOrgPerson\nobjectClass: posixAccount\nuid: %s\ncn: %s\nsn: x\n"
	    "uidNumber: %u\ngidNumber: %u\nhomeDirectory: /home/%s\nemployeeType: employee\n%s\n", dn, name, name, uid, gid, name,
	    more);
}

static void
say_grant(const char *dn, const char *member, const char *approver)
{
	char from[32], until[32];

	(void)civil_date_format_generalized((int64_t)time(NULL) - 60, from);
	(void)civil_date_format_generalized((int64_t)time(NULL) + 36000, until);
	say("dn: %s," BASE "\nobjectClass: ismsGrant\ncn: g\nismsMember: %s\nismsGroup: " PROD "\nismsApprover: %s\n"
	    "ismsFrom: %s\nismsUntil: %s\nismsReason: r\n\n", dn, member, approver, from, until);
}

static void
say_exemption(const char *dn, const char *name)
{
	say("dn: %s," BASE "\nobjectClass: ismsExemption\ncn: %s\nismsControl: mfa\nismsMember: " DAN "\nismsApprover: " CAROL
	    "\nismsUntil: 20991231000000Z\nismsReason: test\ncreateTimestamp: 20990101000000Z\n\n", dn, name);
}

/* carol in prod-root, dan in nothing. */
static void
begin(void)
{
	setup();
	write_etc("policy.conf", "[role any]\nmatch = any\nallow-services = cron\nmfa = none\n");
	ldif[0] = '\0';
	say("dn: " BASE "\nobjectClass: domain\ndc: isms\n\n");
	say_user("uid=carol,ou=people", "carol", 2001, 2001, "");
	say_user("uid=dan,ou=people", "dan", 2002, 2002, "");
	say("dn: " PROD "\nobjectClass: groupOfNames\nobjectClass: posixGroup\ncn: prod-root\ngidNumber: 3001\nmember: " CAROL "\n\n");
}

static struct roster *
start(void)
{
	make_directory();	/* for its modes */
	write_file(file, ldif);
	start_directory();
	return next_roster();
}

static const struct {
	const char *below;		/* the base; "" for none */
	bool grants, exempts, accounts;
} places[] = {
	{ "", false, false, true }, { ",ou=people", false, false, true }, { ",ou=elsewhere", false, false, true },
	{ ",ou=grants", true, false, false }, { ",ou=exemptions", false, true, false },
	{ ",ou=requests", false, false, false }, { ",ou=reviews", false, false, false }, { ",ou=tokens", false, false, false },
	{ ",OU=Requests", false, false, false }, { ",ou=r\\65quests", false, false, false },
	{ ",cn=g1,ou=grants", false, false, false }, { ",ou=grants,ou=requests", false, false, false },
	{ ",ou=grants,ou=people", false, false, true }, { ",cn=x1,ou=exemptions", false, false, false },
};

START_TEST(grants_and_exemptions_in_their_place)
{
	const char *below = places[_i].below;
	struct roster *r;
	char dn[128];

	begin();
	(void)snprintf(dn, sizeof dn, "cn=g%s", below);
	say_grant(dn, DAN, CAROL);
	(void)snprintf(dn, sizeof dn, "cn=x%s", below);
	say_exemption(dn, "x");
	r = start();
	ck_assert(has_group(r, in_roster(r, "carol"), "prod-root"));
	ck_assert(has_group(r, in_roster(r, "dan"), "prod-root") == places[_i].grants);
	ck_assert((strstr(get_facts("dan")->exemptions, "x mfa") != NULL) == places[_i].exempts);
	ck_assert(status_has("ismsGrant counts directly below ou=grants of the base alone") == !places[_i].grants);
	ck_assert(status_has("ismsExemption counts directly below ou=exemptions of the base alone") == !places[_i].exempts);
	roster_free(r);
	teardown();
}
END_TEST

START_TEST(accounts_and_groups_elsewhere)
{
	const char *below = places[_i].below;
	struct roster *r;
	char dn[128];

	begin();
	(void)snprintf(dn, sizeof dn, "uid=mallory%s", below);
	say_user(dn, "mallory", 4242, 3001, "");
	say("dn: cn=made%s," BASE "\nobjectClass: groupOfNames\nobjectClass: posixGroup\ncn: made\ngidNumber: 3002\nmember: " DAN
	    "\n\n", below);
	say("dn: cn=outer," BASE "\nobjectClass: groupOfNames\nobjectClass: posixGroup\ncn: outer\ngidNumber: 3003\nmember: cn=made%s,"
	    BASE "\n\n", below);
	say_grant("cn=by-mallory,ou=grants", DAN, "uid=carol,ou=requests," BASE);
	r = start();
	ck_assert((in_roster(r, "mallory") != NULL) == places[_i].accounts);
	ck_assert_uint_eq(get_facts("mallory")->state, places[_i].accounts ? FACTS_MANAGED : FACTS_UNKNOWN);
	ck_assert(has_group(r, in_roster(r, "dan"), "made") == places[_i].accounts);
	ck_assert(has_group(r, in_roster(r, "dan"), "outer") == places[_i].accounts);	/* as a group within one */
	ck_assert(status_has("posixAccount counts nowhere below") == !places[_i].accounts);
	ck_assert(status_has("posixGroup counts nowhere below") == !places[_i].accounts);
	roster_free(r);
	teardown();
}
END_TEST

/* Whoever stands there is no approver, no member and no owner either, and takes nobody's name. */
START_TEST(nobody_by_another_place)
{
	struct roster *r;

	begin();
	say_user("uid=eve,ou=people", "eve", 2003, 2003, "");
	say_user("uid=false,ou=requests", "false", 4242, 4242, "");
	say_user("uid=dan,ou=requests", "dan", 2002, 2002, "ismsNotAfter: 20200101000000Z\n");
	say_user("uid=robot,ou=people", "robot", 2004, 2004, "owner: uid=false,ou=requests," BASE "\n");
	say_user("uid=drone,ou=people", "drone", 2005, 2005, "owner: " CAROL "\n");
	say_grant("cn=g1,ou=grants", DAN, "uid=false,ou=requests," BASE);
	say_grant("cn=g2,ou=grants", "uid=eve,ou=people," BASE, CAROL);
	say_grant("cn=g3,ou=grants", "uid=false,ou=requests," BASE, CAROL);
	say("dn: cn=x,ou=exemptions," BASE "\nobjectClass: ismsExemption\ncn: x\nismsControl: mfa\nismsMember: " DAN
	    "\nismsApprover: uid=false,ou=requests," BASE "\nismsFrom: 20980601000000Z\nismsUntil: 20990101000000Z\nismsReason: test\n\n");
	say_exemption("cn=y,ou=exemptions", "y");
	r = start();
	ck_assert(!has_group(r, in_roster(r, "dan"), "prod-root"));
	ck_assert(has_group(r, in_roster(r, "eve"), "prod-root"));
	ck_assert_ptr_null(in_roster(r, "false"));
	ck_assert_uint_eq(get_facts("robot")->owner_state, CARE_MISSING);
	ck_assert_uint_eq(get_facts("drone")->owner_state, CARE_VALID);
	ck_assert_uint_eq(get_facts("dan")->state, FACTS_MANAGED);
	ck_assert_int_eq(facts.not_after_utc_sec, 0);
	ck_assert_ptr_null(strstr(facts.exemptions, "x mfa"));
	ck_assert_ptr_nonnull(strstr(facts.exemptions, "y mfa"));
	ck_assert(status_has("cn=g1,ou=grants," BASE ": the approver is no user"));
	ck_assert(status_has("cn=g3,ou=grants," BASE ": the member is no user"));
	ck_assert(!status_has("cn=g2,ou=grants," BASE));
	roster_free(r);
	teardown();
}
END_TEST

static const struct {
	const char *member, *approver, *own;	/* createTimestamp; NULL: none */
	bool holds;
} ages[] = {
	{ "20260101000000Z", "20260101000000Z", "20260102000000Z", true },
	{ "20260102000000Z", "20260102000000Z", "20260102000000Z", true },
	{ "20260103000000Z", "20260101000000Z", "20260102000000Z", false },
	{ "20260101000000Z", "20260103000000Z", "20260102000000Z", false },
	{ "20260103000000Z", "20260103000000Z", "20260102235959Z", false },
	{ "20260101000000Z", "20260101000000Z", NULL, true },
	{ NULL, NULL, "20200101000000Z", true },
	{ "20260103000000Z", "20260103000000Z", "long ago", true },
};

static void
say_made(const char *when)
{
	ldif[strlen(ldif) - 1] = '\0';	/* the entry goes on */
	if (when != NULL)
		say("createTimestamp: %s\n", when);
	say("\n");
}

/* Somebody who has the name of one that left is another one: what was said about, or by, the former one is not his. */
START_TEST(whoever_came_later_is_another)
{
	struct roster *r;

	begin();
	say_user("uid=eve,ou=people", "eve", 2003, 2003, "");
	say_made(ages[_i].member);
	say_user("uid=bob,ou=people", "bob", 2004, 2004, "");
	say_made(ages[_i].approver);
	say_grant("cn=g,ou=grants", "uid=eve,ou=people," BASE, "uid=bob,ou=people," BASE);
	say_made(ages[_i].own);
	say("dn: cn=x,ou=exemptions," BASE "\nobjectClass: ismsExemption\ncn: x\nismsControl: mfa\nismsMember: uid=eve,ou=people,"
	    BASE "\nismsApprover: uid=bob,ou=people," BASE "\nismsFrom: 20980601000000Z\nismsUntil: 20990101000000Z\nismsReason: test\n\n");
	say_made(ages[_i].own);
	r = start();
	ck_assert(has_group(r, in_roster(r, "eve"), "prod-root") == ages[_i].holds);
	ck_assert((strstr(get_facts("eve")->exemptions, "x mfa") != NULL) == ages[_i].holds);
	ck_assert(status_has("is a later entry than the grant") == !ages[_i].holds);
	roster_free(r);
	teardown();
}
END_TEST

/* An entry that comes to be another thing: as it does by a change, so that nobody has to start anew. */
START_TEST(a_request_becomes_none)
{
	struct roster *r;

	begin();
	say("dn: uid=mallory,ou=requests," BASE "\nobjectClass: ismsRequest\ncn: q\nuid: mallory\nuidNumber: 4242\n"
	    "gidNumber: 3001\nhomeDirectory: /home/mallory\nemployeeType: employee\nismsState: open\n\n");
	r = start();
	ck_assert(!status_has("refused_entry"));
	roster_free(r);
	edit("uid=mallory,ou=requests," BASE, "objectClass", "posixAccount");
	await_status("uid=mallory,ou=requests," BASE ": posixAccount counts nowhere below ou=requests");
	ck_assert_uint_eq(get_facts("mallory")->state, FACTS_UNKNOWN);
	edit("uid=mallory,ou=requests," BASE, "objectClass", "ismsRequest");
	while (status_has("refused_entry"))
		;
	teardown();
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = { { grants_and_exemptions_in_their_place, ROWS(places) },
		{ accounts_and_groups_elsewhere, ROWS(places) }, { nobody_by_another_place, 0 }, { whoever_came_later_is_another, ROWS(ages) },
		{ a_request_becomes_none, 0 } };

	return suite_run("directory place", rows, ROWS(rows), 180);
}

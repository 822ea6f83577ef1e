/*
 * test_directory_care.c - the real directory process: owners, sponsors and exemptions of a user are judged by the entries of
 * others, at the time of the question; an owner's end is that of his service account's sessions.
 */
#include <config.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/civil_date.h"
#include "common/exemption.h"
#include "common/ldif_store.h"
#include "tests/unit/directory_maker.h"
#include "tests/unit/directory_maker.h"
#include "tests/unit/suite.h"

#define ROBOT "uid=robot,ou=people," BASE
#define CAROL "uid=carol,ou=people," BASE
#define DAN "uid=dan,ou=people," BASE

static char ldif[16384];
static const char policy[] = "[role any]\nmatch = any\nallow-services = cron\nmfa = none\nowner-grace = 1h\n";

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
say_user(const char *name, unsigned uid, const char *kind, const char *more)
{
	say("dn: uid=%s,ou=people," BASE "\nobjectClass: inetOrgPerson\nobjectClass: posixAccount\nuid: %s\ncn: %s\nsn: x\n"
	    "uidNumber: %u\ngidNumber: %u\nhomeDirectory: /home/%s\nemployeeType: %s\n%s\n", name, name, name, uid, uid, name, kind,
	    more);
}

/* Made a year before its end. */
static void
say_exemption(const char *name, const char *member, const char *approver, const char *until)
{
	char made[32];
	int64_t until_utc_sec = 0;

	(void)civil_date_parse_generalized(until, strlen(until), &until_utc_sec);
	say("dn: cn=%s,ou=exemptions," BASE "\nobjectClass: ismsExemption\ncn: %s\nismsControl: mfa\nismsMember: %s\n"
	    "ismsApprover: %s\nismsUntil: %s\nismsReason: test\ncreateTimestamp: %s\n\n", name, name, member, approver, until,
	    civil_date_format_generalized(until_utc_sec - EXEMPTION_TERM_MAX_SEC * (until_utc_sec > 0), made));
}

static void
begin(void)
{
	setup();
	write_etc("policy.conf", policy);
	ldif[0] = '\0';
	say("dn: " BASE "\nobjectClass: domain\ndc: isms\n\n");
}

static void
start(void)
{
	make_directory();	/* for its modes */
	write_file(file, ldif);
	start_directory();
}

START_TEST(others_say_who_answers)
{
	begin();
	say_user("robot", 2000, "service", "owner: uid=Carol, ou=people," BASE "\nmanager: " DAN "\n");
	say_user("carol", 2001, "employee", "ismsNotAfter: 20991231000000Z\n");
	say_user("dan", 2002, "employee", "");
	say_user("orphan", 2003, "service", "owner: uid=nobody,ou=people," BASE "\n");
	say_user("stray", 2004, "service", "");
	start();
	ck_assert_uint_eq(get_facts("robot")->owner_state, CARE_VALID);
	ck_assert_int_eq(facts.owner_end_utc_sec, 4102358400);
	ck_assert_uint_eq(facts.sponsor_state, CARE_VALID);
	ck_assert_int_eq(facts.sponsor_end_utc_sec, 0);
	ck_assert_uint_eq(get_facts("orphan")->owner_state, CARE_MISSING);
	ck_assert_uint_eq(get_facts("stray")->owner_state, CARE_NONE);
	ck_assert_uint_eq(facts.sponsor_state, CARE_NONE);

	edit(CAROL, "ismsNotAfter", "20260101000000Z");
	while (get_facts("robot")->owner_state == CARE_VALID)
		;
	ck_assert_uint_eq(facts.owner_state, CARE_ENDED);
	ck_assert_int_eq(facts.owner_end_utc_sec, 1767225600);
	edit(CAROL, "ismsNotAfter", NULL);
	while (get_facts("robot")->owner_state != CARE_VALID)
		;
	edit(CAROL, "nsAccountLock", "TRUE");
	while (get_facts("robot")->owner_state == CARE_VALID)
		;
	ck_assert_uint_eq(facts.owner_state, CARE_ENDED);
	ck_assert_int_eq(facts.owner_end_utc_sec, 0);
	edit(DAN, "uidNumber", "2004");			/* which somebody else has: nobody can say who he is */
	while (get_facts("robot")->sponsor_state == CARE_VALID)
		;
	ck_assert_uint_eq(facts.sponsor_state, CARE_MISSING);
	teardown();
}
END_TEST

/* Two accounts of machines answer for nothing, nor does anybody for himself. */
START_TEST(who_answers_is_another_person)
{
	static const struct { const char *name; uint32_t owner, sponsor; } all[] = {
		{ "alone", CARE_MISSING, CARE_NONE }, { "left", CARE_MISSING, CARE_MISSING }, { "right", CARE_MISSING, CARE_MISSING },
		{ "of-glass", CARE_MISSING, CARE_MISSING }, { "of-carol", CARE_VALID, CARE_VALID }, { "dan", CARE_NONE, CARE_NONE },
	};

	begin();
	say_user("alone", 2000, "service", "owner: UID=alone, ou=people," BASE "\nmanager: uid=Alone, ou=people," BASE "\n");
	say_user("left", 2001, "service", "owner: uid=right,ou=people," BASE "\nmanager: uid=right,ou=people," BASE "\n");
	say_user("right", 2002, "service", "owner: uid=left,ou=people," BASE "\nmanager: uid=left,ou=people," BASE "\n");
	say_user("glass", 2003, "break-glass", "");
	say_user("of-glass", 2004, "service", "owner: uid=glass,ou=people," BASE "\nmanager: uid=glass,ou=people," BASE "\n");
	say_user("of-carol", 2005, "service", "owner: " CAROL "\nmanager: " CAROL "\n");
	say_user("carol", 2006, "contractor", "");
	say_user("dan", 2007, "contractor", "manager: " DAN "\n");
	start();
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		ck_assert_msg(get_facts(all[i].name)->owner_state == all[i].owner, "%s: owner %u", all[i].name, facts.owner_state);
		ck_assert_msg(facts.sponsor_state == all[i].sponsor, "%s: sponsor %u", all[i].name, facts.sponsor_state);
	}
	teardown();
}
END_TEST

START_TEST(exemptions_of_a_user)
{
	begin();
	say_user("robot", 2000, "service", "owner: " CAROL "\n");
	say_user("carol", 2001, "employee", "ismsNotAfter: 20980101000000Z\n");
	say_user("dan", 2002, "employee", "");
	say_exemption("short", ROBOT, DAN, "20970101000000Z");
	say_exemption("by-carol", "uid=Robot, ou=people," BASE, CAROL, "20990101000000Z");
	say_exemption("own", ROBOT, ROBOT, "20990101000000Z");
	say_exemption("operator", ROBOT, "cn=alice,ou=roles," BASE, "20990101000000Z");
	say_exemption("of-dan", DAN, CAROL, "20990101000000Z");
	say_exemption("endless", ROBOT, CAROL, "never");
	start();
	get_facts("robot");
	ck_assert_ptr_nonnull(strstr(facts.exemptions, "short mfa 0 4007836800 - - -\n"));
	ck_assert_ptr_nonnull(strstr(facts.exemptions, "by-carol mfa 0 4039372800 - - -\n"));	/* as long as she may herself */
	ck_assert_ptr_nonnull(strstr(facts.exemptions, "operator mfa 0 4070908800 - - -\n"));
	ck_assert_ptr_null(strstr(facts.exemptions, "own"));
	ck_assert_ptr_null(strstr(facts.exemptions, "of-dan"));
	ck_assert_ptr_null(strstr(facts.exemptions, "endless"));
	ck_assert_str_eq(get_facts("carol")->exemptions, "");
	ck_assert_ptr_nonnull(strstr(get_facts("dan")->exemptions, "of-dan"));

	edit(CAROL, "nsAccountLock", "TRUE");
	while (strstr(get_facts("robot")->exemptions, "by-carol") != NULL)
		;
	ck_assert_ptr_nonnull(strstr(facts.exemptions, "short"));
	edit("cn=short,ou=exemptions," BASE, "ismsMember", DAN);	/* who approved it: it holds for nobody now */
	while (strstr(get_facts("robot")->exemptions, "short") != NULL)
		;
	ck_assert_ptr_null(strstr(get_facts("dan")->exemptions, "short"));
	edit("cn=short,ou=exemptions," BASE, "ismsMember", CAROL);
	while (strstr(get_facts("carol")->exemptions, "short") == NULL)
		;
	teardown();
}
END_TEST

/* An approver who has gone is not one who was never known: and no other spelling of oneself is somebody else. */
START_TEST(an_approver_is_somebody)
{
	static const char *const voids[] = { "alias", "number", "nobody", "roles", "other", "comma" };
	char error[256];
	struct ldif_edit e;

	begin();
	say_user("robot", 2000, "employee", "");
	say_user("carol", 2001, "employee", "");
	say_exemption("by-carol", ROBOT, CAROL, "20990101000000Z");
	say_exemption("operator", ROBOT, "cn=alice,ou=Roles, " BASE, "20990101000000Z");
	say_exemption("deeper", ROBOT, "cn=alice,ou=desk,ou=roles," BASE, "20990101000000Z");
	say_exemption("alias", ROBOT, "userid=robot,ou=people," BASE, "20990101000000Z");
	say_exemption("number", ROBOT, "0.9.2342.19200300.100.1.1=robot,ou=people," BASE, "20990101000000Z");
	say_exemption("nobody", ROBOT, "cn=whoever," BASE, "20990101000000Z");
	say_exemption("roles", ROBOT, "ou=roles," BASE, "20990101000000Z");
	say_exemption("other", ROBOT, "cn=alice,ou=myroles," BASE, "20990101000000Z");
	say_exemption("comma", ROBOT, "cn=alice\\,ou=roles," BASE, "20990101000000Z");
	start();
	ck_assert_ptr_nonnull(strstr(get_facts("robot")->exemptions, "by-carol mfa"));
	ck_assert_ptr_nonnull(strstr(facts.exemptions, "operator mfa"));
	ck_assert_ptr_nonnull(strstr(facts.exemptions, "deeper mfa"));
	for (size_t i = 0; i < sizeof voids / sizeof voids[0]; i++)
		ck_assert_msg(strstr(facts.exemptions, voids[i]) == NULL, "%s", facts.exemptions);

	edit(CAROL, "nsAccountLock", "TRUE");
	while (strstr(get_facts("robot")->exemptions, "by-carol") != NULL)
		;
	ck_assert_msg(ldif_store_begin(file, PATIENCE_MS, &e, error, sizeof error) == 0, "%s", error);
	ck_assert(entries_remove(&e.entries, CAROL));
	ck_assert_ptr_nonnull(entries_find(&e.entries, ROBOT));
	ck_assert_int_eq(entry_set(entries_find(&e.entries, ROBOT), "displayName", "later"), 0);
	ck_assert_int_eq(ldif_store_commit(&e), 0);
	while (strcmp(get_facts("robot")->display, "later") != 0)
		;
	ck_assert_ptr_null(strstr(facts.exemptions, "by-carol"));
	ck_assert_ptr_nonnull(strstr(facts.exemptions, "operator mfa"));
	teardown();
}
END_TEST

/* Of the next roster; what it borrows from there is gone. */
static const struct roster_user *
robot_of(void)
{
	static struct roster_user robot;
	struct roster *r = next_roster();
	const struct roster_user *found = in_roster(r, "robot");

	ck_assert_ptr_nonnull(found);
	robot = *found;
	roster_free(r);
	return &robot;
}

START_TEST(owner_ends_the_sessions)
{
	const struct roster_user *u;

	begin();
	say_user("robot", 2000, "service", "owner: " CAROL "\nismsNotAfter: 20990101000000Z\n");
	say_user("carol", 2001, "employee", "");
	start();
	u = robot_of();
	ck_assert_int_eq(u->not_after_utc_sec, 4070908800);
	ck_assert_uint_eq(u->flags & ROSTER_ENDED, 0);
	edit(CAROL, "ismsNotAfter", "20980101000000Z");
	ck_assert_int_eq(robot_of()->not_after_utc_sec, 4039372800 + 3600);	/* her end and the grace */
	edit(CAROL, "ismsNotAfter", NULL);
	ck_assert_int_eq(robot_of()->not_after_utc_sec, 4070908800);
	edit(CAROL, "nsAccountLock", "TRUE");
	ck_assert_uint_eq(robot_of()->flags & ROSTER_ENDED, ROSTER_ENDED);
	edit(CAROL, "nsAccountLock", NULL);
	ck_assert_uint_eq(robot_of()->flags & ROSTER_ENDED, 0);
	teardown();
}
END_TEST

START_TEST(sessions_may_be_spared)
{
	const struct roster_user *u;

	begin();
	write_etc("policy.conf", "[role any]\nmatch = any\nallow-services = cron\n"
	    "[role spared]\nmatch = user:robot\n[role mild]\nmatch = user:robot\non-end = deny-new\n");
	say_user("robot", 2000, "employee", "ismsNotAfter: 20990101000000Z\n");
	start();
	u = robot_of();
	ck_assert_int_eq(u->not_after_utc_sec, 4070908800);
	teardown();

	begin();
	write_etc("policy.conf", "[role any]\nmatch = any\nallow-services = cron\non-end = deny-new\n");
	say_user("robot", 2000, "employee", "ismsNotAfter: 20990101000000Z\n");
	start();
	u = robot_of();
	ck_assert_int_eq(u->not_after_utc_sec, 0);
	edit(ROBOT, "nsAccountLock", "TRUE");
	ck_assert_uint_eq(robot_of()->flags & ROSTER_ENDED, ROSTER_ENDED);
	teardown();
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = { { others_say_who_answers, 0 }, { who_answers_is_another_person, 0 },
		 { exemptions_of_a_user, 0 },
		{ an_approver_is_somebody, 0 },
		{ owner_ends_the_sessions, 0 }, { sessions_may_be_spared, 0 } };

	return suite_run("directory care", rows, ROWS(rows), 180);
}

/*
 * test_identity_groups.c - what several entries say together: claims to one name or id, groups, tokens.
 */
#include <config.h>

#include "common/identity.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/identity_maker.h"
#include "tests/unit/suite.h"

#define OTHER_UUID "7f7e5c8a-0b1d-4c1e-9a53-2f3a4b5c6d7e"

/* ---- claims ---- */

/* Two people in two subtrees: nobody can say who uid=alice is. */
START_TEST(ld07a_two_entries_of_one_uid)
{
	begin();
	add_user("alice", 2000, "");
	add("dn: uid=alice,ou=other," BASE "\nobjectClass: posixAccount\nuid: alice\nuidNumber: 2001\ngidNumber: 2001\n"
	    "homeDirectory: /home/a\nemployeeType: employee\n\n");
	add_user("bob", 2002, "");
	build_after(NULL);
	ck_assert_uint_eq(facts_of("alice")->state, FACTS_BROKEN);
	ck_assert_msg(strstr(facts.fault, "also claimed by") != NULL, "%s", facts.fault);
	ck_assert_uint_eq(facts_of("bob")->state, FACTS_MANAGED);
	ck_assert_uint_eq(all.fault_count, 2);
	end();
}
END_TEST

START_TEST(names_that_differ_in_case)
{
	begin();
	add_user("ada", 2000, "");
	add("dn: uid=Ada,ou=other," BASE "\nobjectClass: posixAccount\nuid: ADA\nuidNumber: 2001\ngidNumber: 2001\n"
	    "homeDirectory: /home/a\nemployeeType: employee\n\n");
	build_after(NULL);
	ck_assert_uint_eq(facts_of("ada")->state, FACTS_BROKEN);
	end();
}
END_TEST

START_TEST(several_uids_in_one_entry)
{
	begin();
	add_changed("uid: ada\nuid: eve");
	build_after(NULL);
	ck_assert_uint_eq(facts_of("ada")->state, FACTS_BROKEN);
	ck_assert_uint_eq(facts_of("eve")->state, FACTS_BROKEN);
	ck_assert_msg(strstr(facts.fault, "several values of uid") != NULL, "%s", facts.fault);
	end();
}
END_TEST

START_TEST(one_entry_uuid_twice)
{
	begin();
	add_user("ada", 2000, "entryUUID: " UUID "\n");
	add_user("eve", 2001, "entryUUID: 6F7E5C8A-0B1D-4C1E-9A53-2F3A4B5C6D7E\n");
	build_after(NULL);
	ck_assert_uint_eq(facts_of("ada")->state, FACTS_BROKEN);
	ck_assert_uint_eq(facts_of("eve")->state, FACTS_BROKEN);
	end();
}
END_TEST

/* The next state of the directory: ada, or another entry in her place. */
static void
next_view(struct identities *before, struct entries *entries_before, char **text_before, struct identity_holders *former,
    const char *name, unsigned uid, const char *uuid)
{
	char more[80];

	*before = all;
	*entries_before = entries;
	*text_before = text;
	all = (struct identities){ 0 };
	entries = (struct entries){ 0 };
	begin();
	holders = former;
	if (name != NULL) {
		(void)snprintf(more, sizeof more, "entryUUID: %s\n", uuid);
		add_user(name, uid, more);
	}
	build_after(before);
	(void)identity_holders_update(former, before, &all);
	identities_done(before);
	entries_done(entries_before);
	free(*text_before);
}

/* The name or the number of another entry: another person, until somebody has said that he is not (THREATS 5.5). */
static const struct newcomer {
	bool between;			/* a state in which nobody is there */
	const char *name;
	unsigned uid;
	const char *uuid;
	bool good;
} newcomers[] = {
	{ false, "ada", 2000, UUID, true },
	{ false, "ada", 2001, UUID, true },
	{ false, "bob", 2000, UUID, true },
	{ true, "ada", 2000, UUID, true },
	{ false, "bob", 2001, OTHER_UUID, true },
	{ true, "bob", 2001, OTHER_UUID, true },
	{ false, "ada", 2000, OTHER_UUID, false },
	{ true, "ada", 2000, OTHER_UUID, false },
	{ true, "ada", 2001, OTHER_UUID, false },
	{ true, "bob", 2000, OTHER_UUID, false },
};

START_TEST(new_person)
{
	const struct newcomer *n = &newcomers[_i];
	struct identity_holders former = { 0 };
	struct entries entries_before;
	struct identities before;
	char *text_before;

	begin();
	add_user("ada", 2000, "entryUUID: " UUID "\n");
	build_after(NULL);
	if (n->between)
		next_view(&before, &entries_before, &text_before, &former, NULL, 0, NULL);
	for (int again = 0; again < 2; again++) {
		next_view(&before, &entries_before, &text_before, &former, n->name, n->uid, n->uuid);
		ck_assert_int_eq(facts_of(n->name)->state, n->good ? FACTS_MANAGED : FACTS_BROKEN);
		ck_assert_uint_eq(all.newcomer_count, n->good ? 0 : 1);
	}
	identities_done(&all);
	holders = NULL;			/* approved: from then on it is his */
	ck_assert_int_eq(identities_build(&entries, &settings, &all), 0);
	(void)identity_holders_update(&former, NULL, &all);
	identities_done(&all);
	ck_assert_int_eq(identities_build_after(&entries, &settings, NULL, &former, &all), 0);
	ck_assert_uint_eq(facts_of(n->name)->state, FACTS_MANAGED);
	identity_holders_done(&former);
	end();
}
END_TEST

/* So many have left that no more can be remembered: whoever was not there waits, too. */
START_TEST(too_many_left)
{
	struct identity_holders former = { 0 };
	struct entries entries_before;
	struct identities before;
	char *text_before, key[16];

	begin();
	add_user("ada", 2000, "entryUUID: " UUID "\n");
	build_after(NULL);
	for (unsigned i = 0; i < IDENTITY_HOLDERS_MAX; i++) {
		(void)snprintf(key, sizeof key, "%u", 1000000 + i);
		ck_assert_int_eq(identity_holders_add(&former, true, key, "other"), 0);
	}
	ck_assert_int_eq(identity_holders_add(&former, true, "999999", "other"), -E2BIG);
	next_view(&before, &entries_before, &text_before, &former, "ada", 2000, UUID);
	ck_assert_int_eq(facts_of("ada")->state, FACTS_MANAGED);
	next_view(&before, &entries_before, &text_before, &former, "bob", 2001, OTHER_UUID);
	ck_assert_int_eq(facts_of("bob")->state, FACTS_BROKEN);
	ck_assert_uint_eq(former.count, IDENTITY_HOLDERS_MAX);
	identities_done(&all);
	holders = NULL;			/* approved */
	ck_assert_int_eq(identities_build(&entries, &settings, &all), 0);
	ck_assert_int_eq(facts_of("bob")->state, FACTS_MANAGED);
	identity_holders_done(&former);
	end();
}
END_TEST

/* Made anew below another DN in a mass change: the old one stays as he was, and only one who is gone does so. */
START_TEST(new_person_beside_the_old)
{
	for (int gone = 0; gone < 2; gone++) {
		struct entries entries_before;
		struct identities before;
		char *text_before;

		begin();
		add_user("ada", 2000, "entryUUID: " UUID "\n");
		build_after(NULL);
		entries_before = entries;
		before = all;
		text_before = text;
		begin();
		add_user("ada", 2000, "entryUUID: " UUID "\n");
		add("dn: uid=ada,ou=new,ou=people," BASE "\nobjectClass: inetOrgPerson\nobjectClass: posixAccount\nuid: ada\ncn: a\n"
		    "uidNumber: 2000\ngidNumber: 2000\nhomeDirectory: /home/ada\nemployeeType: contractor\nentryUUID: " OTHER_UUID "\n\n");
		build_after(&before);
		identities_done(&all);
		entries.list[0]->gone = gone == 1;
		ck_assert_int_eq(identities_build_after(&entries, &settings, &before, NULL, &all), 0);
		ck_assert_uint_eq(all.user_count, 2);
		for (size_t i = 0; i < 2; i++)
			ck_assert_int_eq(all.users[i].state,
			    gone == 1 && all.users[i].entry == entries.list[0] ? FACTS_MANAGED : FACTS_BROKEN);
		ck_assert_int_eq(facts_of("ada")->state, gone == 1 ? FACTS_MANAGED : FACTS_BROKEN);
		identities_done(&before);
		entries_done(&entries_before);
		free(text_before);
		end();
	}
}
END_TEST

/* Who held a number stays; the newcomer is refused. Without a view before, both are. */
START_TEST(rp06a_uid_number_twice)
{
	struct entries entries_before;
	struct identities before;
	char *text_before;

	begin();
	add_user("ada", 2000, "");
	add("dn: cn=web,ou=groups," BASE "\nobjectClass: posixGroup\ncn: web\ngidNumber: 3000\nmemberUid: ada\n\n");
	build_after(NULL);
	entries_before = entries;
	before = all;
	text_before = text;
	begin();
	add_user("aaa", 2000, "");
	add_user("ada", 2000, "");
	add("dn: cn=www,ou=groups," BASE "\nobjectClass: posixGroup\ncn: www\ngidNumber: 3000\nmemberUid: ada\n\n");
	add("dn: cn=web,ou=groups," BASE "\nobjectClass: posixGroup\ncn: web\ngidNumber: 3000\nmemberUid: ada\n\n");
	build_after(&before);
	ck_assert_msg(facts_of("ada")->state == FACTS_MANAGED, "%s", facts.fault);
	ck_assert_uint_eq(facts_of("aaa")->state, FACTS_BROKEN);
	ck_assert_uint_eq(all.groups[0].gid, 0);
	ck_assert_uint_eq(all.groups[1].gid, 3000);
	identities_done(&before);
	entries_done(&entries_before);
	free(text_before);

	identities_done(&all);
	ck_assert_int_eq(identities_build(&entries, &settings, &all), 0);
	ck_assert_uint_eq(facts_of("ada")->state, FACTS_BROKEN);
	ck_assert_uint_eq(facts_of("aaa")->state, FACTS_BROKEN);
	ck_assert_uint_eq(all.groups[0].gid, 0);
	ck_assert_uint_eq(all.groups[1].gid, 0);
	end();
}
END_TEST

/* A role that forbids the group could not match while nobody can say what the gid is called. */
START_TEST(rp06b_primary_group_in_doubt)
{
	begin();
	add_user("ada", 2000, "");
	add_user("eve", 2001, "");
	add_user("bob", 2002, "");
	add("dn: cn=web,ou=groups," BASE "\nobjectClass: posixGroup\ncn: web\ngidNumber: 2000\n\n"
	    "dn: cn=www,ou=groups," BASE "\nobjectClass: posixGroup\ncn: www\ngidNumber: 2000\n\n"
	    "dn: cn=ops,ou=groups," BASE "\nobjectClass: posixGroup\ncn: ops\ngidNumber: 2001\n\n"
	    "dn: cn=ops,ou=other," BASE "\nobjectClass: posixGroup\ncn: ops\ngidNumber: 3001\n\n");
	build_after(NULL);
	ck_assert_uint_eq(facts_of("ada")->state, FACTS_BROKEN);
	ck_assert_msg(strstr(facts.fault, "gidNumber 2000") != NULL, "%s", facts.fault);
	ck_assert_uint_eq(facts_of("eve")->state, FACTS_BROKEN);
	ck_assert_uint_eq(facts_of("bob")->state, FACTS_MANAGED);
	end();
}
END_TEST

/* ---- groups ---- */

START_TEST(groups_by_both_schemas)
{
	begin();
	add_user("ada", 2000, "");
	add_user("eve", 2001, "");
	add("dn: cn=ada,ou=groups," BASE "\nobjectClass: posixGroup\ncn: ada\ngidNumber: 2000\n\n"
	    "dn: cn=web,ou=groups," BASE "\nobjectClass: posixGroup\ncn: web\ngidNumber: 3000\nmemberUid: ada\nmemberUid: gone\n\n"
	    "dn: cn=ops,ou=groups," BASE "\nobjectClass: groupOfNames\nobjectClass: posixGroup\ncn: ops\ngidNumber: 3001\n"
	    "member: UID=ada, ou=People," BASE "\nmember: uid=gone,ou=people," BASE "\n\n"
	    "dn: cn=team,ou=groups," BASE "\nobjectClass: groupOfMembers\ncn: team\nmember: uid=eve,ou=people," BASE "\n\n"
	    "dn: cn=all,ou=groups," BASE "\nobjectClass: groupOfMembers\nobjectClass: posixGroup\ncn: all\ngidNumber: 3002\n"
	    "member: cn=team,ou=groups," BASE "\nmember: cn=ops,ou=groups," BASE "\nmember: not a dn\n\n");
	build_after(NULL);
	ck_assert_str_eq(facts_of("ada")->groups, "ada web ops all");
	ck_assert_str_eq(facts_of("eve")->groups, "all");
	ck_assert_uint_eq(all.fault_count, 0);
	end();
}
END_TEST

START_TEST(rp08a_group_cycle)
{
	begin();
	add_user("ada", 2000, "");
	add("dn: cn=a,ou=groups," BASE "\nobjectClass: groupOfNames\nobjectClass: posixGroup\ncn: a\ngidNumber: 3000\n"
	    "member: cn=c,ou=groups," BASE "\nmember: cn=a,ou=groups," BASE "\n\n"
	    "dn: cn=b,ou=groups," BASE "\nobjectClass: groupOfNames\nobjectClass: posixGroup\ncn: b\ngidNumber: 3001\n"
	    "member: cn=a,ou=groups," BASE "\n\n"
	    "dn: cn=c,ou=groups," BASE "\nobjectClass: groupOfNames\nobjectClass: posixGroup\ncn: c\ngidNumber: 3002\n"
	    "member: cn=b,ou=groups," BASE "\nmember: uid=ada,ou=people," BASE "\n\n");
	build_after(NULL);
	ck_assert_uint_eq(facts_of("ada")->state, FACTS_MANAGED);
	ck_assert_str_eq(facts.groups, "a b c");
	end();
}
END_TEST

/* A chain of 16 groups is fine; a role may restrict by the 17th, so it is not dropped but refused. */
static void
nest(int depth)
{
	begin();
	add_user("ada", 2000, "");
	add("dn: cn=g1,ou=groups," BASE "\nobjectClass: posixGroup\ncn: g1\ngidNumber: 3001\nmemberUid: ada\n\n");
	for (int i = 2; i <= depth; i++)
		add("dn: cn=g%d,ou=groups," BASE "\nobjectClass: groupOfNames\nobjectClass: posixGroup\ncn: g%d\ngidNumber: %d\n"
		    "member: cn=g%d,ou=groups," BASE "\n\n", i, i, 3000 + i, i - 1);
	build_after(NULL);
}

START_TEST(nesting_depth)
{
	nest(16);
	ck_assert_uint_eq(facts_of("ada")->state, FACTS_MANAGED);
	ck_assert_uint_eq(all.users[0].group_count, 16);
	end();
	nest(17);
	ck_assert_uint_eq(facts_of("ada")->state, FACTS_BROKEN);
	ck_assert_msg(strstr(facts.fault, "deeper than 16") != NULL, "%s", facts.fault);
	end();
}
END_TEST

static const struct { const char *lines; bool named; } bad_groups[] = {
	{ "cn: sudo\ngidNumber: 27\n", true }, { "cn: web\ngidNumber: 0\n", true }, { "cn: web\ngidNumber: 03000\n", true },
	{ "cn: web\n", true }, { "cn: Web Team\ngidNumber: 3000\n", false }, { "cn: 0\ngidNumber: 3000\n", false },
	{ "gidNumber: 3000\n", false }, { "cn: a\ncn: b\ngidNumber: 3000\n", false },
};

/* A broken group gives nobody its gid, yet a role that names it still matches its members. */
START_TEST(broken_groups)
{
	begin();
	add_user("ada", 2000, "");
	add("dn: cn=x,ou=groups," BASE "\nobjectClass: posixGroup\n%smemberUid: ada\n\n", bad_groups[_i].lines);
	build_after(NULL);
	ck_assert_uint_eq(facts_of("ada")->state, FACTS_MANAGED);
	ck_assert_uint_eq(all.fault_count, 1);
	ck_assert_uint_eq(all.group_count, bad_groups[_i].named);
	if (bad_groups[_i].named)
		ck_assert_uint_eq(all.groups[0].gid, 0);
	ck_assert_int_eq(facts.groups[0] != '\0', bad_groups[_i].named);
	end();
}
END_TEST

/* Who has a shared group as primary group counts as its member; his private group tells nothing. */
START_TEST(primary_groups)
{
	begin();
	add_changed("gidNumber: 3000");
	add_user("eve", 2001, "");
	add("dn: cn=staff,ou=groups," BASE "\nobjectClass: posixGroup\ncn: staff\ngidNumber: 3000\n\n"
	    "dn: cn=eve,ou=groups," BASE "\nobjectClass: posixGroup\ncn: eve\ngidNumber: 2001\n\n");
	build_after(NULL);
	ck_assert_str_eq(facts_of("ada")->groups, "staff");
	ck_assert_str_eq(facts_of("ada")->primary_group, "staff");
	/* Its name says nothing: a group of the user's own name can be one that others are in too. */
	ck_assert_str_eq(facts_of("eve")->groups, "eve");
	ck_assert_str_eq(facts_of("eve")->primary_group, "eve");
	end();
}
END_TEST

START_TEST(too_many_groups)
{
	begin();
	add_user("ada", 2000, "");
	for (int i = 0; i < 1300; i++)
		add("dn: cn=a-group-of-a-rather-long-name%d,ou=groups," BASE "\nobjectClass: posixGroup\n"
		    "cn: a-group-of-a-rather-long-nam%d\ngidNumber: %d\nmemberUid: ada\n\n", i, i, 70000 + i);
	build_after(NULL);
	ck_assert_uint_eq(facts_of("ada")->state, FACTS_BROKEN);
	ck_assert_str_eq(facts.groups, "");
	end();
}
END_TEST

/* 100,000 members by each schema, most of them gone: cost follows the members, and nothing recurses. */
START_TEST(large_group)
{
	begin();
	for (unsigned i = 0; i < 2000; i++) {
		char name[16];

		(void)snprintf(name, sizeof name, "u%u", i);
		add_user(name, 70000 + i, "");
	}
	add("dn: cn=big,ou=groups," BASE "\nobjectClass: groupOfNames\nobjectClass: posixGroup\ncn: big\ngidNumber: 3000\n");
	for (unsigned i = 0; i < 100000; i++)
		add("memberUid: u%u\nmember: uid=u%u,ou=people," BASE "\n", i, i);
	add("\n");
	build_after(NULL);
	ck_assert_str_eq(facts_of("u0")->groups, "big");
	ck_assert_str_eq(facts_of("u1999")->groups, "big");
	end();
}
END_TEST

START_TEST(outside_of_the_base)
{
	begin();
	add_user("ada", 2000, "");
	add("dn: uid=eve,ou=people,dc=elsewhere\nobjectClass: posixAccount\nuid: eve\nuidNumber: 2001\ngidNumber: 2001\n"
	    "homeDirectory: /home/eve\nemployeeType: employee\n\n"
	    "dn: uid=eva,ou=people,xdc=isms,dc=local\nobjectClass: posixAccount\nuid: eva\nuidNumber: 2002\ngidNumber: 2002\n"
	    "homeDirectory: /home/eva\nemployeeType: employee\n\n");
	build_after(NULL);
	ck_assert_uint_eq(all.user_count, 1);
	end();
}
END_TEST

/* ---- tokens ---- */

#define SECRET "oathSecret:: MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=\n"
#define TOTP_PARAMS "oathOTPLength: 6\noathHMACAlgorithm: 1.2.840.113549.2.7\noathTOTPTimeStepPeriod: 30\n"
#define TOTP "objectClass: oathTOTPToken\nobjectClass: oathTOTPParams\n"

static const struct { const char *lines, *fault; } tokens[] = {
	{ TOTP TOTP_PARAMS SECRET, NULL },
	{ TOTP TOTP_PARAMS SECRET "oathTOTPLastTimeStep: 5\n", NULL },
	{ TOTP TOTP_PARAMS SECRET "oathTOTPParams: CN=T1, ou=tokens," BASE "\n", NULL },
	{ TOTP TOTP_PARAMS SECRET "oathTOTPParams: cn=gone,ou=tokens," BASE "\n", "do not exist" },
	{ TOTP_PARAMS SECRET, "is no oathTOTPToken" },
	{ TOTP TOTP_PARAMS, "no oathSecret" },
	{ TOTP TOTP_PARAMS SECRET "oathSecret: 12345678901234567891\n", "or several" },
	{ TOTP TOTP_PARAMS "oathSecret: 123456789012345\n", "16 to 128" },
	{ TOTP TOTP_PARAMS "oathSecret:\n", "16 to 128" },
	{ TOTP SECRET "oathOTPLength: 6\noathTOTPTimeStepPeriod: 30\n", "oathHMACAlgorithm" },
	{ TOTP SECRET "oathOTPLength: 6\noathHMACAlgorithm: 1.2.840.113549.2.5\noathTOTPTimeStepPeriod: 30\n", "oathHMACAlgorithm" },
	{ TOTP SECRET "oathHMACAlgorithm: 1.2.840.113549.2.7\noathTOTPTimeStepPeriod: 30\n", "oathOTPLength" },
	{ TOTP SECRET "oathOTPLength: 5\noathHMACAlgorithm: 1.2.840.113549.2.7\noathTOTPTimeStepPeriod: 30\n", "oathOTPLength" },
	{ TOTP SECRET "oathOTPLength: 9\noathHMACAlgorithm: 1.2.840.113549.2.7\noathTOTPTimeStepPeriod: 30\n", "oathOTPLength" },
	{ TOTP SECRET "oathOTPLength: 6\noathHMACAlgorithm: 1.2.840.113549.2.7\n", "oathTOTPTimeStepPeriod" },
	{ TOTP SECRET "oathOTPLength: 6\noathHMACAlgorithm: 1.2.840.113549.2.7\noathTOTPTimeStepPeriod: 0\n", "oathTOTPTimeStepPeriod" },
	{ TOTP TOTP_PARAMS SECRET "oathTOTPLastTimeStep: -1\n", "oathTOTPLastTimeStep" },
	{ TOTP TOTP_PARAMS SECRET "oathTOTPLastTimeStep: 1\noathTOTPLastTimeStep: 2\n", "oathTOTPLastTimeStep" },
};

START_TEST(ot04a_token_table)
{
	struct msg_token token[2];

	begin();
	add_user("ada", 2000, "oathTOTPToken: cn=T1,ou=tokens," BASE "\n");
	add("dn: cn=T1,ou=tokens," BASE "\nobjectClass: device\noathTokenSerialNumber: T1\n%s\n", tokens[_i].lines);
	build_after(NULL);
	ck_assert_uint_eq(facts_of("ada")->token_count, 1);
	ck_assert_uint_eq(identity_tokens(&entries, identities_find(&all, "ada")->entry, token, 2), 1);
	if (tokens[_i].fault == NULL) {
		ck_assert_str_eq(token[0].fault, "");
		ck_assert_str_eq(token[0].serial, "T1");
		ck_assert_uint_eq(token[0].type, TOKEN_TOTP);
		ck_assert_uint_eq(token[0].algorithm, TOKEN_SHA1);
		ck_assert_uint_eq(token[0].digits, 6);
		ck_assert_uint_eq(token[0].step_sec, 30);
		ck_assert_str_eq(token[0].secret_hex, "3132333435363738393031323334353637383930");
		ck_assert_uint_eq(token[0].has_last, strstr(tokens[_i].lines, "LastTimeStep") != NULL);
	} else {
		ck_assert_msg(strstr(token[0].fault, tokens[_i].fault) != NULL, "%s", token[0].fault);
		ck_assert_str_eq(token[0].secret_hex, "");
	}
	end();
}
END_TEST

START_TEST(token_links)
{
	struct msg_token token[3];
	const struct entry *e;

	begin();
	add_user("ada", 2000, "oathTOTPToken: cn=gone,ou=tokens," BASE "\noathTOTPToken: cn=T1,ou=tokens," BASE "\n"
	    "oathHOTPToken: cn=H1,ou=tokens," BASE "\n");
	add("dn: cn=T1,ou=tokens," BASE "\n" TOTP SECRET "entryUUID: " UUID "\noathTOTPParams: cn=P,ou=tokens," BASE "\n\n"
	    "dn: cn=P,ou=tokens," BASE "\nobjectClass: oathTOTPParams\noathOTPLength: 8\n"
	    "oathHMACAlgorithm: 1.2.840.113549.2.11\noathTOTPTimeStepPeriod: 60\n\n"
	    "dn: cn=H1,ou=tokens," BASE "\nobjectClass: oathHOTPToken\n" SECRET "oathOTPLength: 7\n"
	    "oathHMACAlgorithm: 1.2.840.113549.2.9\noathHOTPCounter: 41\n\n"
	    "dn: cn=pending,ou=tokens," BASE "\n" TOTP TOTP_PARAMS SECRET "\n");
	build_after(NULL);
	e = identities_find(&all, "ada")->entry;
	ck_assert_uint_eq(facts_of("ada")->token_count, 3);
	ck_assert_uint_eq(identity_tokens(&entries, e, token, 3), 3);
	ck_assert_ptr_nonnull(strstr(token[0].fault, "the token cn=gone,ou=tokens," BASE " does not exist, or may not be read here"));
	ck_assert_str_eq(token[1].fault, "");
	ck_assert_str_eq(token[1].id, UUID);
	ck_assert_uint_eq(token[1].digits, 8);
	ck_assert_uint_eq(token[1].algorithm, TOKEN_SHA512);
	ck_assert_uint_eq(token[1].step_sec, 60);
	ck_assert_str_eq(token[2].fault, "");
	ck_assert_uint_eq(token[2].type, TOKEN_HOTP);
	ck_assert_uint_eq(token[2].last, 41);
	ck_assert_uint_eq(token[2].has_last, 1);
	ck_assert_int_eq(strncmp(token[2].id, "dn:", 3), 0);
	ck_assert_uint_eq(identity_tokens(&entries, e, token, 1), 3);
	end();
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ ld07a_two_entries_of_one_uid, 0 },
		{ names_that_differ_in_case, 0 },
		{ several_uids_in_one_entry, 0 },
		{ one_entry_uuid_twice, 0 },
		{ rp06a_uid_number_twice, 0 },
		{ new_person, ROWS(newcomers) },
		{ too_many_left, 0 }, { new_person_beside_the_old, 0 },
		{ rp06b_primary_group_in_doubt, 0 },
		{ groups_by_both_schemas, 0 },
		{ rp08a_group_cycle, 0 },
		{ nesting_depth, 0 },
		{ broken_groups, ROWS(bad_groups) },
		{ primary_groups, 0 },
		{ too_many_groups, 0 },
		{ large_group, 0 },
		{ outside_of_the_base, 0 },
		{ ot04a_token_table, ROWS(tokens) },
		{ token_links, 0 },
	};

	return suite_run("identity_groups", rows, ROWS(rows), 60);
}

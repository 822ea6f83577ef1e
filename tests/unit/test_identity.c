/*
 * test_identity.c - entries as hostile directories write them, and what becomes of the user.
 */
#include <config.h>

#include "common/identity.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/civil_date.h"
#include "common/ldif_store.h"
#include "tests/unit/suite.h"

#define BASE "dc=isms,dc=local"
#define UUID "6f7e5c8a-0b1d-4c1e-9a53-2f3a4b5c6d7e"

static struct settings settings;
static struct entries entries;
static struct identities all;
static struct facts facts;
static char *text;
static size_t text_used, text_room;

static void
begin(void)
{
	settings_defaults(&settings);
	text_used = 0;
	text_room = 64u << 20;
	text = malloc(text_room);
	text[0] = '\0';
}

static void __attribute__((format(printf, 1, 2)))
add(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text_used += (size_t)vsnprintf(text + text_used, text_room - text_used, format, args);
	va_end(args);
	ck_assert_uint_lt(text_used, text_room);
}

static void
add_user(const char *name, unsigned uid, const char *more)
{
	add("dn: uid=%s,ou=people," BASE "\nobjectClass: inetOrgPerson\nobjectClass: posixAccount\nuid: %s\ncn: %s\n"
	    "uidNumber: %u\ngidNumber: %u\nhomeDirectory: /home/%s\nloginShell: /bin/bash\nemployeeType: contractor\n%s\n",
	    name, name, name, uid, uid, name, more);
}

static void
build_after(const struct identities *previous)
{
	char error[256];

	ck_assert_msg(ldif_store_parse(text, text_used, "t", &entries, error, sizeof error) == 0, "%s", error);
	ck_assert_int_eq(identities_build_after(&entries, &settings, previous, &all), 0);
}

static const struct facts *
facts_of(const char *name)
{
	identity_facts(&all, identities_find(&all, name), &facts);
	return &facts;
}

static void
end(void)
{
	identities_done(&all);
	entries_done(&entries);
	free(text);
}

START_TEST(good_user)
{
	const struct facts *f;

	begin();
	add_user("ada", 2000, "displayName: Ada L.\nmanager: uid=carol,ou=people," BASE "\nentryUUID: " UUID "\n"
	    "userPassword: {CRYPT}$y$j9T$a$b\npwdStartTime: 20260101000000Z\npwdEndTime: 20261231230000Z\n");
	build_after(NULL);
	f = facts_of("ada");
	ck_assert_msg(f->state == FACTS_MANAGED, "%s", f->fault);
	ck_assert_uint_eq(f->uid, 2000);
	ck_assert_uint_eq(f->gid, 2000);
	ck_assert_uint_eq(f->kind, KIND_CONTRACTOR);
	ck_assert_str_eq(f->entry_id, UUID);
	ck_assert_str_eq(f->display, "Ada L.");
	ck_assert_str_eq(f->sponsor, "uid=carol,ou=people," BASE);
	ck_assert_int_eq(f->not_before_utc_sec, 1767225600);
	ck_assert_int_eq(f->not_after_utc_sec, 1798758000);
	ck_assert_str_eq(f->not_after_source, "pwdEndTime");
	ck_assert_uint_eq(f->password_set, 1);
	ck_assert_uint_eq(f->disabled, 0);
	ck_assert_str_eq(all.users[0].shell, "/bin/bash");
	ck_assert_uint_eq(all.fault_count, 0);
	ck_assert_uint_eq(facts_of("nobody-here")->state, FACTS_UNKNOWN);
	ck_assert_uint_eq(facts_of("Ada")->state, FACTS_UNKNOWN);
	ck_assert_uint_eq(facts_of("")->state, FACTS_UNKNOWN);
	end();
}
END_TEST

/* One line changed in a good entry: "attribute: value", or "-attribute" to leave it out. NULL fault: still good. */
static const struct { const char *line, *fault; } changes[] = {
	{ "-homeDirectory", "homeDirectory is missing" },
	{ "homeDirectory: home/ada", "homeDirectory" },
	{ "homeDirectory: /", "homeDirectory" },
	{ "homeDirectory: /home/", "homeDirectory" },
	{ "homeDirectory: /root", "homeDirectory" },
	{ "homeDirectory: /home/../root", "homeDirectory" },
	{ "homeDirectory: /home/ada/..", "homeDirectory" },
	{ "homeDirectory: /home/./ada", "homeDirectory" },
	{ "homeDirectory: /home/a:b", "homeDirectory" },
	{ "homeDirectory:: L2hvbWUvYQpi", "homeDirectory" },	/* newline */
	{ "homeDirectory: /home/ada\nhomeDirectory: /home/eve", "homeDirectory must have one" },
	{ "homeDirectory: /home/..ada", NULL },
	{ "uid: ada\nuid: eve", "several values of uid" },
	{ "uid: root:x", "cannot be a user's name" },
	{ "uid: 0", "cannot be a user's name" },
	{ "uid: -x", "cannot be a user's name" },
	{ "uid: ada$", "cannot be a user's name" },
	{ "uid:: YWRhAA==", "NUL byte" },
	{ "uid;lang-en: eve", NULL },
	{ "uidNumber;x-a: 0", NULL },
	{ "gidNumber: 0", "gidNumber 0 is outside" },
	{ "gidNumber: 27", "gidNumber 27 is outside" },
	{ "gidNumber: 65534", "gidNumber 65534 is outside" },
	{ "-gidNumber", "gidNumber is missing" },
	{ "-employeeType", "employeeType is missing" },
	{ "employeeType: boss", "employeeType \"boss\"" },
	{ "employeeType: contractor\nemployeeType: employee", "employeeType must have one" },
	{ "employeeType: Employee", NULL },
	{ "entryUUID: x", "entryUUID" },
	{ "entryUUID: " UUID "\nentryUUID: " UUID, "entryUUID must have one" },
	{ "userPassword: a\nuserPassword: b", "userPassword must have one" },
	{ "loginShell: /bin/bash\nloginShell: /bin/sh", "loginShell must have one" },
	{ "loginShell: /tmp/evil", NULL },
	{ "-loginShell", NULL },
	{ "gecos:: YTpiCmM=", NULL },
	{ "pwdEndTime: 2026", "pwdEndTime" },
	{ "pwdEndTime: 20261331000000Z", "pwdEndTime" },
	{ "pwdEndTime: 20260230000000Z", "pwdEndTime" },
	{ "pwdEndTime: 20261231230000", "pwdEndTime" },
	{ "pwdEndTime: 20261231230000Z\npwdEndTime: 20271231230000Z", "pwdEndTime must have one" },
	{ "pwdStartTime: tomorrow", "pwdStartTime" },
	{ "krbPrincipalExpiration: never", "krbPrincipalExpiration" },
	{ "ismsNotAfter:", "ismsNotAfter" },
	{ "ismsNotBefore: 20260101", "ismsNotBefore" },
	{ "shadowExpire: -2", "shadowExpire" },
	{ "shadowExpire: 020000", "shadowExpire" },
	{ "shadowExpire: 1e9", "shadowExpire" },
	{ "shadowExpire: 2932897", "shadowExpire" },	/* beyond 9999 */
	{ "shadowExpire:", "shadowExpire" },
	{ "accountExpires: -1", "accountExpires" },
	{ "accountExpires: 9223372036854775808", "accountExpires" },
	{ "nsAccountLock: yes", "nsAccountLock" },
	{ "nsAccountLock: TRUE\nnsAccountLock: FALSE", "nsAccountLock must have one" },
	{ "userAccountControl: 0x2", "userAccountControl" },
	{ "pwdAccountLockedTime: x", "pwdAccountLockedTime" },
	{ "pwdAccountTmpLockoutEnd: x", "pwdAccountTmpLockoutEnd" },
	{ "pwdReset: 1", "pwdReset" },
};

/* A good entry with attribute lines of the change's name replaced by it. */
static void
add_changed(const char *change)
{
	static const char *const lines[] = { "uid: ada", "cn: Ada", "uidNumber: 2000", "gidNumber: 2000",
		"homeDirectory: /home/ada", "loginShell: /bin/bash", "employeeType: contractor" };
	const char *name = change + (change[0] == '-');
	size_t len = strcspn(name, ":");

	add("dn: uid=ada,ou=people," BASE "\nobjectClass: posixAccount\n");
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		if (strncmp(lines[i], name, len) != 0 || lines[i][len] != ':')
			add("%s\n", lines[i]);
	if (change[0] != '-')
		add("%s\n", change);
	add("\n");
}

START_TEST(hostile_values)
{
	const char *fault = changes[_i].fault;

	begin();
	add_changed(changes[_i].line);
	add_user("eva", 2001, "");
	build_after(NULL);
	ck_assert_uint_eq(facts_of("eva")->state, FACTS_MANAGED);	/* never another's fault */
	if (fault == NULL) {
		ck_assert_msg(facts_of("ada")->state == FACTS_MANAGED, "%s", facts.fault);
		ck_assert_uint_eq(all.fault_count, 0);
	} else {
		ck_assert_uint_ne(facts_of("ada")->state, FACTS_MANAGED);
		ck_assert_uint_ge(all.fault_count, 1);
		ck_assert_msg(strstr(all.faults[0], fault) != NULL, "%s", all.faults[0]);
		ck_assert_ptr_nonnull(strstr(all.faults[0], "uid=ada,ou=people"));
		for (const char *p = all.faults[0]; *p != '\0'; p++)
			ck_assert_int_ge(*p, ' ');
	}
	end();
}
END_TEST

static const char *const bad_numbers[] = {
	" 5", "0100", "1e3", "-1", "4294967296", "", "+2000", "0x7d0", "2000 ", "2 000", "18446744073709553616", "\xd9\xa2", "0",
	"999", "61184", "60001", "65535", "4294967295", "2147483648",
};

START_TEST(rp09a_id_numbers)
{
	static const char b64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *in = (const unsigned char *)bad_numbers[_i];
	char line[128] = "uidNumber:: ", *out = line + strlen(line);
	size_t len = strlen(bad_numbers[_i]);

	for (size_t i = 0; i < len; i += 3) {	/* base64 keeps leading spaces */
		unsigned n = (unsigned)in[i] << 16 | (i + 1 < len ? (unsigned)in[i + 1] << 8 : 0) | (i + 2 < len ? in[i + 2] : 0);

		*out++ = b64[n >> 18];
		*out++ = b64[n >> 12 & 63];
		*out++ = i + 1 < len ? b64[n >> 6 & 63] : '=';
		*out++ = i + 2 < len ? b64[n & 63] : '=';
	}
	begin();
	add_changed(len > 0 ? line : "uidNumber:");
	build_after(NULL);
	ck_assert_uint_eq(facts_of("ada")->state, FACTS_BROKEN);
	ck_assert_msg(strstr(facts.fault, "uidNumber") != NULL, "%s", facts.fault);
	ck_assert_uint_eq(facts.uid, 0);
	end();
}
END_TEST

START_TEST(rp10a_attribute_options)
{
	begin();
	add_user("ada", 2000, "uid;lang-en: root\nuidNumber;x: 0\nshadowExpire;y: 0\nuserPassword;z: {CRYPT}$y$j9T$a$b\n");
	build_after(NULL);
	ck_assert_uint_eq(facts_of("ada")->state, FACTS_MANAGED);
	ck_assert_int_eq(facts.not_after_utc_sec, 0);
	ck_assert_uint_eq(facts.password_set, 0);
	ck_assert_uint_eq(all.user_count, 1);
	end();
}
END_TEST

/* ---- ends and locks ---- */

static const struct { const char *lines; int64_t not_after; const char *source; } ends[] = {
	{ "", 0, "" },
	{ "shadowExpire: -1\n", 0, "" },
	{ "shadowExpire: 0\n", 1, "shadowExpire" },
	{ "shadowExpire: 1\n", 86400, "shadowExpire" },
	{ "shadowExpire: 20818\n", 1798675200, "shadowExpire" },
	{ "shadowExpire: 99999\n", 8639913600, "shadowExpire" },
	{ "pwdEndTime: 19700101000000Z\n", 1, "pwdEndTime" },
	{ "pwdEndTime: 20380119031408Z\n", 2147483648, "pwdEndTime" },
	{ "pwdEndTime: 21060207062816Z\n", 4294967296, "pwdEndTime" },
	{ "pwdEndTime: 99991231235959Z\n", 253402300799, "pwdEndTime" },
	{ "ismsNotAfter: 20261231230000Z\n", 1798758000, "ismsNotAfter" },
	{ "krbPrincipalExpiration: 20261231230000Z\n", 1798758000, "krbPrincipalExpiration" },
	{ "accountExpires: 0\n", 0, "" },
	{ "accountExpires: 9223372036854775807\n", 0, "" },
	{ "accountExpires: 1\n", 1, "accountExpires" },
	{ "accountExpires: 116444736000000000\n", 1, "accountExpires" },
	{ "accountExpires: 134432316000000000\n", 1798758000, "accountExpires" },
	{ "pwdEndTime: 20270101000000Z\nshadowExpire: 20818\n", 1798675200, "shadowExpire" },
	{ "pwdEndTime: 20261201000000Z\nshadowExpire: 20818\n", 1796083200, "pwdEndTime" },
	{ "ismsNotAfter: 20261231230001Z\naccountExpires: 134432316000000000\nkrbPrincipalExpiration: 20261231230000Z\n"
	    "shadowExpire: -1\n", 1798758000, "krbPrincipalExpiration" },
};

START_TEST(earliest_end_wins)
{
	begin();
	add_user("ada", 2000, ends[_i].lines);
	build_after(NULL);
	ck_assert_msg(facts_of("ada")->state == FACTS_MANAGED, "%s", facts.fault);
	ck_assert_int_eq(facts.not_after_utc_sec, ends[_i].not_after);
	ck_assert_str_eq(facts.not_after_source, ends[_i].source);
	end();
}
END_TEST

/* 0, -1, absent, today, tomorrow: expired; none (by kind: policy's), none, expired, valid. */
START_TEST(tm02a_shadow_expire)
{
	int64_t now = time(NULL), today = now / 86400;
	char line[64];

	for (int day = -1; day <= 1; day++) {
		begin();
		(void)snprintf(line, sizeof line, "shadowExpire: %lld\n", (long long)(today + day));
		add_user("ada", 2000, line);
		build_after(NULL);
		ck_assert_int_gt(facts_of("ada")->not_after_utc_sec, 0);
		ck_assert_int_eq(facts.not_after_utc_sec > now, day == 1);
		end();
	}
}
END_TEST

static const struct { const char *lines; uint32_t disabled; int64_t locked; uint32_t must_change; int64_t not_before; } locks[] = {
	{ "", 0, 0, 0, 0 },
	{ "nsAccountLock: TRUE\n", 1, 0, 0, 0 },
	{ "nsAccountLock: true\n", 1, 0, 0, 0 },
	{ "nsAccountLock: FALSE\n", 0, 0, 0, 0 },
	{ "userAccountControl: 512\n", 0, 0, 0, 0 },
	{ "userAccountControl: 514\n", 1, 0, 0, 0 },
	{ "nsAccountLock: FALSE\nuserAccountControl: 514\n", 1, 0, 0, 0 },
	{ "pwdAccountLockedTime: 000001010000Z\n", 1, 0, 0, 0 },
	{ "pwdAccountLockedTime: 00000101000000Z\n", 1, 0, 0, 0 },
	{ "pwdAccountLockedTime: 20260101000000Z\n", 0, IDENTITY_LOCKED_FOREVER, 0, 0 },
	{ "pwdAccountLockedTime: 20260101000000Z\npwdAccountTmpLockoutEnd: 20260101010000Z\n", 0, 1767229200, 0, 0 },
	{ "pwdReset: TRUE\n", 0, 0, 1, 0 },
	{ "pwdReset: FALSE\n", 0, 0, 0, 0 },
	{ "pwdStartTime: 20260101000000Z\nismsNotBefore: 20260101000001Z\n", 0, 0, 0, 1767225601 },
	{ "ismsNotBefore: 20260101000000Z\npwdStartTime: 20260101000001Z\n", 0, 0, 0, 1767225601 },
};

START_TEST(any_lock_wins)
{
	begin();
	add_user("ada", 2000, locks[_i].lines);
	build_after(NULL);
	ck_assert_msg(facts_of("ada")->state == FACTS_MANAGED, "%s", facts.fault);
	ck_assert_uint_eq(facts.disabled, locks[_i].disabled);
	ck_assert_int_eq(facts.disabled_source[0] != '\0', locks[_i].disabled != 0);
	ck_assert_int_eq(facts.locked_until_utc_sec, locks[_i].locked);
	ck_assert_uint_eq(facts.must_change, locks[_i].must_change);
	ck_assert_int_eq(facts.not_before_utc_sec, locks[_i].not_before);
	end();
}
END_TEST

static const struct { const char *value; uint32_t set; } passwords[] = {
	{ "{CRYPT}$y$j9T$a$b", 1 }, { "{crypt}$6$a$b", 1 }, { "{CRYPT}!$y$j9T$a$b", 0 }, { "{CRYPT}*", 0 }, { "{CRYPT}", 0 },
	{ "{CRYPT}ab0123456789.", 0 }, { "{SSHA}abc", 0 }, { "secret", 0 },
};

START_TEST(password_set)
{
	char line[64];

	begin();
	(void)snprintf(line, sizeof line, "userPassword: %s\n", passwords[_i].value);
	add_user("ada", 2000, line);
	build_after(NULL);
	ck_assert_uint_eq(facts_of("ada")->state, FACTS_MANAGED);
	ck_assert_uint_eq(facts.password_set, passwords[_i].set);
	end();
}
END_TEST

/* What a person may write into his own entry is made harmless; it never locks him out. */
START_TEST(gecos_made_clean)
{
	begin();
	add_user("ada", 2000, "gecos:: QTpCCkMbWzJK4oKsw/8=\nloginShell;x: y\n");	/* "A:B\nC\e[2J" euro, broken UTF-8 */
	build_after(NULL);
	ck_assert_uint_eq(facts_of("ada")->state, FACTS_MANAGED);
	ck_assert_str_eq(all.users[0].gecos, "A B C [2J\xe2\x82\xac??");
	end();
}
END_TEST

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
	ck_assert_str_eq(facts_of("ada")->groups, "web ops all");
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
	ck_assert_str_eq(facts_of("eve")->groups, "");
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
	ck_assert_ptr_nonnull(strstr(token[0].fault, "does not exist"));
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
		{ good_user, 0 },
		{ hostile_values, ROWS(changes) },
		{ rp09a_id_numbers, ROWS(bad_numbers) },
		{ rp10a_attribute_options, 0 },
		{ earliest_end_wins, ROWS(ends) },
		{ tm02a_shadow_expire, 0 },
		{ any_lock_wins, ROWS(locks) },
		{ password_set, ROWS(passwords) },
		{ gecos_made_clean, 0 },
		{ ld07a_two_entries_of_one_uid, 0 },
		{ names_that_differ_in_case, 0 },
		{ several_uids_in_one_entry, 0 },
		{ one_entry_uuid_twice, 0 },
		{ rp06a_uid_number_twice, 0 },
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

	return suite_run("identity", rows, ROWS(rows), 60);
}

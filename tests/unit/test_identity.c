/*
 * test_identity.c - entries of users as hostile directories write them: ids, names, homes, ends, locks.
 */
#include <config.h>

#include "common/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/unit/identity_maker.h"
#include "tests/unit/suite.h"

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
	{ "homeDirectory: /var/lib/extensions", "homeDirectory" },
	{ "homeDirectory: /srv/ada", "homeDirectory" },
	{ "homeDirectory: /home/in/a/tree", NULL },
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
	{ "ismsLocalAccount: TRUE", NULL },
	{ "homeDirectory: /nonexistent\nismsLocalAccount: TRUE", NULL },
	{ "homeDirectory: /nonexistent\nismsLocalAccount: FALSE", "homeDirectory" },	/* as a host of before the mark sees it */
	{ "ismsLocalAccount: 1", "ismsLocalAccount" },
};

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
		ck_assert_msg(strstr(all.faults[0].text, fault) != NULL, "%s", all.faults[0].text);
		ck_assert_ptr_nonnull(strstr(all.faults[0].text, "uid=ada,ou=people"));
		for (const char *p = all.faults[0].text; *p != '\0'; p++)
			ck_assert_int_ge(*p, ' ');
	}
	end();
}
END_TEST

/* ---- claims ---- */

static char claims[8][IDENTITY_KEY_SIZE + 16];
static size_t claim_count;

static int
note_claim(enum identity_claim kind, const char *key, void *arg)
{
	(void)arg;
	ck_assert_uint_lt(claim_count, sizeof claims / sizeof claims[0]);
	(void)snprintf(claims[claim_count++], sizeof claims[0], "%d %s", (int)kind, key);
	return 0;
}

/* Whether it was told of; then it is not any more. */
static bool
claimed(enum identity_claim kind, const char *key)
{
	char wanted[sizeof claims[0]];

	(void)snprintf(wanted, sizeof wanted, "%d %s", (int)kind, key);
	for (size_t i = 0; i < claim_count; i++) {
		if (strcmp(claims[i], wanted) != 0)
			continue;
		memcpy(claims[i], claims[--claim_count], sizeof claims[0]);
		return true;
	}
	return false;
}

static bool
claimed_id(enum identity_claim kind, uint32_t id)
{
	char text_id[16];

	(void)snprintf(text_id, sizeof text_id, "%u", (unsigned)id);
	return id == 0 || claimed(kind, text_id);
}

/* What is asked of an entry alone is what is made of it, broken or not, and nothing else. */
START_TEST(claims_as_built)
{
	const struct attribute *names;

	begin();
	add_changed(changes[_i].line);
	add("dn: cn=ops,ou=groups," BASE "\nobjectClass: posixGroup\ncn: ops\ngidNumber: 4000\n\n");
	build_after(NULL);
	claim_count = 0;
	ck_assert_int_eq(identity_claims(entries.list[0], &settings, note_claim, NULL), 0);
	names = entry_attribute(entries.list[0], "uid");
	ck_assert_uint_ge(all.user_count, 1);	/* with several uids: one of each, of one entry */
	ck_assert(claimed_id(CLAIM_UID, all.users[0].uid) && claimed_id(CLAIM_PRIMARY_GID, all.users[0].gid));
	ck_assert(claimed(CLAIM_ENTRY_ID, all.users[0].entry_id));
	for (size_t i = 0; names != NULL && i < names->count; i++)
		ck_assert(claimed(CLAIM_NAME, names->values[i].bytes));
	ck_assert_uint_eq(claim_count, 0);
	ck_assert_int_eq(identity_claims(entries.list[1], &settings, note_claim, NULL), 0);
	ck_assert(claimed(CLAIM_GROUP_NAME, "ops") && claimed_id(CLAIM_GID, 4000) && claim_count == 0);
	end();
}
END_TEST

static const char *const bad_numbers[] = {
	" 5", "0100", "1e3", "-1", "4294967296", "", "+2000", "0x7d0", "2000 ", "2 000", "18446744073709553616", "\xd9\xa2", "0",
	"999", "61184", "60001", "65535", "4294967295", "2147483648",
};

/* As many attributes as an entry may have, and one more: whatever was left out may have been a lock. */
START_TEST(many_attributes)
{
	char lines[ENTRY_ATTRIBUTES_MAX * 16];
	size_t count, used = 0;

	begin();
	add_user("ada", 2000, "");
	build_after(NULL);
	count = all.users[0].entry->count;
	end();
	for (; count < ENTRY_ATTRIBUTES_MAX; count++)
		used += (size_t)snprintf(lines + used, sizeof lines - used, "cn;x-%zu: x\n", count);
	for (int more = 0; more < 2; more++) {
		begin();
		if (more != 0)
			(void)snprintf(lines + used, sizeof lines - used, "cn;y: x\n");
		add_user("ada", 2000, lines);
		build_after(NULL);
		ck_assert_uint_eq(facts_of("ada")->state, more != 0 ? FACTS_BROKEN : FACTS_MANAGED);
		ck_assert_int_eq(strstr(facts.fault, "more than 256 attributes") != NULL, more != 0);
		end();
	}
}
END_TEST

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

/* What answers for a user; "" fault: good. */
static const struct { const char *lines, *fault; } cares[] = {
	{ "owner: uid=carol,ou=people," BASE "\n", "" },
	{ "owner: carol\n", "owner \"carol\" is no DN" },
	{ "owner: uid=carol," BASE "\nowner: uid=dan," BASE "\n", "owner must have one" },
	{ "ismsLastUse: 20260101000000Z\n", "" },
	{ "ismsReviewedAt: 20260101000000Z\n", "" },
	{ "ismsReviewedAt: 20261301000000Z\n", "ismsReviewedAt" },
	{ "ismsArmedUntil: 20260101000000Z\nismsArmedBy: uid=carol," BASE "\nismsArmedReason: fire\n", "" },
	{ "ismsArmedUntil: never\n", "ismsArmedUntil" },
	{ "ismsArmedBy: carol\n", "ismsArmedBy" },
	{ "ismsArmedReason: a\nismsArmedReason: b\n", "ismsArmedReason must have one" },
	{ "createTimestamp: 0\n", "createTimestamp" },
};

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJwcbgZh5k/FdMefRGw0mP0bb60T5OtVxV6e73Rk/47Q"
#define KEY_PRINT "SHA256:G6KzWJFdTwHq17+U+jvKyp5Jza4rVoLvj0jks/E74tg"

/* What limits keys is as strict, what is no key is left out. */
static const struct { const char *lines, *fault, *keys, *sources; } keys[] = {
	{ "ismsKey: " KEY "\n", "", KEY_PRINT, "" },
	{ "sshPublicKey: " KEY " a\nismsKey: " KEY " b\nismsKey: no-pty " KEY "\nismsKey: junk\n", "", KEY_PRINT, "" },
	{ "ismsKey: command=\"sh\" " KEY "\n", "", "", "" },
	{ "ismsSource: 192.0.2.0/24\nismsSource: 2001:db8::/32\n", "", "", "192.0.2.0/24 2001:db8::/32" },
	{ "ismsSource: 192.0.2.1/24\n", "ismsSource", "", "" },
	{ "ismsSource: 192.0.2.0/24\nismsSource: local\n", "ismsSource", "", "" },
	{ "ismsSource: backup.example.com\n", "ismsSource", "", "" },
	{ "ismsSource:\n", "ismsSource", "", "" },
	{ "ismsCommand: /bin/backup\n", "", "", "" },
	{ "ismsCommand: /bin/backup\nismsCommand: /bin/sh\n", "ismsCommand must have one", "", "" },
	{ "ismsCommand: /bin/backup \\\n", "ismsCommand", "", "" },
	{ "ismsCommand:: L2Jpbi9iCi9iaW4vc2g=\n", "ismsCommand", "", "" },	/* line end */
	{ "ismsArmedBy: uid=ada,ou=people," BASE "\n", "somebody else must arm it", "", "" },
	{ "ismsArmedBy: UID=Ada, ou=people," BASE "\n", "somebody else must arm it", "", "" },
	{ "ismsArmedBy: userid=ada,ou=people," BASE "\n", "somebody else must arm it", "", "" },
	{ "ismsArmedBy: 0.9.2342.19200300.100.1.1=ada,ou=people," BASE "\n", "somebody else must arm it", "", "" },
	{ "ismsArmedBy: uid=\\61da,organizationalUnitName=people," BASE "\n", "somebody else must arm it", "", "" },
	{ "ismsArmedBy: 0.9.2342.19200300.100.1.1=#0403616461,ou=people," BASE "\n", "ismsArmedBy", "", "" },
	{ "ismsArmedBy: uid=ad,ou=people," BASE "\n", "", "", "" }, { "ismsArmedBy: uid=adam,ou=people," BASE "\n", "", "", "" },
	{ "ismsArmedBy: cn=ada,ou=roles," BASE "\n", "", "", "" }, { "ismsArmedBy: uid=ada," BASE "\n", "", "", "" },
};

START_TEST(key_limits_are_strict)
{
	begin();
	add_user("ada", 2000, keys[_i].lines);
	build_after(NULL);
	ck_assert_uint_eq(facts_of("ada")->state, keys[_i].fault[0] == '\0' ? FACTS_MANAGED : FACTS_BROKEN);
	ck_assert_msg(strstr(facts.fault, keys[_i].fault) != NULL, "%s", facts.fault);
	identity_fact_keys(identities_find(&all, "ada"), &facts);
	ck_assert_str_eq(facts.keys, keys[_i].keys);
	ck_assert_str_eq(facts.sources, keys[_i].sources);
	ck_assert_uint_eq(facts.has_command, keys[_i].fault[0] == '\0' && strstr(keys[_i].lines, "ismsCommand") != NULL);
	end();
}
END_TEST

START_TEST(care_is_strict)
{
	begin();
	add_user("ada", 2000, cares[_i].lines);
	build_after(NULL);
	ck_assert_uint_eq(facts_of("ada")->state, cares[_i].fault[0] == '\0' ? FACTS_MANAGED : FACTS_BROKEN);
	ck_assert_msg(strstr(facts.fault, cares[_i].fault) != NULL, "%s", facts.fault);
	end();
}
END_TEST

/* Hosts write it: the worst that a host can say of somebody is that he was never there. */
START_TEST(last_use_breaks_nobody)
{
	static const struct { const char *value; int64_t utc_sec; } uses[] = {
		{ "20260101000000Z", 1767225600 }, { "19000101000000Z", 0 }, { "00000101000000Z", 0 }, { "20260101000000,9Z", 1767225600 },
		{ "99991231235959+0000", 253402300799 }, { "20260101", 0 }, { "yesterday", 0 },
		{ "20260101000000Z\nismsLastUse: 20260101000001Z", 0 }, { "20260101000000Z\nismsReviewedAt: yesterday", -1 },
	};
	static char line[ENTRY_VALUE_MAX + 128];

	for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++) {
		begin();
		(void)snprintf(line, sizeof line, "ismsLastUse: %s\n", uses[i].value);
		add_user("ada", 2000, line);
		build_after(NULL);
		ck_assert_msg(facts_of("ada")->state == (uses[i].utc_sec < 0 ? FACTS_BROKEN : FACTS_MANAGED), "%s", line);
		ck_assert_msg(uses[i].utc_sec < 0 || facts.last_use_utc_sec == uses[i].utc_sec, "%s", line);
		end();
	}
	for (int own = 0; own < 2; own++) {		/* what is as long in another attribute does break him */
		begin();
		(void)snprintf(line, sizeof line, "%s: 20260101000000.%0*dZ\n", own != 0 ? "gecos" : "ismsLastUse", ENTRY_VALUE_MAX, 0);
		add_user("ada", 2000, line);
		build_after(NULL);
		ck_assert_uint_eq(facts_of("ada")->state, own != 0 ? FACTS_BROKEN : FACTS_MANAGED);
		ck_assert_int_eq(facts.last_use_utc_sec, 0);
		end();
	}
}
END_TEST

START_TEST(care_in_facts)
{
	int64_t end_sec;

	begin();
	add_user("ada", 2000, "owner: uid=carol,ou=people," BASE "\nismsLastUse: 20260101000000Z\n"
	    "ismsReviewedAt: 20260101000001Z\nismsArmedUntil: 20260101000002Z\nismsArmedBy: uid=eve," BASE "\n"
	    "ismsArmedReason: fire\ncreateTimestamp: 20260101000003Z\n");
	add_user("carol", 2001, "ismsNotAfter: 20260601000000Z\n");
	add_user("dan", 2002, "nsAccountLock: TRUE\nismsNotAfter: 20260601000000Z\n");
	build_after(NULL);
	ck_assert_str_eq(facts_of("ada")->owner, "uid=carol,ou=people," BASE);
	ck_assert_int_eq(facts.last_use_utc_sec, 1767225600);
	ck_assert_int_eq(facts.reviewed_at_utc_sec, 1767225601);
	ck_assert_int_eq(facts.armed_until_utc_sec, 1767225602);
	ck_assert_int_eq(facts.created_utc_sec, 1767225603);
	ck_assert_str_eq(facts.armed_by, "uid=eve," BASE);
	ck_assert_str_eq(facts.armed_reason, "fire");
	ck_assert_int_eq(identity_care(NULL, 0, &end_sec), CARE_MISSING);
	ck_assert_int_eq(identity_care(identities_find(&all, "carol"), 1780271999, &end_sec), CARE_VALID);
	ck_assert_int_eq(end_sec, 1780272000);
	ck_assert_int_eq(identity_care(identities_find(&all, "carol"), 1780272000, &end_sec), CARE_ENDED);
	ck_assert_int_eq(identity_care(identities_find(&all, "dan"), 0, &end_sec), CARE_ENDED);
	end();
}
END_TEST

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

int
main(void)
{
	const struct suite_row rows[] = {
		{ good_user, 0 },
		{ hostile_values, ROWS(changes) }, { claims_as_built, ROWS(changes) },
		{ rp09a_id_numbers, ROWS(bad_numbers) }, { many_attributes, 0 },
		{ rp10a_attribute_options, 0 },
		{ earliest_end_wins, ROWS(ends) },
		{ tm02a_shadow_expire, 0 },
		{ care_is_strict, ROWS(cares) }, { key_limits_are_strict, ROWS(keys) }, { care_in_facts, 0 },
		{ last_use_breaks_nobody, 0 },
		{ any_lock_wins, ROWS(locks) },
		{ password_set, ROWS(passwords) },
		{ gecos_made_clean, 0 },
	};

	return suite_run("identity", rows, ROWS(rows), 60);
}

/*
 * test_server_schema.c - entries of Active Directory and 389-ds as their servers write them: SIDs, GUIDs, names, locks.
 */
#include <config.h>

#include "common/active_directory.h"
#include "common/attribute_map.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/identity_maker.h"
#include "tests/unit/suite.h"

#define NEVER	"9223372036854775807"
#define USER	"805306368"
#define GROUP	"268435456"
#define ALIAS	"536870912"
#define DOMAIN	"S-1-5-21-1-2-3"
#define PEOPLE	"cn=users," BASE

/* ---- numbers of a domain ---- */

static const struct { const char *text; int wanted; } ranges[] = {
	{ "none", 0 },
	{ DOMAIN " 200000-399999", 0 },
	{ "S-1-5-21-4294967295-0-3 1000-2147483647", 0 },
	{ "S-1-5-21-1-2-3 200000-200000", 0 },
	{ "", -EINVAL },
	{ "None", -EINVAL },
	{ DOMAIN, -EINVAL },
	{ DOMAIN " ", -EINVAL },
	{ DOMAIN "  200000-399999", -EINVAL },
	{ DOMAIN " 200000", -EINVAL },
	{ DOMAIN " 200000-", -EINVAL },
	{ DOMAIN " 200000-399999 ", -EINVAL },
	{ DOMAIN " 399999-200000", -EINVAL },
	{ DOMAIN " 999-399999", -EINVAL },
	{ DOMAIN " 200000-2147483648", -EINVAL },
	{ DOMAIN " 0200000-399999", -EINVAL },
	{ DOMAIN "-4 200000-399999", -EINVAL },
	{ "S-1-5-21-1-2 200000-399999", -EINVAL },
	{ "S-1-5-20-1-2-3 200000-399999", -EINVAL },
	{ "S-1-1-21-1-2-3 200000-399999", -EINVAL },
	{ "S-2-5-21-1-2-3 200000-399999", -EINVAL },
	{ "s-1-5-21-1-2-3 200000-399999", -EINVAL },
	{ "S-1-5-21-1-2-4294967296 200000-399999", -EINVAL },
	{ "S-1-5-21-1-2--3 200000-399999", -EINVAL },
	{ "S-1-5-21-1-02-3 200000-399999", -EINVAL },
	{ "S-1-281474976710656-21-1-2-3 200000-399999", -EINVAL },
	{ "S-1-5", -EINVAL },
	{ "S-1-", -EINVAL },
	{ "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16 200000-399999", -EINVAL },
};

START_TEST(ranges_of_ids)
{
	struct sid_range range = { .first = 7 };

	ck_assert_int_eq(sid_range_parse(ranges[_i].text, &range), ranges[_i].wanted);
	if (ranges[_i].wanted < 0)
		ck_assert_uint_eq(range.first, 7);
	else
		ck_assert_int_eq(range.there, strcmp(ranges[_i].text, "none") != 0);
}
END_TEST

START_TEST(ids_fit_their_range)
{
	struct sid_range range;
	uint32_t id = 0;

	ck_assert_int_eq(sid_range_parse(DOMAIN " 200000-399999", &range), 0);
	ck_assert_int_eq(sid_range_id(&range, 0, &id), 0);
	ck_assert_uint_eq(id, 200000);
	ck_assert_int_eq(sid_range_id(&range, 1104, &id), 0);
	ck_assert_uint_eq(id, 201104);
	ck_assert_int_eq(sid_range_id(&range, 199999, &id), 0);
	ck_assert_uint_eq(id, 399999);
	ck_assert_int_eq(sid_range_id(&range, 200000, &id), -ERANGE);
	ck_assert_int_eq(sid_range_id(&range, UINT32_MAX, &id), -ERANGE);
	ck_assert_uint_eq(id, 399999);
}
END_TEST

/* S-1-5-21-1-2-3-RID. Returns its bytes. */
static size_t
put_sid(uint8_t buf[static 28], uint32_t domain_last, uint32_t rid)
{
	const uint32_t numbers[] = { 21, 1, 2, domain_last, rid };
	static const uint8_t head[8] = { 1, 5, 0, 0, 0, 0, 0, 5 };

	memcpy(buf, head, sizeof head);
	for (size_t i = 0; i < 5; i++)
		for (size_t k = 0; k < 4; k++)
			buf[8 + 4 * i + k] = (uint8_t)(numbers[i] >> (8 * k));
	return 28;
}

START_TEST(sids_are_read)
{
	struct sid domain, sid = { 0 };
	char written[SID_TEXT_SIZE];
	uint8_t bytes[28];
	uint32_t rid = 0;

	ck_assert_int_eq(sid_parse(DOMAIN, &domain), (int)strlen(DOMAIN));
	ck_assert_int_eq(sid_decode(bytes, put_sid(bytes, 3, 4000000000u), &sid), 0);
	ck_assert_str_eq(sid_format(&sid, written), DOMAIN "-4000000000");
	ck_assert_int_eq(sid_rid(&sid, &domain, &rid), 0);
	ck_assert_uint_eq(rid, 4000000000u);
	ck_assert_int_eq(sid_rid(&domain, &domain, &rid), -EXDEV);
	ck_assert_int_eq(sid_rid(&domain, NULL, &rid), 0);
	ck_assert_int_eq(sid_decode(bytes, put_sid(bytes, 4, 1104), &sid), 0);
	ck_assert_int_eq(sid_rid(&sid, &domain, &rid), -EXDEV);
	ck_assert(!sid_is_builtin(&sid));
	ck_assert_int_eq(sid_parse("S-1-5-32-544", &sid), 12);
	ck_assert(sid_is_builtin(&sid));
	/* Each length and each wrong byte of the head. */
	(void)put_sid(bytes, 3, 1);
	for (size_t len = 0; len < 28; len++)
		ck_assert_int_eq(sid_decode(bytes, len, &sid), -EINVAL);
	bytes[0] = 2;
	ck_assert_int_eq(sid_decode(bytes, 28, &sid), -EINVAL);
	bytes[0] = 1;
	bytes[1] = 0;
	ck_assert_int_eq(sid_decode(bytes, 8, &sid), -EINVAL);
	bytes[1] = 16;
	ck_assert_int_eq(sid_decode(bytes, 28, &sid), -EINVAL);
}
END_TEST

/* ---- a domain ---- */

static struct server_schema schema;

static void
begin_ad(const char *sids, bool fold)
{
	begin();
	(void)snprintf(settings.directory_schema, sizeof settings.directory_schema, "active-directory");
	(void)snprintf(settings.directory_id_from_sid, sizeof settings.directory_id_from_sid, "%s", sids);
	settings.directory_fold_group_names = fold;
	server_schema_init(&schema, &settings);
}

static void
put(struct entry *e, const char *name, const char *value)
{
	ck_assert_int_eq(entry_add_value(e, name, value, strlen(value)), 0);
}

/* An account of the domain, as ldap_entry_take() names its attributes; more is "name: value" lines. */
static struct entry *
account(const char *cn, const char *name, const char *type, uint32_t rid, const char *more)
{
	static const uint8_t guid[16] = { 0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd };
	uint8_t sid[28], own[16];
	char dn[128], line[256];
	struct entry *e;

	(void)snprintf(dn, sizeof dn, "CN=%s,%s", cn, PEOPLE);
	e = entry_new(dn);
	ck_assert_ptr_nonnull(e);
	memcpy(own, guid, sizeof own);
	own[14] = (uint8_t)(rid >> 8);
	own[15] = (uint8_t)rid;
	ck_assert_int_eq(entry_add_value(e, "entryUUID", own, sizeof own), 0);
	ck_assert_int_eq(entry_add_value(e, "objectSid", sid, put_sid(sid, 3, rid)), 0);
	put(e, "objectClass", "top");
	put(e, "objectClass", type == NULL || strcmp(type, USER) == 0 ? "user" : "group");
	put(e, "cn", cn);
	put(e, "uid", name);
	if (type != NULL)
		put(e, "sAMAccountType", type);
	for (const char *at = more; *at != '\0'; at += strcspn(at, "\n") + 1) {
		int len = (int)strcspn(at, ":\n");

		(void)snprintf(line, sizeof line, "%.*s", len, at);
		at += len + 2;
		ck_assert_int_eq(entry_add_value(e, line, at, strcspn(at, "\n")), 0);
	}
	return e;
}

static void
translated(struct entry *e)
{
	ck_assert_int_eq(server_schema_translate(&schema, e), 0);
	ck_assert_int_eq(entries_add(&entries, e), 0);
}

#define GOOD "primaryGroupID: 513\nuserAccountControl: 512\naccountExpires: " NEVER "\nemployeeType: contractor\n" \
	"homeDirectory: /home/ada\nloginShell: /bin/bash\n"

static void
build(void)
{
	ck_assert_int_eq(identities_build(&entries, &settings, &all), 0);
}

START_TEST(a_user_of_a_domain)
{
	const struct facts *f;

	begin_ad(DOMAIN " 200000-399999", true);
	translated(account("Ada Lovelace", "Ada.L", USER, 1104, GOOD "uidNumber: 5\ngidNumber: 6\ndisplayName: Ada L.\n"));
	translated(account("Domain Users", "Domain Users", GROUP, 513, ""));
	translated(account("Web", "Web Deploy", ALIAS, 1200, "member: cn=ada lovelace," PEOPLE "\n"));
	translated(account("All", "all", GROUP, 1201, "member: CN=Web," PEOPLE "\n"));
	translated(account("Old", "old", GROUP, 1202, "memberUid: ada.l\n"));	/* nobody asks for that in a domain */
	build();
	f = facts_of("ada.l");
	ck_assert_msg(f->state == FACTS_MANAGED, "%s", f->fault);
	ck_assert_uint_eq(f->uid, 201104);		/* the server's own numbers are not asked */
	ck_assert_uint_eq(f->gid, 200513);
	ck_assert_str_eq(f->primary_group, "domain_users");
	ck_assert_str_eq(f->groups, "domain_users web_deploy all");
	ck_assert_str_eq(f->entry_id, "00112233-4455-6677-8899-aabbccdd0450");
	ck_assert_str_eq(f->display, "Ada L.");
	ck_assert_int_eq(f->not_after_utc_sec, 0);
	ck_assert_uint_eq(f->disabled, 0);
	ck_assert_int_eq(f->locked_until_utc_sec, 0);
	ck_assert_str_eq(all.users[0].home, "/home/ada");
	ck_assert_uint_eq(all.fault_count, 0);
	ck_assert_ptr_null(entry_attribute(all.users[0].entry, "objectSid"));	/* bytes that nobody can read are not kept */
	end();
}
END_TEST

/* One line instead of that of a good user, "-NAME": without it; NULL fault: still good. */
static const struct { const char *line, *fault; } users[] = {
	{ "uid: ada", NULL },
	{ "uid: ADA", NULL },
	{ "uid: ada lovelace", "cannot be a user's name" },
	{ "uid: \303\204da", "cannot be a user's name" },
	{ "-objectSid", "objectSid is missing" },
	{ "objectSid: x", "objectSid is no SID" },
	{ "-primaryGroupID", "primaryGroupID is missing" },
	{ "primaryGroupID: x", "primaryGroupID is missing or no number" },
	{ "primaryGroupID: 4294967296", "primaryGroupID is missing or no number" },
	{ "primaryGroupID: 99999999999999999999", "primaryGroupID is missing or no number" },
	{ "primaryGroupID: 4294967295", "beyond the range" },
	{ "primaryGroupID: 200000", "beyond the range" },
	{ "primaryGroupID: 199999", NULL },
	{ "-userAccountControl", "userAccountControl is missing" },
	{ "userAccountControl: x", "userAccountControl \"x\"" },
	{ "userAccountControl: -1", "userAccountControl \"-1\"" },
	{ "-accountExpires", "accountExpires is missing: may this host read it?" },
	{ "accountExpires: 0", NULL },
	{ "accountExpires: -1", "accountExpires" },
	{ "accountExpires: 9223372036854775808", "accountExpires" },
	{ "-employeeType", "employeeType is missing" },
	{ "entryUUID: short", "entryUUID" },
	{ "ismsFault: told by the server", "told by the server" },
	{ "lockoutTime: x", "lockoutTime" },
	{ "msDS-User-Account-Control-Computed: x", "msDS-User-Account-Control-Computed" },
	{ "msDS-UserPasswordExpiryTimeComputed: x", "msDS-UserPasswordExpiryTimeComputed" },
};

START_TEST(one_line_of_a_user)
{
	const char *line = users[_i].line, *value = strchr(line, ':');
	const struct identity *user;
	char name[64];
	struct entry *e;

	begin_ad(DOMAIN " 200000-399999", true);
	e = account("Ada", "ada", USER, 1104, GOOD);
	(void)snprintf(name, sizeof name, "%.*s", (int)strcspn(line + (line[0] == '-'), ":"), line + (line[0] == '-'));
	ck_assert_int_eq(entry_set(e, name, NULL), 0);
	if (line[0] != '-')
		put(e, name, value + 2);
	translated(e);
	build();
	ck_assert_uint_eq(all.user_count, 1);
	user = &all.users[0];
	ck_assert_msg((user->state == FACTS_MANAGED) == (users[_i].fault == NULL), "%s", user->fault);
	ck_assert_msg(users[_i].fault == NULL || strstr(user->fault, users[_i].fault) != NULL, "%s", user->fault);
	end();
}
END_TEST

/* What shuts a user out, and since when. 130000000000000000 is 2012-12-14T23:06:40Z. */
static const struct { const char *lines; bool disabled; int64_t locked, not_after, password_end; } windows[] = {
	{ "", false, 0, 0, 0 },
	{ "accountExpires: 130000000000000000\n", false, 0, 1355526400, 0 },
	{ "accountExpires: 1\n", false, 0, 1, 0 },
	{ "accountExpires: 9223372036854775806\n", false, 0, 910692730085, 0 },
	{ "userAccountControl: 514\n", true, 0, 0, 0 },
	{ "userAccountControl: 66050\n", true, 0, 0, 0 },	/* also one whose password never ends */
	{ "userAccountControl: 66048\n", false, 0, 0, 0 },
	{ "lockoutTime: 0\n", false, 0, 0, 0 },
	{ "lockoutTime: 130000000000000000\n", false, IDENTITY_LOCKED_FOREVER, 0, 0 },
	{ "lockoutTime: 130000000000000000\nmsDS-User-Account-Control-Computed: 0\n", false, 0, 0, 0 },	/* it has ended */
	{ "lockoutTime: 130000000000000000\nmsDS-User-Account-Control-Computed: 16\n", false, IDENTITY_LOCKED_FOREVER, 0, 0 },
	{ "msDS-User-Account-Control-Computed: 8388608\n", false, 0, 0, 0 },	/* when, the next one says */
	{ "msDS-UserPasswordExpiryTimeComputed: 0\n", false, 0, 0, 1 },
	{ "msDS-UserPasswordExpiryTimeComputed: " NEVER "\n", false, 0, 0, 0 },
	{ "msDS-UserPasswordExpiryTimeComputed: 130000000000000000\n", false, 0, 0, 1355526400 },
	{ "krbPasswordExpiration: 20121214230640Z\n", false, 0, 0, 1355526400 },
	{ "krbPasswordExpiration: 20121214230640Z\npasswordExpirationTime: 19700101000000Z\n", false, 0, 0, 1 },
	{ "passwordExpirationTime: 20380119031407Z\n", false, 0, 0, 2147483647 },
	{ "krbPrincipalExpiration: 20121214230640Z\n", false, 0, 1355526400, 0 },
	{ "accountUnlockTime: 20121214230640Z\n", false, 1355526400, 0, 0 },
	{ "accountUnlockTime: 19700101000000Z\n", false, IDENTITY_LOCKED_FOREVER, 0, 0 },
	{ "nsAccountLock: TRUE\n", true, 0, 0, 0 },
	{ "nsAccountLock: false\n", false, 0, 0, 0 },
};

START_TEST(windows_and_locks)
{
	const struct identity *user;
	char more[512];

	begin_ad(DOMAIN " 200000-399999", true);
	(void)snprintf(more, sizeof more, "%sprimaryGroupID: 513\nemployeeType: contractor\nhomeDirectory: /home/ada\n%s%s",
	    windows[_i].lines, strstr(windows[_i].lines, "userAccountControl") != NULL ? "" : "userAccountControl: 512\n",
	    strstr(windows[_i].lines, "accountExpires") != NULL ? "" : "accountExpires: 0\n");
	translated(account("Ada", "ada", USER, 1104, more));
	build();
	user = &all.users[0];
	ck_assert_msg(user->state == FACTS_MANAGED, "%s", user->fault);
	ck_assert_int_eq(user->disabled, windows[_i].disabled);
	ck_assert_int_eq(user->locked_until_utc_sec, windows[_i].locked);
	ck_assert_int_eq(user->not_after_utc_sec, windows[_i].not_after);
	ck_assert_int_eq(user->password_end_utc_sec, windows[_i].password_end);
	end();
}
END_TEST

/* Neither users nor groups, whatever their classes say. */
START_TEST(nobody)
{
	struct sid builtin;
	uint8_t bytes[16] = { 1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0 };
	struct entry *e;

	begin_ad(DOMAIN " 200000-399999", true);
	translated(account("PC", "pc1$", "805306369", 1300, GOOD "objectClass: posixAccount\n"));
	translated(account("Trust", "other$", "805306370", 1301, GOOD));
	translated(account("Late", "late$", USER, 1302, GOOD));
	translated(account("Mail", "mail", "268435457", 1303, "member: CN=Ada," PEOPLE "\nobjectClass: posixGroup\n"));
	translated(account("Odd", "odd", "x", 1304, GOOD));
	e = account("Administrators", "Administrators", ALIAS, 544, "member: CN=Ada," PEOPLE "\nmember: CN=Ada2\n");
	ck_assert_int_eq(entry_set(e, "objectSid", NULL), 0);
	ck_assert_int_eq(entry_add_value(e, "objectSid", bytes, sizeof bytes), 0);
	ck_assert_int_eq(sid_decode(bytes, sizeof bytes, &builtin), 0);
	translated(e);
	translated(account("Ada", "ada", USER, 1104, GOOD));
	build();
	ck_assert_uint_eq(all.user_count, 1);
	ck_assert_uint_eq(all.group_count, 0);
	ck_assert_uint_eq(all.fault_count, 0);
	ck_assert_str_eq(facts_of("ada")->groups, "");
	for (size_t i = 0; i < entries.count - 1; i++)
		ck_assert_uint_eq(entries.list[i]->count, 2);	/* entryUUID and sAMAccountType: by them the replica knows it */
	end();
}
END_TEST

/* Ids that the directory says: who has none is not here, and the group that a user names by number has him. */
START_TEST(posix_attributes)
{
	begin_ad("none", false);
	translated(account("Ada", "Ada", USER, 1104, GOOD "uidNumber: 3000\ngidNumber: 3001\n"));
	translated(account("Bob", "bob", USER, 1105, GOOD));
	translated(account("Cyd", "cyd", USER, 1106, GOOD "uidNumber: 3002\n"));
	translated(account("Domain Users", "du", GROUP, 513, "gidNumber: 3003\n"));
	translated(account("No id", "No Id", GROUP, 1200, "member: CN=Ada," PEOPLE "\n"));
	translated(account("Outer", "outer", GROUP, 1201, "gidNumber: 3001\nmember: CN=No id," PEOPLE "\n"));
	translated(account("Loud", "Loud", GROUP, 1202, "gidNumber: 3004\n"));
	build();
	ck_assert_uint_eq(facts_of("ada")->state, FACTS_MANAGED);
	ck_assert_uint_eq(facts.uid, 3000);
	ck_assert_str_eq(facts.primary_group, "outer");
	ck_assert_str_eq(facts.groups, "du outer");
	ck_assert_uint_eq(facts_of("bob")->state, FACTS_UNKNOWN);
	ck_assert_uint_eq(facts_of("cyd")->state, FACTS_BROKEN);
	ck_assert_ptr_nonnull(strstr(facts.fault, "gidNumber is missing"));
	ck_assert_uint_eq(all.fault_count, 2);		/* cyd; and Loud, whose name is not folded */
	end();
}
END_TEST

/* Two names that differ in case and spaces alone are one name here, and nobody's. */
START_TEST(folded_names_collide)
{
	begin_ad(DOMAIN " 200000-399999", true);
	translated(account("Ada", "ada", USER, 1104, GOOD));
	translated(account("A", "Web Deploy", GROUP, 1200, "member: CN=Ada," PEOPLE "\n"));
	translated(account("B", "web_deploy", GROUP, 1201, ""));
	build();
	ck_assert_uint_eq(facts_of("ada")->state, FACTS_BROKEN);
	ck_assert_ptr_nonnull(strstr(facts.fault, "in doubt"));
	end();
}
END_TEST

/* Another domain has the same numbers. */
START_TEST(another_domain)
{
	struct entry *e;
	uint8_t sid[28];

	begin_ad(DOMAIN " 200000-399999", true);
	e = account("Eve", "eve", USER, 1105, GOOD);
	ck_assert_int_eq(entry_set(e, "objectSid", NULL), 0);
	ck_assert_int_eq(entry_add_value(e, "objectSid", sid, put_sid(sid, 4, 1104)), 0);
	translated(e);
	translated(account("Ada", "ada", USER, 1104, GOOD));
	build();
	ck_assert_uint_eq(facts_of("eve")->state, FACTS_BROKEN);
	ck_assert_ptr_nonnull(strstr(facts.fault, "objectSid S-1-5-21-1-2-4-1104 is not of the domain"));
	ck_assert_uint_eq(facts_of("ada")->state, FACTS_MANAGED);
	ck_assert_uint_eq(facts.uid, 201104);
	end();
}
END_TEST

/* What is dropped must not hide that there is too much. */
START_TEST(too_many_attributes)
{
	struct entry *e;
	char name[32];

	begin_ad(DOMAIN " 200000-399999", true);
	e = account("Ada", "ada", USER, 1104, GOOD);
	for (int i = 0; e->count <= ENTRY_ATTRIBUTES_MAX; i++) {
		(void)snprintf(name, sizeof name, "cn;x-%d", i);
		put(e, name, "x");
	}
	translated(e);
	build();
	ck_assert_ptr_nonnull(strstr(facts_of("ada")->fault, "more than 256 attributes"));
	end();
}
END_TEST

/* An entry that is no account keeps what it has: a token, for one. */
START_TEST(other_entries_stay)
{
	struct entry *e;

	begin_ad(DOMAIN " 200000-399999", true);
	e = account("Token", "x", NULL, 7, "oathOTPLength: 6\n");
	translated(e);
	ck_assert_str_eq(entry_value(e, "oathOTPLength"), "6");
	ck_assert_str_eq(entry_value(e, "uid"), "x");
	ck_assert_str_eq(entry_value(e, "entryUUID"), "00112233-4455-6677-8899-aabbccdd0007");
	end();
}
END_TEST

/* ---- homes and shells ---- */

START_TEST(templates)
{
	static const char with[] = "primaryGroupID: 513\nuserAccountControl: 512\naccountExpires: 0\n"
	    "employeeType: contractor\n";

	begin_ad(DOMAIN " 200000-399999", true);
	translated(account("Ada", "Ada", USER, 1104, with));
	build();
	ck_assert_ptr_nonnull(strstr(facts_of("ada")->fault, "homeDirectory is missing"));
	end();
	begin_ad(DOMAIN " 200000-399999", true);
	(void)snprintf(settings.nss_home_template, sizeof settings.nss_home_template, "/home/corp/%%u/unix");
	(void)snprintf(settings.nss_default_shell, sizeof settings.nss_default_shell, "/bin/bash");
	translated(account("Ada", "Ada", USER, 1104, with));
	translated(account("Bob", "bob", USER, 1105, GOOD));
	translated(account("Cyd", "cyd", USER, 1106, GOOD "homeDirectory: /home/cyd\n"));
	build();
	ck_assert_uint_eq(facts_of("ada")->state, FACTS_MANAGED);
	ck_assert_str_eq(identities_find(&all, "ada")->home, "/home/corp/ada/unix");
	ck_assert_str_eq(identities_find(&all, "ada")->shell, "/bin/bash");
	ck_assert_str_eq(identities_find(&all, "bob")->home, "/home/ada");
	ck_assert_uint_eq(facts_of("cyd")->state, FACTS_BROKEN);	/* two homes are not none */
	end();
}
END_TEST

/* ---- 389-ds ---- */

static const struct { const char *theirs, *ours; } unique_ids[] = {
	{ "66446001-1dd211b2-66445f01-02cd0001", "66446001-1dd2-11b2-6644-5f0102cd0001" },
	{ "00112233-4455-6677-8899-aabbccddeeff", "00112233-4455-6677-8899-aabbccddeeff" },
	{ "66446001-1dd211b2-66445f01_02cd0001", "66446001-1dd211b2-66445f01_02cd0001" },
	{ "6644600-11dd211b2-66445f01-02cd0001", "6644600-11dd211b2-66445f01-02cd0001" },
};

START_TEST(unique_ids_are_uuids)
{
	struct server_schema ds = { .kind = SERVER_389 };
	struct entry *e = entry_new("uid=ada," BASE);

	put(e, "entryUUID", unique_ids[_i].theirs);
	ck_assert_int_eq(server_schema_translate(&ds, e), 0);
	ck_assert_str_eq(entry_value(e, "entryUUID"), unique_ids[_i].ours);
	entry_free(e);
}
END_TEST

/* ---- names ---- */

START_TEST(names_of_kinds)
{
	struct attribute_map map;
	char fault[256];

	begin_ad("none", false);
	ck_assert_int_eq(attribute_map_of(&map, &settings, fault, sizeof fault), 0);
	ck_assert_str_eq(attribute_map_theirs(&map, "uid"), "sAMAccountName");
	ck_assert_str_eq(attribute_map_ours(&map, "objectguid"), "entryUUID");
	ck_assert_ptr_null(attribute_map_ours(&map, "homeDirectory"));	/* a share of Windows */
	(void)snprintf(settings.directory_attribute_map, sizeof settings.directory_attribute_map,
	    "employeeType=extensionAttribute1 uid=mailNickname");
	ck_assert_int_eq(attribute_map_of(&map, &settings, fault, sizeof fault), 0);
	ck_assert_str_eq(attribute_map_theirs(&map, "uid"), "mailNickname");
	ck_assert_str_eq(attribute_map_theirs(&map, "employeeType"), "extensionAttribute1");
	ck_assert_str_eq(attribute_map_theirs(&map, "entryUUID"), "objectGUID");
	ck_assert_str_eq(attribute_map_ours(&map, "sAMAccountName"), "sAMAccountName");
	(void)snprintf(settings.directory_attribute_map, sizeof settings.directory_attribute_map, "cn=sAMAccountName");
	ck_assert_int_eq(attribute_map_of(&map, &settings, fault, sizeof fault), -EINVAL);
	ck_assert_ptr_nonnull(strstr(fault, "each name may stand once"));
	(void)snprintf(settings.directory_schema, sizeof settings.directory_schema, "389-ds");
	ck_assert_int_eq(attribute_map_of(&map, &settings, fault, sizeof fault), 0);
	ck_assert_str_eq(attribute_map_theirs(&map, "entryUUID"), "nsUniqueId");
	(void)snprintf(settings.directory_schema, sizeof settings.directory_schema, "rfc2307");
	(void)snprintf(settings.directory_attribute_map, sizeof settings.directory_attribute_map, "none");
	ck_assert_int_eq(attribute_map_of(&map, &settings, fault, sizeof fault), 0);
	ck_assert_uint_eq(map.count, 0);
	end();
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ ranges_of_ids, ROWS(ranges) }, { ids_fit_their_range, 0 }, { sids_are_read, 0 }, { a_user_of_a_domain, 0 },
		{ one_line_of_a_user, ROWS(users) }, { windows_and_locks, ROWS(windows) }, { nobody, 0 }, { posix_attributes, 0 },
		{ folded_names_collide, 0 }, { another_domain, 0 }, { too_many_attributes, 0 }, { other_entries_stay, 0 },
		{ templates, 0 }, { unique_ids_are_uuids, ROWS(unique_ids) }, { names_of_kinds, 0 },
	};

	return suite_run("server schema", rows, ROWS(rows), 20);
}

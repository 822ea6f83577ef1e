/*
 * test_publisher_check.c - which records of a roster are refused and why; who keeps what two entries claim.
 */
#include <config.h>

#include "daemon/publisher_check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/publisher_judge.h"
#include "daemon/publisher_refusals.h"
#include "daemon/snapshot_write.h"
#include "tests/unit/roster_maker.h"
#include "tests/unit/suite.h"

static char folder[64];
static struct settings settings;
static struct local_accounts local;

static const char passwd_text[] =
    "root:x:0:0:root:/root:/bin/bash\n"
    "isms:x:990:990::/:/usr/sbin/nologin\n"
    "# a comment\n"
    "broken line\n"
    "bob:x:1500:1500:Bob:/home/bob:/bin/bash\n";
static const char group_text[] =
    "root:x:0:\n"
    "sudo:x:27:bob,ada\n"
    "docker:x:998:\n"
    "bob:x:1500:\n"
    "isms-mfa:x:991:\n";
static const char subuid_text[] = "bob:300000:65536\n1500:400000:1\n";
static const char subgid_text[] = "bob:310000:10\n";

static void
write_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static void
remove_file(const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	(void)unlink(path);
}

static void
set_paths(struct paths *ret)
{
	*ret = (struct paths){ 0 };
	(void)snprintf(ret->passwd, sizeof ret->passwd, "%s/passwd", folder);
	(void)snprintf(ret->group, sizeof ret->group, "%s/group", folder);
	(void)snprintf(ret->subuid, sizeof ret->subuid, "%s/subuid", folder);
	(void)snprintf(ret->subgid, sizeof ret->subgid, "%s/subgid", folder);
}

static void
begin(void)
{
	struct paths paths;

	(void)snprintf(folder, sizeof folder, "%s/isms-check-XXXXXX", suite_folder());
	ck_assert_ptr_nonnull(mkdtemp(folder));
	write_file("passwd", passwd_text);
	write_file("group", group_text);
	write_file("subuid", subuid_text);
	write_file("subgid", subgid_text);
	set_paths(&paths);
	settings_defaults(&settings);
	ck_assert_int_eq(local_accounts_load(&paths, &local), 0);
}

static void
end(void)
{
	static const char *const names[] = { "passwd", "group", "subuid", "subgid", SNAPSHOT_BASE_NAME, SNAPSHOT_EPOCH_NAME };

	local_accounts_done(&local);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		remove_file(names[i]);
	ck_assert_int_eq(rmdir(folder), 0);
}

/* What comes of a whole roster. */
struct verdicts {
	uint32_t users, groups;		/* accepted */
	uint64_t first_user, first_group;	/* keys of one of them, if any */
	struct refusals refusals;
};

static void
note_accepted(const struct register_book *book, enum register_kind kind, uint32_t *ret_count, uint64_t *ret_key)
{
	*ret_count = book->tables[kind].accepted;
	for (uint32_t i = 0; i < book->tables[kind].end; i++)
		if ((register_at(book, kind, i)->bits & RECORD_ACCEPTED) != 0)
			*ret_key = register_at(book, kind, i)->key;
}

static void
judge(struct roster *roster, const struct snapshot *previous, struct verdicts *ret)
{
	const struct judge_in in = { .settings = &settings, .local = &local, .previous = previous };
	struct register_edit edit;
	struct register_book *book;
	struct judging j;

	*ret = (struct verdicts){ 0 };
	ck_assert_int_eq(register_new(&book), 0);
	ck_assert_int_eq(register_edit_prepare(book, roster, &edit), 0);
	ck_assert_int_eq(publisher_judge_prepare(book, &edit, &in, &j), 0);
	publisher_judge_run(&j);
	publisher_refusals_take(&ret->refusals, &j);
	note_accepted(book, REGISTER_USERS, &ret->users, &ret->first_user);
	note_accepted(book, REGISTER_GROUPS, &ret->groups, &ret->first_group);
	publisher_judge_done(&j);
	register_edit_done(&edit);
	register_free(book);
}

/* ---- one record at a time ---- */

static const struct {
	struct roster_user user;
	enum refusal why;
} users[] = {
	{ { .name = "ada", .uid = 2000, .gid = 2000 }, REFUSAL_NONE },
	{ { .name = "a.b-c_9", .uid = 65536, .gid = 524287 }, REFUSAL_NONE },
	{ { .name = "ada", .uid = 0, .gid = 2000 }, REFUSAL_RANGE },
	{ { .name = "ada", .uid = 999, .gid = 2000 }, REFUSAL_RANGE },
	{ { .name = "ada", .uid = 61184, .gid = 2000 }, REFUSAL_RANGE },
	{ { .name = "ada", .uid = 65534, .gid = 2000 }, REFUSAL_RANGE },
	{ { .name = "ada", .uid = 65535, .gid = 2000 }, REFUSAL_RANGE },
	{ { .name = "ada", .uid = 524288, .gid = 2000 }, REFUSAL_RANGE },
	{ { .name = "ada", .uid = UINT32_MAX, .gid = 2000 }, REFUSAL_RANGE },
	{ { .name = "ada", .uid = 1500, .gid = 2000 }, REFUSAL_LOCAL_ID },
	{ { .name = "bob", .uid = 2000, .gid = 2000 }, REFUSAL_LOCAL_NAME },
	{ { .name = "root", .uid = 2000, .gid = 2000 }, REFUSAL_NAME },	/* the floor of the reader */
	{ { .name = "isms", .uid = 2000, .gid = 2000 }, REFUSAL_RESERVED },
	{ { .name = "isms-dir", .uid = 2000, .gid = 2000 }, REFUSAL_RESERVED },
	{ { .name = "ada", .uid = 2000, .gid = 0 }, REFUSAL_PRIMARY_RANGE },
	{ { .name = "ada", .uid = 2000, .gid = 27 }, REFUSAL_PRIMARY_RANGE },
	{ { .name = "ada", .uid = 2000, .gid = 1500 }, REFUSAL_PRIMARY_LOCAL },
	{ { .name = "ada", .uid = 299999, .gid = 309999 }, REFUSAL_NONE },
	{ { .name = "ada", .uid = 300000, .gid = 300000 }, REFUSAL_SUBORDINATE },
	{ { .name = "ada", .uid = 365535, .gid = 2000 }, REFUSAL_SUBORDINATE },
	{ { .name = "ada", .uid = 365536, .gid = 365536 }, REFUSAL_NONE },
	{ { .name = "ada", .uid = 400000, .gid = 2000 }, REFUSAL_SUBORDINATE },
	{ { .name = "ada", .uid = 2000, .gid = 310000 }, REFUSAL_PRIMARY_SUBORDINATE },
	{ { .name = "ada", .uid = 2000, .gid = 310009 }, REFUSAL_PRIMARY_SUBORDINATE },
	{ { .name = "ada", .uid = 310010, .gid = 310010 }, REFUSAL_SUBORDINATE },
	{ { .name = "", .uid = 2000, .gid = 2000 }, REFUSAL_NAME },
	{ { .name = "Ada", .uid = 2000, .gid = 2000 }, REFUSAL_NAME },
	{ { .name = "-ada", .uid = 2000, .gid = 2000 }, REFUSAL_NAME },
	{ { .name = "1000", .uid = 2000, .gid = 2000 }, REFUSAL_NAME },
	{ { .name = "ada:x", .uid = 2000, .gid = 2000 }, REFUSAL_NAME },
	{ { .name = "ad\xc3\xa4", .uid = 2000, .gid = 2000 }, REFUSAL_NAME },
	{ { .name = "a23456789012345678901234567890123", .uid = 2000, .gid = 2000 }, REFUSAL_NAME },
	{ { .name = "ada", .uid = 2000, .gid = 2000, .home = "/root" }, REFUSAL_HOME },
	{ { .name = "ada", .uid = 2000, .gid = 2000, .home = "" }, REFUSAL_HOME },
	{ { .name = "ada", .uid = 2000, .gid = 2000, .home = "/home/bob" }, REFUSAL_LOCAL_HOME },
	{ { .name = "ada", .uid = 2000, .gid = 2000, .home = "/home/bob/.config/systemd" }, REFUSAL_LOCAL_HOME },
	{ { .name = "ada", .uid = 2000, .gid = 2000, .home = "/home/bobby" }, REFUSAL_NONE },
	{ { .name = "ada", .uid = 2000, .gid = 2000, .home = "/home/in/a/tree" }, REFUSAL_NONE },
	/* Folders of services whose content root acts on: pam_mkhomedir would make them as root and give them away. */
	{ { .name = "ada", .uid = 2000, .gid = 2000, .home = "/srv/in/a/tree" }, REFUSAL_HOME },
	{ { .name = "ada", .uid = 2000, .gid = 2000, .home = "/var/lib/extensions" }, REFUSAL_HOME },
	{ { .name = "ada", .uid = 2000, .gid = 2000, .home = "/var/lib/polkit-1/localauthority/60-x.d" }, REFUSAL_HOME },
};

START_TEST(each_user)
{
	struct verdicts check;
	struct roster *roster;

	begin();
	roster = roster_maker_open(NULL, 0, &users[_i].user, 1);
	judge(roster, NULL, &check);
	ck_assert_uint_eq(check.users, users[_i].why == REFUSAL_NONE);
	ck_assert_uint_eq(check.refusals.count, users[_i].why != REFUSAL_NONE);
	if (users[_i].why != REFUSAL_NONE) {
		ck_assert_int_eq(check.refusals.listed[0].why, users[_i].why);
		ck_assert_uint_eq(check.refusals.listed[0].id, users[_i].user.uid);
		ck_assert_int_eq(check.refusals.listed[0].kind, REGISTER_USERS);
	}
	roster_free(roster);
	end();
}
END_TEST

static const struct {
	struct roster_group group;
	enum refusal why;
} groups[] = {
	{ { .name = "web-deploy", .gid = 3000 }, REFUSAL_NONE },
	{ { .name = "docker", .gid = 3000 }, REFUSAL_LOCAL_NAME },
	{ { .name = "sudo", .gid = 27 }, REFUSAL_LOCAL_NAME },
	{ { .name = "wheel", .gid = 0 }, REFUSAL_RANGE },
	{ { .name = "wheel", .gid = 27 }, REFUSAL_RANGE },
	{ { .name = "wheel", .gid = 1500 }, REFUSAL_LOCAL_ID },
	{ { .name = "web", .gid = 300000 }, REFUSAL_NONE },
	{ { .name = "web", .gid = 310005 }, REFUSAL_SUBORDINATE },
	{ { .name = "isms-mfa", .gid = 3000 }, REFUSAL_RESERVED },
	{ { .name = "isms-service", .gid = 3000 }, REFUSAL_RESERVED },
	{ { .name = "Web Deploy", .gid = 3000 }, REFUSAL_NAME },
};

START_TEST(each_group)
{
	struct verdicts check;
	struct roster *roster;

	begin();
	roster = roster_maker_open(&groups[_i].group, 1, NULL, 0);
	judge(roster, NULL, &check);
	ck_assert_uint_eq(check.groups, groups[_i].why == REFUSAL_NONE);
	if (groups[_i].why != REFUSAL_NONE) {
		ck_assert_int_eq(check.refusals.listed[0].why, groups[_i].why);
		ck_assert_int_eq(check.refusals.listed[0].kind, REGISTER_GROUPS);
	}
	roster_free(roster);
	end();
}
END_TEST

/* ---- several that claim one thing ---- */

/* Publish a user and group web = 3000, and open it. */
static void
publish_user(const char *name, uint32_t uid, const char *home, struct snapshot *ret)
{
	const struct snapshot_header_in header = { .generation = 1, .created_utc_sec = 1, .valid_until_utc_sec = 2,
		.contact = "" };
	struct snapshot_builder *b = snapshot_builder_new();
	char path[128];

	ck_assert_ptr_nonnull(b);
	ck_assert_int_eq(snapshot_builder_add_group(b, 3000, "web"), 0);
	ck_assert_int_eq(snapshot_builder_add_user(b, uid, 2000, name, "", home, "/bin/sh", NULL, 0), 0);
	ck_assert_int_eq(snapshot_builder_publish(b, folder, &header), 0);
	snapshot_builder_free(b);
	(void)snprintf(path, sizeof path, "%s/%s", folder, SNAPSHOT_BASE_NAME);
	ck_assert_int_eq(snapshot_open(path, geteuid(), ret), 0);
}

static void
publish(struct snapshot *ret)
{
	publish_user("ada", 2000, "/home/ada", ret);
}

struct claim {
	const char *name;
	uint32_t id;
	enum refusal first, later;	/* without, and with ada = 2000 (web = 3000) published */
};

static const struct claim user_claims[][3] = {
	{ { "ada", 2000, REFUSAL_ID_TWICE, REFUSAL_NONE }, { "eve", 2000, REFUSAL_ID_TWICE, REFUSAL_ID_TWICE },
	    { "joe", 2002, REFUSAL_NONE, REFUSAL_NONE } },
	{ { "eve", 2000, REFUSAL_ID_TWICE, REFUSAL_ID_TWICE }, { "ada", 2000, REFUSAL_ID_TWICE, REFUSAL_NONE },
	    { "zoe", 2000, REFUSAL_ID_TWICE, REFUSAL_ID_TWICE } },
	{ { "ada", 2000, REFUSAL_NAME_TWICE, REFUSAL_NONE }, { "ada", 2001, REFUSAL_NAME_TWICE, REFUSAL_NAME_TWICE },
	    { "joe", 2002, REFUSAL_NONE, REFUSAL_NONE } },
	/* Two that are equal to what is published: nobody can say which of them it is. */
	{ { "ada", 2000, REFUSAL_NAME_TWICE, REFUSAL_NAME_TWICE }, { "ada", 2000, REFUSAL_NAME_TWICE, REFUSAL_NAME_TWICE },
	    { "joe", 2002, REFUSAL_NONE, REFUSAL_NONE } },
	/* Newcomers among themselves: none of them held anything. */
	{ { "eve", 2001, REFUSAL_ID_TWICE, REFUSAL_ID_TWICE }, { "joe", 2001, REFUSAL_ID_TWICE, REFUSAL_ID_TWICE },
	    { "ada", 2000, REFUSAL_NONE, REFUSAL_NONE } },
	/* The holder changed his number and meets another newcomer there: neither held it. */
	{ { "ada", 2001, REFUSAL_ID_TWICE, REFUSAL_ID_TWICE }, { "eve", 2001, REFUSAL_ID_TWICE, REFUSAL_ID_TWICE },
	    { "joe", 2002, REFUSAL_NONE, REFUSAL_NONE } },
};

static enum refusal
why_refused(const struct verdicts *check, const char *name, uint32_t id)
{
	for (uint32_t i = 0; i < check->refusals.listed_count; i++) {
		if (strcmp(check->refusals.listed[i].name, name) == 0 && check->refusals.listed[i].id == id)
			return check->refusals.listed[i].why;
	}
	return REFUSAL_NONE;
}

START_TEST(rp06a_uid_dup)
{
	const struct claim *claims = user_claims[_i];
	struct snapshot published;
	struct roster_user list[3] = { 0 };
	struct roster *roster;

	begin();
	publish(&published);
	for (size_t i = 0; i < 3; i++)
		list[i] = (struct roster_user){ .name = claims[i].name, .uid = claims[i].id, .gid = 2000 };
	roster = roster_maker_open(NULL, 0, list, 3);
	for (int later = 0; later < 2; later++) {
		struct verdicts check;
		uint32_t accepted = 0;

		judge(roster, later ? &published : NULL, &check);
		for (size_t i = 0; i < 3; i++) {
			enum refusal want = later ? claims[i].later : claims[i].first;

			ck_assert_int_eq(why_refused(&check, claims[i].name, claims[i].id), want);
			accepted += want == REFUSAL_NONE;
		}
		ck_assert_uint_eq(check.users, accepted);
	}
	roster_free(roster);
	snapshot_close(&published);
	end();
}
END_TEST

/* u0 and u1 with these homes; who is published before: nobody, u0, u1. */
static const struct nested { const char *home[2]; enum refusal why[3][2]; } nested[] = {
	{ { "/home/a", "/home/a/b" }, { { REFUSAL_NONE, REFUSAL_NESTED_HOME }, { REFUSAL_NONE, REFUSAL_NESTED_HOME },
	    { REFUSAL_NESTED_HOME, REFUSAL_NONE } } },
	{ { "/home/a/", "/home/a/b/c" }, { { REFUSAL_NONE, REFUSAL_NESTED_HOME }, { REFUSAL_NONE, REFUSAL_NESTED_HOME },
	    { REFUSAL_NESTED_HOME, REFUSAL_NONE } } },
	{ { "/home/a/b", "/home/a" }, { { REFUSAL_NESTED_HOME, REFUSAL_NONE }, { REFUSAL_NONE, REFUSAL_NESTED_HOME },
	    { REFUSAL_NESTED_HOME, REFUSAL_NONE } } },
	{ { "/home/a", "/home/a" }, { { 0 } } }, { { "/home/a", "/home/a/" }, { { 0 } } },
	{ { "/home/a", "/home/ab" }, { { 0 } } }, { { "/home/a", "/home/a-b/c" }, { { 0 } } },
	{ { "/home/a", "/home/a b/c" }, { { 0 } } }, { { "/home/a/b", "/home/a/c" }, { { 0 } } },
};

START_TEST(nested_homes)
{
	static const char *const names[] = { "u0", "u1" };
	struct roster_user list[3] = { 0 };
	struct roster *roster;

	begin();
	for (size_t i = 0; i < 2; i++)
		list[i] = (struct roster_user){ .name = names[i], .uid = 2000 + (uint32_t)i, .gid = 2000, .home = nested[_i].home[i] };
	list[2] = (struct roster_user){ .name = "joe", .uid = 2002, .gid = 2000, .home = "/home/a.b" };	/* sorts between them by bytes */
	roster = roster_maker_open(NULL, 0, list, 3);
	for (size_t held = 0; held < 3; held++) {
		struct verdicts check;
		struct snapshot published = { 0 };

		if (held > 0)
			publish_user(names[held - 1], list[held - 1].uid, list[held - 1].home, &published);
		judge(roster, held > 0 ? &published : NULL, &check);
		for (size_t i = 0; i < 2; i++)
			ck_assert_int_eq(why_refused(&check, names[i], list[i].uid), nested[_i].why[held][i]);
		ck_assert_int_eq(why_refused(&check, "joe", 2002), REFUSAL_NONE);
		snapshot_close(&published);
	}
	roster_free(roster);
	end();
}
END_TEST

START_TEST(group_twice)
{
	const struct roster_group list[] = { { .gid = 3000, .name = "intruder" }, { .gid = 3000, .name = "web" },
		{ .gid = 3001, .name = "web" } };
	struct verdicts check;
	struct snapshot published;
	struct roster *roster;

	begin();
	publish(&published);
	roster = roster_maker_open(list, 3, NULL, 0);
	judge(roster, NULL, &check);
	ck_assert_uint_eq(check.groups, 0);
	judge(roster, &published, &check);
	ck_assert_uint_eq(check.groups, 1);
	ck_assert_uint_eq(check.first_group, 2);
	ck_assert_int_eq(why_refused(&check, "intruder", 3000), REFUSAL_ID_TWICE);
	ck_assert_int_eq(why_refused(&check, "web", 3001), REFUSAL_NAME_TWICE);
	roster_free(roster);
	snapshot_close(&published);
	end();
}
END_TEST

START_TEST(many_refused)
{
	enum { MANY = REFUSALS_LISTED_MAX + 50 };
	static struct roster_user list[MANY + 1];
	struct verdicts check;
	struct roster *roster;

	begin();
	for (size_t i = 0; i < MANY; i++)
		list[i] = (struct roster_user){ .name = "Refused", .uid = (uint32_t)i, .gid = 2000 };
	list[MANY] = (struct roster_user){ .name = "ada", .uid = 2000, .gid = 2000 };
	roster = roster_maker_open(NULL, 0, list, MANY + 1);
	judge(roster, NULL, &check);
	ck_assert_uint_eq(check.refusals.count, MANY);
	ck_assert_uint_eq(check.refusals.listed_count, REFUSALS_LISTED_MAX);
	ck_assert_uint_eq(check.users, 1);
	ck_assert_uint_eq(check.first_user, MANY + 1);
	roster_free(roster);
	end();
}
END_TEST

/* ---- values ---- */

static const struct { const char *home; bool allowed; } homes[] = {
	{ "/home/ada", true }, { "/home/ada/", true }, { "/srv/www/ada", true }, { "/home/\xc3\xa4", true },
	{ "/home/.hidden", true }, { "/home/a..b", true },
	{ "/home", false }, { "/home/", false }, { "/", false }, { "", false }, { "home/ada", false },
	{ "/homeless/ada", false }, { "/root", false }, { "/etc", false }, { "/home/../etc", false },
	{ "/home/ada/..", false }, { "/home/./ada", false }, { "/home//ada", false }, { "/home/ada//", false },
	{ "/home/a:b", false }, { "/home/a\x01" "b", false }, { "/home/a\x7f", false }, { "/home/a\xff", false },
	{ "/home/a\xc2\x9b", false },
	{ "/home/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/23/24/25/26/27/28/29/30/31/32", true },
	{ "/home/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/23/24/25/26/27/28/29/30/31/32/33", false },
};

START_TEST(each_home)
{
	ck_assert_int_eq(publisher_home_allowed(homes[_i].home, "/home/ /srv/ /var/lib"), homes[_i].allowed);
}
END_TEST

START_TEST(home_prefix_without_slash)
{
	ck_assert(publisher_home_allowed("/data/ada", "/data"));
	ck_assert(!publisher_home_allowed("/database/ada", "/data"));
	ck_assert(!publisher_home_allowed("/data", "/data"));
	ck_assert(!publisher_home_allowed("/data/ada", ""));
}
END_TEST

START_TEST(shells)
{
	ck_assert_str_eq(publisher_shell("/bin/bash", "/bin/sh /bin/bash"), "/bin/bash");
	ck_assert_str_eq(publisher_shell("/bin/bas", "/bin/sh /bin/bash"), PUBLISHER_NOLOGIN);
	ck_assert_str_eq(publisher_shell("/bin/sh /bin/bash", "/bin/sh /bin/bash"), PUBLISHER_NOLOGIN);
	ck_assert_str_eq(publisher_shell("", "/bin/sh /bin/bash"), PUBLISHER_NOLOGIN);
	ck_assert_str_eq(publisher_shell("/bin/sh", ""), PUBLISHER_NOLOGIN);
}
END_TEST

static const struct { const char *gecos, *clean; } texts[] = {
	{ "Ada Lovelace,,,", "Ada Lovelace,,," }, { "", "" }, { "Zo\xc3\xab", "Zo\xc3\xab" },
	{ "a:b:c", "a?b?c" }, { "a\nb", "a?b" }, { "a\x1b[2J", "a?[2J" }, { "\x7f", "?" },
	{ "\xff\xfe", "??" }, { "a\xc2\x9b" "b", "a??b" }, { "\xe2\x82", "??" }, { "\xed\xa0\x80", "???" },
	{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" }, { "\xf4\x90\x80\x80", "????" },
};

START_TEST(each_gecos)
{
	char clean[PUBLISHER_GECOS_MAX + 1];

	ck_assert_str_eq(publisher_gecos(texts[_i].gecos, clean), texts[_i].clean);
}
END_TEST

START_TEST(long_gecos)
{
	char text[ROSTER_STR_MAX + 1], clean[PUBLISHER_GECOS_MAX + 1];

	for (size_t i = 0; i < sizeof text - 1; i += 2)
		memcpy(text + i, "\xc3\xab", 2);
	text[sizeof text - 2] = '\0';
	ck_assert_uint_eq(strlen(publisher_gecos(text, clean)), PUBLISHER_GECOS_MAX - 1);	/* cut at a character */
}
END_TEST

START_TEST(every_refusal_has_a_text)
{
	for (enum refusal why = REFUSAL_NONE; why < REFUSAL_COUNT; why++) {
		ck_assert_uint_gt(strlen(refusal_text(why, false)), 10);
		ck_assert_uint_lt(strlen(refusal_text(why, false)), 160);
	}
	ck_assert_str_eq(refusal_text(REFUSAL_COUNT, false), "refused");
}
END_TEST

START_TEST(local_files)
{
	struct local_accounts again = { 0 };
	const struct local_group *sudo;
	struct paths paths;
	char *const files[] = { paths.passwd, paths.group, paths.subuid, paths.subgid, paths.passwd };

	begin();
	ck_assert_uint_eq(local.user_count, 3);		/* neither the comment nor the broken line */
	ck_assert(local_accounts_has_user(&local, "bob"));
	ck_assert(!local_accounts_has_user(&local, "broken line"));
	ck_assert(local_accounts_has_uid(&local, 0));
	ck_assert(!local_accounts_has_uid(&local, 1));
	sudo = local_accounts_group(&local, "sudo");
	ck_assert_ptr_nonnull(sudo);
	ck_assert(local_group_lists(sudo, "ada"));
	ck_assert(!local_group_lists(sudo, "ad"));
	ck_assert_ptr_null(local_accounts_group(&local, "sud"));
	for (size_t i = 0; i < 5; i++) {
		set_paths(&paths);
		(void)snprintf(files[i], sizeof paths.passwd, "%s", i == 4 ? "/" : "/nonexistent");
		ck_assert_int_eq(local_accounts_load(&paths, &again), i == 2 || i == 3 ? 0 : i == 4 ? -EISDIR : -ENOENT);
		local_accounts_done(&again);
	}
	set_paths(&paths);
	(void)snprintf(paths.subuid, sizeof paths.subuid, "/");	/* never taken for an empty file */
	ck_assert_int_lt(local_accounts_load(&paths, &again), 0);
	ck_assert_ptr_null(again.users);
	end();
}
END_TEST

START_TEST(subordinate_lines)
{
	static const char text[] = "bob:300000:10\nann:0x493f0:0x10\njoe:300005:20\n"	/* 300016 on; they overlap */
	    "low:7:1\nwide:4294967290:4294967295\n"
	    ":1000:10\nx:2000\nx:2000:\nx::5\nx:2000:0\nx:2000:5:\nx:2000:5 \nx:-1:5\nx: 2000:5\n"
	    "x:4294967296:5\nx:2000:99999999999999999999\n#x:\n\nlast:500:1";
	static const struct { uint32_t id; bool has; } ids[] = {
		{ 0, false }, { 6, false }, { 7, true }, { 8, false }, { 499, false }, { 500, true }, { 501, false },
		{ 1000, false }, { 2000, false }, { 299999, false }, { 300000, true }, { 300009, true },
		{ 300024, true }, { 300031, true }, { 300032, false }, { 4294967289, false },
		{ 4294967290, true }, { UINT32_MAX, true },
	};
	char path[128], line[4096];
	struct subids s;

	begin();
	(void)snprintf(path, sizeof path, "%s/subuid", folder);
	write_file("subuid", text);
	ck_assert_int_eq(subids_load(path, &s), 0);
	for (size_t i = 0; i < ROWS(ids); i++)
		ck_assert_msg(subids_has(&s, ids[i].id) == ids[i].has, "%u", ids[i].id);
	subids_done(&s);
	memset(line, 'x', sizeof line);		/* the end of a line that is too long is no line */
	(void)snprintf(line + 1023, sizeof line - 1023, "x:2000:5\nbob:3000:5\n");
	write_file("subuid", line);
	ck_assert_int_eq(subids_load(path, &s), 0);
	ck_assert(!subids_has(&s, 2000));
	ck_assert(subids_has(&s, 3000));
	subids_done(&s);
	end();
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ each_user, ROWS(users) }, { each_group, ROWS(groups) }, { rp06a_uid_dup, ROWS(user_claims) },
		{ nested_homes, ROWS(nested) }, { group_twice, 0 }, { many_refused, 0 }, { each_home, ROWS(homes) },
		{ home_prefix_without_slash, 0 }, { shells, 0 }, { each_gecos, ROWS(texts) }, { long_gecos, 0 },
		{ every_refusal_has_a_text, 0 }, { local_files, 0 },
		{ subordinate_lines, 0 },
	};

	return suite_run("publisher_check", rows, ROWS(rows), 20);
}

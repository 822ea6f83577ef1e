/*
 * test_publisher_groups.c - which local groups a managed user gets: policy, /etc/group and roster must agree.
 */
#include <config.h>

#include "daemon/publisher_groups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/suite.h"

static const char policy_text[] =
    "[role any]\nmatch = any\nallow-services = sshd\nkeep-groups = log-read video alias root wheel absent isms-mfa isms-service\n"
    "[groups]\ndeny-acl = blocked\n";
static const char group_text[] =
    "root:x:0:ada\n"
    "wheel:x:0:ada\n"
    "log-read:x:900:ada,bob\n"
    "alias:x:900:ada\n"
    "video:x:44:bob\n"
    "blocked:x:950:ada\n"
    "docker:x:998:ada\n"
    "isms-mfa:x:991:\n"
    "isms-service:x:992:\n";

static struct local_accounts local;
static struct policy *policy;
static struct publisher_groups groups;

static void
load_groups(const char *text)
{
	struct paths paths = { .passwd = "/dev/null", .subuid = "/dev/null", .subgid = "/dev/null" };
	char path[64];
	int fd;

	(void)snprintf(path, sizeof path, "%s/isms-groups-XXXXXX", suite_folder());
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)snprintf(paths.group, sizeof paths.group, "%s", path);
	ck_assert_int_eq(local_accounts_load(&paths, &local), 0);
	(void)close(fd);
	(void)unlink(path);
}

static void
begin(void)
{
	char error[256] = "";

	ck_assert_msg(policy_parse(policy_text, strlen(policy_text), "policy.conf", &policy, error, sizeof error) == 0,
	    "%s", error);
	load_groups(group_text);
	publisher_groups_init(policy, &local, &groups);
}

static void
end(void)
{
	policy_free(policy);
	local_accounts_done(&local);
}

START_TEST(header_lists_the_allowed)
{
	static const uint32_t gids[] = { 991, 992, 900, 44, 950 };

	begin();
	ck_assert_uint_eq(groups.gid_count, 5);		/* alias is 900 again; 0 never */
	for (size_t i = 0; i < sizeof gids / sizeof gids[0]; i++) {
		unsigned hits = 0;

		for (unsigned g = 0; g < groups.gid_count; g++)
			hits += groups.gids[g] == gids[i];
		ck_assert_uint_eq(hits, 1);
	}
	ck_assert_uint_eq(groups.left_out, 0);
	ck_assert(groups.has_mfa);
	end();
}
END_TEST

static const struct {
	const char *user, *locals[4];
	uint32_t flags;
	unsigned count;
	uint32_t gids[3];
} rows[] = {
	{ "ada", { "log-read" }, 0, 1, { 900 } },
	{ "ada", { "video" }, 0, 0, { 0 } },				/* not on the line of the group */
	{ "bob", { "video", "log-read" }, 0, 2, { 44, 900 } },
	{ "eve", { "log-read", "video" }, 0, 0, { 0 } },
	{ "ada", { "root", "wheel" }, 0, 0, { 0 } },			/* gid 0 */
	{ "ada", { "docker" }, 0, 0, { 0 } },				/* policy does not name it */
	{ "ada", { "blocked" }, 0, 1, { 950 } },			/* deny-acl: would be protected */
	{ "ada", { "absent", "" }, 0, 0, { 0 } },
	{ "ada", { "log-read", "alias", "log-read" }, 0, 1, { 900 } },	/* each gid once */
	{ "ada", { NULL }, ROSTER_MFA, 1, { 991 } },
	{ "ada", { "isms-mfa" }, 0, 0, { 0 } },				/* the flag alone gives it */
	{ "ada", { "log-read" }, ROSTER_MFA, 2, { 900, 991 } },
	{ "ada", { NULL }, ROSTER_SERVICE, 1, { 992 } },
	{ "ada", { "isms-service" }, 0, 0, { 0 } },
	{ "ada", { "log-read" }, ROSTER_MFA | ROSTER_SERVICE, 3, { 900, 991, 992 } },
	{ "ada", { NULL }, 0, 0, { 0 } },
};

START_TEST(each_user)
{
	struct roster_user u = { .name = rows[_i].user, .flags = rows[_i].flags, .locals = rows[_i].locals };
	uint32_t gids[SNAPSHOT_LOCAL_GIDS_MAX];

	begin();
	while (u.local_count < 4 && rows[_i].locals[u.local_count] != NULL)
		u.local_count++;
	ck_assert_uint_eq(publisher_groups_of(&groups, &u, gids), rows[_i].count);
	for (unsigned i = 0; i < rows[_i].count; i++)
		ck_assert_uint_eq(gids[i], rows[_i].gids[i]);
	end();
}
END_TEST

START_TEST(without_the_group_of_ours)
{
	struct roster_user u = { .name = "ada", .flags = ROSTER_MFA };
	uint32_t gids[SNAPSHOT_LOCAL_GIDS_MAX];

	load_groups("root:x:0:\nisms-mfa:x:0:\n");
	publisher_groups_init(NULL, &local, &groups);
	ck_assert(!groups.has_mfa);
	ck_assert_uint_eq(groups.gid_count, 0);
	ck_assert_uint_eq(publisher_groups_of(&groups, &u, gids), 0);
	local_accounts_done(&local);
}
END_TEST

/* More groups than a snapshot can carry: some are left out, isms-mfa is not among them. */
START_TEST(too_many)
{
	enum { MANY = SNAPSHOT_LOCAL_GIDS_MAX + 10 };
	char text[4096] = "[role any]\nmatch = any\nallow-services = sshd\nkeep-groups =", lines[4096] = "", error[256];
	static char names[MANY][8];
	const char *locals[MANY];
	struct roster_user u = { .name = "ada", .flags = ROSTER_MFA, .locals = locals, .local_count = ROSTER_LOCAL_MAX };
	uint32_t gids[SNAPSHOT_LOCAL_GIDS_MAX];

	for (unsigned i = 0; i < MANY; i++) {
		(void)snprintf(names[i], sizeof names[i], "g%u", i);
		locals[i] = names[i];
		(void)snprintf(text + strlen(text), sizeof text - strlen(text), "\n g%u", i);
		(void)snprintf(lines + strlen(lines), sizeof lines - strlen(lines), "g%u:x:%u:ada\n", i, 100 + i);
	}
	(void)snprintf(lines + strlen(lines), sizeof lines - strlen(lines), "isms-mfa:x:991:\n");
	ck_assert_msg(policy_parse(text, strlen(text), "policy.conf", &policy, error, sizeof error) == 0, "%s", error);
	load_groups(lines);
	publisher_groups_init(policy, &local, &groups);
	ck_assert_uint_eq(groups.gid_count, SNAPSHOT_LOCAL_GIDS_MAX);
	ck_assert_uint_eq(groups.left_out, 11);
	ck_assert(groups.has_mfa);
	ck_assert_uint_le(publisher_groups_of(&groups, &u, gids), SNAPSHOT_LOCAL_GIDS_MAX);
	end();
}
END_TEST

int
main(void)
{
	const struct suite_row tests[] = {
		{ header_lists_the_allowed, 0 }, { each_user, ROWS(rows) }, { without_the_group_of_ours, 0 },
		{ too_many, 0 },
	};

	return suite_run("publisher_groups", tests, ROWS(tests), 10);
}

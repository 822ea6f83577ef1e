/*
 * test_policy_file.c - policy.conf: what is taken, what is refused and where, groups, classes, files.
 */
#include <config.h>

#include "common/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/suite.h"

static char error[512];

static struct policy *
parse(const char *text)
{
	struct policy *policy = NULL;

	error[0] = '\0';
	ck_assert_msg(policy_parse(text, strlen(text), "p.conf", &policy, error, sizeof error) == 0, "%s", error);
	return policy;
}

#define ROLE "[role r]\nmatch = any\nallow-services = sshd\n"

static const struct {
	const char *text, *where;
} refused[] = {
	{ "match = any\n", "p.conf:1: match: stands before the first [section]" },
	{ "[role]\n", "p.conf:1: [role]: unknown section" },
	{ "[roles x]\n", "unknown section" }, { "[Role x]\n", "unknown section" }, { "[nonsense]\nx = y\n", "unknown section" },
	{ "[role ]\n", "a role's name" }, { "[role a b]\n", "a role's name" }, { "[role \xc3\xa4]\n", "a role's name" },
	{ "[role aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]\n", "a role's name" },
	{ "[role x]\n", "p.conf: [role x] (p.conf:1) has no match" },
	{ "[role x]\nmfa = none\n[groups]\n", "p.conf:3: [role x] (p.conf:1) has no match" },
	{ ROLE "[role r]\nmatch = any\n", "p.conf:4: [role r]: there is a role r already (p.conf:1)" },
	{ ROLE "[role R]\nmatch = any\n", "p.conf:4: [role R]: there is a role r already (p.conf:1)" },
	{ ROLE "match = any\n", "p.conf:4: [role r] match: stands here for the second time (line 2)" },
	{ ROLE "allow-service = sshd\n", "p.conf:4: [role r] allow-service: unknown key" },
	{ ROLE "Mfa = none\n", "unknown key" },
	{ ROLE "offline-grace = 24h\n", "p.conf:4: [role r] offline-grace: not supported by this version" },
	{ ROLE "review-every = 59s\n", "p.conf:4: [role r] review-every: \"59s\" is not a duration" },
	{ ROLE "review-every = 3661d\n", "is not a duration" }, { ROLE "review-every = never\n", "is not a duration" },
	{ ROLE "dormant-after = 59s\n", "is not a duration" }, { ROLE "dormant-after =\n", "is not a duration" },
	{ ROLE "on-end = end\n", "neither terminate nor deny-new" }, { ROLE "on-end =\n", "neither terminate nor deny-new" },
	{ ROLE "max-sessions = 0\n", "no number from 1 to 16" }, { ROLE "max-sessions = 17\n", "no number from 1 to 16" },
	{ ROLE "max-sessions = 1h\n", "no number from 1 to 16" }, { ROLE "max-sessions = 010\n", "no number from 1 to 16" },
	{ ROLE "max-sessions =\n", "no number from 1 to 16" }, { ROLE "require-sponsor = maybe\n", "neither yes nor no" },
	{ ROLE "owner-grace = -1d\n", "is not a duration" }, { ROLE "owner-grace = 3661d\n", "is not a duration" },
	{ "[role x]\nmatch =\n", "p.conf:2: [role x] match: is empty" },
	{ "[role x]\nmatch = kind:intern\n", "kinds are employee" }, { "[role x]\nmatch = kind:\n", "kinds are employee" },
	{ "[role x]\nmatch = kind:unknown\n", "kinds are employee" },
	{ "[role x]\nmatch = ada\n", "write kind:KIND, user:NAME" }, { "[role x]\nmatch = user:\n", "write kind:KIND" },
	{ "[role x]\nmatch = user:Ada\n", "write kind:KIND" }, { "[role x]\nmatch = group:a/b\n", "write kind:KIND" },
	{ "[role x]\nmatch = user:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", "write kind:KIND" },
	{ "[role x]\nmatch = host:web\n", "write kind:KIND" }, { "[role x]\nmatch = ANY\n", "write kind:KIND" },
	{ "[role x]\nmatch = any kind:contractor\n", "\"any\" stands alone" },
	{ "[role x]\nmatch = any\nallow-services =\n", "p.conf:3: [role x] allow-services: is empty" },
	{ "[role x]\nmatch = any\nallow-services = sshd,login\n", "\"sshd,login\" cannot be a name" },
	{ "[role x]\nmatch = any\nallow-services = *\n", "cannot be a name" },
	{ ROLE "mfa =\n", "none of required" }, { ROLE "mfa = yes\n", "none of required" }, { ROLE "mfa = Required\n", "none of" },
	{ ROLE "require-expiry = true\n", "neither yes nor no" }, { ROLE "max-session = 8x\n", "is not a duration" },
	{ ROLE "max-session = 9s\n", "is not a duration" }, { ROLE "max-session = 367d\n", "is not a duration" },
	{ ROLE "max-session = 0\n", "is not a duration" }, { ROLE "keep-groups = Docker\n", "cannot be a name" },
	{ ROLE "drop-groups =\n", "is empty" }, { ROLE "drop-groups = a,b\n", "cannot be a name" },
	{ ROLE "contact =\n", "write 1 to 127 bytes" },
	{ ROLE "allow-hosts =\n", "is empty" }, { ROLE "allow-hosts = none\n", "\"none\" cannot be a name" },
	{ ROLE "allow-hosts = @none\n", "cannot be a name" }, { ROLE "allow-hosts = @\n", "cannot be a name" },
	{ ROLE "allow-hosts = @@web\n", "cannot be a name" }, { ROLE "allow-hosts = *\n", "cannot be a name" },
	{ ROLE "max-term = 59s\n", "is not a duration" }, { ROLE "max-term = 3661d\n", "is not a duration" },
	{ ROLE "max-term = x\n", "is not a duration" },
	{ ROLE "hours =\n", "ends without a zone" }, { ROLE "hours = Mon..Fri 07:00-19:00\n", "ends without a zone" },
	{ ROLE "hours = UTC\n", "write days, times and a zone" }, { ROLE "hours = Mon..Fri UTC\n", "after days write times" },
	{ ROLE "hours = Mon 07.00-19:00 UTC\n", "after days write" }, { ROLE "hours = Mon 0/:00-19:00 UTC\n", "after days" },
	{ ROLE "hours = Mon 0::00-19:00 UTC\n", "after days write" }, { ROLE "hours = Mon 0a:00-19:00 UTC\n", "after days" },
	{ ROLE "hours = Mon..Foo 07:00-19:00 UTC\n", "write days, times" },
	{ ROLE "hours = Mon..Fri\n", "after days write times" }, { ROLE "hours = mon 07:00-19:00 UTC\n", "write days, times" },
	{ ROLE "hours = Mon.Fri 07:00-19:00 UTC\n", "write days, times" }, { ROLE "hours = Mon, 07:00-19:00 UTC\n", "write days" },
	{ ROLE "hours = Mon..Fri 7:00-19:00 UTC\n", "after days write" }, { ROLE "hours = Mon 07:00-19:60 UTC\n", "after days" },
	{ ROLE "hours = Mon 07:00-24:01 UTC\n", "after days write" }, { ROLE "hours = Mon 24:00-07:00 UTC\n", "after days write" },
	{ ROLE "hours = Mon 07:00-07:00 UTC\n", "after days write" }, { ROLE "hours = Mon 07:00-19:00x UTC\n", "after days write" },
	{ ROLE "hours = Mon 07:00-19:00 UTC Tue 07:00-19:00\n", "write days, times" },
	{ ROLE "hours = Mon 07:00-19:00 Mars/Phobos\n", "zone \"Mars/Phobos\": there is none" },
	{ ROLE "hours = Mon 07:00-19:00 ../../etc/passwd\n", "there is none" },
	{ ROLE "from =\n", "is empty" }, { ROLE "from = example.com\n", "is no network" }, { ROLE "from = LOCAL\n", "is no network" },
	{ ROLE "from = 192.0.2.1/24\n", "has bits beyond its 24" }, { ROLE "from = 192.0.2.0/33\n", "write 0 to 32 bits" },
	{ ROLE "from = 2001:db8::/129\n", "write 0 to 128 bits" }, { ROLE "from = 2001:db8::1/32\n", "has bits beyond its 32" },
	{ ROLE "from = 192.0.2.0/\n", "write 0 to 32 bits" }, { ROLE "from = 192.0.2.0/-1\n", "write 0 to 32 bits" },
	{ ROLE "from = 192.0.2.0/24/8\n", "write 0 to 32 bits" }, { ROLE "from = 192.0.2\n", "is no network" },
	{ ROLE "from = 192.0.2.0/0024\n", "write 0 to 32 bits" }, { ROLE "from = 10.0.0.0/8,192.0.2.0/24\n", "write 0 to 32" },
	{ "[groups]\nkeep = x\n", "p.conf:2: [groups] keep: unknown key" }, { "[groups]\ndeny-acl =\n", "is empty" },
	{ "[groups]\nprivileged =\n", "is empty" }, { "[groups]\nprivileged = A\n", "cannot be a name" },
	{ "[groups]\ndeny-acl = a\ndeny-acl = b\n", "stands here for the second time (line 2)" },
	{ "[groups]\ndeny-acl = a\n[local]\n[groups]\ndeny-acl = b\n", "p.conf:5: [groups] deny-acl: stands here" },
	{ "[local]\nmanage =\n", "is empty" }, { "[local]\nmanage = alice root\n", "p.conf:2: [local] manage: root is never" },
	{ "[local]\nmanage = Alice\n", "cannot be a name" }, { "[local]\nmanage = a\nmanage = b\n", "for the second time" },
	{ "[services]\nconsole = tty\n", "unknown key" },
	{ "[services]\nunattended = sshd\n", "sshd is of class remote and cannot be moved" },
	{ "[services]\nelevation = login\n", "cannot be moved" }, { "[services]\nremote = cron\n", "class unattended" },
	{ "[services]\nremote = vault\nunattended = vault\n", "vault is of class remote already" },
	{ "[groups]\nmatch = any\n", "unknown key" },
};

START_TEST(errors_say_where)
{
	struct policy *policy = NULL;
	const char *text = refused[_i].text;

	error[0] = '\0';
	ck_assert_msg(policy_parse(text, strlen(text), "p.conf", &policy, error, sizeof error) == -EINVAL, "%s", text);
	ck_assert_msg(strstr(error, refused[_i].where) != NULL && strncmp(error, "p.conf:", 7) == 0, "%s: %s", text, error);
	ck_assert_ptr_null(policy);
}
END_TEST

START_TEST(at_most_64_roles)
{
	struct policy *policy;
	char text[8192] = "";
	size_t used = 0;

	for (int i = 0; i < 64; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "[role r%d]\nmatch = any\n", i);
	policy = parse(text);
	ck_assert_uint_eq(policy_role_count(policy), 64);
	ck_assert_str_eq(policy_role_name(policy, 63), "r63");
	ck_assert_ptr_null(policy_role_name(policy, 64));
	policy_free(policy);
	(void)snprintf(text + used, sizeof text - used, "[role more]\nmatch = any\n");
	ck_assert_int_eq(policy_parse(text, strlen(text), "p.conf", &policy, error, sizeof error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error, "more than 64 roles"));
	policy_free(NULL);
}
END_TEST

START_TEST(at_64_roles_all_match)
{
	static struct facts facts = { .state = FACTS_MANAGED, .user = "ada", .kind = KIND_EMPLOYEE };
	char text[8192] = "";
	struct policy *policy;
	size_t used = 0;

	for (int i = 0; i < 64; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "[role r%d]\nmatch = user:ada\n", i);
	policy = parse(text);
	ck_assert_uint_eq(policy_match(policy, &facts), UINT64_MAX);
	facts.state = FACTS_BROKEN;
	ck_assert_uint_eq(policy_match(policy, &facts), 0);
	policy_free(policy);
}
END_TEST

START_TEST(classes)
{
	static const struct { const char *service; bool root; enum service_class class; } rows[] = {
		{ "sshd", false, CLASS_REMOTE }, { "login", false, CLASS_REMOTE }, { "gdm-password", false, CLASS_REMOTE },
		{ "sudo", false, CLASS_ELEVATION }, { "sudo-i", false, CLASS_ELEVATION }, { "su", false, CLASS_ELEVATION },
		{ "su-l", false, CLASS_ELEVATION }, { "polkit-1", false, CLASS_ELEVATION },
		{ "unprivileged", false, CLASS_ELEVATION }, { "cron", false, CLASS_UNATTENDED },
		{ "crond", false, CLASS_UNATTENDED }, { "atd", false, CLASS_UNATTENDED },
		{ "systemd-user", false, CLASS_UNATTENDED }, { "su", true, CLASS_UNATTENDED },
		{ "su-l", true, CLASS_UNATTENDED }, { "sudo", true, CLASS_ELEVATION }, { "sshd", true, CLASS_REMOTE },
		{ "other", false, CLASS_REMOTE }, { "", false, CLASS_REMOTE }, { "CRON", false, CLASS_REMOTE },
		{ "vault", false, CLASS_REMOTE }, { "doas", false, CLASS_ELEVATION }, { "backup", false, CLASS_UNATTENDED },
	};
	struct policy *policy = parse("[services]\nremote = vault sshd\nelevation = doas\nunattended = backup\n");

	for (int i = 0; i < ROWS(rows); i++)
		ck_assert_msg(policy_class(policy, rows[i].service, rows[i].root) == rows[i].class, "%s", rows[i].service);
	policy_free(policy);
}
END_TEST

/* Bits: role 0 keeps "web shared", role 1 keeps "shared log" and drops "log", role 2 says nothing of groups. */
static const char group_policy[] =
    "[role a]\nmatch = any\nkeep-groups = web shared\n"
    "[role b]\nmatch = any\nkeep-groups = shared log acl\ndrop-groups = log\n"
    "[role c]\nmatch = any\n"
    "[role d]\nmatch = any\ndrop-groups = web acl\n"
    "[role e]\nmatch = any\nkeep-groups =\n"
    "[groups]\ndeny-acl = acl nobody-else\nprivileged = sudo adm\n";

START_TEST(groups)
{
	static const struct { uint64_t roles; const char *group; bool local; enum group_effect effect; } rows[] = {
		{ 0, "web", false, GROUP_DROP }, { 0, "web", true, GROUP_DROP }, { 0, "acl", false, GROUP_PROTECTED },
		{ 1, "web", false, GROUP_KEEP }, { 1, "web", true, GROUP_KEEP }, { 1, "log", false, GROUP_DROP },
		{ 1, "log", true, GROUP_DROP }, { 1, "WEB", false, GROUP_DROP }, { 1, "we", false, GROUP_DROP },
		{ 2, "log", false, GROUP_DROP }, { 2, "shared", true, GROUP_KEEP }, { 2, "acl", true, GROUP_KEEP },
		{ 3, "web", false, GROUP_DROP }, { 3, "shared", false, GROUP_KEEP }, { 3, "shared", true, GROUP_KEEP },
		{ 3, "acl", false, GROUP_PROTECTED },
		{ 4, "web", false, GROUP_KEEP }, { 4, "web", true, GROUP_DROP }, { 4, "acl", true, GROUP_PROTECTED },
		{ 4, "acl", false, GROUP_KEEP },
		{ 5, "web", true, GROUP_KEEP }, { 5, "other", false, GROUP_DROP },
		{ 8, "web", false, GROUP_DROP }, { 8, "log", false, GROUP_KEEP }, { 8, "log", true, GROUP_DROP },
		{ 8, "acl", false, GROUP_PROTECTED }, { 9, "web", true, GROUP_DROP }, { 9, "shared", true, GROUP_KEEP },
		{ 16, "web", false, GROUP_DROP }, { 16, "nobody-else", true, GROUP_PROTECTED }, { 17, "shared", false, GROUP_DROP },
		{ 1u << 20, "web", false, GROUP_DROP },
	};
	struct policy *policy = parse(group_policy);

	for (int i = 0; i < ROWS(rows); i++)
		ck_assert_msg(policy_group(policy, rows[i].roles, rows[i].group, rows[i].local) == rows[i].effect, "row %d", i);
	ck_assert(policy_is_privileged(policy, "sudo") && policy_is_privileged(policy, "adm"));
	ck_assert(!policy_is_privileged(policy, "web") && !policy_is_privileged(policy, "acl"));
	policy_free(policy);
}
END_TEST

static void
collect(const char *name, void *arg)
{
	strcat(arg, name);
	strcat(arg, " ");
}

START_TEST(lists)
{
	struct policy *policy = parse(group_policy);
	char all[128] = "";

	policy_each_kept_group(policy, collect, all);
	ck_assert_str_eq(all, "web shared log acl nobody-else ");
	ck_assert_ptr_null(policy_local_managed(policy, 0));
	ck_assert(!policy_manages_local(policy, "alice"));
	policy_free(policy);
	policy = parse("[local]\nmanage = alice bob\n" ROLE);
	ck_assert_str_eq(policy_local_managed(policy, 0), "alice");
	ck_assert_str_eq(policy_local_managed(policy, 1), "bob");
	ck_assert_ptr_null(policy_local_managed(policy, 2));
	ck_assert_ptr_null(policy_local_managed(policy, 9));
	ck_assert(policy_manages_local(policy, "bob"));
	ck_assert(!policy_manages_local(policy, "carol"));
	ck_assert(!policy_manages_local(NULL, "bob"));
	policy_free(policy);
}
END_TEST

START_TEST(who_needs_mfa)
{
	struct policy *policy = parse("[role n]\nmatch = any\nmfa = none\n[role i]\nmatch = any\nmfa = if-enrolled\n"
	    "[role d]\nmatch = any\n[role r]\nmatch = any\nmfa = required\n");
	static const struct { uint64_t roles; uint32_t tokens; bool needs; } rows[] = {
		{ 1, 0, false }, { 1, 1, false }, { 2, 0, false }, { 2, 1, true }, { 3, 1, true }, { 3, 0, false },
		{ 4, 0, true }, { 5, 0, true }, { 8, 0, true }, { 11, 0, true }, { 0, 0, true },
	};

	for (int i = 0; i < ROWS(rows); i++)
		ck_assert_msg(policy_needs_mfa(policy, rows[i].roles, rows[i].tokens) == rows[i].needs, "row %d", i);
	policy_free(policy);
}
END_TEST

/* AR03a: a word of one type never matches another; a list is compared whole. */
START_TEST(types_do_not_mix)
{
	struct policy *policy = parse("[role g]\nmatch = group:ada\n[role u]\nmatch = user:web\n[role k]\nmatch = user:contractor\n"
	    "[role both]\nmatch = user:ada group:web\n[role either]\nmatch = group:no group:web-deploy\n");
	static struct facts facts = { .state = FACTS_MANAGED, .user = "ada", .kind = KIND_CONTRACTOR,
		.groups = "web web-deploy" };

	ck_assert_uint_eq(policy_match(policy, &facts), 8 | 16);
	strcpy(facts.groups, "web-deploy");
	ck_assert_uint_eq(policy_match(policy, &facts), 16);
	strcpy(facts.groups, "web-deploy2 we ada-x");
	ck_assert_uint_eq(policy_match(policy, &facts), 0);
	strcpy(facts.groups, "ada");
	ck_assert_uint_eq(policy_match(policy, &facts), 1);
	facts.groups[0] = '\0';
	ck_assert_uint_eq(policy_match(policy, &facts), 0);
	policy_free(policy);
}
END_TEST

/* ---- files --------------------------------------------------------------------------------------- */

static char folder[64];

static void
put(const char *name, const char *text)
{
	char path[512];
	int fd;

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fchmod(fd, 0644), 0);
	ck_assert_int_eq((int)write(fd, text, strlen(text)), (int)strlen(text));
	ck_assert_int_eq(close(fd), 0);
}

START_TEST(files)
{
	struct policy *policy = NULL;
	char command[128];

	(void)snprintf(folder, sizeof folder, "%s/test_policy.XXXXXX", suite_folder());
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(policy_load(folder, &policy, error, sizeof error), -ENOENT);
	ck_assert_ptr_nonnull(strstr(error, "policy.conf: missing; run isms-userctl setup"));
	put("policy.conf", ROLE "[groups]\ndeny-acl = a\n");
	(void)snprintf(command, sizeof command, "mkdir -m 700 %s/policy.d", folder);
	ck_assert_int_eq(system(command), 0);
	put("policy.d/b.conf", "[groups]\ndeny-acl = b a\n[role b]\nmatch = any\n");
	put("policy.d/a.conf", "[role a]\nmatch = any\n");
	ck_assert_msg(policy_load(folder, &policy, error, sizeof error) == 0, "%s", error);
	ck_assert_uint_eq(policy_role_count(policy), 3);
	ck_assert_str_eq(policy_role_name(policy, 1), "a");	/* strcmp order */
	ck_assert_int_eq(policy_group(policy, 0, "a", true), GROUP_PROTECTED);
	ck_assert_int_eq(policy_group(policy, 0, "b", true), GROUP_PROTECTED);
	policy_free(policy);
	put("policy.d/c.conf", "mfa = none\n");			/* not a further line of role b */
	ck_assert_int_eq(policy_load(folder, &policy, error, sizeof error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error, "policy.d/c.conf:1: mfa: stands before"));
	put("policy.d/c.conf", "[role R]\nmatch = any\n");
	ck_assert_int_eq(policy_load(folder, &policy, error, sizeof error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error, "there is a role r already (policy.conf:1)"));
	put("policy.d/c.conf", "[role z]\n");
	ck_assert_int_eq(policy_load(folder, &policy, error, sizeof error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error, "[role z] (c.conf:1) has no match"));
	(void)snprintf(command, sizeof command, "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}
END_TEST

/* isms-policy(5) names every key, also those it refuses, and every service of the table. */
START_TEST(manual_is_complete)
{
	static const char *const words[] = {
		"match = ", "allow-services = ", "mfa = ", "require-expiry = ", "max-session = ", "keep-groups = ",
		"drop-groups = ", "contact = ", "[groups] deny-acl = ", "[groups] privileged = ", "[local] manage = ", "[services] remote = ",
		"[services] elevation = ", "[services] unattended = ", "allow-hosts = ", "max-term = ", "hours = ", "from = ",
		"dormant-after = ", "max-sessions = ", "offline-grace", "on-end = ", "review-every = ", "require-sponsor = ",
		"owner-grace = ", "kind:", "user:", "group:", "any",
		"sshd", "login", "gdm-password", "lightdm", "sddm", "cockpit", "xrdp-sesman", "sudo", "sudo-i", "su", "su-l",
		"run0", "polkit-1", "unprivileged", "cron", "crond", "atd", "systemd-user",
	};
	static char text[32768];
	char path[512];
	char *to = text;
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/daemon/isms-policy.5", TEST_SRCDIR);
	f = fopen(path, "re");
	ck_assert_ptr_nonnull(f);
	text[fread(text, 1, sizeof text - 1, f)] = '\0';
	ck_assert_int_eq(fclose(f), 0);
	for (const char *p = text; *p != '\0'; p++) {
		if (*p != '\\')			/* \- is a hyphen */
			*to++ = *p;
	}
	*to = '\0';
	for (int i = 0; i < ROWS(words); i++)
		ck_assert_msg(strstr(text, words[i]) != NULL, "isms-policy(5) does not name %s", words[i]);
}
END_TEST

/* The policy that we ship does what its comments say. */
START_TEST(sample_is_useful_as_shipped)
{
	static struct facts ada = { .state = FACTS_MANAGED, .user = "ada", .kind = KIND_CONTRACTOR, .token_count = 1,
		.not_after_utc_sec = 2000 };
	struct request request = { .stage = STAGE_ACCOUNT, .service = "sshd", .factors = FACTOR_KEY | FACTOR_OTP,
		.clock_trusted = true, .now_utc_sec = 1000 };
	static char text[8192];
	struct policy *policy;
	struct decision d;
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/daemon/policy.conf", TEST_SRCDIR);
	f = fopen(path, "re");
	ck_assert_ptr_nonnull(f);
	text[fread(text, 1, sizeof text - 1, f)] = '\0';
	ck_assert_int_eq(fclose(f), 0);
	policy = parse(text);
	policy_decide(&ada, policy, &request, &d);
	ck_assert_int_eq(d.verdict, VERDICT_ALLOW);
	ck_assert_uint_eq(d.max_session_sec, 43200);
	ck_assert_int_eq(policy_group(policy, d.roles, "docker", false), GROUP_DROP);
	ck_assert_int_eq(policy_group(policy, d.roles, "web-deploy", false), GROUP_KEEP);
	request.service = "sudo";
	policy_decide(&ada, policy, &request, &d);
	ck_assert_int_eq(d.reason, REASON_SERVICE_NOT_ALLOWED);
	ada.kind = KIND_EMPLOYEE;
	ada.not_after_utc_sec = 0;
	policy_decide(&ada, policy, &request, &d);
	ck_assert_int_eq(d.verdict, VERDICT_ALLOW);
	policy_free(policy);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ errors_say_where, ROWS(refused) }, { at_most_64_roles, 0 }, { at_64_roles_all_match, 0 }, { classes, 0 },
		{ groups, 0 }, { lists, 0 }, { who_needs_mfa, 0 }, { types_do_not_mix, 0 }, { files, 0 },
		{ manual_is_complete, 0 }, { sample_is_useful_as_shipped, 0 },
	};

	return suite_run("policy_file", rows, ROWS(rows), 20);
}

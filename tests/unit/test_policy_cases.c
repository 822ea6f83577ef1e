/*
 * test_policy_cases.c - CASES AR: rules that are misread, each beside the reading that is right.
 */
#include <config.h>

#include "common/policy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/policy_scene.h"
#include "tests/unit/suite.h"

static struct scene s;

/* What the welcome contractor is told, with a policy of one change. */
static enum reason
told(const char *policy)
{
	s.policy = policy;
	return scene_decide(&s).reason;
}

#define ALLOW "[role a]\nmatch = kind:contractor\nallow-services = sshd\nmfa = none\n"

START_TEST(ar01a_no_rule_for_the_user)
{
	scene_base(&s);
	ck_assert_int_eq(told(""), REASON_NO_ROLE);
	ck_assert_int_eq(told("[role x]\nmatch = user:eve\nallow-services = sshd\nmfa = none\n"), REASON_NO_ROLE);
	ck_assert_int_eq(told("[role x]\nmatch = kind:contractor\nmfa = none\n"), REASON_SERVICE_NOT_ALLOWED);	/* and allows nothing */
	ck_assert_int_eq(told("[role x]\nmatch = user:ada\nallow-services = sshd\nmfa = none\n"), REASON_OK);
}
END_TEST

/* Of two roles that match the one that denies wins, in whichever order they stand. */
START_TEST(ar02a_deny_wins)
{
	static const struct { const char *limit; enum reason reason; } denials[] = {
		{ "allow-services = cron\n", REASON_SERVICE_NOT_ALLOWED }, { "from = 198.51.100.0/24\n", REASON_SOURCE_NOT_ALLOWED },
		{ "allow-hosts = db8\n", REASON_HOST_NOT_ALLOWED }, { "hours = Mon 01:00-02:00 UTC\n", REASON_OUTSIDE_HOURS },
		{ "max-term = 60s\n", REASON_TERM_TOO_LONG }, { "review-every = 60s\n", REASON_REVIEW_OVERDUE },
	};
	char text[1024];

	for (size_t i = 0; i < ROWS(denials); i++) {
		scene_base(&s);
		(void)snprintf(text, sizeof text, ALLOW "[role d]\nmatch = user:ada\nmfa = none\n%s", denials[i].limit);
		ck_assert_int_eq(told(text), denials[i].reason);
		(void)snprintf(text, sizeof text, "[role d]\nmatch = user:ada\nmfa = none\n%s" ALLOW, denials[i].limit);
		ck_assert_int_eq(told(text), denials[i].reason);
		(void)snprintf(text, sizeof text, "[role d]\nmatch = user:eve\nmfa = none\n%s" ALLOW, denials[i].limit);
		ck_assert_int_eq(told(text), REASON_OK);
	}
}
END_TEST

/* A user called like a group or a kind, a host called like a service, a group called like a host. */
START_TEST(ar03a_no_match_across_types)
{
	scene_base(&s);
	strcpy(s.facts.user, "web-deploy");
	strcpy(s.facts.groups, "ada db7");
	s.request.host = "sshd";
	s.request.host_groups = "db7";
	ck_assert_int_eq(told("[role x]\nmatch = group:web-deploy\nallow-services = sshd\nmfa = none\n"), REASON_NO_ROLE);
	ck_assert_int_eq(told("[role x]\nmatch = user:ada\nallow-services = sshd\nmfa = none\n"), REASON_NO_ROLE);
	ck_assert_int_eq(told(ALLOW "allow-hosts = db7\n"), REASON_HOST_NOT_ALLOWED);
	ck_assert_int_eq(told("[role x]\nmatch = user:web-deploy\nallow-services = login\nmfa = none\nallow-hosts = sshd\n"),
	    REASON_SERVICE_NOT_ALLOWED);
	ck_assert_int_eq(told(ALLOW "allow-hosts = @db7\n"), REASON_OK);
	ck_assert_int_eq(told("[role x]\nmatch = user:web-deploy group:ada\nallow-services = sshd\nmfa = none\nallow-hosts = sshd\n"),
	    REASON_OK);
}
END_TEST

START_TEST(ar04a_services_are_exact)
{
	static const char *const others[] = { "sshd ", " sshd", "SSHD", "Sshd", "sshd-session", "ssh", "sshdd", "", "sshd\n" };

	scene_base(&s);
	for (size_t i = 0; i < ROWS(others); i++) {
		s.request.service = others[i];
		ck_assert_msg(told(ALLOW) == REASON_SERVICE_NOT_ALLOWED, "\"%s\"", others[i]);
	}
	s.request.service = "sshd";
	ck_assert_int_eq(told(ALLOW), REASON_OK);
}
END_TEST

/* A host is what isms.conf calls it: the struct has no place for what DHCP, DNS or the kernel says. */
START_TEST(ar05a_host_by_its_settings)
{
	scene_base(&s);
	s.request.host = "web1";
	ck_assert_int_eq(told(ALLOW "allow-hosts = web1\n"), REASON_OK);
	ck_assert_int_eq(told(ALLOW "allow-hosts = web1.example.com WEB1 web\n"), REASON_HOST_NOT_ALLOWED);
	s.request.host = "none";	/* one without a name */
	ck_assert_int_eq(told(ALLOW "allow-hosts = web1\n"), REASON_HOST_NOT_ALLOWED);
}
END_TEST

START_TEST(ar06a_roles_by_case_alone)
{
	struct policy *policy = NULL;
	char error[512] = "";
	const char bad[] = ALLOW "[role A]\nmatch = any\n", good[] = ALLOW "[role aa]\nmatch = any\n";

	ck_assert_int_eq(policy_parse(bad, sizeof bad - 1, "p", &policy, error, sizeof error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error, "there is a role a already"));
	ck_assert_int_eq(policy_parse(good, sizeof good - 1, "p", &policy, error, sizeof error), 0);
	policy_free(policy);
}
END_TEST

START_TEST(ar07a_no_address)
{
	static const char *const unknown[] = { "UNKNOWN", "", "?", "host.example.com", "192.0.2", "192.0.2.7.", "192.0.2.7 ", "0x7f.1" };

	scene_base(&s);
	for (size_t i = 0; i < ROWS(unknown); i++) {
		s.request.rhost = unknown[i];
		ck_assert_msg(told(ALLOW "from = 192.0.2.0/24 0.0.0.0/0 ::/0\n") == REASON_SOURCE_NOT_ALLOWED, "\"%s\"", unknown[i]);
		ck_assert_int_eq(told(ALLOW), REASON_OK);
	}
	s.request.rhost = "192.0.2.7";
	ck_assert_int_eq(told(ALLOW "from = 192.0.2.0/24\n"), REASON_OK);
}
END_TEST

/* The policy of the next question is the one in force: nothing of a role that was removed is kept. */
START_TEST(ar08a_role_removed)
{
	scene_base(&s);
	ck_assert_int_eq(told(ALLOW), REASON_OK);
	ck_assert_int_eq(told("[role b]\nmatch = kind:employee\nallow-services = sshd\nmfa = none\n"), REASON_NO_ROLE);
	ck_assert_int_eq(told(ALLOW), REASON_OK);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = { { ar01a_no_rule_for_the_user, 0 }, { ar02a_deny_wins, 0 },
		{ ar03a_no_match_across_types, 0 }, { ar04a_services_are_exact, 0 }, { ar05a_host_by_its_settings, 0 },
		{ ar06a_roles_by_case_alone, 0 }, { ar07a_no_address, 0 }, { ar08a_role_removed, 0 } };

	return suite_run("policy cases", rows, ROWS(rows), 60);
}

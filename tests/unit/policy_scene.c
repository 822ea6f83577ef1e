/*
 * policy_scene.c - a welcome contractor before policy_decide() (see policy_scene.h).
 */
#include <config.h>

#include "tests/unit/policy_scene.h"

#include <string.h>

#include "tests/unit/suite.h"

static const char base_policy[] =
    "[role contractor]\n"
    "match = kind:contractor\n"
    "allow-services = sshd login sudo su su-l cron vault\n"
    "mfa = required\n"
    "require-expiry = yes\n"
    "max-session = 8h\n"
    "contact = security@example.com\n"
    "[role employee]\n"
    "match = kind:employee\n"
    "allow-services = sshd login sudo cron\n"
    "mfa = if-enrolled\n"
    "[role robot]\n"
    "match = kind:service kind:break-glass\n"
    "allow-services = sshd cron su sudo\n"
    "mfa = none\n"
    "[role nightly]\n"
    "match = user:nia\n"
    "allow-services = cron\n"
    "[role quiet]\n"
    "match = user:quinn\n";

void
scene_base(struct scene *s)
{
	memset(s, 0, sizeof *s);
	s->policy = base_policy;
	s->facts = (struct facts){ .state = FACTS_MANAGED, .user = "ada", .uid = 70000, .gid = 70000,
		.kind = KIND_CONTRACTOR, .not_before_utc_sec = NOW - 1000, .not_after_utc_sec = NOW + 1000,
		.not_after_source = "pwdEndTime", .password_set = 1, .token_count = 1, .groups = "web-deploy dev" };
	s->request = (struct request){ .stage = STAGE_ACCOUNT, .service = "sshd", .rhost = "192.0.2.7",
		.factors = FACTOR_PASSWORD | FACTOR_OTP, .clock_trusted = true, .now_utc_sec = NOW };
}

struct policy *
scene_parse(const char *text)
{
	struct policy *policy = NULL;
	char error[512] = "";

	ck_assert_msg(policy_parse(text, strlen(text), "policy.conf", &policy, error, sizeof error) == 0, "%s", error);
	return policy;
}

struct decision
scene_decide(const struct scene *s)
{
	struct policy *policy = scene_parse(s->policy);
	struct decision d;

	memset(&d, 0xff, sizeof d);
	policy_decide(&s->facts, policy, &s->request, &d);
	policy_free(policy);
	return d;
}

void
scene_check(const struct scene_row *row)
{
	static struct scene s;
	struct decision d;

	scene_base(&s);
	ck_assert_int_eq(scene_decide(&s).verdict, VERDICT_ALLOW);
	row->change(&s);
	d = scene_decide(&s);
	ck_assert_msg(d.verdict == row->verdict && d.reason == row->reason, "%s: %s %s (%s)", row->name,
	    verdict_token(d.verdict), reason_token(d.reason), d.rule);
	ck_assert_msg(strstr(d.rule, row->rule) != NULL && d.rule[0] != '\0', "%s: %s", row->name, d.rule);
}

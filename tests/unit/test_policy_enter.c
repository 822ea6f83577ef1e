/*
 * test_policy_enter.c - policy_could_enter(): each thing that shuts a host for good beside what passes, and that it
 * agrees with policy_decide() on random policies.
 */
#include <config.h>

#include "common/policy.h"

#include <string.h>

#include "tests/unit/policy_scene.h"
#include "tests/unit/suite.h"

static bool
could(const struct scene *s)
{
	struct policy *policy = scene_parse(s->policy);
	bool yes = policy_could_enter(&s->facts, policy, s->request.host, s->request.host_groups);

	policy_free(policy);
	return yes;
}

/* Two roles, of which the second restricts the contractor further. */
#define LIMIT(text) \
	s->policy = "[role a]\nmatch = kind:contractor\nallow-services = sshd\n[role b]\nmatch = user:ada\n" text "\n"

CHANGE(nothing, (void)s)
CHANGE(unknown, s->facts = (struct facts){ .state = FACTS_UNKNOWN })
CHANGE(broken, s->facts.state = FACTS_BROKEN)
CHANGE(not_ready, s->facts.state = FACTS_NOT_READY)
CHANGE(no_kind, s->facts.kind = KIND_UNKNOWN)
CHANGE(kind_of_nowhere, s->facts.kind = KIND_COUNT)
CHANGE(no_role, s->policy = "[role x]\nmatch = user:eve\nallow-services = sshd\n")
CHANGE(no_list, s->policy = "[role x]\nmatch = any\n")
CHANGE(lists_agree, LIMIT("allow-services = cron sshd"))
CHANGE(lists_imply, LIMIT("allow-services = login"))	/* both: the user's manager */
CHANGE(lists_disagree, LIMIT("allow-services = cron"))
CHANGE(list_of_one, LIMIT("mfa = none"))
CHANGE(this_host, LIMIT("allow-hosts = db7"); s->request.host = "db7")
CHANGE(other_host, LIMIT("allow-hosts = db7"); s->request.host = "db8")
CHANGE(host_without_name, LIMIT("allow-hosts = db7"); s->request.host = NULL)
CHANGE(this_group, LIMIT("allow-hosts = @web"); s->request.host = "none"; s->request.host_groups = "db web")
CHANGE(other_group, LIMIT("allow-hosts = @web"); s->request.host = "web"; s->request.host_groups = "db webs")
CHANGE(robot_cron, s->facts.kind = KIND_SERVICE; s->policy = "[role r]\nmatch = kind:service\nallow-services = cron\n")
CHANGE(robot_sudo, s->facts.kind = KIND_SERVICE; s->policy = "[role r]\nmatch = kind:service\nallow-services = sudo\n")
CHANGE(robot_ssh, s->facts.kind = KIND_SERVICE; s->policy = "[role r]\nmatch = kind:service\nallow-services = sshd\n")
CHANGE(robot_su, s->facts.kind = KIND_SERVICE; s->policy = "[role r]\nmatch = kind:service\nallow-services = su\n")
CHANGE(primary_dropped, strcpy(s->facts.primary_group, "docker"); LIMIT("drop-groups = docker"))
CHANGE(primary_kept, strcpy(s->facts.primary_group, "dockers"); LIMIT("drop-groups = docker"))
CHANGE(primary_protected, strcpy(s->facts.primary_group, "docker");
    LIMIT("drop-groups = docker\n[groups]\ndeny-acl = docker"))

/* What passes by itself, or by a person's hand. */
CHANGE(disabled, s->facts.disabled = 1)
CHANGE(locked, s->facts.locked_until_utc_sec = NOW + 1000)
CHANGE(ended, s->facts.not_after_utc_sec = 1)
CHANGE(begins_later, s->facts.not_before_utc_sec = NOW + 1000)
CHANGE(no_end, s->facts.not_after_utc_sec = 0)
CHANGE(term_too_long, LIMIT("max-term = 60s"))
CHANGE(other_hours, LIMIT("hours = Mon 21:00-23:00 UTC"))
CHANGE(other_source, LIMIT("from = 198.51.100.0/24"))
CHANGE(no_token, s->facts.token_count = 0)
CHANGE(must_change, s->facts.must_change = 1)
CHANGE(no_password, s->facts.password_set = 0)
CHANGE(not_armed, s->facts.kind = KIND_BREAK_GLASS)

static const struct {
	const char *name;
	void (*change)(struct scene *);
	bool could;
} rows[] = {
#define YES(change) { #change, change, true }
#define NO(change) { #change, change, false }
	YES(nothing), NO(unknown), NO(broken), NO(not_ready), NO(no_kind), NO(kind_of_nowhere), NO(no_role), NO(no_list),
	YES(lists_agree), YES(lists_imply), NO(lists_disagree), YES(list_of_one), YES(this_host), NO(other_host),
	NO(host_without_name), YES(this_group), NO(other_group), YES(robot_cron), NO(robot_sudo), YES(robot_ssh), YES(robot_su),
	NO(primary_dropped), YES(primary_kept), YES(primary_protected), YES(disabled), YES(locked), YES(ended),
	YES(begins_later), YES(no_end), YES(term_too_long), YES(other_hours), YES(other_source), YES(no_token),
	YES(must_change), YES(no_password), YES(not_armed),
};

START_TEST(one_thing_changed)
{
	static struct scene s;

	scene_base(&s);
	rows[_i].change(&s);
	ck_assert_msg(could(&s) == rows[_i].could, "%s", rows[_i].name);
}
END_TEST

/* Whether policy_decide() lets in by some service, at one of two hours, from somewhere. */
static bool
is_let_in(struct scene *s, const struct policy *policy)
{
	static const char *const sources[] = { "192.0.2.7", "" };
	struct decision d;

	for (int i = 0; i < SCENE_SERVICES * 8; i++) {
		s->request.service = scene_services[i % SCENE_SERVICES];
		s->request.root_caller = (i / SCENE_SERVICES & 1) != 0;
		s->request.rhost = sources[i / SCENE_SERVICES >> 1 & 1];
		s->request.now_utc_sec = (i / SCENE_SERVICES & 4) != 0 ? NOW : NOW - 86400;
		s->facts.not_after_utc_sec = s->request.now_utc_sec + 10;
		policy_decide(&s->facts, policy, &s->request, &d);
		if (d.verdict == VERDICT_ALLOW)
			return true;
	}
	return false;
}

/* Nobody is left out whom policy_decide() lets in; without hours and sources, nobody else is kept. */
START_TEST(agrees_with_decide)
{
	static struct scene s;
	unsigned in = 0, out = 0, converse = 0;

	for (int i = 0; i < 20000; i++) {
		char text[2048] = "";
		struct policy *policy;
		int count = 1 + (int)(scene_random() % 3);
		bool could_enter, let_in;

		for (int r = 0; r < count; r++)
			scene_add_random_role(text, sizeof text, r);
		policy = scene_parse(text);
		scene_make_random(&s);
		if (scene_random() % 2 == 0)
			strcpy(s.facts.primary_group, scene_groups[scene_random() % SCENE_GROUPS]);
		could_enter = policy_could_enter(&s.facts, policy, s.request.host, s.request.host_groups);
		s.facts.not_before_utc_sec = 0;
		s.facts.must_change = 0;
		s.facts.token_count = 1;
		s.request.stage = STAGE_ACCOUNT;
		s.request.sessions = 0;
		s.facts.owner_state = s.facts.sponsor_state = CARE_VALID;
		s.facts.owner_end_utc_sec = 0;
		s.facts.reviewed_at_utc_sec = s.facts.last_use_utc_sec = NOW;
		s.request.factors = FACTOR_PASSWORD | FACTOR_OTP;
		let_in = is_let_in(&s, policy);
		if (let_in && !could_enter)
			ck_abort_msg("let in: %s", text);
		if (strstr(text, "hours") == NULL && strstr(text, "from") == NULL && s.facts.kind != KIND_BREAK_GLASS) {
			converse++;
			if (could_enter != let_in)
				ck_abort_msg("kind %u %s: %s", s.facts.kind, s.facts.primary_group, text);
		}
		in += let_in;
		out += !could_enter;
		policy_free(policy);
	}
	ck_assert_uint_gt(in, 2000);		/* the search saw all sides */
	ck_assert_uint_gt(out, 2000);
	ck_assert_uint_gt(converse, 2000);
}
END_TEST

int
main(void)
{
	const struct suite_row tests[] = { { one_thing_changed, ROWS(rows) }, { agrees_with_decide, 0 } };

	return suite_run("policy enter", tests, ROWS(tests), 60);
}

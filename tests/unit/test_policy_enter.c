/*
 * test_policy_enter.c - policy_could_enter(): each thing that shuts a host for good beside what passes, and that it
 * agrees with policy_decide() on random policies. policy_reach.h: whoever is let in at any hour from anywhere is found.
 */
#include <config.h>

#include "common/policy.h"

#include <stdio.h>
#include <string.h>

#include "common/policy_reach.h"
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
#define ANY s->policy = "[role a]\nmatch = any\nallow-services = sshd\n"
CHANGE(any_kind, ANY)
CHANGE(any_no_kind, ANY; s->facts.kind = KIND_UNKNOWN)
CHANGE(any_kind_of_nowhere, ANY; s->facts.kind = KIND_COUNT)
CHANGE(any_broken, ANY; s->facts.state = FACTS_BROKEN)
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
CHANGE(last_group, LIMIT("allow-hosts = db7 @db"); s->request.host = "db8"; s->request.host_groups = "web \tdb\t")
CHANGE(no_group, LIMIT("allow-hosts = @web"); s->request.host = "web"; s->request.host_groups = NULL)
CHANGE(group_without_at, LIMIT("allow-hosts = xweb"); s->request.host = "db7"; s->request.host_groups = "web")
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
	YES(nothing), NO(unknown), NO(broken), NO(not_ready), NO(no_kind), NO(kind_of_nowhere), YES(any_kind), NO(any_no_kind), NO(any_kind_of_nowhere), NO(any_broken),
	 NO(no_role), NO(no_list),
	YES(lists_agree), YES(lists_imply), NO(lists_disagree), YES(list_of_one), YES(this_host), NO(other_host),
	NO(host_without_name), YES(this_group), NO(other_group), YES(last_group), NO(no_group), NO(group_without_at),
	 YES(robot_cron), NO(robot_sudo), YES(robot_ssh), YES(robot_su),
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

/* Two roles' networks and hours, the first of each role; which of all addresses and minutes fit both. */
static const struct {
	const char *first, *second, *fits, *network;	/* NULL: nothing fits */
} overlaps[] = {
	{ "192.0.2.0/24", "192.0.2.128/25 198.51.100.7", "192.0.2.128", "192.0.2.128/25" },
	{ "192.0.2.128/25", "192.0.0.0/16", "192.0.2.128", "192.0.2.128/25" },
	{ "2001:db8::/32 local", "2001:db8:7::/48", "2001:db8:7::", "2001:db8:7::/48" },
	{ "192.0.2.0/24 local", "local 2001:db8::/32", "", "local" },
	{ "::ffff:192.0.2.0/120", "192.0.2.7", "192.0.2.7", "192.0.2.7/32" },
	{ "192.0.2.0/24", "198.51.100.0/24", NULL, NULL },
};

START_TEST(sources_that_fit_all_roles)
{
	char text[512], address[POLICY_NETWORK_MAX], network[POLICY_NETWORK_MAX];
	const char *fits = NULL, *fitting = NULL;
	struct policy *policy;
	struct decision d;
	struct scene s;

	scene_base(&s);
	(void)snprintf(text, sizeof text, "[role a]\nmatch = any\nallow-services = sshd\nfrom = %s\n[role b]\nmatch = any\nfrom = %s\n",
	    overlaps[_i].first, overlaps[_i].second);
	policy = scene_parse(text);
	for (size_t i = 0; fits == NULL && policy_reach_source(policy, 3, i, address, network); i++) {
		s.request.rhost = address;
		policy_decide(&s.facts, policy, &s.request, &d);
		if (d.verdict == VERDICT_ALLOW) {
			fits = address;
			fitting = network;
		}
	}
	ck_assert_pstr_eq(fits, overlaps[_i].fits);
	ck_assert_pstr_eq(fitting, overlaps[_i].network);
	ck_assert(!policy_reach_source(policy, 0, 0, address, network));
	policy_free(policy);
}
END_TEST

static const struct {
	const char *first, *second;
	int64_t from_utc_sec, at_utc_sec;
} times[] = {	/* NOW is 22:00 on a Tuesday */
	{ "Mon..Sun 07:00-23:00 UTC", "Tue 21:00-22:30 UTC", NOW + 59, NOW + 59 },
	{ "Mon..Sun 07:00-19:00 UTC", "Mon..Fri 18:00-20:00 UTC", NOW + 59, NOW + 20 * 3600 },
	{ "Tue 21:00-22:00 UTC", "Mon..Sun 00:00-24:00 UTC", NOW, NOW + 7 * 86400 - 3600 },
	{ "Mon..Sun 07:00-08:00 UTC", "Mon..Sun 08:00-09:00 UTC", NOW, 0 },
};

START_TEST(hours_of_all_roles)
{
	struct policy *policy;
	char text[512];

	(void)snprintf(text, sizeof text, "[role a]\nmatch = any\nhours = %s\n[role b]\nmatch = any\nhours = %s\n", times[_i].first,
	    times[_i].second);
	policy = scene_parse(text);
	ck_assert_int_eq(policy_reach_instant(policy, 3, times[_i].from_utc_sec), times[_i].at_utc_sec);
	ck_assert_int_eq(policy_reach_instant(policy, 0, times[_i].from_utc_sec), times[_i].from_utc_sec);
	policy_free(policy);
}
END_TEST

START_TEST(hosts_of_all_roles)
{
	static const char *const names[] = { "@web", "db7", "db8", NULL };
	struct policy *policy = scene_parse("[role a]\nmatch = any\nallow-hosts = @web db7\n[role b]\nmatch = any\n"
	    "[role c]\nmatch = any\nallow-hosts = db7 db8 @web\n");

	for (size_t i = 0; i < ROWS(names); i++)
		ck_assert_pstr_eq(policy_reach_host(policy, i), names[i]);
	ck_assert(policy_reach_role_host(policy, 0, "x", "db web") && !policy_reach_role_host(policy, 0, "db8", "db"));
	ck_assert(policy_reach_role_host(policy, 1, "x", "") && policy_reach_role_host(policy, 2, "db8", ""));
	ck_assert(!policy_reach_role_host(policy, 3, "db8", ""));
	policy_free(policy);
}
END_TEST

int
main(void)
{
	const struct suite_row tests[] = { { one_thing_changed, ROWS(rows) }, { agrees_with_decide, 0 },
		{ sources_that_fit_all_roles, ROWS(overlaps) }, { hours_of_all_roles, ROWS(times) }, { hosts_of_all_roles, 0 } };

	return suite_run("policy enter", tests, ROWS(tests), 60);
}

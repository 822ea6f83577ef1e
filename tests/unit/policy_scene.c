/*
 * policy_scene.c - a welcome contractor before policy_decide() (see policy_scene.h).
 */
#include <config.h>

#include "tests/unit/policy_scene.h"

#include <stdio.h>
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
		.not_after_source = "pwdEndTime", .password_set = 1, .token_count = 1, .groups = "web-deploy dev",
		.owner_state = CARE_VALID, .sponsor_state = CARE_VALID, .created_utc_sec = NOW - 5000 };
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

/* ---- random ones, from a fixed seed ---- */

static uint64_t seed = 0x9e3779b97f4a7c15;

uint64_t
scene_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

const char *const scene_services[SCENE_SERVICES] = { "sshd", "login", "sudo", "cron", "systemd-user", "unprivileged",
	"su" };
const char *const scene_groups[SCENE_GROUPS] = { "web", "log", "sudo", "adm" };

static size_t
random_words(char *to, size_t size, const char *const *words, unsigned count)
{
	size_t used = 0;

	to[0] = '\0';
	for (unsigned i = 0; i < count; i++) {
		if (scene_random() % 2 == 0)
			used += (size_t)snprintf(to + used, size - used, " %s", words[i]);
	}
	return used;
}

void
scene_add_random_role(char *text, size_t size, int number)
{
	static const char *const mfa[] = { "", "mfa = none\n", "mfa = if-enrolled\n", "mfa = required\n" };
	static const char *const limits[] = { "hours = Tue 21:00-23:00 UTC", "hours = Mon 21:00-23:00 UTC",
		"from = 192.0.2.0/24", "from = local", "max-term = 60s", "max-term = 1d", "allow-hosts = db7", "allow-hosts = db8 @web",
		"max-sessions = 2", "max-sessions = 3", "review-every = 60s", "review-every = 2h", "dormant-after = 60s",
		"dormant-after = 2h", "require-sponsor = yes", "owner-grace = 60s", "owner-grace = 1h", "on-end = deny-new" };
	char words[128];
	size_t used = strlen(text);

	used += (size_t)snprintf(text + used, size - used, "[role r%d]\nmatch = any\n%s", number, mfa[scene_random() % 4]);
	if (number == 0 || scene_random() % 2 == 0) {
		(void)random_words(words, sizeof words, scene_services, SCENE_SERVICES);
		used += (size_t)snprintf(text + used, size - used, "allow-services = none%s\n", words);
	}
	if (scene_random() % 2 == 0) {
		(void)random_words(words, sizeof words, scene_groups, SCENE_GROUPS);
		used += (size_t)snprintf(text + used, size - used, "keep-groups =%s\n", words);
	}
	if (scene_random() % 2 == 0 && random_words(words, sizeof words, scene_groups, SCENE_GROUPS) > 0)
		used += (size_t)snprintf(text + used, size - used, "drop-groups =%s\n", words);
	if (scene_random() % 4 == 0)
		used += (size_t)snprintf(text + used, size - used, "require-expiry = yes\n");
	if (scene_random() % 4 == 0)
		used += (size_t)snprintf(text + used, size - used, "%s\n", limits[scene_random() % ROWS(limits)]);
	if (scene_random() % 2 == 0)
		(void)snprintf(text + used, size - used, "max-session = %us\n", 10 + (unsigned)(scene_random() % 100));
}

const char scene_key[] = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/* At most two, of which most hold. */
static void
scene_add_random_exemptions(struct scene *s)
{
	static const char *const controls[] = { "mfa", "source", "dormant", "review", "hours" };
	size_t used = 0;

	for (unsigned i = 0; i < scene_random() % 3; i++)
		used += (size_t)snprintf(s->facts.exemptions + used, sizeof s->facts.exemptions - used, "x%u %s %d %d %s %s %s\n", i,
		    controls[scene_random() % ROWS(controls)], scene_random() % 4 == 0 ? NOW + 1 : 0,
		    scene_random() % 4 == 0 ? NOW : NOW + 5, scene_random() % 4 == 0 ? scene_key : "-",
		    scene_random() % 4 == 0 ? "sshd" : "-", scene_random() % 4 == 0 ? "192.0.2.0/24" : "-");
	s->request.key = scene_random() % 2 == 0 ? scene_key : "";
	s->request.key_unseen = scene_random() % 4 == 0;
	s->request.key_awaited = scene_random() % 4 == 0;
}

void
scene_make_random(struct scene *s)
{
	scene_base(s);
	s->facts.kind = 1 + (uint32_t)(scene_random() % 4);
	s->facts.token_count = (uint32_t)(scene_random() % 2);
	s->facts.not_after_utc_sec = scene_random() % 3 == 0 ? 0 : NOW + 10;
	s->facts.must_change = scene_random() % 8 == 0;
	s->request.service = scene_services[scene_random() % SCENE_SERVICES];
	s->request.stage = (enum stage)(1 + scene_random() % 3);
	s->request.factors = (unsigned)(scene_random() % 8);
	s->request.live_mfa_session = scene_random() % 2 == 0;
	s->request.root_caller = scene_random() % 4 == 0;
	s->request.sessions = (unsigned)(scene_random() % 5);
	s->facts.owner_state = (uint32_t)(scene_random() % 4);
	s->facts.owner_end_utc_sec = scene_random() % 2 == 0 ? 0 : NOW - 100;
	s->facts.sponsor_state = (uint32_t)(scene_random() % 4);
	s->facts.created_utc_sec = scene_random() % 8 == 0 ? 0 : NOW - 3000;
	s->facts.last_use_utc_sec = scene_random() % 2 == 0 ? 0 : NOW - 50;
	s->facts.reviewed_at_utc_sec = scene_random() % 2 == 0 ? 0 : NOW - 50;
	scene_add_random_exemptions(s);
	s->request.host = "db7";
	s->request.host_groups = scene_random() % 2 == 0 ? "web" : "none";
}

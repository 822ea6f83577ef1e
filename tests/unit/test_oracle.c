/*
 * test_oracle.c - policy_decide() against a second judge (oracle_rules.h) on random cases, and what must hold of any judge.
 *
 *   test_oracle [CASES [SEED]]          default: 100,000, and a fixed seed
 *
 * Times lie around the instants at which something changes, since that is where judges differ.
 */
#include <config.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/oracle_rules.h"
#include "tests/unit/suite.h"

#define NOW 1782856800		/* 2026-06-30T22:00:00Z, a Tuesday; 00:00 of Wednesday in Berlin */
#define KEY_A "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KEY_B "SHA256:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"

static uint64_t dice;
static uint64_t wanted_cases = 100000, first_seed = 0x6a09e667f3bcc908;

static unsigned
roll(unsigned sides)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (unsigned)(dice >> 32) % sides;
}

#define PICK(...) pick((const char *const[]){ __VA_ARGS__ }, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static const char *
pick(const char *const *words, size_t count)
{
	return words[roll((unsigned)count)];
}

/* A span of the few from which the times below are made, so that sums meet to the second. */
static long
span(void)
{
	static const long spans[] = { 60, 61, 90, 3600, 86400, 86401, 10 * 86400 };

	return spans[roll(7)];
}

/* An instant that is now, or a span away from it, or a second beside that. */
static int64_t
instant(int64_t now, int none)
{
	int64_t at = now + (int)roll(3) - 1;

	if (none != 0 && roll((unsigned)none) == 0)
		return 0;
	switch (roll(3)) {
	case 0:
		return at;
	case 1:
		return at + span();
	default:
		return at - span();
	}
}

/* ---- a case ---- */

static void
make_role(struct oracle_role *r, bool first)
{
	*r = (struct oracle_role){ .owner_grace = -1 };
	r->match[0] = roll(3) != 0 ? "any" : PICK("kind:employee", "kind:contractor", "user:ada", "user:eve", "group:web", "group:db");
	if (strcmp(r->match[0], "any") != 0 && roll(2) == 0)
		r->match[1] = PICK("kind:employee", "kind:service", "kind:break-glass", "user:ada", "group:web", "group:ops");
	if (first || roll(3) == 0)
		r->services = PICK("sshd login sudo su cron vault", "sshd", "cron sudo", "sshd login", "login cron su", "sudo",
		    "sshd systemd-user unprivileged cron");
	if (roll(8) == 0)
		r->hosts = PICK("db7", "db8", "@web", "@mail db8", "@db7");
	if (roll(2) == 0)
		r->mfa = PICK("none", "none", "none", "if-enrolled", "required");
	if (roll(5) == 0)
		r->from = PICK("192.0.2.0/24", "192.0.2.0/25 local", "192.0.2.7", "2001:db8::/32", "local", "::/0", "0.0.0.0/0", "2001:db8::1",
		    "192.0.2.4/30", "::ffff:192.0.2.0/121");
	if (roll(6) == 0)
		r->drop_groups = PICK("web", "ops", "web ops");
	r->require_expiry = roll(8) == 0;
	r->max_term = roll(8) == 0 ? span() : 0;
	r->max_session = roll(3) == 0 ? 10 + (long)roll(5) : 0;
	r->review_every = roll(6) == 0 ? span() : 0;
	r->dormant_after = roll(6) == 0 ? span() : 0;
	r->require_sponsor = roll(8) == 0;
	r->owner_grace = roll(3) == 0 ? roll(3) == 0 ? 0 : span() : -1;
	r->max_sessions = roll(6) == 0 ? 1 + (long)roll(3) : 0;
	if (roll(6) != 0)
		return;
	r->days = PICK("2", "3", "12345", "67", "1234567", "23");
	r->zone = PICK("UTC", "Europe/Berlin");
	r->from_minute = (int)roll(24) * 60;
	do
		r->to_minute = (int)(roll(3) == 0 ? 1440 : roll(2) == 0 ? 22 * 60 : roll(24) * 60);
	while (r->to_minute == r->from_minute);
}

static void
make_facts(struct facts *f, int64_t now)
{
	*f = (struct facts){ .state = roll(40) != 0 ? FACTS_MANAGED : roll(FACTS_NOT_READY + 1), .kind = 1 + roll(4), .uid = 7 };
	if (roll(60) == 0)
		f->kind = KIND_UNKNOWN;
	strcpy(f->user, roll(8) == 0 ? "eve" : "ada");
	strcpy(f->groups, PICK("", "web", "web db", "db ops", "webs"));
	strcpy(f->primary_group, PICK("", "", "web", "ops", "ada"));
	f->disabled = roll(30) == 0;
	f->locked_until_utc_sec = roll(15) == 0 ? instant(now, 3) : 0;
	f->not_before_utc_sec = roll(3) == 0 ? instant(now, 3) : roll(2) == 0 ? 0 : now - 5 * span();
	f->not_after_utc_sec = roll(3) == 0 ? instant(now, 3) : now + span();
	f->must_change = roll(12) == 0;
	f->token_count = roll(3);
	f->owner_state = roll(4) == 0 ? roll(4) : (uint32_t)CARE_VALID;
	f->owner_end_utc_sec = f->owner_state == CARE_VALID ? instant(now, 2) : roll(2) == 0 ? 0 : now - span() + (int)roll(3) - 1;
	f->sponsor_state = roll(4) == 0 ? roll(4) : (uint32_t)CARE_VALID;
	f->sponsor_end_utc_sec = f->sponsor_state == CARE_VALID ? instant(now, 2) : 0;
	strcpy(f->keys, PICK("", KEY_A, KEY_B, KEY_B " " KEY_A));
	strcpy(f->sources, PICK("", "192.0.2.0/24", "2001:db8::/32 192.0.2.7", "198.51.100.0/24"));
	f->has_command = roll(3) != 0;
	f->armed_until_utc_sec = roll(2) == 0 ? instant(now, 3) : now + 3600;
	strcpy(f->armed_by, roll(4) == 0 ? "" : "uid=carol,dc=x");
	f->created_utc_sec = instant(now, 6);
	f->last_use_utc_sec = instant(now, 2);
	f->reviewed_at_utc_sec = instant(now, 2);
}

static void
make_request(struct request *q, int64_t now)
{
	*q = (struct request){ .stage = (enum stage)(1 + roll(3)), .now_utc_sec = now, .clock_trusted = roll(10) != 0, .host = "db7",
		.host_groups = PICK("", "web", "mail web", "webs"), .root_caller = roll(4) == 0, .live_mfa_session = roll(3) == 0,
		.sessions = roll(5), .key = roll(2) == 0 ? KEY_A : roll(2) == 0 ? "" : NULL, .key_unseen = roll(5) == 0,
		.key_awaited = roll(3) == 0,
		.armed_longest_sec = roll(2) == 0 ? 0 : span() };
	q->service = roll(2) == 0 ? "sshd" : PICK("login", "sudo", "su", "su-l", "cron", "systemd-user", "unprivileged", "vault", "atd");
	q->rhost = PICK("", "192.0.2.7", "192.0.2.200", "198.51.100.7", "2001:db8::1", "2001:db9::1", "::ffff:192.0.2.7", "db.example");
	q->factors = roll(3) == 0 ? FACTOR_KEY : roll(8);
	if (roll(10) == 0)
		q->factors |= roll(2) == 0 ? FACTOR_PASSWORD_STALE : FACTOR_PASSWORD_CHANGED;
}

static void
make_case(struct oracle_case *c)
{
	int64_t now = NOW + (int64_t)roll(8) * 6 * 3600 + (int)roll(3) - 1;

	*c = (struct oracle_case){ .role_count = 1 + (int)roll(ORACLE_ROLES - 2), .deny_acl = roll(4) == 0 ? "ops" : NULL };
	for (int i = 0; i < c->role_count; i++)
		make_role(&c->roles[i], i == 0 && roll(10) != 0);
	make_facts(&c->facts, now);
	make_request(&c->request, now);
	c->exemption_count = roll(2) == 0 ? 0 : (int)roll(ORACLE_EXEMPTIONS);
	for (int i = 0; i < c->exemption_count; i++)
		c->exemptions[i] = (struct oracle_exemption){ .control = PICK("mfa", "mfa", "source", "dormant", "review", "hours"),
			.from = roll(2) == 0 ? 0 : instant(now, 0), .until = roll(2) == 0 ? now + 5 * span() : instant(now, 0),
			.key = roll(3) != 0 ? NULL : roll(3) == 0 ? KEY_B : KEY_A, .service = roll(4) != 0 ? NULL : PICK("sshd", "cron"),
			.networks = roll(4) != 0 ? NULL : PICK("192.0.2.0/24", "2001:db8::/32 198.51.100.7") };
}

/* ---- the same in our words ---- */

static size_t used;
static char text[8192];

static void __attribute__((format(printf, 1, 2)))
say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	used += (size_t)vsnprintf(text + used, sizeof text - used, format, args);
	va_end(args);
	ck_assert_uint_lt(used, sizeof text);
}

static void
say_word(const char *key, const char *value)
{
	if (value != NULL)
		say("%s = %s\n", key, value);
}

static void
say_seconds(const char *key, long value)
{
	if (value > 0)
		say("%s = %lds\n", key, value);
}

static void
say_role(const struct oracle_role *r, int number)
{
	static const char *const days[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };

	say("[role r%d]\nmatch =", number);
	for (int i = 0; r->match[i] != NULL; i++)
		say(" %s", r->match[i]);
	say("\n");
	say_word("allow-services", r->services);
	say_word("allow-hosts", r->hosts);
	say_word("mfa", r->mfa);
	say_word("from", r->from);
	say_word("drop-groups", r->drop_groups);
	say_word("require-expiry", r->require_expiry ? "yes" : NULL);
	say_word("require-sponsor", r->require_sponsor ? "yes" : NULL);
	say_seconds("max-term", r->max_term);
	say_seconds("max-session", r->max_session);
	say_seconds("review-every", r->review_every);
	say_seconds("dormant-after", r->dormant_after);
	if (r->owner_grace >= 0)
		say("owner-grace = %lds\n", r->owner_grace);
	if (r->max_sessions > 0)
		say("max-sessions = %ld\n", r->max_sessions);
	if (r->days == NULL)
		return;
	say("hours = ");
	for (const char *d = r->days; *d != '\0'; d++)
		say("%s%s", d == r->days ? "" : ",", days[*d - '1']);
	say(" %02d:%02d-%02d:%02d %s\n", r->from_minute / 60, r->from_minute % 60, r->to_minute / 60, r->to_minute % 60, r->zone);
}

static struct policy *
write_policy(const struct oracle_case *c)
{
	struct policy *policy = NULL;
	char error[512] = "";

	used = 0;
	text[0] = '\0';
	for (int i = 0; i < c->role_count; i++)
		say_role(&c->roles[i], i);
	if (c->deny_acl != NULL)
		say("[groups]\ndeny-acl = %s\n", c->deny_acl);
	ck_assert_msg(policy_parse(text, used, "p", &policy, error, sizeof error) == 0, "%s\n%s", error, text);
	return policy;
}

static void
write_exemptions(struct oracle_case *c)
{
	char *to = c->facts.exemptions;

	*to = '\0';
	for (int i = 0; i < c->exemption_count; i++) {
		const struct oracle_exemption *x = &c->exemptions[i];
		char networks[128] = "-";

		if (x->networks != NULL)
			(void)snprintf(networks, sizeof networks, "%s", x->networks);
		for (char *p = networks; *p != '\0'; p++)
			*p = *p == ' ' ? ',' : *p;
		to += sprintf(to, "x%d %s %" PRId64 " %" PRId64 " %s %s %s\n", i, x->control, x->from < 0 ? 0 : x->from, x->until,
		    x->key != NULL ? x->key : "-", x->service != NULL ? x->service : "-", networks);
	}
}

static struct decision
decide(const struct oracle_case *c, const struct policy *policy)
{
	struct decision d;

	memset(&d, 0xff, sizeof d);
	policy_decide(&c->facts, policy, &c->request, &d);
	return d;
}

static bool
lets_in(const struct decision *d)
{
	return d->verdict == VERDICT_ALLOW || d->verdict == VERDICT_MUST_CHANGE;
}

static void
disagree(const struct oracle_case *c, const char *what, const struct decision *d, const struct oracle_answer *a)
{
	ck_abort_msg("%s: policy_decide() %s %s (%s), the oracle %s %s; kind %u %s by %s from \"%s\" stage %d factors %u at %+" PRId64
	    ", begin %+" PRId64 " end %+" PRId64 "\n%s%s", what, verdict_token(d->verdict), reason_token(d->reason), d->rule,
	    verdict_token(a->verdict), reason_token(a->reason), c->facts.kind, c->facts.user, c->request.service, c->request.rhost,
	    (int)c->request.stage, c->request.factors, c->request.now_utc_sec - NOW,
	    c->facts.not_before_utc_sec - c->request.now_utc_sec, c->facts.not_after_utc_sec - c->request.now_utc_sec, text,
	    c->facts.exemptions);
}

/* One more role, wherever it stands, lets nobody in whom the others did not. But for him whom no other one matches. */
static void
check_further_role(struct oracle_case *c, const struct decision *without)
{
	static struct oracle_case more;
	struct oracle_answer none = { .verdict = VERDICT_DENY };
	struct policy *policy;
	struct decision with;
	int at = (int)roll((unsigned)c->role_count + 1);

	if (without->roles == 0 || without->reason == REASON_SERVICE_NOT_ALLOWED || lets_in(without))
		return;		/* a first list of services is the one thing that a role gives */
	more = *c;
	memmove(&more.roles[at + 1], &more.roles[at], (size_t)(c->role_count - at) * sizeof more.roles[0]);
	make_role(&more.roles[at], false);
	more.roles[at].services = NULL;
	more.role_count++;
	policy = write_policy(&more);
	with = decide(&more, policy);
	if (lets_in(&with))
		disagree(&more, "a further role widens", &with, &none);
	policy_free(policy);
}

/* An earlier end never allows more, and from the end on nothing is allowed. */
static void
check_ends(struct oracle_case *c, const struct policy *policy, const struct decision *d)
{
	struct oracle_answer none = { .verdict = VERDICT_DENY };
	struct decision other;
	int64_t end = c->facts.not_after_utc_sec;

	if (!lets_in(d) && end > 1 && d->reason != REASON_TERM_TOO_LONG && d->reason != REASON_NO_EXPIRY) {
		c->facts.not_after_utc_sec = end - (int64_t)roll(2) - (roll(2) == 0 ? span() : 0);
		other = decide(c, policy);
		if (lets_in(&other))
			disagree(c, "an earlier end lets in", &other, &none);
	}
	c->facts.not_after_utc_sec = c->request.now_utc_sec - (int64_t)roll(2) * span();
	if (c->facts.not_after_utc_sec > 0) {
		other = decide(c, policy);
		if (lets_in(&other))
			disagree(c, "let in at or after the end", &other, &none);
	}
	c->facts.not_after_utc_sec = end;
}

START_TEST(agrees_with_the_oracle)
{
	static struct oracle_case c;
	uint64_t seen[REASON_COUNT] = { 0 };
	unsigned rare = 0;

	dice = first_seed;
	for (uint64_t i = 0; i < wanted_cases; i++) {
		struct oracle_answer a;
		struct policy *policy;
		struct decision d;

		make_case(&c);
		write_exemptions(&c);
		policy = write_policy(&c);
		/* Several people and requests by one policy: to read it takes longer than to judge. */
		for (int k = 0; k < 8; k++, i++) {
			d = decide(&c, policy);
			a = oracle_decide(&c);
			if (d.verdict != a.verdict || d.reason != a.reason || (c.facts.state == FACTS_MANAGED &&
			    d.max_session_sec != (uint32_t)a.max_session))
				disagree(&c, "case", &d, &a);
			seen[d.reason]++;
			check_ends(&c, policy, &d);
			make_facts(&c.facts, c.request.now_utc_sec);
			make_request(&c.request, c.request.now_utc_sec);
			write_exemptions(&c);
		}
		i--;
		d = decide(&c, policy);
		check_further_role(&c, &d);
		policy_free(policy);
	}
	for (unsigned r = REASON_NONE + 1; r < REASON_COUNT; r++)
		rare += seen[r] >= wanted_cases / 5000;
	ck_assert_uint_ge(rare, 24);		/* the search saw all of them */
}
END_TEST

/* What the oracle itself is held to: that an end is outside, and how words and addresses are read, by hand. */
START_TEST(the_oracle_by_hand)
{
	struct oracle_case c = { .role_count = 1, .roles = { { .match = { "any" }, .services = "sshd", .mfa = "none",
		.from = "192.0.2.0/25", .owner_grace = -1 } }, .facts = { .state = FACTS_MANAGED, .kind = KIND_EMPLOYEE, .user = "ada",
		.not_after_utc_sec = NOW + 1 }, .request = { .stage = STAGE_ACCOUNT, .service = "sshd", .rhost = "192.0.2.127", .host = "a",
		.host_groups = "", .clock_trusted = true, .now_utc_sec = NOW } };
	int minute, day;

	ck_assert_int_eq(oracle_decide(&c).verdict, VERDICT_ALLOW);
	c.request.rhost = "192.0.2.128";
	ck_assert_int_eq(oracle_decide(&c).reason, REASON_SOURCE_NOT_ALLOWED);
	c.request.rhost = "::ffff:192.0.2.1";
	ck_assert_int_eq(oracle_decide(&c).verdict, VERDICT_ALLOW);
	c.request.now_utc_sec++;
	ck_assert_int_eq(oracle_decide(&c).verdict, VERDICT_EXPIRED);
	oracle_local_time("Europe/Berlin", NOW, &minute, &day);
	ck_assert_int_eq(minute, 0);
	ck_assert_int_eq(day, 3);
	oracle_local_time("UTC", NOW, &minute, &day);
	ck_assert_int_eq(minute, 22 * 60);
	ck_assert_int_eq(day, 2);
}
END_TEST

int
main(int argc, char **argv)
{
	const struct suite_row rows[] = { { the_oracle_by_hand, 0 }, { agrees_with_the_oracle, 0 } };

	if (argc > 1)
		wanted_cases = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		first_seed = strtoull(argv[2], NULL, 0) | 1;
	return suite_run("oracle", rows, ROWS(rows), 36000);
}

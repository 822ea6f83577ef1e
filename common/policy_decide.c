/*
 * policy_decide.c - facts + policy + request + clock -> decision (DESIGN 3.4).
 *
 * Runs in the front for PAM and for `isms-userctl why`; pure: no I/O, no clock, no allocation. Must never
 * allow by running out of questions: each judge below may only deny, and what none of them denied has passed
 * them all. Their order is the precedence of reasons.
 */
#include <config.h>

#include "common/policy.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/policy_parts.h"

/* What all judges look at. */
struct trial {
	const struct facts *facts;
	const struct policy *policy;
	const struct request *request;
	const char *service;
	enum stage stage;
	enum service_class class;
	const struct role *mfa_role;	/* that demands a code most strictly; NULL without roles */
	struct decision *out;
};

static void __attribute__((format(printf, 2, 3)))
set_rule(struct decision *d, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(d->rule, sizeof d->rule, format, args);
	va_end(args);
}

/* "role contractor: mfa (policy.conf:7)"; the role's own line where the key is not given and its default decides. */
static void
set_role_rule(struct decision *d, const struct role *role, enum role_key key, const char *what)
{
	set_rule(d, "role %s: %s%s (%s:%u)", role->name, what, role->lines[key] != 0 ? "" : " by default", role->file,
	    role->lines[key] != 0 ? role->lines[key] : role->line);
	if (role->contact[0] != '\0')
		(void)snprintf(d->contact, sizeof d->contact, "%s", role->contact);
}

/* Always true, so that a judge can return it. */
static bool
deny(struct trial *t, enum verdict verdict, enum reason reason)
{
	t->out->verdict = verdict;
	t->out->reason = reason;
	return true;
}

static const struct role *
next_role(const struct trial *t, const struct role *after)
{
	return policy_next_role(t->policy, t->out->roles, after);
}

static bool
judge_state(struct trial *t)
{
	switch (t->facts->state) {
	case FACTS_MANAGED:
		break;
	case FACTS_UNKNOWN:
		set_rule(t->out, "directory: no entry");
		return deny(t, VERDICT_NOT_OURS, REASON_UNKNOWN_USER);
	case FACTS_NOT_READY:
		set_rule(t->out, "directory: no complete view yet");
		return deny(t, VERDICT_DENY, REASON_DIRECTORY_UNAVAILABLE);
	default:
		set_rule(t->out, "directory: %.100s", t->facts->fault);
		return deny(t, VERDICT_DENY, REASON_BAD_RECORD);
	}
	if (t->facts->kind == KIND_UNKNOWN || t->facts->kind >= KIND_COUNT) {
		set_rule(t->out, "directory: no kind of person");
		return deny(t, VERDICT_DENY, REASON_BAD_RECORD);
	}
	return false;
}

static bool
judge_locks(struct trial *t)
{
	if (t->facts->disabled != 0) {
		set_rule(t->out, "directory: disabled by %s", t->facts->disabled_source);
		return deny(t, VERDICT_DENY, REASON_DISABLED);
	}
	if (t->facts->locked_until_utc_sec != 0 && t->request->now_utc_sec < t->facts->locked_until_utc_sec) {
		set_rule(t->out, "directory: locked for a time");
		return deny(t, VERDICT_DENY, REASON_LOCKED);
	}
	return false;
}

/* [not_before, not_after): the instant of the end is outside (THREATS 5.7). */
static bool
judge_window(struct trial *t)
{
	if (t->facts->not_before_utc_sec != 0 && t->request->now_utc_sec < t->facts->not_before_utc_sec) {
		set_rule(t->out, "directory: begin of the contract");
		return deny(t, VERDICT_DENY, REASON_NOT_YET_VALID);
	}
	if (t->facts->not_after_utc_sec != 0 && t->request->now_utc_sec >= t->facts->not_after_utc_sec) {
		set_rule(t->out, "directory: ended by %s", t->facts->not_after_source);
		return deny(t, VERDICT_EXPIRED, REASON_EXPIRED);
	}
	if (!t->request->clock_trusted && t->facts->kind == KIND_CONTRACTOR) {
		set_rule(t->out, "clock: contractors need one that can be trusted");
		return deny(t, VERDICT_DENY, REASON_CLOCK_UNTRUSTED);
	}
	return false;
}

static bool
judge_expiry(struct trial *t)
{
	if (t->facts->not_after_utc_sec != 0)
		return false;
	for (const struct role *role = next_role(t, NULL); role != NULL; role = next_role(t, role)) {
		if (role->require_expiry) {
			set_role_rule(t->out, role, KEY_REQUIRE_EXPIRY, "require-expiry");
			return deny(t, VERDICT_DENY, REASON_NO_EXPIRY);
		}
	}
	if (t->facts->kind != KIND_CONTRACTOR && t->facts->kind != KIND_SERVICE)
		return false;
	set_rule(t->out, "kind %s: an end date, always", t->facts->kind == KIND_SERVICE ? "service" : "contractor");
	return deny(t, VERDICT_DENY, REASON_NO_EXPIRY);
}

/* An end that lies too far ahead is as good as none. */
static bool
judge_term(struct trial *t)
{
	int64_t begin = policy_later(t->facts->not_before_utc_sec, t->request->now_utc_sec);
	int64_t end = t->facts->not_after_utc_sec;

	for (const struct role *role = next_role(t, NULL); role != NULL; role = next_role(t, role)) {
		if (role->max_term_sec == 0 || (end != 0 && end - begin <= role->max_term_sec))
			continue;
		set_role_rule(t->out, role, KEY_MAX_TERM, "max-term");
		return deny(t, VERDICT_DENY, end == 0 ? REASON_NO_EXPIRY : REASON_TERM_TOO_LONG);
	}
	return false;
}

static bool
judge_kind(struct trial *t)
{
	const char *rule = "";
	enum reason reason = policy_kind_denies(t->facts, t->request, t->stage, t->class, &rule);

	if (reason == REASON_NONE)
		return false;
	set_rule(t->out, "%s", rule);
	return deny(t, VERDICT_DENY, reason);
}

/* Every role that has allow-services must let the service in, and one must have it. */
static bool
judge_service(struct trial *t)
{
	const struct role *allowing = NULL;

	if (t->out->roles == 0) {
		set_rule(t->out, "policy: no role matches");
		return deny(t, VERDICT_DENY, REASON_NO_ROLE);
	}
	for (const struct role *role = next_role(t, NULL); role != NULL; role = next_role(t, role)) {
		if (role->lines[KEY_ALLOW_SERVICES] == 0)
			continue;
		if (!policy_role_allows(t->policy, role, t->service)) {
			set_role_rule(t->out, role, KEY_ALLOW_SERVICES, "allow-services");
			return deny(t, VERDICT_DENY, REASON_SERVICE_NOT_ALLOWED);
		}
		if (allowing == NULL)
			allowing = role;
	}
	if (allowing == NULL) {
		set_rule(t->out, "policy: no matching role has allow-services");
		return deny(t, VERDICT_DENY, REASON_SERVICE_NOT_ALLOWED);
	}
	set_role_rule(t->out, allowing, KEY_ALLOW_SERVICES, "allow-services");	/* stands unless a later judge denies */
	return false;
}

/* What a request must be besides, role by role: an unattended service comes from nowhere, at any hour (DESIGN 3.4). */
static bool
judge_limits(struct trial *t)
{
	const char *rhost = t->request->rhost != NULL ? t->request->rhost : "";
	bool is_attended = t->class != CLASS_UNATTENDED;
	bool has_source = rhost[0] != '\0' || t->class == CLASS_REMOTE;	/* sudo and su come from a session */

	for (const struct role *role = next_role(t, NULL); role != NULL; role = next_role(t, role)) {
		if (!policy_role_allows_host(role, t->request->host, t->request->host_groups)) {
			set_role_rule(t->out, role, KEY_ALLOW_HOSTS, "allow-hosts");
			return deny(t, VERDICT_DENY, REASON_HOST_NOT_ALLOWED);
		}
		if (role->from != NULL && is_attended && has_source && !sources_contain(role->from, rhost) &&
		    !policy_exempts(t->facts, t->request, CONTROL_SOURCE, t->out)) {
			set_role_rule(t->out, role, KEY_FROM, "from");
			return deny(t, VERDICT_DENY, REASON_SOURCE_NOT_ALLOWED);
		}
		if (role->hours != NULL && is_attended && !hours_contain(role->hours, t->request->now_utc_sec) &&
		    !policy_exempts(t->facts, t->request, CONTROL_HOURS, t->out)) {
			set_role_rule(t->out, role, KEY_HOURS, "hours");
			return deny(t, VERDICT_DENY, REASON_OUTSIDE_HOURS);
		}
	}
	return false;
}

/*
 * A primary group cannot be taken away from a login as others are, and must not be the way around drop-groups. One
 * flagged deny-acl is never dropped.
 */
static bool
judge_primary_group(struct trial *t)
{
	const char *group = t->facts->primary_group;

	for (const struct role *role = next_role(t, NULL); role != NULL; role = next_role(t, role)) {
		if (policy_role_drops_primary(t->policy, role, group)) {
			set_role_rule(t->out, role, KEY_DROP_GROUPS, "drop-groups");
			return deny(t, VERDICT_DENY, REASON_FORBIDDEN_GROUP);
		}
	}
	return false;
}

static bool
deny_finding(struct trial *t, const struct finding *f)
{
	if (f->role != NULL)
		set_role_rule(t->out, f->role, f->key, f->what);
	else
		set_rule(t->out, "%s", f->what);
	return deny(t, VERDICT_DENY, f->reason);
}

static bool
judge_answers(struct trial *t)
{
	struct finding found;

	return policy_answers_denies(t->facts, t->policy, t->request, t->out->roles, &found) && deny_finding(t, &found);
}

static bool
judge_care(struct trial *t)
{
	struct finding found;

	return policy_care_denies(t->facts, t->policy, t->request, t->out, &found) && deny_finding(t, &found);
}

/* Sessions of people: what they start from within one, and what runs unattended, comes on top. */
static bool
judge_sessions(struct trial *t)
{
	if (t->class != CLASS_REMOTE || t->stage == STAGE_AUTH || t->out->max_sessions == 0 ||
	    t->request->sessions < t->out->max_sessions)
		return false;
	for (const struct role *role = next_role(t, NULL); role != NULL; role = next_role(t, role)) {
		if (role->max_sessions == t->out->max_sessions)
			set_role_rule(t->out, role, KEY_MAX_SESSIONS, "max-sessions");
	}
	return deny(t, VERDICT_DENY, REASON_TOO_MANY_SESSIONS);
}

/* A code beside something else: a code alone is one factor, and so is a key. */
static bool
is_proven(unsigned factors)
{
	return (factors & FACTOR_OTP) != 0 && (factors & (FACTOR_KEY | FACTOR_PASSWORD)) != 0;
}

static bool
deny_mfa(struct trial *t)
{
	if (t->mfa_role != NULL)
		set_role_rule(t->out, t->mfa_role, KEY_MFA, "mfa");
	return deny(t, VERDICT_DENY, t->facts->token_count == 0 ? REASON_MFA_NOT_ENROLLED : REASON_MFA_REQUIRED);
}

/*
 * Sessions are not asked for codes. But whom the account stage let in by an exemption that is bound to a key, before sshd had
 * named it, comes no further with another key; nor with any, when that exemption is not there any more.
 */
static bool
judge_bound_key(struct trial *t)
{
	struct request unseen = *t->request;
	struct decision scratch = { .verdict = VERDICT_DENY };

	unseen.key_unseen = true;
	if (strcmp(t->service, "sshd") != 0 ||
	    (!t->request->key_awaited && !policy_exempts(t->facts, &unseen, CONTROL_MFA, &scratch)) ||
	    policy_exempts(t->facts, t->request, CONTROL_MFA, t->out))
		return false;
	return deny_mfa(t);
}

/* By one that is bound to no key sooner than by one whose key is still to come. */
static bool
is_exempt(struct trial *t)
{
	struct request without = *t->request;

	without.key_unseen = false;
	if (policy_exempts(t->facts, &without, CONTROL_MFA, t->out))
		return true;
	t->out->key_awaited = policy_exempts(t->facts, t->request, CONTROL_MFA, t->out);
	return t->out->key_awaited;
}

static bool
judge_mfa(struct trial *t)
{
	if (!t->out->mfa_due || is_proven(t->request->factors))
		return false;
	if (t->stage == STAGE_SESSION)
		return judge_bound_key(t);
	if (is_exempt(t)) {
		t->out->mfa_due = false;
		t->out->ask &= ~(unsigned)FACTOR_OTP;
		return false;
	}
	if (t->facts->token_count > 0 && t->stage == STAGE_AUTH)
		return false;		/* it is about to be asked for */
	return deny_mfa(t);
}

/* Last: the person is let as far as the new password only if every other rule allows (THREATS I1). */
static bool
judge_must_change(struct trial *t)
{
	bool stale = (t->request->factors & FACTOR_PASSWORD_STALE) != 0;
	/* Facts hear of a change later than who made it. */
	bool changed = (t->request->factors & FACTOR_PASSWORD_CHANGED) != 0;

	if ((!stale && (t->facts->must_change == 0 || changed)) || t->stage == STAGE_AUTH)
		return false;
	set_rule(t->out, "directory: the password must be changed first");
	return deny(t, t->stage == STAGE_ACCOUNT && t->class != CLASS_UNATTENDED ? VERDICT_MUST_CHANGE : VERDICT_DENY,
	    REASON_PASSWORD_CHANGE_REQUIRED);
}

/* The smaller of two limits; 0 is none. */
static uint32_t
least(uint32_t a, uint32_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

/* Of all matching roles: the first contact, the shortest session. */
static void
gather(struct trial *t)
{
	for (const struct role *role = next_role(t, NULL); role != NULL; role = next_role(t, role)) {
		if (t->out->contact[0] == '\0')
			(void)snprintf(t->out->contact, sizeof t->out->contact, "%s", role->contact);
		t->out->max_session_sec = least(t->out->max_session_sec, role->max_session_sec);
		t->out->max_sessions = least(t->out->max_sessions, role->max_sessions);
	}
}

/*
 * Whether a code is due and what auth has yet to ask for. Does not look at what is wrong with the user, so
 * that unknown, expired, locked, unenrolled and welcome ones get the same prompts (THREATS 5.1).
 */
static void
find_factors(struct trial *t)
{
	enum mfa_rule rule = policy_mfa_rule(t->policy, t->out->roles, &t->mfa_role);
	unsigned wanted = FACTOR_PASSWORD;

	t->out->mfa_due = rule == MFA_REQUIRED || (rule == MFA_IF_ENROLLED && t->facts->token_count > 0);
	if (t->class == CLASS_UNATTENDED || (t->class == CLASS_ELEVATION && t->request->live_mfa_session))
		t->out->mfa_due = false;
	/* Nobody is there to be asked; its key is bound to the entry, to networks and to a command instead. */
	if (t->facts->kind == KIND_SERVICE && t->stage != STAGE_AUTH)
		t->out->mfa_due = false;
	if (t->out->mfa_due)
		wanted = (t->request->factors & FACTOR_KEY) != 0 ? FACTOR_OTP : FACTOR_PASSWORD | FACTOR_OTP;
	if (t->stage == STAGE_AUTH)
		t->out->ask = wanted & ~t->request->factors;
}

void
policy_decide(const struct facts *facts, const struct policy *policy, const struct request *request,
    struct decision *ret)
{
	static bool (*const judges[])(struct trial *) = {
		judge_state, judge_locks, judge_window, judge_expiry, judge_term, judge_kind, judge_answers,
		judge_service, judge_limits, judge_primary_group, judge_care, judge_sessions, judge_mfa, judge_must_change,
	};
	struct trial t = { .facts = facts, .policy = policy, .request = request, .out = ret,
		.service = request->service != NULL ? request->service : "", .stage = request->stage };

	*ret = (struct decision){ .verdict = VERDICT_DENY, .reason = REASON_NONE };
	if (t.stage != STAGE_AUTH && t.stage != STAGE_SESSION)
		t.stage = STAGE_ACCOUNT;	/* which judges everything */
	t.class = policy_class(policy, t.service, request->root_caller);
	ret->roles = policy_match(policy, facts);
	gather(&t);
	find_factors(&t);
	for (size_t i = 0; i < sizeof judges / sizeof judges[0]; i++) {
		if (judges[i](&t))
			return;
	}
	ret->verdict = VERDICT_ALLOW;
	ret->reason = REASON_OK;
}

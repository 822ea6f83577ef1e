/*
 * policy_care.c - whether somebody answers for a user, and whether he is reviewed and used in time; exemptions.
 *
 * Runs in ismsd and isms-userctl; pure: no I/O, no clock, no allocation. It must never take a time that lies ahead, or that
 * nobody knows, for one that spares a review, and never let an exemption lower another control than its own.
 */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "common/policy_parts.h"

#define AHEAD_SEC 86400		/* clocks of hosts may differ by so much; what lies further ahead was not written by one */

static bool
find(struct finding *ret, enum reason reason, const struct role *role, enum role_key key, const char *what)
{
	*ret = (struct finding){ .reason = reason, .role = role, .key = key, .what = what };
	return true;
}

/* The strictest span of a key of these roles, and the role that has it; NULL: none has. */
static const struct role *
strictest(const struct policy *policy, uint64_t roles, enum role_key key, int64_t (*span)(const struct role *))
{
	const struct role *found = NULL;

	for (const struct role *role = NULL; (role = policy_next_role(policy, roles, role)) != NULL;) {
		if (role->lines[key] != 0 && (found == NULL || span(role) < span(found)))
			found = role;
	}
	return found;
}

static int64_t
review_every(const struct role *role)
{
	return role->review_every_sec;
}

static int64_t
dormant_after(const struct role *role)
{
	return role->dormant_after_sec;
}

int64_t
policy_later(int64_t a_utc_sec, int64_t b_utc_sec)
{
	return a_utc_sec > b_utc_sec ? a_utc_sec : b_utc_sec;
}

/* Whether he is valid at this moment: who was when he was looked at may have come to his end since. */
static bool
is_valid(uint32_t state, int64_t end_utc_sec, int64_t now_utc_sec)
{
	return state == CARE_VALID && (end_utc_sec == 0 || now_utc_sec < end_utc_sec);
}

/* Without a known end no grace runs: it would never be over. */
static bool
in_grace(int64_t end_utc_sec, int64_t grace_sec, int64_t now_utc_sec)
{
	return end_utc_sec != 0 && now_utc_sec < end_utc_sec + grace_sec;
}

/* A role that says nothing gives none: a further one never widens. */
static const struct role *
least_grace(const struct policy *policy, uint64_t roles)
{
	const struct role *found = NULL;

	for (const struct role *role = NULL; (role = policy_next_role(policy, roles, role)) != NULL;) {
		if (found == NULL || role->owner_grace_sec < found->owner_grace_sec)
			found = role;
	}
	return found;
}

static bool
owner_denies(const struct facts *facts, const struct policy *policy, int64_t now_utc_sec, uint64_t roles,
    struct finding *ret)
{
	const struct role *role = least_grace(policy, roles);
	enum reason reason = REASON_OWNER_MISSING;

	if (facts->kind != KIND_SERVICE || is_valid(facts->owner_state, facts->owner_end_utc_sec, now_utc_sec))
		return false;
	if (facts->owner_state == CARE_VALID || facts->owner_state == CARE_ENDED)
		reason = REASON_OWNER_EXPIRED;
	if (facts->owner_state != CARE_NONE && role != NULL &&
	    in_grace(facts->owner_end_utc_sec, role->owner_grace_sec, now_utc_sec))
		return false;
	return role != NULL && role->owner_grace_sec != 0 ? find(ret, reason, role, KEY_OWNER_GRACE, "owner-grace") :
	    find(ret, reason, NULL, KEY_OWNER_GRACE, "kind service: an owner who is valid himself, always");
}

int64_t
policy_owner_end(const struct policy *policy, uint64_t roles, const struct facts *facts)
{
	const struct role *role = least_grace(policy, roles);

	if (facts->owner_state == CARE_NONE || (facts->owner_state != CARE_VALID && facts->owner_end_utc_sec == 0))
		return INT64_MIN;
	return facts->owner_end_utc_sec == 0 ? 0 : facts->owner_end_utc_sec + (role != NULL ? role->owner_grace_sec : 0);
}

bool
policy_answers_denies(const struct facts *facts, const struct policy *policy, const struct request *request,
    uint64_t roles, struct finding *ret)
{
	if (owner_denies(facts, policy, request->now_utc_sec, roles, ret))
		return true;
	if (is_valid(facts->sponsor_state, facts->sponsor_end_utc_sec, request->now_utc_sec))
		return false;
	for (const struct role *role = NULL; (role = policy_next_role(policy, roles, role)) != NULL;) {
		if (role->require_sponsor)
			return find(ret, REASON_SPONSOR_MISSING, role, KEY_REQUIRE_SPONSOR, "require-sponsor");
	}
	return false;
}

/* When the clock of a rule began: by the last time, else by the account's begin, the later of contract and entry. 0: nothing says. */
static int64_t
since(const struct facts *facts, int64_t last_utc_sec, int64_t now_utc_sec)
{
	int64_t begin = policy_later(facts->created_utc_sec, facts->not_before_utc_sec);

	if (last_utc_sec <= now_utc_sec + AHEAD_SEC)
		begin = policy_later(begin, last_utc_sec);
	return begin <= now_utc_sec + AHEAD_SEC ? begin : 0;
}

static bool
is_over(int64_t since_utc_sec, int64_t span_sec, int64_t now_utc_sec)
{
	return since_utc_sec == 0 || now_utc_sec - since_utc_sec >= span_sec;
}

bool
policy_care_denies(const struct facts *facts, const struct policy *policy, const struct request *request,
    struct decision *out, struct finding *ret)
{
	const struct role *review = strictest(policy, out->roles, KEY_REVIEW_EVERY, review_every);
	const struct role *dormant = strictest(policy, out->roles, KEY_DORMANT_AFTER, dormant_after);
	int64_t now = request->now_utc_sec;

	if (review != NULL && is_over(since(facts, facts->reviewed_at_utc_sec, now), review->review_every_sec, now) &&
	    !policy_exempts(facts, request, CONTROL_REVIEW, out))
		return find(ret, REASON_REVIEW_OVERDUE, review, KEY_REVIEW_EVERY, "review-every");
	if (dormant != NULL && is_over(since(facts, facts->last_use_utc_sec, now), dormant->dormant_after_sec, now) &&
	    !policy_exempts(facts, request, CONTROL_DORMANT, out))
		return find(ret, REASON_DORMANT, dormant, KEY_DORMANT_AFTER, "dormant-after");
	return false;
}

/* Note a name once. What has no room is named by "..." : that there was one more is never lost. */
static void
note_exemption(struct decision *out, const char *name)
{
	size_t used = strlen(out->exemptions);

	if (policy_has_word(out->exemptions, name))
		return;
	if (used + strlen(name) + sizeof "  ..." > sizeof out->exemptions)
		name = "...";
	(void)snprintf(out->exemptions + used, sizeof out->exemptions - used, "%s%s", used > 0 ? " " : "", name);
}

bool
policy_exempts(const struct facts *facts, const struct request *request, enum control control, struct decision *out)
{
	const char *rhost = request->rhost != NULL ? request->rhost : "";
	const char *service = request->service != NULL ? request->service : "";
	const char *given = request->key != NULL ? request->key : "", *at = facts->exemptions;
	struct exemption x;

	while (exemption_next(&at, &x)) {
		const char *key = request->key_unseen ? x.key : given;

		if (!exemption_holds(&x, control, request->now_utc_sec, key, service, rhost))
			continue;
		note_exemption(out, x.name);
		return true;
	}
	return false;
}

bool
policy_spares_sessions(const struct policy *policy, uint64_t roles)
{
	bool spares = false;

	for (const struct role *role = NULL; (role = policy_next_role(policy, roles, role)) != NULL;) {
		if (!role->deny_new)
			return false;
		spares = true;
	}
	return spares;
}

/*
 * policy.c - which roles match a user, and what they leave of a user's groups.
 *
 * Runs in ismsd and isms-userctl; pure: no I/O, no clock, no allocation. Must never let a further
 * role add anything: roles only take away from what others leave.
 */
#include <config.h>

#include "common/policy.h"

#include <stdlib.h>
#include <string.h>

#include "common/policy_parts.h"

void
policy_free(struct policy *policy)
{
	if (policy == NULL)
		return;
	for (size_t i = 0; i < policy->role_count; i++) {
		struct role *role = &policy->roles[i];

		names_done(&role->match_users);
		names_done(&role->match_groups);
		names_done(&role->allow_services);
		names_done(&role->keep_groups);
		names_done(&role->drop_groups);
		names_done(&role->allow_hosts);
		if (role->hours != NULL)
			hours_done(role->hours);
		free(role->hours);
		free(role->from);
	}
	for (size_t i = 0; i < CLASS_COUNT; i++)
		names_done(&policy->services[i]);
	names_done(&policy->deny_acl);
	names_done(&policy->managed);
	names_done(&policy->privileged);
	free(policy);
}

/* Whether one of the wanted names is in a space-separated list. */
static bool
any_in_list(const struct names *wanted, const char *list)
{
	while (*list != '\0') {
		size_t len = strcspn(list, " ");

		for (const char *w = names_next(wanted, NULL); w != NULL; w = names_next(wanted, w)) {
			if (strlen(w) == len && memcmp(w, list, len) == 0)
				return true;
		}
		list += len;
		list += strspn(list, " ");
	}
	return false;
}

static bool
role_matches(const struct role *role, const struct facts *facts)
{
	if (role->match_any)
		return true;
	/* The parser insists on at least one term; none at all would match nobody. */
	if (role->match_kinds == 0 && role->match_users.size == 0 && role->match_groups.size == 0)
		return false;
	if (role->match_kinds != 0 && (facts->kind >= KIND_COUNT || (role->match_kinds & 1u << facts->kind) == 0))
		return false;
	if (role->match_users.size > 0 && !names_has(&role->match_users, facts->user))
		return false;
	return role->match_groups.size == 0 || any_in_list(&role->match_groups, facts->groups);
}

uint64_t
policy_match(const struct policy *policy, const struct facts *facts)
{
	uint64_t roles = 0;

	if (facts->state != FACTS_MANAGED)
		return 0;
	for (size_t i = 0; i < policy->role_count; i++) {
		if (role_matches(&policy->roles[i], facts))
			roles |= (uint64_t)1 << i;
	}
	return roles;
}

size_t
policy_role_count(const struct policy *policy)
{
	return policy->role_count;
}

const char *
policy_role_name(const struct policy *policy, size_t i)
{
	return i < policy->role_count ? policy->roles[i].name : NULL;
}

enum group_effect
policy_group(const struct policy *policy, uint64_t roles, const char *group, bool is_local)
{
	bool matched = false, named = false, dropped = false;

	for (const struct role *role = NULL; (role = policy_next_role(policy, roles, role)) != NULL;) {
		bool has_keep = role->lines[KEY_KEEP_GROUPS] != 0;

		matched = true;
		named = named || has_keep;
		dropped = dropped || names_has(&role->drop_groups, group) ||
		    (has_keep && !names_has(&role->keep_groups, group));
	}
	/* A local group belongs to this host: it takes a role that names it. */
	if (matched && !dropped && (named || !is_local))
		return GROUP_KEEP;
	return names_has(&policy->deny_acl, group) ? GROUP_PROTECTED : GROUP_DROP;
}

bool
policy_is_privileged(const struct policy *policy, const char *group)
{
	return names_has(&policy->privileged, group);
}

enum mfa_rule
policy_mfa_rule(const struct policy *policy, uint64_t roles, const struct role **ret_role)
{
	const struct role *strictest = NULL;

	for (const struct role *role = NULL; (role = policy_next_role(policy, roles, role)) != NULL;) {
		if (strictest == NULL || role->mfa > strictest->mfa)
			strictest = role;
	}
	*ret_role = strictest;
	return strictest != NULL ? strictest->mfa : MFA_REQUIRED;
}

bool
policy_needs_mfa(const struct policy *policy, uint64_t roles, uint32_t token_count)
{
	const struct role *role;
	enum mfa_rule rule = policy_mfa_rule(policy, roles, &role);

	return rule == MFA_REQUIRED || (rule == MFA_IF_ENROLLED && token_count > 0);
}

/* Whether an earlier list of policy_each_kept_group()'s walk had the word already. */
static bool
given_before(const struct policy *policy, size_t role, const struct names *list, const char *word)
{
	for (size_t i = 0; i < role; i++) {
		if (names_has(&policy->roles[i].keep_groups, word))
			return true;
	}
	for (const char *w = names_next(list, NULL); w != word; w = names_next(list, w)) {
		if (strcmp(w, word) == 0)
			return true;
	}
	return false;
}

void
policy_each_kept_group(const struct policy *policy, void (*ret)(const char *name, void *arg), void *arg)
{
	for (size_t i = 0; i <= policy->role_count; i++) {
		const struct names *list = i < policy->role_count ? &policy->roles[i].keep_groups : &policy->deny_acl;

		for (const char *w = names_next(list, NULL); w != NULL; w = names_next(list, w)) {
			if (!given_before(policy, i, list, w))
				ret(w, arg);
		}
	}
}

const char *
policy_local_managed(const struct policy *policy, size_t i)
{
	const char *name = names_next(&policy->managed, NULL);

	while (name != NULL && i-- > 0)
		name = names_next(&policy->managed, name);
	return name;
}

bool
policy_manages_local(const struct policy *policy, const char *name)
{
	return policy != NULL && names_has(&policy->managed, name);
}

/*
 * policy_enter.c - whom the policy could ever let in on this host: what [nss] publish = allowed shows to lookups.
 *
 * Directory process and front; pure: no I/O, no clock, no allocation. It must never say no of somebody whom
 * policy_decide() lets in at some hour, from somewhere, with some proof: he would be unknown where he may log in. So it
 * looks at roles, host, services, kind and primary group alone, and at nothing that passes by itself or by a person's
 * hand: window, locks, end dates, hours, source, proof, armed or not.
 */
#include <config.h>

#include <string.h>

#include "common/policy_parts.h"

bool
policy_role_allows_host(const struct role *role, const char *host, const char *host_groups)
{
	if (role->allow_hosts.size == 0)
		return true;
	if (host != NULL && names_has(&role->allow_hosts, host))
		return true;
	for (const char *name = NULL; (name = names_next(&role->allow_hosts, name)) != NULL;) {
		if (name[0] == '@' && host_groups != NULL && policy_has_word(host_groups, name + 1))
			return true;
	}
	return false;
}

bool
policy_role_drops_primary(const struct policy *policy, const struct role *role, const char *group)
{
	return group[0] != '\0' && names_has(&role->drop_groups, group) && !names_has(&policy->deny_acl, group);
}

/* Whether every role that names services lets this one in, and the kind may use it (su: by root). */
static bool
may_use(const struct policy *policy, uint64_t roles, uint32_t kind, const char *service)
{
	if (kind == KIND_SERVICE && strcmp(service, "sshd") != 0 && policy_class(policy, service, true) != CLASS_UNATTENDED)
		return false;
	for (const struct role *role = NULL; (role = policy_next_role(policy, roles, role)) != NULL;) {
		if (role->lines[KEY_ALLOW_SERVICES] != 0 && !policy_role_allows(policy, role, service))
			return false;
	}
	return true;
}

/* What all roles allow, the first one with a list names or implies. */
static bool
has_service(const struct policy *policy, uint64_t roles, uint32_t kind)
{
	const struct role *first = NULL;

	do {
		first = policy_next_role(policy, roles, first);
		if (first == NULL)
			return false;
	} while (first->lines[KEY_ALLOW_SERVICES] == 0);
	for (const char *s = names_next(&first->allow_services, NULL); s != NULL; s = names_next(&first->allow_services, s)) {
		if (may_use(policy, roles, kind, s))
			return true;
	}
	return may_use(policy, roles, kind, "systemd-user") || may_use(policy, roles, kind, "unprivileged");
}

bool
policy_could_enter(const struct facts *facts, const struct policy *policy, const char *host, const char *host_groups)
{
	uint64_t roles = policy_match(policy, facts);

	if (facts->kind == KIND_UNKNOWN || facts->kind >= KIND_COUNT)
		return false;
	for (const struct role *role = NULL; (role = policy_next_role(policy, roles, role)) != NULL;) {
		if (!policy_role_allows_host(role, host, host_groups) ||
		    policy_role_drops_primary(policy, role, facts->primary_group))
			return false;
	}
	return has_service(policy, roles, facts->kind);	/* false without roles: of somebody who is not managed */
}

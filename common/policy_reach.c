/*
 * policy_reach.c - see policy_reach.h.
 *
 * Runs in isms-userctl. Must never leave out a place or an hour that a role names: somebody who may enter would be
 * missing where an auditor asks who may.
 */
#include <config.h>

#include "common/policy_reach.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "common/policy_parts.h"

#define MINUTE_SEC	60
#define REACH_MINUTES	(8 * 24 * 60)	/* hours repeat by the week; a change of clocks moves them by one more hour */
#define V4_PREFIX_BITS	96

static void
format_network(const struct network *n, char address[static POLICY_NETWORK_MAX], char network[static POLICY_NETWORK_MAX])
{
	static const uint8_t v4_prefix[12] = { [10] = 0xff, [11] = 0xff };
	bool is_v4 = n->bits >= V4_PREFIX_BITS && memcmp(n->address, v4_prefix, sizeof v4_prefix) == 0;
	char text[INET6_ADDRSTRLEN] = "";

	(void)inet_ntop(is_v4 ? AF_INET : AF_INET6, is_v4 ? n->address + sizeof v4_prefix : n->address, text, sizeof text);
	(void)snprintf(address, POLICY_NETWORK_MAX, "%s", text);
	(void)snprintf(network, POLICY_NETWORK_MAX, "%s/%u", text, is_v4 ? n->bits - V4_PREFIX_BITS : n->bits);
}

bool
policy_reach_source(const struct policy *policy, uint64_t roles, size_t i, char ret_address[static POLICY_NETWORK_MAX],
    char ret_network[static POLICY_NETWORK_MAX])
{
	for (const struct role *role = NULL; (role = policy_next_role(policy, roles, role)) != NULL;) {
		const struct sources *from = role->from;

		if (from == NULL)
			continue;
		if (i < from->count) {
			format_network(&from->networks[i], ret_address, ret_network);
			return true;
		}
		i -= from->count;
		if (from->local && i-- == 0) {
			ret_address[0] = '\0';
			(void)snprintf(ret_network, POLICY_NETWORK_MAX, "local");
			return true;
		}
	}
	return false;
}

bool
policy_reach_network(const char *networks, size_t i, char ret_address[static POLICY_NETWORK_MAX],
    char ret_network[static POLICY_NETWORK_MAX])
{
	struct sources all = { .count = 0 };
	char error[128];

	if (networks[0] == '\0' || sources_parse(networks, &all, error, sizeof error) < 0 || i >= all.count)
		return false;
	format_network(&all.networks[i], ret_address, ret_network);
	return true;
}

static bool
all_hours_contain(const struct policy *policy, uint64_t roles, int64_t utc_sec)
{
	for (const struct role *role = NULL; (role = policy_next_role(policy, roles, role)) != NULL;) {
		if (role->hours != NULL && !hours_contain(role->hours, utc_sec))
			return false;
	}
	return true;
}

int64_t
policy_reach_instant(const struct policy *policy, uint64_t roles, int64_t from_utc_sec)
{
	int64_t at = from_utc_sec - from_utc_sec % MINUTE_SEC;

	if (all_hours_contain(policy, roles, from_utc_sec))
		return from_utc_sec;
	for (int i = 1; i <= REACH_MINUTES; i++)
		if (all_hours_contain(policy, roles, at + (int64_t)i * MINUTE_SEC))
			return at + (int64_t)i * MINUTE_SEC;
	return 0;
}

/* Whether an earlier role names this host, too. */
static bool
named_before(const struct policy *policy, size_t r, const char *host)
{
	for (size_t i = 0; i < r; i++)
		if (names_has(&policy->roles[i].allow_hosts, host))
			return true;
	return false;
}

const char *
policy_reach_host(const struct policy *policy, size_t i)
{
	for (size_t r = 0; r < policy->role_count; r++) {
		const struct names *all = &policy->roles[r].allow_hosts;

		for (const char *host = names_next(all, NULL); host != NULL; host = names_next(all, host))
			if (!named_before(policy, r, host) && i-- == 0)
				return host;
	}
	return NULL;
}

bool
policy_reach_role_host(const struct policy *policy, size_t i, const char *host, const char *host_groups)
{
	return i < policy->role_count && policy_role_allows_host(&policy->roles[i], host, host_groups);
}

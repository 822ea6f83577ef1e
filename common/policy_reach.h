/*
 * policy_reach.h - from where and when roles let somebody in: places and instants to ask policy_decide() about.
 *
 * For questions about everybody (who-can, matrix): who may enter at some hour and from somewhere is in the answer.
 * Pure. Decides nothing: whatever is named here is a request that policy_decide() judges.
 */
#ifndef ISMS_POLICY_REACH_H
#define ISMS_POLICY_REACH_H

#include "common/policy.h"

#define POLICY_NETWORK_MAX 64

/*
 * The i-th network that a matching role's from names.
 *
 *  ret_address  the first address of it, as PAM_RHOST would have it: of two networks that share an address one holds
 *               the first address of the other, so that some i fits all roles if anything does
 *  ret_network  "192.0.2.0/24"; or "local" with the address "": over no network
 *
 * Returns false past the last; no role has from: at once.
 */
bool policy_reach_source(const struct policy *policy, uint64_t roles, size_t i, char ret_address[static POLICY_NETWORK_MAX],
    char ret_network[static POLICY_NETWORK_MAX]);

/* The i-th network of a service account's own ("192.0.2.0/24 2001:db8::/32", its facts' sources), as above. */
bool policy_reach_network(const char *networks, size_t i, char ret_address[static POLICY_NETWORK_MAX],
    char ret_network[static POLICY_NETWORK_MAX]);

/*
 * The first instant from a given one on that lies within the hours of all matching roles, to the minute.
 *
 * Returns it, from_utc_sec itself where it does or no role has hours; 0 when there is none within eight days.
 */
int64_t policy_reach_instant(const struct policy *policy, uint64_t roles, int64_t from_utc_sec);

/* The i-th host, or @group of hosts, that any role's allow-hosts names, each once; NULL past the last. */
const char *policy_reach_host(const struct policy *policy, size_t i);

/* Whether role i lets in on a host of this name and these groups (space-separated). */
bool policy_reach_role_host(const struct policy *policy, size_t i, const char *host, const char *host_groups);

#endif

/*
 * publisher_groups.h - which local groups of /etc/group a managed user may have (DESIGN 3.14).
 *
 * Three must agree: root-owned policy names the group (the allow-list), the line in /etc/group lists the person,
 * and the roster says that the person's roles keep it. So neither the directory nor a local line alone gives one.
 * isms-mfa and isms-service are ours: they have no members listed, and the roster's flags alone give them.
 */
#ifndef ISMS_PUBLISHER_GROUPS_H
#define ISMS_PUBLISHER_GROUPS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/policy.h"
#include "common/snapshot.h"
#include "daemon/local_accounts.h"
#include "daemon/roster.h"

#define PUBLISHER_MFA_GROUP	"isms-mfa"
#define PUBLISHER_SERVICE_GROUP	"isms-service"

struct publisher_groups {
	const struct local_group *allowed[SNAPSHOT_LOCAL_GIDS_MAX];	/* borrowed from the local accounts; sorted by name */
	unsigned allowed_count;
	unsigned left_out;	/* groups beyond the most that a snapshot can carry */
	uint32_t gids[SNAPSHOT_LOCAL_GIDS_MAX];	/* of allowed[] and ours, each once: the snapshot's header */
	unsigned gid_count;
	uint32_t mfa_gid, service_gid;
	bool has_mfa, has_service;
};

/*
 * Make the allow-list: groups that policy names and /etc/group has, but never one of gid 0.
 *
 *  policy  NULL: isms-mfa and isms-service alone
 *  local   must outlive the result
 */
void publisher_groups_init(const struct policy *policy, const struct local_accounts *local,
    struct publisher_groups *ret);

/*
 * The local gids of a user.
 *
 *  ret  room for SNAPSHOT_LOCAL_GIDS_MAX; each gid once
 *
 * Returns how many.
 */
unsigned publisher_groups_of(const struct publisher_groups *groups, const struct roster_user *user,
    uint32_t ret[static SNAPSHOT_LOCAL_GIDS_MAX]);

#endif

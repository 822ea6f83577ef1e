/*
 * publisher_groups.c - the allow-list of local groups, and who gets what of it.
 *
 * Runs in the publisher. It must never give gid 0, nor a group that root's policy does not name, whatever the
 * roster says (THREATS I3).
 */
#include <config.h>

#include "daemon/publisher_groups.h"

#include <string.h>

struct collecting {
	const struct local_accounts *local;
	struct publisher_groups *to;
};

static bool
has_gid(const uint32_t *gids, unsigned count, uint32_t gid)
{
	for (unsigned i = 0; i < count; i++) {
		if (gids[i] == gid)
			return true;
	}
	return false;
}

/* Note a gid for the header. Returns false when the header is full. */
static bool
add_header_gid(struct publisher_groups *to, uint32_t gid)
{
	if (has_gid(to->gids, to->gid_count, gid))
		return true;
	if (to->gid_count == SNAPSHOT_LOCAL_GIDS_MAX)
		return false;
	to->gids[to->gid_count++] = gid;
	return true;
}

static bool
is_ours(const char *name)
{
	return strcmp(name, PUBLISHER_MFA_GROUP) == 0 || strcmp(name, PUBLISHER_SERVICE_GROUP) == 0;
}

static void
collect(const char *name, void *arg)
{
	struct collecting *c = arg;
	const struct local_group *group = local_accounts_group(c->local, name);
	unsigned at = c->to->allowed_count;

	if (group == NULL || group->gid == 0 || is_ours(name))
		return;
	if (at == SNAPSHOT_LOCAL_GIDS_MAX || !add_header_gid(c->to, group->gid)) {
		c->to->left_out++;
		return;
	}
	while (at > 0 && strcmp(c->to->allowed[at - 1]->name, name) > 0) {
		c->to->allowed[at] = c->to->allowed[at - 1];
		at--;
	}
	c->to->allowed[at] = group;
	c->to->allowed_count++;
}

/* A group that a flag gives. Before those of policy: it must not be the one that finds no room. */
static void
take_ours(struct publisher_groups *to, const struct local_accounts *local, const char *name, bool *ret_has, uint32_t *ret_gid)
{
	const struct local_group *group = local_accounts_group(local, name);

	if (group == NULL || group->gid == 0)
		return;
	*ret_has = true;
	*ret_gid = group->gid;
	(void)add_header_gid(to, group->gid);
}

void
publisher_groups_init(const struct policy *policy, const struct local_accounts *local, struct publisher_groups *ret)
{
	struct collecting c = { .local = local, .to = ret };

	*ret = (struct publisher_groups){ 0 };
	take_ours(ret, local, PUBLISHER_MFA_GROUP, &ret->has_mfa, &ret->mfa_gid);
	take_ours(ret, local, PUBLISHER_SERVICE_GROUP, &ret->has_service, &ret->service_gid);
	if (policy != NULL)
		policy_each_kept_group(policy, collect, &c);
}

static const struct local_group *
find_allowed(const struct publisher_groups *groups, const char *name)
{
	unsigned low = 0, high = groups->allowed_count;

	while (low < high) {
		unsigned middle = (low + high) / 2;
		int order = strcmp(groups->allowed[middle]->name, name);

		if (order == 0)
			return groups->allowed[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

unsigned
publisher_groups_of(const struct publisher_groups *groups, const struct roster_user *user,
    uint32_t ret[static SNAPSHOT_LOCAL_GIDS_MAX])
{
	unsigned count = 0;

	for (uint32_t i = 0; i < user->local_count && count < SNAPSHOT_LOCAL_GIDS_MAX; i++) {
		const struct local_group *group = find_allowed(groups, user->locals[i]);

		if (group == NULL || !local_group_lists(group, user->name) || has_gid(ret, count, group->gid))
			continue;
		ret[count++] = group->gid;
	}
	if (groups->has_mfa && (user->flags & ROSTER_MFA) != 0 && count < SNAPSHOT_LOCAL_GIDS_MAX &&
	    !has_gid(ret, count, groups->mfa_gid))
		ret[count++] = groups->mfa_gid;
	if (groups->has_service && (user->flags & ROSTER_SERVICE) != 0 && count < SNAPSHOT_LOCAL_GIDS_MAX &&
	    !has_gid(ret, count, groups->service_gid))
		ret[count++] = groups->service_gid;
	return count;
}

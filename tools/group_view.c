/*
 * group_view.c - what becomes of each supplementary group of a user, and which role says so.
 *
 * Runs in isms-userctl only. Must never decide itself: policy_group() does, the same as for the snapshot.
 */
#include <config.h>

#include "tools/group_view.h"

#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/output.h"

static const char *const effects[] = {
	[GROUP_DROP] = "dropped", [GROUP_KEEP] = "kept", [GROUP_PROTECTED] = "protected",
};

/* The role that drops a group, or a word for why it stays or goes. */
static char *
by_whom(const struct policy *policy, uint64_t roles, const char *group, bool is_local, enum group_effect effect,
    char *buf, size_t size)
{
	size_t i, count = policy_role_count(policy);

	if (effect == GROUP_PROTECTED)
		(void)snprintf(buf, size, "[groups] deny-acl");
	else if (roles == 0)
		(void)snprintf(buf, size, "no role matches");
	else if (effect == GROUP_KEEP)
		(void)snprintf(buf, size, "every matching role");
	else {
		(void)snprintf(buf, size, "no role keeps it");
		for (i = 0; i < count; i++)
			if ((roles >> i & 1) != 0 && policy_group(policy, (uint64_t)1 << i, group, is_local) == GROUP_DROP) {
				(void)snprintf(buf, size, "role %s", policy_role_name(policy, i));
				break;
			}
	}
	return buf;
}

static void
add(json_t *list, const struct policy *policy, uint64_t roles, const char *group, bool is_local)
{
	enum group_effect effect = policy_group(policy, roles, group, is_local);
	char by[96];

	(void)json_array_append_new(list, json_pack("{s:o, s:s, s:s, s:b}", "group", output_string(group), "effect",
	    effects[effect], "by", by_whom(policy, roles, group, is_local, effect, by, sizeof by), "local", is_local));
}

static uint64_t
roles_of(const struct identities *all, const struct identity *user, const struct policy *policy)
{
	struct facts *facts = malloc(sizeof *facts);	/* 40 KiB */
	uint64_t roles = 0;

	if (facts != NULL) {
		identity_facts(all, user, facts);
		roles = policy_match(policy, facts);
	}
	free(facts);
	return roles;
}

static bool
lists(const struct group *row, const char *user)
{
	char **member;

	for (member = row->gr_mem; *member != NULL; member++)
		if (strcmp(*member, user) == 0)
			return true;
	return false;
}

json_t *
group_view(const struct identities *all, const struct identity *user, const struct policy *policy,
    const char *group_path)
{
	uint64_t roles = roles_of(all, user, policy);
	json_t *list = json_array();
	const struct group *row;
	uint32_t i;
	FILE *f;

	for (i = 0; i < user->group_count; i++)		/* the primary group is nobody's to keep or drop */
		if (all->groups[user->groups[i]].gid != user->gid)
			add(list, policy, roles, all->groups[user->groups[i]].name, false);
	f = fopen(group_path, "re");
	while (f != NULL && (row = fgetgrent(f)) != NULL)
		if (lists(row, user->name))
			add(list, policy, roles, row->gr_name, true);
	if (f != NULL)
		(void)fclose(f);
	return list;
}

json_t *
group_view_leaks(const struct identities *all, const struct policy *policy, const char *group_path)
{
	const struct identity *user;
	json_t *list = json_array();
	const struct group *row;
	char **member;
	FILE *f;

	f = fopen(group_path, "re");
	while (f != NULL && (row = fgetgrent(f)) != NULL) {
		for (member = row->gr_mem; *member != NULL; member++) {
			user = identities_find(all, *member);
			if (user != NULL && policy_group(policy, roles_of(all, user, policy), row->gr_name, true) != GROUP_KEEP)
				(void)json_array_append_new(list, json_pack("{s:o, s:o}", "user", output_string(*member), "group",
				    output_string(row->gr_name)));
		}
	}
	if (f != NULL)
		(void)fclose(f);
	return list;
}

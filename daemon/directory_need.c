/*
 * directory_need.c - which users and groups this host has to know ([nss] publish).
 *
 * Directory process. Whoever is left out is unknown to lookups, and policy refuses him for the same reason: it must
 * never leave out one whom the policy could let in, nor look at what passes by itself, such as a contract's window.
 */
#include <config.h>

#include "daemon/directory_need.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/directory_roster.h"

/* The groups of a user that lookups will name: the primary one, and those that policy leaves. */
static void
need_groups(const struct identities *all, const struct identity *user, const struct policy *policy, uint64_t roles,
    bool *groups)
{
	for (uint32_t i = 0; i < user->group_count; i++) {
		const struct identity_group *g = &all->groups[user->groups[i]];

		if (g->gid == user->gid || policy_group(policy, roles, g->name, false) != GROUP_DROP)
			groups[user->groups[i]] = true;
	}
}

static bool
is_left_out(const struct directory_need *need, uint64_t key)
{
	uint32_t at = 0;

	return census_index_next(&need->left_out, key, &at) != 0;
}

static void
take_in(struct directory_need *need, uint64_t key)
{
	if (!is_left_out(need, key))
		return;
	census_index_remove(&need->left_out, key, 0);
	need->not_let_in--;
}

static int
leave_out(struct directory_need *need, uint64_t key)
{
	if (is_left_out(need, key))
		return 0;
	if (census_index_add(&need->left_out, key, 0) < 0)
		return -ENOMEM;
	need->not_let_in++;
	return 0;
}

static int
judge(struct directory_need *need, const struct identities *all, size_t i, const struct directory_roster_rules *rules,
    struct facts *facts)
{
	const struct identity *user = &all->users[i];
	const struct settings *settings = rules->settings;
	uint64_t key = directory_roster_key(rules, user->name);

	identity_facts(all, user, facts);
	if (user->local) {		/* nobody to publish, whatever policy says */
		take_in(need, key);
		return 0;
	}
	need->users[i] = policy_could_enter(facts, rules->policy, settings->login_host_name, settings->login_host_groups);
	if (!need->users[i])
		return leave_out(need, key);
	take_in(need, key);
	need_groups(all, user, rules->policy, policy_match(rules->policy, facts), need->groups);
	return 0;
}

static void
forget_lists(struct directory_need *need)
{
	free(need->users);
	free(need->groups);
	need->users = need->groups = NULL;
}

int
directory_need_find(struct directory_need *need, const struct identities *all,
    const struct directory_roster_rules *rules)
{
	const struct census_news *news = rules->news;
	struct facts *facts;
	int r = 0;

	forget_lists(need);
	if (news == NULL || settings_publishes_all(rules->settings)) {
		census_index_done(&need->left_out);
		need->not_let_in = 0;
	}
	if (settings_publishes_all(rules->settings))
		return 0;
	facts = malloc(sizeof *facts);
	need->users = calloc(all->user_count + 1, sizeof *need->users);
	need->groups = calloc(all->group_count + 1, sizeof *need->groups);
	if (facts == NULL || need->users == NULL || need->groups == NULL)
		r = -ENOMEM;
	for (size_t i = 0; r == 0 && news != NULL && i < news->gone_user_count; i++)
		take_in(need, directory_roster_key(rules, news->gone_users[i]));
	for (size_t i = 0; i < all->user_count && r == 0; i++)
		if (all->users[i].state == FACTS_MANAGED && (news == NULL || census_touches_user(news, &all->users[i])))
			r = judge(need, all, i, rules, facts);
	free(facts);
	return r;
}

void
directory_need_done(struct directory_need *need)
{
	forget_lists(need);
	census_index_done(&need->left_out);
	*need = (struct directory_need){ 0 };
}

/*
 * directory_roster.c - identities + policy -> roster: who exists on this host, in which groups, until when.
 *
 * Directory process. A user that is FACTS_BROKEN is left out: nobody is resolved by an entry that cannot be trusted
 * (THREATS 6); so is whom this host need not know (directory_need.c). It must never widen what policy leaves: a group
 * that policy_group() does not keep is not in the roster.
 */
#include <config.h>

#include "daemon/directory_roster.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "common/siphash.h"
#include "daemon/loop.h"
#include "daemon/report.h"
#include "daemon/roster.h"

#define LOCAL_NAMES_MAX 1024		/* of all roles together; the publisher takes 64 */

struct maker {
	const struct directory_roster_rules *rules;
	const struct identities *all;
	const struct policy *policy;	/* the rules' */
	const struct settings *settings;	/* the rules' */
	struct roster_writer *writer;	/* owned */
	uint32_t *groups;		/* owned; scratch: of one user */
	const char *local_names[LOCAL_NAMES_MAX];	/* borrowed from the policy */
	size_t local_count;
	const char *locals[ROSTER_LOCAL_MAX];	/* scratch: of one user */
	uint32_t lost[ROSTER_LOST_MAX];	/* the same */
	struct facts facts;		/* scratch */
	struct decision decision;	/* scratch */
};

static void
take_local_name(const char *name, void *arg)
{
	struct maker *m = arg;

	if (m->local_count < LOCAL_NAMES_MAX)
		m->local_names[m->local_count++] = name;
}

/* Of good users and groups a name is there once: a record lives as long as it has it. */
uint64_t
directory_roster_key(const struct directory_roster_rules *rules, const char *name)
{
	return siphash13(rules->secret, name, strlen(name));
}

static uint64_t
key_of(const struct maker *m, const char *name)
{
	return directory_roster_key(m->rules, name);
}

static bool
tells_of_group(const struct maker *m, size_t i)
{
	const struct census_news *news = m->rules->news;

	if (!settings_publishes_all(m->settings) && directory_need_group(m->rules->need, i))
		return true;	/* who is needed has it, touched or not */
	if (!settings_publishes_all(m->settings) && news == NULL)
		return false;
	return news == NULL || census_touches_group(news, &m->all->groups[i]);
}

static int
add_group(struct maker *m, size_t i)
{
	const struct identity_group *g = &m->all->groups[i];
	const struct roster_group group = { .key = key_of(m, g->name), .gid = g->gid, .name = g->name };

	return g->gid != 0 && tells_of_group(m, i) ? roster_add_group(m->writer, &group) : 0;
}

/* Directory groups that policy leaves to a user, without the primary one. */
static uint32_t
keep_groups(struct maker *m, const struct identity *user, uint64_t roles)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < user->group_count && count < ROSTER_USER_GROUPS_MAX; i++) {
		const struct identity_group *g = &m->all->groups[user->groups[i]];

		if (g->gid == 0 || g->gid == user->gid)
			continue;
		if (policy_group(m->policy, roles, g->name, false) != GROUP_DROP)
			m->groups[count++] = g->gid;
	}
	return count;
}

/* Names of local groups that policy leaves to a user, if /etc/group lists him: that is the publisher's to see. */
static uint32_t
keep_locals(struct maker *m, uint64_t roles)
{
	uint32_t count = 0;

	for (size_t i = 0; i < m->local_count && count < ROSTER_LOCAL_MAX; i++)
		if (policy_group(m->policy, roles, m->local_names[i], true) != GROUP_DROP)
			m->locals[count++] = m->local_names[i];
	return count;
}

/* Whom this user asks when he is put out: policy says it with any decision. */
static const char *
find_contact(struct maker *m)
{
	const struct request request = { .stage = STAGE_SESSION, .service = "", .rhost = "" };

	policy_decide(&m->facts, m->policy, &request, &m->decision);
	return m->decision.contact[0] != '\0' ? m->decision.contact : m->settings->login_contact;
}

/* Sessions of a service account end when policy would refuse it for its owner: now, or at the end of his and the grace. */
static int
limit_by_owner(struct maker *m, const struct identity *user, uint64_t roles, struct roster_user *out)
{
	int64_t end_utc_sec;
	int r;

	if (user->kind != KIND_SERVICE || m->rules->census == NULL)
		return 0;
	r = census_owner(m->rules->census, &m->rules->asking, user, &m->facts);
	if (r < 0)
		return r;
	end_utc_sec = policy_owner_end(m->policy, roles, &m->facts);
	if (end_utc_sec == INT64_MIN)
		out->flags |= ROSTER_ENDED;
	else if (end_utc_sec != 0 && (out->not_after_utc_sec == 0 || end_utc_sec < out->not_after_utc_sec))
		out->not_after_utc_sec = end_utc_sec;
	return 0;
}

/* The sessions of a break-glass account end with its arming, as others do with a contract; disarmed, at once. */
static void
end_with_arming(const struct identity *user, struct roster_user *out)
{
	if (user->armed_until_utc_sec <= 0)
		out->flags |= ROSTER_ENDED;
	else if (out->not_after_utc_sec == 0 || user->armed_until_utc_sec < out->not_after_utc_sec)
		out->not_after_utc_sec = user->armed_until_utc_sec;
}

static bool
has_gid(const struct roster_user *user, uint32_t gid)
{
	for (uint32_t i = 0; i < user->group_count; i++)
		if (user->groups[i] == gid)
			return true;
	return gid == user->gid;
}

/* What of one loss he has not, of one kind: privileged or not. */
static void
add_loss(struct maker *m, const struct grant_reach *reach, bool privileged, struct roster_user *out)
{
	for (size_t i = 0; i < reach->count && out->lost_count < ROSTER_LOST_MAX; i++) {
		const struct grant_group *g = &reach->list[i];
		bool there = g->gid == 0 || has_gid(out, g->gid);

		for (uint32_t k = 0; k < out->lost_count && !there; k++)
			there = m->lost[k] == g->gid;
		if (!there && (g->name != NULL && policy_is_privileged(m->policy, g->name)) == privileged)
			m->lost[out->lost_count++] = g->gid;
	}
}

/* Groups that grants gave to a user and do not any more: what still runs with one is the publisher's to see. */
static void
add_losses(struct maker *m, const struct identity *user, struct roster_user *out)
{
	size_t count = 0;
	const struct grant_loss *losses = m->rules->grants == NULL ? NULL :
	    grant_book_losses(m->rules->grants, user->entry_id, &count);

	out->lost = m->lost;
	for (int told = 0; told < 2; told++) {		/* privileged ones first, of each kind the latest */
		for (size_t i = count; i > 0; i--)
			add_loss(m, losses[i - 1].reach, told == 0, out);
		if (told == 0)
			out->lost_ending = out->lost_count;
	}
	if (out->lost_count > 0)
		out->flags |= ROSTER_LOST;
}

static int
add_user(struct maker *m, const struct identity *user)
{
	struct roster_user out = { .key = key_of(m, user->name), .uid = user->uid, .gid = user->gid,
		.name = user->name, .gecos = user->gecos, .home = user->home, .shell = user->shell,
		.not_before_utc_sec = user->not_before_utc_sec, .not_after_utc_sec = user->not_after_utc_sec,
		.groups = m->groups, .locals = m->locals };
	uint64_t roles;
	int r;

	identity_facts(m->all, user, &m->facts);
	roles = policy_match(m->policy, &m->facts);
	out.group_count = keep_groups(m, user, roles);
	out.local_count = keep_locals(m, roles);
	out.contact = find_contact(m);
	if (user->disabled)
		out.flags |= ROSTER_ENDED;
	r = limit_by_owner(m, user, roles, &out);
	if (r < 0)
		return r;
	if (policy_spares_sessions(m->policy, roles))
		out.not_after_utc_sec = 0;
	if (user->kind == KIND_BREAK_GLASS)
		end_with_arming(user, &out);
	if (user->kind == KIND_SERVICE)
		out.flags |= ROSTER_SERVICE;	/* nobody is there to be asked for a code */
	else if (policy_needs_mfa(m->policy, roles, user->token_count))
		out.flags |= ROSTER_MFA;
	add_losses(m, user, &out);
	r = roster_add_user(m->writer, &out);
	if (r == -ENOMEM || r == 0)
		return r;
	/* one odd entry must not cost everybody the roster */
	report_log(LOG_WARNING, "user %s is left out of the roster: %s", user->name, strerror(-r));
	return m->rules->news != NULL ? roster_drop_user(m->writer, out.key) : 0;
}

static int
drop_gone(struct maker *m, const struct census_news *news)
{
	int r = 0;

	for (size_t i = 0; i < news->gone_group_count && r == 0; i++)
		r = roster_drop_group(m->writer, key_of(m, news->gone_groups[i]));
	for (size_t i = 0; i < news->gone_user_count && r == 0; i++)
		r = roster_drop_user(m->writer, key_of(m, news->gone_users[i]));
	return r;
}

static int
make(struct maker *m, int *ret_fd)
{
	const struct census_news *news = m->rules->news;
	const struct identities *all = m->all;
	int r = directory_need_find(m->rules->need, all, m->rules);

	policy_each_kept_group(m->policy, take_local_name, m);
	for (size_t i = 0; i < all->group_count && r == 0; i++)
		r = add_group(m, i);
	for (size_t i = 0; i < all->user_count && r == 0; i++) {
		const struct identity *user = &all->users[i];

		if (i % 65536 == 65535)
			loop_alive();		/* a million users take a while */
		if (user->state != FACTS_MANAGED || (news != NULL && !census_touches_user(news, user)))
			continue;
		if (!user->local && directory_need_user(m->rules->need, i))
			r = add_user(m, user);
		else if (news != NULL)
			r = roster_drop_user(m->writer, key_of(m, user->name));
	}
	if (r == 0 && news != NULL)
		r = drop_gone(m, news);
	return r == 0 ? roster_seal(m->writer, ret_fd) : r;
}

int
directory_roster_make(const struct identities *all, const struct directory_roster_rules *rules, int *ret_fd)
{
	struct maker *m = calloc(1, sizeof *m);
	int r = -ENOMEM;

	if (m == NULL)
		return r;
	m->rules = rules;
	m->all = all;
	m->policy = rules->policy;
	m->settings = rules->settings;
	m->writer = roster_writer_new(rules->news != NULL ? ROSTER_CHANGE : ROSTER_WHOLE);
	m->groups = calloc(ROSTER_USER_GROUPS_MAX, sizeof *m->groups);
	if (m->writer != NULL && m->groups != NULL)
		r = make(m, ret_fd);
	roster_writer_free(m->writer);
	free(m->groups);
	free(m);
	return r;
}

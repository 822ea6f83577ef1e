/*
 * directory_roster.c - view + policy -> roster: who exists on this host, in which groups, until when.
 *
 * Directory process. A user that is FACTS_BROKEN is left out: nobody is resolved by an entry that cannot be trusted
 * (THREATS 6). It must never widen what policy leaves: a group that policy_group() does not keep is not in the roster.
 */
#include <config.h>

#include "daemon/directory_roster.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "daemon/report.h"
#include "daemon/roster.h"

#define LOCAL_NAMES_MAX 1024		/* of all roles together; the publisher takes 64 */

struct maker {
	const struct source_view *view;
	const struct policy *policy;
	const struct settings *settings;
	struct roster_writer *writer;	/* owned */
	struct directory_roster counts;
	uint32_t *groups;		/* owned; scratch: of one user */
	const char *local_names[LOCAL_NAMES_MAX];	/* borrowed from the policy */
	size_t local_count;
	const char *locals[ROSTER_LOCAL_MAX];	/* scratch: of one user */
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

static int
add_groups(struct maker *m)
{
	const struct identities *all = &m->view->identities;
	int r = 0;

	for (size_t i = 0; i < all->group_count && r == 0; i++) {
		const struct roster_group group = { .key = i, .gid = all->groups[i].gid, .name = all->groups[i].name };

		if (group.gid == 0)
			continue;
		r = roster_add_group(m->writer, &group);
		m->counts.groups++;
	}
	return r;
}

/* Directory groups that policy leaves to a user, without the primary one. */
static uint32_t
keep_groups(struct maker *m, const struct identity *user, uint64_t roles)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < user->group_count && count < ROSTER_USER_GROUPS_MAX; i++) {
		const struct identity_group *g = &m->view->identities.groups[user->groups[i]];

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

static int
add_user(struct maker *m, const struct identity *user)
{
	struct roster_user out = { .key = (uint64_t)(user - m->view->identities.users), .uid = user->uid, .gid = user->gid,
		.name = user->name, .gecos = user->gecos, .home = user->home, .shell = user->shell, .not_before_utc_sec = user->not_before_utc_sec,
		.not_after_utc_sec = user->not_after_utc_sec, .groups = m->groups, .locals = m->locals };
	uint64_t roles;
	int r;

	identity_facts(&m->view->identities, user, &m->facts);
	roles = policy_match(m->policy, &m->facts);
	out.group_count = keep_groups(m, user, roles);
	out.local_count = keep_locals(m, roles);
	out.contact = find_contact(m);
	if (user->disabled)
		out.flags |= ROSTER_ENDED;
	if (policy_needs_mfa(m->policy, roles, user->token_count))
		out.flags |= ROSTER_MFA;
	r = roster_add_user(m->writer, &out);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {		/* one odd entry must not cost everybody the roster */
		report_log(LOG_WARNING, "user %s is left out of the roster: %s", user->name, strerror(-r));
		m->counts.left_out++;
		return 0;
	}
	m->counts.users++;
	return 0;
}

static int
make(struct maker *m, int *ret_fd)
{
	const struct identities *all = &m->view->identities;
	int r;

	policy_each_kept_group(m->policy, take_local_name, m);
	r = add_groups(m);
	for (size_t i = 0; i < all->user_count && r == 0; i++) {
		if (all->users[i].state != FACTS_MANAGED)
			m->counts.left_out++;
		else
			r = add_user(m, &all->users[i]);
	}
	return r == 0 ? roster_seal(m->writer, ret_fd) : r;
}

int
directory_roster_make(const struct source_view *view, const struct policy *policy, const struct settings *settings,
    struct directory_roster *ret, int *ret_fd)
{
	struct maker *m = calloc(1, sizeof *m);
	int r = -ENOMEM;

	if (m == NULL)
		return r;
	m->view = view;
	m->policy = policy;
	m->settings = settings;
	m->writer = roster_writer_new(ROSTER_WHOLE);
	m->groups = calloc(ROSTER_USER_GROUPS_MAX, sizeof *m->groups);
	if (m->writer != NULL && m->groups != NULL)
		r = make(m, ret_fd);
	if (r == 0)
		*ret = m->counts;
	roster_writer_free(m->writer);
	free(m->groups);
	free(m);
	return r;
}

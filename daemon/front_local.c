/*
 * front_local.c - local accounts that [local] manage puts under policy (see front.h).
 *
 * Runs in the front. The directory's entry of the name says who the person is and until when; the account itself, its ids,
 * groups and password, stays this host's own. It must never judge one of the two as the other: a directory's password must
 * not open a local account, nor a policy for it be evaded by a reload under way.
 */
#include <config.h>

#include "daemon/front.h"

#include <stdio.h>
#include <string.h>

#include "daemon/local_accounts.h"

bool
subject_is_local(const struct subject *s)
{
	return (s->flags & REQUEST_LOCAL) != 0;
}

bool
front_local_refuses(const struct front *f, const struct subject *s, struct decision *ret)
{
	bool listed = policy_manages_local(f->policy, s->user);

	if (listed == subject_is_local(s) && !(listed && s->change))
		return false;
	*ret = (struct decision){ .verdict = VERDICT_DENY, .reason = REASON_NOT_MANAGED };
	(void)snprintf(ret->rule, sizeof ret->rule, listed && s->change ? "[local] manage: the password is this host's own" :
	    "[local] manage: pam_isms and ismsd are not of one mind; reload ismsd");
	return true;
}

static const char *
group_of(const struct local_accounts *local, uint32_t gid)
{
	for (size_t i = 0; i < local->group_count; i++)
		if (local->groups[i].gid == gid)
			return local->groups[i].name;
	return "";
}

/* These say how sshd asks, and give no right. */
static bool
is_ours(const char *group)
{
	return strcmp(group, "isms-mfa") == 0 || strcmp(group, "isms-service") == 0;
}

void
front_local_groups(const struct front *f, const char *user, struct decision *ret)
{
	struct local_accounts local;
	const char *found = NULL;

	if (local_accounts_load(f->paths, &local) < 0) {
		ret->verdict = VERDICT_DENY;
		ret->reason = REASON_BAD_RECORD;
		(void)snprintf(ret->rule, sizeof ret->rule, "[local] manage: /etc/passwd or /etc/group cannot be read");
		return;
	}
	for (size_t i = 0; i < local.group_count && found == NULL; i++)
		if (local_group_lists(&local.groups[i], user) && !is_ours(local.groups[i].name) &&
		    policy_group(f->policy, ret->roles, local.groups[i].name, false) == GROUP_DROP)
			found = local.groups[i].name;
	if (found != NULL) {
		ret->verdict = VERDICT_DENY;
		ret->reason = REASON_FORBIDDEN_GROUP;
		(void)snprintf(ret->rule, sizeof ret->rule, "local group %.40s: no role leaves it; take the account out of it", found);
	}
	local_accounts_done(&local);
}

/* Whose account it is here; what is wrong with it, or NULL. */
static const char *
adopt(const struct local_accounts *local, struct facts *facts)
{
	const struct local_user *found = NULL;

	for (size_t i = 0; i < local->user_count; i++) {
		const struct local_user *u = &local->users[i];

		if (strcmp(u->name, facts->user) != 0)
			continue;
		if (found != NULL && (u->uid != found->uid || u->gid != found->gid))
			return "[local] manage: the name stands in /etc/passwd more than once";
		found = u;
	}
	if (found == NULL)
		return "[local] manage: the name is not in /etc/passwd";
	if (found->uid == 0)
		return "[local] manage: uid 0 is never under policy";
	facts->uid = found->uid;
	facts->gid = found->gid;
	(void)snprintf(facts->primary_group, sizeof facts->primary_group, "%.32s", group_of(local, found->gid));
	return NULL;
}

void
front_local_amend(void *front, enum message number, void *msg)
{
	const struct front *f = front;
	struct local_accounts local;
	struct facts *facts = msg;
	const char *wrong;

	if (number != MSG_FACTS || facts->state != FACTS_MANAGED || !policy_manages_local(f->policy, facts->user))
		return;
	/* What the entry says of a password is said of another one. */
	facts->must_change = 0;
	facts->change_needs_old = 0;
	facts->password_set = 1;
	wrong = "[local] manage: /etc/passwd or /etc/group cannot be read";
	if (local_accounts_load(f->paths, &local) == 0) {
		wrong = adopt(&local, facts);
		local_accounts_done(&local);
	}
	if (wrong == NULL)
		return;
	facts->state = FACTS_BROKEN;
	(void)snprintf(facts->fault, sizeof facts->fault, "%s", wrong);
}

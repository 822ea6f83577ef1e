/*
 * identity_facts.c - one identity as the message that policy judges.
 *
 * Directory process and isms-userctl. It must never leave a field of a broken user that could be
 * taken for a fact: such a message says the name, the fault and nothing that allows.
 */
#include <config.h>

#include "common/identity.h"

#include <stddef.h>
#include <string.h>

/* A clean text that may be longer than its field; cut between characters. */
static void
put(char *to, size_t size, const char *text)
{
	size_t len = text != NULL ? strlen(text) : 0;

	if (len >= size) {
		len = size - 1;
		while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
	}
	if (len > 0)
		memcpy(to, text, len);
	to[len] = '\0';
}

static void
put_groups(const struct identities *all, const struct identity *user, struct facts *ret)
{
	size_t used = 0;

	for (uint32_t i = 0; i < user->group_count; i++) {
		const char *name = all->groups[user->groups[i]].name;
		size_t len = strlen(name);

		if (all->groups[user->groups[i]].gid == user->gid)
			put(ret->primary_group, sizeof ret->primary_group, name);
		if (used + len + 2 > sizeof ret->groups)	/* identity_link_groups() broke such a user */
			break;
		if (used > 0)
			ret->groups[used++] = ' ';
		memcpy(ret->groups + used, name, len);
		used += len;
	}
	ret->groups[used] = '\0';
}

void
identity_facts(const struct identities *all, const struct identity *user, struct facts *ret)
{
	/* All but the 40 kB of groups: the roster's making asks for every user in turn. */
	memset(ret, 0, offsetof(struct facts, groups));
	ret->groups[0] = '\0';
	if (user == NULL)
		return;
	ret->state = user->state;
	put(ret->user, sizeof ret->user, user->name);
	put(ret->entry_id, sizeof ret->entry_id, user->entry_id);
	ret->uid = user->uid;
	ret->gid = user->gid;
	ret->kind = user->kind;
	if (user->state != FACTS_MANAGED) {
		put(ret->fault, sizeof ret->fault, user->fault);
		return;
	}
	ret->not_before_utc_sec = user->not_before_utc_sec;
	ret->not_after_utc_sec = user->not_after_utc_sec;
	put(ret->not_after_source, sizeof ret->not_after_source, user->not_after_source);
	ret->disabled = user->disabled;
	put(ret->disabled_source, sizeof ret->disabled_source, user->disabled_source);
	ret->locked_until_utc_sec = user->locked_until_utc_sec;
	ret->must_change = user->must_change;
	ret->password_set = user->password_set;
	ret->token_count = user->token_count;
	put(ret->display, sizeof ret->display, user->display);
	put(ret->sponsor, sizeof ret->sponsor, user->sponsor);
	put(ret->owner, sizeof ret->owner, user->owner);
	ret->created_utc_sec = user->created_utc_sec;
	ret->last_use_utc_sec = user->last_use_utc_sec;
	ret->reviewed_at_utc_sec = user->reviewed_at_utc_sec;
	ret->armed_until_utc_sec = user->armed_until_utc_sec;
	put(ret->armed_by, sizeof ret->armed_by, user->armed_by);
	put(ret->armed_reason, sizeof ret->armed_reason, user->armed_reason);
	put(ret->sources, sizeof ret->sources, user->sources);
	ret->has_command = user->command != NULL;
	put_groups(all, user, ret);
}

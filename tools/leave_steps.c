/*
 * leave_steps.c - the steps of isms-userctl leave (see leave_steps.h).
 *
 * Runs in isms-userctl only. Each can be done again: what is gone is not missed. It must never touch what is not the
 * leaver's: entries are his by their DN alone, but for memberUid, which has names.
 */
#include <config.h>

#include "tools/leave_steps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/recovery_code.h"
#include "tools/output.h"
#include "tools/standing.h"
#include "tools/token.h"

#define LOCKED_FOR_EVER	"000001010000Z"	/* as isms-userctl disable */

static const struct entry *
entry_of(const struct account *account)
{
	return entries_find(directory_entries(account->directory), account->identity->entry->dn);
}

static void
item(json_t *items, const char *text)
{
	(void)json_array_append_new(items, output_string(text));
}

/* The value of an attribute, as it stands there, that is this DN; NULL: none. */
static const char *
value_with_dn(const struct entry *e, const char *attribute, const char *ndn)
{
	const struct attribute *a = entry_attribute(e, attribute);
	bool same;
	char *other;

	for (size_t i = 0; a != NULL && i < a->count; i++) {
		other = entry_normalise_dn(a->values[i].bytes);
		same = other != NULL && strcmp(other, ndn) == 0;
		free(other);
		if (same)
			return a->values[i].bytes;
	}
	return NULL;
}

static bool
is_chosen(const struct entry *e, const char *only)
{
	return only == NULL || strcmp(e->dn, only) == 0;
}

/* ---- the account itself ---- */

int
leave_lock(struct account *account, const struct entry *e)
{
	const struct change locks[] = {
		{ CHANGE_REPLACE, "pwdAccountLockedTime", LOCKED_FOR_EVER }, { CHANGE_REPLACE, "nsAccountLock",
		    "TRUE" },
	};
	int r;

	for (size_t i = 0; i < 2; i++) {
		if (!directory_knows(account->directory, locks[i].attribute))
			continue;
		if (entry_has_value(e, locks[i].attribute, locks[i].value))
			return 0;
		r = directory_modify(account->directory, e->dn, &locks[i], 1);
		return r < 0 ? r : 1;
	}
	return -EOPNOTSUPP;
}

static int
disable(struct account *account, const char *only, json_t *items)
{
	int r = leave_lock(account, account->identity->entry);

	(void)only;
	if (r > 0)
		item(items, "locked");
	return r < 0 ? r : 0;
}

static void
note_token(const char *serial, void *arg)
{
	item(arg, serial);
}

static int
tokens(struct account *account, const char *only, json_t *items)
{
	const char *dn = account->identity->entry->dn;
	size_t before;
	int r;

	(void)only;
	r = token_remove(account->directory, dn, NULL, NULL, note_token, items);
	if (r < 0)
		return r;
	before = directory_entries(account->directory)->count;
	r = token_remove_pending(account->directory, dn);
	if (r == 0 && directory_entries(account->directory)->count < before)
		item(items, "never activated");
	return r;
}

static int
recovery_codes(struct account *account, const char *only, json_t *items)
{
	const struct change gone = { CHANGE_REPLACE, RECOVERY_ATTRIBUTE, NULL };
	const struct entry *e = entry_of(account);
	unsigned count = e != NULL ? recovery_codes_count(e) : 0;

	(void)only;
	if (count == 0)
		return 0;
	(void)json_array_append_new(items, json_sprintf("%u", count));
	return directory_modify(account->directory, e->dn, &gone, 1);
}

/* The key's comment, by which people know it, else its beginning; never needed to find it again. */
static void
note_key(const char *line, json_t *items)
{
	const char *comment = strrchr(line, ' ');
	char text[64];

	if (comment == NULL || strchr(line, ' ') == comment)
		comment = line;
	(void)snprintf(text, sizeof text, "%.63s", comment + (*comment == ' '));
	item(items, text);
}

static int
keys(struct account *account, const char *only, json_t *items)
{
	static const char *const names[] = { "ismsKey", "sshPublicKey", "ipaSshPubKey" };
	struct change changes[sizeof names / sizeof names[0]];
	const struct entry *e = entry_of(account);
	size_t count = 0;

	(void)only;
	for (size_t i = 0; e != NULL && i < sizeof names / sizeof names[0]; i++) {
		const struct attribute *a = entry_attribute(e, names[i]);

		for (size_t k = 0; a != NULL && k < a->count; k++)
			note_key(a->values[k].bytes, items);
		if (a != NULL)
			changes[count++] = (struct change){ CHANGE_REPLACE, names[i], NULL };
	}
	return count > 0 ? directory_modify(account->directory, e->dn, changes, count) : 0;
}

/* ---- entries of others ---- */

/* What has ended gives nothing, and is the evidence of who had what. */
static bool
has_ended(const struct entry *e)
{
	int64_t until_utc_sec = standing_instant(e, "ismsUntil");

	return until_utc_sec != 0 && until_utc_sec <= (int64_t)time(NULL);
}

/* Remove entries of a class whose ismsMember he is, but for those that have ended. */
static int
remove_entries(struct account *account, const char *object_class, const char *only, json_t *items)
{
	const struct entries *all = directory_entries(account->directory);
	const char *ndn = account->identity->entry->ndn;
	json_t *dn;
	size_t i, before = json_array_size(items);
	int r = 0;

	for (i = 0; i < all->count; i++)
		if (entry_has_class(all->list[i], object_class) && is_chosen(all->list[i], only) &&
		    value_with_dn(all->list[i], "ismsMember", ndn) != NULL && !has_ended(all->list[i]))
			item(items, all->list[i]->dn);
	for (i = before; i < json_array_size(items) && r == 0; i++) {
		dn = json_array_get(items, i);
		r = directory_remove(account->directory, json_string_value(dn));
	}
	return r;
}

static int
grants(struct account *account, const char *only, json_t *items)
{
	return remove_entries(account, "ismsGrant", only, items);
}

static int
exemptions(struct account *account, const char *only, json_t *items)
{
	return remove_entries(account, "ismsExemption", only, items);
}

/* Nobody can grant any more what he asked for; what was decided stays as it was. */
static int
requests(struct account *account, const char *only, json_t *items)
{
	const struct change refused = { CHANGE_REPLACE, "ismsState", "refused" };
	const struct entries *all = directory_entries(account->directory);
	const char *ndn = account->identity->entry->ndn;
	int r = 0;

	for (size_t i = 0; i < all->count && r == 0; i++) {
		const struct entry *e = all->list[i];

		if (!entry_has_class(e, "ismsRequest") || !is_chosen(e, only) || !entry_has_value(e, "ismsState",
		    "open") ||
		    value_with_dn(e, "ismsMember", ndn) == NULL)
			continue;
		item(items, e->dn);
		r = directory_modify(account->directory, e->dn, &refused, 1);
	}
	return r;
}

/* His private group stays, as his primary group does: files have its number. */
static bool
is_private_group(const struct identity *id, const struct entry *e)
{
	const char *name = entry_value(e, "cn"), *gid = entry_value(e, "gidNumber");

	return name != NULL && gid != NULL && strcmp(name, id->name) == 0 && strtoul(gid, NULL, 10) == id->gid;
}

/* Take one value away. On a server a groupOfNames must keep one: the empty DN stands for nobody (RFC 4519 2.17). */
static int
take_value(struct account *account, const struct entry *group, const char *attribute, const char *value)
{
	const struct change changes[] = { { CHANGE_ADD, attribute, "" }, { CHANGE_DELETE, attribute, value } };
	const struct attribute *a = entry_attribute(group, attribute);
	bool is_last = directory_is_server(account->directory) && strcmp(attribute, "memberUid") != 0 &&
	    a->count == 1 &&
	    (entry_has_class(group, "groupOfNames") || entry_has_class(group, "groupOfUniqueNames"));

	return directory_modify(account->directory, group->dn, is_last ? changes : changes + 1, is_last ? 2 : 1);
}

int
leave_group(struct account *account, const struct entry *e, bool *ret_was_in)
{
	static const char *const names[] = { "member", "uniqueMember" };
	const struct identity *id = account->identity;
	char value[ENTRY_VALUE_MAX > 2048 ? 2048 : ENTRY_VALUE_MAX];
	const char *found;
	int r = 0;

	*ret_was_in = false;
	for (size_t i = 0; i < 2 && r == 0; i++) {
		found = value_with_dn(e, names[i], id->entry->ndn);
		if (found == NULL || strlen(found) >= sizeof value)
			continue;
		(void)strcpy(value, found);	/* fits; it goes with the change */
		*ret_was_in = true;
		r = take_value(account, e, names[i], value);
	}
	if (r == 0 && entry_has_class(e, "posixGroup") && entry_has_value(e, "memberUid", id->name)) {
		*ret_was_in = true;
		r = take_value(account, e, "memberUid", id->name);
	}
	return r;
}

static int
groups(struct account *account, const char *only, json_t *items)
{
	const struct entries *all = directory_entries(account->directory);
	bool was_in;
	int r = 0;

	for (size_t i = 0; i < all->count && r == 0; i++) {
		if (!is_chosen(all->list[i], only) || is_private_group(account->identity, all->list[i]))
			continue;
		r = leave_group(account, all->list[i], &was_in);
		if (r == 0 && was_in)
			item(items, all->list[i]->dn);
	}
	return r;
}

const struct leave_step leave_steps[] = {
	{ "disable", disable, false },
	{ "tokens", tokens, false },
	{ "recovery-codes", recovery_codes, false },
	{ "keys", keys, false },
	{ "grants", grants, true },
	{ "requests", requests, true },
	{ "exemptions", exemptions, true },
	{ "groups", groups, true },
	{ NULL, NULL, false },
};

int
leave_answers_for(const struct account *account, json_t *items)
{
	const char *ndn = account->identity->entry->ndn;

	for (size_t i = 0; i < account->identities.user_count; i++) {
		const struct identity *other = &account->identities.users[i];

		if (other != account->identity && (value_with_dn(other->entry, "manager", ndn) != NULL ||
		    value_with_dn(other->entry, "owner", ndn) != NULL) &&
		    json_array_append_new(items, output_string(other->name)) < 0)
			return -ENOMEM;
	}
	return 0;
}

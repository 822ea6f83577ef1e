/*
 * account_care.c - owners, sponsors and exemptions for the verbs that judge (see account_care.h).
 *
 * Runs in isms-userctl only; census_care.c says the same to the processes. It must never call somebody valid whose entry
 * is in doubt.
 */
#include <config.h>

#include "tools/account_care.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/entry_older.h"
#include "common/entry_place.h"
#include "common/exemption.h"

int
account_care_open(const struct account *account, struct account_care *ret)
{
	const struct entries *all = directory_entries(account->directory);

	*ret = (struct account_care){ .account = account, .exemptions = calloc(all->count + 1, sizeof(struct entry *)) };
	if (ret->exemptions == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < all->count; i++)
		if (entry_counts(all->list[i], ENTRY_EXEMPTION, account->base))
			ret->exemptions[ret->count++] = all->list[i];
	return 0;
}

void
account_care_done(struct account_care *care)
{
	free(care->exemptions);
	*care = (struct account_care){ 0 };
}

/* The account of a DN. ret_user: what it means; NULL: it cannot be read. Returns whether there is one. */
static bool
find_account(const struct account *account, const char *dn, const struct identity **ret_user)
{
	const struct entry *e = entries_find(directory_entries(account->directory), dn);
	const struct identity *user = NULL;

	if (e == NULL || !entry_has_class(e, "posixAccount"))
		return false;
	if (entry_value(e, "uid") != NULL)
		user = identities_find(&account->identities, entry_value(e, "uid"));
	*ret_user = user != NULL && user->entry == e ? user : NULL;
	return true;
}

static void
look_up(const struct account *account, const char *dn, int64_t now_utc_sec, uint32_t *ret_state, int64_t *ret_end_utc_sec)
{
	const struct identity *user = NULL;

	*ret_end_utc_sec = 0;
	*ret_state = CARE_NONE;
	if (dn != NULL && dn[0] != '\0')
		*ret_state = find_account(account, dn, &user) ? identity_care(user, now_utc_sec, ret_end_utc_sec) : CARE_MISSING;
}

/* One whose approver does not stand any more, or is nobody, holds no more; one that ends with him, until then. */
static bool
is_approved(const struct account *account, const struct entry *e, int64_t now_utc_sec, struct exemption *x)
{
	const char *dn = entry_value(e, "ismsApprover");
	const struct identity *user = NULL;
	int64_t end_utc_sec = 0;

	if (dn == NULL || dn[0] == '\0')
		return false;
	if (!find_account(account, dn, &user))
		return exemption_by_operator(e, account->base);
	if (identity_care(user, now_utc_sec, &end_utc_sec) != CARE_VALID)
		return false;
	if (end_utc_sec != 0 && end_utc_sec < x->until_utc_sec)
		x->until_utc_sec = end_utc_sec;
	return true;
}

bool
account_care_is_former(const struct account *account, const struct entry *exemption)
{
	static const char *const names[] = { "ismsMember", "ismsApprover" };
	int64_t made_utc_sec = entry_created_utc_sec(exemption);
	bool former = false;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const char *dn = entry_value(exemption, names[i]);

		former = former || (dn != NULL && entry_is_older(made_utc_sec, entries_find(directory_entries(account->directory), dn)));
	}
	return former;
}

void
account_care(const struct account_care *care, const struct identity *user, int64_t now_utc_sec, struct facts *facts)
{
	char fault[IDENTITY_FAULT_SIZE];
	size_t used = 0;

	facts->exemptions[0] = '\0';
	if (user->state != FACTS_MANAGED)
		return;
	look_up(care->account, user->owner, now_utc_sec, &facts->owner_state, &facts->owner_end_utc_sec);
	look_up(care->account, user->sponsor, now_utc_sec, &facts->sponsor_state, &facts->sponsor_end_utc_sec);
	for (size_t i = 0; i < care->count; i++) {
		struct exemption x;
		int n;

		if (exemption_read(care->exemptions[i], user->entry->ndn, &x, fault, sizeof fault) < 0 ||
		    account_care_is_former(care->account, care->exemptions[i]) ||
		    !is_approved(care->account, care->exemptions[i], now_utc_sec, &x))
			continue;
		n = exemption_format(&x, facts->exemptions + used, sizeof facts->exemptions - used);
		used += n > 0 ? (size_t)n : 0;
		facts->exemptions[used] = '\0';
	}
}

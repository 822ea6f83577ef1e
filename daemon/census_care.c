/*
 * census_care.c - who answers for a user, as he stands himself at this moment, and which exemptions are about the user.
 *
 * Directory process. By the census, at the time of the question: what another entry says is not kept with a user, so it
 * cannot be old. It must never call somebody valid whose entry is in doubt, nor hand out an exemption that one has approved
 * who may not.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/entry_older.h"
#include "common/exemption.h"
#include "daemon/census_parts.h"

struct caring {
	struct census *c;		/* borrowed */
	const struct settings *settings;	/* borrowed */
	const struct identity_holders *holders;	/* borrowed */
	int64_t now_utc_sec;
};

/*
 * An account by its DN; one that is gone is none.
 *
 *  ret  its item plus one; 0: there is none
 *
 * Returns 0 or -errno: somebody could not be read.
 */
static int
find_account(struct census *c, const char *ndn, uint32_t *ret)
{
	uint64_t key = census_key(&c->index, CENSUS_DN, ndn, strlen(ndn));
	uint32_t at = 0, item;

	while ((item = census_index_next(&c->index, key, &at)) != 0) {
		const struct entry *e = c->items[item - 1].gone ? NULL : census_head(c, item - 1);

		if (c->unread < 0)
			return c->unread;
		if (e != NULL && entry_has_class(e, "posixAccount") && strcmp(e->ndn, ndn) == 0)
			break;
	}
	*ret = item;
	return 0;
}

/* How an account stands. Returns 0 or -errno. */
static int
look_at(const struct caring *in, uint32_t item, uint32_t *ret_state, int64_t *ret_end_utc_sec)
{
	struct census_part part = { 0 };
	const struct identity *found = NULL;
	int r = closure_build(in->c, in->settings, in->holders, &item, 1, &part);

	for (size_t i = 0; r == 0 && i < part.identities.user_count && found == NULL; i++) {
		const struct identity *u = &part.identities.users[i];

		if (closure_item(part.closure, u->entry) == item)
			found = u;
	}
	if (found != NULL && (in->c->items[item].standing & STANDING_USER) == 0)
		found = NULL;		/* he was in doubt when he was judged last, and is not published */
	*ret_state = identity_care(found, in->now_utc_sec, ret_end_utc_sec);
	census_part_done(&part);
	return r == -E2BIG ? 0 : r;
}

/* Somebody by his DN as an attribute has it; NULL or "": nobody is named. */
static int
look_up(const struct caring *in, const char *dn, uint32_t *ret_state, int64_t *ret_end_utc_sec)
{
	char *ndn = dn != NULL && dn[0] != '\0' ? entry_normalise_dn(dn) : NULL;
	uint32_t item = 0;
	int r = ndn != NULL ? find_account(in->c, ndn, &item) : 0;

	*ret_state = dn == NULL || dn[0] == '\0' ? CARE_NONE : CARE_MISSING;
	*ret_end_utc_sec = 0;
	free(ndn);
	return r == 0 && item != 0 ? look_at(in, item - 1, ret_state, ret_end_utc_sec) : r;
}

/*
 * An exemption holds while its approver does. One who is no account is an operator with an entry of his own below ou=roles:
 * that he may, the directory's rules have said. Of an account that has left nobody knows what it may.
 */
static int
approve(const struct caring *in, const struct entry *e, struct exemption *x, bool *ret_holds)
{
	char *ndn = entry_normalise_dn(entry_value(e, "ismsApprover"));
	uint32_t item = 0, state = CARE_VALID;
	int64_t end_utc_sec = 0;
	int r = ndn != NULL ? find_account(in->c, ndn, &item) : 0;

	if (r == 0 && item != 0)
		r = look_at(in, item - 1, &state, &end_utc_sec);
	*ret_holds = r == 0 && ndn != NULL && state == CARE_VALID;
	if (end_utc_sec != 0 && end_utc_sec < x->until_utc_sec)
		x->until_utc_sec = end_utc_sec;
	if (item == 0 && !exemption_by_operator(e, in->settings->directory_base))
		*ret_holds = false;
	free(ndn);
	return r;
}

/* Whether an exemption is about, or by, one who had the DN before: 1, 0, or -errno. */
static int
is_former(const struct caring *in, const struct entry *e, const struct identity *user)
{
	int64_t made_utc_sec = entry_created_utc_sec(e);
	const char *dn = entry_value(e, "ismsApprover");
	char *ndn = dn != NULL ? entry_normalise_dn(dn) : NULL;
	uint32_t item = 0;
	int r = ndn != NULL ? find_account(in->c, ndn, &item) : 0;

	free(ndn);
	if (r < 0)
		return r;
	return entry_is_older(made_utc_sec, user->entry) ||
	    (item != 0 && entry_is_older(made_utc_sec, census_head(in->c, item - 1)));
}

/* Lines as long as there is room: what has none is not there, and the control holds. */
static int
add_exemptions(const struct caring *in, const struct identity *user, struct facts *ret)
{
	const char *ndn = user->entry->ndn;
	uint64_t key = census_key(&in->c->index, CENSUS_EXEMPT, ndn, strlen(ndn));
	char fault[IDENTITY_FAULT_SIZE];
	uint32_t at = 0, item;
	size_t used = 0;
	int r = 0;

	while (r == 0 && (item = census_index_next(&in->c->index, key, &at)) != 0) {
		const struct entry *e = census_head(in->c, item - 1);
		struct exemption x;
		bool holds;
		int n, former;

		former = e != NULL ? is_former(in, e, user) : 0;
		if (former < 0 || in->c->unread < 0)
			return former < 0 ? former : in->c->unread;
		if (e == NULL || former == 1 || in->c->items[item - 1].gone || exemption_read(e, ndn, &x, fault, sizeof fault) < 0)
			continue;
		r = approve(in, e, &x, &holds);
		n = r == 0 && holds ? exemption_format(&x, ret->exemptions + used, sizeof ret->exemptions - used) : 0;
		used += n > 0 ? (size_t)n : 0;
		ret->exemptions[used] = '\0';
	}
	return r;
}

int
census_care(struct census *c, const struct census_asking *asking, const struct identity *user, struct facts *ret)
{
	const struct caring in = { .c = c, .settings = asking->settings, .holders = asking->holders,
		.now_utc_sec = asking->now_utc_sec };
	int r;

	if (user == NULL || user->state != FACTS_MANAGED)
		return 0;
	r = look_up(&in, user->owner, &ret->owner_state, &ret->owner_end_utc_sec);
	if (r == 0)
		r = look_up(&in, user->sponsor, &ret->sponsor_state, &ret->sponsor_end_utc_sec);
	if (r == 0)
		r = add_exemptions(&in, user, ret);
	census_release(c);
	return r;
}

int
census_owner(struct census *c, const struct census_asking *asking, const struct identity *user, struct facts *ret)
{
	const struct caring in = { .c = c, .settings = asking->settings, .holders = asking->holders,
		.now_utc_sec = asking->now_utc_sec };
	int r = look_up(&in, user->owner, &ret->owner_state, &ret->owner_end_utc_sec);

	census_release(c);
	return r;
}

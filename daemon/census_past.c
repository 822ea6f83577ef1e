/*
 * census_past.c - who had a name or a number in the last state, and whom a person has approved since: what
 * identities_build_from() asks the census.
 *
 * Directory process.
 */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "daemon/census_parts.h"

struct matching {
	enum identity_claim kind;
	const char *key;
	bool matches;
	char *entry_id;
};

static int
match_claim(enum identity_claim kind, const char *key, void *arg)
{
	struct matching *m = arg;

	m->matches = m->matches || (kind == m->kind && strcmp(key, m->key) == 0);
	if (kind == CLAIM_ENTRY_ID)
		(void)snprintf(m->entry_id, IDENTITY_KEY_SIZE, "%s", key);
	return 0;
}

/* Where the standing of an item is: at the first one of its DN. */
static uint32_t
first_before(struct census *c, uint32_t item)
{
	const struct entry *e = c->items[item].standing == 0 ? census_then(c, item) : NULL;
	uint32_t at = 0, other;
	uint64_t key;

	if (e == NULL)
		return item;
	key = census_key(&c->index, CENSUS_DN, e->ndn, strlen(e->ndn));
	while ((other = census_index_next(&c->index, key, &at)) != 0) {
		const struct entry *there = c->items[other - 1].standing != 0 ? census_then(c, other - 1) : NULL;

		if (there != NULL && strcmp(there->ndn, e->ndn) == 0)
			return other - 1;
	}
	return item;
}

const char *
census_past_holder(void *arg, enum identity_claim kind, const char *key)
{
	static const uint8_t wanted[] = {
		[CLAIM_NAME] = STANDING_USER, [CLAIM_UID] = STANDING_USER, [CLAIM_ENTRY_ID] = STANDING_USER,
		[CLAIM_GROUP_NAME] = STANDING_GROUP_NAME, [CLAIM_GID] = STANDING_GROUP_NAME | STANDING_GID,
	};
	struct census_past *p = arg;
	uint64_t hash = census_key(&p->c->index, (unsigned char)kind, key, strlen(key));
	uint32_t at = 0, item;

	while ((item = census_index_next(&p->c->index, hash, &at)) != 0) {
		struct matching m = { .kind = kind, .key = key, .entry_id = p->found };
		uint32_t first = first_before(p->c, item - 1);
		const struct entry *before;

		if ((p->c->items[first].standing & wanted[kind]) != wanted[kind])
			continue;
		entry_free(p->owned);
		before = census_before(p->c, first, &p->owned);
		p->found[0] = '\0';
		if (before != NULL && identity_claims(before, p->settings, match_claim, &m) == 0 && m.matches)
			return kind >= CLAIM_GROUP_NAME ? identity_group_id(before) : p->found;
	}
	return NULL;
}

bool
census_past_knew(void *arg, const char *entry_id)
{
	return census_past_holder(arg, CLAIM_ENTRY_ID, entry_id) != NULL;
}

/* ---- whom a person has approved ---- */

/* Whether somebody who saw an entry has seen whom another one of it claims to be. A number that waited was seen, too. */
static bool
is_as_seen(const struct entry *before, const struct entry *e)
{
	return before != NULL && e != NULL && entry_same_values(before, e, "uid") &&
	    entry_same_values(before, e, "entryUUID") && (before->waits || entry_same_values(before, e, "uidNumber"));
}

void
census_approve(struct census *c)
{
	for (size_t i = 0; i < c->used; i++)
		c->items[i].approved = census_is_there(c, (uint32_t)i);
}

int
census_see_approved(struct census *c, uint32_t item, const struct entry *e)
{
	struct census_item *i = &c->items[item];
	struct entry *read = NULL;
	int r = 0;

	if (!i->approved)
		return 0;
	if (i->e == NULL && i->number != ENTRY_NOWHERE)
		r = entry_heap_get(c->heap, i->number, false, &read);
	if (r == 0)
		i->approved = is_as_seen(i->e != NULL ? i->e : read, e);
	entry_free(read);
	return r;
}

bool
census_past_accepted(void *arg, const struct entry *e)
{
	const struct census_past *p = arg;

	return p->c->accepting && p->c->items[closure_item(p->x, e)].approved;
}

/*
 * grant_parties.c - finds the entries that grants name (see grant_parties.h).
 *
 * Directory process, on its loop. What changes say of an id replaces what the census has of it; of one id the last
 * change counts, as it does for the census.
 */
#include <config.h>

#include "daemon/grant_parties.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "common/identity.h"

#define NOT_CHANGED SIZE_MAX

struct party_id {
	uint8_t id[ENTRY_ID_SIZE];
	size_t last;			/* the last change of it, or NOT_CHANGED */
};

struct candidate {
	size_t party;
	uint8_t id[ENTRY_ID_SIZE];
	struct entry *e;		/* owned */
	bool gone;
	size_t change;			/* that says so, or NOT_CHANGED: the census does */
};

struct finding {
	const struct party_sources *from;
	struct parties *parties;
	size_t room;			/* of its candidates */
};

static int
compare_parties(const void *a, const void *b)
{
	return strcmp(((const struct party *)a)->ndn, ((const struct party *)b)->ndn);
}

static int
compare_ids(const void *a, const void *b)
{
	return memcmp(((const struct party_id *)a)->id, ((const struct party_id *)b)->id, ENTRY_ID_SIZE);
}

static struct party *
find_party(const struct parties *p, const char *ndn)
{
	const struct party key = { .ndn = ndn };

	return p->count > 0 ? bsearch(&key, p->list, p->count, sizeof key, compare_parties) : NULL;
}

const struct party *
parties_get(const struct parties *p, const char *ndn)
{
	return find_party(p, ndn);
}

/* Its entry is owned then, also on failure. */
static int
add_candidate(struct finding *f, const struct candidate *c)
{
	struct parties *p = f->parties;

	if (p->candidate_count == f->room) {
		size_t room = f->room == 0 ? 32 : f->room * 2;
		struct candidate *list = reallocarray(p->candidates, room, sizeof *list);

		if (list == NULL) {
			entry_free(c->e);
			return -ENOMEM;
		}
		p->candidates = list;
		f->room = room;
	}
	p->candidates[p->candidate_count++] = *c;
	return 0;
}

static int
compare_base(const void *id, const void *base)
{
	return memcmp(id, ((const struct party_base *)base)->id, ENTRY_ID_SIZE);
}

/* What the census has under a DN; where that is what grants made of it, the directory's own. */
static int
look_in_census(struct finding *f, size_t party)
{
	const struct party_sources *from = f->from;
	struct candidate c = { .party = party, .change = NOT_CHANGED };
	const char *ndn = f->parties->list[party].ndn;
	uint32_t at = 0;
	int r;

	while ((r = census_entry_at(from->census, ndn, &at, c.id, &c.gone, &c.e)) == 0 && c.e != NULL) {
		const struct party_base *base = from->base_count == 0 ? NULL :
		    bsearch(c.id, from->bases, from->base_count, sizeof *base, compare_base);

		if (base != NULL) {
			entry_free(c.e);
			c.e = entry_ref(base->e);
			c.gone = base->gone;
		}
		r = add_candidate(f, &c);
		if (r < 0)
			return r;
	}
	return r;
}

static int
look_in_changes(struct finding *f)
{
	const struct entry_changes *changes = f->from->changes;
	int r = 0;

	for (size_t i = 0; i < changes->count && f->parties->count > 0 && r == 0; i++) {
		const struct entry_change *change = &changes->list[i];
		const struct party *p;
		struct candidate c;
		struct entry *e;

		r = entry_changes_entry(changes, change, &e);
		p = e != NULL ? find_party(f->parties, e->ndn) : NULL;
		if (p == NULL || !identity_is_below(e->ndn, f->from->nbase)) {
			entry_free(e);
			continue;
		}
		c = (struct candidate){ .party = (size_t)(p - f->parties->list), .e = e, .gone = change->gone,
			.change = i };
		memcpy(c.id, change->id, ENTRY_ID_SIZE);
		r = add_candidate(f, &c);
	}
	return r;
}

/* The last change of every id that matters. */
static int
list_ids(struct finding *f)
{
	const struct entry_changes *changes = f->from->changes;
	struct parties *p = f->parties;

	p->ids = calloc(p->candidate_count + f->from->base_count + 1, sizeof *p->ids);
	if (p->ids == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < p->candidate_count; i++)
		memcpy(p->ids[p->id_count++].id, p->candidates[i].id, ENTRY_ID_SIZE);
	for (size_t i = 0; i < f->from->base_count; i++)
		memcpy(p->ids[p->id_count++].id, f->from->bases[i].id, ENTRY_ID_SIZE);
	for (size_t i = 0; i < p->id_count; i++)
		p->ids[i].last = NOT_CHANGED;
	if (p->id_count == 0)
		return 0;
	qsort(p->ids, p->id_count, sizeof *p->ids, compare_ids);
	for (size_t i = 0, kept = 0, all = p->id_count; i < all; i++) {
		if (i == 0 || compare_ids(&p->ids[i], &p->ids[kept - 1]) != 0)
			p->ids[kept++] = p->ids[i];
		p->id_count = kept;
	}
	for (size_t i = 0; i < changes->count; i++) {
		struct party_id key, *at;

		memcpy(key.id, changes->list[i].id, ENTRY_ID_SIZE);
		at = bsearch(&key, p->ids, p->id_count, sizeof key, compare_ids);
		if (at != NULL)
			at->last = i;
	}
	return 0;
}

static size_t
last_change(const struct parties *p, const uint8_t id[ENTRY_ID_SIZE])
{
	const struct party_id *at;
	struct party_id key;

	memcpy(key.id, id, ENTRY_ID_SIZE);
	at = p->id_count > 0 ? bsearch(&key, p->ids, p->id_count, sizeof key, compare_ids) : NULL;
	return at != NULL ? at->last : NOT_CHANGED;
}

bool
parties_changed(const struct parties *p, const uint8_t id[ENTRY_ID_SIZE])
{
	return last_change(p, id) != NOT_CHANGED;
}

static bool
is_better(const struct candidate *c, const struct party *than)
{
	bool group = identity_is_group(c->e), other = identity_is_group(than->e);

	return group != other ? group : memcmp(c->id, than->id, ENTRY_ID_SIZE) < 0;
}

static void
settle(struct finding *f)
{
	for (size_t i = 0; i < f->parties->candidate_count; i++) {
		const struct candidate *c = &f->parties->candidates[i];
		struct party *p = &f->parties->list[c->party];

		if (last_change(f->parties, c->id) != c->change)
			continue;
		p->many = p->e != NULL;
		if (p->e != NULL && !is_better(c, p))
			continue;
		p->e = c->e;
		p->gone = c->gone;
		memcpy(p->id, c->id, ENTRY_ID_SIZE);
	}
}

int
parties_find(const struct party_sources *from, const char *const *ndns, size_t count, struct parties *ret)
{
	struct finding f = { .from = from, .parties = ret };
	int r = 0;

	ret->list = calloc(count + 1, sizeof *ret->list);
	if (ret->list == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		ret->list[i].ndn = ndns[i];
	if (count > 0)
		qsort(ret->list, count, sizeof *ret->list, compare_parties);
	for (size_t i = 0; i < count; i++)
		if (ret->count == 0 || compare_parties(&ret->list[i], &ret->list[ret->count - 1]) != 0)
			ret->list[ret->count++] = ret->list[i];
	for (size_t i = 0; i < ret->count && r == 0 && !from->changes->whole; i++)
		r = look_in_census(&f, i);
	if (r == 0)
		r = look_in_changes(&f);
	if (r == 0)
		r = list_ids(&f);
	if (r == 0)
		settle(&f);
	return r;
}

void
parties_done(struct parties *p)
{
	for (size_t i = 0; i < p->count; i++)
		grant_reach_unref(p->list[i].reach);
	for (size_t i = 0; i < p->candidate_count; i++)
		entry_free(p->candidates[i].e);
	free(p->candidates);
	free(p->list);
	free(p->ids);
	*p = (struct parties){ 0 };
}

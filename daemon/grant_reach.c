/*
 * grant_reach.c - which groups those are nested in that grants name, once changes are taken in (see grant_parties.h).
 *
 * Directory process, on its loop. What changes say of an id replaces what the census has of it. Members that grants add
 * are users; so what the census has of a group in place of the directory's entry nests it alike.
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/identity.h"
#include "daemon/grant_parties.h"

/* An id that changes tell of, and the last one that does. */
struct told {
	uint8_t id[ENTRY_ID_SIZE];
	size_t last;
};

struct looking {
	const struct party_sources *from;
	struct told *told;		/* owned; sorted by id, each once */
	size_t count;
	struct grant_nesting nesting;	/* of groups as changes have them */
};

static int
compare_ids(const void *a, const void *b)
{
	return memcmp(((const struct told *)a)->id, ((const struct told *)b)->id, ENTRY_ID_SIZE);
}

static int
compare_told(const void *a, const void *b)
{
	const struct told *x = a, *y = b;
	int r = compare_ids(x, y);

	return r != 0 ? r : (x->last > y->last) - (x->last < y->last);
}

static int
list_told(struct looking *l)
{
	const struct entry_changes *changes = l->from->changes;

	l->told = calloc(changes->count + 1, sizeof *l->told);
	if (l->told == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < changes->count; i++) {
		memcpy(l->told[i].id, changes->list[i].id, ENTRY_ID_SIZE);
		l->told[i].last = i;
	}
	if (changes->count > 0)
		qsort(l->told, changes->count, sizeof *l->told, compare_told);
	for (size_t i = 0; i < changes->count; i++) {
		if (l->count > 0 && compare_ids(&l->told[i], &l->told[l->count - 1]) == 0)
			l->count--;
		l->told[l->count++] = l->told[i];
	}
	return 0;
}

static int
nest_told(struct looking *l)
{
	const struct entry_changes *changes = l->from->changes;
	int r = 0;

	for (size_t i = 0; i < l->count && r == 0; i++) {
		struct entry *e;

		r = entry_changes_entry(changes, &changes->list[l->told[i].last], &e);
		if (r == 0 && e != NULL && identity_is_below(e->ndn, l->from->nbase))
			r = grant_nesting_add(&l->nesting, e, grant_hash(l->told[i].id, ENTRY_ID_SIZE));
		entry_free(e);
	}
	return r;
}

static int
parents_in_census(const char *ndn, struct grant_reach *to, void *arg)
{
	const struct looking *l = arg;
	struct entry *e;
	struct told key;
	uint32_t at = 0;
	int r = 0;

	while (r == 0 && !to->many && (r = census_parent_at(l->from->census, ndn, &at, key.id, &e)) == 0 && e != NULL) {
		if (l->count == 0 || bsearch(&key, l->told, l->count, sizeof key, compare_ids) == NULL)
			r = grant_reach_add(to, e, grant_hash(key.id, ENTRY_ID_SIZE));
		entry_free(e);
	}
	return r;
}

int
grant_reaches_find(const struct party_sources *from, const struct settings *settings, struct parties *p)
{
	grant_parents *more = from->changes->whole ? NULL : parents_in_census;
	struct looking l = { .from = from };
	bool prepared = false;
	int r = 0;

	for (size_t i = 0; i < p->count && r == 0; i++) {
		struct party *party = &p->list[i];

		if (party->e == NULL || !identity_is_group(party->e))
			continue;
		if (!prepared)
			r = list_told(&l);
		if (!prepared && r == 0)
			r = nest_told(&l);
		prepared = true;
		if (r == 0)
			r = grant_nesting_reach(&l.nesting, party->e, settings, more, &l, &party->reach);
	}
	grant_nesting_done(&l.nesting);
	free(l.told);
	return r;
}

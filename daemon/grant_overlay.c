/*
 * grant_overlay.c - groups as grants make them (see grant_book_parts.h).
 *
 * Directory process, on its loop. The directory's own entry of such a group is kept, since the census has another
 * one.
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/grant_book_parts.h"

struct pair {
	const struct party *group;
	char *member;			/* borrowed */
};

static int
compare_pairs(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int r = memcmp(x->group->id, y->group->id, ENTRY_ID_SIZE);

	return r != 0 ? r : strcmp(x->member, y->member);
}

/* The run of pairs of one group. Returns 0 or -ENOMEM. */
static int
add_overlay(struct grant_state *s, const struct pair *run, size_t count)
{
	struct grant_overlay *o = &s->overlays[s->overlay_count];
	struct party_base *base = &s->bases[s->overlay_count];

	o->members = calloc(count, sizeof *o->members);
	if (o->members == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		if (o->count == 0 || strcmp(o->members[o->count - 1], run[i].member) != 0)
			o->members[o->count++] = run[i].member;
	memcpy(base->id, run[0].group->id, ENTRY_ID_SIZE);
	base->e = entry_ref(run[0].group->e);
	base->gone = run[0].group->gone;
	s->overlay_count++;
	return 0;
}

int
grant_overlays_make(struct grant_state *s, const struct parties *parties)
{
	struct pair *pairs = calloc(s->count + 1, sizeof *pairs);
	size_t count = 0, end;
	int r = 0;

	s->bases = calloc(s->count + 1, sizeof *s->bases);
	s->overlays = calloc(s->count + 1, sizeof *s->overlays);
	if (pairs == NULL || s->bases == NULL || s->overlays == NULL)
		r = -ENOMEM;
	for (size_t i = 0; i < s->count && r == 0; i++) {
		const struct grant *g = &s->list[i].slot->g;

		if (s->list[i].active)
			pairs[count++] = (struct pair){ parties_get(parties, g->group), g->member };
	}
	if (count > 0)
		qsort(pairs, count, sizeof *pairs, compare_pairs);
	for (size_t i = 0; i < count && r == 0; i = end) {
		for (end = i + 1; end < count && memcmp(pairs[end].group->id, pairs[i].group->id, ENTRY_ID_SIZE) == 0;)
			end++;
		r = add_overlay(s, &pairs[i], end - i);
	}
	free(pairs);
	return r;
}

static int
compare_base(const void *id, const void *base)
{
	return memcmp(id, ((const struct party_base *)base)->id, ENTRY_ID_SIZE);
}

/* Where a group stands in a state; its overlay_count: nowhere. */
static size_t
find_base(const struct grant_state *s, const uint8_t id[ENTRY_ID_SIZE])
{
	const struct party_base *at = s->overlay_count == 0 ? NULL :
	    bsearch(id, s->bases, s->overlay_count, sizeof *s->bases, compare_base);

	return at != NULL ? (size_t)(at - s->bases) : s->overlay_count;
}

static bool
is_same(const struct grant_state *a, size_t i, const struct grant_state *b, size_t k)
{
	if (a->bases[i].e != b->bases[k].e || a->bases[i].gone != b->bases[k].gone ||
	    a->overlays[i].count != b->overlays[k].count)
		return false;
	for (size_t m = 0; m < a->overlays[i].count; m++)
		if (strcmp(a->overlays[i].members[m], b->overlays[k].members[m]) != 0)
			return false;
	return true;
}

int
grant_overlays_tell(const struct grant_state *before, const struct grant_state *now, const struct parties *parties,
    struct entry_changes *changes)
{
	int r = 0;

	for (size_t i = 0; i < now->overlay_count && r == 0; i++) {
		const struct party_base *base = &now->bases[i];
		size_t had = find_base(before, base->id);
		struct entry *e;

		if (!changes->whole && !parties_changed(parties, base->id) && had < before->overlay_count &&
		    is_same(before, had, now, i))
			continue;
		e = grant_add_members(base->e, now->overlays[i].members, now->overlays[i].count);
		r = e != NULL ? entry_changes_add(changes, base->id, e, base->gone) : -ENOMEM;
		entry_free(e);
	}
	for (size_t i = 0; i < before->overlay_count && r == 0 && !changes->whole; i++) {
		const struct party_base *base = &before->bases[i];

		if (find_base(now, base->id) == now->overlay_count && !parties_changed(parties, base->id))
			r = entry_changes_add(changes, base->id, base->e, base->gone);
	}
	return r;
}

void
grant_overlays_done(struct grant_state *s)
{
	for (size_t i = 0; i < s->overlay_count; i++) {
		free(s->overlays[i].members);
		entry_free(s->bases[i].e);
	}
	free(s->overlays);
	free(s->bases);
	s->overlays = NULL;
	s->bases = NULL;
	s->overlay_count = 0;
}

/*
 * grant_list.c - which grants there are, by what changes say of entries (see grant_book_parts.h).
 *
 * Directory process, on its loop. It must never keep one whose entry has gone, or is another thing by now.
 */
#include <config.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/entry_place.h"
#include "daemon/grant_book_parts.h"

void
grant_slot_unref(struct grant_slot *s)
{
	if (s == NULL || --s->refs > 0)
		return;
	grant_done(&s->g);
	entry_free(s->e);
	free(s);
}

static int
compare_to_judged(const void *id, const void *judged)
{
	return memcmp(id, ((const struct grant_judged *)judged)->slot->id, ENTRY_ID_SIZE);
}

struct grant_judged *
grant_state_find(const struct grant_state *s, const uint8_t id[ENTRY_ID_SIZE])
{
	return s->count > 0 ? bsearch(id, s->list, s->count, sizeof *s->list, compare_to_judged) : NULL;
}

static struct grant_slot *
slot_new(const uint8_t id[ENTRY_ID_SIZE], struct entry *e)
{
	struct grant_slot *s = calloc(1, sizeof *s);
	int r;

	if (s == NULL)
		return NULL;
	s->refs = 1;
	memcpy(s->id, id, ENTRY_ID_SIZE);
	s->e = entry_ref(e);
	r = grant_read(e, &s->g, s->fault);
	if (r == -ENOMEM) {
		grant_slot_unref(s);
		return NULL;
	}
	s->readable = r == 0;
	return s;
}

/* A grant that was there, or one of the changes. */
struct found {
	uint8_t id[ENTRY_ID_SIZE];
	size_t told, last;		/* by which change, counted from 1; the last one of its id; 0: by none */
	struct grant_slot *slot;	/* one reference */
};

struct finding {
	struct found *list;		/* owned */
	size_t count, room;
};

/* s is owned then. */
static int
add_found(struct finding *f, struct grant_slot *s, size_t told)
{
	if (s == NULL)
		return -ENOMEM;
	if (f->count == f->room) {
		size_t room = f->room == 0 ? 16 : f->room * 2;
		struct found *bigger = reallocarray(f->list, room, sizeof *bigger);

		if (bigger == NULL) {
			grant_slot_unref(s);
			return -ENOMEM;
		}
		f->list = bigger;
		f->room = room;
	}
	f->list[f->count] = (struct found){ .told = told, .slot = s };
	memcpy(f->list[f->count++].id, s->id, ENTRY_ID_SIZE);
	return 0;
}

static int
compare_found(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	int r = memcmp(x->id, y->id, ENTRY_ID_SIZE);

	return r != 0 ? r : (x->told > y->told) - (x->told < y->told);
}

static int
compare_to_found(const void *id, const void *found)
{
	return memcmp(id, ((const struct found *)found)->id, ENTRY_ID_SIZE);
}

/* Every grant there may be; an entry that is not in memory is read once. */
static int
find_all(const struct grant_state *before, const struct entry_changes *changes, const char *nbase, struct finding *f)
{
	int r = 0;

	for (size_t i = 0; i < before->count && r == 0 && !changes->whole; i++) {
		before->list[i].slot->refs++;
		r = add_found(f, before->list[i].slot, 0);
	}
	for (size_t i = 0; i < changes->count && r == 0; i++) {
		const struct entry_change *change = &changes->list[i];
		struct entry *e;

		if (change->plain)
			continue;
		r = entry_changes_entry(changes, change, &e);
		if (r == 0 && e != NULL && !change->gone && grant_is(e) &&
		    entry_place_allows(e->ndn, nbase, ENTRY_GRANT))	/* else the census says that it is none */
			r = add_found(f, slot_new(change->id, e), i + 1);
		entry_free(e);
	}
	return r;
}

/* In order, and of each id what was told last, with the last change of it, be that a grant or not. */
static void
find_last(const struct entry_changes *changes, struct finding *f)
{
	size_t kept = 0;

	if (f->count == 0)
		return;
	qsort(f->list, f->count, sizeof *f->list, compare_found);
	for (size_t i = 0; i < f->count; i++) {
		if (kept > 0 && compare_to_found(f->list[i].id, &f->list[kept - 1]) == 0)
			grant_slot_unref(f->list[--kept].slot);
		f->list[kept++] = f->list[i];
	}
	f->count = kept;
	for (size_t i = 0; i < changes->count; i++) {
		struct found *one = bsearch(changes->list[i].id, f->list, kept, sizeof *f->list, compare_to_found);

		if (one != NULL)
			one->last = i + 1;
	}
}

int
grant_state_list(const struct grant_state *before, const struct entry_changes *changes, const char *nbase,
    struct grant_state *to)
{
	struct finding f = { 0 };
	int r = find_all(before, changes, nbase, &f);

	if (r == 0) {
		find_last(changes, &f);
		to->list = calloc(f.count + 1, sizeof *to->list);
		r = to->list != NULL ? 0 : -ENOMEM;
	}
	for (size_t i = 0; i < f.count; i++) {
		if (r == 0 && f.list[i].told == f.list[i].last)
			to->list[to->count++] = (struct grant_judged){ .slot = f.list[i].slot };
		else
			grant_slot_unref(f.list[i].slot);
	}
	free(f.list);
	return r;
}

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
#include <sys/types.h>

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
compare_judged(const void *a, const void *b)
{
	const struct grant_judged *x = a, *y = b;

	return memcmp(x->slot->id, y->slot->id, ENTRY_ID_SIZE);
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

/* s is owned then. */
static int
push_slot(struct grant_state *to, size_t *room, struct grant_slot *s)
{
	if (s == NULL)
		return -ENOMEM;
	if (to->count == *room) {
		size_t bigger_room = *room == 0 ? 16 : *room * 2;
		struct grant_judged *bigger = reallocarray(to->list, bigger_room, sizeof *bigger);

		if (bigger == NULL) {
			grant_slot_unref(s);
			return -ENOMEM;
		}
		to->list = bigger;
		*room = bigger_room;
	}
	to->list[to->count++] = (struct grant_judged){ .slot = s };
	return 0;
}

/* An id that is a grant's, or was, and the last change of it. */
struct last_change {
	uint8_t id[ENTRY_ID_SIZE];
	size_t at;			/* SIZE_MAX: none */
};

static int
compare_last(const void *a, const void *b)
{
	return memcmp(((const struct last_change *)a)->id, ((const struct last_change *)b)->id, ENTRY_ID_SIZE);
}

static struct last_change *
find_last(struct last_change *list, size_t count, const uint8_t id[ENTRY_ID_SIZE])
{
	struct last_change key;

	memcpy(key.id, id, ENTRY_ID_SIZE);
	return count > 0 ? bsearch(&key, list, count, sizeof key, compare_last) : NULL;
}

static bool
is_grant(const struct entry_change *change, const char *nbase)
{
	return change->e != NULL && !change->gone && grant_is(change->e) &&
	    entry_place_allows(change->e->ndn, nbase, ENTRY_GRANT);	/* else the census says that it is none */
}

/* Every id that matters, once. Returns how many, or -ENOMEM. */
static ssize_t
list_last(const struct grant_state *before, const struct entry_changes *changes, const char *nbase,
    struct last_change **ret)
{
	size_t count = before->count, kept = 0;
	struct last_change *list;

	for (size_t i = 0; i < changes->count; i++)
		count += is_grant(&changes->list[i], nbase);
	*ret = list = calloc(count + 1, sizeof *list);
	if (list == NULL)
		return -ENOMEM;
	for (count = 0; count < before->count; count++)
		memcpy(list[count].id, before->list[count].slot->id, ENTRY_ID_SIZE);
	for (size_t i = 0; i < changes->count; i++)
		if (is_grant(&changes->list[i], nbase))
			memcpy(list[count++].id, changes->list[i].id, ENTRY_ID_SIZE);
	if (count > 0)
		qsort(list, count, sizeof *list, compare_last);
	for (size_t i = 0; i < count; i++) {
		list[i].at = SIZE_MAX;
		if (kept == 0 || compare_last(&list[kept - 1], &list[i]) != 0)
			list[kept++] = list[i];
	}
	for (size_t i = 0; i < changes->count && kept > 0; i++) {
		struct last_change *last = find_last(list, kept, changes->list[i].id);

		if (last != NULL)
			last->at = i;
	}
	return (ssize_t)kept;
}

int
grant_state_list(const struct grant_state *before, const struct entry_changes *changes, const char *nbase,
    struct grant_state *to)
{
	struct last_change *last = NULL;
	ssize_t count = list_last(before, changes, nbase, &last);
	size_t room = 0;
	int r = count < 0 ? -ENOMEM : 0;

	for (size_t i = 0; i < before->count && r == 0 && !changes->whole; i++) {
		if (find_last(last, (size_t)count, before->list[i].slot->id)->at != SIZE_MAX)
			continue;
		before->list[i].slot->refs++;
		r = push_slot(to, &room, before->list[i].slot);
	}
	for (size_t i = 0; i < changes->count && r == 0; i++) {
		const struct entry_change *change = &changes->list[i];

		if (is_grant(change, nbase) && find_last(last, (size_t)count, change->id)->at == i)
			r = push_slot(to, &room, slot_new(change->id, change->e));
	}
	if (to->count > 0)
		qsort(to->list, to->count, sizeof *to->list, compare_judged);
	free(last);
	return r;
}

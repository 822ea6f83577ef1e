/*
 * entry_changes.c - lists of changed entries (see entry_changes.h). Directory process.
 */
#include <config.h>

#include "daemon/entry_changes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int
reserve(struct entry_changes *all, size_t more)
{
	size_t room = all->room == 0 ? 16 : all->room;
	struct entry_change *list;

	while (room - all->count < more)
		room *= 2;
	if (room == all->room)
		return 0;
	list = reallocarray(all->list, room, sizeof *list);
	if (list == NULL)
		return -ENOMEM;
	all->list = list;
	all->room = room;
	return 0;
}

int
entry_changes_add(struct entry_changes *all, const uint8_t id[ENTRY_ID_SIZE], struct entry *e, bool gone)
{
	return entry_changes_add_stored(all, id, e, ENTRY_NOWHERE, gone);
}

int
entry_changes_add_stored(struct entry_changes *all, const uint8_t id[ENTRY_ID_SIZE], struct entry *e,
    uint32_t number, bool gone)
{
	struct entry_change *change;

	if (reserve(all, 1) < 0)
		return -ENOMEM;
	change = &all->list[all->count++];
	*change = (struct entry_change){ .e = e != NULL ? entry_ref(e) : NULL, .number = number, .gone = gone };
	entry_heap_hold(all->heap, number);
	memcpy(change->id, id, ENTRY_ID_SIZE);
	return 0;
}

int
entry_changes_entry(const struct entry_changes *all, const struct entry_change *change, struct entry **ret)
{
	*ret = NULL;
	if (change->e == NULL && change->number != ENTRY_NOWHERE)
		return entry_heap_get(all->heap, change->number, true, ret);
	*ret = change->e != NULL ? entry_ref(change->e) : NULL;
	return 0;
}

int
entry_changes_join(struct entry_changes *all, struct entry_changes *later)
{
	if (later->whole || (all->count == 0 && !all->whole)) {
		entry_changes_done(all);
		*all = *later;
		*later = (struct entry_changes){ 0 };
		return 0;
	}
	if (reserve(all, later->count) < 0)
		return -ENOMEM;
	if (later->count > 0)
		memcpy(&all->list[all->count], later->list, later->count * sizeof *all->list);
	all->count += later->count;
	all->heap = later->heap;
	later->count = 0;		/* their entries are owned there now */
	entry_changes_done(later);
	return 0;
}

void
entry_changes_done(struct entry_changes *all)
{
	for (size_t i = 0; i < all->count; i++) {
		entry_free(all->list[i].e);
		entry_heap_drop(all->heap, all->list[i].number);
	}
	free(all->list);
	*all = (struct entry_changes){ 0 };
}

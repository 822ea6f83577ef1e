/*
 * replica_tell.c - what has become other in the replica, for the loop (see replica.h).
 *
 * Directory process, on the thread of the source. It must never leave out somebody who became another: what could not
 * be noted one by one is told as everything.
 */
#include <config.h>

#include <errno.h>

#include "daemon/replica_parts.h"

/* From here on it is in the heap, and in memory as long as those need it who are told. */
static int
tell(const struct replica *r, struct member *m, struct entry_changes *ret)
{
	int e;

	if (r->heap != NULL && m->number == ENTRY_NOWHERE)
		m->number = entry_heap_put(r->heap, m->e);	/* else it stays in memory */
	e = entry_changes_add_stored(ret, m->uuid, m->e, m->number, m->gone || m->leaves);
	if (e == 0)
		ret->list[ret->count - 1].plain = m->is_plain;
	if (e == 0 && m->number != ENTRY_NOWHERE) {
		entry_free(m->e);
		m->e = NULL;
	}
	return e;
}

static int
tell_everybody(const struct replica *r, struct entry_changes *ret)
{
	int e = 0;

	ret->whole = true;
	for (size_t i = 0; i < r->count && e == 0; i++)
		e = tell(r, r->list[i], ret);
	return e;
}

static int
tell_dirty(const struct replica *r, struct entry_changes *ret)
{
	int e = 0;

	for (size_t i = 0; i < r->dirty_count && e == 0; i++) {
		struct member *m = replica_find(r, r->dirty[i]);

		e = m != NULL ? tell(r, m, ret) : entry_changes_add(ret, r->dirty[i], NULL, false);
	}
	return e;
}

int
replica_changes(struct replica *r, struct entry_changes *ret)
{
	int e;

	ret->heap = r->heap;
	e = r->all_dirty ? tell_everybody(r, ret) : tell_dirty(r, ret);
	if (e < 0) {
		entry_changes_done(ret);
		r->all_dirty = true;
		return e;
	}
	for (size_t i = 0; i < r->dirty_count; i++) {
		struct member *m = replica_find(r, r->dirty[i]);

		if (m != NULL)
			m->dirty = false;
	}
	r->dirty_count = 0;
	r->all_dirty = false;
	return 0;
}

void
replica_tell_all(struct replica *r)
{
	r->all_dirty = true;
}

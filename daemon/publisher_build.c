/*
 * publisher_build.c - one pass over the accepted records to compare them with what is published, one to write them.
 *
 * Runs in the publisher. It must never publish a record that publisher_check() has not accepted, and never write when
 * nothing changed: each new file costs every process of the machine a mapping.
 */
#include <config.h>

#include "daemon/publisher_build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/publisher_groups.h"
#include "daemon/publisher_record.h"
#include "daemon/snapshot_write.h"

#define DIRTY_MAX 20000u	/* records; with more a base is cheaper than a delta */

struct builder {
	const struct publisher_build_in *in;
	struct publisher_groups groups;
	struct publisher_making making;
	struct publisher_record record;		/* scratch */
};

/* A gid that left the list is not seen by asking the snapshot for those that are on it. */
static bool
are_same_gids(const struct publisher_build_out *before, const struct publisher_groups *groups)
{
	return before->local_gid_count == groups->gid_count &&
	    memcmp(before->local_gids, groups->gids, groups->gid_count * sizeof *groups->gids) == 0;
}

static bool
is_published_header(const struct builder *b)
{
	const struct publisher_build_in *in = b->in;
	const struct snapshot *s = in->previous;

	if (s->base == NULL || snapshot_enumerable(s) != in->settings->nss_enumerate ||
	    strcmp(snapshot_contact(s), in->settings->login_contact) != 0 ||
	    (in->before != NULL && !are_same_gids(in->before, &b->groups)))
		return false;
	for (unsigned i = 0; i < b->groups.gid_count; i++) {
		if (!snapshot_local_gid(s, b->groups.gids[i]))
			return false;
	}
	return true;
}

/* ---- writing ---- */

static bool
is_accepted(const struct record *r)
{
	return r != NULL && (r->bits & RECORD_ACCEPTED) != 0;
}

static int
add_records(struct builder *b, struct snapshot_builder *to)
{
	const struct register_table *tables = b->in->book->tables;
	int r = 0;

	for (uint32_t i = 0; r >= 0 && i < tables[REGISTER_GROUPS].end; i++) {
		const struct record *g = tables[REGISTER_GROUPS].list[i];

		if (is_accepted(g))
			r = snapshot_builder_add_group(to, g->id, record_name(g, REGISTER_GROUPS));
	}
	for (uint32_t i = 0; r >= 0 && i < tables[REGISTER_USERS].end; i++) {
		const struct publisher_record *u = &b->record;

		if (!is_accepted(tables[REGISTER_USERS].list[i]))
			continue;
		publisher_record_make(&b->making, record_user(tables[REGISTER_USERS].list[i]), &b->record);
		r = snapshot_builder_add_user(to, u->user.uid, u->user.gid, u->user.name, u->gecos, u->user.home, u->shell,
		    u->gids, u->gid_count);
	}
	return r;
}

static int
write_snapshot(struct builder *b, uint64_t generation)
{
	const struct settings *settings = b->in->settings;
	struct snapshot_header_in header = {
		.generation = generation,
		.created_utc_sec = b->in->now_utc_sec,
		.valid_until_utc_sec = b->in->confirmed_utc_sec + settings->nss_valid_for,
		.enumerate = settings->nss_enumerate,
		.contact = settings->login_contact,
		.local_gid_count = b->groups.gid_count,
		.local_gids = b->groups.gids,
	};
	struct snapshot_builder *to = snapshot_builder_new();
	int r;

	if (to == NULL)
		return -ENOMEM;
	r = add_records(b, to);
	if (r >= 0)
		r = snapshot_builder_publish(to, b->in->paths->nss, &header);
	snapshot_builder_free(to);
	return r;
}

bool
publisher_build_is_due(const struct snapshot *published, const struct settings *settings, int64_t confirmed_utc_sec)
{
	int64_t valid_for_sec = settings->nss_valid_for, until_sec, fresh_until_sec = confirmed_utc_sec + valid_for_sec;

	if (published->base == NULL)
		return true;
	until_sec = snapshot_valid_until_utc_sec(published);
	return until_sec > fresh_until_sec + 1 || fresh_until_sec - until_sec >= valid_for_sec / 2;
}

void
publisher_build(const struct publisher_build_in *in, struct publisher_build_out *ret)
{
	struct builder *b = calloc(1, sizeof *b);

	*ret = (struct publisher_build_out){ .generation = in->generation_seen };
	if (b == NULL) {
		ret->error = -ENOMEM;
		return;
	}
	b->in = in;
	publisher_groups_init(in->policy, in->local, &b->groups);
	memcpy(ret->local_gids, b->groups.gids, sizeof ret->local_gids);
	ret->local_gid_count = b->groups.gid_count;
	ret->local_left_out = b->groups.left_out;
	b->making = (struct publisher_making){ .book = in->book, .settings = in->settings, .groups = &b->groups };
	ret->changed = publisher_dirty_find(in->judging, &b->making, in->previous, DIRTY_MAX, in->dirty) ||
	    !is_published_header(b);
	if (ret->changed || in->is_gone || in->before == NULL || in->before->error < 0 ||
	    publisher_build_is_due(in->previous, in->settings, in->confirmed_utc_sec)) {
		ret->error = write_snapshot(b, ret->generation + 1);
		ret->written = ret->error >= 0;
		ret->generation += ret->written;
		if (ret->written)
			publisher_dirty_clear(in->dirty);
	}
	free(b);
}

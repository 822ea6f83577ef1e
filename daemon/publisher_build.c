/*
 * publisher_build.c - compares what is accepted with what is published, and writes what differs.
 *
 * Runs in the publisher. It must never publish a record that publisher_check() has not accepted, and never write when
 * nothing changed: each new file costs every process of the machine a mapping.
 */
#include <config.h>

#include "daemon/publisher_build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/loop.h"
#include "daemon/publisher_compact.h"
#include "daemon/publisher_write.h"

#define DIRTY_MAX 20000u	/* records; with more a base is cheaper than a delta */

struct builder {
	const struct publisher_build_in *in;
	struct publisher_header header;
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
	    (in->before != NULL && !are_same_gids(in->before, &b->header.groups)))
		return false;
	for (unsigned i = 0; i < b->header.groups.gid_count; i++) {
		if (!snapshot_local_gid(s, b->header.groups.gids[i]))
			return false;
	}
	return true;
}

/* ---- writing ---- */

void
publisher_build_header(const struct publisher_build_in *in, uint64_t generation, struct publisher_header *ret)
{
	publisher_groups_init(in->policy, in->local, &ret->groups);
	ret->making = (struct publisher_making){ .book = in->book, .settings = in->settings, .groups = &ret->groups };
	ret->header = (struct snapshot_header_in){
		.generation = generation,
		.created_utc_sec = in->now_utc_sec,
		.valid_until_utc_sec = in->confirmed_utc_sec + in->settings->nss_valid_for,
		.enumerate = in->settings->nss_enumerate,
		.contact = in->settings->login_contact,
		.local_gid_count = ret->groups.gid_count,
		.local_gids = ret->groups.gids,
	};
}

/*
 * Whether a delta will do: not for a small base, which costs no more; nor where it is not known what the base has, or
 * where a local gid went, which users of the base may have.
 */
static bool
delta_will_do(const struct builder *b)
{
	const struct publisher_build_in *in = b->in;

	return in->previous->base != NULL && in->previous->size >= in->delta_from_bytes && !in->is_gone && !in->dirty->all &&
	    in->before != NULL && are_same_gids(in->before, &b->header.groups);
}

static int
write_delta(struct builder *b)
{
	struct snapshot_builder *to;
	int r;

	r = publisher_write_delta(&b->header.making, b->in->previous, b->in->dirty, &to);
	if (r < 0)
		return r;
	r = snapshot_builder_publish(to, b->in->paths->nss, &b->header.header);
	snapshot_builder_free(to);
	return r;
}

static int
write_base(struct builder *b)
{
	struct snapshot_builder *to;
	int r;

	if (b->in->compact != NULL)
		publisher_compact_cancel(b->in->compact);	/* it writes under the same name */
	loop_alive();
	r = publisher_write_base(&b->header.making, &to);
	if (r < 0)
		return r;
	loop_alive();
	r = snapshot_builder_publish(to, b->in->paths->nss, &b->header.header);
	snapshot_builder_free(to);
	if (r >= 0)
		publisher_dirty_clear(b->in->dirty);
	if (r >= 0 && b->in->compact != NULL)
		b->in->compact->delta_bytes = 0;
	return r;
}

/* Out of room, or of memory: a base needs more of it. */
static bool
is_shortage(int error)
{
	return error == -ENOSPC || error == -EDQUOT || error == -ENOMEM || error == -EROFS;
}

static void
write_snapshot(struct builder *b, struct publisher_build_out *ret)
{
	int r = -ESTALE;

	if (delta_will_do(b)) {
		r = write_delta(b);
		ret->is_delta = r >= 0;
	}
	if (r < 0 && !is_shortage(r))
		r = write_base(b);
	ret->error = r < 0 ? r : 0;
	ret->written = r >= 0;
	ret->generation += ret->written;
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
	publisher_build_header(in, ret->generation + 1, &b->header);
	memcpy(ret->local_gids, b->header.groups.gids, sizeof ret->local_gids);
	ret->local_gid_count = b->header.groups.gid_count;
	ret->local_left_out = b->header.groups.left_out;
	ret->changed = publisher_dirty_find(in->judging, &b->header.making, in->previous, DIRTY_MAX, in->dirty,
	    in->compact != NULL && in->compact->pid > 0 ? &in->compact->since : NULL) ||
	    !is_published_header(b);
	if (ret->changed || in->is_gone || in->before == NULL || in->before->error < 0 ||
	    publisher_build_is_due(in->previous, in->settings, in->confirmed_utc_sec))
		write_snapshot(b, ret);
	free(b);
}

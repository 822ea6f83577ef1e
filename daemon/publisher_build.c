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
#include "daemon/snapshot_write.h"

/* gids of accepted groups, ascending */
struct gids {
	uint32_t *list;		/* owned */
	uint32_t count;
};

#define GIDS_MAX (ROSTER_USER_GROUPS_MAX + SNAPSHOT_LOCAL_GIDS_MAX)

struct builder {
	const struct publisher_build_in *in;
	const struct publisher_check *check;
	const struct publisher_groups *groups;
	struct gids accepted;
};

/* A user as it is published. */
struct record {
	const struct roster_user *user;
	const char *shell;
	char gecos[PUBLISHER_GECOS_MAX + 1];
	uint32_t gids[GIDS_MAX];	/* sorted, each once, without the primary one */
	uint32_t gid_count;
};

static int
compare_gid(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int
collect_gids(struct builder *b)
{
	b->accepted.list = calloc((size_t)b->check->group_count + 1, sizeof *b->accepted.list);
	if (b->accepted.list == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < roster_group_count(b->in->roster); i++)
		if (b->check->groups[i])
			b->accepted.list[b->accepted.count++] = roster_group_at(b->in->roster, i)->gid;
	if (b->accepted.count > 1)
		qsort(b->accepted.list, b->accepted.count, sizeof *b->accepted.list, compare_gid);
	return 0;
}

static void
fill_gids(const struct builder *b, struct record *to)
{
	const struct roster_user *u = to->user;
	uint32_t count = 0, kept = 0;

	for (uint32_t i = 0; i < u->group_count && count < ROSTER_USER_GROUPS_MAX; i++) {
		if (b->accepted.count > 0 && bsearch(&u->groups[i], b->accepted.list, b->accepted.count,
		    sizeof *b->accepted.list, compare_gid) != NULL)
			to->gids[count++] = u->groups[i];
	}
	count += publisher_groups_of(b->groups, u, to->gids + count);
	if (count > 1)
		qsort(to->gids, count, sizeof *to->gids, compare_gid);
	for (uint32_t i = 0; i < count; i++) {
		if (to->gids[i] != u->gid && (kept == 0 || to->gids[kept - 1] != to->gids[i]))
			to->gids[kept++] = to->gids[i];
	}
	to->gid_count = kept;
}

static void
fill_record(const struct builder *b, uint32_t index, struct record *to)
{
	to->user = roster_user_at(b->in->roster, index);
	to->shell = publisher_shell(to->user->shell, b->in->settings->nss_shells);
	(void)publisher_gecos(to->user->gecos, to->gecos);
	fill_gids(b, to);
}

/* Whether a user is published exactly so. */
static bool
is_published_user(const struct snapshot *s, const struct record *r)
{
	const struct roster_user *u = r->user;
	struct snapshot_user had;
	uint32_t gids[GIDS_MAX];

	if (snapshot_find_user(s, u->name, &had) != 1 || had.uid != u->uid || had.gid != u->gid ||
	    had.group_count != r->gid_count || strcmp(had.gecos, r->gecos) != 0 || strcmp(had.home, u->home) != 0 ||
	    strcmp(had.shell, r->shell) != 0)
		return false;
	if (snapshot_user_gids(s, &had, gids) != 1)
		return false;
	return memcmp(gids, r->gids, had.group_count * sizeof *gids) == 0;
}

static bool
is_published_header(const struct builder *b)
{
	const struct settings *settings = b->in->settings;
	const struct snapshot *s = b->in->previous;

	if (s->base == NULL || snapshot_user_count(s) != b->check->user_count ||
	    snapshot_group_count(s) != b->check->group_count || snapshot_enumerable(s) != settings->nss_enumerate ||
	    strcmp(snapshot_contact(s), settings->login_contact) != 0)
		return false;
	for (unsigned i = 0; i < b->groups->gid_count; i++) {
		if (!snapshot_local_gid(s, b->groups->gids[i]))
			return false;
	}
	return true;
}

/* Whether what is published is exactly what would be. */
static bool
is_published(const struct builder *b, struct record *scratch)
{
	const struct snapshot *s = b->in->previous;
	struct snapshot_group had;

	if (!is_published_header(b))
		return false;
	for (uint32_t i = 0; i < roster_group_count(b->in->roster); i++) {
		const struct roster_group *g = roster_group_at(b->in->roster, i);

		if (b->check->groups[i] && (snapshot_find_group(s, g->name, &had) != 1 || had.gid != g->gid))
			return false;
	}
	for (uint32_t i = 0; i < b->check->user_count; i++) {
		fill_record(b, b->check->users[i], scratch);
		if (!is_published_user(s, scratch))
			return false;
	}
	return true;
}

static int
add_records(const struct builder *b, struct snapshot_builder *to, struct record *scratch)
{
	int r = 0;

	for (uint32_t i = 0; r >= 0 && i < roster_group_count(b->in->roster); i++) {
		const struct roster_group *g = roster_group_at(b->in->roster, i);

		if (b->check->groups[i])
			r = snapshot_builder_add_group(to, g->gid, g->name);
	}
	for (uint32_t i = 0; r >= 0 && i < b->check->user_count; i++) {
		const struct roster_user *u;

		fill_record(b, b->check->users[i], scratch);
		u = scratch->user;
		r = snapshot_builder_add_user(to, u->uid, u->gid, u->name, scratch->gecos, u->home, scratch->shell,
		    scratch->gids, scratch->gid_count);
	}
	return r;
}

static int
write_snapshot(const struct builder *b, uint64_t generation, struct record *scratch)
{
	const struct settings *settings = b->in->settings;
	struct snapshot_header_in header = {
		.generation = generation,
		.created_utc_sec = b->in->now_utc_sec,
		.valid_until_utc_sec = b->in->confirmed_utc_sec + settings->nss_valid_for,
		.enumerate = settings->nss_enumerate,
		.contact = settings->login_contact,
		.local_gid_count = b->groups->gid_count,
		.local_gids = b->groups->gids,
	};
	struct snapshot_builder *to = snapshot_builder_new();
	int r;

	if (to == NULL)
		return -ENOMEM;
	r = add_records(b, to, scratch);
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

/* A gid that left the list is not seen by asking the snapshot for those that are on it. */
static bool
are_same_gids(const struct publisher_build_out *before, const struct publisher_groups *groups)
{
	return before->local_gid_count == groups->gid_count &&
	    memcmp(before->local_gids, groups->gids, groups->gid_count * sizeof *groups->gids) == 0;
}

int
publisher_build(const struct publisher_build_in *in, const struct local_accounts *local,
    struct publisher_build_out *ret)
{
	struct publisher_groups groups;
	struct builder b = { .in = in, .check = &ret->check, .groups = &groups };
	struct record *scratch = malloc(sizeof *scratch);
	int r;

	*ret = (struct publisher_build_out){ .generation = in->generation_seen };
	if (scratch == NULL)
		return -ENOMEM;
	r = publisher_check(in->roster, in->settings, local, in->previous->base != NULL ? in->previous : NULL,
	    &ret->check);
	if (r >= 0)
		r = collect_gids(&b);
	if (r < 0)
		goto out;
	publisher_groups_init(in->policy, local, &groups);
	memcpy(ret->local_gids, groups.gids, sizeof ret->local_gids);
	ret->local_gid_count = groups.gid_count;
	ret->local_left_out = groups.left_out;
	ret->changed = !is_published(&b, scratch) || (in->before != NULL && !are_same_gids(in->before, &groups));
	if (ret->changed || in->is_gone || in->before == NULL || in->before->error < 0 ||
	    publisher_build_is_due(in->previous, in->settings, in->confirmed_utc_sec)) {
		ret->error = write_snapshot(&b, ret->generation + 1, scratch);
		ret->written = ret->error >= 0;
		ret->generation += ret->written;
	}
out:
	if (r < 0)
		publisher_check_done(&ret->check);
	free(b.accepted.list);
	free(scratch);
	return r;
}

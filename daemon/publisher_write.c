/*
 * publisher_write.c - see publisher_write.h.
 *
 * Runs in the publisher. It must never write a record that is not accepted. A group's members stand by name in its
 * record: whoever has another name or is gone touches all groups he was in, whoever else those that he joins or leaves.
 */
#include <config.h>

#include "daemon/publisher_write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool
is_accepted(const struct record *r)
{
	return r != NULL && (r->bits & RECORD_ACCEPTED) != 0;
}

static int
add_user(const struct publisher_making *m, struct snapshot_builder *to, const struct user_record *user,
    struct publisher_record *scratch)
{
	const struct roster_user *u = &scratch->user;

	publisher_record_make(m, user, scratch);
	return snapshot_builder_add_user(to, u->uid, u->gid, u->name, scratch->gecos, u->home, scratch->shell, scratch->gids,
	    scratch->gid_count);
}

static int
fill_base(const struct publisher_making *m, struct snapshot_builder *to, struct publisher_record *scratch)
{
	const struct register_table *groups = &m->book->tables[REGISTER_GROUPS], *users = &m->book->tables[REGISTER_USERS];
	int r = 0;

	for (uint32_t i = 0; r >= 0 && i < groups->end; i++)
		if (is_accepted(groups->list[i]))
			r = snapshot_builder_add_group(to, groups->list[i]->id, record_name(groups->list[i], REGISTER_GROUPS));
	for (uint32_t i = 0; r >= 0 && i < users->end; i++)
		if (is_accepted(users->list[i]))
			r = add_user(m, to, record_user(users->list[i]), scratch);
	return r;
}

int
publisher_write_base(const struct publisher_making *m, struct snapshot_builder **ret)
{
	struct publisher_record *scratch = malloc(sizeof *scratch);
	struct snapshot_builder *to = snapshot_builder_new();
	int r = -ENOMEM;

	if (scratch != NULL && to != NULL)
		r = fill_base(m, to, scratch);
	free(scratch);
	if (r < 0) {
		snapshot_builder_free(to);
		return r;
	}
	*ret = to;
	return 0;
}

/* ---- a delta ---- */

struct writing {
	const struct publisher_making *m;
	struct snapshot base;			/* without a delta */
	const struct publisher_dirty *dirty;
	struct id_set groups;			/* owned; gids of groups that the delta has */
	struct snapshot_builder *to;
	struct publisher_record record;		/* scratch */
	uint32_t had[PUBLISHER_GIDS_MAX];	/* scratch */
};

/* A group whose members change, if it is one: a local gid has none. */
static int
touch(struct writing *w, uint32_t gid)
{
	struct snapshot_group group;
	int r;

	if (!id_set_has(&w->m->book->gids, gid) && snapshot_find_gid(&w->base, gid, &group) != 1)
		return 0;
	r = id_set_add(&w->groups, gid);
	return r < 0 ? r : 0;
}

/* Touch the groups in one of two ascending lists and, unless all, not in the other. */
static int
touch_difference(struct writing *w, const uint32_t *a, uint32_t a_count, const uint32_t *b, uint32_t b_count, bool all)
{
	uint32_t i = 0, k = 0;
	int r = 0;

	while (r >= 0 && (i < a_count || k < b_count)) {
		if (k == b_count || (i < a_count && a[i] < b[k]))
			r = touch(w, a[i++]);
		else if (i == a_count || b[k] < a[i])
			r = touch(w, b[k++]);
		else {
			r = all ? touch(w, a[i]) : 0;
			i++;
			k++;
		}
	}
	return r;
}

/* Hide what the base shows under a uid, and touch the groups whose members change. */
static int
hide_user(struct writing *w, uint32_t uid)
{
	const struct user_record *u = register_user_by_uid(w->m->book, uid);
	struct snapshot_user had;
	uint32_t had_count = 0;
	bool renamed = true;
	int r;

	r = snapshot_find_uid(&w->base, uid, &had);
	if (r < 0 || (r == 1 && (had.group_count > PUBLISHER_GIDS_MAX || snapshot_user_gids(&w->base, &had, w->had) != 1)))
		return -EBADMSG;
	if (r == 1) {
		had_count = had.group_count;
		renamed = u == NULL || strcmp(had.name, u->text) != 0;
		r = snapshot_builder_hide_user(w->to, uid);
		if (r < 0)
			return r;
	}
	w->record.gid_count = 0;
	if (u != NULL)
		publisher_record_make(w->m, u, &w->record);
	return touch_difference(w, w->had, had_count, w->record.gids, w->record.gid_count, renamed);
}

static int
hide(struct writing *w)
{
	uint32_t at = 0, id;
	int r = 0;

	while (r >= 0 && (id = id_set_next(&w->dirty->ids[REGISTER_GROUPS], &at)) != 0)
		r = touch(w, id);
	at = 0;
	while (r >= 0 && (id = id_set_next(&w->dirty->ids[REGISTER_USERS], &at)) != 0)
		r = hide_user(w, id);
	at = 0;
	while (r >= 0 && (id = id_set_next(&w->groups, &at)) != 0)
		r = snapshot_builder_hide_group(w->to, id);
	return r;
}

static int
add(struct writing *w)
{
	uint32_t at = 0, id;
	int r = 0;

	while (r >= 0 && (id = id_set_next(&w->groups, &at)) != 0) {
		const struct group_record *g = register_group_by_gid(w->m->book, id);

		if (g == NULL)
			continue;
		r = snapshot_builder_add_group(w->to, id, g->text);
		if (r >= 0)
			r = snapshot_builder_keep_members(w->to, id);
	}
	at = 0;
	while (r >= 0 && (id = id_set_next(&w->dirty->ids[REGISTER_USERS], &at)) != 0) {
		const struct user_record *u = register_user_by_uid(w->m->book, id);

		if (u != NULL)
			r = add_user(w->m, w->to, u, &w->record);
	}
	return r;
}

int
publisher_write_delta(const struct publisher_making *m, const struct snapshot *base,
    const struct publisher_dirty *dirty, struct snapshot_builder **ret)
{
	struct writing *w = calloc(1, sizeof *w);
	int r = -ENOMEM;

	if (w == NULL)
		return r;
	w->m = m;
	w->base = (struct snapshot){ .base = base->base, .size = base->size };
	w->dirty = dirty;
	w->groups.salt = dirty->ids[REGISTER_GROUPS].salt;
	w->to = snapshot_builder_new_delta(&w->base);
	if (w->to != NULL)
		r = hide(w);
	if (r >= 0)
		r = add(w);
	if (r < 0)
		snapshot_builder_free(w->to);
	else
		*ret = w->to;
	id_set_done(&w->groups);
	free(w);
	return r < 0 ? r : 0;
}

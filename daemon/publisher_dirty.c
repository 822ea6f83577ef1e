/*
 * publisher_dirty.c - see publisher_dirty.h.
 *
 * Runs in the publisher. It must never leave out somebody who differs: without memory, or with very many, it says that
 * everything does.
 */
#include <config.h>

#include "daemon/publisher_dirty.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#define LOOKS_MAX 100000u

struct finding {
	const struct judging *judging;
	const struct publisher_making *m;
	const struct snapshot *published;
	struct publisher_dirty *d, *also;
	uint32_t limit;
	bool differs;
	struct publisher_record record;		/* scratch */
};

int
publisher_dirty_init(struct publisher_dirty *d)
{
	*d = (struct publisher_dirty){ .all = false };
	for (enum register_kind kind = 0; kind < REGISTER_KINDS; kind++)
		if (getrandom(&d->ids[kind].salt, sizeof d->ids[kind].salt, 0) != (ssize_t)sizeof d->ids[kind].salt)
			return -EIO;
	return 0;
}

void
publisher_dirty_clear(struct publisher_dirty *d)
{
	for (enum register_kind kind = 0; kind < REGISTER_KINDS; kind++)
		id_set_done(&d->ids[kind]);
	d->all = false;
}

void
publisher_dirty_done(struct publisher_dirty *d)
{
	publisher_dirty_clear(d);
}

uint32_t
publisher_dirty_count(const struct publisher_dirty *d)
{
	return d->ids[REGISTER_USERS].count + d->ids[REGISTER_GROUPS].count;
}

/* Everything differs, or may: no need to remember more. */
static void
all_dirty(struct publisher_dirty *d)
{
	publisher_dirty_clear(d);
	d->all = true;
}

static void
add(struct publisher_dirty *d, enum register_kind kind, uint32_t id, uint32_t limit)
{
	if (!d->all && (id_set_add(&d->ids[kind], id) < 0 || publisher_dirty_count(d) > limit))
		all_dirty(d);
}

/* Somebody differs. */
static void
note(struct finding *f, enum register_kind kind, uint32_t id)
{
	f->differs = true;
	add(f->d, kind, id, f->limit);
	if (f->also != NULL)
		add(f->also, kind, id, f->limit);
}

/* ---- one by one ---- */

/* Compare what is accepted under a uid, if anybody is, with what is published under it. */
static void
compare_user(struct finding *f, uint32_t uid)
{
	const struct user_record *u = register_user_by_uid(f->m->book, uid);
	struct snapshot_user had;
	bool same;

	if (u == NULL) {
		same = f->published->base == NULL || snapshot_find_uid(f->published, uid, &had) == 0;
	} else {
		publisher_record_make(f->m, u, &f->record);
		same = publisher_record_is_in(&f->record, f->published);
	}
	if (same)
		return;
	note(f, REGISTER_USERS, uid);
}

static void
compare_group(struct finding *f, uint32_t gid)
{
	const struct group_record *g = register_group_by_gid(f->m->book, gid);
	struct snapshot_group had;
	bool same = g == NULL ? f->published->base == NULL || snapshot_find_gid(f->published, gid, &had) == 0 :
	    publisher_group_is_in(&g->r, f->published);

	if (same)
		return;
	note(f, REGISTER_GROUPS, gid);
}

/* ---- after an edit ---- */

/* How many of the edited users list a gid. */
static uint32_t
count_listing(struct finding *f, uint32_t gid)
{
	const struct edit_part *part = &f->judging->edit->parts[REGISTER_USERS];
	struct roster_user user;
	uint32_t count = 0;

	for (uint32_t i = 0; i < part->put_count; i++) {
		user_record_read(record_user(register_at(f->m->book, REGISTER_USERS, part->at[i])), &f->record.lists, &user);
		for (uint32_t k = 0; k < user.group_count; k++)
			count += user.groups[k] == gid;
	}
	return count;
}

/* Whether users that were not edited list a group that came or went: mostly the directory says both at once. */
static bool
others_list(struct finding *f)
{
	const struct judge_list *gids = &f->judging->touched[REGISTER_GROUPS];
	struct snapshot_group had;

	/* To look at everybody is cheaper then. */
	if (f->judging->edit != NULL && (uint64_t)gids->count * f->judging->edit->parts[REGISTER_USERS].put_count > LOOKS_MAX)
		return true;
	for (uint32_t i = 0; i < gids->count; i++) {
		uint32_t gid = gids->list[i], claims = register_claims(f->m->book, gid);
		bool is = id_set_has(&f->m->book->gids, gid);
		bool was = f->published->base != NULL && snapshot_find_gid(f->published, gid, &had) == 1;

		if (is != was && claims > 0 && (f->judging->edit == NULL || claims != count_listing(f, gid)))
			return true;
	}
	return false;
}

static void
find_touched(struct finding *f)
{
	const struct judge_list *touched = f->judging->touched;

	for (uint32_t i = 0; i < touched[REGISTER_GROUPS].count; i++)
		compare_group(f, touched[REGISTER_GROUPS].list[i]);
	for (uint32_t i = 0; i < touched[REGISTER_USERS].count; i++)
		compare_user(f, touched[REGISTER_USERS].list[i]);
}

/* ---- everything ---- */

static bool
is_accepted(const struct record *r)
{
	return r != NULL && (r->bits & RECORD_ACCEPTED) != 0;
}

/* Whoever is published and is accepted no more. */
static void
find_gone(struct finding *f)
{
	struct snapshot_group group;
	struct snapshot_user user;
	uint64_t at = 0;

	while (!f->d->all && snapshot_next_group(f->published, &at, &group) == 1)
		if (register_group_by_gid(f->m->book, group.gid) == NULL)
			compare_group(f, group.gid);
	at = 0;
	while (!f->d->all && snapshot_next_user(f->published, &at, &user) == 1)
		if (register_user_by_uid(f->m->book, user.uid) == NULL)
			compare_user(f, user.uid);
}

static void
find_all(struct finding *f)
{
	const struct register_table *tables = f->m->book->tables;
	const struct register_table *groups = &tables[REGISTER_GROUPS], *users = &tables[REGISTER_USERS];

	/* Whoever knows that everything differs has to compare no more. */
	for (uint32_t i = 0; i < groups->end && !(f->differs && f->d->all); i++)
		if (is_accepted(groups->list[i]))
			compare_group(f, groups->list[i]->id);
	for (uint32_t i = 0; i < users->end && !(f->differs && f->d->all); i++)
		if (is_accepted(users->list[i]))
			compare_user(f, users->list[i]->id);
	if (f->published->base == NULL)
		return;
	if (snapshot_user_count(f->published) != users->accepted || snapshot_group_count(f->published) != groups->accepted ||
	    f->differs) {
		f->differs = true;
		find_gone(f);
	}
}

bool
publisher_dirty_find(const struct judging *judging, const struct publisher_making *m, const struct snapshot *published,
    uint32_t limit, struct publisher_dirty *d, struct publisher_dirty *also)
{
	struct finding *f = calloc(1, sizeof *f);
	bool differs;

	if (f == NULL) {
		all_dirty(d);
		if (also != NULL)
			all_dirty(also);
		return true;
	}
	*f = (struct finding){ .judging = judging, .m = m, .published = published, .d = d, .also = also,
		.limit = limit };
	if (judging->whole || others_list(f))
		find_all(f);
	else
		find_touched(f);
	differs = f->differs;
	free(f);
	return differs;
}

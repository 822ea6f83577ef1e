/*
 * publisher_judge.c - judges records against each other, a few or all of them (see publisher_judge.h).
 *
 * Runs in the publisher. An edit of a settled register is judged by looking at what is new, at those whom others kept out
 * so far, and at whoever has the same name or id: nobody else's verdict can change, since who is accepted holds what
 * he has. It must never leave a record accepted that judging all would refuse.
 */
#include <config.h>

#include "daemon/publisher_judge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct record *
at(const struct judging *j, enum register_kind kind, uint32_t number)
{
	return register_at(j->book, kind, number);
}

/* ---- room ---- */

static int
list_init(struct judge_list *l, uint64_t room)
{
	if (room >= REGISTER_NONE)
		return -ENOMEM;
	l->room = (uint32_t)room;
	l->list = calloc((size_t)room + 1, sizeof *l->list);
	return l->list == NULL ? -ENOMEM : 0;
}

static void
list_add(struct judge_list *l, uint32_t number)
{
	if (l->count < l->room)
		l->list[l->count++] = number;
}

static const struct edit_part *
part_of(const struct judging *j, enum register_kind kind)
{
	static const struct edit_part nothing;

	return j->edit == NULL ? &nothing : &j->edit->parts[kind];
}

/* Folders above a home, as far as they are ever counted: what has more is refused before. */
static size_t
outer_of(const char *home)
{
	size_t depth = homes_depth(home);

	return depth < HOMES_DEPTH_MAX ? depth : HOMES_DEPTH_MAX;
}

/* Folders above a home that the one before, mostly of the same folder, has not. */
static size_t
new_outer(const char *home, const char **before)
{
	const char *slash = strrchr(home, '/');
	size_t len = slash != NULL ? (size_t)(slash - home) : 0;
	bool same = *before != NULL && strncmp(*before, home, len) == 0 && strrchr(*before, '/') == *before + len;

	if (slash == NULL || slash[1] == '\0') {		/* the folder is not what stands before the last slash */
		*before = NULL;
		return outer_of(home);
	}
	*before = home;
	return same ? 0 : outer_of(home);
}

static int
reserve_homes(struct judging *j)
{
	const struct register_table *users = &j->book->tables[REGISTER_USERS];
	const struct edit_part *part = part_of(j, REGISTER_USERS);
	const char *before = NULL;
	size_t count = part->put_count, outer = 0;

	for (uint32_t i = 0; i < part->put_count; i++)
		outer += new_outer(user_record_home(record_user(part->puts[i])), &before);
	if (j->whole) {
		count += users->count;
		for (uint32_t i = 0; i < users->end; i++)
			if (users->list[i] != NULL)
				outer += new_outer(user_record_home(record_user(users->list[i])), &before);
		count -= j->book->homes.here.used < count ? j->book->homes.here.used : count;
	} else {
		count += users->contested_count;
		for (uint32_t i = 0; i < users->contested_count; i++) {
			const struct record *r = at(j, REGISTER_USERS, users->contested[i]);

			outer += r != NULL ? outer_of(user_record_home(record_user(r))) : 0;
		}
	}
	return homes_reserve(&j->book->homes, count, outer);
}

static int
reserve_kind(struct judging *j, enum register_kind kind)
{
	struct register_table *t = &j->book->tables[kind];
	const struct edit_part *part = part_of(j, kind);
	uint64_t puts = part->put_count, queue;
	int r;

	/* Of those that share a name or an id, at most one is neither new nor contested. */
	queue = j->whole ? t->count + puts : 3 * (puts + t->contested_count);

	if (t->contested == NULL) {
		t->contested = calloc(JUDGE_CONTESTED_MAX, sizeof *t->contested);
		if (t->contested == NULL)
			return -ENOMEM;
		t->contested_room = JUDGE_CONTESTED_MAX;
	}
	r = list_init(&j->queues[kind], queue);
	if (r == 0)
		r = list_init(&j->touched[kind], j->whole ? 0 : puts + part->drop_count + queue);
	return r;
}

int
publisher_judge_prepare(struct register_book *book, struct register_edit *edit, const struct judge_in *in,
    struct judging *ret)
{
	const struct register_table *users = &book->tables[REGISTER_USERS], *groups = &book->tables[REGISTER_GROUPS];
	struct judging *j = ret;
	uint64_t records = 0, past = users->count;
	int r;

	*j = (struct judging){ .book = book, .edit = edit, .in = *in };
	for (enum register_kind kind = 0; kind < REGISTER_KINDS; kind++)
		records += (uint64_t)part_of(j, kind)->put_count + part_of(j, kind)->drop_count;
	j->whole = !in->settled || in->all || records > JUDGE_EDIT_MAX || users->contested_count > JUDGE_CONTESTED_MAX ||
	    groups->contested_count > JUDGE_CONTESTED_MAX;
	if ((r = reserve_kind(j, REGISTER_GROUPS)) < 0 || (r = reserve_kind(j, REGISTER_USERS)) < 0 ||
	    (r = list_init(&j->fresh, j->queues[REGISTER_USERS].room)) < 0 || (r = reserve_homes(j)) < 0 ||
	    (r = tally_reserve(&j->newcomers, j->queues[REGISTER_USERS].room)) < 0 ||
	    (r = id_set_reserve(&book->gids, j->queues[REGISTER_GROUPS].room)) < 0)
		goto out;
	if (!j->whole)
		past = (uint64_t)part_of(j, REGISTER_USERS)->drop_count + part_of(j, REGISTER_USERS)->put_count +
		    j->queues[REGISTER_USERS].room;
	j->past_room = (uint32_t)past;
	j->past = calloc((size_t)past + 1, sizeof *j->past);
	r = j->past == NULL ? -ENOMEM : 0;
out:
	if (r < 0)
		publisher_judge_done(j);
	return r;
}

void
publisher_judge_done(struct judging *j)
{
	for (enum register_kind kind = 0; kind < REGISTER_KINDS; kind++) {
		free(j->queues[kind].list);
		free(j->touched[kind].list);
	}
	tally_done(&j->newcomers);
	free(j->fresh.list);
	free(j->past);
	*j = (struct judging){ 0 };
}

/* ---- names and ids ---- */

static void
queue(struct judging *j, enum register_kind kind, uint32_t number)
{
	struct record *r = at(j, kind, number);

	if ((r->bits & RECORD_QUEUED) != 0)
		return;
	r->bits |= RECORD_QUEUED;
	r->why = REFUSAL_NONE;
	list_add(&j->queues[kind], number);
}

/* Whether what is published under the name has this id: then the record is the holder of both. */
static bool
is_holder(const struct judging *j, enum register_kind kind, const struct record *r)
{
	struct snapshot_group group;
	struct snapshot_user user;

	if (j->in.previous == NULL)
		return false;
	if (kind == REGISTER_GROUPS)
		return snapshot_find_group(j->in.previous, record_name(r, kind), &group) == 1 && group.gid == r->id;
	return snapshot_find_user(j->in.previous, record_name(r, kind), &user) == 1 && user.uid == r->id;
}

/* Whether this is the home that is published for the user. */
static bool
holds_home(const struct judging *j, const struct record *r)
{
	struct snapshot_user user;

	return is_holder(j, REGISTER_USERS, r) &&
	    snapshot_find_user(j->in.previous, record_user(r)->text, &user) == 1 &&
	    strcmp(user.home, user_record_home(record_user(r))) == 0;
}

/* How candidates with one name, or one id, follow each other. */
struct chain {
	enum register_kind kind;
	bool by_name;
	uint32_t first;
};

static uint32_t
next_in(const struct chain *c, const struct record *r)
{
	return c->by_name ? r->next_name : r->next_id;
}

/* Refuse all of a chain but its one holder; two that both look like the holder are both refused. */
static void
judge_equals(struct judging *j, const struct chain *c)
{
	uint32_t holder = REGISTER_NONE, holders = 0;

	for (uint32_t i = c->first; i != REGISTER_NONE; i = next_in(c, at(j, c->kind, i))) {
		queue(j, c->kind, i);
		if (is_holder(j, c->kind, at(j, c->kind, i))) {
			holder = i;
			holders++;
		}
	}
	for (uint32_t i = c->first; i != REGISTER_NONE; i = next_in(c, at(j, c->kind, i))) {
		struct record *r = at(j, c->kind, i);

		if (holders == 1 && i == holder)
			continue;
		if (c->by_name)
			r->why = REFUSAL_NAME_TWICE;
		else if (r->why == REFUSAL_NONE)
			r->why = REFUSAL_ID_TWICE;
	}
	if (holders == 1)
		register_put_first(j->book, c->kind, holder);
}

/* Judge all candidates that share a name or id with one of them, once. */
static void
judge_chain(struct judging *j, enum register_kind kind, bool by_name, uint32_t number)
{
	const struct record *r = at(j, kind, number);
	struct chain c = { .kind = kind, .by_name = by_name };
	uint8_t judged = by_name ? RECORD_NAME_JUDGED : RECORD_ID_JUDGED;

	/* Where all are judged, whoever stands before this one finds it. */
	if ((r->bits & judged) != 0 || (j->whole && next_in(&c, r) == REGISTER_NONE))
		return;
	c.first = by_name ? register_first_name(j->book, kind, record_name(r, kind)) :
	    register_first_id(j->book, kind, r->id);
	if (next_in(&c, at(j, kind, c.first)) == REGISTER_NONE)
		return;
	for (uint32_t i = c.first; i != REGISTER_NONE; i = next_in(&c, at(j, kind, i)))
		at(j, kind, i)->bits |= judged;
	judge_equals(j, &c);
}

static void
judge_chains(struct judging *j, enum register_kind kind)
{
	struct judge_list *q = &j->queues[kind];
	uint32_t names = 0, ids = 0;

	/* Whoever is found by one of them is judged by both. */
	while (names < q->count || ids < q->count) {
		if (names < q->count)
			judge_chain(j, kind, true, q->list[names++]);
		else
			judge_chain(j, kind, false, q->list[ids++]);
	}
}

/* ---- homes ---- */

static const char *
home_of(const struct record *r)
{
	return user_record_home(record_user(r));
}

/* Who is in: candidates that name and id leave in. Those who hold their homes are counted in the book, others here. */
static void
count_homes(struct judging *j)
{
	const struct judge_list *q = &j->queues[REGISTER_USERS];
	struct register_book *b = j->book;

	if (j->whole)
		homes_clear(&b->homes);
	for (uint32_t i = 0; i < q->count; i++) {
		struct record *r = at(j, REGISTER_USERS, q->list[i]);
		bool is_new = (r->bits & RECORD_ACCEPTED) == 0, counted = !j->whole && (r->bits & RECORD_HOLDS) != 0;
		bool holds = r->why == REFUSAL_NONE && (is_new || !j->in.settled ? holds_home(j, r) : (r->bits & RECORD_HOLDS) != 0);

		if (holds && !counted)
			homes_add(&b->homes, b->secret, home_of(r));
		else if (!holds && counted)
			homes_remove(&b->homes, b->secret, home_of(r));
		if (!holds && r->why == REFUSAL_NONE)
			homes_add_place(&j->newcomers, b->secret, home_of(r));
		r->bits = (uint8_t)((r->bits & ~RECORD_HOLDS) | (holds ? RECORD_HOLDS : 0));
	}
}

/*
 * Refuse homes in other users' homes: pam_mkhomedir makes them as root, and whoever owns a folder on the way decides by
 * a symbolic link where that is. Who was there first stays, so that nobody's home can be claimed from above.
 */
static void
judge_homes(struct judging *j)
{
	const struct judge_list *q = &j->queues[REGISTER_USERS];
	const struct register_book *b = j->book;

	count_homes(j);
	for (uint32_t i = 0; i < q->count; i++) {
		struct record *r = at(j, REGISTER_USERS, q->list[i]);
		bool holds = (r->bits & RECORD_HOLDS) != 0, in_held, in_new;

		if (r->why != REFUSAL_NONE)
			continue;
		in_held = homes_has_outer(&b->homes.here, b->secret, home_of(r));
		in_new = homes_has_outer(&j->newcomers, b->secret, home_of(r));
		if (in_held || (in_new && !holds) || (!holds && homes_has_inner(&b->homes, b->secret, home_of(r))))
			r->why = REFUSAL_NESTED_HOME;
	}
}

/* ---- what comes of it ---- */

static void
note_past(struct judging *j, const struct record *r)
{
	if (j->past_count < j->past_room)
		j->past[j->past_count++] = record_user(r);
}

static void
note_gone(struct judging *j, enum register_kind kind)
{
	const struct edit_part *part = part_of(j, kind);

	for (uint32_t i = 0; i < part->gone_count; i++) {
		if ((part->gone[i]->bits & RECORD_ACCEPTED) == 0)
			continue;
		list_add(&j->touched[kind], part->gone[i]->id);
		if (kind == REGISTER_USERS)
			note_past(j, part->gone[i]);
	}
}

static void
take_verdict(struct judging *j, enum register_kind kind, uint32_t number)
{
	struct record *r = at(j, kind, number);
	bool was = (r->bits & RECORD_ACCEPTED) != 0, is = (r->bits & RECORD_CANDIDATE) != 0 && r->why == REFUSAL_NONE;

	r->bits &= (uint8_t)~(RECORD_QUEUED | RECORD_NAME_JUDGED | RECORD_ID_JUDGED);
	if (was == is)
		return;
	list_add(&j->touched[kind], r->id);
	r->bits ^= RECORD_ACCEPTED;
	if (is && kind == REGISTER_USERS)
		list_add(&j->fresh, number);
	if (is)
		j->book->tables[kind].accepted++;
	else
		j->book->tables[kind].accepted--;
	if (kind == REGISTER_GROUPS && is)
		(void)id_set_add(&j->book->gids, r->id);
	else if (kind == REGISTER_GROUPS)
		id_set_remove(&j->book->gids, r->id);
	else if (was)
		note_past(j, r);
}

/* Who is kept out by others is judged again with the next edit. */
static void
note_contested(struct judging *j, enum register_kind kind)
{
	struct register_table *t = &j->book->tables[kind];
	const struct judge_list *q = &j->queues[kind];

	t->contested_count = 0;
	for (uint32_t i = 0; i < q->count; i++) {
		if (at(j, kind, q->list[i])->why == REFUSAL_NONE)
			continue;
		if (t->contested_count < t->contested_room)
			t->contested[t->contested_count] = q->list[i];
		t->contested_count++;
	}
}

static void
take_verdicts(struct judging *j, enum register_kind kind)
{
	const struct register_table *t = &j->book->tables[kind];
	const struct judge_list *q = &j->queues[kind];

	note_gone(j, kind);
	/* First whoever leaves: ids of groups may go from one to another. */
	for (uint32_t i = 0; j->whole && i < t->end; i++)
		if (t->list[i] != NULL && t->list[i]->why != REFUSAL_NONE)
			take_verdict(j, kind, i);
	for (uint32_t i = 0; i < q->count; i++)
		if (at(j, kind, q->list[i])->why != REFUSAL_NONE)
			take_verdict(j, kind, q->list[i]);
	for (uint32_t i = 0; i < q->count; i++)
		take_verdict(j, kind, q->list[i]);
	note_contested(j, kind);
}

/* ---- one by one ---- */

static enum refusal
check(const struct judging *j, enum register_kind kind, const struct record *r)
{
	struct roster_user user;

	if (kind == REGISTER_GROUPS) {
		const struct roster_group group = { .gid = r->id, .name = record_name(r, kind) };

		return publisher_check_group(&group, j->in.settings, j->in.local);
	}
	user_record_read(record_user(r), NULL, &user);
	return publisher_check_user(&user, j->in.settings, j->in.local);
}

static void
check_one(struct judging *j, enum register_kind kind, uint32_t number)
{
	struct record *r = at(j, kind, number);

	r->why = (uint8_t)check(j, kind, r);
	if (r->why != REFUSAL_NONE) {
		r->bits &= (uint8_t)~RECORD_HOLDS;	/* all are counted anew */
		return;
	}
	register_link(j->book, kind, number);
	queue(j, kind, number);
}

static void
check_new(struct judging *j, enum register_kind kind)
{
	const struct register_table *t = &j->book->tables[kind];
	const struct edit_part *part = part_of(j, kind);

	for (uint32_t i = 0; i < part->put_count; i++)
		check_one(j, kind, part->at[i]);
	for (uint32_t i = 0; i < t->contested_count; i++) {
		const struct record *r = at(j, kind, t->contested[i]);

		if (r != NULL && (r->bits & RECORD_CANDIDATE) != 0)	/* else it was replaced or dropped */
			queue(j, kind, t->contested[i]);
	}
}

static void
check_all(struct judging *j, enum register_kind kind)
{
	for (uint32_t i = 0; i < j->book->tables[kind].end; i++) {
		register_expect(j->book, kind, i);
		if (at(j, kind, i) != NULL)
			check_one(j, kind, i);
	}
}

static int
compare_uid(const void *a, const void *b)
{
	const struct user_record *const *x = a, *const *y = b;

	return ((*x)->r.id > (*y)->r.id) - ((*x)->r.id < (*y)->r.id);
}

void
publisher_judge_run(struct judging *j)
{
	for (enum register_kind kind = 0; j->whole && kind < REGISTER_KINDS; kind++)
		register_unlink_all(j->book, kind);
	if (j->edit != NULL)
		register_edit_make(j->book, j->edit);
	for (enum register_kind kind = 0; kind < REGISTER_KINDS; kind++) {
		if (j->whole)
			check_all(j, kind);
		else
			check_new(j, kind);
		judge_chains(j, kind);
		if (kind == REGISTER_USERS)
			judge_homes(j);
		take_verdicts(j, kind);
	}
	if (j->past_count > 1)
		qsort(j->past, j->past_count, sizeof *j->past, compare_uid);
}

const struct user_record *
publisher_judge_past(const struct judging *j, uint32_t uid)
{
	uint32_t low = 0, high = j->past_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (j->past[middle]->r.id == uid)
			return j->past[middle];
		if (j->past[middle]->r.id < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static void
settle_one(struct register_book *b, struct record *r)
{
	bool accepted = (r->bits & RECORD_ACCEPTED) != 0, counted = (r->bits & RECORD_HOLDS) != 0;

	if (accepted && !counted)
		homes_add(&b->homes, b->secret, home_of(r));
	else if (!accepted && counted)
		homes_remove(&b->homes, b->secret, home_of(r));
	if (accepted != counted)
		r->bits ^= RECORD_HOLDS;
}

void
publisher_judge_settle(struct judging *j)
{
	const struct judge_list *q = &j->queues[REGISTER_USERS];

	for (uint32_t i = 0; i < q->count; i++)
		settle_one(j->book, at(j, REGISTER_USERS, q->list[i]));
}

/*
 * grant_book.c - which grants count, and what that makes of groups (see grant_book.h).
 *
 * Directory process, on its loop. Everything is judged into a new state, which comes into force when the census has
 * taken what it makes of the groups. It must never let a group keep a member whose grant has ended because something
 * failed: then nothing comes into force, and all of it is tried again.
 */
#include <config.h>

#include "daemon/grant_book.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "common/identity_parts.h"
#include "daemon/grant_book_parts.h"

struct grant_book *
grant_book_new(void)
{
	return calloc(1, sizeof(struct grant_book));
}

/* ---- states ---- */

static void
state_done(struct grant_state *s)
{
	for (size_t i = 0; i < s->count; i++) {
		grant_slot_unref(s->list[i].slot);
		grant_reach_unref(s->list[i].reach);
	}
	grant_overlays_done(s);
	free(s->list);
	free(s->watched);
	free(s->nested);
	*s = (struct grant_state){ 0 };
}

static void
losses_done(struct grant_loss *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		grant_reach_unref(list[i].reach);
	free(list);
}

void
grant_book_free(struct grant_book *b)
{
	if (b == NULL)
		return;
	state_done(&b->now);
	state_done(&b->next);
	state_done(&b->past);
	losses_done(b->losses, b->loss_count);
	losses_done(b->fresh, b->fresh_count);
	free(b);
}

/* ---- whether there is anything to do ---- */

static int
compare_hashes(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static bool
is_watched(const struct grant_state *s, uint64_t what)
{
	return s->watch_count > 0 && bsearch(&what, s->watched, s->watch_count, sizeof what, compare_hashes) != NULL;
}

/* One that cannot be read may: then judging fails. */
static bool
concerns(const struct grant_state *s, const struct entry_changes *changes, const struct entry_change *change)
{
	struct entry *e;
	bool does;

	if (grant_state_find(s, change->id) != NULL || is_watched(s, grant_hash(change->id, ENTRY_ID_SIZE)))
		return true;
	if (entry_changes_entry(changes, change, &e) < 0)
		return true;
	does = e != NULL && (grant_is(e) || is_watched(s, grant_hash(e->ndn, strlen(e->ndn))) ||
	    grant_has_member(e, s->nested, s->nested_count));
	entry_free(e);
	return does;
}

static bool
is_due(const struct grant_book *b, const struct grant_moment *m, const struct entry_changes *changes)
{
	if (changes->whole || m->anew || m->now_utc_sec < b->now.judged_utc_sec ||
	    (b->now.next_utc_sec != 0 && m->now_utc_sec >= b->now.next_utc_sec))
		return true;
	for (size_t i = 0; i < changes->count; i++)
		if (concerns(&b->now, changes, &changes->list[i]))
			return true;
	return false;
}

/* ---- judging ---- */

static const struct entry *
valid_person(const struct parties *p, const char *ndn)
{
	const struct party *party = parties_get(p, ndn);

	return party->gone || party->many ? NULL : party->e;
}

static void
copy_name(const struct entry *e, const char *attribute, char ret[static 33])
{
	const char *name = e != NULL ? entry_value(e, attribute) : NULL;

	(void)snprintf(ret, 33, "%.32s", name != NULL ? name : "");
}

static int
judge_one(struct grant_judged *j, const struct parties *p, const struct grant_moment *m)
{
	const struct grant_slot *s = j->slot;
	struct grant_parties parties;
	struct fault ignored = { "" };
	int r;

	if (!s->readable) {
		memcpy(j->fault, s->fault, sizeof j->fault);
		return 0;
	}
	parties = (struct grant_parties){ valid_person(p, s->g.member), parties_get(p, s->g.group)->e,
		valid_person(p, s->g.approver), parties_get(p, s->g.group)->reach };
	r = grant_judge(&s->g, &parties, m->settings, &j->window, j->fault);
	if (r == -ENOMEM)
		return r;
	j->good = r == 0;
	j->active = j->good && grant_counts(&j->window, m->now_utc_sec);
	copy_name(parties.member, "uid", j->user_name);
	copy_name(parties.group, "cn", j->group_name);
	if (!j->good)
		return 0;
	identity_entry_id(parties.member, &ignored, j->member_id);
	j->reach = parties_get(p, s->g.group)->reach;
	j->reach->refs++;
	return 0;
}

static void
take_next(struct grant_state *s, int64_t at_utc_sec, int64_t now_utc_sec)
{
	if (at_utc_sec > now_utc_sec && (s->next_utc_sec == 0 || at_utc_sec < s->next_utc_sec))
		s->next_utc_sec = at_utc_sec;
}

/* Whose change would make another judgement. */
static int
watch(struct grant_state *s, const struct parties *p)
{
	size_t room = 0;

	for (size_t i = 0; i < p->count; i++)
		room += p->list[i].reach != NULL ? p->list[i].reach->count : 0;
	s->watched = calloc(2 * (p->count + room) + 1, sizeof *s->watched);
	s->nested = calloc(room + 1, sizeof *s->nested);
	if (s->watched == NULL || s->nested == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < p->count; i++) {
		const struct grant_reach *reach = p->list[i].reach;

		s->watched[s->watch_count++] = grant_hash(p->list[i].ndn, strlen(p->list[i].ndn));
		if (p->list[i].e != NULL)
			s->watched[s->watch_count++] = grant_hash(p->list[i].id, ENTRY_ID_SIZE);
		for (size_t k = 0; reach != NULL && k < reach->count; k++) {
			uint64_t dn = grant_hash(reach->list[k].ndn, strlen(reach->list[k].ndn));

			s->nested[s->nested_count++] = s->watched[s->watch_count++] = dn;
			s->watched[s->watch_count++] = reach->list[k].tag;
		}
	}
	qsort(s->watched, s->watch_count, sizeof *s->watched, compare_hashes);
	qsort(s->nested, s->nested_count, sizeof *s->nested, compare_hashes);
	return 0;
}

static int
find_parties(const struct grant_book *b, const struct grant_moment *m, const struct entry_changes *changes,
    const char *nbase, struct parties *ret)
{
	const struct grant_state *s = &b->next;
	struct party_sources from = { .census = m->census, .changes = changes, .bases = b->now.bases,
		.base_count = b->now.overlay_count, .nbase = nbase };
	const char **ndns = calloc(3 * s->count + 1, sizeof *ndns);
	size_t count = 0;
	int r;

	if (ndns == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < s->count; i++) {
		const struct grant *g = &s->list[i].slot->g;

		if (!s->list[i].slot->readable)
			continue;
		ndns[count++] = g->member;
		ndns[count++] = g->group;
		ndns[count++] = g->approver;
	}
	r = parties_find(&from, ndns, count, ret);
	if (r == 0)
		r = grant_reaches_find(&from, m->settings, ret);
	free(ndns);
	return r;
}

static int
judge_all(struct grant_book *b, const struct grant_moment *m, struct entry_changes *changes)
{
	char *nbase = entry_normalise_dn(m->settings->directory_base);
	struct grant_state *s = &b->next;
	struct parties parties = { 0 };
	int r = nbase != NULL ? grant_state_list(&b->now, changes, nbase, s) : -ENOMEM;

	if (r == 0)
		r = find_parties(b, m, changes, nbase, &parties);
	for (size_t i = 0; i < s->count && r == 0; i++) {
		r = judge_one(&s->list[i], &parties, m);
		if (!s->list[i].good)
			continue;
		take_next(s, s->list[i].window.from_utc_sec, m->now_utc_sec);
		take_next(s, s->list[i].window.until_utc_sec, m->now_utc_sec);
	}
	s->judged_utc_sec = m->now_utc_sec;
	if (r == 0)
		r = watch(s, &parties);
	if (r == 0)
		r = grant_overlays_make(s, &parties);
	if (r == 0)
		r = grant_overlays_tell(&b->now, s, &parties, changes);
	parties_done(&parties);
	free(nbase);
	return r;
}

/* ---- who lost what ---- */

static int
add_loss(struct grant_book *b, const struct grant_judged *j, int64_t at_utc_sec)
{
	struct grant_loss *list = reallocarray(b->fresh, b->fresh_count + 1, sizeof *list);

	if (list == NULL)
		return -ENOMEM;
	b->fresh = list;
	list += b->fresh_count++;
	*list = (struct grant_loss){ .reach = j->reach, .at_utc_sec = at_utc_sec };
	memcpy(list->member_id, j->member_id, sizeof list->member_id);
	list->reach->refs++;
	return 0;
}

/* Whether one that counted gave its member something that it does not give him now. is may be NULL. */
static bool
is_lost(const struct grant_judged *was, const struct grant_judged *is)
{
	return is == NULL || !is->active || strcmp(is->member_id, was->member_id) != 0 ||
	    grant_reach_has_more(was->reach, is->reach);
}

/* What counted and does not now; of a first state, what had ended before: somebody may have been logged in with it. */
static int
list_losses(struct grant_book *b, int64_t now_utc_sec)
{
	int r = 0;

	for (size_t i = 0; i < b->now.count && r == 0; i++) {
		const struct grant_judged *was = &b->now.list[i], *is = grant_state_find(&b->next, was->slot->id);
		int64_t at = was->window.until_utc_sec < now_utc_sec ? was->window.until_utc_sec : now_utc_sec;

		if (was->active && is_lost(was, is))
			r = add_loss(b, was, at);
	}
	for (size_t i = 0; i < b->next.count && r == 0 && !b->begun; i++) {
		const struct grant_judged *is = &b->next.list[i];

		const struct grant_window *w = &is->window;

		if (is->good && w->until_utc_sec <= now_utc_sec && w->from_utc_sec < w->until_utc_sec)
			r = add_loss(b, is, w->until_utc_sec);
	}
	return r;
}

static int
compare_losses(const void *a, const void *b)
{
	const struct grant_loss *x = a, *y = b;
	int r = strcmp(x->member_id, y->member_id);

	return r != 0 ? r : (x->at_utc_sec > y->at_utc_sec) - (x->at_utc_sec < y->at_utc_sec);
}

static int
compare_times(const void *a, const void *b)
{
	const struct grant_loss *x = a, *y = b;

	return (x->at_utc_sec < y->at_utc_sec) - (x->at_utc_sec > y->at_utc_sec);
}

/* Room was made by grant_book_stage(). */
static void
keep_losses(struct grant_book *b)
{
	if (b->fresh_count == 0)
		return;
	memcpy(b->losses + b->loss_count, b->fresh, b->fresh_count * sizeof *b->losses);
	b->loss_count += b->fresh_count;
	b->fresh_count = 0;
	if (b->loss_count > GRANT_LOSSES_MAX) {
		qsort(b->losses, b->loss_count, sizeof *b->losses, compare_times);	/* the latest first */
		while (b->loss_count > GRANT_LOSSES_MAX)
			grant_reach_unref(b->losses[--b->loss_count].reach);
	}
	qsort(b->losses, b->loss_count, sizeof *b->losses, compare_losses);
}

static int
reserve_losses(struct grant_book *b)
{
	struct grant_loss *list = reallocarray(b->losses, b->loss_count + b->fresh_count + 1, sizeof *list);

	if (list == NULL)
		return -ENOMEM;
	b->losses = list;
	return 0;
}

static int
compare_member(const void *key, const void *loss)
{
	return strcmp(key, ((const struct grant_loss *)loss)->member_id);
}

const struct grant_loss *
grant_book_losses(const struct grant_book *b, const char *member_id, size_t *ret_count)
{
	const struct grant_loss *at = b->loss_count == 0 ? NULL :
	    bsearch(member_id, b->losses, b->loss_count, sizeof *b->losses, compare_member);

	*ret_count = 0;
	if (at == NULL)
		return NULL;
	while (at > b->losses && strcmp(at[-1].member_id, member_id) == 0)
		at--;
	while (at + *ret_count < b->losses + b->loss_count && strcmp(at[*ret_count].member_id, member_id) == 0)
		++*ret_count;
	return at;
}

/* ---- staging ---- */

int
grant_book_stage(struct grant_book *b, const struct grant_moment *m, struct entry_changes *changes)
{
	int r;

	b->staged = is_due(b, m, changes);
	if (!b->staged)
		return 0;
	r = judge_all(b, m, changes);
	if (r == 0)
		r = list_losses(b, m->now_utc_sec);
	if (r == 0)
		r = reserve_losses(b);
	if (r < 0)
		grant_book_forget(b);
	return r;
}

void
grant_book_forget(struct grant_book *b)
{
	state_done(&b->next);
	losses_done(b->fresh, b->fresh_count);
	b->fresh = NULL;
	b->fresh_count = 0;
	b->staged = false;
}

void
grant_book_commit(struct grant_book *b)
{
	state_done(&b->past);
	b->told_begun = b->begun;
	if (!b->staged)
		return;
	b->past = b->now;
	b->now = b->next;
	b->next = (struct grant_state){ 0 };
	keep_losses(b);
	b->staged = false;
	b->begun = true;
}

/* ---- what others want to know ---- */

int64_t
grant_book_next(const struct grant_book *b)
{
	return b->now.next_utc_sec;
}

static void
tell_one(const struct grant_judged *j, enum grant_turn turn, grant_tell *tell, void *arg)
{
	const struct grant_told told = { .turn = turn, .e = j->slot->e, .user = j->user_name, .group = j->group_name,
		.window = j->window, .fault = j->fault };

	tell(&told, arg);
}

void
grant_book_each_told(const struct grant_book *b, grant_tell *tell, void *arg)
{
	for (size_t i = 0; i < b->past.count; i++) {
		const struct grant_judged *was = &b->past.list[i], *is = grant_state_find(&b->now, was->slot->id);

		if (was->active && (is == NULL || !is->active))
			tell_one(is != NULL ? is : was, GRANT_ENDED, tell, arg);
	}
	if (b->past.judged_utc_sec == 0 && b->told_begun)	/* nothing was judged since */
		return;
	for (size_t i = 0; i < b->now.count; i++) {
		const struct grant_judged *is = &b->now.list[i], *was = grant_state_find(&b->past, is->slot->id);

		if (is->active && b->told_begun && (was == NULL || !was->active))
			tell_one(is, GRANT_BEGAN, tell, arg);
		if (is->fault[0] != '\0' && (was == NULL || strcmp(was->fault, is->fault) != 0))
			tell_one(is, GRANT_REFUSED, tell, arg);
	}
}

void
grant_book_counts(const struct grant_book *b, size_t *ret_all, size_t *ret_active)
{
	*ret_all = b->now.count;
	*ret_active = 0;
	for (size_t i = 0; i < b->now.count; i++)
		*ret_active += b->now.list[i].active;
}

const char *
grant_book_fault(const struct grant_book *b, size_t i, char buf[static IDENTITY_FAULT_SIZE])
{
	for (size_t k = 0; k < b->now.count; k++) {
		const struct grant_judged *j = &b->now.list[k];

		if (j->fault[0] == '\0' || i-- > 0)
			continue;
		(void)snprintf(buf, IDENTITY_FAULT_SIZE, "%.120s: %.120s", j->slot->e->dn, j->fault);
		return buf;
	}
	return NULL;
}

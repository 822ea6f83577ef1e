/*
 * census_judge.c - from a staged change to what it means: who stands how, who is gone, what is wrong that was not.
 *
 * Directory process. Everything that can fail is done before anything is written.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/census_parts.h"

struct judging {
	struct census *c;
	const struct census_how *how;
	struct census_news *news;
	struct identities before;	/* owned; good users among the touched, as they were; name, ids and state alone */
	struct identities now;		/* what users point to is the part's: the touched ones, sorted by name */
	struct identity *touched;	/* owned; where they are not all that there are */
	struct census_fault_line *faults;	/* owned; of the touched, as they are */
	size_t fault_count;
};

/* ---- who was good ---- */

static int
take_before(enum identity_claim kind, const char *key, void *arg)
{
	struct identity *user = arg;

	if (kind == CLAIM_NAME)
		(void)snprintf(user->name, sizeof user->name, "%s", key);	/* a good one is in lower case */
	else if (kind == CLAIM_UID)
		user->uid = (uint32_t)strtoul(key, NULL, 10);
	else if (kind == CLAIM_ENTRY_ID)
		(void)snprintf(user->entry_id, sizeof user->entry_id, "%s", key);
	return 0;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(((const struct identity *)a)->name, ((const struct identity *)b)->name);
}

static bool
is_touched(const struct census *c, uint32_t item, bool whole)
{
	return whole || c->items[item].touched;
}

static int
list_before(struct judging *j)
{
	struct census *c = j->c;
	size_t count = j->news->whole ? c->used : c->touched_count;
	size_t room = 0;
	int r = 0;

	for (size_t i = 0; i < count; i++)
		room += (c->items[j->news->whole ? i : c->touched[i]].standing & STANDING_USER) != 0;
	j->before.users = calloc(room + 1, sizeof *j->before.users);
	if (j->before.users == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count && r == 0; i++) {
		uint32_t item = j->news->whole ? (uint32_t)i : c->touched[i];
		struct entry *owned = NULL;
		const struct entry *e = (c->items[item].standing & STANDING_USER) != 0 ? census_before(c, item, &owned) : NULL;

		if (e == NULL) {
			entry_free(owned);
			continue;
		}
		j->before.users[j->before.user_count].state = FACTS_MANAGED;
		r = identity_claims(e, j->how->settings, take_before, &j->before.users[j->before.user_count++]);
		entry_free(owned);
	}
	if (j->before.user_count > 0)
		qsort(j->before.users, j->before.user_count, sizeof *j->before.users, compare_names);
	return r;
}

static int
list_now(struct judging *j)
{
	const struct identities *all = &j->news->part.identities;

	if (j->news->whole) {
		j->now.users = all->users;
		j->now.user_count = all->user_count;
		return 0;
	}
	j->now.users = j->touched = calloc(all->user_count + 1, sizeof *j->now.users);
	if (j->touched == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < all->user_count; i++)
		if (census_touches_user(j->news, &all->users[i]))
			j->now.users[j->now.user_count++] = all->users[i];
	return 0;
}

/* ---- what is gone ---- */

static const struct identity *
find_good(const struct identities *in, const char *name)
{
	const struct identity *user = identities_find(in, name);

	return user != NULL && user->state == FACTS_MANAGED ? user : NULL;
}

static int
add_name(char (**list)[33], size_t *count, const char *name)
{
	if ((*count & (*count - 1)) == 0) {
		char (*bigger)[33] = reallocarray(*list, *count == 0 ? 1 : *count * 2, sizeof **list);

		if (bigger == NULL)
			return -ENOMEM;
		*list = bigger;
	}
	(void)snprintf((*list)[(*count)++], sizeof **list, "%s", name);
	return 0;
}

struct group_name {
	char name[33];
};

static int
take_group_name(enum identity_claim kind, const char *key, void *arg)
{
	struct group_name *g = arg;

	if (kind == CLAIM_GROUP_NAME)
		(void)snprintf(g->name, sizeof g->name, "%s", key);
	return 0;
}

static int
compare_pointed(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of the touched groups that are published now, sorted. Returns how many, or -ENOMEM. */
static ssize_t
list_published(const struct judging *j, const char ***ret)
{
	const struct identities *all = &j->news->part.identities;
	size_t count = 0;

	*ret = calloc(all->group_count + 1, sizeof(char *));
	if (*ret == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < all->group_count; i++)
		if (all->groups[i].gid != 0 && census_touches_group(j->news, &all->groups[i]))
			(*ret)[count++] = all->groups[i].name;
	if (count > 0)
		qsort(*ret, count, sizeof(char *), compare_pointed);
	return (ssize_t)count;
}

/* Names of groups that were published, and are no more. */
static int
list_gone_groups(struct judging *j)
{
	const char **now;
	ssize_t count = list_published(j, &now);
	int r = count < 0 ? -ENOMEM : 0;

	for (size_t i = 0; i < j->c->touched_count && r == 0; i++) {
		uint32_t item = j->c->touched[i];
		struct entry *owned = NULL;
		const struct entry *e = (j->c->items[item].standing & STANDING_GID) != 0 ? census_before(j->c, item, &owned) : NULL;
		struct group_name g = { "" };
		const char *name = g.name;

		if (e != NULL)
			r = identity_claims(e, j->how->settings, take_group_name, &g);
		entry_free(owned);
		if (r == 0 && g.name[0] != '\0' &&
		    (count == 0 || bsearch(&name, now, (size_t)count, sizeof(char *), compare_pointed) == NULL))
			r = add_name(&j->news->gone_groups, &j->news->gone_group_count, g.name);
	}
	free(now);
	return r;
}

static int
list_gone(struct judging *j)
{
	struct census_news *news = j->news;
	int r = 0;

	for (size_t i = 0; i < j->before.user_count && r == 0 && !news->whole; i++)
		if (find_good(&j->now, j->before.users[i].name) == NULL)
			r = add_name(&news->gone_users, &news->gone_user_count, j->before.users[i].name);
	if (r == 0 && !news->whole)
		r = list_gone_groups(j);
	return r;
}

/* ---- what is wrong ---- */

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The texts of the touched so far, sorted. Returns how many, or -ENOMEM. */
static ssize_t
list_old_faults(const struct judging *j, const char ***ret)
{
	const struct census *c = j->c;
	size_t count = 0;

	*ret = calloc(c->fault_count + 1, sizeof(char *));
	if (*ret == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < c->fault_count; i++)
		if (is_touched(c, c->faults[i].item, j->news->whole))
			(*ret)[count++] = c->faults[i].text;
	if (count > 0)
		qsort(*ret, count, sizeof(char *), compare_texts);
	return (ssize_t)count;
}

static int
list_faults(struct judging *j)
{
	const struct census_part *part = &j->news->part;
	struct census_news *news = j->news;
	const char **old;
	ssize_t old_count = list_old_faults(j, &old);

	j->faults = calloc(part->identities.fault_count + 1, sizeof *j->faults);
	news->faults = calloc(part->identities.fault_count + 1, sizeof *news->faults);
	if (old_count < 0 || j->faults == NULL || news->faults == NULL) {
		free(old);
		return -ENOMEM;
	}
	for (size_t i = 0; i < part->identities.fault_count; i++) {
		const struct identity_fault_line *line = &part->identities.faults[i];
		uint32_t item = closure_item(part->closure, line->entry);
		const char *text = line->text;

		if (!is_touched(j->c, item, news->whole))
			continue;
		j->faults[j->fault_count].item = item;
		memcpy(j->faults[j->fault_count++].text, line->text, sizeof line->text);
		if (old_count == 0 || bsearch(&text, old, (size_t)old_count, sizeof(char *), compare_texts) == NULL)
			memcpy(news->faults[news->fault_count++], line->text, sizeof line->text);
	}
	free(old);
	return 0;
}

/* Room for the faults that stay and the new ones. */
static int
reserve_faults(struct judging *j)
{
	size_t wanted = j->c->fault_count + j->fault_count;
	struct census_fault_line *lines;

	if (wanted <= j->c->fault_room)
		return 0;
	lines = reallocarray(j->c->faults, wanted + wanted / 2, sizeof *lines);
	if (lines == NULL)
		return -ENOMEM;
	j->c->faults = lines;
	j->c->fault_room = wanted + wanted / 2;
	return 0;
}

/* The last of what can fail: it is written at once, or not at all. */
static int
judge_holders(struct judging *j)
{
	int r = 0;

	if (j->how->holders != NULL)
		r = identity_holders_update(j->how->holders, &j->before, &j->now);
	j->news->holders_changed = r > 0;
	return r < 0 ? r : 0;
}

/* ---- writing ---- */

static void
forget_standing(struct census *c, struct census_item *i)
{
	c->counts.users -= i->users;
	c->counts.groups -= i->groups;
	c->counts.newcomers -= (i->standing & STANDING_NEWCOMER) != 0;
	c->counts.good_users -= (i->standing & STANDING_USER) != 0;
	c->counts.good_groups -= (i->standing & STANDING_GID) != 0;
	i->standing = 0;
	i->users = i->groups = 0;
}

static void
write_standing(struct judging *j)
{
	const struct identities *all = &j->news->part.identities;
	struct census *c = j->c;

	for (size_t i = 0; i < all->user_count; i++) {
		const struct identity *user = &all->users[i];
		struct census_item *at = &c->items[closure_item(j->news->part.closure, user->entry)];

		if (!census_touches_user(j->news, user))
			continue;
		c->counts.users++;
		at->users++;
		if (user->state == FACTS_MANAGED) {
			at->standing |= STANDING_USER;
			c->counts.good_users++;
		}
		if (user->newcomer && (at->standing & STANDING_NEWCOMER) == 0) {
			at->standing |= STANDING_NEWCOMER;
			c->counts.newcomers++;
		}
	}
	for (size_t i = 0; i < all->group_count; i++) {
		const struct identity_group *group = &all->groups[i];
		struct census_item *at = &c->items[closure_item(j->news->part.closure, group->entry)];

		if (!census_touches_group(j->news, group))
			continue;
		c->counts.groups++;
		at->groups++;
		c->counts.good_groups += group->gid != 0;
		at->standing |= (group->whose == IDENTITY_NAME_OWN ? STANDING_GROUP_NAME : 0) |
		    (group->gid != 0 ? STANDING_GID : 0);
	}
}

static void
write_faults(struct judging *j)
{
	struct census *c = j->c;
	size_t left = 0;

	for (size_t i = 0; i < c->fault_count; i++)
		if (!is_touched(c, c->faults[i].item, j->news->whole))
			c->faults[left++] = c->faults[i];
	if (j->fault_count > 0)
		memcpy(&c->faults[left], j->faults, j->fault_count * sizeof *c->faults);
	c->fault_count = left + j->fault_count;
	c->counts.faults = c->fault_count;
}

static void
write_all(struct judging *j)
{
	struct census *c = j->c;
	size_t count = j->news->whole ? c->used : c->touched_count;

	for (size_t i = 0; i < count; i++)
		forget_standing(c, &c->items[j->news->whole ? i : c->touched[i]]);
	write_standing(j);
	write_faults(j);
	c->shares = closure_shares(j->news->part.closure);
}

/* Read those whom the change touches; everybody when they are too many. */
static int
read_part(struct judging *j)
{
	const struct census_how *how = j->how;
	const struct identity_holders *holders = how->accept_newcomers ? NULL : how->holders;
	int r = how->anew || how->accept_newcomers || how->accept_approved || j->c->shares || j->c->present == 0 ? 1 :
	    census_touch(j->c, how->settings);

	if (r >= 0 && census_drop_children(j->c, how->settings) < 0)
		return -ENOMEM;
	if (r == 0)
		r = closure_build(j->c, how->settings, holders, j->c->touched, j->c->touched_count, &j->news->part);
	if (r == 0 && closure_shares(j->news->part.closure)) {
		census_part_done(&j->news->part);
		r = 1;
	}
	if (r != 1 && r != -E2BIG)
		return r;
	j->news->whole = true;
	return closure_build(j->c, how->settings, holders, NULL, 0, &j->news->part);
}

int
census_judge(struct census *c, const struct census_how *how, struct census_news *ret)
{
	struct judging j = { .c = c, .how = how, .news = ret };
	int r;

	r = read_part(&j);
	if (r == 0)
		r = list_before(&j);
	if (r == 0)
		r = list_now(&j);
	if (r == 0)
		r = list_gone(&j);
	if (r == 0)
		r = list_faults(&j);
	if (r == 0)
		r = reserve_faults(&j);
	if (r == 0)
		r = c->unread < 0 ? c->unread : judge_holders(&j);
	if (r == 0)
		write_all(&j);
	free(j.before.users);
	free(j.touched);
	free(j.faults);
	return r < 0 ? r : 1;
}

/* ---- what others ask ---- */

bool
census_touches_user(const struct census_news *news, const struct identity *user)
{
	return news->whole || closure_is_touched(news->part.closure, user->entry);
}

bool
census_touches_group(const struct census_news *news, const struct identity_group *group)
{
	return news->whole || closure_is_touched(news->part.closure, group->entry);
}

void
census_news_done(struct census_news *news)
{
	census_part_done(&news->part);
	free(news->gone_users);
	free(news->gone_groups);
	free(news->faults);
	*news = (struct census_news){ 0 };
}

void
census_counts(const struct census *c, struct census_counts *ret)
{
	*ret = c->counts;
}

const char *
census_fault(const struct census *c, size_t i)
{
	return i < c->fault_count ? c->faults[i].text : NULL;
}

void
census_each_held(const struct census *c, size_t max, census_held *held, void *arg)
{
	size_t shown = 0;

	for (size_t i = 0; i < c->used && shown < max; i++) {
		const struct census_item *at = &c->items[i];
		const char *what = at->users == 0 ? NULL : at->gone ? "would go" :
		    at->waits ? "another uid" : (at->standing & STANDING_NEWCOMER) != 0 ? "another person" : NULL;
		struct entry *e = NULL;

		if (what == NULL)
			continue;
		if (at->e == NULL && entry_heap_get(c->heap, at->number, false, &e) < 0) {
			held("?", what, arg);	/* he waits all the same */
			shown++;
			continue;
		}
		if (entry_value(at->e != NULL ? at->e : e, "uid") != NULL) {
			held(entry_value(at->e != NULL ? at->e : e, "uid"), what, arg);
			shown++;
		}
		entry_free(e);
	}
}

struct naming {
	const struct census *c;
	uint64_t sum;			/* in whatever order they are listed */
};

static void
name_held(const char *name, const char *what, void *arg)
{
	struct naming *n = arg;
	char text[160];
	int len = snprintf(text, sizeof text, "%s: %.100s", what, name);

	n->sum += census_key(&n->c->index, CENSUS_HELD, text, (size_t)len);
}

uint32_t
census_held_who(const struct census *c, const char *more)
{
	struct naming n = { .c = c };

	census_each_held(c, SIZE_MAX, name_held, &n);
	n.sum += census_key(&c->index, CENSUS_HELD, more, strlen(more));
	return (uint32_t)(n.sum ^ n.sum >> 32);
}

int
census_all(struct census *c, const struct settings *settings, const struct identity_holders *holders,
    struct census_part *ret)
{
	int r = closure_build(c, settings, holders, NULL, 0, ret);

	census_release(c);
	return r;
}

/* Nobody is better than he was judged to be: he is published by that. */
static int
agree(const struct census *c, struct census_part *part, const struct identity *user)
{
	struct identity *own = &part->identities.users[user - part->identities.users];

	if (own->state != FACTS_MANAGED ||
	    (c->items[closure_item(part->closure, own->entry)].standing & STANDING_USER) != 0)
		return 0;
	own->fault = arena_text(&part->identities.memory, "what it claims was in doubt when it was judged last");
	own->state = FACTS_BROKEN;
	return own->fault != NULL ? 0 : -ENOMEM;
}

int
census_find(struct census *c, const struct settings *settings, const struct identity_holders *holders,
    const char *name, struct census_part *ret, const struct identity **ret_user)
{
	const struct value value = { (char *)(uintptr_t)name, strlen(name) };
	uint32_t *seeds = NULL, at = 0, item;
	size_t count = 0, room = 0, others = 0;
	int r = census_complete(c);

	*ret_user = NULL;
	while (r == 0 && (item = census_next_child(c, &value, true, &at)) != 0)
		if ((c->items[item - 1].standing & STANDING_USER) != 0 || others++ < CENSUS_CLAIMANTS_MAX)
			r = census_push(&seeds, &count, &room, item - 1);
	if (r == 0 && count > 0)
		r = closure_build(c, settings, holders, seeds, count, ret);
	free(seeds);
	census_release(c);
	if (r == 0 && count > 0)
		*ret_user = identities_find(&ret->identities, name);
	return *ret_user != NULL ? agree(c, ret, *ret_user) : r;
}

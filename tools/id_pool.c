/*
 * id_pool.c - which uidNumber a newcomer gets: the lowest that nobody ever had.
 *
 * Runs in isms-userctl add only. Must never give an id that a person, a group or a file may still bear:
 * a record that cannot be understood stops `add` instead of being begun anew.
 */
#include <config.h>

#include "tools/id_pool.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/ldap_escape.h"
#include "common/snapshot.h"
#include "common/subid.h"

#define RECORD_ATTRIBUTE "serialNumber"

static int
append(struct id_range **list, size_t *count, size_t *room, uint32_t first, uint32_t last)
{
	struct id_range *grown;

	if (*count == *room) {
		grown = reallocarray(*list, *room == 0 ? 64 : *room * 2, sizeof **list);
		if (grown == NULL)
			return -ENOMEM;
		*list = grown;
		*room = *room == 0 ? 64 : *room * 2;
	}
	(*list)[(*count)++] = (struct id_range){ first, last };
	return 0;
}

static int
compare(const void *a, const void *b)
{
	const struct id_range *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

/* Sort, and join what touches. */
static void
normalise(struct id_range *list, size_t *count)
{
	size_t from, to = 0;

	if (*count == 0)
		return;
	qsort(list, *count, sizeof *list, compare);
	for (from = 1; from < *count; from++) {
		if (list[from].first <= list[to].last || list[from].first == list[to].last + 1) {
			if (list[from].last > list[to].last)
				list[to].last = list[from].last;
		} else
			list[++to] = list[from];
	}
	*count = to + 1;
}

/* The range that holds id, or NULL. */
static const struct id_range *
find(const struct id_range *list, size_t count, uint32_t id)
{
	size_t low = 0, high = count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (list[middle].last < id)
			low = middle + 1;
		else if (list[middle].first > id)
			high = middle;
		else
			return &list[middle];
	}
	return NULL;
}

/* Digits of an id; moves *text behind them. */
static int
parse_id(const char **text, uint32_t *ret)
{
	uint64_t n = 0;
	size_t digits = strspn(*text, "0123456789");

	if (digits == 0 || digits > 10)
		return -EBADMSG;
	for (; digits > 0; digits--, (*text)++)
		n = n * 10 + (uint64_t)(**text - '0');
	*ret = (uint32_t)n;
	return n <= INT32_MAX ? 0 : -EBADMSG;
}

static int
load_record(struct id_pool *pool, const struct entry *record, char *error, size_t size)
{
	const struct attribute *values = entry_attribute(record, RECORD_ATTRIBUTE);
	uint32_t first = 0, last = 0;
	size_t i;
	int r;

	for (i = 0; values != NULL && i < values->count; i++) {
		const char *text = values->values[i].bytes, *at = text;

		if (parse_id(&at, &first) < 0 || *at++ != '-' || parse_id(&at, &last) < 0 || *at != '\0' || first > last) {
			(void)snprintf(error, size, "%s: " RECORD_ATTRIBUTE " \"%.40s\" is no range FIRST-LAST; mend it by hand",
			    pool->dn, text);
			return -EBADMSG;
		}
		r = append(&pool->used, &pool->used_count, &pool->used_room, first, last);
		if (r < 0)
			return r;
	}
	return 0;
}

static int
load_directory(struct id_pool *pool, const struct identities *identities)
{
	size_t i;
	int r = 0;

	for (i = 0; i < identities->user_count && r == 0; i++) {
		const struct identity *user = &identities->users[i];

		if (user->uid != 0)
			r = append(&pool->used, &pool->used_count, &pool->used_room, user->uid, user->uid);
		if (r == 0 && user->gid != 0)
			r = append(&pool->used, &pool->used_count, &pool->used_room, user->gid, user->gid);
	}
	for (i = 0; i < identities->group_count && r == 0; i++) {
		uint32_t gid = identities->groups[i].gid;

		if (gid != 0)
			r = append(&pool->used, &pool->used_count, &pool->used_room, gid, gid);
	}
	return r;
}

static int
load_local(struct id_pool *pool, const char *passwd, const char *group)
{
	const struct passwd *user;
	const struct group *g;
	FILE *f;
	int r = 0;

	f = fopen(passwd, "re");
	while (f != NULL && r == 0 && (user = fgetpwent(f)) != NULL)
		r = append(&pool->local, &pool->local_count, &pool->local_room, user->pw_uid, user->pw_uid);
	if (f != NULL)
		(void)fclose(f);
	f = fopen(group, "re");
	while (f != NULL && r == 0 && (g = fgetgrent(f)) != NULL)
		r = append(&pool->local, &pool->local_count, &pool->local_room, g->gr_gid, g->gr_gid);
	if (f != NULL)
		(void)fclose(f);
	return r;
}

/* A newcomer's id is uid and gid at once: neither file may lend it to a local account. */
static int
load_subordinate(struct id_pool *pool, const char *path, char *error, size_t size)
{
	struct subids subids;
	int r = subids_load(path, &subids);

	if (r < 0)
		(void)snprintf(error, size, "%s: %s", path, strerror(-r));
	for (size_t i = 0; i < subids.count && r == 0; i++)
		r = append(&pool->local, &pool->local_count, &pool->local_room, subids.ranges[i].first, subids.ranges[i].last);
	subids_done(&subids);
	return r;
}

int
id_pool_load(struct id_pool *ret, const struct entries *entries, const struct identities *identities,
    const char *base, const struct paths *paths, char *error, size_t size)
{
	const struct entry *record;
	int r = 0;

	memset(ret, 0, sizeof *ret);
	r = ldap_escape_dn(ret->dn, sizeof ret->dn, "cn", "used-ids", NULL, base);
	if (r < 0)
		return r;
	record = entries_find(entries, ret->dn);
	ret->recorded = record != NULL;
	if (record != NULL)
		r = load_record(ret, record, error, size);
	if (r == 0)
		r = load_directory(ret, identities);
	if (r == 0)
		r = load_local(ret, paths->passwd, paths->group);
	if (r == 0)
		r = load_subordinate(ret, paths->subuid, error, size);
	if (r == 0)
		r = load_subordinate(ret, paths->subgid, error, size);
	normalise(ret->used, &ret->used_count);
	normalise(ret->local, &ret->local_count);
	return r;
}

void
id_pool_done(struct id_pool *pool)
{
	free(pool->used);
	free(pool->local);
	memset(pool, 0, sizeof *pool);
}

bool
id_pool_free(const struct id_pool *pool, uint32_t id)
{
	return find(pool->used, pool->used_count, id) == NULL && find(pool->local, pool->local_count, id) == NULL;
}

int
id_pool_take(struct id_pool *pool, const struct id_ranges *ranges, uint32_t *ret_id)
{
	const struct id_range *taken;
	uint64_t id;
	unsigned i;
	int r;

	for (i = 0; i < ranges->count; i++) {
		for (id = ranges->range[i].first; id <= ranges->range[i].last; id++) {
			taken = find(pool->used, pool->used_count, (uint32_t)id);
			if (taken == NULL)
				taken = find(pool->local, pool->local_count, (uint32_t)id);
			if (taken != NULL) {
				id = taken->last;	/* the loop goes on behind it */
				continue;
			}
			if (!snapshot_id_allowed((uint32_t)id))
				continue;
			r = id_pool_note(pool, (uint32_t)id);
			if (r == 0)
				*ret_id = (uint32_t)id;
			return r;
		}
	}
	return -ENOSPC;
}

int
id_pool_note(struct id_pool *pool, uint32_t id)
{
	int r = append(&pool->used, &pool->used_count, &pool->used_room, id, id);

	normalise(pool->used, &pool->used_count);
	return r;
}

/* A new entry with the record's fixed attributes. */
static struct entry *
new_record(const char *dn)
{
	static const char what[] = "Ids that were given to users and groups; isms-userctl add never gives them again.";
	struct entry *e = entry_new(dn);

	if (e == NULL)
		return NULL;
	if (entry_set(e, "objectClass", "top") == 0 && entry_add_value(e, "objectClass", "device", 6) == 0 &&
	    entry_set(e, "cn", "used-ids") == 0 && entry_set(e, "description", what) == 0)
		return e;
	entry_free(e);
	return NULL;
}

int
id_pool_store(const struct id_pool *pool, struct directory *directory)
{
	struct entry *record;
	char text[32];
	size_t i;
	int r = 0;

	if (!pool->recorded) {
		record = new_record(pool->dn);
		if (record == NULL)
			return -ENOMEM;
		r = directory_add(directory, record);	/* now owned by the directory */
	}
	for (i = 0; i < pool->used_count && r == 0; i++) {
		struct change change = { i == 0 ? CHANGE_REPLACE : CHANGE_ADD, RECORD_ATTRIBUTE, text };

		(void)snprintf(text, sizeof text, "%u-%u", pool->used[i].first, pool->used[i].last);
		r = directory_modify(directory, pool->dn, &change, 1);
	}
	return r;
}

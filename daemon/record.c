/*
 * record.c - packs and unpacks records (see record.h).
 *
 * Publisher only. A user's gids are kept as the steps between them, seven bits a byte, since a million users of twenty
 * groups each must fit.
 */
#include <config.h>

#include "daemon/record.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define STEP_MAX 5	/* bytes of the longest one */
#define FEW 64u

struct record *
record_pack_group(const struct roster_group *group)
{
	size_t len = strlen(group->name) + 1;
	struct group_record *g = calloc(1, offsetof(struct group_record, text) + len > sizeof *g ?
	    offsetof(struct group_record, text) + len : sizeof *g);

	if (g == NULL)
		return NULL;
	g->r.key = group->key;
	g->r.id = group->gid;
	memcpy(g->text, group->name, len);
	return &g->r;
}

static int
compare_gid(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Few enough for the plainest way, as nearly all are. */
static void
insert_sort(uint32_t *gids, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++) {
		uint32_t gid = gids[i], at = i;

		for (; at > 0 && gids[at - 1] > gid; at--)
			gids[at] = gids[at - 1];
		gids[at] = gid;
	}
}

/* Sort a copy, each once. Returns how many. */
static uint32_t
sort_gids(const uint32_t *gids, uint32_t count, uint32_t *ret)
{
	uint32_t kept = 0;

	if (count == 0)
		return 0;
	memcpy(ret, gids, count * sizeof *ret);
	if (count <= FEW)
		insert_sort(ret, count);
	else
		qsort(ret, count, sizeof *ret, compare_gid);
	for (uint32_t i = 0; i < count; i++)
		if (kept == 0 || ret[kept - 1] != ret[i])
			ret[kept++] = ret[i];
	return kept;
}

static uint8_t *
put_steps(uint8_t *to, const uint32_t *gids, uint32_t count)
{
	uint32_t last = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t step = gids[i] - last;

		for (; step >= 0x80; step >>= 7)
			*to++ = (uint8_t)(step | 0x80);
		*to++ = (uint8_t)step;
		last = gids[i];
	}
	return to;
}

static char *
put_string(char *to, const char *string)
{
	size_t len = strlen(string) + 1;

	memcpy(to, string, len);
	return to + len;
}

static void
put_lost(char *to, const struct roster_user *user)
{
	const uint32_t counts[] = { user->lost_count, user->lost_ending };

	if (user->lost_count == 0)
		return;
	memcpy(to, counts, sizeof counts);
	memcpy(to + sizeof counts, user->lost, user->lost_count * sizeof(uint32_t));
}

struct record *
record_pack_user(const struct roster_user *user)
{
	const char *strings[] = { user->name, user->home, user->gecos, user->shell, user->contact };
	uint32_t gids[ROSTER_USER_GROUPS_MAX], gid_count = sort_gids(user->groups, user->group_count, gids);
	uint8_t steps[ROSTER_USER_GROUPS_MAX * STEP_MAX];
	size_t steps_len = (size_t)(put_steps(steps, gids, gid_count) - steps);
	size_t lost_len = user->lost_count > 0 ? (2 + (size_t)user->lost_count) * sizeof(uint32_t) : 0;
	size_t size = offsetof(struct user_record, text) + steps_len + lost_len;
	struct user_record *u;
	char *at;

	for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
		size += strlen(strings[i]) + 1;
	for (uint32_t i = 0; i < user->local_count; i++)
		size += strlen(user->locals[i]) + 1;
	u = calloc(1, size > sizeof *u ? size : sizeof *u);
	if (u == NULL)
		return NULL;
	u->r.key = user->key;
	u->r.id = user->uid;
	u->r.group_count = (uint16_t)gid_count;
	u->not_after_utc_sec = user->not_after_utc_sec;
	u->gid = user->gid;
	u->flags = (uint8_t)user->flags;
	u->local_count = (uint8_t)user->local_count;
	at = u->text;
	for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
		at = put_string(at, strings[i]);
	for (uint32_t i = 0; i < user->local_count; i++)
		at = put_string(at, user->locals[i]);
	memcpy(at, steps, steps_len);
	put_lost(at + steps_len, user);
	return &u->r;
}

static const char *
next_string(const char *string)
{
	return string + strlen(string) + 1;
}

const char *
user_record_home(const struct user_record *u)
{
	return next_string(u->text);
}

const char *
user_record_contact(const struct user_record *u)
{
	return next_string(next_string(next_string(next_string(u->text))));
}

size_t
record_size(const struct record *r, enum register_kind kind)
{
	size_t size = sizeof(uint64_t) + sizeof(uint32_t), strings = 1;
	const char *first = record_name(r, kind), *at = next_string(first);

	if (kind == REGISTER_USERS) {		/* layout: roster.h */
		size += 2 * sizeof(uint64_t) + 4 * sizeof(uint32_t) + r->group_count * sizeof(uint32_t);
		for (strings = 1; strings < 5u + record_user(r)->local_count; strings++)
			at = next_string(at);
	}
	return size + (size_t)(at - first) + strings;	/* a length takes one byte more than a NUL */
}

/* Returns what follows the steps. */
static const uint8_t *
get_steps(const uint8_t *at, uint32_t *to, uint32_t count)
{
	uint32_t last = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t step = 0;

		for (unsigned shift = 0;; shift += 7) {
			step |= (uint32_t)(*at & 0x7f) << shift;
			if ((*at++ & 0x80) == 0)
				break;
		}
		last += step;
		to[i] = last;
	}
	return at;
}

static void
get_lost(const uint8_t *at, struct user_lists *lists, struct roster_user *ret)
{
	uint32_t counts[2];

	if ((ret->flags & ROSTER_LOST) == 0)
		return;
	memcpy(counts, at, sizeof counts);
	memcpy(lists->lost, at + sizeof counts, counts[0] * sizeof(uint32_t));
	ret->lost_count = counts[0];
	ret->lost_ending = counts[1];
	ret->lost = lists->lost;
}

void
user_record_read(const struct user_record *u, struct user_lists *lists, struct roster_user *ret)
{
	const char *at;

	*ret = (struct roster_user){ .key = u->r.key, .uid = u->r.id, .gid = u->gid, .flags = u->flags,
		.not_after_utc_sec = u->not_after_utc_sec, .name = u->text };
	ret->home = next_string(ret->name);
	ret->gecos = next_string(ret->home);
	ret->shell = next_string(ret->gecos);
	ret->contact = next_string(ret->shell);
	if (lists == NULL)
		return;
	at = next_string(ret->contact);
	for (uint32_t i = 0; i < u->local_count; i++, at = next_string(at))
		lists->locals[i] = at;
	get_lost(get_steps((const uint8_t *)at, lists->gids, u->r.group_count), lists, ret);
	ret->local_count = u->local_count;
	ret->locals = lists->locals;
	ret->group_count = u->r.group_count;
	ret->groups = lists->gids;
}

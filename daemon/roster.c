/*
 * roster.c - decodes a roster (grammar: roster.h).
 *
 * Runs in the publisher, as root, on bytes of a process that may be in an attacker's hands. One pass
 * judges everything and counts, a second one copies: nothing is allocated by a number that the bytes
 * merely claim, and nothing of them is used after it was judged but the copy.
 */
#include <config.h>

#include "daemon/roster.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

struct roster {
	enum roster_kind kind;
	struct roster_group *groups;	/* owned */
	struct roster_user *users;	/* owned */
	uint64_t *dropped_groups, *dropped_users;	/* owned; keys */
	uint32_t group_count, user_count, dropped_group_count, dropped_user_count;
	char *strings;			/* owned; all of them, each with NUL */
	uint32_t *gids;			/* owned; all users' groups */
	const char **locals;		/* owned; all users' local groups */
};

/*
 * The reading place, and how far strings, gids and locals were counted or copied. Without targets
 * (to == NULL) it only judges; strings are then returned as "".
 */
struct scan {
	const uint8_t *at;
	size_t left;
	struct roster *to;
	size_t strings, gids, locals;
};

static int
get(struct scan *s, void *to, size_t len)
{
	if (s->left < len)
		return -EBADMSG;
	memcpy(to, s->at, len);
	s->at += len;
	s->left -= len;
	return 0;
}

static int
get_u32(struct scan *s, uint32_t *ret)
{
	uint32_t wire;
	int r;

	r = get(s, &wire, sizeof wire);
	if (r == 0)
		*ret = le32toh(wire);
	return r;
}

static int
get_u64(struct scan *s, uint64_t *ret)
{
	uint64_t wire;
	int r;

	r = get(s, &wire, sizeof wire);
	if (r == 0)
		*ret = le64toh(wire);
	return r;
}

static int
get_i64(struct scan *s, int64_t *ret)
{
	uint64_t bits;
	int r;

	r = get_u64(s, &bits);
	if (r == 0)
		*ret = (int64_t)bits;
	return r;
}

static int
get_string(struct scan *s, const char **ret)
{
	uint16_t wire;
	size_t len;
	int r;

	r = get(s, &wire, sizeof wire);
	if (r < 0)
		return r;
	len = le16toh(wire);
	if (len > ROSTER_STR_MAX || len > s->left)
		return -EBADMSG;
	for (size_t i = 0; i < len; i++)
		if (s->at[i] < 0x20 || s->at[i] == 0x7f)
			return -EBADMSG;
	*ret = "";
	if (s->to != NULL) {
		char *copy = s->to->strings + s->strings;

		memcpy(copy, s->at, len);
		copy[len] = '\0';
		*ret = copy;
	}
	s->strings += len + 1;
	s->at += len;
	s->left -= len;
	return 0;
}

static int
get_group(struct scan *s, struct roster_group *ret)
{
	int r;

	if ((r = get_u64(s, &ret->key)) < 0 || (r = get_u32(s, &ret->gid)) < 0)
		return r;
	return get_string(s, &ret->name);
}

static int
get_gids(struct scan *s, struct roster_user *ret)
{
	uint32_t gid;
	int r;

	r = get_u32(s, &ret->group_count);
	if (r < 0)
		return r;
	if (ret->group_count > ROSTER_USER_GROUPS_MAX)
		return -EBADMSG;
	ret->groups = s->to != NULL ? s->to->gids + s->gids : NULL;
	for (uint32_t i = 0; i < ret->group_count; i++) {
		r = get_u32(s, &gid);
		if (r < 0)
			return r;
		if (s->to != NULL)
			s->to->gids[s->gids] = gid;
		s->gids++;
	}
	return 0;
}

static int
get_locals(struct scan *s, struct roster_user *ret)
{
	const char *name;
	int r;

	r = get_u32(s, &ret->local_count);
	if (r < 0)
		return r;
	if (ret->local_count > ROSTER_LOCAL_MAX)
		return -EBADMSG;
	ret->locals = s->to != NULL ? s->to->locals + s->locals : NULL;
	for (uint32_t i = 0; i < ret->local_count; i++) {
		r = get_string(s, &name);
		if (r < 0)
			return r;
		if (s->to != NULL)
			s->to->locals[s->locals] = name;
		s->locals++;
	}
	return 0;
}

static int
get_user(struct scan *s, struct roster_user *ret)
{
	const char **strings[] = { &ret->name, &ret->gecos, &ret->home, &ret->shell, &ret->contact };
	int r;

	if ((r = get_u64(s, &ret->key)) < 0 || (r = get_u32(s, &ret->uid)) < 0 || (r = get_u32(s, &ret->gid)) < 0 ||
	    (r = get_i64(s, &ret->not_before_utc_sec)) < 0 || (r = get_i64(s, &ret->not_after_utc_sec)) < 0 ||
	    (r = get_u32(s, &ret->flags)) < 0)
		return r;
	if ((ret->flags & ~(uint32_t)(ROSTER_ENDED | ROSTER_MFA)) != 0)
		return -EBADMSG;
	for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
		r = get_string(s, strings[i]);
		if (r < 0)
			return r;
	}
	r = get_gids(s, ret);
	return r < 0 ? r : get_locals(s, ret);
}

/* The header's numbers; they claim, no more. */
struct counts {
	uint32_t kind, groups, users, dropped_groups, dropped_users;
};

static int
get_header(struct scan *s, struct counts *ret)
{
	char magic[sizeof ROSTER_MAGIC - 1];
	int r;

	if ((r = get(s, magic, sizeof magic)) < 0 || (r = get_u32(s, &ret->kind)) < 0 ||
	    (r = get_u32(s, &ret->groups)) < 0 || (r = get_u32(s, &ret->users)) < 0 ||
	    (r = get_u32(s, &ret->dropped_groups)) < 0 || (r = get_u32(s, &ret->dropped_users)) < 0)
		return r;
	if (memcmp(magic, ROSTER_MAGIC, sizeof magic) != 0 || (ret->kind != ROSTER_WHOLE && ret->kind != ROSTER_CHANGE))
		return -EBADMSG;
	return ret->kind == ROSTER_WHOLE && (ret->dropped_groups != 0 || ret->dropped_users != 0) ? -EBADMSG : 0;
}

static int
get_keys(struct scan *s, uint32_t count, uint64_t *to)
{
	uint64_t key;
	int r = 0;

	for (uint32_t i = 0; i < count && r == 0; i++) {
		r = get_u64(s, &key);
		if (r == 0 && to != NULL)
			to[i] = key;
	}
	return r;
}

/* One pass over everything. */
static int
scan_all(struct scan *s, struct counts *ret)
{
	struct roster_group group;
	struct roster_user user;
	int r;

	r = get_header(s, ret);
	for (uint32_t i = 0; r == 0 && i < ret->groups; i++) {
		r = get_group(s, &group);
		if (r == 0 && s->to != NULL)
			s->to->groups[i] = group;
	}
	for (uint32_t i = 0; r == 0 && i < ret->users; i++) {
		r = get_user(s, &user);
		if (r == 0 && s->to != NULL)
			s->to->users[i] = user;
	}
	if (r == 0)
		r = get_keys(s, ret->dropped_groups, s->to != NULL ? s->to->dropped_groups : NULL);
	if (r == 0)
		r = get_keys(s, ret->dropped_users, s->to != NULL ? s->to->dropped_users : NULL);
	return r == 0 && s->left != 0 ? -EBADMSG : r;
}

static int
compare_key(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Sorts them unless they are in order, as directories mostly deliver them. */
static bool
has_twice(uint64_t *keys, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		if (keys[i - 1] > keys[i]) {
			qsort(keys, count, sizeof *keys, compare_key);
			break;
		}
	}
	for (size_t i = 1; i < count; i++)
		if (keys[i - 1] == keys[i])
			return true;
	return false;
}

static int
judge_keys(const struct roster *r)
{
	size_t groups = (size_t)r->group_count + r->dropped_group_count, users = (size_t)r->user_count + r->dropped_user_count;
	uint64_t *keys = calloc((groups > users ? groups : users) + 1, sizeof *keys);
	bool twice;

	if (keys == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < groups; i++)
		keys[i] = i < r->group_count ? r->groups[i].key : r->dropped_groups[i - r->group_count];
	twice = has_twice(keys, groups);
	for (uint32_t i = 0; i < users; i++)
		keys[i] = i < r->user_count ? r->users[i].key : r->dropped_users[i - r->user_count];
	twice = has_twice(keys, users) || twice;
	free(keys);
	return twice ? -EBADMSG : 0;
}

static int
allocate(struct roster *to, const struct scan *counted, const struct counts *counts)
{
	to->groups = calloc((size_t)counts->groups + 1, sizeof *to->groups);
	to->users = calloc((size_t)counts->users + 1, sizeof *to->users);
	to->dropped_groups = calloc((size_t)counts->dropped_groups + 1, sizeof *to->dropped_groups);
	to->dropped_users = calloc((size_t)counts->dropped_users + 1, sizeof *to->dropped_users);
	to->strings = calloc(counted->strings + 1, 1);
	to->gids = calloc(counted->gids + 1, sizeof *to->gids);
	to->locals = calloc(counted->locals + 1, sizeof *to->locals);
	return to->groups == NULL || to->users == NULL || to->dropped_groups == NULL || to->dropped_users == NULL ||
	    to->strings == NULL || to->gids == NULL || to->locals == NULL ? -ENOMEM : 0;
}

int
roster_parse(const uint8_t *buf, size_t size, struct roster **ret)
{
	struct scan count = { .at = buf, .left = size }, copy = count;
	struct counts counts;
	struct roster *to;
	int r;

	if (size > ROSTER_BYTES_MAX)
		return -EBADMSG;
	r = scan_all(&count, &counts);
	if (r < 0)
		return r;
	to = calloc(1, sizeof *to);
	if (to == NULL)
		return -ENOMEM;
	r = allocate(to, &count, &counts);
	copy.to = to;
	if (r == 0)
		r = scan_all(&copy, &counts);
	to->kind = (enum roster_kind)counts.kind;
	to->group_count = counts.groups;
	to->user_count = counts.users;
	to->dropped_group_count = counts.dropped_groups;
	to->dropped_user_count = counts.dropped_users;
	if (r == 0)
		r = judge_keys(to);
	if (r < 0) {
		roster_free(to);
		return r;
	}
	*ret = to;
	return 0;
}

int
roster_open(int fd, struct roster **ret)
{
	struct stat st;
	void *map;
	int r;

	/* Sealed first, measured then: what is counted in one pass is what is copied in the other. */
	r = fcntl(fd, F_GET_SEALS);
	if (r < 0 || (r & ROSTER_SEALS) != ROSTER_SEALS)
		return -EPERM;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size <= 0 || st.st_size > (off_t)ROSTER_BYTES_MAX)
		return -EBADMSG;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	r = roster_parse(map, (size_t)st.st_size, ret);
	(void)munmap(map, (size_t)st.st_size);
	return r;
}

void
roster_free(struct roster *r)
{
	if (r == NULL)
		return;
	free(r->groups);
	free(r->users);
	free(r->strings);
	free(r->gids);
	free(r->dropped_groups);
	free(r->dropped_users);
	free(r->locals);
	free(r);
}

enum roster_kind
roster_kind(const struct roster *r)
{
	return r->kind;
}

uint32_t
roster_group_count(const struct roster *r)
{
	return r->group_count;
}

uint32_t
roster_user_count(const struct roster *r)
{
	return r->user_count;
}

const struct roster_group *
roster_group_at(struct roster *r, uint32_t i)
{
	return i < r->group_count ? &r->groups[i] : NULL;
}

const struct roster_user *
roster_user_at(struct roster *r, uint32_t i)
{
	return i < r->user_count ? &r->users[i] : NULL;
}

uint32_t
roster_dropped_group_count(const struct roster *r)
{
	return r->dropped_group_count;
}

uint32_t
roster_dropped_user_count(const struct roster *r)
{
	return r->dropped_user_count;
}

uint64_t
roster_dropped_group_at(const struct roster *r, uint32_t i)
{
	return r->dropped_groups[i];
}

uint64_t
roster_dropped_user_at(const struct roster *r, uint32_t i)
{
	return r->dropped_users[i];
}

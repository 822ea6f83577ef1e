/*
 * roster.c - reads a roster (grammar: roster.h).
 *
 * Runs in the publisher, as root, on bytes of a process that may be in an attacker's hands. One pass judges everything
 * and counts; then one record after the other is copied out of the bytes, which are sealed. Nothing is allocated by a
 * number that the bytes merely claim, and no string is used in its place.
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

#define USER_STRINGS 5

/* A reading place. */
struct scan {
	const uint8_t *at;
	size_t left;
};

/* Reading places of the next record of a kind. */
struct cursor {
	struct scan scan;
	uint32_t next;
};

/* One user copied out. */
struct user_copy {
	struct roster_user user;
	uint32_t gids[ROSTER_USER_GROUPS_MAX];
	const char *locals[ROSTER_LOCAL_MAX];
	char strings[USER_STRINGS + ROSTER_LOCAL_MAX][ROSTER_STR_MAX + 1];
};

struct roster {
	const uint8_t *bytes;		/* the mapping, or borrowed */
	size_t size;
	bool is_mapped;
	enum roster_kind kind;
	uint32_t group_count, user_count, dropped_group_count, dropped_user_count;
	const uint8_t *dropped;		/* in bytes: groups, then users */
	struct cursor groups, users, first_group, first_user;
	struct roster_group group;
	char group_name[ROSTER_STR_MAX + 1];
	struct user_copy copy;
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

/* to: room for ROSTER_STR_MAX + 1 bytes; gets its NUL. */
static int
get_string(struct scan *s, char *to)
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
	memcpy(to, s->at, len);
	to[len] = '\0';
	s->at += len;
	s->left -= len;
	return 0;
}

static int
get_group(struct scan *s, struct roster *to)
{
	int r;

	to->group.name = to->group_name;
	if ((r = get_u64(s, &to->group.key)) < 0 || (r = get_u32(s, &to->group.gid)) < 0)
		return r;
	return get_string(s, to->group_name);
}

static int
get_gids(struct scan *s, struct user_copy *to)
{
	int r;

	r = get_u32(s, &to->user.group_count);
	if (r < 0)
		return r;
	if (to->user.group_count > ROSTER_USER_GROUPS_MAX)
		return -EBADMSG;
	for (uint32_t i = 0; i < to->user.group_count; i++) {
		r = get_u32(s, &to->gids[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int
get_locals(struct scan *s, struct user_copy *to)
{
	int r;

	r = get_u32(s, &to->user.local_count);
	if (r < 0)
		return r;
	if (to->user.local_count > ROSTER_LOCAL_MAX)
		return -EBADMSG;
	for (uint32_t i = 0; i < to->user.local_count; i++) {
		to->locals[i] = to->strings[USER_STRINGS + i];
		r = get_string(s, to->strings[USER_STRINGS + i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int
get_user(struct scan *s, struct user_copy *to)
{
	struct roster_user *u = &to->user;
	const char **strings[USER_STRINGS] = { &u->name, &u->gecos, &u->home, &u->shell, &u->contact };
	int r;

	u->groups = to->gids;
	u->locals = to->locals;
	if ((r = get_u64(s, &u->key)) < 0 || (r = get_u32(s, &u->uid)) < 0 || (r = get_u32(s, &u->gid)) < 0 ||
	    (r = get_i64(s, &u->not_before_utc_sec)) < 0 || (r = get_i64(s, &u->not_after_utc_sec)) < 0 ||
	    (r = get_u32(s, &u->flags)) < 0)
		return r;
	if ((u->flags & ~(uint32_t)(ROSTER_ENDED | ROSTER_MFA | ROSTER_SERVICE)) != 0)
		return -EBADMSG;
	for (size_t i = 0; i < USER_STRINGS; i++) {
		*strings[i] = to->strings[i];
		r = get_string(s, to->strings[i]);
		if (r < 0)
			return r;
	}
	r = get_gids(s, to);
	return r < 0 ? r : get_locals(s, to);
}

static int
get_header(struct scan *s, struct roster *to)
{
	char magic[sizeof ROSTER_MAGIC - 1];
	uint32_t kind;
	int r;

	if ((r = get(s, magic, sizeof magic)) < 0 || (r = get_u32(s, &kind)) < 0 ||
	    (r = get_u32(s, &to->group_count)) < 0 || (r = get_u32(s, &to->user_count)) < 0 ||
	    (r = get_u32(s, &to->dropped_group_count)) < 0 || (r = get_u32(s, &to->dropped_user_count)) < 0)
		return r;
	if (memcmp(magic, ROSTER_MAGIC, sizeof magic) != 0 || (kind != ROSTER_WHOLE && kind != ROSTER_CHANGE))
		return -EBADMSG;
	to->kind = (enum roster_kind)kind;
	if (kind == ROSTER_WHOLE && (to->dropped_group_count != 0 || to->dropped_user_count != 0))
		return -EBADMSG;
	return 0;
}

/* ---- each key once ---- */

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

static uint64_t
dropped_at(const struct roster *r, size_t i)
{
	uint64_t wire;

	memcpy(&wire, r->dropped + i * sizeof wire, sizeof wire);
	return le64toh(wire);
}

/* Judge the keys of one kind of record; keys has count of those that are there, and room for those that are dropped. */
static int
judge_keys(const struct roster *r, uint64_t *keys, size_t count, size_t first_dropped, size_t dropped)
{
	for (size_t i = 0; i < dropped; i++)
		keys[count++] = dropped_at(r, first_dropped + i);
	return has_twice(keys, count) ? -EBADMSG : 0;
}

/* ---- one pass over everything ---- */

/* Leaves the cursors at the first records. group_keys and user_keys have room for all keys. */
static int
judge_records(struct roster *to, struct scan s, uint64_t *group_keys, uint64_t *user_keys)
{
	int r;

	to->first_group.scan = s;
	for (uint32_t i = 0; i < to->group_count; i++) {
		r = get_group(&s, to);
		if (r < 0)
			return r;
		group_keys[i] = to->group.key;
	}
	to->first_user.scan = s;
	for (uint32_t i = 0; i < to->user_count; i++) {
		r = get_user(&s, &to->copy);
		if (r < 0)
			return r;
		user_keys[i] = to->copy.user.key;
	}
	if (s.left != ((uint64_t)to->dropped_group_count + to->dropped_user_count) * sizeof(uint64_t))
		return -EBADMSG;
	to->dropped = s.at;
	to->groups = to->first_group;
	to->users = to->first_user;
	r = judge_keys(to, group_keys, to->group_count, 0, to->dropped_group_count);
	return r < 0 ? r : judge_keys(to, user_keys, to->user_count, to->dropped_group_count, to->dropped_user_count);
}

static int
judge(struct roster *to)
{
	struct scan s = { .at = to->bytes, .left = to->size };
	uint64_t *group_keys, *user_keys, groups, users;
	int r;

	r = get_header(&s, to);
	if (r < 0)
		return r;
	groups = (uint64_t)to->group_count + to->dropped_group_count;
	users = (uint64_t)to->user_count + to->dropped_user_count;
	if (groups + users > s.left / sizeof(uint64_t))		/* each has at least its key: no more is allocated */
		return -EBADMSG;
	group_keys = calloc((size_t)groups + 1, sizeof *group_keys);
	user_keys = calloc((size_t)users + 1, sizeof *user_keys);
	r = group_keys == NULL || user_keys == NULL ? -ENOMEM : judge_records(to, s, group_keys, user_keys);
	free(group_keys);
	free(user_keys);
	return r;
}

/* ---- opening ---- */

/* Judge the bytes of a roster that is freed if they are bad. */
static int
begin(struct roster *r, struct roster **ret)
{
	int error;

	error = judge(r);
	if (error < 0) {
		roster_free(r);
		return error;
	}
	*ret = r;
	return 0;
}

int
roster_parse(const uint8_t *buf, size_t size, struct roster **ret)
{
	struct roster *r;

	if (size > ROSTER_BYTES_MAX)
		return -EBADMSG;
	r = calloc(1, sizeof *r);
	if (r == NULL)
		return -ENOMEM;
	r->bytes = buf;
	r->size = size;
	return begin(r, ret);
}

int
roster_open(int fd, struct roster **ret)
{
	struct roster *to;
	struct stat st;
	void *map;
	int r;

	/* Sealed first, measured then: what is judged in one pass is what is copied in the other. */
	r = fcntl(fd, F_GET_SEALS);
	if (r < 0 || (r & ROSTER_SEALS) != ROSTER_SEALS)
		return -EPERM;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size <= 0 || st.st_size > (off_t)ROSTER_BYTES_MAX)
		return -EBADMSG;
	to = calloc(1, sizeof *to);
	if (to == NULL)
		return -ENOMEM;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED) {
		r = -errno;
		free(to);
		return r;
	}
	to->bytes = map;
	to->size = (size_t)st.st_size;
	to->is_mapped = true;
	return begin(to, ret);
}

void
roster_free(struct roster *r)
{
	if (r == NULL)
		return;
	if (r->is_mapped)
		(void)munmap((void *)(uintptr_t)r->bytes, r->size);
	free(r);
}

/* ---- what is in it ---- */

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

const struct roster_group *
roster_group_at(struct roster *r, uint32_t i)
{
	if (i >= r->group_count)
		return NULL;
	if (i < r->groups.next)
		r->groups = r->first_group;
	for (; r->groups.next <= i; r->groups.next++)
		if (get_group(&r->groups.scan, r) < 0)
			return NULL;	/* cannot be: it was judged, and is sealed */
	return &r->group;
}

const struct roster_user *
roster_user_at(struct roster *r, uint32_t i)
{
	if (i >= r->user_count)
		return NULL;
	if (i < r->users.next)
		r->users = r->first_user;
	for (; r->users.next <= i; r->users.next++)
		if (get_user(&r->users.scan, &r->copy) < 0)
			return NULL;	/* cannot be: it was judged, and is sealed */
	return &r->copy.user;
}

uint64_t
roster_dropped_group_at(const struct roster *r, uint32_t i)
{
	return dropped_at(r, i);
}

uint64_t
roster_dropped_user_at(const struct roster *r, uint32_t i)
{
	return dropped_at(r, (size_t)r->dropped_group_count + i);
}

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
	struct roster_group *groups;	/* owned */
	struct roster_user *users;	/* owned */
	uint32_t group_count, user_count;
	char *strings;			/* owned; all of them, each with NUL */
	uint32_t *indexes;		/* owned; all users' groups */
	const char **locals;		/* owned; all users' local groups */
};

/*
 * The reading place, and how far strings, indexes and locals were counted or copied. Without targets
 * (to == NULL) it only judges; strings are then returned as "".
 */
struct scan {
	const uint8_t *at;
	size_t left;
	struct roster *to;
	size_t strings, indexes, locals;
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
get_i64(struct scan *s, int64_t *ret)
{
	uint64_t wire;
	int r;

	r = get(s, &wire, sizeof wire);
	if (r == 0)
		*ret = (int64_t)le64toh(wire);
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

	r = get_u32(s, &ret->gid);
	return r < 0 ? r : get_string(s, &ret->name);
}

/* The groups of a user: indexes below group_count. */
static int
get_indexes(struct scan *s, uint32_t group_count, struct roster_user *ret)
{
	uint32_t index;
	int r;

	r = get_u32(s, &ret->group_count);
	if (r < 0)
		return r;
	if (ret->group_count > ROSTER_USER_GROUPS_MAX)
		return -EBADMSG;
	ret->groups = s->to != NULL ? s->to->indexes + s->indexes : NULL;
	for (uint32_t i = 0; i < ret->group_count; i++) {
		r = get_u32(s, &index);
		if (r < 0)
			return r;
		if (index >= group_count)
			return -EBADMSG;
		if (s->to != NULL)
			s->to->indexes[s->indexes] = index;
		s->indexes++;
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
get_user(struct scan *s, uint32_t group_count, struct roster_user *ret)
{
	const char **strings[] = { &ret->name, &ret->gecos, &ret->home, &ret->shell, &ret->contact };
	int r;

	if ((r = get_u32(s, &ret->uid)) < 0 || (r = get_u32(s, &ret->gid)) < 0 ||
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
	r = get_indexes(s, group_count, ret);
	return r < 0 ? r : get_locals(s, ret);
}

/* One pass over everything. */
static int
scan_all(struct scan *s, uint32_t *ret_groups, uint32_t *ret_users)
{
	char magic[sizeof ROSTER_MAGIC - 1];
	struct roster_group group;
	struct roster_user user;
	int r;

	if ((r = get(s, magic, sizeof magic)) < 0 || (r = get_u32(s, ret_groups)) < 0 ||
	    (r = get_u32(s, ret_users)) < 0)
		return r;
	if (memcmp(magic, ROSTER_MAGIC, sizeof magic) != 0)
		return -EBADMSG;
	for (uint32_t i = 0; i < *ret_groups; i++) {
		r = get_group(s, &group);
		if (r < 0)
			return r;
		if (s->to != NULL)
			s->to->groups[i] = group;
	}
	for (uint32_t i = 0; i < *ret_users; i++) {
		r = get_user(s, *ret_groups, &user);
		if (r < 0)
			return r;
		if (s->to != NULL)
			s->to->users[i] = user;
	}
	return s->left == 0 ? 0 : -EBADMSG;
}

int
roster_parse(const uint8_t *buf, size_t size, struct roster **ret)
{
	struct scan count = { .at = buf, .left = size }, copy = count;
	struct roster *to;
	uint32_t groups, users;
	int r;

	if (size > ROSTER_BYTES_MAX)
		return -EBADMSG;
	r = scan_all(&count, &groups, &users);
	if (r < 0)
		return r;
	to = calloc(1, sizeof *to);
	if (to == NULL)
		return -ENOMEM;
	to->groups = calloc((size_t)groups + 1, sizeof *to->groups);
	to->users = calloc((size_t)users + 1, sizeof *to->users);
	to->strings = calloc(count.strings + 1, 1);
	to->indexes = calloc(count.indexes + 1, sizeof *to->indexes);
	to->locals = calloc(count.locals + 1, sizeof *to->locals);
	if (to->groups == NULL || to->users == NULL || to->strings == NULL || to->indexes == NULL ||
	    to->locals == NULL) {
		roster_free(to);
		return -ENOMEM;
	}
	copy.to = to;
	r = scan_all(&copy, &to->group_count, &to->user_count);
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
	free(r->indexes);
	free(r->locals);
	free(r);
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
roster_group_at(const struct roster *r, uint32_t i)
{
	return i < r->group_count ? &r->groups[i] : NULL;
}

const struct roster_user *
roster_user_at(const struct roster *r, uint32_t i)
{
	return i < r->user_count ? &r->users[i] : NULL;
}

/*
 * roster_write.c - encodes a roster into a sealed memfd (grammar: roster.h).
 *
 * Runs in the directory process. Refuses what the reader would refuse, so that one odd entry is seen where
 * it can be named, and never costs everybody the whole roster.
 */
#include <config.h>

#include "daemon/roster.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HEADER_SIZE	(8 + 5 * 4)

/* Keys of what is gone; they follow the records. */
struct keys {
	uint64_t *list;		/* owned */
	uint32_t count, room;
};

struct roster_writer {
	enum roster_kind kind;
	uint8_t *bytes;		/* owned; the header's room first */
	size_t used, room;
	uint32_t group_count, user_count;
	struct keys dropped_groups, dropped_users;
};

struct roster_writer *
roster_writer_new(enum roster_kind kind)
{
	struct roster_writer *w = calloc(1, sizeof *w);

	if (w == NULL)
		return NULL;
	w->kind = kind;
	w->used = HEADER_SIZE;
	return w;
}

void
roster_writer_free(struct roster_writer *w)
{
	if (w == NULL)
		return;
	free(w->bytes);
	free(w->dropped_groups.list);
	free(w->dropped_users.list);
	free(w);
}

static int
reserve(struct roster_writer *w, size_t more)
{
	size_t room = w->room == 0 ? 4096 : w->room;
	uint8_t *bytes;

	if (more > ROSTER_BYTES_MAX - w->used)
		return -E2BIG;
	while (room - w->used < more)
		room *= 2;
	if (room == w->room)
		return 0;
	bytes = realloc(w->bytes, room);
	if (bytes == NULL)
		return -ENOMEM;
	w->bytes = bytes;
	w->room = room;
	return 0;
}

static void
put(struct roster_writer *w, const void *bytes, size_t len)
{
	memcpy(w->bytes + w->used, bytes, len);
	w->used += len;
}

static void
put_u32(struct roster_writer *w, uint32_t number)
{
	number = htole32(number);
	put(w, &number, sizeof number);
}

static void
put_u64(struct roster_writer *w, uint64_t number)
{
	number = htole64(number);
	put(w, &number, sizeof number);
}

static void
put_string(struct roster_writer *w, const char *string)
{
	uint16_t len = (uint16_t)strlen(string), wire = htole16(len);

	put(w, &wire, sizeof wire);
	put(w, string, len);
}

/* Whether the reader will take a string: 0, -E2BIG, or -EINVAL for control characters. Adds its bytes to *size. */
static int
judge_string(const char *string, size_t *size)
{
	size_t len = strlen(string);

	if (len > ROSTER_STR_MAX)
		return -E2BIG;
	for (size_t i = 0; i < len; i++)
		if ((uint8_t)string[i] < 0x20 || string[i] == 0x7f)
			return -EINVAL;
	*size += sizeof(uint16_t) + len;
	return 0;
}

int
roster_add_group(struct roster_writer *w, const struct roster_group *group)
{
	size_t size = sizeof(uint64_t) + sizeof(uint32_t);
	int r;

	if (w->user_count > 0)
		return -EINVAL;
	r = judge_string(group->name, &size);
	if (r == 0)
		r = reserve(w, size);
	if (r < 0)
		return r;
	put_u64(w, group->key);
	put_u32(w, group->gid);
	put_string(w, group->name);
	w->group_count++;
	return 0;
}

/* Bytes of a user's record, or what is wrong with it. */
static int
judge_user(const struct roster_user *user, size_t *ret_size)
{
	const char *strings[] = { user->name, user->gecos, user->home, user->shell, user->contact };
	size_t size = 3 * sizeof(uint64_t) + 3 * sizeof(uint32_t) + 2 * sizeof(uint32_t);
	int r;

	if (user->group_count > ROSTER_USER_GROUPS_MAX || user->local_count > ROSTER_LOCAL_MAX)
		return -E2BIG;
	for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
		r = judge_string(strings[i], &size);
		if (r < 0)
			return r;
	}
	for (uint32_t i = 0; i < user->local_count; i++) {
		r = judge_string(user->locals[i], &size);
		if (r < 0)
			return r;
	}
	if ((user->flags & ROSTER_LOST) != 0 ? user->lost_count == 0 || user->lost_count > ROSTER_LOST_MAX ||
	    user->lost_ending > user->lost_count : user->lost_count != 0)
		return -EINVAL;
	if (user->lost_count > 0)
		size += (2 + (size_t)user->lost_count) * sizeof(uint32_t);
	*ret_size = size + (size_t)user->group_count * sizeof(uint32_t);
	return 0;
}

int
roster_add_user(struct roster_writer *w, const struct roster_user *user)
{
	size_t size = 0;
	int r;

	r = judge_user(user, &size);
	if (r == 0)
		r = reserve(w, size);
	if (r < 0)
		return r;
	put_u64(w, user->key);
	put_u32(w, user->uid);
	put_u32(w, user->gid);
	put_u64(w, (uint64_t)user->not_before_utc_sec);
	put_u64(w, (uint64_t)user->not_after_utc_sec);
	put_u32(w, user->flags);
	put_string(w, user->name);
	put_string(w, user->gecos);
	put_string(w, user->home);
	put_string(w, user->shell);
	put_string(w, user->contact);
	put_u32(w, user->group_count);
	for (uint32_t i = 0; i < user->group_count; i++)
		put_u32(w, user->groups[i]);
	put_u32(w, user->local_count);
	for (uint32_t i = 0; i < user->local_count; i++)
		put_string(w, user->locals[i]);
	if (user->lost_count > 0) {
		put_u32(w, user->lost_count);
		put_u32(w, user->lost_ending);
	}
	for (uint32_t i = 0; i < user->lost_count; i++)
		put_u32(w, user->lost[i]);
	w->user_count++;
	return 0;
}

static int
drop(const struct roster_writer *w, struct keys *keys, uint64_t key)
{
	if (w->kind != ROSTER_CHANGE)
		return -EINVAL;
	if (keys->count == keys->room) {
		uint32_t room = keys->room == 0 ? 16 : keys->room * 2;
		uint64_t *list;

		if (room > ROSTER_BYTES_MAX / sizeof *list)
			return -E2BIG;
		list = reallocarray(keys->list, room, sizeof *list);
		if (list == NULL)
			return -ENOMEM;
		keys->list = list;
		keys->room = room;
	}
	keys->list[keys->count++] = key;
	return 0;
}

int
roster_drop_group(struct roster_writer *w, uint64_t key)
{
	return drop(w, &w->dropped_groups, key);
}

int
roster_drop_user(struct roster_writer *w, uint64_t key)
{
	return drop(w, &w->dropped_users, key);
}

/* Write the header into its room, and the dropped keys behind the records. */
static int
put_rest(struct roster_writer *w)
{
	size_t end, keys = (size_t)w->dropped_groups.count + w->dropped_users.count;
	int r;

	r = reserve(w, keys * sizeof(uint64_t));
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < w->dropped_groups.count; i++)
		put_u64(w, w->dropped_groups.list[i]);
	for (uint32_t i = 0; i < w->dropped_users.count; i++)
		put_u64(w, w->dropped_users.list[i]);
	end = w->used;
	w->used = 0;
	put(w, ROSTER_MAGIC, sizeof ROSTER_MAGIC - 1);
	put_u32(w, w->kind);
	put_u32(w, w->group_count);
	put_u32(w, w->user_count);
	put_u32(w, w->dropped_groups.count);
	put_u32(w, w->dropped_users.count);
	w->used = end;
	return 0;
}

static int
write_whole(int fd, const uint8_t *bytes, size_t size)
{
	ssize_t n;

	for (; size > 0; bytes += n, size -= (size_t)n) {
		n = write(fd, bytes, size);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return n < 0 ? -errno : -EIO;
	}
	return 0;
}

int
roster_seal(struct roster_writer *w, int *ret_fd)
{
	int fd, r;

	r = put_rest(w);
	if (r < 0)
		return r;
	fd = memfd_create("isms-roster", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	r = write_whole(fd, w->bytes, w->used);
	if (r == 0 && fcntl(fd, F_ADD_SEALS, ROSTER_SEALS) < 0)
		r = -errno;
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

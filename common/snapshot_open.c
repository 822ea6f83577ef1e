/*
 * snapshot_open.c - maps base and delta and checks their headers, once per mapping.
 *
 * Runs inside every process that resolves a name. Never blocks on what lies at the path, never follows a
 * link, keeps no descriptor, and accepts no file that another user than the owner could change: a file
 * that shrinks under a mapping kills its readers (MEASURED 9).
 *
 * The publisher puts the delta of a new base in place before the base itself, and leaves that of the base before
 * until the next comes. So who finds no delta, and then the same base still at its path, knows that there is none. The
 * publisher says so, too, where it can be read without a system call: it takes its word back, durably, before anything
 * else gets a name.
 */
#include <config.h>

#include "common/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/descriptor.h"
#include "common/snapshot_format.h"

#define TRIES_MAX	8	/* bases that are opened, one after the other, while they are replaced */

uint32_t
snapshot_crc32c(uint32_t crc, const void *bytes, size_t len)
{
	static const uint32_t nibbles[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
		0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};
	const uint8_t *at = bytes;

	crc = ~crc;
	for (size_t i = 0; i < len; i++) {
		crc ^= at[i];
		crc = crc >> 4 ^ nibbles[crc & 15];
		crc = crc >> 4 ^ nibbles[crc & 15];
	}
	return ~crc;
}

uint32_t
snapshot_header_checksum(const struct snapshot_header *header)
{
	const size_t at = offsetof(struct snapshot_header, header_crc), after = at + sizeof header->header_crc;
	const uint8_t *bytes = (const uint8_t *)header;
	const uint32_t zero = 0;
	uint32_t crc;

	crc = snapshot_crc32c(0, bytes, at);
	crc = snapshot_crc32c(crc, &zero, sizeof zero);
	return snapshot_crc32c(crc, bytes + after, sizeof *header - after);
}

/* Whether every section lies in the file, aligned, and each table has room for its count and the longest run. */
static bool
sections_fit(const struct snapshot_header *h)
{
	for (unsigned i = 0; i < SECTION_COUNT; i++) {
		const struct snapshot_span *span = &h->section[i];
		uint32_t records;

		if (span->at % SNAPSHOT_SECTION_ALIGN != 0 || span->at < sizeof *h || span->at > h->total_size ||
		    span->size > h->total_size - span->at)
			return false;
		if (!snapshot_table_records(h, i, &records))
			continue;
		if (i >= SECTION_HIDDEN_USERS && h->base_generation == 0) {
			if (span->size != 0 || records != 0)
				return false;
			continue;
		}
		if (span->size % sizeof(uint32_t) != 0 ||
		    span->size / sizeof(uint32_t) <= (uint64_t)SNAPSHOT_PROBE_MAX + records)
			return false;
	}
	return h->section[SECTION_USERS].size % 4 == 0 && h->section[SECTION_GROUPS].size % 4 == 0;
}

/* Whether the header's list of local gids and its text are what they must be. */
static bool
facts_fit(const struct snapshot_header *h)
{
	static const uint32_t zeros[sizeof h->reserved / sizeof h->reserved[0]];

	if (h->local_gid_count > SNAPSHOT_LOCAL_GIDS_MAX)
		return false;
	for (uint32_t i = 0; i < h->local_gid_count; i++)
		if (h->local_gids[i] == 0 || h->local_gids[i] > INT32_MAX)
			return false;
	return h->contact[SNAPSHOT_CONTACT_MAX] == '\0' && (h->flags & ~(uint32_t)SNAPSHOT_ENUMERABLE) == 0 &&
	    h->user_ref_bits >= 1 && h->user_ref_bits <= 31 && h->group_ref_bits >= 1 && h->group_ref_bits <= 31 &&
	    memcmp(h->reserved, zeros, sizeof zeros) == 0;
}

/* Check the header of one file. */
static int
check_file(const uint8_t *file, size_t size)
{
	const struct snapshot_header *h = (const void *)file;

	if (size < sizeof *h || (uintptr_t)file % SNAPSHOT_SECTION_ALIGN != 0)
		return -EBADMSG;
	if (memcmp(h->magic, SNAPSHOT_MAGIC, sizeof h->magic) != 0 || h->byte_order != SNAPSHOT_BYTE_ORDER ||
	    h->version != SNAPSHOT_VERSION)
		return -EBADMSG;
	if (h->total_size != size || h->total_size > SNAPSHOT_SIZE_MAX || h->header_crc != snapshot_header_checksum(h))
		return -EBADMSG;
	return sections_fit(h) && facts_fit(h) ? 0 : -EBADMSG;
}

static int
check_base(const uint8_t *file, size_t size)
{
	const struct snapshot_header *h = (const void *)file;
	int r = check_file(file, size);

	return r == 0 && (h->base_generation != 0 || h->base_seed != 0) ? -EBADMSG : r;
}

/* A delta hides no more than there is, so that no count wraps. */
static int
check_delta(const uint8_t *file, size_t size, const struct snapshot_header *base)
{
	const struct snapshot_header *h = (const void *)file;
	int r = check_file(file, size);

	if (r < 0)
		return r;
	if (h->base_generation == 0 || h->base_generation != base->generation || h->base_seed != base->seed[0])
		return -ESTALE;
	return h->hidden_user_count <= base->user_count && h->hidden_group_count <= base->group_count ? 0 : -EBADMSG;
}

int
snapshot_check(const struct snapshot *s)
{
	int r = check_base(s->base, s->size);

	return r == 0 && s->delta != NULL ? check_delta(s->delta, s->delta_size, (const void *)s->base) : r;
}

/* ---- one file ---- */

/* Whether only the owner could have written what was found. */
static bool
is_owners(const struct stat *st, uid_t owner)
{
	return S_ISREG(st->st_mode) && st->st_uid == owner && (st->st_mode & 022) == 0;
}

static struct snapshot_file
file_of(const struct stat *st)
{
	return (struct snapshot_file){
		.dev = st->st_dev, .ino = st->st_ino, .size = (uint64_t)st->st_size,
		.mtime_sec = st->st_mtim.tv_sec, .mtime_nsec = st->st_mtim.tv_nsec,
		.ctime_sec = st->st_ctim.tv_sec, .ctime_nsec = st->st_ctim.tv_nsec,
	};
}

int
snapshot_file_of(int fd, struct snapshot_file *ret)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	*ret = file_of(&st);
	return 0;
}

uint64_t
snapshot_file_mark(const struct snapshot_file *file)
{
	const uint64_t facts[] = { file->dev, file->ino, file->size, (uint64_t)file->mtime_sec, (uint64_t)file->mtime_nsec,
		(uint64_t)file->ctime_sec, (uint64_t)file->ctime_nsec };
	uint64_t mark = 0;

	for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
		mark = (mark ^ facts[i]) * UINT64_C(0x9e3779b97f4a7c15);
		mark ^= mark >> 32;
	}
	return mark != 0 ? mark : 1;
}

static bool
is_same_file(const struct snapshot_file *one, const struct snapshot_file *other)
{
	return one->dev == other->dev && one->ino == other->ino && one->size == other->size &&
	    one->mtime_sec == other->mtime_sec && one->mtime_nsec == other->mtime_nsec;
}

/* Map a file whole, its header unseen. */
static int
map_file(const char *path, uid_t owner, const uint8_t **ret, struct snapshot_file *ret_file)
{
	void *map = MAP_FAILED;
	struct stat st;
	int fd, r = 0;

	fd = descriptor_above_stdio(open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
	if (fd < 0)
		return errno == ELOOP ? -EPERM : -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (!is_owners(&st, owner))
		r = -EPERM;
	else if (st.st_size < (off_t)sizeof(struct snapshot_header) || (uint64_t)st.st_size > SNAPSHOT_SIZE_MAX ||
	    (uint64_t)st.st_size > SIZE_MAX)
		r = -EBADMSG;
	if (r < 0)
		goto out;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED) {
		r = -errno;
		goto out;
	}
	*ret = map;
	*ret_file = file_of(&st);
out:
	(void)close(fd);
	return r;
}

static void
unmap(const uint8_t *file, size_t size)
{
	if (file != NULL)
		(void)munmap((void *)(uintptr_t)file, size);
}

static int
open_base(const char *path, uid_t owner, struct snapshot_file *ret_file, struct snapshot *ret)
{
	const uint8_t *base;
	int r;

	r = map_file(path, owner, &base, ret_file);
	if (r < 0)
		return r;
	r = check_base(base, (size_t)ret_file->size);
	if (r < 0)
		unmap(base, (size_t)ret_file->size);
	else
		*ret = (struct snapshot){ .base = base, .size = (size_t)ret_file->size };
	return r;
}

int
snapshot_open(const char *path, uid_t owner, struct snapshot *ret)
{
	struct snapshot_file file;

	return open_base(path, owner, &file, ret);
}

/* ---- both ---- */

void
snapshot_delta_name(uint64_t generation, char ret[SNAPSHOT_DELTA_NAME_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	char *last = ret + strlen("delta.1.0123456789abcde");

	memcpy(ret, "delta.1.0123456789abcdef.snap", SNAPSHOT_DELTA_NAME_SIZE);
	for (unsigned i = 0; i < 16; i++, generation >>= 4)
		last[-(int)i] = digits[generation & 15];
}

/* The path of a base's delta. Small, and without printf: each new page of stack or libc costs every process. */
static int
delta_path(const char *path, const struct snapshot *s, char ret[SNAPSHOT_PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	size_t folder = slash == NULL ? 0 : (size_t)(slash + 1 - path);

	if (folder > SNAPSHOT_PATH_MAX - SNAPSHOT_DELTA_NAME_SIZE)
		return -ENAMETOOLONG;
	memcpy(ret, path, folder);
	snapshot_delta_name(((const struct snapshot_header *)(const void *)s->base)->generation, ret + folder);
	return 0;
}

static void
drop_delta(struct snapshot *s)
{
	unmap(s->delta, s->delta_size);
	s->delta = NULL;
	s->delta_size = 0;
}

int
snapshot_open_delta_file(const char *file, uid_t owner, struct snapshot *s)
{
	struct snapshot_file found;
	const uint8_t *map;
	int r;

	drop_delta(s);
	r = map_file(file, owner, &map, &found);
	if (r < 0)
		return r;
	r = check_delta(map, (size_t)found.size, (const void *)s->base);
	if (r < 0) {
		unmap(map, (size_t)found.size);
		return r;
	}
	s->delta = map;
	s->delta_size = (size_t)found.size;
	return 0;
}

int
snapshot_open_delta(const char *path, uid_t owner, struct snapshot *s)
{
	char file[SNAPSHOT_PATH_MAX];
	int r;

	drop_delta(s);
	r = delta_path(path, s, file);
	if (r == 0)
		r = snapshot_open_delta_file(file, owner, s);
	return r == -ENOENT ? 0 : r;
}

/* Whether a file lies at the path that is the one that was mapped, and still nobody's but the owner's. */
static bool
still_there(const char *path, uid_t owner, const struct snapshot_file *file)
{
	struct snapshot_file found;
	struct stat st;

	if (lstat(path, &st) < 0 || !is_owners(&st, owner))
		return false;
	found = file_of(&st);
	return is_same_file(&found, file);
}

int
snapshot_renew(const char *path, uid_t owner, const uint8_t *have, struct snapshot_file *file,
    const _Atomic uint64_t *bare, struct snapshot *ret)
{
	struct snapshot s = { 0 };
	struct snapshot_file found;
	bool there;
	int r;

	for (unsigned tries = 0; tries < TRIES_MAX; tries++) {
		if (have != NULL && still_there(path, owner, file)) {
			s = (struct snapshot){ .base = have, .size = (size_t)file->size };
			found = *file;
		} else {
			r = open_base(path, owner, &found, &s);
			if (r < 0)
				return r;
		}
		if (bare != NULL && atomic_load(bare) == snapshot_file_mark(&found)) {
			r = 0;
			there = true;
		} else {
			r = snapshot_open_delta(path, owner, &s);
			there = (r == 0 && s.delta != NULL) || still_there(path, owner, &found);
		}
		if (r == 0 && there) {
			*file = found;
			*ret = s;
			return 0;
		}
		if (s.base != have)
			unmap(s.base, s.size);
		if (there)
			return r;
	}
	return -EAGAIN;
}

int
snapshot_open_state(const char *path, uid_t owner, struct snapshot *ret)
{
	struct snapshot_file file;

	return snapshot_renew(path, owner, NULL, &file, NULL, ret);
}

void
snapshot_close(struct snapshot *s)
{
	unmap(s->base, s->size);
	unmap(s->delta, s->delta_size);
	*s = (struct snapshot){ 0 };
}

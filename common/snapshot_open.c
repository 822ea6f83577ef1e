/*
 * snapshot_open.c - maps a snapshot and checks its header, once per mapping.
 *
 * Runs inside every process that resolves a name. Never blocks on what lies at the path, never follows a
 * link, keeps no descriptor, and accepts no file that another user than the owner could change: a file
 * that shrinks under a mapping kills its readers (MEASURED 9).
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
		uint32_t records = i < SECTION_GROUP_NAMES ? h->user_count : h->group_count;

		if (span->at % SNAPSHOT_SECTION_ALIGN != 0 || span->at < sizeof *h || span->at > h->total_size ||
		    span->size > h->total_size - span->at)
			return false;
		if (i < SECTION_USER_NAMES)
			continue;
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

int
snapshot_check(const struct snapshot *s)
{
	const struct snapshot_header *h = (const void *)s->base;

	if (s->size < sizeof *h || (uintptr_t)s->base % SNAPSHOT_SECTION_ALIGN != 0)
		return -EBADMSG;
	if (memcmp(h->magic, SNAPSHOT_MAGIC, sizeof h->magic) != 0 || h->byte_order != SNAPSHOT_BYTE_ORDER ||
	    h->version != SNAPSHOT_VERSION)
		return -EBADMSG;
	if (h->total_size != s->size || h->total_size > SNAPSHOT_SIZE_MAX ||
	    h->header_crc != snapshot_header_checksum(h))
		return -EBADMSG;
	return sections_fit(h) && facts_fit(h) ? 0 : -EBADMSG;
}

int
snapshot_open(const char *path, uid_t owner, struct snapshot *ret)
{
	struct snapshot s = { 0 };
	void *map = MAP_FAILED;
	struct stat st;
	int fd, r;

	fd = descriptor_above_stdio(open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
	if (fd < 0)
		return errno == ELOOP ? -EPERM : -errno;
	if (fstat(fd, &st) < 0) {
		r = -errno;
		goto out;
	}
	if (!S_ISREG(st.st_mode) || st.st_uid != owner || (st.st_mode & 022) != 0) {
		r = -EPERM;
		goto out;
	}
	if (st.st_size < (off_t)sizeof(struct snapshot_header) || (uint64_t)st.st_size > SNAPSHOT_SIZE_MAX ||
	    (uint64_t)st.st_size > SIZE_MAX) {
		r = -EBADMSG;
		goto out;
	}
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED) {
		r = -errno;
		goto out;
	}
	s = (struct snapshot){ .base = map, .size = (size_t)st.st_size };
	r = snapshot_check(&s);
	if (r < 0)
		goto out;
	*ret = s;
	map = MAP_FAILED;	/* now owned by *ret */
out:
	if (map != MAP_FAILED)
		(void)munmap(map, s.size);
	(void)close(fd);
	return r;
}

void
snapshot_close(struct snapshot *s)
{
	if (s->base != NULL)
		(void)munmap((void *)(uintptr_t)s->base, s->size);
	*s = (struct snapshot){ 0 };
}

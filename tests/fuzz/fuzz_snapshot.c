/*
 * fuzz_snapshot.c - hostile bases and deltas behind headers that fit, in memory and as files: no answer below the floor.
 *
 * covers: common/snapshot.c common/snapshot_list.c common/snapshot_members.c common/snapshot_next.c
 * covers: common/snapshot_open.c common/snapshot_whole.c common/snapshot_whole_delta.c
 *
 * An input is the size of the base (u32, its top bit: headers stay as they are), the base, and the rest is the delta.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/snapshot_format.h"
#include "tests/fuzz/fuzz_snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool condition)
{
	if (!condition)
		abort();
}

/* ---- files ---- */

static void
put_file(const char *path, const void *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	must(fd >= 0 && write(fd, bytes, size) == (ssize_t)size && fchmod(fd, 0644) == 0 && close(fd) == 0);
}

/* Where the page says that a base has no delta, nobody looks for one; a mark of another file says nothing. */
static void
renew_by_mark(const char *base, int expected, bool has_delta)
{
	int fd = open(base, O_RDONLY | O_CLOEXEC);
	struct snapshot_file file, found;
	struct snapshot s = { 0 };
	_Atomic uint64_t bare;

	must(fd >= 0 && snapshot_file_of(fd, &file) == 0 && close(fd) == 0 && snapshot_file_of(-1, &found) == -EBADF);
	bare = snapshot_file_mark(&file) + 1;
	must(snapshot_renew(base, geteuid(), NULL, &found, &bare, &s) == expected && (s.delta != NULL) == (expected == 0 && has_delta));
	snapshot_close(&s);
	bare--;
	if (expected == 0)
		must(snapshot_renew(base, geteuid(), NULL, &found, &bare, &s) == 0 && s.delta == NULL);
	snapshot_close(&s);
}

/* The same answer to an open as to a check in memory, unless somebody else could write either of the files. */
static void
open_files(const struct snapshot *s, int expected)
{
	char folder[] = "/tmp/isms-fuzz-XXXXXX", base[64], delta[64 + SNAPSHOT_DELTA_NAME_SIZE] = "";
	char name[SNAPSHOT_DELTA_NAME_SIZE];
	struct snapshot found = { 0 };

	must(mkdtemp(folder) != NULL);
	(void)snprintf(base, sizeof base, "%s/" SNAPSHOT_BASE_NAME, folder);
	put_file(base, s->base, s->size);
	if (s->delta != NULL && s->size >= sizeof(struct snapshot_header)) {
		snapshot_delta_name(((const struct snapshot_header *)(const void *)s->base)->generation, name);
		(void)snprintf(delta, sizeof delta, "%s/%s", folder, name);
		put_file(delta, s->delta, s->delta_size);
	}
	must(snapshot_open_state(base, geteuid(), &found) == expected);
	snapshot_close(&found);
	renew_by_mark(base, expected, s->delta != NULL);
	must(snapshot_open_state(base, geteuid() + 1, &found) == -EPERM);
	must(delta[0] == '\0' || chmod(delta, 0620) == 0);
	if (delta[0] != '\0' && expected == 0)
		must(snapshot_open_state(base, geteuid(), &found) == -EPERM);
	must(chmod(base, 0602) == 0 && snapshot_open_state(base, geteuid(), &found) == -EPERM);
	must(delta[0] == '\0' || unlink(delta) == 0);
	must(unlink(base) == 0 && snapshot_open_state(base, geteuid(), &found) == -ENOENT && rmdir(folder) == 0);
}

/* ---- memory ---- */

/* Exactly as long as it is, so that the sanitizer sees a byte too many. */
static uint8_t *
copy_of(const uint8_t *bytes, size_t size)
{
	void *copy = NULL;

	must(posix_memalign(&copy, SNAPSHOT_SECTION_ALIGN, size == 0 ? 1 : size) == 0);
	memcpy(copy, bytes, size);
	return copy;
}

/* Make a header fit, so that what lies behind it is reached. */
static void
mend(uint8_t *bytes, size_t size, const struct snapshot_header *base)
{
	struct snapshot_header *h = (void *)bytes;

	memcpy(h->magic, SNAPSHOT_MAGIC, sizeof h->magic);
	h->version = SNAPSHOT_VERSION;
	h->byte_order = SNAPSHOT_BYTE_ORDER;
	h->total_size = size;
	h->base_generation = base == NULL ? 0 : base->generation;
	h->base_seed = base == NULL ? 0 : base->seed[0];
	h->header_crc = snapshot_header_checksum(h);
}

static void
ask(const struct snapshot *s)
{
	const struct snapshot alone = { .base = s->base, .size = s->size };

	fuzz_snapshot_ask(s);
	(void)snapshot_check_whole(&alone);
	(void)snapshot_check_whole(s);
	/* whatever its base is like */
	if (s->delta != NULL)
		(void)snapshot_check_delta(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct snapshot s = { 0 };
	uint8_t *base, *delta = NULL;
	uint32_t first;

	if (size < sizeof first)
		return 0;
	memcpy(&first, data, sizeof first);
	data += sizeof first;
	size -= sizeof first;
	s.size = (first & INT32_MAX) < size ? (first & INT32_MAX) : size;
	s.delta_size = size - s.size;
	s.base = base = copy_of(data, s.size);
	if (s.delta_size > 0)
		s.delta = delta = copy_of(data + s.size, s.delta_size);
	if (first <= INT32_MAX && s.size >= sizeof(struct snapshot_header)) {
		mend(base, s.size, NULL);
		if (s.delta_size >= sizeof(struct snapshot_header))
			mend(delta, s.delta_size, (const void *)base);
	}
	if (s.size > 0)
		open_files(&s, snapshot_check(&s));
	if (snapshot_check(&s) == 0)
		ask(&s);
	free(base);
	free(delta);
	return 0;
}

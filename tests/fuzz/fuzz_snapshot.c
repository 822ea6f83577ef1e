/*
 * fuzz_snapshot.c - hostile snapshots behind a header that fits, from memory and as a file; no answer is below the floor.
 *
 * covers: common/snapshot.c common/snapshot_open.c common/snapshot_whole.c
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/snapshot_format.h"
#include "tests/fuzz/fuzz_snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The same bytes as a file: the same answer, whole or not, unless somebody else could write it. */
static void
open_file(const void *bytes, size_t size, int expected)
{
	char path[] = "/tmp/isms-fuzz-XXXXXX";
	struct snapshot s = { 0 };
	int fd = mkstemp(path);

	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size || snapshot_open(path, geteuid(), &s) != expected)
		abort();
	snapshot_close(&s);
	if (snapshot_open(path, geteuid() + 1, &s) != -EPERM || fchmod(fd, 0620) < 0 ||
	    snapshot_open(path, geteuid(), &s) != -EPERM || close(fd) < 0 || unlink(path) < 0 ||
	    snapshot_open(path, geteuid(), &s) != -ENOENT)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct snapshot s = { .size = size };
	struct snapshot_header *header;
	void *copy = NULL;

	if (size < sizeof *header) {
		open_file(data, size, -EBADMSG);
		return 0;
	}
	/* Exactly as long as it is, so that the sanitizer sees a byte too many. */
	if (posix_memalign(&copy, SNAPSHOT_SECTION_ALIGN, size) != 0)
		return 0;
	memcpy(copy, data, size);
	s.base = copy;
	if (snapshot_check(&s) < 0) {	/* make it fit, so that what lies behind is reached */
		header = copy;
		memcpy(header->magic, SNAPSHOT_MAGIC, sizeof header->magic);
		header->version = SNAPSHOT_VERSION;
		header->byte_order = SNAPSHOT_BYTE_ORDER;
		header->total_size = size;
		header->header_crc = snapshot_header_checksum(header);
	}
	open_file(copy, size, snapshot_check(&s));
	if (snapshot_check(&s) == 0) {
		fuzz_snapshot_ask(&s);
		(void)snapshot_check_whole(&s);
	}
	free(copy);
	return 0;
}

/*
 * fuzz_snapshot.c - hostile snapshots behind a header that fits; no answer is below the floor. covers: common/snapshot.c
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "common/snapshot_format.h"
#include "tests/fuzz/fuzz_snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct snapshot s = { .size = size };
	struct snapshot_header *header;
	void *copy = NULL;

	/* Exactly as long as it is, so that the sanitizer sees a byte too many. */
	if (size < sizeof *header || posix_memalign(&copy, SNAPSHOT_SECTION_ALIGN, size) != 0)
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
	if (snapshot_check(&s) == 0)
		fuzz_snapshot_ask(&s);
	free(copy);
	return 0;
}

/*
 * fuzz_proto.c - the wire decoder: whatever it takes, it writes again byte for byte.
 *
 * Seeds: the golden frame of every message (test_proto.c), and frames that are refused. covers: common/proto.c
 */
#include <config.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t again[PROTO_PRIVATE_MAX];
	const struct message_info *info;
	void *msg;

	if (proto_peek(data, size, &info) < 0)
		return 0;
	msg = malloc(info->struct_size);	/* exactly as large, so that ASan sees a field that is overrun */
	if (msg == NULL)
		return 0;
	if (proto_decode(info, data, size, msg) == 0 && size <= sizeof again) {
		if (proto_encode(info, msg, again, sizeof again) != (int)size || memcmp(again, data, size) != 0)
			abort();
		for (size_t i = 1; i <= 9 && i <= size; i++)	/* room for all but the last field, or not even the header */
			if (proto_encode(info, msg, again, size - i) != -ENOBUFS)
				abort();
		if (proto_encode(info, msg, again, 0) != -ENOBUFS)
			abort();
	}
	free(msg);
	return 0;
}

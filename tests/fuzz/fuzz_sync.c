/*
 * fuzz_sync.c - content synchronisation messages of a hostile server. covers: daemon/sync_message.c
 *
 * The first byte says which message it is; a state's cookie that is taken is what a request then sends.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "daemon/sync_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sync_cookie cookie;
	uint8_t uuid[SYNC_UUID_SIZE];
	enum sync_state state;
	struct sync_info info;
	struct berval bv, *request = NULL;

	if (size < 1)
		return 0;
	bv.bv_val = (char *)(uintptr_t)(data + 1);
	bv.bv_len = size - 1;
	cookie.there = false;
	if (data[0] % 2 == 0) {
		if (sync_state_decode(&bv, &state, uuid, &cookie) == 0 && state > SYNC_DELETE)
			abort();
	} else if (sync_info_decode(&bv, &info) == 0) {
		for (size_t i = 0; i < info.count; i++)
			memcpy(uuid, info.uuids[i], sizeof uuid);
		cookie = info.cookie;
		sync_info_done(&info);
	}
	if (sync_request_encode(&cookie, &request) < 0 || request->bv_len == 0)
		abort();
	ber_bvfree(request);
	return 0;
}

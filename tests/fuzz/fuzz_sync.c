/*
 * fuzz_sync.c - content synchronisation messages of a hostile server, and marks of its entries; blocks of a damaged heap.
 * covers: daemon/sync_message.c common/entry_mark.c daemon/entry_pack.c
 *
 * The first byte says which message it is; a state's cookie that is taken is what a request then sends.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "common/entry_mark.h"
#include "daemon/entry_pack.h"
#include "daemon/sync_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An entry's mark is as old as itself, and known to a server that lists it. */
static void
read_mark(const char *name, const char *text, size_t len)
{
	struct entry *e = entry_new("cn=x");
	uint64_t known = entry_mark_known((const uint8_t *)text, len, -1);

	if (e == NULL || entry_add_value(e, name, text, len) < 0)
		abort();
	entry_mark_take(e, true);
	if (e->count != 0 || entry_mark_older(e->mark, e->mark) || (entry_mark_csn(text, len) != 0 && known == 0) ||
	    (known != 0 && entry_mark_known((const uint8_t *)text, len, entry_mark_server(known)) == 0))
		abort();
	if (entry_mark_older(known, e->mark) && entry_mark_older(e->mark, known))
		abort();
	entry_free(e);
}

/* Whatever is an entry is the same one when it is packed again, and its head is one without members. */
static void
read_block(const uint8_t *block, size_t size)
{
	struct entry *e, *again, *head;
	size_t all_size, head_size;
	uint8_t *all;

	if (entry_unpack(block, size, NULL, &e) < 0)
		return;
	all = entry_pack(e, &all_size, &head_size);
	if (all == NULL || entry_unpack(all, all_size, NULL, &again) < 0 || entry_unpack(all, head_size, NULL, &head) < 0)
		abort();
	if (!entry_same(e, again) || e->waits != head->waits || strcmp(e->dn, head->dn) != 0)
		abort();
	if (head_size < all_size && (entry_attribute(head, "member") != NULL || entry_attribute(head, "memberUid") != NULL))
		abort();
	free(all);
	entry_free(e);
	entry_free(again);
	entry_free(head);
}

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
	read_block(data + 1, size - 1);
	read_mark(data[0] % 4 < 2 ? "entryCSN" : "modifyTimestamp", bv.bv_val, bv.bv_len);
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

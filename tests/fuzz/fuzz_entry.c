/*
 * fuzz_entry.c - an entry's block, as the replica's store and the heap have it: what is understood says the same packed
 * once more.
 *
 * covers: daemon/entry_pack.c
 */
#include <config.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/entry_pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool condition)
{
	if (!condition)
		abort();
}

/* Exactly as long as it is, so that the sanitizer sees a byte too many. */
static int
unpack(const uint8_t *data, size_t size, struct entry **ret)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);
	int r;

	must(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	r = entry_unpack(copy, size, NULL, ret);
	free(copy);
	return r;
}

/* Its head is the same without members, unless all of it stands there. */
static void
look_at_head(const struct entry *e, const uint8_t *block, size_t size, size_t head_size)
{
	struct entry *head;

	must(unpack(block, head_size, &head) == 0 && strcmp(head->dn, e->dn) == 0 && head->waits == e->waits);
	for (size_t i = 0; i < e->count; i++)
		if (entry_pack_is_member(e->attributes[i].name) && head_size < size)
			must(entry_attribute(head, e->attributes[i].name) == NULL);
		else
			must(entry_same_values(e, head, e->attributes[i].name));
	entry_free(head);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct entry *e, *again;
	size_t block_size, head_size;
	uint8_t *block;
	int r = unpack(data, size, &e);

	must(r == 0 || r == -EBADMSG || r == -ENOMEM);
	if (r < 0)
		return 0;
	block = entry_pack(e, &block_size, &head_size);
	must(block != NULL && head_size <= block_size);
	must(unpack(block, block_size, &again) == 0 && entry_same(e, again));
	look_at_head(e, block, block_size, head_size);
	free(block);
	entry_free(again);
	entry_free(e);
	return 0;
}

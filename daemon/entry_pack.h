/*
 * entry_pack.h - an entry as one block of bytes, its members last, so that the rest of a group is read without them.
 */
#ifndef ISMS_ENTRY_PACK_H
#define ISMS_ENTRY_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/entry.h"

/* Whether it is an attribute of a group's members. */
bool entry_pack_is_member(const char *attribute);

/*
 * Pack an entry; gone and mark are not part of it.
 *
 *  ret_head  bytes of it without the members; all of it where a member or the number of attributes is too large
 *
 * Returns the block, which the caller frees, or NULL without memory.
 */
uint8_t *entry_pack(const struct entry *e, size_t *ret_size, size_t *ret_head);

/* Unpack a block or its head; pool as of entry_new_of(). Returns 0, -ENOMEM or -EBADMSG. The caller frees the entry. */
int entry_unpack(const uint8_t *block, size_t size, struct arena_pool *pool, struct entry **ret);

#endif

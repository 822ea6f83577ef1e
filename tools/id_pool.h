/*
 * id_pool.h - which uidNumber a newcomer gets: the lowest that nobody ever had.
 *
 * Files on disk outlive accounts, so an id is given once. What was given is kept in the directory, in
 * cn=used-ids below the base, as ranges ("1000-1007" in serialNumber, one value a range): a plain
 * high-water mark would waste everything below an id that somebody chose by hand. Ids that were made by
 * hand are taken up into the record at the next `add`.
 */
#ifndef ISMS_ID_POOL_H
#define ISMS_ID_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/identity.h"
#include "common/paths.h"
#include "tools/directory_edit.h"

struct id_range {
	uint32_t first, last;
};

struct id_pool {
	struct id_range *used;	/* owned; sorted, apart, of the directory and of the past */
	size_t used_count, used_room;
	struct id_range *local;	/* owned; sorted: the files of this host, never recorded */
	size_t local_count, local_room;
	bool recorded;		/* cn=used-ids exists */
	char dn[320];		/* of cn=used-ids */
};

/*
 * Gather what is and was used.
 *
 *  paths  of passwd, group, subuid and subgid; a missing file is empty
 *  error  receives what is wrong with cn=used-ids on -EBADMSG, or with subuid or subgid
 *
 * Returns 0, -EBADMSG, -ENOMEM, or -errno of reading subuid or subgid. Free with id_pool_done() in either case.
 */
int id_pool_load(struct id_pool *ret, const struct entries *entries, const struct identities *identities,
    const char *base, const struct paths *paths, char *error, size_t size);
void id_pool_done(struct id_pool *pool);

/* Whether nobody has or had an id, and none of this host's subordinate ranges has it. */
bool id_pool_free(const struct id_pool *pool, uint32_t id);

/* The lowest free id of the ranges, noted as used. Returns 0, -ENOSPC or -ENOMEM. */
int id_pool_take(struct id_pool *pool, const struct id_ranges *ranges, uint32_t *ret_id);

/* Note an id as used. Returns 0 or -ENOMEM. */
int id_pool_note(struct id_pool *pool, uint32_t id);

/* Hand the record to the directory as a change. Returns 0 or -errno. */
int id_pool_store(const struct id_pool *pool, struct directory *directory);

#endif

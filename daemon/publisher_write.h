/*
 * publisher_write.h - puts what is accepted into a builder: all of it, or what is not as a base has it.
 */
#ifndef ISMS_PUBLISHER_WRITE_H
#define ISMS_PUBLISHER_WRITE_H

#include "daemon/publisher_dirty.h"
#include "daemon/publisher_record.h"
#include "daemon/snapshot_write.h"

/*
 * Make a builder of all accepted records.
 *
 *  ret  the caller frees it
 *
 * Returns 0 or -errno, of snapshot_builder_add_user() and the like.
 */
int publisher_write_base(const struct publisher_making *m, struct snapshot_builder **ret);

/*
 * The same of what differs from a base, and of each group that has other members than there.
 *
 *  base   borrowed until the builder is freed; its delta is not looked at
 *  dirty  everything that may differ, and not all
 */
int publisher_write_delta(const struct publisher_making *m, const struct snapshot *base,
    const struct publisher_dirty *dirty, struct snapshot_builder **ret);

#endif

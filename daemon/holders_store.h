/*
 * holders_store.h - former holders of names and numbers (common/identity.h), kept over restarts beside the replica.
 */
#ifndef ISMS_HOLDERS_STORE_H
#define ISMS_HOLDERS_STORE_H

#include "common/identity.h"

/*
 * Read them.
 *
 *  folder  /var/lib/isms/replica
 *  base    of the directory: those of another one are nobody here
 *  ret     zeroed; what could be read, also on failure. Free with identity_holders_done()
 *
 * Returns 0, also when there are none, or -errno; -EBADMSG for a file that is damaged.
 */
int holders_store_read(const char *folder, const char *base, struct identity_holders *ret);

/* Write them, durably, all or nothing. Returns 0 or -errno. */
int holders_store_write(const char *folder, const char *base, const struct identity_holders *all);

#endif

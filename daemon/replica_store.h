/*
 * replica_store.h - the durable side of the replica: SQLite, entries and cookie in one transaction. Used by replica.c.
 */
#ifndef ISMS_REPLICA_STORE_H
#define ISMS_REPLICA_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "common/entry.h"
#include "common/identity.h"
#include "daemon/sync_message.h"

struct replica_store;

/* An entry as it is stored: by entry_pack.h, and its mark. */
struct replica_packed {
	const uint8_t *block;
	size_t size;
	uint64_t mark;
};

/*
 * Open or make it; another origin than the one it was made for empties it. Where only the first line of it, the base, is
 * the same, all users are remembered as departed: who comes next with their names may be others. Those whom it has in
 * another form of its own cannot be read; who had departed before stays remembered. Returns 0 or -errno with fault.
 */
int replica_store_open(const char *folder, const char *origin, struct replica_store **ret, char *fault, size_t size);
void replica_store_close(struct replica_store *s);	/* NULL is fine */

/* What stands beside the entries. */
int replica_store_read(struct replica_store *s, struct sync_cookie *ret_cookie, int64_t *ret_confirmed_utc_sec);

/*
 * Each entry in turn; take owns it. Returns 0, -EBADMSG for a store that cannot be understood, or what take returned
 * below 0.
 */
int replica_store_each(struct replica_store *s, int (*take)(void *arg, const uint8_t uuid[SYNC_UUID_SIZE],
    struct entry *e), void *arg);

/* Who has departed, and is not known to be remembered elsewhere (replica.h). ret: zeroed. Returns 0 or -errno. */
int replica_store_departed(struct replica_store *s, struct identity_holders *ret);

/* Each entry that has gone, with the mark of what was known then; take as above. */
int replica_store_each_tomb(struct replica_store *s, int (*take)(void *arg, const uint8_t uuid[SYNC_UUID_SIZE],
    uint64_t mark), void *arg);

/* One transaction: begin, any of the next seven, finish, suspend, commit or undo. Each returns 0 or -errno. */
int replica_store_begin(struct replica_store *s);
int replica_store_put(struct replica_store *s, const uint8_t uuid[SYNC_UUID_SIZE], const struct replica_packed *e);
/* Of an entry that is there; another one stays away. */
int replica_store_update(struct replica_store *s, const uint8_t uuid[SYNC_UUID_SIZE], const struct replica_packed *e);
int replica_store_remove(struct replica_store *s, const uint8_t uuid[SYNC_UUID_SIZE]);
/* A user who was there, as he was: his name and his number. At most IDENTITY_HOLDERS_MAX are kept. */
int replica_store_depart(struct replica_store *s, const struct entry *before);
int replica_store_departed_clear(struct replica_store *s);
/* It has gone; mark 0: it is back, or is forgotten. */
int replica_store_tomb(struct replica_store *s, const uint8_t uuid[SYNC_UUID_SIZE], uint64_t mark);
int replica_store_clear(struct replica_store *s);	/* entries, and who has gone */
int replica_store_finish(struct replica_store *s, const struct sync_cookie *cookie, int64_t confirmed_utc_sec);
/* What was written is no state that a server named: the next refresh is a full one. When it last was one stays. */
int replica_store_suspend(struct replica_store *s);
int replica_store_commit(struct replica_store *s);	/* what stands beside the entries stays */
void replica_store_undo(struct replica_store *s);

#endif

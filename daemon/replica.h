/*
 * replica.h - what an LDAP server told of its directory, kept whole and durable: entries by entryUUID and the cookie.
 *
 * Changes are gathered and applied together: what was received in part is never seen by anybody (THREATS 5.5). Entries
 * carry no secret: passwords, seeds and recovery codes are never asked for. One thread uses it.
 */
#ifndef ISMS_REPLICA_H
#define ISMS_REPLICA_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/entry.h"
#include "common/identity.h"
#include "daemon/entry_changes.h"
#include "daemon/sync_message.h"

struct replica;

/*
 * Open the store and read what it holds.
 *
 *  folder  /var/lib/isms/replica
 *  origin  what the content depends on (uri, base, attributes): another one than that of the store empties it
 *  fault   receives why the store cannot be used; the replica then works in memory alone
 *
 * Returns 0 or -ENOMEM.
 */
int replica_open(const char *folder, const char *origin, struct replica **ret, char *fault, size_t size);
void replica_close(struct replica *r);	/* NULL is fine */
/* Entries that were told of are kept in a heap instead of memory. It outlives the replica and all changes. */
void replica_use_heap(struct replica *r, struct entry_heap *heap);
/* Count in *received, from which any thread may read, the entries that were put and not applied yet; it outlives the replica. */
void replica_count_received(struct replica *r, atomic_size_t *received);

/*
 * Call first() in the first replica_apply() of all once memory has everybody: they can be judged while they are stored. What
 * comes of it must not be in force before: a crash would forget what was known of everybody.
 */
void replica_on_first(struct replica *r, void (*first)(void *arg), void *arg);

/* Entries held; 0 also says that there is nothing to resume from. */
size_t replica_count(const struct replica *r);

/* The cookie of what is held; not there: a full refresh is due. */
const struct sync_cookie *replica_cookie(const struct replica *r);
/* Forget the cookie: the next refresh is a full one. */
void replica_forget_cookie(struct replica *r);
/* When the server last vouched for what is held, by the store; 0: never. */
int64_t replica_confirmed_utc_sec(const struct replica *r);

#define REPLICA_HOLD_MIN	5	/* users; more than this and than a tenth of all: a mass change */
#define REPLICA_WINDOW_SEC	60	/* what goes within this time counts together */

/* Users that the server has no more, or with another uidNumber, and whom we show as before until a person says so. */
struct replica_held {
	size_t removed, renumbered;
};
const struct replica_held *replica_held(const struct replica *r);
/*
 * Entries of which the server tells what they were before, which does not list them yet, or lists them still although
 * they had gone: it lags behind, or was restored from a backup. They stay as known until it has caught up, or is approved.
 */
size_t replica_older(const struct replica *r);
/* The DNs of the first ones. */
void replica_older_names(const struct replica *r, char *buf, size_t size);
/* The next replica_apply() holds nothing back. */
void replica_approve(struct replica *r);

#define REPLICA_GATHERED_MAX	2500000	/* changes of one gathering; a server that sends more has no end */
/*
 * Bytes of entries held and gathered together: a directory, and what of it a refresh tells otherwise. The unit's
 * MemoryMax= stands behind it.
 */
#define REPLICA_BYTES_MAX	((size_t)4 << 30)

/* ---- gathering; each returns 0, -ENOMEM or -E2BIG, which spoil the gathering: replica_drop() then */

/* Begin: forget what was gathered and not applied. */
void replica_drop(struct replica *r);
/* An entry as it is now. Owns e from then on, also on failure. */
int replica_put(struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE], struct entry *e);
int replica_remove(struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE]);
/* It is there, unchanged; said in a refresh. */
int replica_keep(struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE]);
/*
 * Whether all that was kept is ours, or was put since replica_drop(): servers name also those that they are about to
 * send. Else the server takes for known what never came, and only a full refresh will do (RP12a).
 */
bool replica_is_whole(struct replica *r);
/* Whatever was neither put nor kept since replica_drop() is gone: at the end of a present phase or a full refresh. */
void replica_only_these(struct replica *r);

/*
 * Apply what was gathered, in memory and in one transaction of the store, the cookie with it. A mass change of users is
 * held back, all else of it applied (THREATS 5.5, RP04a, RP05a). Meanwhile the store follows what is shown of those whom
 * it has, without a cookie: a restart loses nothing that tightens, reads all anew, and holds the rest back again.
 *
 *  cookie         of the content after it; not there: none is stored
 *  now_utc_sec    the server vouches for the content now
 *  fault          receives what failed
 *
 * Returns 0; 1 when memory has it and the store has not: fault says why, and the next apply writes everything; or -ENOMEM:
 * replica_is_torn() then says whether a part was applied.
 */
int replica_apply(struct replica *r, const struct sync_cookie *cookie, int64_t now_utc_sec, char *fault, size_t size);

/* Memory ended in the middle of an apply: this replica is of no use any more. */
bool replica_is_torn(const struct replica *r);

/*
 * Users who went, or have another name or number, each with what he had: stored in the transaction that lets him go, until
 * replica_departed_kept() says that they are remembered elsewhere (holders_store.h).
 *
 *  ret  zeroed; free with identity_holders_done()
 *
 * Returns 0 or -errno.
 */
int replica_departed(const struct replica *r, struct identity_holders *ret);
void replica_departed_kept(struct replica *r);

/* Store that the server vouches for the content still. */
void replica_confirm(struct replica *r, int64_t now_utc_sec);

/*
 * What became other by the applies since the last call, those held back as they were; at first everything. Entries are
 * shared with the replica, which never changes one that it has given out. Two of one DN are both told of.
 *
 *  ret  zeroed; free with entry_changes_done()
 *
 * Returns 0 or -ENOMEM: then the next call tells of everything.
 */
int replica_changes(struct replica *r, struct entry_changes *ret);
/* The next call tells of everything. */
void replica_tell_all(struct replica *r);

#endif

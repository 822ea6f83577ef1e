/*
 * replica_parts.h - what the files of the replica share: members and what is gathered. Nobody else includes it.
 */
#ifndef ISMS_REPLICA_PARTS_H
#define ISMS_REPLICA_PARTS_H

#include "daemon/replica.h"
#include "daemon/replica_store.h"

struct member {
	uint8_t uuid[SYNC_UUID_SIZE];
	struct entry *e;	/* owned; NULL in a change: to be removed */
	struct entry *next;	/* owned; as the server has it now, with another number, which e has not; NULL: e is that */
	bool gone;		/* the server has it no more */
	bool leaves;		/* next is no user any more */
	bool is_user;
	bool dirty, listed;	/* to be told of; on the list of those who wait */
	uint64_t mark;		/* of the newest that was told of it (entry_mark.h); 0: unknown */
	uint64_t round;		/* in which it was last put or kept */
	uint64_t changed_round;	/* in which a change of it was gathered last */
	size_t at;		/* in list */
	bool forced;		/* of a change: a person wants it, older or not */
	bool skipped;		/* of a change: it is older than what is held */
	bool returned;		/* of a change: a tomb was taken away for it */
};

#define REPLICA_TOMBS_MAX	100000

/* What a server that lags behind tells; it begins with the uuid. */
struct older {
	uint8_t uuid[SYNC_UUID_SIZE];
	struct entry *told;	/* owned; NULL: it does not list the entry yet */
	uint64_t round;		/* in which that was told last */
	size_t at;		/* in replica.older */
};

/* An entry that has gone, by how much of the directory; it begins with the uuid. */
struct tomb {
	uint8_t uuid[SYNC_UUID_SIZE];
	uint64_t mark;
	size_t at;		/* in replica.tombs */
};

struct replica {
	struct replica_store *store;	/* owned; NULL: in memory alone */
	bool store_behind;		/* the store lacks something: write everything next time */
	bool torn;			/* applied by half */
	bool store_failed;		/* also of what is shown in a hold */
	void *by_uuid;			/* owned; tree.h, of members */
	struct member **list;		/* owned */
	size_t count, room;
	struct entry **departed;	/* owned; users as they were, whom the store has still to remember */
	size_t departed_count, departed_room;
	bool departed_stored;		/* the store remembers some */
	struct member **changes;	/* owned; gathered, in the order in which they came */
	size_t change_count, change_room;
	size_t bytes;			/* of what is held, and of what was gathered */
	size_t held_bytes;		/* of what is held */
	uint8_t (*dirty)[SYNC_UUID_SIZE];	/* owned; who became another since replica_changes() */
	size_t dirty_count, dirty_room;
	bool all_dirty;			/* everybody, also those who are not there */
	struct member **waiting;	/* owned; gone, or with another number */
	size_t waiting_count, waiting_room;
	bool only_these, kept;
	uint8_t (*strangers)[SYNC_UUID_SIZE];	/* owned; kept, and not ours */
	size_t stranger_count;
	bool approved;		/* the next apply may change as much as it likes */
	size_t users;		/* members that are users */
	int64_t window_utc_sec;	/* since when gone users are counted together */
	size_t window_gone;	/* users let go since then */
	struct replica_held held;
	void *older_by_uuid, *tombs_by_uuid;	/* owned; tree.h */
	struct older **older;		/* owned */
	size_t older_count, older_room;
	struct tomb **tombs;		/* owned; of the last REPLICA_TOMBS_MAX, about */
	size_t tomb_count, tomb_room, tomb_next;
	uint64_t known_mark;		/* how far the server of this apply knows its directory; 0: it does not say */
	uint64_t round;
	struct sync_cookie cookie;
	int64_t confirmed_utc_sec;
};

void replica_member_free(struct member *m);	/* NULL is fine */
struct member *replica_find(const struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE]);	/* NULL: not there */
/* Room for n more pointers. Returns 0 or -ENOMEM. */
int replica_reserve(struct member ***list, size_t count, size_t *room, size_t n);

/* ---- replica_write.c: within a transaction; each returns 0 or -errno ---- */

int replica_write_changes(struct replica *r);		/* that were gathered */
int replica_write_everything(struct replica *r);
int replica_write_departed(struct replica *r);
int replica_write_shown(struct replica *r);		/* in a hold; commits */
int replica_write_finish(struct replica *r, const struct sync_cookie *cookie, int64_t now_utc_sec);	/* commits */

/* ---- replica_older.c ---- */

struct older *replica_older_find(const struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE]);	/* NULL: none */
/* Keep apart what a server tells; told NULL: it does not list the entry. Returns 0 or -ENOMEM. */
int replica_older_put(struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE], struct entry *told);
void replica_older_drop(struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE]);
/* What was not told in this round is no more what the server says. */
void replica_older_only_these(struct replica *r);
/* Gather all of it as changes that are taken. Returns as replica_put(). */
int replica_older_release(struct replica *r);
void replica_older_clear(struct replica *r);	/* and who has gone */
void replica_older_done(struct replica *r);

/*
 * Whether an entry is of before what is held, or of before it went, and must wait.
 *
 *  there  NULL: it is not held
 *  e      nobody else has it yet; if it is taken although it is older, it gets the mark of what is held
 */
bool replica_is_older(const struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE], const struct member *there,
    struct entry *e, int64_t now_utc_sec);
/* Whether a server that does not list an entry only does not know it yet. */
bool replica_lags(const struct sync_cookie *cookie, const struct member *m);

/* Who has gone: from the store, and for good. */
int replica_tomb_add(struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE], uint64_t mark);	/* 0 or -ENOMEM */
bool replica_tomb_drop(struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE]);
/* In settle(): stored as there, returned the same way. */
int replica_tomb_note(struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE], int stored);

#endif

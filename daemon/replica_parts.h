/*
 * replica_parts.h - what the files of the replica share: members and what is gathered. Nobody else includes it.
 */
#ifndef ISMS_REPLICA_PARTS_H
#define ISMS_REPLICA_PARTS_H

#include "daemon/replica.h"
#include "daemon/replica_store.h"

struct member {
	uint8_t uuid[SYNC_UUID_SIZE];
	struct entry *e;	/* owned; NULL: it is in the heap */
	uint32_t number;	/* held; in the heap; ENTRY_NOWHERE: not yet. A change with neither: to be removed */
	uint32_t bytes;		/* of e */
	uint64_t mark;		/* of e (entry_mark.h), 0: unknown; the heap has none */
	union {
		struct entry *next;	/* owned; as the server has it now, with another number, which e has not; NULL: e is that */
		struct member *next_free;	/* of a free one */
	};
	uint32_t round;			/* in which it was last put or kept */
	uint32_t changed_round;		/* in which a change of it was gathered last */
	uint32_t at;			/* in list */
	bool is_user : 1, has_members : 1, locked : 1;	/* as shown; locked: Active Directory's lockoutTime */
	bool is_plain : 1;		/* as shown; of struct entry_change */
	bool gone : 1;			/* the server has it no more */
	bool leaves : 1;		/* next is no user any more */
	bool dirty : 1, listed : 1;	/* to be told of; on the list of those who wait */
	bool forced : 1;		/* of a change: a person wants it, older or not */
	bool skipped : 1;		/* of a change: it is older than what is held */
	bool returned : 1;		/* of a change: a tomb was taken away for it */
};

/* Of the newest that was told of it. */
static inline uint64_t
replica_newest_mark(const struct member *m)
{
	return m->next != NULL ? m->next->mark : m->mark;
}

#define REPLICA_TOMBS_MAX	100000

/* What a server that lags behind tells; it begins with the uuid. */
struct older {
	uint8_t uuid[SYNC_UUID_SIZE];
	struct entry *told;	/* owned; NULL: it does not list the entry yet */
	uint32_t round;		/* in which that was told last */
	size_t at;		/* in replica.older */
};

/* An entry that has gone, by how much of the directory; it begins with the uuid. */
struct tomb {
	uint8_t uuid[SYNC_UUID_SIZE];
	uint64_t mark;
	size_t at;		/* in replica.tombs */
};

/* Members lie beside one another, not between entries: those go, and the pages that they lie in go back to the system. */
struct members {
	struct slab *slabs;		/* owned */
	struct member *free;		/* in slabs */
};

struct replica {
	struct replica_store *store;	/* owned; NULL: in memory alone */
	struct entry_heap *heap;	/* borrowed; NULL: every entry stays in memory */
	bool store_behind;		/* the store lacks something: write everything next time */
	bool torn;			/* applied by half */
	bool store_failed;		/* also of what is shown in a hold */
	uint64_t secret[2];
	struct members members, change_members;
	uint32_t *by_uuid;		/* owned; table of places in list, plus one; 0: empty */
	size_t by_uuid_count;
	struct member **list;		/* owned */
	size_t count, room;
	struct entry **departed;	/* owned; users as they were, whom the store has still to remember */
	size_t departed_count, departed_room;
	bool departed_stored;		/* the store remembers some */
	struct member **changes;	/* owned; gathered, in the order in which they came */
	size_t change_count, change_room;
	size_t loose_bytes;		/* of their entries that are in memory */
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
	uint32_t round;
	struct sync_cookie cookie;
	int64_t confirmed_utc_sec;
	void (*first)(void *arg);	/* may be NULL */
	void *first_arg;
	atomic_size_t *received;	/* borrowed; NULL: nobody wants to know */
};

/* replica_table.c: a zeroed member, NULL without memory. */
struct member *replica_member_new(struct members *of);
void replica_member_free(struct members *of, struct entry_heap *heap, struct member *m);
void replica_members_done(struct members *all);	/* there is none any more */
/*
 * The entry of a member, as shown, or of a change.
 *
 *  members  with those of a group, or without
 *  ret      with its mark; the caller frees it
 *
 * Returns 0 or -errno: it could not be read.
 */
int replica_entry(const struct replica *r, const struct member *m, bool members, struct entry **ret);
/* replica.c: a new entry, described, whose uuid is not there; owns m from then on. There is room: */
void replica_put_new(struct replica *r, struct member *m);
int replica_reserve_members(struct replica *r, size_t n);	/* for n more; 0 or -ENOMEM */
/* What is noted of a member, or a change, by its entry. */
void replica_describe(struct member *m, const struct entry *e);
/* Whether a change is to remove. */
static inline bool
replica_removes(const struct member *change)
{
	return change->e == NULL && change->number == ENTRY_NOWHERE;
}
/* Whether an entry says what is shown of a member. What cannot be read says something else. */
bool replica_shows(const struct replica *r, const struct member *m, const struct entry *e);
/* replica_table.c: members by their uuid. Room for so many. Returns 0 or -ENOMEM. */
int replica_table_reserve(struct replica *r, size_t count);
/* One that is in list. */
void replica_table_add(struct replica *r, const struct member *m);
/* Take one out, before it leaves list. */
void replica_table_remove(struct replica *r, const struct member *m);
/* It is about to be at another place in list. */
void replica_table_move(struct replica *r, const struct member *m, size_t to);
struct member *replica_find(const struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE]);	/* NULL: not there */
/* Room for n more pointers. Returns 0 or -ENOMEM. */
int replica_reserve(struct member ***list, size_t count, size_t *room, size_t n);

/* replica_gather.c: what was gathered, by its uuids. */
struct replica_uuids {
	uint8_t (*list)[SYNC_UUID_SIZE];	/* owned; sorted, perhaps several times */
	size_t count;
};
/* put: without what is removed. ret: its list is freed by the caller. Returns 0 or -ENOMEM. */
int replica_gathered(const struct replica *r, bool put, struct replica_uuids *ret);
bool replica_uuids_have(const struct replica_uuids *all, const uint8_t uuid[SYNC_UUID_SIZE]);

/* ---- replica_write.c: within a transaction; each returns 0 or -errno ---- */

/*
 * What was gathered.
 *
 *  in_parts  in transactions of its own but for the last one: of a store that was never complete, which begins anew when it
 *            does not come to that. The log of one for all would be as large as the store.
 */
int replica_write_changes(struct replica *r, bool in_parts);
int replica_write_all(struct replica *r);	/* everybody and who has gone, in the place of what is there */
/* In the transaction that lets them go: else nobody would know of them after a crash. */
int replica_write_departed(struct replica *r);
/*
 * While much waits for a person the store keeps those whom it has, as they are shown: a restart must not take back what
 * tightens somebody. Who came since, comes again. The cookie goes, or the server would not tell of the rest once more.
 * Commits.
 */
int replica_write_shown(struct replica *r);
int replica_write_finish(struct replica *r, const struct sync_cookie *cookie, int64_t now_utc_sec);	/* commits */

/* ---- replica_departed.c ---- */

/* Room for all who may go in this apply and are remembered. Returns 0 or -ENOMEM. */
int replica_reserve_departed(struct replica *r);
/* Remember what a user had who has it no more; after: as he is, NULL: gone. There is room. */
void replica_depart(struct replica *r, struct entry *before, const struct entry *after);
/* Whether before has such a value, and after another one or none. */
bool replica_has_other(const struct entry *before, const struct entry *after, const char *name);
void replica_forget_departed(struct replica *r);

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
/* Whether a server that does not list an entry of such a mark only does not know it yet. */
bool replica_lags(const struct sync_cookie *cookie, uint64_t mark);

/* Who has gone: from the store, and for good. */
int replica_tomb_add(struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE], uint64_t mark);	/* 0 or -ENOMEM */
bool replica_has_tomb(const struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE]);
bool replica_tomb_drop(struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE]);
/* In settle(): stored as there, returned the same way. */
int replica_tomb_note(struct replica *r, const uint8_t uuid[SYNC_UUID_SIZE], int stored);

#endif

/*
 * census_parts.h - what the files of the census share. Nobody else includes it.
 */
#ifndef ISMS_CENSUS_PARTS_H
#define ISMS_CENSUS_PARTS_H

#include "daemon/census.h"
#include "daemon/census_index.h"
#include "daemon/loop.h"

/* Kinds of keys; the first ones are enum identity_claim, but for CLAIM_PRIMARY_GID, which is none. */
enum census_kind {
	CENSUS_DN = CLAIM_PRIMARY_GID + 1,	/* of an entry, normalised */
	CENSUS_CHILD_DN,		/* of a group's member */
	CENSUS_CHILD_NAME,		/* the same by memberUid */
	CENSUS_TOKEN,			/* by which an Active Directory's user refers to his primary group */
	CENSUS_ID,			/* of the entry itself */
	CENSUS_EXEMPT,			/* DN of whom an exemption is about */
	CENSUS_OWNER,			/* DN of who owns a service account */
	CENSUS_HELD,			/* no key of the index: census_held_who() */
};

enum census_standing {
	STANDING_USER = 1 << 0,		/* a good user */
	STANDING_GROUP_NAME = 1 << 1,	/* a group whose name is its own */
	STANDING_GID = 1 << 2,		/* a group that is published */
	STANDING_NEWCOMER = 1 << 3,	/* a user who waits for a person */
};

struct census_item {
	uint8_t id[ENTRY_ID_SIZE];
	struct entry *e;		/* owned; as it is; with a number: while an update or a question is under way */
	uint32_t number;		/* held; the same in the heap. Neither: it is not there, or the item is free */
	uint32_t staged;		/* its place among them plus one; 0: it is not */
	bool head : 1;			/* e lacks members */
	bool gone : 1, waits : 1, listed : 1;
	bool touched : 1, members_touched : 1;	/* by the update under way */
	bool approved : 1;		/* a person has seen its entry */
	bool is_group : 1, is_user : 1;	/* of e, or as it was */
	uint8_t standing;		/* in the last state */
	uint16_t users, groups;		/* identities that it is, in the last state */
	uint32_t gid, token;		/* primary group of a user, by either; 0: none */
	uint32_t stamp, place;		/* in the closure of this stamp */
};

/* One that is changed by the update under way, as it was. */
struct census_staged {
	uint32_t item;
	uint32_t number;		/* held; neither this nor an entry: it was not there */
	struct entry *e;		/* owned */
	bool gone;
};

struct census_fault_line {
	uint32_t item;
	char text[IDENTITY_FAULT_SIZE];
};

struct census {
	struct census_item *items;	/* owned */
	size_t used, room;		/* free ones included */
	uint32_t *free_items;		/* owned */
	size_t free_count, free_room;
	size_t present;			/* with an entry */
	struct census_index index;	/* brief; all keys but of children */
	struct census_index children;	/* who has a child, and all that is known of it: nobody else's groups are his */
	struct entry_heap *heap;	/* borrowed; NULL: every entry stays in memory */
	uint32_t *loaded;		/* owned; items whose entries were read by what is under way */
	size_t loaded_count, loaded_room;
	struct entry **retired;		/* owned; read without members, and then with them */
	size_t retired_count, retired_room;
	int unread;			/* -errno: one could not be read, and nothing that came of it is true */
	struct census_staged *staged;	/* owned; by the update under way */
	size_t staged_count, staged_room;
	uint32_t *touched;		/* owned; the same */
	size_t touched_count, touched_room;
	struct census_fault_line *faults;	/* owned */
	size_t fault_count, fault_room;
	struct census_counts counts;
	uint32_t stamp;
	bool shares;			/* two items have one DN: each change judges everybody */
	bool doubtful;			/* the index could not follow a change */
	bool accepting;			/* by the update under way: who was approved */
	bool children_due;		/* the index knows none yet: census_complete() */
	bool children_dropped;		/* the index does not know the old members of what is staged any more */
};

/* The n-th step of what a whole directory may take minutes for on a busy host: the watchdog must not call it a hang. */
static inline void
census_step(size_t n)
{
	if (n % 65536 == 65535)
		loop_alive();
}

/* census_items.c: items by their id. */
uint64_t census_id_key(const struct census *c, const uint8_t id[ENTRY_ID_SIZE]);
uint32_t census_find_item(const struct census *c, const uint8_t id[ENTRY_ID_SIZE]);	/* plus one; 0: none */
/* An empty item of a new id. Returns it plus one, 0 without memory. */
uint32_t census_new_item(struct census *c, const uint8_t id[ENTRY_ID_SIZE]);
/* The item has no entry, of now or before: its place is free. Room for it was made by census_new_item(). */
void census_drop_item(struct census *c, uint32_t item);

/* census.c */
/* Forget who was in the staged groups, once whom that touches is known: the past asks for claims alone. 0 or -ENOMEM. */
int census_drop_children(struct census *c, const struct settings *settings);
int census_push(uint32_t **list, size_t *count, size_t *room, uint32_t value);	/* 0 or -ENOMEM */

/*
 * census_entries.c: entries of items, read when they are asked for and kept until census_release(); borrowed. NULL: it
 * is not there, or c->unread says why it could not be read.
 */
const struct entry *census_now(struct census *c, uint32_t item);
const struct entry *census_head(struct census *c, uint32_t item);	/* a group perhaps without its members */
const struct entry *census_old(struct census *c, uint32_t item);	/* of a staged one, as it was; else NULL */
const struct entry *census_then(struct census *c, uint32_t item);	/* as it was, perhaps without members */
void census_release(struct census *c);

/* Whether an item has an entry. */
static inline bool
census_is_there(const struct census *c, uint32_t item)
{
	return c->items[item].e != NULL || c->items[item].number != ENTRY_NOWHERE;
}

/* Whether it had one before the update under way. */
static inline bool
census_was_there(const struct census *c, uint32_t item)
{
	const struct census_staged *s = c->items[item].staged != 0 ? &c->staged[c->items[item].staged - 1] : NULL;

	return s != NULL ? s->e != NULL || s->number != ENTRY_NOWHERE : census_is_there(c, item);
}

/* Whether it was gone before it, and only shown still. */
static inline bool
census_was_gone(const struct census *c, uint32_t item)
{
	return c->items[item].staged != 0 ? c->staged[c->items[item].staged - 1].gone : c->items[item].gone;
}

/*
 * census_keys.c: every key of an entry; those but of children, these alone, or those by which it contends. each() may be
 * called after all of some were made. Return 0, what each() did, or -ENOMEM.
 */
typedef int census_each(uint64_t key, enum census_kind kind, void *arg);
int census_each_own_key(const struct census *c, const struct entry *e, const struct settings *settings, census_each *each,
    void *arg);
int census_each_child(const struct census *c, const struct entry *e, census_each *each, void *arg);
int census_each_key(const struct census *c, const struct entry *e, const struct settings *settings, census_each *each,
    void *arg);
int census_each_claim(const struct census *c, const struct entry *e, const struct settings *settings, census_each *each,
    void *arg);
/* The key of a child, by a member value or, by_name, a memberUid. Returns whether there is one. */
bool census_child_key(const struct census *c, const struct value *v, bool by_name, uint64_t *ret);
/* Items that a child's value names: those of the DN, or users of the name. at and return as census_index_next(). */
uint32_t census_next_child(const struct census *c, const struct value *v, bool by_name, uint32_t *at);
/*
 * What a good item was in the last state: its entry, with the values of others of its DN (closure_build() makes them one).
 *
 *  ret_owned  an entry to be freed, or NULL
 *
 * Returns NULL for an item that was not there, or without memory.
 */
const struct entry *census_before(struct census *c, uint32_t item, struct entry **ret_owned);
#define CENSUS_CLAIMANTS_MAX 100	/* of one key, who have it not: that it is contended, two would tell */
/*
 * Items of a key, as census_index_next(): whoever has what it stands for, and of all others so many. An author of very
 * many entries must not make a question about him whom they contend with too large to be answered.
 *
 *  others  0 at first
 */
uint32_t census_next_claimant(const struct census *c, enum census_kind kind, uint64_t key, uint32_t *at, size_t *others);
/* A group's token, or the one that a user refers to (primaryGroupToken, primaryGroupID); NULL: none. */
const char *census_token(const struct entry *e, bool of_group);
/* Accounts that an entry owns. at and return as census_index_next(). */
uint32_t census_next_owned(const struct census *c, const struct entry *owner, uint32_t *at);
/* A lower-case copy of a name fits into ret; else "". */
void census_fold_name(const char *name, char ret[static IDENTITY_KEY_SIZE]);

/* Whether two entries say the same, the members of a group apart. */
bool census_same_but_members(const struct entry *a, const struct entry *b);

/* census_touch.c: fill in c->touched from c->staged. Returns 0; 1: so many that everybody is; or -ENOMEM. */
int census_touch(struct census *c, const struct settings *settings);

/*
 * census_judge.c: judge what is staged, write standings, counts, faults and news. Returns 1; or -ENOMEM: c is as it was, but for
 * what is staged and touched.
 */
int census_judge(struct census *c, const struct census_how *how, struct census_news *ret);

/* census_past.c: of identity_past (identity.h); arg is this. */
struct census_past {
	struct census *c;
	const struct closure *x;	/* what is asked about */
	const struct settings *settings;
	char found[IDENTITY_KEY_SIZE];
	struct entry *owned;		/* owned; of which the last answer was borrowed */
};
const char *census_past_holder(void *arg, enum identity_claim kind, const char *key);
bool census_past_knew(void *arg, const char *entry_id);
bool census_past_accepted(void *arg, const struct entry *e);
/* Who was approved stays so where e, which is about to be staged, is him still. Returns 0 or -errno: he cannot be read. */
int census_see_approved(struct census *c, uint32_t item, const struct entry *e);

/* census_closure.c */
#define CLOSURE_MAX	100000	/* items, for one question or change; beyond it a change judges everybody */

/*
 * Read seeds and all that they depend on.
 *
 *  seeds    items; NULL: everybody
 *  holders  as of identities_build_from()
 *
 * Returns 0, -E2BIG or -ENOMEM.
 */
int closure_build(struct census *c, const struct settings *settings, const struct identity_holders *holders,
    const uint32_t *seeds, size_t count, struct census_part *ret);
/* The item of an identity's entry. */
uint32_t closure_item(const struct closure *x, const struct entry *e);
/* Whether two of them have one DN. */
bool closure_shares(const struct closure *x);
/* Whether it was one of the seeds. */
bool closure_is_touched(const struct closure *x, const struct entry *e);

#endif

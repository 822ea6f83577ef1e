/*
 * register.h - all that the directory process has said, record by record, also what was refused.
 *
 * Publisher only. Filled by a whole roster, edited by changes; publisher_judge.c says which records are accepted. Compact:
 * a user takes some 200 bytes, its indexes included. An edit is prepared first, which may fail and changes nothing, and
 * then made, which cannot fail.
 */
#ifndef ISMS_REGISTER_H
#define ISMS_REGISTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/homes.h"
#include "daemon/id_set.h"
#include "daemon/record.h"
#include "daemon/roster.h"

#define REGISTER_NONE UINT32_MAX	/* no record */

/* A slot has its record's hash, by which nearly all others are told without a look at them: each would be a cache miss. */
struct place {
	uint32_t record;		/* its number plus one; 0: free */
	uint32_t hash;
};

/* Places of records under a hash. */
struct places {
	struct place *slots;		/* owned */
	uint32_t room, used;
};

struct register_table {
	struct record **list;		/* owned, as are the records; NULL where there is none */
	uint32_t *holes;		/* owned; numbers below end that have no record */
	uint32_t end, room, hole_count, hole_room;
	uint32_t count, accepted;	/* records */
	struct places by_key, by_name, by_id;	/* the latter two of candidates: the first of those that are equal */
	uint32_t *contested;		/* owned; candidates that another record keeps out: judged again with each change */
	uint32_t contested_count, contested_room;
};

struct register_book {
	uint64_t secret[2];
	struct register_table tables[REGISTER_KINDS];
	struct homes homes;			/* of users who hold theirs */
	struct id_set gids;			/* of accepted groups */
	uint64_t bytes;				/* of all records in a roster: at most ROSTER_BYTES_MAX */
	uint32_t *claims, claim_slots;		/* owned; how many users list the gids that fall into a slot */
};

/* One kind of an edit. */
struct edit_part {
	struct record **puts;		/* owned until made, then NULL; new and changed ones */
	uint32_t *at;			/* owned; numbers of puts: known already or, once made, given */
	uint32_t *drops;		/* owned; numbers */
	struct record **gone;		/* owned once made; what was replaced or dropped */
	uint32_t put_count, drop_count, gone_count;
};

struct register_edit {
	struct edit_part parts[REGISTER_KINDS];
	uint64_t bytes;			/* of all records once it is made */
};

/* Returns 0, -ENOMEM or -EIO without random numbers. */
int register_new(struct register_book **ret);
void register_free(struct register_book *b);	/* NULL is fine */

/*
 * Prepare what a roster says, whole or change; nothing of the register changes but the room that it has. To drop one
 * that is not there is fine.
 *
 * Returns 0, -E2BIG when all records would then be more than a roster can have, or -ENOMEM. Free with
 * register_edit_done().
 */
int register_edit_prepare(struct register_book *b, struct roster *roster, struct register_edit *ret);

/* Make it. New records are no candidates yet; what is gone was taken out of all indexes. */
void register_edit_make(struct register_book *b, struct register_edit *edit);

/* Frees what is gone, or what was not made; a zeroed struct is fine. */
void register_edit_done(struct register_edit *edit);

/* ---- one record ---- */

/* Number of the record of a key, or REGISTER_NONE. */
uint32_t register_find_key(const struct register_book *b, enum register_kind kind, uint64_t key);

/* The first candidate of a name or id; REGISTER_NONE. */
uint32_t register_first_name(const struct register_book *b, enum register_kind kind, const char *name);
uint32_t register_first_id(const struct register_book *b, enum register_kind kind, uint32_t id);

/* The record of a number; NULL where there is none. */
struct record *register_at(const struct register_book *b, enum register_kind kind, uint32_t at);

/* How many users list a gid, accepted ones or not, or more. */
uint32_t register_claims(const struct register_book *b, uint32_t gid);

/* The accepted record of a name or id; NULL, also for b == NULL. */
const struct user_record *register_user_by_name(const struct register_book *b, const char *name);
const struct user_record *register_user_by_uid(const struct register_book *b, uint32_t uid);
const struct group_record *register_group_by_gid(const struct register_book *b, uint32_t gid);

/* ---- for register.c ---- */

/* Room to count who lists a group; users of the first roster. Returns 0 or -ENOMEM. */
int register_reserve_claims(struct register_book *b, uint32_t users);

/* A user's record lists its groups once more; UINT32_MAX: once less. */
void register_count_claims(struct register_book *b, const struct record *r, uint32_t more);

/* ---- for publisher_judge.c ---- */

/* The records from this one on will be linked: the slots of one a little further on may be on their way meanwhile. */
void register_expect(const struct register_book *b, enum register_kind kind, uint32_t at);

/* Index a record as a candidate; there is room for all of them. Or take it out. */
void register_link(struct register_book *b, enum register_kind kind, uint32_t at);
void register_unlink(struct register_book *b, enum register_kind kind, uint32_t at);

/* Put a candidate first among those of its name and of its id. */
void register_put_first(struct register_book *b, enum register_kind kind, uint32_t at);

/* Take all candidates out of the indexes by name and id. */
void register_unlink_all(struct register_book *b, enum register_kind kind);

#endif

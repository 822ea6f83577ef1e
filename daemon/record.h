/*
 * record.h - one user or group as the publisher keeps it: a packed block.
 */
#ifndef ISMS_RECORD_H
#define ISMS_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/roster.h"

enum register_kind {
	REGISTER_USERS,
	REGISTER_GROUPS,
	REGISTER_KINDS
};

enum record_bit {
	RECORD_CANDIDATE = 1 << 0,	/* passed every rule that looks at it alone; indexed by name and id */
	RECORD_ACCEPTED = 1 << 1,
	RECORD_HOLDS = 1 << 2,		/* users: its home is published as its own; counted among the homes */
	RECORD_QUEUED = 1 << 3,		/* the next three are publisher_judge.c's while it judges */
	RECORD_NAME_JUDGED = 1 << 4,
	RECORD_ID_JUDGED = 1 << 5,
};

struct record {
	uint64_t key;
	uint32_t id;			/* uid or gid */
	uint32_t next_name, next_id;	/* the next candidate of the same name, id; the accepted one is the first */
	uint16_t group_count;		/* users */
	uint8_t why;			/* enum refusal */
	uint8_t bits;
};

/* A group's record is followed by its name. */
struct group_record {
	struct record r;
	char text[];
};

/*
 * A user's is followed by name, home, gecos, shell, contact, the local groups' names, each with its NUL, its gids, and
 * with ROSTER_LOST the groups that he lost.
 */
struct user_record {
	struct record r;
	int64_t not_after_utc_sec;
	uint32_t gid;
	uint8_t flags, local_count;
	char text[];
};

/* A user's record whole. */
static inline const struct user_record *
record_user(const struct record *r)
{
	return (const void *)r;
}

/* Its name; lives as long as the record. */
static inline const char *
record_name(const struct record *r, enum register_kind kind)
{
	return kind == REGISTER_USERS ? record_user(r)->text : ((const struct group_record *)(const void *)r)->text;
}

/* Copies of what a roster says. The caller frees them. Return NULL without memory. */
struct record *record_pack_group(const struct roster_group *group);
struct record *record_pack_user(const struct roster_user *user);

/* Bytes it has in a roster, or less by gids that stood twice. */
size_t record_size(const struct record *r, enum register_kind kind);

/* Strings of a user; the name is text. They live as long as the record. */
const char *user_record_home(const struct user_record *u);
const char *user_record_contact(const struct user_record *u);

/* Room for a user's lists. */
struct user_lists {
	uint32_t gids[ROSTER_USER_GROUPS_MAX];
	const char *locals[ROSTER_LOCAL_MAX];
	uint32_t lost[ROSTER_LOST_MAX];
};

/*
 * All of a user, but for not_before_utc_sec.
 *
 *  lists  filled, and lent to *ret; the gids ascending, each once. NULL: *ret has none
 */
void user_record_read(const struct user_record *u, struct user_lists *lists, struct roster_user *ret);

#endif

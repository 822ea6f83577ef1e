/*
 * roster.h - what the directory process tells the publisher, in a sealed memfd: everybody, or what has changed.
 *
 * Not a snapshot: a flat list of identities and of the groups that policy left to them. The publisher
 * (root) reads it as untrusted bytes, refuses every record that breaks a rule, adds local groups, and
 * builds the snapshot itself. So no offset of the published file was ever chosen by a process that
 * talks to the network (THREATS I3).
 *
 *   header  magic "ISMSROS2"  kind(u32)  groups(u32)  users(u32)  dropped groups(u32)  dropped users(u32)
 *   group   key(u64) gid(u32) name(str)
 *   user    key(u64) uid(u32) gid(u32) not_before(i64) not_after(i64) flags(u32) name gecos home shell contact(str)
 *           group_count(u32) gid(u32)*   local_count(u32) local group name(str)*
 *           with ROSTER_LOST alone: lost_count(u32) lost_ending(u32) gid(u32)*
 *   dropped key(u64)
 *   str     length(u16) bytes, no NUL          all integers little-endian, no padding
 *
 * A key is a record's identity for as long as it lives, whatever becomes of its name and number; the directory process
 * chooses it, among groups and among users each for itself. It stands once in a roster. In a change a record replaces
 * the one of its key, or is new, and a dropped key's record is gone; what is not mentioned stays.
 */
#ifndef ISMS_ROSTER_H
#define ISMS_ROSTER_H

#include <stddef.h>
#include <stdint.h>

#define ROSTER_MAGIC		"ISMSROS2"
#define ROSTER_SEALS		(F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)	/* of <fcntl.h> */
#define ROSTER_STR_MAX		1023
#define ROSTER_USER_GROUPS_MAX	4096
#define ROSTER_LOCAL_MAX	64
#define ROSTER_LOST_MAX		16
#define ROSTER_BYTES_MAX	(1u << 30)

enum roster_kind {
	ROSTER_WHOLE = 1,
	ROSTER_CHANGE = 2,
};

enum roster_flag {
	ROSTER_ENDED = 1 << 0,		/* disabled: sessions end now */
	ROSTER_MFA = 1 << 1,		/* member of isms-mfa */
	ROSTER_LOST = 1 << 3,		/* groups were lost: gids follow */
};

struct roster_group {
	uint64_t key;
	uint32_t gid;
	const char *name;		/* borrowed */
};

struct roster_user {
	uint64_t key;
	uint32_t uid, gid;
	int64_t not_before_utc_sec, not_after_utc_sec;	/* 0: none */
	uint32_t flags;
	const char *name, *gecos, *home, *shell, *contact;	/* borrowed */
	uint32_t group_count;
	const uint32_t *groups;		/* borrowed; gids; one that no published group has counts for nothing */
	uint32_t local_count;
	const char *const *locals;	/* borrowed; names of local groups that policy keeps for this user */
	uint32_t lost_count;		/* ROSTER_LOST: 1 to ROSTER_LOST_MAX; else 0 */
	uint32_t lost_ending;		/* sessions that hold one of so many of the first ones end, those with another are told */
	const uint32_t *lost;		/* borrowed; gids of groups that grants gave and do not any more */
};

/* ---- writing: directory process ---- */
struct roster_writer;

/* Returns NULL without memory. */
struct roster_writer *roster_writer_new(enum roster_kind kind);
void roster_writer_free(struct roster_writer *w);

/*
 * Groups first, all of them; then users. Each returns 0, -E2BIG beyond a maximum, -ENOMEM, or -EINVAL for
 * what the reader would refuse: a control character, a group after a user.
 */
int roster_add_group(struct roster_writer *w, const struct roster_group *group);
int roster_add_user(struct roster_writer *w, const struct roster_user *user);

/*
 * The record of a key is gone; at any time, in a change alone (else -EINVAL). Returns as above.
 */
int roster_drop_group(struct roster_writer *w, uint64_t key);
int roster_drop_user(struct roster_writer *w, uint64_t key);

/*
 * Make the sealed memfd (F_SEAL_SHRINK GROW WRITE SEAL, MFD_CLOEXEC). The caller closes *ret_fd.
 *
 * Returns 0, -ENOMEM, -E2BIG, or the errno of memfd_create(), write() or fcntl(). That each key stands once is the
 * caller's to see to; the reader refuses the whole otherwise.
 */
int roster_seal(struct roster_writer *w, int *ret_fd);

/* ---- reading: publisher ---- */
struct roster;

/*
 * Map a sealed memfd and judge all of it; refuses one that is not sealed or malformed as a whole (-EBADMSG, -EPERM).
 * Strings are free of NUL and control characters, or the whole is -EBADMSG.
 *
 *  buf  must stay as it is until roster_free()
 */
int roster_open(int fd, struct roster **ret);
int roster_parse(const uint8_t *buf, size_t size, struct roster **ret);	/* the same from memory */
void roster_free(struct roster *r);	/* NULL is fine */

/* Whole or a change. */
enum roster_kind roster_kind(const struct roster *r);
/* How many groups it has. */
uint32_t roster_group_count(const struct roster *r);
/* The same of users. */
uint32_t roster_user_count(const struct roster *r);
/* How many groups are gone. */
uint32_t roster_dropped_group_count(const struct roster *r);
/* The same of users. */
uint32_t roster_dropped_user_count(const struct roster *r);

/*
 * What is in it; NULL past the end. Valid until the next call for the same kind of record. Cheap in ascending order;
 * going back begins anew.
 */
const struct roster_group *roster_group_at(struct roster *r, uint32_t i);
const struct roster_user *roster_user_at(struct roster *r, uint32_t i);

/* Keys of what is gone; i below the count. */
uint64_t roster_dropped_group_at(const struct roster *r, uint32_t i);
uint64_t roster_dropped_user_at(const struct roster *r, uint32_t i);

#endif

/*
 * roster.h - the candidate that the directory process hands to the publisher in a sealed memfd.
 *
 * Not a snapshot: a flat list of identities and of the groups that policy left to them. The publisher
 * (root) reads it as untrusted bytes, refuses every record that breaks a rule, adds local groups, and
 * builds the snapshot itself. So no offset of the published file was ever chosen by a process that
 * talks to the network (THREATS I3).
 *
 *   header  magic "ISMSROS1"  group_count(u32)  user_count(u32)
 *   group   gid(u32) name(str)
 *   user    uid(u32) gid(u32) not_before(i64) not_after(i64) flags(u32) name gecos home shell contact(str)
 *           group_count(u32) group index(u32)*   local_count(u32) local group name(str)*
 *   str     length(u16) bytes, no NUL          all integers little-endian, no padding
 */
#ifndef ISMS_ROSTER_H
#define ISMS_ROSTER_H

#include <stddef.h>
#include <stdint.h>

#define ROSTER_MAGIC		"ISMSROS1"
#define ROSTER_SEALS		(F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)	/* of <fcntl.h> */
#define ROSTER_STR_MAX		1023
#define ROSTER_USER_GROUPS_MAX	4096
#define ROSTER_LOCAL_MAX	64
#define ROSTER_BYTES_MAX	(1u << 30)

enum roster_flag {
	ROSTER_ENDED = 1 << 0,		/* disabled: sessions end now */
	ROSTER_MFA = 1 << 1,		/* member of isms-mfa */
};

struct roster_group {
	uint32_t gid;
	const char *name;		/* borrowed */
};

struct roster_user {
	uint32_t uid, gid;
	int64_t not_before_utc_sec, not_after_utc_sec;	/* 0: none */
	uint32_t flags;
	const char *name, *gecos, *home, *shell, *contact;	/* borrowed */
	uint32_t group_count;
	const uint32_t *groups;		/* borrowed; indexes of roster groups */
	uint32_t local_count;
	const char *const *locals;	/* borrowed; names of local groups that policy keeps for this user */
};

/* ---- writing: directory process ---- */
struct roster_writer;

/* Returns NULL without memory. */
struct roster_writer *roster_writer_new(void);
void roster_writer_free(struct roster_writer *w);

/*
 * Groups first, all of them; then users. Each returns 0, -E2BIG beyond a maximum, -ENOMEM, or -EINVAL for
 * what roster_parse() would refuse: a control character, an index of no group, a group after a user.
 */
int roster_add_group(struct roster_writer *w, const struct roster_group *group);
int roster_add_user(struct roster_writer *w, const struct roster_user *user);

/*
 * Make the sealed memfd (F_SEAL_SHRINK GROW WRITE SEAL, MFD_CLOEXEC). The caller closes *ret_fd.
 */
int roster_seal(struct roster_writer *w, int *ret_fd);

/* ---- reading: publisher ---- */
struct roster;

/*
 * Map a sealed memfd and decode it; refuses one that is not sealed or malformed as a whole (-EBADMSG, -EPERM).
 * Strings are copied out and are free of NUL and control characters afterwards, or the record is -EBADMSG.
 */
int roster_open(int fd, struct roster **ret);
int roster_parse(const uint8_t *buf, size_t size, struct roster **ret);	/* the same from memory */
void roster_free(struct roster *r);

/* What is in it; NULL past the end. */
uint32_t roster_group_count(const struct roster *r);
uint32_t roster_user_count(const struct roster *r);
const struct roster_group *roster_group_at(const struct roster *r, uint32_t i);
const struct roster_user *roster_user_at(const struct roster *r, uint32_t i);

#endif

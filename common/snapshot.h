/*
 * snapshot.h - read side of the published file /var/lib/isms/nss/base.1.snap.
 *
 * A reader maps the file once, checks the header, and answers lookups from the mapping alone: no
 * system call, no lock, no allocation. The file is never written after its rename; its writer is the
 * root-owned publisher (daemon/snapshot_write.h), which also documents the layout's building.
 * The layout is in snapshot_format.h. libc only: this links into every process that calls getpwnam.
 */
#ifndef ISMS_SNAPSHOT_H
#define ISMS_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SNAPSHOT_BASE_NAME	"base.1.snap"
#define SNAPSHOT_EPOCH_NAME	"epoch"
#define SNAPSHOT_EPOCH_SIZE	4096		/* the counter is its first 8 bytes, host byte order */
#define SNAPSHOT_LOCAL_GIDS_MAX	64
#define SNAPSHOT_CONTACT_MAX	127

struct snapshot {
	const uint8_t *base;	/* the mapping */
	size_t size;		/* bytes */
};

/* Views into the mapping; valid while it is. Strings are NUL-terminated within their length. */
struct snapshot_user {
	uint32_t uid, gid;
	const char *name, *gecos, *home, *shell;	/* back to back in this order, each with its NUL */
	uint32_t name_len, gecos_len, home_len, shell_len;	/* without NUL */
	uint32_t group_count;	/* supplementary gids, policy-filtered, without the primary one */
	uint32_t list_at;	/* for snapshot_gids_begin() */
	bool list_wide;
};

struct snapshot_group {
	uint32_t gid;
	const char *name;
	uint32_t name_len;
	uint32_t member_count;
	const char *members;		/* member names, each NUL-terminated, back to back */
	uint32_t members_len;		/* bytes of all of them, with NULs */
	const uint8_t *member_lens;	/* bytes of each name, without NUL */
};

/*
 * Map a snapshot.
 *
 *  owner  the uid that must own it (0 but in tests)
 *
 * Returns 0; -EPERM: not a regular file, wrong owner, group or other may write; -EBADMSG: magic, version,
 * byte order, sizes or header checksum are wrong; or the errno of open/fstat/mmap. Never blocks on a FIFO.
 */
int snapshot_open(const char *path, uid_t owner, struct snapshot *ret);

/* Unmap; a zeroed struct is fine. */
void snapshot_close(struct snapshot *s);

/* Check a header in memory (for the fuzzer and the writer). Returns 0 or -EBADMSG. */
int snapshot_check(const struct snapshot *s);

/*
 * Check everything: every offset, id, name, table and list. For the publisher, before the rename.
 */
int snapshot_check_whole(const struct snapshot *s);

/* Lookups: 1 found; 0 absent, -EBADMSG for a corrupt record: *ret is then undefined. Cost: one probe and one record. */
int snapshot_find_user(const struct snapshot *s, const char *name, struct snapshot_user *ret);
int snapshot_find_uid(const struct snapshot *s, uint32_t uid, struct snapshot_user *ret);
int snapshot_find_group(const struct snapshot *s, const char *name, struct snapshot_group *ret);
int snapshot_find_gid(const struct snapshot *s, uint32_t gid, struct snapshot_group *ret);

/*
 * Records one after the other, in ascending order of id, for enumeration. Records that the floor below
 * refuses are passed over.
 *
 *  at  place of the next record, opaque; 0 at first, advanced by each call that returns 1
 *
 * Returns 1, 0 past the end, or -EBADMSG.
 */
int snapshot_next_user(const struct snapshot *s, uint32_t *at, struct snapshot_user *ret);
int snapshot_next_group(const struct snapshot *s, uint32_t *at, struct snapshot_group *ret);

/* A place in a user's list of gids. */
struct snapshot_gids {
	const uint8_t *at;
	uint32_t left, last;
	bool first, wide;
};

/* Begin to read the supplementary gids of a user. Returns 1, or -EBADMSG when the list is out of bounds. */
int snapshot_gids_begin(const struct snapshot *s, const struct snapshot_user *user, struct snapshot_gids *ret);

/*
 * Read on, strictly ascending.
 *
 *  ret,room  filled with at most room gids, all of them when room is user->group_count
 *
 * Returns how many, 0 after the last, or -EBADMSG: out of order, or an id that is never allowed.
 */
int snapshot_gids_next(const struct snapshot *s, struct snapshot_gids *gids, uint32_t *ret, uint32_t room);

/* All of them at once: ret has room for user->group_count. Returns 1 or -EBADMSG. */
int snapshot_user_gids(const struct snapshot *s, const struct snapshot_user *user, uint32_t *ret);

/*
 * Copy the names of all members and point at each.
 *
 *  to   room for group->members_len bytes
 *  ret  room for group->member_count pointers into to; may be partly written on failure
 *
 * Returns 1, or -EBADMSG when the lengths do not fit the names.
 */
int snapshot_group_members(const struct snapshot_group *group, char *to, char **ret);

/* Header facts. */
uint64_t snapshot_generation(const struct snapshot *s);
int64_t snapshot_created_utc_sec(const struct snapshot *s);
int64_t snapshot_valid_until_utc_sec(const struct snapshot *s);
uint32_t snapshot_user_count(const struct snapshot *s);
uint32_t snapshot_group_count(const struct snapshot *s);
bool snapshot_enumerable(const struct snapshot *s);
/* "" when the header has none. */
const char *snapshot_contact(const struct snapshot *s);
bool snapshot_local_gid(const struct snapshot *s, uint32_t gid);

/*
 * The floor that is compiled in (DESIGN 4.7): ids that are never returned, whatever a file says, and
 * the only form that names may have: [a-z_][a-z0-9_.-]{0,31}, no dot at the end, not "root".
 */
bool snapshot_id_allowed(uint32_t id);
bool snapshot_name_allowed(const char *name, size_t len);

#endif

/*
 * snapshot.h - read side of the published files /var/lib/isms/nss/base.1.snap and delta.1.<generation>.snap.
 *
 * A reader maps the base and, if there is one, the delta of its generation, checks their headers, and answers
 * lookups from the mappings alone: no system call, no lock, no allocation. Both together are one state: what the
 * delta says goes before. A file is never written after its rename; its writer is the root-owned publisher
 * (daemon/snapshot_write.h), which also documents the layout's building.
 * The layout is in snapshot_format.h. libc only: this links into every process that calls getpwnam.
 */
#ifndef ISMS_SNAPSHOT_H
#define ISMS_SNAPSHOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SNAPSHOT_BASE_NAME	"base.1.snap"
#define SNAPSHOT_DELTA_NAME_SIZE	sizeof "delta.1.0123456789abcdef.snap"
#define SNAPSHOT_PATH_MAX	256		/* with NUL, of a base that may have a delta */
#define SNAPSHOT_EPOCH_NAME	"epoch"
#define SNAPSHOT_EPOCH_SIZE	4096		/* of a file that is this, and zeros */

struct snapshot_epoch {
	_Atomic uint64_t counter;	/* another one says: something was published; 0: open all of it again by path */
	_Atomic uint64_t bare;		/* snapshot_file_mark() of the base that has no delta; 0: look for one */
	_Atomic uint64_t owing;		/* the publisher's: bare was taken back, and the disk may not know it yet */
};
#define SNAPSHOT_LOCAL_GIDS_MAX	64
#define SNAPSHOT_CONTACT_MAX	127

/* One complete state. */
struct snapshot {
	const uint8_t *base;	/* the mapping */
	size_t size;		/* bytes */
	const uint8_t *delta;	/* the delta's mapping, or NULL: the base is the whole truth */
	size_t delta_size;
};

/* Views into the mappings; valid while they are. Strings are NUL-terminated within their length. */
struct snapshot_user {
	uint32_t uid, gid;
	const char *name, *gecos, *home, *shell;	/* gecos and home back to back */
	uint32_t name_len, gecos_len, home_len, shell_len;	/* without NUL */
	uint32_t group_count;	/* supplementary gids, policy-filtered, without the primary one */
	uint32_t list_at;	/* for snapshot_gids_begin() */
	bool in_delta;		/* whose record this is */
};

struct snapshot_group {
	uint32_t gid;
	const char *name;
	uint32_t name_len;
	uint32_t member_count;
	const uint8_t *member_lens;	/* bytes of each name, without NUL */
	const char *member_names;	/* back to back, a byte behind each */
	uint64_t members_len;		/* bytes of all of them with these */
};

/*
 * Map a base alone. For who looks people up, snapshot_open_state().
 *
 *  owner  the uid that must own it (0 but in tests)
 *
 * Returns 0; -EPERM: not a regular file, wrong owner, group or other may write; -EBADMSG: magic, version,
 * byte order, sizes or header checksum are wrong, or it is a delta; or the errno of open/fstat/mmap. Never blocks
 * on a FIFO.
 */
int snapshot_open(const char *path, uid_t owner, struct snapshot *ret);

/* The name of a delta, by the generation of its base. */
void snapshot_delta_name(uint64_t generation, char ret[SNAPSHOT_DELTA_NAME_SIZE]);

/*
 * Map the delta of a base, in place of the one that s may have.
 *
 *  path  of the base: the delta lies in the same folder
 *
 * Returns 0, also when there is none; -ESTALE when the file of that name belongs to another base; -ENAMETOOLONG for a
 * path beyond SNAPSHOT_PATH_MAX; else as snapshot_open(). On failure s has no delta and must not be asked: the base alone
 * is an older state.
 */
int snapshot_open_delta(const char *path, uid_t owner, struct snapshot *s);

/*
 * Map the present state: base and delta. A base that was replaced while its delta was looked for is opened again.
 *
 * Returns as snapshot_open_delta(); -EAGAIN when each base that was opened had gone by then.
 */
int snapshot_open_state(const char *path, uid_t owner, struct snapshot *ret);

/* What tells one file from another. */
struct snapshot_file {
	uint64_t dev, ino, size;
	int64_t mtime_sec, mtime_nsec;
	int64_t ctime_sec, ctime_nsec;	/* when it was put where it was found; a copy has another one */
};

/* A number that stands for a file where it was found, and for no copy of it; never 0. */
uint64_t snapshot_file_mark(const struct snapshot_file *file);
/* Of a file that is open. Returns 0 or -errno. */
int snapshot_file_of(int fd, struct snapshot_file *ret);

/*
 * The same for who has a base mapped already: it is taken over if it still is the file at path.
 *
 *  have  that mapping, or NULL
 *  file  the file that have was mapped from; set to that of ret
 *  bare  of the epoch page; or NULL: look for a delta
 *
 * On success ret->base == have->base says that no new mapping of the base was made; the delta's always is new.
 */
int snapshot_renew(const char *path, uid_t owner, const uint8_t *have, struct snapshot_file *file,
    const _Atomic uint64_t *bare, struct snapshot *ret);

/* Unmap both; a zeroed struct is fine. */
void snapshot_close(struct snapshot *s);

/* Check the headers in memory (for the fuzzer and the writer). Returns 0, -EBADMSG, or -ESTALE as above. */
int snapshot_check(const struct snapshot *s);

/*
 * Check everything: every offset, id, name, table and list, of the base, then of the delta upon it. For the
 * publisher, before the rename. Returns 0, -EBADMSG or -ESTALE.
 */
int snapshot_check_whole(const struct snapshot *s);

/*
 * Lookups: 1 found; 0 absent, -EBADMSG for a corrupt record: *ret is then undefined. Cost: one probe and one record,
 * and with a delta one probe of its small table before.
 */
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
int snapshot_next_user(const struct snapshot *s, uint64_t *at, struct snapshot_user *ret);
int snapshot_next_group(const struct snapshot *s, uint64_t *at, struct snapshot_group *ret);

/* A place in a user's list of gids. */
struct snapshot_gids {
	const uint8_t *at, *end;
	uint32_t left, last;
};

/* Begin to read the supplementary gids of a user. Returns 1, or -EBADMSG when the list is out of bounds. */
int snapshot_gids_begin(const struct snapshot *s, const struct snapshot_user *user, struct snapshot_gids *ret);

/*
 * Read on, strictly ascending.
 *
 *  ret,room  filled with at most room gids, all of them when room is user->group_count; anything on failure
 *
 * Returns how many, 0 after the last, or -EBADMSG: out of order or bounds, or an id that is never allowed.
 */
int snapshot_gids_next(const struct snapshot *s, struct snapshot_gids *gids, uint32_t *ret, uint32_t room);

/* All of them at once: ret has room for user->group_count, and holds anything on failure. Returns 1 or -EBADMSG. */
int snapshot_user_gids(const struct snapshot *s, const struct snapshot_user *user, uint32_t *ret);

/*
 * Copy the names of all members and point at each.
 *
 *  to   room for group->members_len bytes
 *  ret  room for group->member_count pointers into to; both may be partly written on failure
 *
 * Returns 1, or -EBADMSG when the lengths do not fit the names or a character is none of a name. Where characters stand
 * is not looked at: the publisher gives no member but the users' own names (snapshot_check_whole()).
 */
int snapshot_group_members(const struct snapshot_group *group, char *to, char **ret);

/* Header facts: of the newest header; the counts are those of both files together. */
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

/*
 * snapshot_format.h - layout of base.1.snap and its delta, version 1. Shared by reader, writer and tests only.
 *
 *   struct snapshot_header          640 bytes, CRC-32C over itself
 *   sections, 64-byte aligned, each a span of the header's table:
 *   USERS        user records, ascending uid, each 4-byte aligned
 *   SHELLS       each shell once, 4-byte aligned: its length (u16), the string, NUL
 *   USER_NAMES USER_IDS    hash tables of 32-bit slots
 *   GROUPS       group records, ascending gid, each 4-byte aligned
 *   GROUP_NAMES GROUP_IDS  hash tables
 *   MEMBERS      member names of groups (below)
 *   LISTS        supplementary gids of users, 2-byte aligned (below)
 *   HIDDEN_USERS HIDDEN_GROUPS    hash tables of a delta: records of the base that are not shown
 *
 * Host byte order (a mark in the header says so: the file never leaves its host). A 32-bit `at` counts
 * bytes from the start of its section. A reference counts 4-byte units plus one, so that 0 is none.
 *
 * Record: the struct, then its strings back to back, each with its NUL, then zeros up to 4 bytes: a user has
 * name gecos home, but with SNAPSHOT_NAME_IN_HOME gecos home alone, and his name is the end of his home; a
 * group has its name.
 *
 * Hash table: slot 0 is empty; else the low ref_bits are a reference into USERS or GROUPS, and the bits
 * above are those of the hash, so that a wrong record is hardly ever touched. A key starts at slot
 * (hash >> 32) * starts >> 32 and lies in the run of non-empty slots from there, at most
 * SNAPSHOT_PROBE_MAX long; the table has that many slots more than starts, so no probe wraps.
 * hash = two multiplications of 64 by 64 bits, keyed with the header's seed, halves folded (snapshot_parts.h).
 * Nobody knows the seed of a file to come, and the writer draws another if a run gets too long (CASES NS12).
 * One lookup = one line of the table + one or two of the record. A hidden table's slots are whole references
 * into the base, and hash and key are those of the reference as an id.
 *
 * List of a user, ascending: first gid (u32), then the step to each further one as u16; a step of 0 says that
 * the gid itself follows (u32).
 *
 * Members of a group: one byte per member, the length of its name; then the names, a SNAPSHOT_NAME_END behind
 * each, so that an answer is a copy of all of them, in which readers put a NUL where each ends. In a base they
 * ascend by uid; in a delta first come those that are kept of the base's group of that gid, in its order, then
 * the delta's own users by uid.
 *
 * A delta names its base by generation (also in its name: delta.1.<16 hex digits>.snap) and seed. A record of
 * the base is shown unless its reference is hidden; a record of the delta always is. No name and no id is shown
 * twice. Users of a delta are members of groups of the delta by its lists and theirs, and of groups of the base
 * that are shown by having been members under the same name.
 */
#ifndef ISMS_SNAPSHOT_FORMAT_H
#define ISMS_SNAPSHOT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/snapshot.h"

#define SNAPSHOT_MAGIC		"ISMSSNAP"
#define SNAPSHOT_VERSION	1u
#define SNAPSHOT_BYTE_ORDER	0x01020304u
#define SNAPSHOT_SIZE_MAX	((uint64_t)UINT32_MAX)
#define SNAPSHOT_PROBE_MAX	256u
#define SNAPSHOT_NAME_MAX	32u
#define SNAPSHOT_NAME_END	'-'	/* a byte that names may have: all of them are looked at as one */
#define SNAPSHOT_SECTION_ALIGN	64u

enum snapshot_flag {
	SNAPSHOT_ENUMERABLE = 1 << 0,
};

enum snapshot_section {
	SECTION_USERS,
	SECTION_SHELLS,
	SECTION_USER_NAMES,
	SECTION_USER_IDS,
	SECTION_GROUPS,
	SECTION_GROUP_NAMES,
	SECTION_GROUP_IDS,
	SECTION_MEMBERS,
	SECTION_LISTS,
	SECTION_HIDDEN_USERS,
	SECTION_HIDDEN_GROUPS,
	SECTION_COUNT
};

struct snapshot_span {
	uint32_t at, size;	/* bytes from the start of the file; bytes */
};

struct snapshot_header {
	char magic[8];
	uint32_t version, byte_order;
	uint64_t total_size;
	uint32_t header_crc;	/* of the header with this field zero */
	uint32_t flags;		/* enum snapshot_flag; unknown bits are refused */
	uint64_t generation;
	int64_t created_utc_sec, valid_until_utc_sec;
	uint32_t user_count, group_count;	/* records of this file */
	uint64_t seed[3];	/* odd; here a second cache line starts: what lookups need */
	uint32_t user_ref_bits, group_ref_bits;
	struct snapshot_span section[SECTION_COUNT];
	uint64_t base_generation, base_seed;	/* of a delta: its base's generation and seed[0]; else 0 */
	uint32_t hidden_user_count, hidden_group_count;
	uint32_t local_gid_count;
	uint32_t local_gids[SNAPSHOT_LOCAL_GIDS_MAX];	/* of a delta: its base's, and perhaps more */
	char contact[SNAPSHOT_CONTACT_MAX + 1];		/* padded with zeros */
	uint32_t reserved[11];	/* zero */
};
_Static_assert(sizeof(struct snapshot_header) == 640, "the header has a fixed size");
_Static_assert(offsetof(struct snapshot_header, seed) == 64, "what lookups need starts a cache line");

#define SNAPSHOT_NAME_IN_HOME	0x8000u
#define SNAPSHOT_LIST_MAX	0x7fffu

struct snapshot_user_record {
	uint32_t uid, gid;
	uint32_t list_at;		/* in LISTS */
	uint16_t list_count;		/* gids, and SNAPSHOT_NAME_IN_HOME */
	uint16_t gecos_len, home_len;
	uint16_t shell;			/* in SHELLS, in units of 4 bytes */
	uint8_t name_len;		/* all lengths without NUL */
	uint8_t begin[3];		/* of the strings */
};
_Static_assert(sizeof(struct snapshot_user_record) == 24, "no hidden padding");
#define SNAPSHOT_USER_STRINGS	offsetof(struct snapshot_user_record, begin)

struct snapshot_group_record {
	uint32_t gid;
	uint32_t member_count;
	uint32_t members_at;		/* in MEMBERS */
	uint32_t names_len;		/* of all member names together, each with its end */
	uint8_t name_len;
	uint8_t begin[3];
};
_Static_assert(sizeof(struct snapshot_group_record) == 20, "no hidden padding");
#define SNAPSHOT_GROUP_STRINGS	offsetof(struct snapshot_group_record, begin)

/* Whether a section is a hash table, and of how many records. */
static inline bool
snapshot_table_records(const struct snapshot_header *header, unsigned section, uint32_t *ret)
{
	switch (section) {
	case SECTION_USER_NAMES:
	case SECTION_USER_IDS:
		*ret = header->user_count;
		return true;
	case SECTION_GROUP_NAMES:
	case SECTION_GROUP_IDS:
		*ret = header->group_count;
		return true;
	case SECTION_HIDDEN_USERS:
		*ret = header->hidden_user_count;
		return true;
	case SECTION_HIDDEN_GROUPS:
		*ret = header->hidden_group_count;
		return true;
	default:
		return false;
	}
}

/* CRC-32C (Castagnoli) as in RFC 3720; crc is 0 at first. For the header. */
uint32_t snapshot_crc32c(uint32_t crc, const void *bytes, size_t len);

/* The checksum that belongs into header->header_crc. */
uint32_t snapshot_header_checksum(const struct snapshot_header *header);

/* Hashes of keys under the header's seed. */
uint64_t snapshot_hash_name(const struct snapshot_header *header, const char *name, size_t len);
uint64_t snapshot_hash_id(const struct snapshot_header *header, uint32_t id);

/*
 * Find a record in one file, whatever hides it.
 *
 *  file      a mapping whose header was accepted
 *  name      wanted, or NULL: then id is
 *  ret_ref   its reference
 *
 * Returns 1, 0 or -EBADMSG as snapshot_find_user() does.
 */
int snapshot_locate_user(const uint8_t *file, const char *name, uint32_t id, struct snapshot_user *ret,
    uint32_t *ret_ref);
int snapshot_locate_group(const uint8_t *file, const char *name, uint32_t id, struct snapshot_group *ret,
    uint32_t *ret_ref);

/* Whether a delta hides a reference of its base: 1, 0, or -EBADMSG for a run without end. hidden: either section. */
int snapshot_hides(const uint8_t *delta, enum snapshot_section hidden, uint32_t ref);

/* The record of a reference, of a user of a delta's base for example: 1, or -EBADMSG. */
int snapshot_user_at(const uint8_t *file, uint32_t ref, struct snapshot_user *ret);
int snapshot_group_at(const uint8_t *file, uint32_t ref, struct snapshot_group *ret);

/* Map a delta by its own path, whatever its name says: for the writer. Returns as snapshot_open_delta(), or -ENOENT. */
int snapshot_open_delta_file(const char *file, uid_t owner, struct snapshot *s);

/* Check a delta, whose base was checked as a whole; its cost is the delta's own. Returns 0 or -EBADMSG. */
int snapshot_check_delta(const struct snapshot *s);

/* First slot of a key in a table of so many starts. */
static inline uint32_t
snapshot_slot_start(uint64_t hash, uint32_t starts)
{
	return (uint32_t)((hash >> 32) * starts >> 32);
}

#endif

/*
 * snapshot_format.h - layout of base.1.snap, version 1. Shared by reader, writer and tests only.
 *
 *   struct snapshot_header          576 bytes, CRC-32C over itself
 *   sections, 64-byte aligned, each a span of the header's table:
 *   USERS        user records, ascending uid, each 4-byte aligned
 *   GROUPS       group records, ascending gid, each 4-byte aligned
 *   LISTS        supplementary gids of users, 2-byte aligned (below)
 *   MEMBERS      member names of groups (below)
 *   USER_NAMES USER_IDS GROUP_NAMES GROUP_IDS    hash tables of 32-bit slots
 *
 * Host byte order (a mark in the header says so: the file never leaves its host). A 32-bit `at` counts
 * bytes from the start of its section. A reference counts 4-byte units plus one, so that 0 is none.
 *
 * Record: the struct, then its strings back to back, each with its NUL, then zeros up to 4 bytes:
 * a user has name gecos home shell, so that an answer is one copy; a group has its name.
 *
 * Hash table: slot 0 is empty; else the low ref_bits are a reference into USERS or GROUPS, and the bits
 * above are those of the hash, so that a wrong record is hardly ever touched. A key starts at slot
 * (hash >> 32) * starts >> 32 and lies in the run of non-empty slots from there, at most
 * SNAPSHOT_PROBE_MAX long; the table has that many slots more than starts, so no probe wraps.
 * hash = two multiplications of 64 by 64 bits, keyed with the header's seed, halves folded (snapshot.c).
 * Nobody knows the seed of a file to come, and the writer draws another if a run gets too long (CASES NS12).
 * One lookup = one line of the table + one or two of the record.
 *
 * List of a user, ascending: first gid (u32), then the step to each further one as u16; with
 * SNAPSHOT_WIDE_LIST every gid is a whole u32 instead.
 *
 * Members of a group: one byte per member, the length of its name; then the names back to back, each
 * with its NUL. An answer is one copy of the names and a running sum of the lengths.
 */
#ifndef ISMS_SNAPSHOT_FORMAT_H
#define ISMS_SNAPSHOT_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "common/snapshot.h"

#define SNAPSHOT_MAGIC		"ISMSSNAP"
#define SNAPSHOT_VERSION	1u
#define SNAPSHOT_BYTE_ORDER	0x01020304u
#define SNAPSHOT_SIZE_MAX	((uint64_t)UINT32_MAX)
#define SNAPSHOT_PROBE_MAX	256u
#define SNAPSHOT_NAME_MAX	32u
#define SNAPSHOT_SECTION_ALIGN	64u

enum snapshot_flag {
	SNAPSHOT_ENUMERABLE = 1 << 0,
};

enum snapshot_section {
	SECTION_USERS,
	SECTION_GROUPS,
	SECTION_LISTS,
	SECTION_MEMBERS,
	SECTION_USER_NAMES,
	SECTION_USER_IDS,
	SECTION_GROUP_NAMES,
	SECTION_GROUP_IDS,
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
	uint32_t user_count, group_count;
	uint64_t seed[3];	/* odd; here a second cache line starts: what lookups need */
	struct snapshot_span section[SECTION_COUNT];
	uint32_t user_ref_bits, group_ref_bits;
	uint32_t local_gid_count;
	uint32_t local_gids[SNAPSHOT_LOCAL_GIDS_MAX];
	char contact[SNAPSHOT_CONTACT_MAX + 1];		/* padded with zeros */
	uint32_t reserved[7];	/* zero */
};
_Static_assert(sizeof(struct snapshot_header) == 576, "the header has a fixed size");
_Static_assert(offsetof(struct snapshot_header, seed) == 64, "what lookups need starts a cache line");

#define SNAPSHOT_WIDE_LIST	0x8000u
#define SNAPSHOT_LIST_MAX	0x7fffu

struct snapshot_user_record {
	uint32_t uid, gid;
	uint32_t list_at;		/* in LISTS */
	uint16_t list_count;		/* gids, and SNAPSHOT_WIDE_LIST */
	uint16_t gecos_len, home_len, shell_len;
	uint8_t name_len;		/* all lengths without NUL */
	uint8_t begin[3];		/* of the strings */
};
_Static_assert(sizeof(struct snapshot_user_record) == 24, "no hidden padding");
#define SNAPSHOT_USER_STRINGS	offsetof(struct snapshot_user_record, begin)

struct snapshot_group_record {
	uint32_t gid;
	uint32_t member_count;
	uint32_t members_at;		/* in MEMBERS */
	uint32_t members_len;		/* of the names, with NULs */
	uint8_t name_len;
	uint8_t begin[3];
};
_Static_assert(sizeof(struct snapshot_group_record) == 20, "no hidden padding");
#define SNAPSHOT_GROUP_STRINGS	offsetof(struct snapshot_group_record, begin)

/* CRC-32C (Castagnoli) as in RFC 3720; crc is 0 at first. For the header. */
uint32_t snapshot_crc32c(uint32_t crc, const void *bytes, size_t len);

/* The checksum that belongs into header->header_crc. */
uint32_t snapshot_header_checksum(const struct snapshot_header *header);

/* Hashes of keys under the header's seed. */
uint64_t snapshot_hash_name(const struct snapshot_header *header, const char *name, size_t len);
uint64_t snapshot_hash_id(const struct snapshot_header *header, uint32_t id);

/* First slot of a key in a table of so many starts. */
static inline uint32_t
snapshot_slot_start(uint64_t hash, uint32_t starts)
{
	return (uint32_t)((hash >> 32) * starts >> 32);
}

#endif

/*
 * snapshot_parts.h - how a reader takes one file apart: hash, floor, records, probes. Private to snapshot.c,
 * snapshot_list.c, snapshot_members.c and snapshot_next.c; inline, since a lookup is a handful of them.
 *
 * Runs inside every process that resolves a name, some of them root: so it never allocates, never waits,
 * never trusts an offset that it has not just compared with the size of its section, and never returns
 * an id or name below the compiled-in floor. The header was checked when the file was mapped.
 */
#ifndef ISMS_SNAPSHOT_PARTS_H
#define ISMS_SNAPSHOT_PARTS_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/snapshot_format.h"

#define ALWAYS_INLINE	inline __attribute__((always_inline))

/* A mapping begins with its header. */
static inline const struct snapshot_header *
header_of(const uint8_t *file)
{
	return (const struct snapshot_header *)(const void *)file;
}

/* ---- hash ---- */

/* Both halves of the product, one over the other. */
static inline uint64_t
fold(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
	uint64_t low = (a & UINT32_MAX) * (b & UINT32_MAX), high = (a >> 32) * (b >> 32);
	uint64_t middle = (a >> 32) * (b & UINT32_MAX) + (low >> 32), other = (a & UINT32_MAX) * (b >> 32);

	other += middle & UINT32_MAX;
	return ((low & UINT32_MAX) | other << 32) ^ (high + (middle >> 32) + (other >> 32));
#endif
}

/* So many bytes from any address. */
static inline uint64_t
load64(const char *from)
{
	uint64_t word;

	memcpy(&word, from, sizeof word);
	return word;
}

/* The same of four. */
static inline uint64_t
load32(const char *from)
{
	uint32_t word;

	memcpy(&word, from, sizeof word);
	return word;
}

/* Whether two names of one length, not none, are the same; as with the hash, by overlapping loads. */
static ALWAYS_INLINE bool
same_name(const char *one, const char *other, size_t len)
{
	if (len > 16)
		return memcmp(one, other, len) == 0;
	if (len >= 8)
		return ((load64(one) ^ load64(other)) | (load64(one + len - 8) ^ load64(other + len - 8))) == 0;
	if (len >= 4)
		return ((load32(one) ^ load32(other)) | (load32(one + len - 4) ^ load32(other + len - 4))) == 0;
	return one[0] == other[0] && one[len / 2] == other[len / 2] && one[len - 1] == other[len - 1];
}

/* The hash of up to two words; of longer ones, what was folded of the others is in the first. */
static inline uint64_t
hash_words(const struct snapshot_header *h, uint64_t low, uint64_t high, uint64_t len)
{
	return fold(fold(low ^ h->seed[0], high ^ h->seed[1]) ^ len, h->seed[2]);
}

/* Overlapping loads cover every length without a loop and without reading beyond the name. */
static inline __attribute__((always_inline)) uint64_t
hash_name(const struct snapshot_header *h, const char *name, size_t len)
{
	uint64_t inner;

	if (len > 16) {
		inner = fold(load64(name) ^ h->seed[0], load64(name + 8) ^ h->seed[1]);
		return hash_words(h, load64(name + len - 16) ^ inner, load64(name + len - 8), len);
	}
	if (len >= 8)
		return hash_words(h, load64(name), load64(name + len - 8), len);
	if (len >= 4)
		return hash_words(h, load32(name), load32(name + len - 4), len);
	return hash_words(h, (uint8_t)name[0], (uint64_t)(uint8_t)name[len / 2] << 8 | (uint8_t)name[len - 1], len);
}

/* The hash of an id, or of a reference. */
static inline uint64_t
hash_id(const struct snapshot_header *h, uint32_t id)
{
	return hash_words(h, id, 0, sizeof id);
}

/* ---- the floor ---- */

/* As snapshot_id_allowed(). */
static inline bool
id_allowed(uint32_t id)
{
	if (id >= 65536)
		return id <= INT32_MAX;
	if (id <= 60000)
		return id >= 1000;
	if (id <= 60513)
		return false;		/* systemd-homed */
	if (id >= 61184 && id <= 65519)
		return false;		/* DynamicUser */
	return id != 65534 && id != 65535;
}

/* Whether all ids from one up to another may be, which lie in one of the two large ranges. */
static inline bool
range_allowed(uint32_t from, uint32_t to)
{
	return from <= to && ((from >= 1000 && to <= 60000) || (from >= 65536 && to <= INT32_MAX));
}

/* Whether this one may stand in a name. */
static inline bool
name_character(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

typedef uint8_t chunk __attribute__((vector_size(16)));

/* Whether all of these characters may stand in a name. */
static ALWAYS_INLINE bool
chunk_allowed(uint64_t low, uint64_t high)
{
	uint64_t words[2] = { low, high };
	chunk bytes, good;

	memcpy(&bytes, words, sizeof bytes);
	good = (chunk)(bytes - 'a' <= 'z' - 'a') | (chunk)(bytes - '0' <= '9' - '0') | (chunk)(bytes - '-' <= '.' - '-') |
	    (chunk)(bytes == '_');
	memcpy(words, &good, sizeof words);
	return (words[0] & words[1]) == UINT64_MAX;
}

/* As snapshot_name_allowed(). */
static ALWAYS_INLINE bool
name_allowed(const char *name, size_t len)
{
	uint64_t some;

	if (len == 0 || len > SNAPSHOT_NAME_MAX || !((name[0] >= 'a' && name[0] <= 'z') || name[0] == '_') ||
	    name[len - 1] == '.')
		return false;
	if (len > 16 && !chunk_allowed(load64(name + 8), load64(name + len - 16)))
		return false;
	if (len >= 8)
		return chunk_allowed(load64(name), load64(name + len - 8));
	if (len >= 4) {
		some = load32(name) | load32(name + len - 4) << 32;
		return chunk_allowed(some, some) && !(len == 4 && memcmp(name, "root", 4) == 0);
	}
	/* one to three: the middle one and the last; the first was looked at */
	return name_character((uint8_t)name[len / 2]) && name_character((uint8_t)name[len - 1]);
}

/* ---- records ---- */

/* The record that a reference names: how many bytes lie from it to the end of its section; 0 is none. */
static inline size_t
record_at(const uint8_t *file, enum snapshot_section section, uint32_t ref, const void **ret)
{
	const struct snapshot_span *span = &header_of(file)->section[section];
	uint64_t at = ((uint64_t)ref - 1) * 4;

	if (ref == 0 || at >= span->size)
		return 0;
	*ret = file + span->at + at;
	return (size_t)(span->size - at);
}

/* The shell of a record; false when it leaves its section or misses its NUL. */
static inline bool
user_shell(const uint8_t *file, uint32_t shell, struct snapshot_user *ret)
{
	const struct snapshot_span *span = &header_of(file)->section[SECTION_SHELLS];
	uint64_t at = (uint64_t)shell * 4;
	uint16_t len;

	if (at + sizeof len > span->size)
		return false;
	memcpy(&len, file + span->at + at, sizeof len);
	ret->shell = (const char *)file + span->at + at + sizeof len;
	ret->shell_len = len;
	return at + sizeof len + len < span->size && ret->shell[len] == '\0';
}

/* Where a user's name begins among his strings. */
static inline size_t
user_name_at(const struct snapshot_user_record *record)
{
	/* A name longer than the home that should hold it: an offset that no record has. */
	return (record->list_count & SNAPSHOT_NAME_IN_HOME) == 0 ? 0 :
	    (size_t)record->gecos_len + 1 + record->home_len - record->name_len;
}

/* The bytes of a user's strings and where each begins; false when they leave the record or miss a NUL. */
static inline bool
user_strings(const struct snapshot_user_record *record, size_t left, struct snapshot_user *ret, size_t *ret_size)
{
	bool in_home = (record->list_count & SNAPSHOT_NAME_IN_HOME) != 0;
	size_t gecos = in_home ? 0 : (size_t)record->name_len + 1;
	size_t home = gecos + record->gecos_len + 1;
	size_t size = home + record->home_len + 1;
	size_t name = user_name_at(record);
	const char *strings = (const char *)record + SNAPSHOT_USER_STRINGS;

	if (size > left - SNAPSHOT_USER_STRINGS || (in_home && record->name_len > record->home_len))
		return false;
	if ((strings[name + record->name_len] | strings[home - 1] | strings[size - 1]) != '\0')
		return false;
	ret->name = strings + name;
	ret->gecos = strings + gecos;
	ret->home = strings + home;
	ret->name_len = record->name_len;
	*ret_size = SNAPSHOT_USER_STRINGS + size;
	return true;
}

/*
 * Take a user's record apart, if it is the wanted one.
 *
 *  name,len  wanted, or NULL for any; uid wanted with no name, or 0 for any
 *
 * Returns 1, 0 for another one, or -EBADMSG.
 */
static ALWAYS_INLINE int
user_record(const uint8_t *file, uint32_t ref, const char *name, size_t len, uint32_t uid, struct snapshot_user *ret,
    size_t *ret_size)
{
	const struct snapshot_user_record *record = NULL;
	size_t left = record_at(file, SECTION_USERS, ref, (const void **)&record), at;

	if (left < sizeof *record)
		return -EBADMSG;
	if (name != NULL) {
		at = SNAPSHOT_USER_STRINGS + user_name_at(record);
		if (record->name_len != len)
			return 0;
		if (at > left || len > left - at)
			return -EBADMSG;
		if (!same_name((const char *)record + at, name, len))
			return 0;
	}
	if (uid != 0 && record->uid != uid)
		return 0;
	if (!user_strings(record, left, ret, ret_size) || !user_shell(file, record->shell, ret))
		return -EBADMSG;
	if (name != NULL && ret->name_len != len)
		return -EBADMSG;	/* written to since it was compared: no name that is longer than one may be */
	ret->uid = record->uid;
	ret->gid = record->gid;
	ret->gecos_len = record->gecos_len;
	ret->home_len = record->home_len;
	ret->group_count = record->list_count & SNAPSHOT_LIST_MAX;
	ret->list_at = record->list_at;
	ret->in_delta = false;
	return 1;
}

/* The same for a group. */
static ALWAYS_INLINE int
group_record(const uint8_t *file, uint32_t ref, const char *name, size_t len, uint32_t gid, struct snapshot_group *ret,
    size_t *ret_size)
{
	const struct snapshot_span *members = &header_of(file)->section[SECTION_MEMBERS];
	const struct snapshot_group_record *record = NULL;
	size_t left = record_at(file, SECTION_GROUPS, ref, (const void **)&record);
	const char *own;

	if (left < sizeof *record || (size_t)record->name_len + 1 > left - SNAPSHOT_GROUP_STRINGS)
		return -EBADMSG;
	own = (const char *)record + SNAPSHOT_GROUP_STRINGS;
	if (name != NULL && (record->name_len != len || !same_name(own, name, len)))
		return 0;
	if (gid != 0 && record->gid != gid)
		return 0;
	if (own[record->name_len] != '\0' ||
	    (uint64_t)record->members_at + record->member_count + record->names_len > members->size)
		return -EBADMSG;
	ret->gid = record->gid;
	ret->name = own;
	ret->name_len = record->name_len;
	ret->member_count = record->member_count;
	ret->member_lens = file + members->at + record->members_at;
	ret->member_names = (const char *)ret->member_lens + record->member_count;
	ret->members_len = record->names_len;
	*ret_size = SNAPSHOT_GROUP_STRINGS + record->name_len + 1;
	return 1;
}

/* Whether no id is below the floor. */
static inline bool
user_ids_allowed(const struct snapshot_user *user)
{
	return id_allowed(user->uid) && id_allowed(user->gid);
}

/* Whether neither id nor the name is. */
static inline bool
user_allowed(const struct snapshot_user *user)
{
	return user_ids_allowed(user) && name_allowed(user->name, user->name_len);
}

/* The same of a group. */
static inline bool
group_allowed(const struct snapshot_group *group)
{
	return id_allowed(group->gid) && name_allowed(group->name, group->name_len);
}

/* ---- hash tables ---- */

struct probe {
	const uint32_t *slot, *end;
	uint32_t mask, tag;	/* reference bits; the rest of a slot must equal tag */
};

/* Begin to look for a key in a table; with 32 reference bits all slots of the run are of interest. */
static inline struct probe
probe_begin(const uint8_t *file, enum snapshot_section table, uint32_t ref_bits, uint64_t hash)
{
	const struct snapshot_span *span = &header_of(file)->section[table];
	uint32_t starts = (uint32_t)(span->size / sizeof(uint32_t)) - SNAPSHOT_PROBE_MAX;
	uint32_t mask = (uint32_t)(((uint64_t)1 << ref_bits) - 1);
	const uint32_t *slots = (const void *)(file + span->at);
	const uint32_t *slot = slots + snapshot_slot_start(hash, starts);

	return (struct probe){
		.slot = slot, .end = slot + SNAPSHOT_PROBE_MAX, .mask = mask, .tag = (uint32_t)hash & ~mask,
	};
}

/* The next reference that may be the wanted one: 1; 0 after the last; -EBADMSG for a run without end. */
static inline int
probe_next(struct probe *p, uint32_t *ret_ref)
{
	while (p->slot < p->end) {
		uint32_t slot = *p->slot++;

		if (slot == 0)
			return 0;
		if ((slot & ~p->mask) == p->tag) {
			*ret_ref = slot & p->mask;
			return 1;
		}
	}
	return -EBADMSG;
}

#endif

/*
 * snapshot.c - lookups in the mapped snapshot (layout: snapshot_format.h).
 *
 * Runs inside every process that resolves a name, some of them root: so it never allocates, never waits,
 * never trusts an offset that it has not just compared with the size of its section, and never returns
 * an id or name below the compiled-in floor. The header was checked when the file was mapped.
 */
#include <config.h>

#include "common/snapshot.h"

#include <errno.h>
#include <string.h>

#include "common/snapshot_format.h"

struct probe {
	const uint32_t *slot, *end;
	uint32_t mask, tag;	/* reference bits; the rest of a slot must equal tag */
};

static inline const struct snapshot_header *
header(const struct snapshot *s)
{
	return (const struct snapshot_header *)(const void *)s->base;
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

static inline uint64_t
load64(const char *from)
{
	uint64_t word;

	memcpy(&word, from, sizeof word);
	return word;
}

static inline uint64_t
load32(const char *from)
{
	uint32_t word;

	memcpy(&word, from, sizeof word);
	return word;
}

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

static inline uint64_t
hash_id(const struct snapshot_header *h, uint32_t id)
{
	return hash_words(h, id, 0, sizeof id);
}

uint64_t
snapshot_hash_name(const struct snapshot_header *h, const char *name, size_t len)
{
	return hash_name(h, name, len);
}

uint64_t
snapshot_hash_id(const struct snapshot_header *h, uint32_t id)
{
	return hash_id(h, id);
}

/* ---- the floor ---- */

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

bool
snapshot_id_allowed(uint32_t id)
{
	return id_allowed(id);
}

#define EACH_BYTE(byte)	((uint64_t)(byte) * 0x0101010101010101u)

/* The top bit of each byte that lies in a range; of bytes below 128. */
static inline uint64_t
in_range(uint64_t word, uint8_t first, uint8_t last)
{
	return (word + EACH_BYTE(0x80 - first)) & ~(word + EACH_BYTE(0x7f - last));
}

/* Whether all 8 characters may stand in a name. */
static inline __attribute__((always_inline)) bool
word_allowed(uint64_t word)
{
	const uint64_t top = EACH_BYTE(0x80);
	uint64_t good = in_range(word, 'a', 'z') | in_range(word, '0', '9') | in_range(word, '-', '.') |
	    in_range(word, '_', '_');

	return (word & top) == 0 && (good & top) == top;
}

static inline __attribute__((always_inline)) bool
name_allowed(const char *name, size_t len)
{
	if (len == 0 || len > SNAPSHOT_NAME_MAX || !((name[0] >= 'a' && name[0] <= 'z') || name[0] == '_') ||
	    name[len - 1] == '.')
		return false;
	if (len > 16 && (!word_allowed(load64(name + 8)) || !word_allowed(load64(name + len - 16))))
		return false;
	if (len >= 8)
		return word_allowed(load64(name)) && word_allowed(load64(name + len - 8));
	if (len >= 4)
		return word_allowed(load32(name) | load32(name + len - 4) << 32) &&
		    !(len == 4 && memcmp(name, "root", 4) == 0);
	/* one to three: the first, the middle one, the last, and five that are allowed */
	return word_allowed(EACH_BYTE('a') << 24 | (uint64_t)(uint8_t)name[0] << 16 |
	    (uint64_t)(uint8_t)name[len / 2] << 8 | (uint8_t)name[len - 1]);
}

bool
snapshot_name_allowed(const char *name, size_t len)
{
	return name_allowed(name, len);
}

/* ---- records ---- */

/* The record that a reference names: how many bytes lie from it to the end of its section; 0 is none. */
static inline size_t
record_at(const struct snapshot *s, enum snapshot_section section, uint32_t ref, const void **ret)
{
	const struct snapshot_span *span = &header(s)->section[section];
	uint64_t at = ((uint64_t)ref - 1) * 4;

	if (ref == 0 || at >= span->size)
		return 0;
	*ret = s->base + span->at + at;
	return (size_t)(span->size - at);
}

/* The bytes of a user's strings and where each begins; false when they leave the record or miss a NUL. */
static inline bool
user_strings(const struct snapshot_user_record *record, size_t left, struct snapshot_user *ret, size_t *ret_size)
{
	size_t gecos = (size_t)record->name_len + 1;
	size_t home = gecos + record->gecos_len + 1;
	size_t shell = home + record->home_len + 1;
	size_t size = shell + record->shell_len + 1;
	const char *strings = (const char *)record + SNAPSHOT_USER_STRINGS;

	if (size > left - SNAPSHOT_USER_STRINGS)
		return false;
	if ((strings[gecos - 1] | strings[home - 1] | strings[shell - 1] | strings[size - 1]) != '\0')
		return false;
	ret->name = strings;
	ret->gecos = strings + gecos;
	ret->home = strings + home;
	ret->shell = strings + shell;
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
static inline __attribute__((always_inline)) int
user_record(const struct snapshot *s, uint32_t ref, const char *name, size_t len, uint32_t uid,
    struct snapshot_user *ret, size_t *ret_size)
{
	const struct snapshot_user_record *record = NULL;
	size_t left = record_at(s, SECTION_USERS, ref, (const void **)&record);

	if (left < sizeof *record)
		return -EBADMSG;
	if (name != NULL && (record->name_len != len || len > left - SNAPSHOT_USER_STRINGS ||
	    memcmp((const char *)record + SNAPSHOT_USER_STRINGS, name, len) != 0))
		return 0;
	if (uid != 0 && record->uid != uid)
		return 0;
	if (!user_strings(record, left, ret, ret_size))
		return -EBADMSG;
	ret->uid = record->uid;
	ret->gid = record->gid;
	ret->name_len = record->name_len;
	ret->gecos_len = record->gecos_len;
	ret->home_len = record->home_len;
	ret->shell_len = record->shell_len;
	ret->group_count = record->list_count & SNAPSHOT_LIST_MAX;
	ret->list_at = record->list_at;
	ret->list_wide = (record->list_count & SNAPSHOT_WIDE_LIST) != 0;
	return 1;
}

/* The same for a group. */
static inline __attribute__((always_inline)) int
group_record(const struct snapshot *s, uint32_t ref, const char *name, size_t len, uint32_t gid,
    struct snapshot_group *ret, size_t *ret_size)
{
	const struct snapshot_span *members = &header(s)->section[SECTION_MEMBERS];
	const struct snapshot_group_record *record = NULL;
	size_t left = record_at(s, SECTION_GROUPS, ref, (const void **)&record);
	const char *own;

	if (left < sizeof *record || (size_t)record->name_len + 1 > left - SNAPSHOT_GROUP_STRINGS)
		return -EBADMSG;
	own = (const char *)record + SNAPSHOT_GROUP_STRINGS;
	if (name != NULL && (record->name_len != len || memcmp(own, name, len) != 0))
		return 0;
	if (gid != 0 && record->gid != gid)
		return 0;
	if (own[record->name_len] != '\0' ||
	    (uint64_t)record->members_at + record->member_count + record->members_len > members->size)
		return -EBADMSG;
	ret->gid = record->gid;
	ret->name = own;
	ret->name_len = record->name_len;
	ret->member_count = record->member_count;
	ret->member_lens = s->base + members->at + record->members_at;
	ret->members = (const char *)ret->member_lens + record->member_count;
	ret->members_len = record->members_len;
	*ret_size = SNAPSHOT_GROUP_STRINGS + record->name_len + 1;
	return 1;
}

static inline bool
user_allowed(const struct snapshot_user *user)
{
	return id_allowed(user->uid) && id_allowed(user->gid) &&
	    name_allowed(user->name, user->name_len);
}

static inline bool
group_allowed(const struct snapshot_group *group)
{
	return id_allowed(group->gid) && name_allowed(group->name, group->name_len);
}

/* ---- hash tables ---- */

static inline struct probe
probe_begin(const struct snapshot *s, enum snapshot_section table, uint32_t ref_bits, uint64_t hash)
{
	const struct snapshot_span *span = &header(s)->section[table];
	uint32_t starts = (uint32_t)(span->size / sizeof(uint32_t)) - SNAPSHOT_PROBE_MAX;
	uint32_t mask = (uint32_t)(((uint64_t)1 << ref_bits) - 1);
	const uint32_t *slots = (const void *)(s->base + span->at);
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

int
snapshot_find_user(const struct snapshot *s, const char *name, struct snapshot_user *ret)
{
	size_t len = strnlen(name, SNAPSHOT_NAME_MAX + 1), size;
	struct probe p;
	uint32_t ref;
	int r;

	if (len == 0 || len > SNAPSHOT_NAME_MAX)
		return 0;
	p = probe_begin(s, SECTION_USER_NAMES, header(s)->user_ref_bits, hash_name(header(s), name, len));
	while ((r = probe_next(&p, &ref)) > 0) {
		r = user_record(s, ref, name, len, 0, ret, &size);
		if (r != 0)
			return r > 0 ? user_allowed(ret) : r;
	}
	return r;
}

int
snapshot_find_uid(const struct snapshot *s, uint32_t uid, struct snapshot_user *ret)
{
	size_t size;
	struct probe p;
	uint32_t ref;
	int r;

	if (!id_allowed(uid))
		return 0;
	p = probe_begin(s, SECTION_USER_IDS, header(s)->user_ref_bits, hash_id(header(s), uid));
	while ((r = probe_next(&p, &ref)) > 0) {
		r = user_record(s, ref, NULL, 0, uid, ret, &size);
		if (r != 0)
			return r > 0 ? user_allowed(ret) : r;
	}
	return r;
}

int
snapshot_find_group(const struct snapshot *s, const char *name, struct snapshot_group *ret)
{
	size_t len = strnlen(name, SNAPSHOT_NAME_MAX + 1), size;
	struct probe p;
	uint32_t ref;
	int r;

	if (len == 0 || len > SNAPSHOT_NAME_MAX)
		return 0;
	p = probe_begin(s, SECTION_GROUP_NAMES, header(s)->group_ref_bits, hash_name(header(s), name, len));
	while ((r = probe_next(&p, &ref)) > 0) {
		r = group_record(s, ref, name, len, 0, ret, &size);
		if (r != 0)
			return r > 0 ? group_allowed(ret) : r;
	}
	return r;
}

int
snapshot_find_gid(const struct snapshot *s, uint32_t gid, struct snapshot_group *ret)
{
	size_t size;
	struct probe p;
	uint32_t ref;
	int r;

	if (!id_allowed(gid))
		return 0;
	p = probe_begin(s, SECTION_GROUP_IDS, header(s)->group_ref_bits, hash_id(header(s), gid));
	while ((r = probe_next(&p, &ref)) > 0) {
		r = group_record(s, ref, NULL, 0, gid, ret, &size);
		if (r != 0)
			return r > 0 ? group_allowed(ret) : r;
	}
	return r;
}

/* ---- enumeration ---- */

/* Where the record after one of size bytes begins. */
static uint32_t
advance(uint32_t at, size_t size)
{
	return at + (uint32_t)((size + 3) / 4);
}

int
snapshot_next_user(const struct snapshot *s, uint32_t *at, struct snapshot_user *ret)
{
	size_t size;
	int r;

	while ((uint64_t)*at * 4 < header(s)->section[SECTION_USERS].size) {
		r = user_record(s, *at + 1, NULL, 0, 0, ret, &size);
		if (r < 0)
			return r;
		*at = advance(*at, size);
		if (user_allowed(ret))
			return 1;
	}
	return 0;
}

int
snapshot_next_group(const struct snapshot *s, uint32_t *at, struct snapshot_group *ret)
{
	size_t size;
	int r;

	while ((uint64_t)*at * 4 < header(s)->section[SECTION_GROUPS].size) {
		r = group_record(s, *at + 1, NULL, 0, 0, ret, &size);
		if (r < 0)
			return r;
		*at = advance(*at, size);
		if (group_allowed(ret))
			return 1;
	}
	return 0;
}

/* ---- lists ---- */

int
snapshot_gids_begin(const struct snapshot *s, const struct snapshot_user *user, struct snapshot_gids *ret)
{
	const struct snapshot_span *lists = &header(s)->section[SECTION_LISTS];
	uint64_t size = user->list_wide ? (uint64_t)user->group_count * 4 : 2 + (uint64_t)user->group_count * 2;

	*ret = (struct snapshot_gids){ .left = user->group_count, .first = true, .wide = user->list_wide };
	if (user->group_count == 0)
		return 1;
	if (user->list_at > lists->size || size > lists->size - user->list_at)
		return -EBADMSG;
	ret->at = s->base + lists->at + user->list_at;
	return 1;
}

int
snapshot_gids_next(const struct snapshot *s, struct snapshot_gids *gids, uint32_t *ret, uint32_t room)
{
	uint32_t count = gids->left < room ? gids->left : room, gid = gids->last;
	uint16_t step;

	for (uint32_t i = 0; i < count; i++) {
		if (gids->first || gids->wide) {
			memcpy(&gid, gids->at, sizeof gid);
			gids->at += sizeof gid;
			gids->first = false;
		} else {
			memcpy(&step, gids->at, sizeof step);
			gids->at += sizeof step;
			gid += step;
		}
		if (gid <= gids->last || (!id_allowed(gid) && !snapshot_local_gid(s, gid)))
			return -EBADMSG;
		ret[i] = gids->last = gid;
	}
	gids->left -= count;
	return (int)count;
}

int
snapshot_user_gids(const struct snapshot *s, const struct snapshot_user *user, uint32_t *ret)
{
	struct snapshot_gids gids;
	int r;

	r = snapshot_gids_begin(s, user, &gids);
	if (r > 0)
		r = snapshot_gids_next(s, &gids, ret, user->group_count);
	return r < 0 ? r : 1;
}

/* The sum of bytes, eight at a time: pairs into 16 bits, these by a multiplication into the top ones. */
static uint64_t
sum_bytes(const uint8_t *at, size_t count)
{
	const uint64_t low_bytes = 0x00ff00ff00ff00ffu, ones = 0x0001000100010001u;
	uint64_t total = 0, word;

	for (; count >= sizeof word; at += sizeof word, count -= sizeof word) {
		memcpy(&word, at, sizeof word);
		total += ((word & low_bytes) + (word >> 8 & low_bytes)) * ones >> 48;
	}
	for (; count > 0; count--)
		total += *at++;
	return total;
}

int
snapshot_group_members(const struct snapshot_group *group, char *to, char **ret)
{
	const uint8_t *lens = group->member_lens;
	char unended = '\0';

	/* The sum first; then nothing has to be compared on the way. */
	if (sum_bytes(lens, group->member_count) + group->member_count != group->members_len)
		return -EBADMSG;
	memcpy(to, group->members, group->members_len);
	for (uint32_t i = 0; i < group->member_count; i++) {
		ret[i] = to;
		to += lens[i];
		unended |= *to++;
	}
	return unended == '\0' ? 1 : -EBADMSG;
}

/* ---- header facts ---- */

uint64_t
snapshot_generation(const struct snapshot *s)
{
	return header(s)->generation;
}

int64_t
snapshot_created_utc_sec(const struct snapshot *s)
{
	return header(s)->created_utc_sec;
}

int64_t
snapshot_valid_until_utc_sec(const struct snapshot *s)
{
	return header(s)->valid_until_utc_sec;
}

uint32_t
snapshot_user_count(const struct snapshot *s)
{
	return header(s)->user_count;
}

uint32_t
snapshot_group_count(const struct snapshot *s)
{
	return header(s)->group_count;
}

bool
snapshot_enumerable(const struct snapshot *s)
{
	return (header(s)->flags & SNAPSHOT_ENUMERABLE) != 0;
}

const char *
snapshot_contact(const struct snapshot *s)
{
	return header(s)->contact;
}

bool
snapshot_local_gid(const struct snapshot *s, uint32_t gid)
{
	for (uint32_t i = 0; i < header(s)->local_gid_count; i++)
		if (header(s)->local_gids[i] == gid)
			return true;
	return false;
}

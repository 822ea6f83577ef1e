/*
 * snapshot.c - lookups in the mapped snapshot (layout: snapshot_format.h).
 *
 * Runs inside every process that resolves a name, some of them root: so it never allocates, never waits,
 * never trusts an offset that it has not just compared with the size of its section, and never returns
 * an id or name below the compiled-in floor. The header was checked when the file was mapped.
 */
#include <config.h>

#include "common/snapshot.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/siphash.h"
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

uint64_t
snapshot_hash_name(const struct snapshot_header *h, const char *name, size_t len)
{
	return siphash13(h->seed, name, len);
}

uint64_t
snapshot_hash_id(const struct snapshot_header *h, uint32_t id)
{
	id = htole32(id);
	return siphash13(h->seed, &id, sizeof id);
}

bool
snapshot_id_allowed(uint32_t id)
{
	if (id < 1000 || id > INT32_MAX)
		return false;
	if (id < 60001)
		return true;
	if (id <= 60513)
		return false;		/* systemd-homed */
	if (id >= 61184 && id <= 65519)
		return false;		/* DynamicUser */
	return id != 65534 && id != 65535;
}

/* Characters of a name; the first one may be only those of FIRST. */
enum { OTHER = 1, FIRST = 2 };
static const uint8_t name_chars[256] = {
	['a' ... 'z'] = FIRST | OTHER, ['_'] = FIRST | OTHER,
	['0' ... '9'] = OTHER, ['.'] = OTHER, ['-'] = OTHER,
};

bool
snapshot_name_allowed(const char *name, size_t len)
{
	if (len == 0 || len > SNAPSHOT_NAME_MAX || (name_chars[(uint8_t)name[0]] & FIRST) == 0)
		return false;
	for (size_t i = 1; i < len; i++)
		if (name_chars[(uint8_t)name[i]] == 0)
			return false;
	return name[len - 1] != '.';
}

/* ---- records ---- */

/* The record that a reference names: how many bytes lie from it to the end of its section; 0 is none. */
static inline size_t
record_at(const struct snapshot *s, enum snapshot_section section, uint32_t ref, const uint8_t **ret)
{
	const struct snapshot_span *span = &header(s)->section[section];
	uint64_t at = ((uint64_t)ref - 1) * 4;

	if (ref == 0 || at >= span->size)
		return 0;
	*ret = s->base + span->at + at;
	return (size_t)(span->size - at);
}

static int
user_record(const struct snapshot *s, uint32_t ref, struct snapshot_user *ret, size_t *ret_size)
{
	const struct snapshot_user_record *record;
	const uint8_t *at = NULL;
	size_t left, size, gecos, home, shell;
	const char *strings;

	left = record_at(s, SECTION_USERS, ref, &at);
	if (left < sizeof *record)
		return -EBADMSG;
	record = (const void *)at;
	gecos = (size_t)record->name_len + 1;
	home = gecos + record->gecos_len + 1;
	shell = home + record->home_len + 1;
	size = shell + record->shell_len + 1;
	strings = (const char *)record->strings;
	if (size > left - SNAPSHOT_USER_STRINGS || strings[gecos - 1] != '\0' || strings[home - 1] != '\0' ||
	    strings[shell - 1] != '\0' || strings[size - 1] != '\0')
		return -EBADMSG;
	*ret = (struct snapshot_user){
		.uid = record->uid, .gid = record->gid,
		.name = strings, .gecos = strings + gecos, .home = strings + home, .shell = strings + shell,
		.name_len = record->name_len, .gecos_len = record->gecos_len,
		.home_len = record->home_len, .shell_len = record->shell_len,
		.group_count = record->list_count & SNAPSHOT_LIST_MAX, .list_at = record->list_at,
		.list_wide = (record->list_count & SNAPSHOT_WIDE_LIST) != 0,
	};
	*ret_size = SNAPSHOT_USER_STRINGS + size;
	return 1;
}

static int
group_record(const struct snapshot *s, uint32_t ref, struct snapshot_group *ret, size_t *ret_size)
{
	const struct snapshot_span *members = &header(s)->section[SECTION_MEMBERS];
	const struct snapshot_group_record *record;
	const uint8_t *at = NULL;
	size_t left;

	left = record_at(s, SECTION_GROUPS, ref, &at);
	if (left < sizeof *record)
		return -EBADMSG;
	record = (const void *)at;
	if ((size_t)record->name_len + 1 > left - SNAPSHOT_GROUP_STRINGS || record->strings[record->name_len] != '\0')
		return -EBADMSG;
	if ((uint64_t)record->members_at + record->member_count + record->members_len > members->size)
		return -EBADMSG;
	at = s->base + members->at + record->members_at;
	*ret = (struct snapshot_group){
		.gid = record->gid, .name = (const char *)record->strings, .name_len = record->name_len,
		.member_count = record->member_count, .member_lens = at,
		.members = (const char *)at + record->member_count, .members_len = record->members_len,
	};
	*ret_size = SNAPSHOT_GROUP_STRINGS + record->name_len + 1;
	return 1;
}

static bool
user_allowed(const struct snapshot_user *user)
{
	return snapshot_id_allowed(user->uid) && snapshot_id_allowed(user->gid) &&
	    snapshot_name_allowed(user->name, user->name_len);
}

static bool
group_allowed(const struct snapshot_group *group)
{
	return snapshot_id_allowed(group->gid) && snapshot_name_allowed(group->name, group->name_len);
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
	struct snapshot_user user;
	struct probe p;
	uint32_t ref;
	int r;

	if (!snapshot_name_allowed(name, len))
		return 0;
	p = probe_begin(s, SECTION_USER_NAMES, header(s)->user_ref_bits, snapshot_hash_name(header(s), name, len));
	while ((r = probe_next(&p, &ref)) > 0) {
		r = user_record(s, ref, &user, &size);
		if (r < 0)
			return r;
		if (user.name_len != len || memcmp(user.name, name, len) != 0)
			continue;
		if (!user_allowed(&user))
			return 0;
		*ret = user;
		return 1;
	}
	return r;
}

int
snapshot_find_uid(const struct snapshot *s, uint32_t uid, struct snapshot_user *ret)
{
	struct snapshot_user user;
	struct probe p;
	uint32_t ref;
	size_t size;
	int r;

	if (!snapshot_id_allowed(uid))
		return 0;
	p = probe_begin(s, SECTION_USER_IDS, header(s)->user_ref_bits, snapshot_hash_id(header(s), uid));
	while ((r = probe_next(&p, &ref)) > 0) {
		r = user_record(s, ref, &user, &size);
		if (r < 0)
			return r;
		if (user.uid != uid)
			continue;
		if (!user_allowed(&user))
			return 0;
		*ret = user;
		return 1;
	}
	return r;
}

int
snapshot_find_group(const struct snapshot *s, const char *name, struct snapshot_group *ret)
{
	size_t len = strnlen(name, SNAPSHOT_NAME_MAX + 1), size;
	struct snapshot_group group;
	struct probe p;
	uint32_t ref;
	int r;

	if (!snapshot_name_allowed(name, len))
		return 0;
	p = probe_begin(s, SECTION_GROUP_NAMES, header(s)->group_ref_bits, snapshot_hash_name(header(s), name, len));
	while ((r = probe_next(&p, &ref)) > 0) {
		r = group_record(s, ref, &group, &size);
		if (r < 0)
			return r;
		if (group.name_len != len || memcmp(group.name, name, len) != 0)
			continue;
		if (!group_allowed(&group))
			return 0;
		*ret = group;
		return 1;
	}
	return r;
}

int
snapshot_find_gid(const struct snapshot *s, uint32_t gid, struct snapshot_group *ret)
{
	struct snapshot_group group;
	struct probe p;
	uint32_t ref;
	size_t size;
	int r;

	if (!snapshot_id_allowed(gid))
		return 0;
	p = probe_begin(s, SECTION_GROUP_IDS, header(s)->group_ref_bits, snapshot_hash_id(header(s), gid));
	while ((r = probe_next(&p, &ref)) > 0) {
		r = group_record(s, ref, &group, &size);
		if (r < 0)
			return r;
		if (group.gid != gid)
			continue;
		if (!group_allowed(&group))
			return 0;
		*ret = group;
		return 1;
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
	struct snapshot_user user;
	size_t size;
	int r;

	while ((uint64_t)*at * 4 < header(s)->section[SECTION_USERS].size) {
		r = user_record(s, *at + 1, &user, &size);
		if (r < 0)
			return r;
		*at = advance(*at, size);
		if (!user_allowed(&user))
			continue;
		*ret = user;
		return 1;
	}
	return 0;
}

int
snapshot_next_group(const struct snapshot *s, uint32_t *at, struct snapshot_group *ret)
{
	struct snapshot_group group;
	size_t size;
	int r;

	while ((uint64_t)*at * 4 < header(s)->section[SECTION_GROUPS].size) {
		r = group_record(s, *at + 1, &group, &size);
		if (r < 0)
			return r;
		*at = advance(*at, size);
		if (!group_allowed(&group))
			continue;
		*ret = group;
		return 1;
	}
	return 0;
}

/* ---- lists ---- */

/* Expand a narrow or wide list; its bounds were checked. */
static void
list_expand(const uint8_t *list, bool wide, uint32_t count, uint32_t *ret)
{
	uint16_t step;

	if (wide) {
		memcpy(ret, list, (size_t)count * sizeof *ret);
		return;
	}
	memcpy(&ret[0], list, sizeof ret[0]);
	list += sizeof ret[0];
	for (uint32_t i = 1; i < count; i++, list += sizeof step) {
		memcpy(&step, list, sizeof step);
		ret[i] = ret[i - 1] + step;
	}
}

int
snapshot_user_gids(const struct snapshot *s, const struct snapshot_user *user, uint32_t *ret)
{
	const struct snapshot_span *lists = &header(s)->section[SECTION_LISTS];
	uint32_t count = user->group_count, last = 0;
	uint64_t size;

	if (count == 0)
		return 1;
	size = user->list_wide ? (uint64_t)count * 4 : 4 + (uint64_t)(count - 1) * 2;
	if (user->list_at > lists->size || size > lists->size - user->list_at)
		return -EBADMSG;
	list_expand(s->base + lists->at + user->list_at, user->list_wide, count, ret);
	for (uint32_t i = 0; i < count; i++) {
		if (ret[i] <= last || (!snapshot_id_allowed(ret[i]) && !snapshot_local_gid(s, ret[i])))
			return -EBADMSG;
		last = ret[i];
	}
	return 1;
}

int
snapshot_group_members(const struct snapshot_group *group, char *to, char **ret)
{
	const uint8_t *lens = group->member_lens;
	const char *end = to + group->members_len;
	char *at = to, unended = '\0';

	memcpy(to, group->members, group->members_len);
	for (uint32_t i = 0; i < group->member_count; i++) {
		size_t len = lens[i];

		if (len >= (size_t)(end - at))
			return -EBADMSG;
		unended |= at[len];
		ret[i] = at;
		at += len + 1;
	}
	return at == end && unended == '\0' ? 1 : -EBADMSG;
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

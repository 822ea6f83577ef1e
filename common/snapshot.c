/*
 * snapshot.c - lookups in the mapped snapshot (layout: snapshot_format.h; taking it apart: snapshot_parts.h).
 *
 * A lookup without a delta is one probe of the base. With one, the delta's small table is asked first; what the
 * base knows besides counts unless the delta hides it.
 */
#include <config.h>

#include "common/snapshot.h"

#include "common/snapshot_parts.h"

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

bool
snapshot_id_allowed(uint32_t id)
{
	return id_allowed(id);
}

bool
snapshot_name_allowed(const char *name, size_t len)
{
	return name_allowed(name, len);
}

/* ---- one file ---- */

/* Find a user by name, one that is allowed, or by uid with no name. */
static ALWAYS_INLINE int
locate_user(const uint8_t *file, const char *name, size_t len, uint32_t uid, struct snapshot_user *ret,
    uint32_t *ret_ref)
{
	const struct snapshot_header *h = header_of(file);
	uint64_t hash = name != NULL ? hash_name(h, name, len) : hash_id(h, uid);
	struct probe p = probe_begin(file, name != NULL ? SECTION_USER_NAMES : SECTION_USER_IDS, h->user_ref_bits, hash);
	size_t size;
	int r;

	while ((r = probe_next(&p, ret_ref)) > 0) {
		r = user_record(file, *ret_ref, name, len, uid, ret, &size);
		if (r != 0)
			return r <= 0 ? r : name != NULL ? user_ids_allowed(ret) : user_allowed(ret);
	}
	return r;
}

static ALWAYS_INLINE int
locate_group(const uint8_t *file, const char *name, size_t len, uint32_t gid, struct snapshot_group *ret,
    uint32_t *ret_ref)
{
	const struct snapshot_header *h = header_of(file);
	uint64_t hash = name != NULL ? hash_name(h, name, len) : hash_id(h, gid);
	struct probe p = probe_begin(file, name != NULL ? SECTION_GROUP_NAMES : SECTION_GROUP_IDS, h->group_ref_bits, hash);
	size_t size;
	int r;

	while ((r = probe_next(&p, ret_ref)) > 0) {
		r = group_record(file, *ret_ref, name, len, gid, ret, &size);
		if (r != 0)
			return r <= 0 ? r : name != NULL ? id_allowed(ret->gid) : group_allowed(ret);
	}
	return r;
}

/* Whether a name that is asked for may be one; sets its length. Before the file is read: that takes long, this does not. */
static ALWAYS_INLINE bool
may_be_asked(const char *name, size_t *ret_len)
{
	*ret_len = strnlen(name, SNAPSHOT_NAME_MAX + 1);
	return name_allowed(name, *ret_len);
}

int
snapshot_locate_user(const uint8_t *file, const char *name, uint32_t id, struct snapshot_user *ret, uint32_t *ret_ref)
{
	size_t len = 0;

	if (name != NULL ? !may_be_asked(name, &len) : !id_allowed(id))
		return 0;
	return locate_user(file, name, len, id, ret, ret_ref);
}

int
snapshot_locate_group(const uint8_t *file, const char *name, uint32_t id, struct snapshot_group *ret, uint32_t *ret_ref)
{
	size_t len = 0;

	if (name != NULL ? !may_be_asked(name, &len) : !id_allowed(id))
		return 0;
	return locate_group(file, name, len, id, ret, ret_ref);
}

int
snapshot_user_at(const uint8_t *file, uint32_t ref, struct snapshot_user *ret)
{
	size_t size;

	return user_record(file, ref, NULL, 0, 0, ret, &size);
}

int
snapshot_group_at(const uint8_t *file, uint32_t ref, struct snapshot_group *ret)
{
	size_t size;

	return group_record(file, ref, NULL, 0, 0, ret, &size);
}

int
snapshot_hides(const uint8_t *delta, enum snapshot_section hidden, uint32_t ref)
{
	struct probe p = probe_begin(delta, hidden, 32, hash_id(header_of(delta), ref));
	uint32_t found;
	int r;

	while ((r = probe_next(&p, &found)) > 0 && found != ref)
		;
	return r;
}

/* ---- base and delta ---- */

static __attribute__((noinline)) int
find_user_of_both(const struct snapshot *s, const char *name, size_t len, uint32_t uid, struct snapshot_user *ret)
{
	uint32_t ref;
	int r, hides;

	r = locate_user(s->delta, name, len, uid, ret, &ref);
	ret->in_delta = r > 0;
	if (r != 0)
		return r;
	r = locate_user(s->base, name, len, uid, ret, &ref);
	if (r <= 0)
		return r;
	hides = snapshot_hides(s->delta, SECTION_HIDDEN_USERS, ref);
	return hides == 0 ? 1 : hides > 0 ? 0 : hides;
}

static __attribute__((noinline)) int
find_group_of_both(const struct snapshot *s, const char *name, size_t len, uint32_t gid, struct snapshot_group *ret)
{
	uint32_t ref;
	int r, hides;

	r = locate_group(s->delta, name, len, gid, ret, &ref);
	if (r != 0)
		return r;
	r = locate_group(s->base, name, len, gid, ret, &ref);
	if (r <= 0)
		return r;
	hides = snapshot_hides(s->delta, SECTION_HIDDEN_GROUPS, ref);
	return hides == 0 ? 1 : hides > 0 ? 0 : hides;
}

/* Most of the time there is no delta, or the processor has learnt that there is. */
#define HAS_DELTA(s)	__builtin_expect((s)->delta != NULL, 0)

int
snapshot_find_user(const struct snapshot *s, const char *name, struct snapshot_user *ret)
{
	uint32_t ref;
	size_t len;

	if (!may_be_asked(name, &len))
		return 0;
	return HAS_DELTA(s) ? find_user_of_both(s, name, len, 0, ret) : locate_user(s->base, name, len, 0, ret, &ref);
}

int
snapshot_find_uid(const struct snapshot *s, uint32_t uid, struct snapshot_user *ret)
{
	uint32_t ref;

	if (!id_allowed(uid))
		return 0;
	return HAS_DELTA(s) ? find_user_of_both(s, NULL, 0, uid, ret) : locate_user(s->base, NULL, 0, uid, ret, &ref);
}

int
snapshot_find_group(const struct snapshot *s, const char *name, struct snapshot_group *ret)
{
	uint32_t ref;
	size_t len;

	if (!may_be_asked(name, &len))
		return 0;
	return HAS_DELTA(s) ? find_group_of_both(s, name, len, 0, ret) : locate_group(s->base, name, len, 0, ret, &ref);
}

int
snapshot_find_gid(const struct snapshot *s, uint32_t gid, struct snapshot_group *ret)
{
	uint32_t ref;

	if (!id_allowed(gid))
		return 0;
	return HAS_DELTA(s) ? find_group_of_both(s, NULL, 0, gid, ret) : locate_group(s->base, NULL, 0, gid, ret, &ref);
}

/* ---- header facts ---- */

static const struct snapshot_header *
newest(const struct snapshot *s)
{
	return header_of(s->delta != NULL ? s->delta : s->base);
}

uint64_t
snapshot_generation(const struct snapshot *s)
{
	return newest(s)->generation;
}

int64_t
snapshot_created_utc_sec(const struct snapshot *s)
{
	return newest(s)->created_utc_sec;
}

int64_t
snapshot_valid_until_utc_sec(const struct snapshot *s)
{
	return newest(s)->valid_until_utc_sec;
}

uint32_t
snapshot_user_count(const struct snapshot *s)
{
	uint32_t count = header_of(s->base)->user_count;

	return s->delta == NULL ? count : count - header_of(s->delta)->hidden_user_count + header_of(s->delta)->user_count;
}

uint32_t
snapshot_group_count(const struct snapshot *s)
{
	uint32_t count = header_of(s->base)->group_count;

	return s->delta == NULL ? count : count - header_of(s->delta)->hidden_group_count + header_of(s->delta)->group_count;
}

bool
snapshot_enumerable(const struct snapshot *s)
{
	return (newest(s)->flags & SNAPSHOT_ENUMERABLE) != 0;
}

const char *
snapshot_contact(const struct snapshot *s)
{
	return newest(s)->contact;
}

bool
snapshot_local_gid(const struct snapshot *s, uint32_t gid)
{
	const struct snapshot_header *h = newest(s);

	for (uint32_t i = 0; i < h->local_gid_count; i++)
		if (h->local_gids[i] == gid)
			return true;
	return false;
}

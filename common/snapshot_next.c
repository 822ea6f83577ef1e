/*
 * snapshot_next.c - enumeration: base and delta as one list, ascending by id.
 *
 * Both files ascend, so the next record is the lower one of the two that come next; what the delta hides or the
 * floor refuses is passed over. Each step goes on in one of the files, so that no file makes it endless.
 */
#include <config.h>

#include "common/snapshot.h"

#include "common/snapshot_parts.h"

/* Where the record after one of size bytes begins. */
static uint32_t
advance(uint32_t at, size_t size)
{
	return at + (uint32_t)((size + 3) / 4);
}

/* The next record of one file that is shown, *at its place, *ret_next that of the one behind. */
static int
peek_user(const struct snapshot *s, const uint8_t *file, uint32_t *at, uint32_t *ret_next, struct snapshot_user *ret)
{
	size_t size;
	int r;

	for (; (uint64_t)*at * 4 < header_of(file)->section[SECTION_USERS].size; *at = *ret_next) {
		r = user_record(file, *at + 1, NULL, 0, 0, ret, &size);
		if (r < 0)
			return r;
		*ret_next = advance(*at, size);
		r = s->delta == NULL || file == s->delta ? 0 : snapshot_hides(s->delta, SECTION_HIDDEN_USERS, *at + 1);
		if (r < 0)
			return r;
		if (r == 0 && user_allowed(ret))
			return 1;
	}
	return 0;
}

static int
peek_group(const struct snapshot *s, const uint8_t *file, uint32_t *at, uint32_t *ret_next, struct snapshot_group *ret)
{
	size_t size;
	int r;

	for (; (uint64_t)*at * 4 < header_of(file)->section[SECTION_GROUPS].size; *at = *ret_next) {
		r = group_record(file, *at + 1, NULL, 0, 0, ret, &size);
		if (r < 0)
			return r;
		*ret_next = advance(*at, size);
		r = s->delta == NULL || file == s->delta ? 0 : snapshot_hides(s->delta, SECTION_HIDDEN_GROUPS, *at + 1);
		if (r < 0)
			return r;
		if (r == 0 && group_allowed(ret))
			return 1;
	}
	return 0;
}

/* A place is one in the base and one in the delta. */
static uint64_t
join(uint32_t base, uint32_t delta)
{
	return (uint64_t)delta << 32 | base;
}

int
snapshot_next_user(const struct snapshot *s, uint64_t *at, struct snapshot_user *ret)
{
	uint32_t base = (uint32_t)*at, delta = (uint32_t)(*at >> 32), base_next = base, delta_next = delta;
	struct snapshot_user other;
	int r, r_delta = 0;

	r = peek_user(s, s->base, &base, &base_next, ret);
	if (r >= 0 && s->delta != NULL)
		r_delta = peek_user(s, s->delta, &delta, &delta_next, &other);
	if (r < 0 || r_delta < 0)
		return -EBADMSG;
	if (r_delta > 0 && (r == 0 || other.uid < ret->uid)) {
		*ret = other;
		ret->in_delta = true;
		*at = join(base, delta_next);
		return 1;
	}
	*at = join(r > 0 ? base_next : base, delta);
	return r;
}

int
snapshot_next_group(const struct snapshot *s, uint64_t *at, struct snapshot_group *ret)
{
	uint32_t base = (uint32_t)*at, delta = (uint32_t)(*at >> 32), base_next = base, delta_next = delta;
	struct snapshot_group other;
	int r, r_delta = 0;

	r = peek_group(s, s->base, &base, &base_next, ret);
	if (r >= 0 && s->delta != NULL)
		r_delta = peek_group(s, s->delta, &delta, &delta_next, &other);
	if (r < 0 || r_delta < 0)
		return -EBADMSG;
	if (r_delta > 0 && (r == 0 || other.gid < ret->gid)) {
		*ret = other;
		*at = join(base, delta_next);
		return 1;
	}
	*at = join(r > 0 ? base_next : base, delta);
	return r;
}

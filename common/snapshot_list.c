/*
 * snapshot_list.c - the gids of a user and the members of a group.
 *
 * As careful as lookups are (snapshot_parts.h), but an answer of ten thousand names has to be a copy and no
 * more: what can be checked of all of them together is.
 */
#include <config.h>

#include "common/snapshot.h"

#include "common/snapshot_parts.h"

int
snapshot_gids_begin(const struct snapshot *s, const struct snapshot_user *user, struct snapshot_gids *ret)
{
	const uint8_t *file = user->in_delta ? s->delta : s->base;
	const struct snapshot_span *lists = &header_of(file)->section[SECTION_LISTS];

	*ret = (struct snapshot_gids){ .left = user->group_count };
	if (user->group_count == 0)
		return 1;
	if (user->list_at > lists->size)
		return -EBADMSG;
	ret->at = file + lists->at + user->list_at;
	ret->end = file + lists->at + lists->size;
	return 1;
}

/* The next gid: a step, or, first of all and after a step of 0, the gid itself. False beyond the section. */
static inline bool
take_gid(struct snapshot_gids *gids, uint32_t *ret)
{
	uint16_t step = 0;

	if (gids->last != 0) {
		if ((size_t)(gids->end - gids->at) < sizeof step)
			return false;
		memcpy(&step, gids->at, sizeof step);
		gids->at += sizeof step;
	}
	if (step != 0) {
		*ret = gids->last + step;
		return true;
	}
	if ((size_t)(gids->end - gids->at) < sizeof *ret)
		return false;
	memcpy(ret, gids->at, sizeof *ret);
	gids->at += sizeof *ret;
	return true;
}

int
snapshot_gids_next(const struct snapshot *s, struct snapshot_gids *gids, uint32_t *ret, uint32_t room)
{
	uint32_t count = gids->left < room ? gids->left : room, gid;

	for (uint32_t i = 0; i < count; i++) {
		if (!take_gid(gids, &gid) || gid <= gids->last || (!id_allowed(gid) && !snapshot_local_gid(s, gid)))
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

/* ---- members ---- */

typedef uint8_t bytes16 __attribute__((vector_size(16)));

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

/* All bits of each byte that may not stand in a name. */
static inline bytes16
misfits(bytes16 v)
{
	return ~(bytes16)((v - 'a' < 26) | (v - '0' < 10) | (v - '-' < 2) | (v == '_'));
}

/* Whether all characters may stand in names. */
static bool
characters_allowed(const char *at, size_t len)
{
	bytes16 bad = { 0 }, v;
	uint64_t halves[2];

	for (; len >= sizeof v; at += sizeof v, len -= sizeof v) {
		memcpy(&v, at, sizeof v);
		bad |= misfits(v);
	}
	if (len > 0) {
		memset(&v, 'a', sizeof v);
		memcpy(&v, at, len);
		bad |= misfits(v);
	}
	memcpy(halves, &bad, sizeof halves);
	return (halves[0] | halves[1]) == 0;
}

/* Whether a name of allowed characters may not be one: its length, its first and its last character, "root". */
static inline bool
is_misfit(const char *name, size_t len)
{
	return (len - 1 >= SNAPSHOT_NAME_MAX) | (((uint8_t)(name[0] - 'a') >= 26) & (name[0] != '_')) | (name[len - 1] == '.');
}

int
snapshot_group_members(const struct snapshot_group *group, char *to, char **ret)
{
	const size_t step = SNAPSHOT_NAME_MAX + 1;
	const uint8_t *lens = group->member_lens;
	const char *from = group->member_names, *end = from + (group->members_len - group->member_count);
	const char *to_end = to + group->members_len;
	bool bad = false;
	uint32_t i;

	/* First all of them together; then hardly anything has to be compared on the way. */
	if (sum_bytes(lens, group->member_count) + group->member_count != group->members_len ||
	    !characters_allowed(from, (size_t)(end - from)))
		return -EBADMSG;
	for (i = 0; i < group->member_count && (size_t)(end - from) >= step && (size_t)(to_end - to) >= step; i++) {
		size_t len = lens[i];

		bad |= len == 0 || len > SNAPSHOT_NAME_MAX || is_misfit(from, len);
		if (len > SNAPSHOT_NAME_MAX)
			break;
		memcpy(to, from, 16);	/* what is too much is written over */
		if (len > 16)
			memcpy(to + 16, from + 16, 16);
		to[len] = '\0';
		ret[i] = to;
		to += len + 1;
		from += len;
	}
	for (; i < group->member_count && !bad; i++) {
		size_t len = lens[i];

		bad = !name_allowed(from, len);
		memcpy(to, from, len);
		to[len] = '\0';
		ret[i] = to;
		to += len + 1;
		from += len;
	}
	return bad ? -EBADMSG : 1;
}

/*
 * snapshot_list.c - the gids of a user. As careful as lookups are (snapshot_parts.h), and eight at a time.
 */
#include <config.h>

#include "common/snapshot.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

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

enum { EIGHT = 8 };

/*
 * Decode eight gids that are all one step from the one before, of 16 bytes.
 *
 * Returns whether they are, and in a range of which all may be given out; if not, each has to be looked at.
 */
static ALWAYS_INLINE bool
decode_eight(const uint8_t *at, uint32_t last, uint32_t *ret)
{
#ifdef __SSE2__
	const __m128i zero = _mm_setzero_si128();
	__m128i steps = _mm_loadu_si128((const void *)at);
	__m128i low = _mm_unpacklo_epi16(steps, zero), high = _mm_unpackhi_epi16(steps, zero);

	/* Sums of two, then of four, then upon what was before. */
	low = _mm_add_epi32(low, _mm_slli_si128(low, 4));
	high = _mm_add_epi32(high, _mm_slli_si128(high, 4));
	low = _mm_add_epi32(_mm_set1_epi32((int32_t)last), _mm_add_epi32(low, _mm_slli_si128(low, 8)));
	high = _mm_add_epi32(_mm_shuffle_epi32(low, 0xff), _mm_add_epi32(high, _mm_slli_si128(high, 8)));
	_mm_storeu_si128((void *)ret, low);
	_mm_storeu_si128((void *)(ret + EIGHT / 2), high);
	/* Seven steps cannot pass all numbers: if the last is above the first, none of them began anew. */
	return _mm_movemask_epi8(_mm_cmpeq_epi16(steps, zero)) == 0 && ret[0] > last &&
	    range_allowed(ret[0], ret[EIGHT - 1]);
#else
	(void)at;
	(void)last;
	(void)ret;
	return false;
#endif
}

/*
 * Decode the next gids of a list.
 *
 *  bounded  there may be fewer bytes than so many gids take at most
 *
 * Returns whether the list has them, ascending and allowed.
 */
static ALWAYS_INLINE bool
decode(const struct snapshot *s, struct snapshot_gids *gids, uint32_t *ret, uint32_t count, bool bounded)
{
	const uint8_t *at = gids->at, *end = gids->end;
	uint32_t last = gids->last, gid, look = last == 0;	/* the first gid of all is no step */
	uint16_t step = 0;

	for (uint32_t i = 0; i < count; i++) {
		while (!bounded && i >= look && count - i >= EIGHT) {
			if (!decode_eight(at, last, ret + i)) {
				look = i + EIGHT;
				break;
			}
			at += EIGHT * sizeof step;
			i += EIGHT;
			last = ret[i - 1];
		}
		if (i == count)
			break;
		if (last != 0) {
			if (bounded && (size_t)(end - at) < sizeof step)
				return false;
			memcpy(&step, at, sizeof step);
			at += sizeof step;
		}
		gid = last + step;
		if (__builtin_expect(step == 0, 0)) {	/* first of all, and after a step of 0, comes the gid itself */
			if (bounded && (size_t)(end - at) < sizeof gid)
				return false;
			memcpy(&gid, at, sizeof gid);
			at += sizeof gid;
		}
		if (gid <= last || (!id_allowed(gid) && !snapshot_local_gid(s, gid)))
			return false;
		ret[i] = last = gid;
	}
	gids->at = at;
	gids->last = last;
	return true;
}

int
snapshot_gids_next(const struct snapshot *s, struct snapshot_gids *gids, uint32_t *ret, uint32_t room)
{
	uint32_t count = gids->left < room ? gids->left : room;
	bool bounded;

	if (count == 0)
		return 0;
	bounded = (size_t)(gids->end - gids->at) / (sizeof(uint16_t) + sizeof(uint32_t)) < count;

	if (!(bounded ? decode(s, gids, ret, count, true) : decode(s, gids, ret, count, false)))
		return -EBADMSG;
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

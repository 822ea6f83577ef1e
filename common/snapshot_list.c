/*
 * snapshot_list.c - the gids of a user and the members of a group.
 *
 * As careful as lookups are (snapshot_parts.h), but an answer of ten thousand names has to be a copy and no
 * more: what can be checked of all of them together is.
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
	return _mm_movemask_epi8(_mm_cmpeq_epi16(steps, zero)) == 0 && range_allowed(ret[0], ret[EIGHT - 1]);
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

/* ---- members ---- */

/* The sum of bytes of at most 32 each: seven words hold it, then pairs go into 16 bits, these into the top ones. */
static uint64_t
sum_lengths(const uint8_t *at, size_t count)
{
	const uint64_t low_bytes = 0x00ff00ff00ff00ffu, ones = 0x0001000100010001u;
	uint64_t total = 0, words[7], some;

	for (; count >= sizeof words; at += sizeof words, count -= sizeof words) {
		memcpy(words, at, sizeof words);
		some = words[0] + words[1] + words[2] + words[3] + words[4] + words[5] + words[6];
		total += ((some & low_bytes) + (some >> 8 & low_bytes)) * ones >> 48;
	}
	for (; count > 0; count--)
		total += *at++;
	return total;
}

typedef uint8_t chunk __attribute__((vector_size(16)));

static ALWAYS_INLINE chunk
lower(chunk one, chunk other)
{
#ifdef __SSE2__
	return (chunk)_mm_min_epu8((__m128i)one, (__m128i)other);
#else
	chunk is_lower = (chunk)(one < other);

	return (one & is_lower) | (other & ~is_lower);
#endif
}

static ALWAYS_INLINE chunk
higher(chunk one, chunk other)
{
#ifdef __SSE2__
	return (chunk)_mm_max_epu8((__m128i)one, (__m128i)other);
#else
	return ~lower(~one, ~other);
#endif
}

static ALWAYS_INLINE bool
is_any(chunk bytes)
{
	uint64_t halves[2];

	memcpy(halves, &bytes, sizeof halves);
	return (halves[0] | halves[1]) != 0;
}

/* Whether all lengths are those of names. */
static bool
lengths_allowed(const uint8_t *at, size_t count)
{
	chunk lowest = ~(chunk){ 0 }, highest = { 0 }, lens;
	uint8_t longest = 0;
	bool empty = false;

	for (; count >= sizeof lens; at += sizeof lens, count -= sizeof lens) {
		memcpy(&lens, at, sizeof lens);
		lowest = lower(lens, lowest);
		highest = higher(lens, highest);
	}
	for (; count > 0; at++, count--) {
		empty |= *at == 0;
		longest = *at > longest ? *at : longest;
	}
	return !empty && !is_any((chunk)(lowest == 0)) && longest <= SNAPSHOT_NAME_MAX &&
	    !is_any((chunk)(highest > SNAPSHOT_NAME_MAX));
}

/* Between the lowest and the highest character of a name lie three gaps: how near any came to their begin. */
struct seen {
	chunk lowest, highest, slash, middle, quote;
};

static ALWAYS_INLINE void
look(struct seen *seen, const void *at)
{
	chunk bytes;

	memcpy(&bytes, at, sizeof bytes);
	seen->lowest = lower(bytes, seen->lowest);
	seen->highest = higher(bytes, seen->highest);
	seen->slash = lower(bytes - '/', seen->slash);
	seen->middle = lower(bytes - ('9' + 1), seen->middle);
	seen->quote = lower(bytes - '`', seen->quote);
}

/* Whether all characters may stand in names: a few instructions for sixteen of them, compared at the end. */
static bool
characters_allowed(const char *at, size_t size)
{
	const chunk far = ~(chunk){ 0 };
	struct seen seen = { far, ~far, far, far, far };
	char last[sizeof far];

	for (; size >= 2 * sizeof far; at += 2 * sizeof far, size -= 2 * sizeof far) {
		look(&seen, at);
		look(&seen, at + sizeof far);
	}
	for (; size > 0; at += sizeof far, size -= size < sizeof far ? size : sizeof far) {
		memset(last, 'a', sizeof last);
		memcpy(last, at, size < sizeof far ? size : sizeof far);
		look(&seen, last);
	}
	return !is_any((chunk)(seen.lowest < '-') | (chunk)(seen.highest > 'z') | (chunk)(seen.slash == 0) |
	    (chunk)(seen.middle <= '_' - 1 - ('9' + 1)) | (chunk)(seen.quote == 0));
}

typedef uintptr_t pointers __attribute__((vector_size(2 * sizeof(uintptr_t))));

/* Point at two names, one behind the other, and end each. Returns where the next one begins. */
static ALWAYS_INLINE char *
point_at_two(const uint8_t *lens, char *one, char **ret)
{
	char *other = one + lens[0] + 1, *next = other + lens[1] + 1;
	pointers both = { (uintptr_t)one, (uintptr_t)other };

	memcpy(ret, &both, sizeof both);
	other[-1] = '\0';
	next[-1] = '\0';
	return next;
}

int
snapshot_group_members(const struct snapshot_group *group, char *to, char **ret)
{
	const size_t size = (size_t)group->members_len, count = group->member_count;
	const uint8_t *lens = group->member_lens;
	size_t i = 0;

	/* First all of them together; then nothing has to be looked at on the way. */
	if (!lengths_allowed(lens, count) || sum_lengths(lens, count) + count != size ||
	    !characters_allowed(group->member_names, size))
		return -EBADMSG;
	memcpy(to, group->member_names, size);
	for (; count - i >= 4; i += 4)
		to = point_at_two(lens + i + 2, point_at_two(lens + i, to, ret + i), ret + i + 2);
	for (; i < count; i++) {
		ret[i] = to;
		to += lens[i] + 1;
		to[-1] = '\0';
	}
	return 1;
}

/*
 * snapshot_members.c - the members of a group.
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
#include "common/snapshot_wide.h"

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

	for (; count >= sizeof lens; at += sizeof lens, count -= sizeof lens) {
		memcpy(&lens, at, sizeof lens);
		lowest = lower(lens, lowest);
		highest = higher(lens, highest);
	}
	if (count > 0) {
		memset(&lens, 1, sizeof lens);
		memcpy(&lens, at, count);
		lowest = lower(lens, lowest);
		highest = higher(lens, highest);
	}
	return !is_any((chunk)(lowest == 0) | (chunk)(highest > SNAPSHOT_NAME_MAX));
}

/* Characters of names, and three gaps between the lowest and the highest: where each begins, and how long the long one is. */
enum {
	NAME_LOWEST = '-', NAME_HIGHEST = 'z',
	GAP_SLASH = '/', GAP_MIDDLE = '9' + 1, GAP_MIDDLE_SIZE = '_' - ('9' + 1), GAP_BACKQUOTE = '`',
};

/* The lowest and the highest character, and how near any came to the begin of each gap. */
struct seen {
	chunk lowest, highest, slash, middle, backquote;
};

/* Copy sixteen and look at them. */
static ALWAYS_INLINE void
copy_chunk(struct seen *seen, const void *at, void *to)
{
	chunk bytes;

	memcpy(&bytes, at, sizeof bytes);
	memcpy(to, &bytes, sizeof bytes);
	seen->lowest = lower(bytes, seen->lowest);
	seen->highest = higher(bytes, seen->highest);
	seen->slash = lower(bytes - GAP_SLASH, seen->slash);
	seen->middle = lower(bytes - GAP_MIDDLE, seen->middle);
	seen->backquote = lower(bytes - GAP_BACKQUOTE, seen->backquote);
}

/* Copy characters. Returns whether all may stand in names: a few instructions for sixteen, compared at the end. */
static bool
copy_characters(const char *at, size_t size, char *to)
{
	const chunk far = ~(chunk){ 0 };
	struct seen seen = { far, ~far, far, far, far };
	char last[sizeof far];

	for (; size >= 2 * sizeof far; at += 2 * sizeof far, to += 2 * sizeof far, size -= 2 * sizeof far) {
		copy_chunk(&seen, at, to);
		copy_chunk(&seen, at + sizeof far, to + sizeof far);
	}
	for (size_t some; size > 0; at += some, to += some, size -= some) {
		some = size < sizeof far ? size : sizeof far;
		memset(last, 'a', sizeof last);
		memcpy(last, at, some);
		copy_chunk(&seen, last, last);
		memcpy(to, last, some);
	}
	return !is_any((chunk)(seen.lowest < NAME_LOWEST) | (chunk)(seen.highest > NAME_HIGHEST) | (chunk)(seen.slash == 0) |
	    (chunk)(seen.middle < GAP_MIDDLE_SIZE) | (chunk)(seen.backquote == 0));
}

typedef uintptr_t pointers __attribute__((vector_size(2 * sizeof(uintptr_t))));

/* Point at four names, one behind the other, and end each. Returns where the next one begins, or NULL if past the end. */
static ALWAYS_INLINE char *
point_at_four(const uint8_t *lens, char *first, const char *end, char **ret)
{
	/* Sums of their own, so that only the last one waits for the four before. */
	const size_t one = lens[0] + 1u, two = one + lens[1] + 1, three = two + lens[2] + 1, four = three + lens[3] + 1;
	const pointers low = { (uintptr_t)first, (uintptr_t)(first + one) };
	const pointers high = { (uintptr_t)(first + two), (uintptr_t)(first + three) };

	if (four > (size_t)(end - first))
		return NULL;
	memcpy(ret, &low, sizeof low);
	memcpy(ret + 2, &high, sizeof high);
	first[one - 1] = first[two - 1] = first[three - 1] = first[four - 1] = '\0';
	return first + four;
}

/* Point at names and end each. Returns whether they fill all up to the end. */
static bool
point_at(const uint8_t *lens, size_t count, char *first, const char *end, char **ret)
{
	size_t i = 0;

	for (; count - i >= 4; i += 4) {
		first = point_at_four(lens + i, first, end, ret + i);
		if (first == NULL)
			return false;
	}
	for (; i < count; i++) {
		const size_t len = lens[i];

		if (len >= (size_t)(end - first))
			return false;
		ret[i] = first;
		first += len + 1;
		first[-1] = '\0';
	}
	return first == end;
}

/* From so many bytes on, registers of 32 are worth waking. */
enum { WIDE_FROM = 256 };

int
snapshot_group_members(const struct snapshot_group *group, char *to, char **ret)
{
	const size_t count = group->member_count, size = (size_t)group->members_len;
	const uint8_t *lens = group->member_lens;
	const bool wide = size >= WIDE_FROM && snapshot_wide_usable();
	const char *const end = to + size;
	size_t copied = 0, pointed = 0;
	bool characters = true, lengths = true;

	if (wide)
		copied = snapshot_wide_copy(group->member_names, size, to, &characters);
	if (!copy_characters(group->member_names + copied, size - copied, to + copied) || !characters)
		return -EBADMSG;
	/* No name passes the end, whatever the lengths are by now: somebody may write to the file meanwhile. */
	if (wide)
		pointed = snapshot_wide_point(lens, count, &to, end, ret, &lengths);
	if (!lengths_allowed(lens + pointed, count - pointed) || !lengths ||
	    !point_at(lens + pointed, count - pointed, to, end, ret + pointed))
		return -EBADMSG;
	return 1;
}

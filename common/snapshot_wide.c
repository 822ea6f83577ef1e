/*
 * snapshot_wide.c - copies, looks at and points at names, 32 bytes at a time (AVX2).
 *
 * Runs inside every process that resolves a name. Built for every x86-64, called where snapshot_wide_usable().
 */
#include <config.h>

#include "common/snapshot_wide.h"

#if defined(__x86_64__) && defined(__LP64__) && defined(__has_include)
#if __has_include(<sys/platform/x86.h>)
#include <sys/platform/x86.h>
#endif
#endif

#ifdef CPU_FEATURE_ACTIVE

#include <immintrin.h>

#define WIDE		__attribute__((target("avx2")))
#define WIDE_INLINE	static inline WIDE __attribute__((always_inline))

bool
snapshot_wide_usable(void)
{
	return CPU_FEATURE_ACTIVE(AVX2);
}

/* As in snapshot_members.c. */
struct seen {
	__m256i lowest, highest, slash, middle, backquote;
};

WIDE_INLINE void
copy_chunk(struct seen *seen, const char *at, char *to)
{
	const __m256i bytes = _mm256_loadu_si256((const void *)at);

	_mm256_storeu_si256((void *)to, bytes);
	seen->lowest = _mm256_min_epu8(bytes, seen->lowest);
	seen->highest = _mm256_max_epu8(bytes, seen->highest);
	seen->slash = _mm256_min_epu8(_mm256_sub_epi8(bytes, _mm256_set1_epi8(GAP_SLASH)), seen->slash);
	seen->middle = _mm256_min_epu8(_mm256_sub_epi8(bytes, _mm256_set1_epi8(GAP_MIDDLE)), seen->middle);
	seen->backquote = _mm256_min_epu8(_mm256_sub_epi8(bytes, _mm256_set1_epi8(GAP_BACKQUOTE)), seen->backquote);
}

/* Whether all bytes are at least this one. */
WIDE_INLINE bool
all_from(__m256i bytes, char least)
{
	return _mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_max_epu8(bytes, _mm256_set1_epi8(least)), bytes)) == -1;
}

WIDE_INLINE bool
all_up_to(__m256i bytes, char most)
{
	return _mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(most)), bytes)) == -1;
}

WIDE size_t
snapshot_wide_copy(const char *at, size_t size, char *to, bool *ret_allowed)
{
	const __m256i far = _mm256_set1_epi8(-1);
	struct seen seen = { far, _mm256_setzero_si256(), far, far, far };
	const size_t whole = size - size % (2 * sizeof far);

	for (size_t i = 0; i < whole; i += 2 * sizeof far) {
		copy_chunk(&seen, at + i, to + i);
		copy_chunk(&seen, at + i + sizeof far, to + i + sizeof far);
	}
	*ret_allowed = all_from(seen.lowest, NAME_LOWEST) && all_up_to(seen.highest, NAME_HIGHEST) &&
	    all_from(seen.slash, 1) && all_from(seen.middle, GAP_MIDDLE_SIZE) && all_from(seen.backquote, 1);
	_mm256_zeroupper();	/* compilers add it only where they optimise */
	return whole;
}

/* End four names; sums: 16 bits for each, how far behind to the next one begins. */
static inline void
end_four(char *to, uint64_t sums)
{
	to[(uint16_t)sums - 1] = to[(uint16_t)(sums >> 16) - 1] = '\0';
	to[(uint16_t)(sums >> 32) - 1] = to[(sums >> 48) - 1] = '\0';
}

WIDE size_t
snapshot_wide_point(const uint8_t *lens, size_t count, char **first, const char *end, char **ret)
{
	const __m128i ends = _mm_set1_epi16(1);
	char *to = *first;
	size_t i;

	for (i = 0; count - i >= 8; i += 8) {
		__m128i sums = _mm_add_epi16(_mm_cvtepu8_epi16(_mm_loadl_epi64((const void *)(lens + i))), ends), begins;
		const __m256i base = _mm256_set1_epi64x((long long)(uintptr_t)to);
		uint64_t low, high;

		/* Sums of two, of four, of eight: where each name ends; and one place further, where the next begins. */
		sums = _mm_add_epi16(sums, _mm_slli_si128(sums, 2));
		sums = _mm_add_epi16(sums, _mm_slli_si128(sums, 4));
		sums = _mm_add_epi16(sums, _mm_slli_si128(sums, 8));
		begins = _mm_slli_si128(sums, 2);
		_mm256_storeu_si256((void *)(ret + i), _mm256_add_epi64(base, _mm256_cvtepu16_epi64(begins)));
		_mm256_storeu_si256((void *)(ret + i + 4),
		    _mm256_add_epi64(base, _mm256_cvtepu16_epi64(_mm_srli_si128(begins, 8))));
		low = (uint64_t)_mm_cvtsi128_si64(sums);
		high = (uint64_t)_mm_extract_epi64(sums, 1);
		if (high >> 48 > (uint64_t)(end - to))
			break;
		end_four(to, low);
		end_four(to, high);
		to += high >> 48;
	}
	*first = to;
	_mm256_zeroupper();
	return i;
}

#else

bool
snapshot_wide_usable(void)
{
	return false;
}

size_t
snapshot_wide_copy(const char *at, size_t size, char *to, bool *ret_allowed)
{
	(void)at;
	(void)size;
	(void)to;
	*ret_allowed = true;
	return 0;
}

size_t
snapshot_wide_point(const uint8_t *lens, size_t count, char **first, const char *end, char **ret)
{
	(void)lens;
	(void)count;
	(void)first;
	(void)end;
	(void)ret;
	return 0;
}

#endif

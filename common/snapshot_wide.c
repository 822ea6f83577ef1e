/*
 * snapshot_wide.c - copies, looks at and points at names, 32 bytes at a time (AVX2).
 *
 * Runs inside every process that resolves a name. Built for every x86-64, called where snapshot_wide_usable().
 */
#include <config.h>

#include "common/snapshot_format.h"
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

/*
 * Which characters may stand in names, by halves: a bit for each 16 of them that hold any ("-.", digits, "_",
 * a to o, p to z), set in the upper half's entry and in the entries of the lower halves that are allowed with it.
 */
enum { PUNCTUATION = 1, DIGITS = 2, UNDERSCORE = 4, UP_TO_O = 8, FROM_P = 16 };

static const uint8_t upper_half[16] = {
	[0x2] = PUNCTUATION, [0x3] = DIGITS, [0x5] = UNDERSCORE, [0x6] = UP_TO_O, [0x7] = FROM_P,
};

static const uint8_t lower_half[16] = {
	[0x0] = DIGITS | FROM_P,
	[0x1 ... 0x9] = DIGITS | UP_TO_O | FROM_P,
	[0xa] = UP_TO_O | FROM_P,
	[0xb ... 0xc] = UP_TO_O,
	[0xd ... 0xe] = PUNCTUATION | UP_TO_O,
	[0xf] = UNDERSCORE | UP_TO_O,
};

/* A table in both halves of a register, as the shuffle looks it up. */
WIDE_INLINE __m256i
table(const uint8_t entries[16])
{
	return _mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)entries));
}

/* Copy 32. Returns the lowest of what was found: zero where a character is not allowed; also beyond ASCII (the shuffle). */
WIDE_INLINE __m256i
copy_chunk(__m256i lowest, const char *at, char *to)
{
	const __m256i bytes = _mm256_loadu_si256((const void *)at);
	const __m256i upper = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(0xf));

	_mm256_storeu_si256((void *)to, bytes);
	return _mm256_min_epu8(lowest, _mm256_and_si256(_mm256_shuffle_epi8(table(upper_half), upper),
	    _mm256_shuffle_epi8(table(lower_half), bytes)));
}

WIDE size_t
snapshot_wide_copy(const char *at, size_t size, char *to, bool *ret_allowed)
{
	const size_t whole = size - size % (2 * sizeof(__m256i));
	__m256i lowest = _mm256_set1_epi8(-1);

	for (size_t i = 0; i < whole; i += 2 * sizeof lowest) {
		lowest = copy_chunk(lowest, at + i, to + i);
		lowest = copy_chunk(lowest, at + i + sizeof lowest, to + i + sizeof lowest);
	}
	*ret_allowed = _mm256_movemask_epi8(_mm256_cmpeq_epi8(lowest, _mm256_setzero_si256())) == 0;
	_mm256_zeroupper();	/* compilers add it only where they optimise */
	return whole;
}

/* End a name; sum: how far behind to the next one begins, in the lowest 16 bits. */
static inline void
end_name(char *to, uint64_t sum)
{
	to[(size_t)(uint16_t)sum - 1] = '\0';	/* as wide as an address: no instruction of its own for the one */
}

/* End four names, 16 bits of sums for each. */
static inline void
end_four(char *to, uint64_t sums)
{
	end_name(to, sums);
	end_name(to, sums >> 16);
	end_name(to, sums >> 32);
	end_name(to, sums >> 48);
}

WIDE size_t
snapshot_wide_point(const uint8_t *lens, size_t count, char **first, const char *end, char **ret, bool *ret_allowed)
{
	const __m128i one = _mm_set1_epi16(1), most = _mm_set1_epi16(SNAPSHOT_NAME_MAX - 1);
	__m128i longest = _mm_setzero_si128();	/* less one: an empty name is the longest */
	char *to = *first;
	size_t i;

	for (i = 0; count - i >= 8; i += 8) {
		const __m256i base = _mm256_set1_epi64x((long long)(uintptr_t)to);
		__m128i sums = _mm_cvtepu8_epi16(_mm_loadl_epi64((const void *)(lens + i))), begins;
		uint64_t low, high;

		longest = _mm_max_epu16(longest, _mm_sub_epi16(sums, one));
		/* Sums of one, of two, of four, of eight: where each name ends; and one place further, where the next begins. */
		sums = _mm_add_epi16(sums, one);
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
	*ret_allowed = _mm_movemask_epi8(_mm_cmpeq_epi16(_mm_max_epu16(longest, most), most)) == UINT16_MAX;
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
snapshot_wide_point(const uint8_t *lens, size_t count, char **first, const char *end, char **ret, bool *ret_allowed)
{
	(void)lens;
	(void)count;
	(void)first;
	(void)end;
	(void)ret;
	*ret_allowed = true;
	return 0;
}

#endif

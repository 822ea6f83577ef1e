/*
 * siphash.c - SipHash with 64 bit output, by the paper (https://www.aumasson.jp/siphash/siphash.pdf).
 *
 * Runs in the publisher, which tells a million names apart by their hashes alone. Never allocates, never
 * reads beyond the given bytes.
 */
#include <config.h>

#include "common/siphash.h"

#include <endian.h>
#include <string.h>

static inline uint64_t
rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void
rounds(uint64_t v[4], unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] = rotate(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] = rotate(v[2], 32);
	}
}

static inline uint64_t
load(const uint8_t *from)
{
	uint64_t word;

	memcpy(&word, from, sizeof word);
	return le64toh(word);
}

/* The last 0 to 7 bytes, without reading beyond them and without a loop. */
static inline uint64_t
load_tail(const uint8_t *from, size_t len)
{
	uint32_t low, high;

	if (len >= 4) {
		memcpy(&low, from, sizeof low);
		memcpy(&high, from + len - 4, sizeof high);
		return (uint64_t)le32toh(low) | (uint64_t)le32toh(high) << (8 * (len - 4));
	}
	if (len == 0)
		return 0;
	return (uint64_t)from[0] | (uint64_t)from[len / 2] << (8 * (len / 2)) |
	    (uint64_t)from[len - 1] << (8 * (len - 1));
}

static inline __attribute__((always_inline)) uint64_t
siphash(const uint64_t key[2], const uint8_t *from, size_t len, unsigned compress, unsigned finish)
{
	uint64_t v[4] = {
		key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du,
		key[0] ^ 0x6c7967656e657261u, key[1] ^ 0x7465646279746573u,
	};
	size_t left = len;
	uint64_t word;

	for (; left >= 8; left -= 8, from += 8) {
		word = load(from);
		v[3] ^= word;
		rounds(v, compress);
		v[0] ^= word;
	}
	word = load_tail(from, left) | (uint64_t)len << 56;
	v[3] ^= word;
	rounds(v, compress);
	v[0] ^= word;
	v[2] ^= 0xff;
	rounds(v, finish);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t
siphash13(const uint64_t key[2], const void *bytes, size_t len)
{
	return siphash(key, bytes, len, 1, 3);
}

uint64_t
siphash24(const uint64_t key[2], const void *bytes, size_t len)
{
	return siphash(key, bytes, len, 2, 4);
}

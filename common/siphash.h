/*
 * siphash.h - keyed hash of short strings (Aumasson, Bernstein: "SipHash: a fast short-input PRF").
 *
 * For hash tables of ours whose keys an attacker may choose, where speed is not all. libc only.
 */
#ifndef ISMS_SIPHASH_H
#define ISMS_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/*
 * SipHash-1-3: one round per 8 bytes, three at the end. For tables of ours.
 *
 *  key  128 random bits
 *
 * Returns the hash; the same on every byte order.
 */
uint64_t siphash13(const uint64_t key[2], const void *bytes, size_t len);

/*
 * SipHash-2-4, the variant with published test vectors; the same code with other counts of rounds.
 */
uint64_t siphash24(const uint64_t key[2], const void *bytes, size_t len);

#endif

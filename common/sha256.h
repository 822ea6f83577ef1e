/*
 * sha256.h - SHA-256 (FIPS 180-4): fingerprints of public keys, as ssh-keygen shows them.
 */
#ifndef ISMS_SHA256_H
#define ISMS_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32

/* The digest of len bytes; fewer than 2^61 of them. */
void sha256(const uint8_t *data, size_t len, uint8_t ret[static SHA256_BYTES]);

#endif

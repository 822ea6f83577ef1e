/*
 * test_siphash.c - the vectors of the SipHash paper and reference code, and of CPython for the fewer rounds.
 */
#include <config.h>

#include "common/siphash.h"

#include <string.h>

#include "tests/unit/suite.h"

/* SipHash-2-4, key 00 01 .. 0f, message 00 01 .. of length i: vectors_sip64 of the reference implementation. */
static const uint64_t vectors24[] = {
	0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
	0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
	0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
	0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5,
};

START_TEST(published_vectors)
{
	const uint64_t key[2] = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };
	uint8_t message[sizeof vectors24 / sizeof vectors24[0]];

	for (int i = 0; i < _i; i++)
		message[i] = (uint8_t)i;
	ck_assert_uint_eq(siphash24(key, message, (size_t)_i), vectors24[_i]);
}
END_TEST

/* SipHash-1-3 under key 0: hash(b"...") of CPython 3.11, PYTHONHASHSEED=0. */
static const struct { const char *text; int64_t hash; } vectors13[] = {
	{ "a", INT64_C(4644417185603328019) },
	{ "ab", INT64_C(6148830537548944441) },
	{ "abc", INT64_C(-4594863902769663758) },
	{ "root", INT64_C(-1664206954788908473) },
	{ "isms", INT64_C(3964242430507022273) },
	{ "contractor", INT64_C(5185037600091990674) },
	{ "0123456789abcdef", INT64_C(2108444454683020324) },
	{ "u1234567", INT64_C(-6847616564912289511) },
	{ "the quick brown fox", INT64_C(6491753435481021626) },
};

START_TEST(fewer_rounds)
{
	const uint64_t key[2] = { 0, 0 };

	ck_assert_int_eq((int64_t)siphash13(key, vectors13[_i].text, strlen(vectors13[_i].text)), vectors13[_i].hash);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ published_vectors, ROWS(vectors24) }, { fewer_rounds, ROWS(vectors13) },
	};

	return suite_run("siphash", rows, ROWS(rows), 30);
}

/*
 * test_otp.c - one-time codes: the vectors of RFC 4226 and RFC 6238, and the traps of THREATS 5.6.
 */
#include <config.h>

#include "daemon/otp.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/suite.h"

static const char sha1_hex[] = "3132333435363738393031323334353637383930";
static const char sha256_hex[] = "3132333435363738393031323334353637383930313233343536373839303132";
static const char sha512_hex[] = "31323334353637383930313233343536373839303132333435363738393031323334353637383930"
    "313233343536373839303132333435363738393031323334";

static const struct otp_limits limits = { .totp_window = 1, .hotp_look_ahead = 10 };
static const struct otp_limits exact = { .totp_window = 0, .hotp_look_ahead = 0 };

static struct msg_token
make_token(enum token_type type, enum token_algorithm algorithm, unsigned digits, const char *hex)
{
	struct msg_token t = { .type = type, .algorithm = algorithm, .digits = digits, .step_sec = 30 };

	(void)snprintf(t.id, sizeof t.id, "token-1");
	(void)snprintf(t.secret_hex, sizeof t.secret_hex, "%s", hex);
	return t;
}

static enum otp_result
check(const struct msg_token *t, const struct otp_mark *mark, const char *code, int64_t wall_sec,
    const struct otp_limits *within, uint64_t *ret_last)
{
	static const struct otp_mark none;
	const char *fault = NULL;
	uint64_t last = 0;
	enum otp_result r = otp_check(t, mark == NULL ? &none : mark, code, wall_sec, within, &last, &fault);

	if (ret_last != NULL)
		*ret_last = last;
	ck_assert((r == OTP_UNUSABLE) == (fault != NULL));
	return r;
}

/* RFC 6238, appendix B. */
static const struct {
	int64_t time;
	const char *codes[3];	/* SHA-1, SHA-256, SHA-512 */
} totp_rows[] = {
	{ 59, { "94287082", "46119246", "90693936" } },
	{ 1111111109, { "07081804", "68084774", "25091201" } },
	{ 1111111111, { "14050471", "67062674", "99943326" } },
	{ 1234567890, { "89005924", "91819424", "93441116" } },
	{ 2000000000, { "69279037", "90698825", "38618901" } },
	{ 20000000000, { "65353130", "77737706", "47863826" } },
};

START_TEST(rfc6238_vectors)
{
	static const char *const secrets[] = { sha1_hex, sha256_hex, sha512_hex };

	for (unsigned a = 0; a < 3; a++) {
		struct msg_token t = make_token(TOKEN_TOTP, (enum token_algorithm)(TOKEN_SHA1 + (int)a), 8, secrets[a]);
		uint64_t last;

		ck_assert_int_eq(check(&t, NULL, totp_rows[_i].codes[a], totp_rows[_i].time, &exact, &last), OTP_RIGHT);
		ck_assert_uint_eq(last, (uint64_t)totp_rows[_i].time / 30);
		/* Six digits are the last six of eight. */
		t.digits = 6;
		ck_assert_int_eq(check(&t, NULL, totp_rows[_i].codes[a] + 2, totp_rows[_i].time, &exact, &last), OTP_RIGHT);
	}
}
END_TEST

/* RFC 4226, appendix D. */
static const char *const hotp_codes[] = { "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583",
	"399871", "520489" };

START_TEST(rfc4226_vectors)
{
	struct msg_token t = make_token(TOKEN_HOTP, TOKEN_SHA1, 6, sha1_hex);
	uint64_t last;

	t.has_last = 1;
	t.last = (uint64_t)_i;
	ck_assert_int_eq(check(&t, NULL, hotp_codes[_i], 0, &exact, &last), OTP_RIGHT);
	ck_assert_uint_eq(last, (uint64_t)_i + 1);
}
END_TEST

START_TEST(ot01a_replay)
{
	struct msg_token t = make_token(TOKEN_TOTP, TOKEN_SHA1, 8, sha1_hex);
	struct otp_mark mark = { .known = true };

	ck_assert_int_eq(check(&t, NULL, "94287082", 59, &limits, &mark.last), OTP_RIGHT);
	ck_assert_int_eq(check(&t, &mark, "94287082", 59, &limits, NULL), OTP_REPLAYED);
	/* The directory's mark counts as well, whichever is later. */
	t.has_last = 1;
	t.last = 1;
	mark.last = 0;
	ck_assert_int_eq(check(&t, &mark, "94287082", 59, &limits, NULL), OTP_REPLAYED);
	ck_assert_int_eq(check(&t, NULL, "94287082", 59, &limits, NULL), OTP_REPLAYED);
}
END_TEST

START_TEST(ot02a_monotonic)
{
	struct msg_token t = make_token(TOKEN_TOTP, TOKEN_SHA1, 8, sha1_hex);
	struct otp_mark mark = { .known = true };

	/* 1111111109 is step 37037036, 1111111111 is step 37037037. */
	ck_assert_int_eq(check(&t, NULL, "14050471", 1111111109, &limits, &mark.last), OTP_RIGHT);
	ck_assert_uint_eq(mark.last, 37037037);
	ck_assert_int_eq(check(&t, &mark, "07081804", 1111111109, &limits, NULL), OTP_REPLAYED);
}
END_TEST

START_TEST(ot03a_digits)
{
	static const char *const wrong[] = { "287082", "4287082", "942870820", " 94287082", "9428708 ", "+4287082", "9428708x",
		"", "0x287082", "94287082\n" };
	struct msg_token t = make_token(TOKEN_TOTP, TOKEN_SHA1, 8, sha1_hex);

	for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		ck_assert_int_eq(check(&t, NULL, wrong[i], 59, &limits, NULL), OTP_WRONG);
	ck_assert_int_eq(check(&t, NULL, "94287082", 59, &limits, NULL), OTP_RIGHT);
}
END_TEST

START_TEST(ot04a_secret)
{
	static const char *const bad[] = { "", "31", "313233343536373839303132333435", "3132333435363738393031323334353",
		"31323334353637383930313233343536373839xx" };
	struct msg_token t;

	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		t = make_token(TOKEN_TOTP, TOKEN_SHA1, 6, bad[i]);
		ck_assert_int_eq(check(&t, NULL, "000000", 59, &limits, NULL), OTP_UNUSABLE);
		ck_assert_ptr_nonnull(otp_token_fault(&t));
	}
	t = make_token(TOKEN_TOTP, TOKEN_SHA1, 6, "31323334353637383930313233343536");
	ck_assert_ptr_null(otp_token_fault(&t));
}
END_TEST

START_TEST(unusable_tokens)
{
	struct msg_token t = make_token(TOKEN_TOTP, TOKEN_SHA1, 6, sha1_hex);
	struct msg_token broken[] = { t, t, t, t, t, t, t, t };

	broken[0].type = TOKEN_NONE;
	broken[1].type = 9;
	broken[2].digits = 5;
	broken[3].digits = 9;
	broken[4].algorithm = TOKEN_SHA_NONE;
	broken[5].step_sec = 0;
	broken[6].step_sec = 301;
	(void)snprintf(broken[7].fault, sizeof broken[7].fault, "two secrets");
	for (unsigned i = 0; i < sizeof broken / sizeof broken[0]; i++)
		ck_assert_int_eq(check(&broken[i], NULL, "287082", 59, &limits, NULL), OTP_UNUSABLE);
	ck_assert_str_eq(otp_token_fault(&broken[7]), "two secrets");
	t.type = TOKEN_HOTP;
	t.algorithm = TOKEN_SHA256;
	ck_assert_int_eq(check(&t, NULL, "287082", 59, &limits, NULL), OTP_UNUSABLE);
}
END_TEST

/* The code of 1111111109 (step 37037036), seen from -2 ... +2 steps. */
START_TEST(ot05a_window)
{
	struct msg_token t = make_token(TOKEN_TOTP, TOKEN_SHA1, 8, sha1_hex);
	int offset = _i - 2;
	int64_t wall = ((int64_t)37037036 - offset) * 30 + 7;
	enum otp_result want = offset >= -1 && offset <= 1 ? OTP_RIGHT : OTP_WRONG;

	ck_assert_int_eq(check(&t, NULL, "07081804", wall, &limits, NULL), want);
	ck_assert_int_eq(check(&t, NULL, "07081804", wall, &exact, NULL), offset == 0 ? OTP_RIGHT : OTP_WRONG);
}
END_TEST

START_TEST(ot06a_hotp)
{
	static const char tenth[] = "403154", eleventh[] = "481090";	/* the vectors of RFC 4226, continued */
	struct msg_token t = make_token(TOKEN_HOTP, TOKEN_SHA1, 6, sha1_hex);
	struct otp_mark mark = { .known = true, .last = 0 };

	ck_assert_int_eq(check(&t, &mark, eleventh, 0, &limits, NULL), OTP_WRONG);
	/* Counter 0 + 10 is the last within the look-ahead; 3 was skipped and is burnt with it. */
	ck_assert_int_eq(check(&t, &mark, tenth, 0, &limits, &mark.last), OTP_RIGHT);
	ck_assert_uint_eq(mark.last, 11);
	ck_assert_int_eq(check(&t, &mark, hotp_codes[3], 0, &limits, NULL), OTP_REPLAYED);
	ck_assert_int_eq(check(&t, &mark, eleventh, 0, &limits, NULL), OTP_RIGHT);
}
END_TEST

START_TEST(ot06a_hotp_look_ahead)
{
	struct msg_token t = make_token(TOKEN_HOTP, TOKEN_SHA1, 6, sha1_hex);
	struct otp_limits near = { .hotp_look_ahead = 9 };
	struct otp_mark mark = { .known = true, .last = 0 };

	ck_assert_int_eq(check(&t, &mark, hotp_codes[9], 0, &near, NULL), OTP_RIGHT);
	near.hotp_look_ahead = 8;
	ck_assert_int_eq(check(&t, &mark, hotp_codes[9], 0, &near, NULL), OTP_WRONG);
	ck_assert_int_eq(check(&t, &mark, hotp_codes[8], 0, &near, NULL), OTP_RIGHT);
}
END_TEST

START_TEST(ot06a_hotp_no_wrap)
{
	struct msg_token t = make_token(TOKEN_HOTP, TOKEN_SHA1, 6, sha1_hex);
	struct otp_mark mark = { .known = true };

	for (unsigned back = 0; back < 20; back++) {
		mark.last = UINT64_MAX - back;
		for (unsigned i = 0; i < 10; i++)
			ck_assert_int_ne(check(&t, &mark, hotp_codes[i], 0, &limits, NULL), OTP_RIGHT);
	}
}
END_TEST

START_TEST(ot13a_clock_skew)
{
	struct msg_token t = make_token(TOKEN_TOTP, TOKEN_SHA1, 8, sha1_hex);

	/* 90 s ahead: the right code of now is three steps old. */
	ck_assert_int_eq(check(&t, NULL, "07081804", 1111111109 + 90, &limits, NULL), OTP_WRONG);
}
END_TEST

START_TEST(token_in_the_future)
{
	struct msg_token t = make_token(TOKEN_TOTP, TOKEN_SHA1, 8, sha1_hex);
	struct otp_mark mark = { .known = true, .last = 37037036 + 2 };

	ck_assert_int_eq(check(&t, &mark, "07081804", 1111111109, &limits, NULL), OTP_FUTURE);
	mark.last = UINT64_MAX;
	ck_assert_int_eq(check(&t, &mark, "07081804", 1111111109, &limits, NULL), OTP_FUTURE);
	mark.last = 37037036 + 1;	/* a device one step ahead was in use: no fault, only used up */
	ck_assert_int_eq(check(&t, &mark, "07081804", 1111111109, &limits, NULL), OTP_REPLAYED);
	ck_assert_int_eq(check(&t, NULL, "07081804", -1, &limits, NULL), OTP_WRONG);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ rfc6238_vectors, ROWS(totp_rows) },
		{ rfc4226_vectors, ROWS(hotp_codes) },
		{ ot01a_replay, 0 },
		{ ot02a_monotonic, 0 },
		{ ot03a_digits, 0 },
		{ ot04a_secret, 0 },
		{ unusable_tokens, 0 },
		{ ot05a_window, 5 },
		{ ot06a_hotp, 0 },
		{ ot06a_hotp_look_ahead, 0 },
		{ ot06a_hotp_no_wrap, 0 },
		{ ot13a_clock_skew, 0 },
		{ token_in_the_future, 0 },
	};

	return suite_run("otp", rows, ROWS(rows), 30);
}

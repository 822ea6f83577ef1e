/*
 * otp.c - one-time codes with liboath (see otp.h).
 *
 * Runs in the front. liboath only generates here; its validate functions are not used, because they take the digit
 * count from what the user typed, stop at the first match, compare with strcmp and let a window wrap at 2^64
 * (THREATS 5.6). It must never accept a code twice, nor tell by its time how near a guess was.
 */
#include <config.h>

#include "daemon/otp.h"

#include <liboath/oath.h>
#include <string.h>

struct seed {
	char bytes[OTP_SECRET_MAX];
	size_t len;
};

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool
seed_decode(const char *hex, struct seed *ret)
{
	size_t n = strlen(hex);

	if (n % 2 != 0 || n / 2 > OTP_SECRET_MAX)
		return false;
	for (size_t i = 0; i < n / 2; i++) {
		int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		ret->bytes[i] = (char)(high * 16 + low);
	}
	ret->len = n / 2;
	return true;
}

static const char *
token_fault(const struct msg_token *t, struct seed *ret_seed)
{
	if (t->fault[0] != '\0')
		return t->fault;
	if (t->type != TOKEN_TOTP && t->type != TOKEN_HOTP)
		return "the token's type is unknown";
	if (t->digits < OTP_DIGITS_MIN || t->digits > OTP_DIGITS_MAX)
		return "the token's codes do not have 6 to 8 digits";
	if (t->algorithm != TOKEN_SHA1 && t->algorithm != TOKEN_SHA256 && t->algorithm != TOKEN_SHA512)
		return "the token's algorithm is unknown";
	if (t->type == TOKEN_HOTP && t->algorithm != TOKEN_SHA1)
		return "a counter token must use SHA-1 (RFC 4226)";
	if (t->type == TOKEN_TOTP && (t->step_sec < 15 || t->step_sec > 300))
		return "the token's time step is not 15 to 300 seconds";
	if (!seed_decode(t->secret_hex, ret_seed))
		return "the token's secret cannot be read";
	if (ret_seed->len < OTP_SECRET_MIN)
		return "the token's secret is shorter than 16 bytes";
	return NULL;
}

const char *
otp_token_fault(const struct msg_token *token)
{
	struct seed seed = { .len = 0 };
	const char *fault = token_fault(token, &seed);

	explicit_bzero(&seed, sizeof seed);
	return fault;
}

static bool
is_code(const char *code, size_t digits)
{
	if (strlen(code) != digits)
		return false;
	for (size_t i = 0; i < digits; i++) {
		if (code[i] < '0' || code[i] > '9')
			return false;
	}
	return true;
}

/* The code of one step or counter. Returns false when liboath cannot make it. */
static bool
generate(const struct msg_token *t, const struct seed *seed, uint64_t moving, char code[static OTP_DIGITS_MAX + 1])
{
	int flags = 0;

	if (t->type == TOKEN_HOTP)
		return oath_hotp_generate(seed->bytes, seed->len, moving, t->digits, false, OATH_HOTP_DYNAMIC_TRUNCATION,
		    code) == OATH_OK;
	if (t->algorithm == TOKEN_SHA256)
		flags = OATH_TOTP_HMAC_SHA256;
	else if (t->algorithm == TOKEN_SHA512)
		flags = OATH_TOTP_HMAC_SHA512;
	return oath_totp_generate2(seed->bytes, seed->len, (time_t)(moving * t->step_sec), t->step_sec, 0, t->digits,
	    flags, code) == OATH_OK;
}

/* Equal or not, in a time that depends on the length alone. */
static bool
is_equal(const char *a, const char *b, size_t len)
{
	unsigned char differ = 0;

	for (size_t i = 0; i < len; i++)
		differ |= (unsigned char)(a[i] ^ b[i]);
	return differ == 0;
}

struct scan {
	bool right, old;
	uint64_t match;		/* the latest that fits */
};

/*
 * Compare with the codes of [first, last], all of them. Those below fresh were used before.
 */
static bool
scan_window(const struct msg_token *t, const struct seed *seed, const char *code, uint64_t first, uint64_t last,
    uint64_t fresh, struct scan *ret)
{
	char made[OTP_DIGITS_MAX + 1];
	bool ok = true;

	*ret = (struct scan){ .right = false };
	for (uint64_t at = first;; at++) {
		if (!generate(t, seed, at, made)) {
			ok = false;
			break;
		}
		if (is_equal(code, made, t->digits)) {
			if (at >= fresh) {
				ret->right = true;
				ret->match = at;
			} else
				ret->old = true;
		}
		if (at == last)		/* last may be the greatest number there is */
			break;
	}
	explicit_bzero(made, sizeof made);
	return ok;
}

static uint64_t
latest_mark(const struct msg_token *t, const struct otp_mark *mark, bool *ret_known)
{
	uint64_t last = 0;

	*ret_known = t->has_last != 0 || mark->known;
	if (t->has_last != 0)
		last = t->last;
	if (mark->known && mark->last > last)
		last = mark->last;
	return last;
}

static enum otp_result
check_totp(const struct msg_token *t, const struct seed *seed, const struct otp_mark *mark, const char *code,
    int64_t wall_sec, unsigned window, struct scan *ret)
{
	uint64_t now, first, last;
	bool known;

	if (wall_sec < 0)
		return OTP_WRONG;
	now = (uint64_t)wall_sec / t->step_sec;
	first = now > window ? now - window : 0;
	last = latest_mark(t, mark, &known);
	if (known && last > now + window)
		return OTP_FUTURE;
	if (!scan_window(t, seed, code, first, now + window, known ? last + 1 : 0, ret))
		return OTP_WRONG;
	return ret->right ? OTP_RIGHT : ret->old ? OTP_REPLAYED : OTP_WRONG;
}

static enum otp_result
check_hotp(const struct msg_token *t, const struct seed *seed, const struct otp_mark *mark, const char *code,
    unsigned look_ahead, struct scan *ret)
{
	uint64_t next, first, last;
	bool known;

	next = latest_mark(t, mark, &known);
	/* The greatest counter is never used: the one after it would be 0, and all codes would be fresh again. */
	if (next >= UINT64_MAX - OTP_WINDOW_MAX)
		return OTP_WRONG;
	/* As many used ones are looked at as fresh ones, only to tell a replay from a typing error. */
	first = next > look_ahead + 1 ? next - look_ahead - 1 : 0;
	last = next + look_ahead;
	if (!scan_window(t, seed, code, first, last, next, ret))
		return OTP_WRONG;
	return ret->right ? OTP_RIGHT : ret->old ? OTP_REPLAYED : OTP_WRONG;
}

enum otp_result
otp_check(const struct msg_token *token, const struct otp_mark *mark, const char *code, int64_t wall_sec,
    const struct otp_limits *limits, uint64_t *ret_last, const char **ret_fault)
{
	struct seed seed = { .len = 0 };
	struct scan scan = { .right = false };
	enum otp_result result = OTP_WRONG;
	const char *fault;

	fault = token_fault(token, &seed);
	if (fault == NULL && (limits->totp_window > OTP_WINDOW_MAX || limits->hotp_look_ahead > OTP_WINDOW_MAX))
		fault = "the window is too wide";
	if (fault != NULL) {
		*ret_fault = fault;
		result = OTP_UNUSABLE;
		goto out;
	}
	/* The digit count first: an 8-digit token must not take its own 6-digit suffix. */
	if (!is_code(code, token->digits))
		goto out;
	if (token->type == TOKEN_TOTP)
		result = check_totp(token, &seed, mark, code, wall_sec, limits->totp_window, &scan);
	else
		result = check_hotp(token, &seed, mark, code, limits->hotp_look_ahead, &scan);
	if (result == OTP_RIGHT)
		*ret_last = token->type == TOKEN_TOTP ? scan.match : scan.match + 1;
out:
	explicit_bzero(&seed, sizeof seed);
	return result;
}

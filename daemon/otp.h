/*
 * otp.h - judges one-time codes (RFC 4226, RFC 6238). Pure: what was accepted before and the clock come in as
 * values, what must be stored before success may be reported comes out.
 */
#ifndef ISMS_OTP_H
#define ISMS_OTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/proto.h"

#define OTP_SECRET_MIN	16	/* bytes (RFC 4226 R6); an empty secret would yield valid codes */
#define OTP_SECRET_MAX	128
#define OTP_DIGITS_MIN	6
#define OTP_DIGITS_MAX	8
#define OTP_WINDOW_MAX	20

enum otp_result {
	OTP_WRONG,
	OTP_RIGHT,		/* *ret_last must be durable before anybody is told */
	OTP_REPLAYED,		/* the code of a step or counter that was accepted before */
	OTP_FUTURE,		/* TOTP: a later step than can be now was accepted before: deny, never lower it */
	OTP_UNUSABLE,		/* the token breaks a rule: deny, *ret_fault says why */
};

/* What this host knows of a token: for TOTP the last accepted step, for HOTP the next counter. */
struct otp_mark {
	bool known;
	uint64_t last;
};

struct otp_limits {
	unsigned totp_window;		/* steps before and after now */
	unsigned hotp_look_ahead;	/* counters */
};

/*
 * Whether a token can be used at all, without a code.
 *
 * Returns NULL, or what is wrong with it, in words: static, or a part of token.
 */
const char *otp_token_fault(const struct msg_token *token);

/*
 * Judge a code. The later of the directory's mark (in token) and this host's counts.
 *
 *  code      as typed; must be exactly token->digits digits
 *  wall_sec  CLOCK_REALTIME, not the effective time: the person's device follows true time
 *  ret_last  written for OTP_RIGHT: the mark to store
 *  ret_fault written for OTP_UNUSABLE; static, or a part of token
 *
 * Takes the same time for each code of a token: the whole window is computed and compared, always.
 */
enum otp_result otp_check(const struct msg_token *token, const struct otp_mark *mark, const char *code,
    int64_t wall_sec, const struct otp_limits *limits, uint64_t *ret_last, const char **ret_fault);

#endif

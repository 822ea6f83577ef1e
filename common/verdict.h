/*
 * verdict.h - what was decided and why. Zero means deny, everywhere.
 */
#ifndef ISMS_VERDICT_H
#define ISMS_VERDICT_H

enum verdict {
	VERDICT_DENY,		/* also every error on the way to a decision */
	VERDICT_ALLOW,
	VERDICT_EXPIRED,	/* the contract window is closed */
	VERDICT_MUST_CHANGE,	/* allowed by every rule once the password is changed (THREATS I1) */
	VERDICT_NOT_OURS,	/* local or unknown: the only road past us (THREATS I2) */
	VERDICT_COUNT
};

enum reason {
#define REASON(name, token, text) REASON_##name,
#include "common/reasons.def"
#undef REASON
	REASON_COUNT
};

/* The permanent token of a reason, e.g. "expired"; "none" for a number out of range. */
const char *reason_token(enum reason reason);

/* One sentence for administrators; never NULL. */
const char *reason_text(enum reason reason);

/* The reason of a token, or REASON_NONE where there is none of that name. */
enum reason reason_find(const char *token);

/* "deny", "allow", "expired", "must-change" or "not-ours"; never NULL. */
const char *verdict_token(enum verdict verdict);

#endif

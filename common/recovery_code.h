/*
 * recovery_code.h - recovery codes: what stands in for a one-time code when the phone is gone (THREATS 5.6).
 *
 * A code is 80 random bits. The directory has its yescrypt hash alone, in ismsRecoveryCode of the user's entry; all codes
 * of a set share one salt, so that judging a guess costs one hash, whatever the directory says. Used by the directory
 * process and isms-userctl; everything that hashes takes some 30 ms: call it on a worker, not on a loop.
 */
#ifndef ISMS_RECOVERY_CODE_H
#define ISMS_RECOVERY_CODE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/entry.h"

#define RECOVERY_ATTRIBUTE	"ismsRecoveryCode"
#define RECOVERY_CODES_MAX	16	/* of one user; more make the set unusable */
#define RECOVERY_CODE_LEN	16	/* characters of Crockford's base32: 80 bits */
#define RECOVERY_SHOWN_SIZE	20	/* "XXXX-XXXX-XXXX-XXXX" and NUL */
#define RECOVERY_HASH_SIZE	144	/* "$y$j9T$SALT$HASH" and NUL */
#define RECOVERY_ID_SIZE	65

struct recovery_code {
	char shown[RECOVERY_SHOWN_SIZE];	/* a secret: wipe it */
	char hash[RECOVERY_HASH_SIZE];
};

/*
 * Whether what was typed has the shape of a recovery code and not of a one-time code: more than 8 characters, blanks and
 * hyphens aside. Says nothing of its being right.
 */
bool recovery_code_is_shaped(const char *typed);

/*
 * The form that is hashed: upper case, without blanks and hyphens; I and L are 1, O is 0.
 *
 *  ret  receives the code (wipe it); untouched on failure
 *
 * Returns whether it is one.
 */
bool recovery_code_normalise(const char *typed, char ret[static RECOVERY_CODE_LEN + 1]);

/*
 * Make a set.
 *
 *  ret,count  filled, 1 to RECOVERY_CODES_MAX; wiped on failure
 *
 * Returns 0, -EINVAL for another count, -ENOMEM, or -EIO without random bytes or yescrypt.
 */
int recovery_codes_make(struct recovery_code *ret, unsigned count);

enum recovery_result {
	RECOVERY_WRONG,
	RECOVERY_RIGHT,		/* counts once value has gone from the directory */
	RECOVERY_UNUSABLE,	/* the set breaks a rule: deny, fault says why */
};

struct recovery_judgement {
	enum recovery_result result;
	const char *value;		/* RECOVERY_RIGHT: the hash, borrowed from the entry */
	unsigned remaining;		/* RECOVERY_RIGHT: how many others there are */
	char id[RECOVERY_ID_SIZE];	/* names the code for as long as its set lives, right or wrong; "" where there is no set */
	const char *fault;		/* RECOVERY_UNUSABLE; static */
};

/*
 * Judge a code by the user's entry. At most one hash is made, of a cost that is pinned: a value of another cost, of
 * another salt than its neighbours, or too many of them make the set unusable before anything is hashed.
 *
 *  e     NULL, or an entry without codes: the work of a look is done all the same
 *  code  as recovery_code_normalise() gave it
 */
void recovery_code_judge(const struct entry *e, const char *code, struct recovery_judgement *ret);

/* How many codes an entry has. */
unsigned recovery_codes_count(const struct entry *e);

#endif

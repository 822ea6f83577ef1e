/*
 * standing.h - whether who answers for an account, a sponsor or an owner, may do so himself; and when it was last used.
 */
#ifndef ISMS_STANDING_H
#define ISMS_STANDING_H

#include "tools/account.h"

enum standing {
	STANDING_NONE,		/* nobody is named */
	STANDING_VALID,
	STANDING_MISSING,	/* no such account, or one that is refused */
	STANDING_ENDED,		/* disabled, or the contract is over */
};

/* "none", "valid", "missing", "ended". */
const char *standing_word(enum standing standing);

/*
 * How somebody stands who is named by a DN.
 *
 *  dn       NULL or "": nobody is named
 *  ret_who  his account; NULL when there is none; may be NULL
 */
enum standing standing_of(const struct account *account, const char *dn, int64_t now_utc_sec,
    const struct identity **ret_who);

/* An instant of an entry as a login would read it; 0 when there is none, or what is no single instant. */
int64_t standing_instant(const struct entry *e, const char *attribute);

/* Whether an account was not used within span_sec: last use, else the making of its entry, lies before that or is not known. */
bool standing_is_dormant(const struct identity *id, int64_t span_sec, int64_t now_utc_sec);

#endif

/*
 * last_use.h - ismsLastUse: the day on which a person last logged in anywhere, as the directory has it.
 *
 * Pure. Coarse on purpose: the day alone (UTC), so that the directory keeps no record of people's movements, and each
 * host writes a user at most once a day, where no other has done so already.
 */
#ifndef ISMS_LAST_USE_H
#define ISMS_LAST_USE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/entry.h"

#define LAST_USE_ATTRIBUTE	"ismsLastUse"
#define LAST_USE_DAY_SEC	86400

/* The instant that stands in an entry, UTC seconds; 0: none, or none that can be read. */
int64_t last_use_of(const struct entry *e);

/* The day of an instant, as the instant at which it begins. */
int64_t last_use_day(int64_t utc_sec);

/*
 * Whether a use is to be noted in an entry: it is of a later day than what stands there. What lies in the future was
 * written by a clock that was wrong, and counts as nothing.
 *
 *  used_utc_sec,now_utc_sec  UTC seconds
 */
bool last_use_moves(const struct entry *e, int64_t used_utc_sec, int64_t now_utc_sec);

#endif

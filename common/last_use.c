/*
 * last_use.c - ismsLastUse of an entry (see last_use.h).
 *
 * Directory process and isms-userctl; pure. It must never say that somebody was there when nobody can tell.
 */
#include <config.h>

#include "common/last_use.h"

#include <stddef.h>
#include <string.h>

#include "common/civil_date.h"

int64_t
last_use_of(const struct entry *e)
{
	const char *text = NULL;
	int64_t utc_sec = 0;

	if (entry_single(e, LAST_USE_ATTRIBUTE, &text) != 1 ||
	    civil_date_parse_generalized(text, strlen(text), &utc_sec) < 0)
		return 0;
	return utc_sec;
}

int64_t
last_use_day(int64_t utc_sec)
{
	return utc_sec - utc_sec % LAST_USE_DAY_SEC;
}

bool
last_use_moves(const struct entry *e, int64_t used_utc_sec, int64_t now_utc_sec)
{
	int64_t stands = last_use_of(e);

	if (used_utc_sec <= 0 || last_use_day(used_utc_sec) > now_utc_sec)
		return false;
	return stands > now_utc_sec || last_use_day(stands) < last_use_day(used_utc_sec);
}

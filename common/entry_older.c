/*
 * entry_older.c - who was there first (see entry_older.h).
 *
 * Directory process and isms-userctl. It must never take a time that is malformed for a known one.
 */
#include <config.h>

#include "common/entry_older.h"

#include <string.h>

#include "common/civil_date.h"

int64_t
entry_created_utc_sec(const struct entry *e)
{
	const char *text;
	int64_t utc_sec;

	if (entry_single(e, "createTimestamp", &text) != 1 || civil_date_parse_generalized(text, strlen(text), &utc_sec) < 0)
		return 0;
	return utc_sec;
}

bool
entry_is_older(int64_t made_utc_sec, const struct entry *named)
{
	int64_t created_utc_sec = named != NULL ? entry_created_utc_sec(named) : 0;

	return made_utc_sec != 0 && created_utc_sec != 0 && made_utc_sec < created_utc_sec;
}

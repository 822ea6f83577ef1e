/*
 * standing.c - see standing.h.
 *
 * Runs in isms-userctl only: for lists. What a login is told, policy_decide() alone says.
 */
#include <config.h>

#include "tools/standing.h"

#include <string.h>

#include "common/civil_date.h"

const char *
standing_word(enum standing standing)
{
	static const char *const words[] = {
		[STANDING_NONE] = "none", [STANDING_VALID] = "valid", [STANDING_MISSING] = "missing", [STANDING_ENDED] = "ended",
	};

	return words[standing];
}

enum standing
standing_of(const struct account *account, const char *dn, int64_t now_utc_sec, const struct identity **ret_who)
{
	const struct entry *e = dn != NULL && dn[0] != '\0' ? entries_find(directory_entries(account->directory), dn) : NULL;
	const char *name = e != NULL ? entry_value(e, "uid") : NULL;
	const struct identity *who = name != NULL ? identities_find(&account->identities, name) : NULL;

	if (who != NULL && who->entry != e)
		who = NULL;
	if (ret_who != NULL)
		*ret_who = who;
	if (dn == NULL || dn[0] == '\0')
		return STANDING_NONE;
	if (who == NULL || who->state != FACTS_MANAGED)
		return STANDING_MISSING;
	if (who->disabled || (who->not_after_utc_sec != 0 && now_utc_sec >= who->not_after_utc_sec))
		return STANDING_ENDED;
	return STANDING_VALID;
}

int64_t
standing_instant(const struct entry *e, const char *attribute)
{
	const char *text = NULL;
	int64_t utc_sec = 0;

	if (entry_single(e, attribute, &text) != 1 || civil_date_parse_generalized(text, strlen(text), &utc_sec) < 0)
		return 0;
	return utc_sec;
}

bool
standing_is_dormant(const struct identity *id, int64_t span_sec, int64_t now_utc_sec)
{
	int64_t used_utc_sec = standing_instant(id->entry, "ismsLastUse");

	if (used_utc_sec == 0)
		used_utc_sec = standing_instant(id->entry, "createTimestamp");
	return used_utc_sec <= now_utc_sec - span_sec;
}

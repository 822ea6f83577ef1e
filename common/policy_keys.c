/*
 * policy_keys.c - values of the keys of a role that are about its people's life: sessions, reviews, use, sponsor, owner, end.
 *
 * Runs in ismsd and isms-userctl; pure. It must never take a value for another than what is written, nor one that would be
 * as good as no rule.
 */
#include <config.h>

#include <string.h>

#include "common/civil_date.h"
#include "common/conf_file.h"
#include "common/policy_parts.h"

enum { SESSIONS_MAX = 16 };	/* what the front can watch of one person (LIVE_SESSIONS_PER_UID) */

#define SPAN_MAX_SEC	(INT64_C(3660) * 86400)

static int
parse_yes(const char *value, bool *ret, char *error, size_t size)
{
	*ret = strcmp(value, "yes") == 0;
	if (!*ret && strcmp(value, "no") != 0)
		return conf_wrong(error, size, "\"%.40s\" is neither yes nor no", value);
	return 0;
}

static int
parse_span(const char *value, int64_t min_sec, const char *example, int64_t *ret, char *error, size_t size)
{
	if (civil_date_parse_duration(value, SPAN_MAX_SEC, ret) < 0 || *ret < min_sec)
		return conf_wrong(error, size, "\"%.40s\" is not a duration of %llds to %lldd; write for example %s", value,
		    (long long)min_sec, (long long)(SPAN_MAX_SEC / 86400), example);
	return 0;
}

int
policy_parse_max_sessions(struct role *role, const char *value, char *error, size_t size)
{
	unsigned n = 0;
	size_t len = strlen(value);

	for (size_t i = 0; i < len && i < 3; i++)
		n = value[i] >= '0' && value[i] <= '9' ? n * 10 + (unsigned)(value[i] - '0') : 1000;
	if (len < 1 || len > 2 || n < 1 || n > SESSIONS_MAX)
		return conf_wrong(error, size, "\"%.40s\" is no number from 1 to %d", value, SESSIONS_MAX);
	role->max_sessions = n;
	return 0;
}

int
policy_parse_review_every(struct role *role, const char *value, char *error, size_t size)
{
	return parse_span(value, 60, "90d", &role->review_every_sec, error, size);
}

int
policy_parse_dormant_after(struct role *role, const char *value, char *error, size_t size)
{
	return parse_span(value, 60, "45d", &role->dormant_after_sec, error, size);
}

int
policy_parse_on_end(struct role *role, const char *value, char *error, size_t size)
{
	role->deny_new = strcmp(value, "deny-new") == 0;
	if (!role->deny_new && strcmp(value, "terminate") != 0)
		return conf_wrong(error, size, "\"%.40s\" is neither terminate nor deny-new", value);
	return 0;
}

int
policy_parse_require_sponsor(struct role *role, const char *value, char *error, size_t size)
{
	return parse_yes(value, &role->require_sponsor, error, size);
}

int
policy_parse_owner_grace(struct role *role, const char *value, char *error, size_t size)
{
	return parse_span(value, 0, "14d", &role->owner_grace_sec, error, size);
}

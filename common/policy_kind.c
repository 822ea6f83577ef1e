/*
 * policy_kind.c - what service and break-glass accounts may not do, whatever roles say.
 *
 * Runs in ismsd and isms-userctl; pure: no I/O, no clock, no allocation. A service account has a key and nothing else, and
 * no key is believed that sshd has not named: before that it may come as far as the opening of a session and no further.
 */
#include <config.h>

#include <string.h>

#include "common/policy_parts.h"

static enum reason
find(enum reason reason, const char *rule, const char **ret_rule)
{
	*ret_rule = rule;
	return reason;
}

bool
policy_has_word(const char *list, const char *word)
{
	size_t len;

	for (const char *at = list + strspn(list, " \t"); *at != '\0'; at += len, at += strspn(at, " \t")) {
		len = strcspn(at, " \t");
		if (len == strlen(word) && memcmp(at, word, len) == 0)
			return true;
	}
	return false;
}

static bool
comes_from(const char *networks, const char *rhost)
{
	struct sources sources = { .count = 0 };
	char error[128];

	return sources_parse(networks, &sources, error, sizeof error) == 0 && !sources.local &&
	    rhost != NULL && rhost[0] != '\0' && sources_contain(&sources, rhost);
}

/* Key, network and command are bound to the entry: what is not there binds nothing, and opens nothing. */
static enum reason
judge_bound_key(const struct facts *facts, const struct request *request, const char **ret_rule)
{
	bool is_seen = request->key != NULL && request->key[0] != '\0';

	if (is_seen ? !policy_has_word(facts->keys, request->key) : !request->key_unseen || facts->keys[0] == '\0')
		return find(REASON_KEY_NOT_BOUND, "kind service: a key of its entry (ismsKey)", ret_rule);
	if (!comes_from(facts->sources, request->rhost))
		return find(REASON_SOURCE_NOT_ALLOWED, "kind service: a network of its entry (ismsSource)", ret_rule);
	if (facts->has_command == 0)
		return find(REASON_KIND_NOT_INTERACTIVE, "kind service: the command of its entry (ismsCommand), no shell", ret_rule);
	return REASON_NONE;
}

static enum reason
judge_service_account(const struct facts *facts, const struct request *request, enum stage stage,
    enum service_class class, const char **ret_rule)
{
	const unsigned typed = FACTOR_PASSWORD | FACTOR_OTP | FACTOR_PASSWORD_STALE | FACTOR_RECOVERY;

	if (class == CLASS_UNATTENDED)
		return REASON_NONE;
	if (request->service == NULL || strcmp(request->service, "sshd") != 0)
		return find(REASON_KIND_NOT_INTERACTIVE, "kind service: sshd and unattended services only", ret_rule);
	if (stage == STAGE_AUTH || (request->factors & typed) != 0)
		return find(REASON_PASSWORD_NOT_ALLOWED, "kind service: its key alone", ret_rule);
	return judge_bound_key(facts, request, ret_rule);
}

static enum reason
judge_break_glass(const struct facts *facts, const struct request *request, const char **ret_rule)
{
	if (request->now_utc_sec < 0 || facts->armed_until_utc_sec <= request->now_utc_sec)
		return find(REASON_BREAKGLASS_NOT_ARMED, "kind break-glass: only while armed", ret_rule);
	if (facts->armed_by[0] == '\0')
		return find(REASON_BREAKGLASS_NOT_ARMED, "kind break-glass: armed by somebody with a name", ret_rule);
	if (request->armed_longest_sec != 0 &&
	    facts->armed_until_utc_sec - request->now_utc_sec > request->armed_longest_sec)
		return find(REASON_BREAKGLASS_NOT_ARMED, "kind break-glass: armed for longer than [login] longest-arming", ret_rule);
	return REASON_NONE;
}

enum reason
policy_kind_denies(const struct facts *facts, const struct request *request, enum stage stage,
    enum service_class class, const char **ret_rule)
{
	if (facts->kind == KIND_BREAK_GLASS)
		return judge_break_glass(facts, request, ret_rule);
	if (facts->kind == KIND_SERVICE)
		return judge_service_account(facts, request, stage, class, ret_rule);
	return REASON_NONE;
}

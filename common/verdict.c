/*
 * verdict.c - names of verdicts and reasons, from reasons.def.
 *
 * Links into the modules as well as into daemon and tool: tables only, no state.
 */
#include <config.h>

#include "common/verdict.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *token, *text;
} reasons[REASON_COUNT] = {
#define REASON(name, token, text) [REASON_##name] = { token, text },
#include "common/reasons.def"
#undef REASON
};

static const char *const verdicts[VERDICT_COUNT] = {
	[VERDICT_DENY] = "deny",
	[VERDICT_ALLOW] = "allow",
	[VERDICT_EXPIRED] = "expired",
	[VERDICT_MUST_CHANGE] = "must-change",
	[VERDICT_NOT_OURS] = "not-ours",
};

const char *
reason_token(enum reason reason)
{
	return (unsigned)reason < REASON_COUNT ? reasons[reason].token : reasons[REASON_NONE].token;
}

const char *
reason_text(enum reason reason)
{
	return (unsigned)reason < REASON_COUNT ? reasons[reason].text : reasons[REASON_NONE].text;
}

enum reason
reason_find(const char *token)
{
	for (unsigned i = 0; i < REASON_COUNT; i++)
		if (strcmp(reasons[i].token, token) == 0)
			return (enum reason)i;
	return REASON_NONE;
}

const char *
verdict_token(enum verdict verdict)
{
	return (unsigned)verdict < VERDICT_COUNT ? verdicts[verdict] : verdicts[VERDICT_DENY];
}

/*
 * evaluation_recovery.c - a recovery code in place of a one-time code (see evaluation_parts.h; THREATS 5.6).
 *
 * Runs in the front, once the password was right and the attempt counted. The directory process hashes and takes the code
 * out of the directory; it must never count here before it is gone there and noted here, durably.
 */
#include <config.h>

#include "daemon/evaluation_parts.h"

#include <stdio.h>
#include <string.h>

#include "common/recovery_code.h"
#include "daemon/otp.h"

/* Not right: a code that was used up here, or a guess. */
static void
finish_wrong(struct evaluation *ev, const char *id)
{
	struct otp_mark mark = { .known = false };

	if (id[0] != '\0' && state_token_mark(ev->front->state, id, &mark) == 0 && mark.known)
		evaluation_finish_failed(ev, REASON_MFA_REPLAYED);
	else
		evaluation_finish_failed(ev, REASON_MFA_FAILED);
}

static void
finish_right(struct evaluation *ev, const struct msg_recovery_result *result)
{
	struct msg_token *used = &ev->tokens[0];

	memset(used, 0, sizeof *used);
	memcpy(used->id, result->id, sizeof used->id);
	ev->result.recovery_used = true;
	ev->result.recovery_remaining = result->remaining;
	ev->extra |= FACTOR_RECOVERY;
	evaluation_accept(ev, used, 1);
}

static void
on_used(void *arg, int error, enum message number, const void *msg)
{
	const struct msg_recovery_result *result = msg;
	struct evaluation *ev = arg;

	ev->ask = NULL;
	if (error == 0 && number == MSG_RECOVERY_RESULT)
		ev->result.fault[0] = '\0';
	/* Without an answer nobody knows whether it was right: it stays counted, and the person is not in. */
	if (error < 0 || number != MSG_RECOVERY_RESULT || result->reason >= REASON_COUNT || result->reason == REASON_NONE)
		evaluation_finish(ev, VERDICT_DENY, REASON_DIRECTORY_UNAVAILABLE);
	else if (result->reason == REASON_OK && result->id[0] != '\0')
		finish_right(ev, result);
	else if (result->reason == REASON_MFA_FAILED)
		finish_wrong(ev, result->id);
	else if (result->reason == REASON_MFA_REPLAYED)
		evaluation_finish_failed(ev, REASON_MFA_REPLAYED);
	else if (result->reason == REASON_BAD_RECORD) {
		(void)snprintf(ev->result.fault, sizeof ev->result.fault, "%s", result->fault);
		evaluation_finish_uncounted(ev, REASON_BAD_RECORD);
	} else
		evaluation_finish(ev, VERDICT_DENY, result->reason == REASON_OK ? REASON_DIRECTORY_UNAVAILABLE :
		    (enum reason)result->reason);
}

void
evaluation_try_recovery(struct evaluation *ev)
{
	struct msg_recovery_use msg = { .end_ = { 0 } };
	const char *fault;
	int r;

	/* A bad token denies whatever stands beside it (THREATS I10). */
	for (unsigned i = 0; i < ev->token_count; i++) {
		fault = otp_token_fault(&ev->tokens[i]);
		if (fault == NULL)
			continue;
		evaluation_note_token(ev, &ev->tokens[i], fault);
		evaluation_finish_uncounted(ev, REASON_BAD_RECORD);
		return;
	}
	if (!recovery_code_normalise(ev->code, msg.code)) {
		evaluation_finish_failed(ev, REASON_MFA_FAILED);
		return;
	}
	memcpy(msg.user, ev->user, sizeof msg.user);
	/* Until the answer comes, which nobody waits for once the caller has hung up. */
	(void)snprintf(ev->result.fault, sizeof ev->result.fault, "a recovery code was being checked and may be used up");
	r = evaluation_ask(ev, MSG_RECOVERY_USE, &msg, on_used);
	explicit_bzero(&msg, sizeof msg);
	if (r < 0)
		evaluation_finish_uncounted(ev, REASON_DIRECTORY_UNAVAILABLE);
}

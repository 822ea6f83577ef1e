/*
 * evaluation.h - judges what a person has typed: fresh facts, policy, counting, password, code, burning the code.
 *
 * The order is fixed (THREATS 5.6): the window is judged before any bind; the failure is counted durably before
 * anything is checked; the code is looked at only when the password was right; it is burnt, and the count cleared,
 * durably, before the result is told. One person's attempts are evaluated one after the other, so that what runs
 * side by side can neither slip past the count nor trip over it.
 */
#ifndef ISMS_EVALUATION_H
#define ISMS_EVALUATION_H

#include <stdbool.h>

#include "daemon/front.h"

#define EVALUATION_MS 10000	/* all of it; then directory-unavailable */

struct evaluation_result {
	enum verdict verdict;		/* VERDICT_ALLOW: right; VERDICT_NOT_OURS: nobody of that name; else refused */
	enum reason reason;
	unsigned factors;		/* FACTOR_*: what was proven, the key included */
	const struct facts *facts;	/* borrowed for the call; NULL: not known */
	const struct decision *judged;	/* borrowed for the call; NULL: policy was not asked */
	char token[65];			/* serial of the token whose code was taken or replayed */
	char fault[256];		/* for the journal */
	bool locked;			/* this failure locked the account */
	bool recovery_used;		/* a recovery code is used up, whatever the result */
	unsigned recovery_remaining;	/* then: how many there still are */
};

struct evaluation_question {
	const struct subject *subject;	/* borrowed until the end */
	const struct facts *facts;	/* borrowed for the call: whose uid is the person's; NULL: not known */
	unsigned asked;			/* FACTOR_*: what the person was asked for */
	bool ignore_session;		/* a live session does not spare the code */
	const char *password, *code;	/* copied; "" when not asked for */
};

/*
 * Start.
 *
 *  done  called once, from the loop, never from within this call; the evaluation is freed after it
 *
 * Returns 0 or -ENOMEM.
 */
int evaluation_start(struct front *f, const struct evaluation_question *q,
    void (*done)(void *arg, const struct evaluation_result *result), void *arg, struct evaluation **ret);

/* Wipe and forget; a counted failure stays counted. NULL is fine. */
void evaluation_cancel(struct evaluation *ev);

/*
 * The person has gone before the end: the refusal to report. What was counted counts for its source as well, and
 * may have locked the account. To be cancelled next, until when the result is valid.
 */
const struct evaluation_result *evaluation_abandon(struct evaluation *ev);

/*
 * How failures are counted. Pure.
 *
 *  f        of state.db; an ended lock is turned into the count from which waiting begins
 *  may_lock false for break-glass: it waits, and is never locked
 *
 * throttle_refuses(): whether an attempt now is refused unseen and uncounted. throttle_count(): f with one more.
 */
bool throttle_refuses(struct failures *f, const struct settings *settings, int64_t now_utc_sec, bool may_lock);
void throttle_count(struct failures *f, const struct settings *settings, int64_t now_utc_sec, bool may_lock);

#endif

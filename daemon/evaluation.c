/*
 * evaluation.c - from answers to a result, step by step on the loop (see evaluation.h).
 *
 * Runs in the front. It must never check a code after a wrong password, never tell success before the code is burnt
 * on disk, and never send an empty password to the directory. Secrets live in this struct alone and are wiped with it.
 */
#include <config.h>

#include "daemon/evaluation_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/recovery_code.h"
#include "daemon/loop.h"
#include "daemon/otp.h"
#include "daemon/source_throttle.h"

static void run_next(struct front *f, const struct evaluation *gone);

static bool
is_same_person(const struct evaluation *a, const struct evaluation *b)
{
	return a->scope == b->scope && strcmp(a->user, b->user) == 0;
}

void
evaluation_cancel(struct evaluation *ev)
{
	struct evaluation **at;

	if (ev == NULL)
		return;
	for (at = &ev->front->evaluations; *at != NULL && *at != ev; at = &(*at)->next)
		;
	if (*at == ev)
		*at = ev->next;
	ask_cancel(ev->ask);
	sd_event_source_disable_unref(ev->timer);
	run_next(ev->front, ev);
	free(ev->facts);
	explicit_bzero(ev, sizeof *ev);
	free(ev);
}

static void
set_result(struct evaluation *ev, enum verdict verdict, enum reason reason)
{
	ev->result.verdict = verdict;
	ev->result.reason = reason;
	ev->result.facts = ev->facts;
	ev->result.judged = ev->judged ? &ev->decision : NULL;
}

void
evaluation_finish(struct evaluation *ev, enum verdict verdict, enum reason reason)
{
	set_result(ev, verdict, reason);
	ev->done(ev->arg, &ev->result);
	evaluation_cancel(ev);
}

void
evaluation_finish_uncounted(struct evaluation *ev, enum reason reason)
{
	if (ev->counted)
		(void)state_set_failures(ev->front->state, ev->user, ev->scope, &ev->before);
	evaluation_finish(ev, VERDICT_DENY, reason);
}

/* The place that this attempt comes from; false: none but the person himself, or this host's console. */
static bool
source_of(const struct evaluation *ev, char ret[static SOURCE_KEY_SIZE])
{
	const struct subject *s = ev->subject;
	bool is_other = s->ruid != ev->front->peers.root && !subject_is_target(s, ev->facts);

	return source_key(s->rhost, is_other ? &s->caller : NULL, ret);
}

/* A failure also counts for the place that it came from. */
static void
count_source(struct evaluation *ev)
{
	char key[SOURCE_KEY_SIZE];

	if (source_of(ev, key))
		source_count(ev->front->sources, key, loop_now_ms());
}

static bool
source_must_wait(const struct evaluation *ev)
{
	char key[SOURCE_KEY_SIZE];

	return source_of(ev, key) && source_refuses(ev->front->sources, key, loop_now_ms());
}

/* The failure that was counted stays one. */
static void
keep_failure(struct evaluation *ev)
{
	struct failures now;

	count_source(ev);
	if (state_failures(ev->front->state, ev->user, ev->scope, &now) == 0)
		ev->result.locked = now.locked_until_utc_sec != 0;
}

void
evaluation_finish_failed(struct evaluation *ev, enum reason reason)
{
	keep_failure(ev);
	evaluation_finish(ev, VERDICT_DENY, reason);
}

const struct evaluation_result *
evaluation_abandon(struct evaluation *ev)
{
	enum reason reason = ev->result.reason;

	if (reason == REASON_NONE)
		reason = ev->code_due || (ev->asked & FACTOR_PASSWORD) == 0 ? REASON_MFA_REQUIRED : REASON_PASSWORD_FAILED;
	if (ev->counted)
		keep_failure(ev);
	set_result(ev, VERDICT_DENY, reason);
	return &ev->result;
}

int
evaluation_ask(struct evaluation *ev, enum message number, const void *msg, ask_reply *reply)
{
	const struct ask_question q = {
		.path = ev->front->paths->directory_socket,
		.peers = &ev->front->peers,
		.number = number,
		.msg = msg,
		.deadline_ms = ev->deadline_ms,
	};

	return ask_start(ev->front->event, &q, reply, ev, &ev->ask);
}

static void
on_dummy(void *arg, int error, enum message number, const void *msg)
{
	struct evaluation *ev = arg;

	(void)error;
	(void)number;
	(void)msg;
	ev->ask = NULL;
	evaluation_finish(ev, ev->result.verdict, ev->result.reason);
}

/*
 * Refuse without having looked at the answers, but spend the work of a look: neither the time nor the load tells a
 * stranger from an expired, locked or unknown name. Not for a locker: any local process may be one, as often as it
 * likes, and the failure floor is longer than the work.
 */
static void
refuse_unseen(struct evaluation *ev, enum verdict verdict, enum reason reason)
{
	struct msg_password_check msg = { .dummy = 1 };
	int r = -EAGAIN;

	ev->result.verdict = verdict;
	ev->result.reason = reason;
	if (!ev->subject->self && reason != REASON_DIRECTORY_UNAVAILABLE && ev->password[0] != '\0') {
		memcpy(msg.password, ev->password, sizeof msg.password);
		r = evaluation_ask(ev, MSG_PASSWORD_CHECK, &msg, on_dummy);
		explicit_bzero(&msg, sizeof msg);
	}
	if (r < 0)
		evaluation_finish(ev, verdict, reason);
}

void
evaluation_accept(struct evaluation *ev, const struct msg_token *token, uint64_t last)
{
	struct clock_reading reading;
	struct acceptance a = {
		.user = ev->user,
		.scope = ev->scope,
		.token = token == NULL ? NULL : token->id,
		.last = last,
		.now_utc_sec = front_now(ev->front, &reading),
		.mark = &ev->front->clock.mark,
	};
	int r;

	if (token != NULL && token->type == TOKEN_TOTP)
		clock_confirm(&ev->front->clock, &reading);
	r = state_accept(ev->front->state, &a);
	if (r == -EEXIST) {
		evaluation_finish_failed(ev, REASON_MFA_REPLAYED);
		return;
	}
	if (r < 0) {
		evaluation_finish(ev, VERDICT_DENY, REASON_STATE_UNWRITABLE);
		return;
	}
	ev->result.factors = ev->need | ev->extra | (ev->subject->key ? (unsigned)FACTOR_KEY : 0U);
	evaluation_finish(ev, VERDICT_ALLOW, REASON_AUTH_PASSED);
}

static void
on_marked(void *arg, int error, enum message number, const void *msg)
{
	struct evaluation *ev = arg;
	const struct msg_result *result = msg;

	ev->ask = NULL;
	if (error < 0 || number != MSG_RESULT || result->reason >= REASON_COUNT || result->reason == REASON_NONE)
		evaluation_finish(ev, VERDICT_DENY, REASON_DIRECTORY_UNAVAILABLE);
	else if (result->reason == REASON_OK)
		evaluation_accept(ev, ev->right, ev->right_last);
	else if (result->reason == REASON_MFA_REPLAYED)
		evaluation_finish_failed(ev, REASON_MFA_REPLAYED);
	else
		evaluation_finish(ev, VERDICT_DENY, (enum reason)result->reason);
}

/*
 * A directory of several hosts keeps the mark of a token: it must have moved before the code counts here (THREATS I9).
 * Whether it has when no answer comes nobody knows; the code is as good as used then, and the person not in.
 */
static void
accept_answers(struct evaluation *ev, const struct msg_token *token, uint64_t last)
{
	struct msg_token_mark msg = { .end_ = { 0 } };

	if (token == NULL || token->mark_in_directory == 0) {
		evaluation_accept(ev, token, last);
		return;
	}
	ev->right = token;
	ev->right_last = last;
	memcpy(msg.user, ev->user, sizeof msg.user);
	memcpy(msg.id, token->id, sizeof msg.id);
	msg.type = token->type;
	msg.has_last = token->has_last;
	msg.last = token->last;
	msg.next = last;
	if (evaluation_ask(ev, MSG_TOKEN_MARK, &msg, on_marked) < 0)
		evaluation_finish(ev, VERDICT_DENY, REASON_DIRECTORY_UNAVAILABLE);
}

void
evaluation_note_token(struct evaluation *ev, const struct msg_token *token, const char *fault)
{
	(void)snprintf(ev->result.fault, sizeof ev->result.fault, "%s%.64s%s%s", token->serial[0] != '\0' ? "token " : "",
	    token->serial, token->serial[0] != '\0' ? ": " : "", fault);
}

/* Compare the code with every token; *ret_token is the one that it is of. */
static enum otp_result
try_tokens(struct evaluation *ev, int64_t wall_sec, const struct msg_token **ret_token, uint64_t *ret_last)
{
	const struct otp_limits limits = {
		.totp_window = ev->front->settings.mfa_totp_window,
		.hotp_look_ahead = ev->front->settings.mfa_hotp_look_ahead,
	};
	enum otp_result best = OTP_WRONG;

	for (unsigned i = 0; i < ev->token_count; i++) {
		const struct msg_token *t = &ev->tokens[i];
		const char *fault = NULL;
		struct otp_mark mark;
		enum otp_result result;
		uint64_t last;

		if (state_token_mark(ev->front->state, t->id, &mark) < 0)
			mark = (struct otp_mark){ .known = true, .last = UINT64_MAX };	/* cannot be accepted */
		result = otp_check(t, &mark, ev->code, wall_sec, &limits, &last, &fault);
		if (result == OTP_UNUSABLE)
			evaluation_note_token(ev, t, fault);
		if (result == OTP_FUTURE)
			(void)snprintf(ev->result.fault, sizeof ev->result.fault,
			    "token %.64s: a code of a later time was accepted before", t->serial);
		/* A bad token denies whatever the others say (THREATS I10); then a right code wins, then a used one. */
		if (best == OTP_UNUSABLE || (best == OTP_RIGHT && result != OTP_UNUSABLE))
			continue;
		if (result == OTP_WRONG || (result == OTP_FUTURE && best == OTP_REPLAYED))
			continue;
		best = result;
		*ret_token = t;
		*ret_last = last;
	}
	return best;
}

static void
check_code(struct evaluation *ev)
{
	const struct msg_token *token = NULL;
	struct clock_reading reading;
	uint64_t last = 0;
	enum otp_result result;

	(void)front_now(ev->front, &reading);
	if (ev->token_count == 0) {
		evaluation_finish_uncounted(ev, REASON_MFA_NOT_ENROLLED);
		return;
	}
	if (state_fault(ev->front->state) != NULL) {
		evaluation_finish(ev, VERDICT_DENY, REASON_STATE_UNWRITABLE);
		return;
	}
	if (recovery_code_is_shaped(ev->code)) {
		evaluation_try_recovery(ev);
		return;
	}
	result = try_tokens(ev, reading.wall_sec, &token, &last);
	if (token != NULL)
		memcpy(ev->result.token, token->serial, sizeof ev->result.token);
	switch (result) {
	case OTP_RIGHT:
		accept_answers(ev, token, last);
		break;
	case OTP_REPLAYED:
		evaluation_finish_failed(ev, REASON_MFA_REPLAYED);
		break;
	case OTP_FUTURE:
		evaluation_finish_uncounted(ev, REASON_CLOCK_UNTRUSTED);
		break;
	case OTP_UNUSABLE:
		evaluation_finish_uncounted(ev, REASON_BAD_RECORD);
		break;
	case OTP_WRONG:
		evaluation_finish_failed(ev, REASON_MFA_FAILED);
		break;
	}
}

static void
on_token(void *arg, int error, enum message number, const void *msg)
{
	struct evaluation *ev = arg;

	if (number == MSG_TOKEN) {
		if (ev->token_count < EVALUATION_TOKENS_MAX) {
			memcpy(&ev->tokens[ev->token_count++], msg, sizeof ev->tokens[0]);
			return;
		}
		ask_cancel(ev->ask);
		ev->ask = NULL;
		(void)snprintf(ev->result.fault, sizeof ev->result.fault, "more than %d tokens are linked", EVALUATION_TOKENS_MAX);
		evaluation_finish_uncounted(ev, REASON_BAD_RECORD);
		return;
	}
	ev->ask = NULL;
	if (error < 0 || number != MSG_RESULT || ((const struct msg_result *)msg)->reason != REASON_OK)
		evaluation_finish_uncounted(ev, REASON_DIRECTORY_UNAVAILABLE);
	else
		check_code(ev);
}

static void
get_tokens(struct evaluation *ev)
{
	struct msg_tokens_get msg = { .end_ = { 0 } };

	if ((ev->need & FACTOR_OTP) == 0) {
		accept_answers(ev, NULL, 0);
		return;
	}
	ev->code_due = true;
	memcpy(msg.user, ev->user, sizeof msg.user);
	if (evaluation_ask(ev, MSG_TOKENS_GET, &msg, on_token) < 0)
		evaluation_finish_uncounted(ev, REASON_DIRECTORY_UNAVAILABLE);
}

static void
on_password(void *arg, int error, enum message number, const void *msg)
{
	struct evaluation *ev = arg;
	const struct msg_result *result = msg;

	ev->ask = NULL;
	if (error < 0 || number != MSG_RESULT || result->reason >= REASON_COUNT || result->reason == REASON_NONE)
		evaluation_finish_uncounted(ev, REASON_DIRECTORY_UNAVAILABLE);
	else if (result->reason == REASON_OK || result->reason == REASON_PASSWORD_CHANGE_REQUIRED) {
		ev->extra |= result->reason == REASON_OK ? 0U : (unsigned)FACTOR_PASSWORD_STALE;
		get_tokens(ev);
	} else if (result->reason == REASON_PASSWORD_FAILED || result->reason == REASON_PASSWORD_EXPIRED ||
	    result->reason == REASON_LOCKED)
		evaluation_finish_failed(ev, (enum reason)result->reason);
	else
		evaluation_finish_uncounted(ev, (enum reason)result->reason);
}

static void
check_password(struct evaluation *ev)
{
	struct msg_password_check msg = { .dummy = 0 };
	int r;

	if ((ev->need & FACTOR_PASSWORD) == 0) {
		get_tokens(ev);
		return;
	}
	/* An empty password would be an anonymous bind, which servers call a success (THREATS 5.1). */
	if (ev->password[0] == '\0') {
		evaluation_finish_failed(ev, REASON_PASSWORD_FAILED);
		return;
	}
	if (subject_is_local(ev->subject)) {	/* the module hands it to pam_unix, without whom nobody comes to the account stage */
		get_tokens(ev);
		return;
	}
	memcpy(msg.user, ev->user, sizeof msg.user);
	memcpy(msg.password, ev->password, sizeof msg.password);
	r = evaluation_ask(ev, MSG_PASSWORD_CHECK, &msg, on_password);
	explicit_bzero(&msg, sizeof msg);
	if (r < 0)
		evaluation_finish_uncounted(ev, REASON_DIRECTORY_UNAVAILABLE);
}

/* Refuse unseen, or count this attempt as a failure before it is looked at. */
static void
count_first(struct evaluation *ev)
{
	bool may_lock = ev->facts->kind != KIND_BREAK_GLASS;
	struct clock_reading reading;
	struct failures after;
	int64_t now;
	int r;

	now = front_now(ev->front, &reading);
	r = state_failures(ev->front->state, ev->user, ev->scope, &ev->before);
	if (r == 0 && throttle_refuses(&ev->before, &ev->front->settings, now, may_lock)) {
		refuse_unseen(ev, VERDICT_DENY, REASON_MFA_LOCKED);
		return;
	}
	after = ev->before;
	throttle_count(&after, &ev->front->settings, now, may_lock);
	if (r == 0)
		r = state_set_failures(ev->front->state, ev->user, ev->scope, &after);
	if (r < 0) {
		refuse_unseen(ev, VERDICT_DENY, REASON_STATE_UNWRITABLE);
		return;
	}
	ev->counted = true;
	check_password(ev);
}

/* Judge by facts of this moment: what was fetched while the person typed may be minutes old (PX07a). */
static void
on_facts(void *arg, int error, enum message number, const void *msg)
{
	struct evaluation *ev = arg;
	struct subject judged_as = *ev->subject;

	ev->ask = NULL;
	if (error == 0 && number == MSG_FACTS) {
		ev->facts = malloc(sizeof *ev->facts);
		if (ev->facts != NULL)
			memcpy(ev->facts, msg, sizeof *ev->facts);
	}
	if (ev->ignore_session)
		judged_as.ruid = (uint32_t)-1;
	front_judge(ev->front, ev->facts, &judged_as, STAGE_AUTH, 0, &ev->decision);
	ev->judged = true;
	ev->need = ev->decision.ask & (FACTOR_PASSWORD | FACTOR_OTP);
	if (source_must_wait(ev)) {
		(void)snprintf(ev->result.fault, sizeof ev->result.fault, "too many failures from this source");
		refuse_unseen(ev, ev->decision.verdict == VERDICT_NOT_OURS ? VERDICT_NOT_OURS : VERDICT_DENY, REASON_MFA_LOCKED);
		return;
	}
	if (ev->decision.reason == REASON_UNKNOWN_USER)
		count_source(ev);
	/* Nothing to ask for is a way in for a key alone, and only where policy asks no more of it. */
	if (ev->decision.verdict != VERDICT_ALLOW && ev->decision.verdict != VERDICT_MUST_CHANGE)
		refuse_unseen(ev, ev->decision.verdict, ev->decision.reason);
	else if (ev->need == 0 && !ev->subject->key)
		refuse_unseen(ev, VERDICT_DENY, REASON_NONE);
	else if ((ev->need & ~ev->asked) != 0)
		refuse_unseen(ev, VERDICT_DENY, (ev->need & ~ev->asked & FACTOR_OTP) != 0 ? REASON_MFA_REQUIRED :
		    REASON_PASSWORD_FAILED);
	else
		count_first(ev);
}

static int
on_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	struct evaluation *ev = arg;

	(void)source;
	(void)usec;
	if (!ev->running) {		/* behind others for all its time */
		evaluation_finish(ev, VERDICT_DENY, REASON_DIRECTORY_UNAVAILABLE);
		return 0;
	}
	if (front_ask_facts(ev->front, ev->user, ev->deadline_ms, on_facts, ev, &ev->ask) < 0)
		evaluation_finish(ev, VERDICT_DENY, REASON_DIRECTORY_UNAVAILABLE);
	return 0;
}

/* Begin from the loop. Returns 0 or -errno. */
static int
run(struct evaluation *ev)
{
	ev->running = true;
	return loop_timer(ev->front->event, &ev->timer, 0, on_timer, ev);
}

/* The next attempt of the same person may begin. */
static void
run_next(struct front *f, const struct evaluation *gone)
{
	if (!gone->running)
		return;
	for (struct evaluation *ev = f->evaluations; ev != NULL; ev = ev->next) {
		if (!is_same_person(ev, gone))
			continue;
		(void)run(ev);
		return;
	}
}

int
evaluation_start(struct front *f, const struct evaluation_question *q,
    void (*done)(void *arg, const struct evaluation_result *result), void *arg, struct evaluation **ret)
{
	struct evaluation *ev = calloc(1, sizeof *ev), **at;
	bool behind = false;
	int r;

	if (ev == NULL)
		return -ENOMEM;
	ev->front = f;
	ev->subject = q->subject;
	memcpy(ev->user, q->subject->user, sizeof ev->user);
	ev->scope = subject_scope(f, q->subject, q->facts);
	ev->asked = q->asked;
	ev->ignore_session = q->ignore_session;
	ev->deadline_ms = loop_now_ms() + EVALUATION_MS;
	(void)snprintf(ev->password, sizeof ev->password, "%s", q->password);
	(void)snprintf(ev->code, sizeof ev->code, "%s", q->code);
	ev->done = done;
	ev->arg = arg;
	for (at = &f->evaluations; *at != NULL; at = &(*at)->next)
		behind = behind || is_same_person(*at, ev);
	*at = ev;
	r = behind ? loop_timer(f->event, &ev->timer, EVALUATION_MS, on_timer, ev) : run(ev);
	if (r < 0) {
		evaluation_cancel(ev);
		return r;
	}
	*ret = ev;
	return 0;
}

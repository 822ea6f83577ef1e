/*
 * conversation.c - the auth stage: prompts, answers, one text and one length for every refusal (see conversation.h).
 *
 * Runs in the front. Prompts depend on policy alone, never on what is wrong with a user; every refusal carries the
 * same words and comes no earlier than the floor. It must never keep an answer longer than its evaluation.
 */
#include <config.h>

#include "daemon/conversation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/loop.h"

#define PROMPT_PASSWORD	"Password: "
#define PROMPT_CODE	"One-time code: "

static void advance(struct conversation *v);

static void
wipe_answers(struct conversation *v)
{
	explicit_bzero(v->password, sizeof v->password);
	explicit_bzero(v->code, sizeof v->code);
	explicit_bzero(v->fresh, sizeof v->fresh);
}

static enum event_id
event_of(const struct evaluation_result *result)
{
	return result->reason == REASON_MFA_FAILED || result->reason == REASON_MFA_REPLAYED ? EVENT_MFA_FAILED :
	    EVENT_LOGIN_DENIED;
}

/* The event of an evaluation that ended in a refusal. */
static void
record_refused(struct conversation *v, const struct evaluation_result *result, struct record *rec)
{
	record_init(v->front, rec, event_of(result), "denied", result->reason, &v->subject, result->facts, result->judged);
	if (result->fault[0] != '\0')
		memcpy(rec->fault, result->fault, sizeof rec->fault);
	memcpy(rec->token, result->token, sizeof rec->token);
}

/* This failure has locked the account. */
static void
write_lock(struct front *f, const struct record *refused)
{
	struct record lock = *refused;

	lock.id = EVENT_MFA_LOCKED;
	lock.decision = "none";
	lock.reason = REASON_MFA_LOCKED;
	(void)snprintf(lock.note, sizeof lock.note, "%u failures; ends after %u s", f->settings.mfa_lock_after,
	    f->settings.mfa_lock_time);
	record_write(f, &lock);
}

/*
 * Give up an evaluation under way. Its failure may be counted already, so that ten callers who kill su in time lock
 * an account: not without a trace. When the front itself stops, the module reports the refusal.
 */
static void
abandon(struct conversation *v, const char *note)
{
	const struct evaluation_result *result = evaluation_abandon(v->evaluation);
	struct record rec;

	record_refused(v, result, &rec);
	(void)snprintf(rec.note, sizeof rec.note, "%s", note);
	if (!v->front->stopping)
		record_write(v->front, &rec);
	if (result->locked)
		write_lock(v->front, &rec);
	evaluation_cancel(v->evaluation);
	v->evaluation = NULL;
}

/* The connection has closed. */
static void
conversation_free(void *data)
{
	struct conversation *v = data;

	if (v->evaluation != NULL)
		abandon(v, "the caller hung up during the check");
	if (v->prev != NULL)
		v->prev->next = v->next;
	else
		v->front->conversations = v->next;
	if (v->next != NULL)
		v->next->prev = v->prev;
	ask_cancel(v->ask);
	sd_event_source_disable_unref(v->floor_timer);
	sd_event_source_disable_unref(v->limit_timer);
	free(v->facts);
	wipe_answers(v);
	explicit_bzero(&v->verdict, sizeof v->verdict);
	free(v);
}

/* The person did not answer in time. The module knows that we report it. */
static int
on_limit(sd_event_source *source, uint64_t usec, void *arg)
{
	struct conversation *v = arg;
	struct record rec;

	(void)source;
	(void)usec;
	if (v->evaluation != NULL) {
		abandon(v, "no time was left for the check");
	} else if (v->step != STEP_FLOOR && v->step != STEP_END) {
		record_init(v->front, &rec, EVENT_LOGIN_DENIED, "denied",
		    v->step == STEP_CODE ? REASON_MFA_REQUIRED : REASON_PASSWORD_FAILED, &v->subject, v->facts,
		    v->facts_known ? &v->decision : NULL);
		(void)snprintf(rec.note, sizeof rec.note, "no answer in time");
		record_write(v->front, &rec);
	}
	connection_close(v->connection);
	return 0;
}

/*
 * su and sudo are root to us whoever runs them, and a person may leave a prompt open for two minutes: without a limit
 * of his own anybody with a shell could take all the connections there are.
 */
static bool
has_room(const struct front *f, const struct subject *subject, uint32_t caller)
{
	unsigned same = 0;

	if (subject->self || subject->ruid == f->peers.root)
		return true;
	for (const struct conversation *v = f->conversations; v != NULL; v = v->next)
		same += !v->subject.self && v->subject.caller == caller;
	return same < CONVERSATION_PER_CALLER_MAX;
}

struct conversation *
conversation_new(struct connection *c, enum purpose purpose, const struct subject *subject)
{
	struct front *f = connection_context(c);
	uint32_t caller = caller_of(f, subject->ruid);
	struct conversation *v = has_room(f, subject, caller) ? calloc(1, sizeof *v) : NULL;

	if (v == NULL)
		return NULL;
	v->next = f->conversations;
	if (v->next != NULL)
		v->next->prev = v;
	f->conversations = v;
	v->head.kind = REQUEST_CONVERSATION;
	v->front = f;
	v->connection = c;
	v->purpose = purpose;
	v->subject = *subject;
	v->subject.caller = caller;
	v->replied_ms = loop_now_ms();
	if ((v->subject.txn[0] == '\0' && proof_random(v->subject.txn) < 0) ||
	    loop_timer(v->front->event, &v->limit_timer, CONVERSATION_MS, on_limit, v) < 0) {
		conversation_free(v);
		return NULL;
	}
	connection_set_data(c, v, conversation_free);
	return v;
}

void
conversation_tell(struct conversation *v)
{
	struct connection *c = connection_ref(v->connection);

	v->step = STEP_END;
	wipe_answers(v);
	(void)connection_send(c, MSG_VERDICT, &v->verdict, ST_DECIDED);	/* on failure v is gone */
	connection_unref(c);
}

static int
on_floor(sd_event_source *source, uint64_t usec, void *arg)
{
	(void)source;
	(void)usec;
	conversation_tell(arg);
	return 0;
}

void
conversation_refuse(struct conversation *v, enum verdict verdict, enum reason reason, const struct record *record,
    const char *text)
{
	int64_t wait_ms = v->replied_ms + (int64_t)v->front->settings.login_failure_floor + 1 - loop_now_ms();

	record_write(v->front, record);
	v->step = STEP_FLOOR;
	wipe_answers(v);
	v->verdict = (struct msg_verdict){ .verdict = verdict, .reason = reason };
	memcpy(v->verdict.txn, v->subject.txn, sizeof v->subject.txn);
	(void)snprintf(v->verdict.text, sizeof v->verdict.text, "%s", text);
	/* A locker runs as the person, who may not learn it. */
	if (v->subject.self)
		v->verdict.reason = REASON_NONE;
	if (loop_timer(v->front->event, &v->floor_timer, wait_ms, on_floor, v) < 0)
		connection_close(v->connection);
}

void
conversation_refuse_plain(struct conversation *v, enum reason reason, const char *note)
{
	char text[512];
	struct record rec;

	record_init(v->front, &rec, EVENT_LOGIN_DENIED, "denied", reason, &v->subject, v->facts,
	    v->facts_known ? &v->decision : NULL);
	(void)snprintf(rec.note, sizeof rec.note, "%s", note);
	text_auth_refused(v->front, text, sizeof text);
	conversation_refuse(v, VERDICT_DENY, reason, &rec, text);
}

void
conversation_prompt(struct conversation *v, enum step step, const char *text, bool echo, bool is_password)
{
	struct msg_prompt msg = { .echo = echo, .is_password = is_password };
	struct connection *c = connection_ref(v->connection);

	(void)snprintf(msg.text, sizeof msg.text, "%s", text);
	v->step = step;
	(void)connection_send(c, MSG_PROMPT, &msg, ST_PROMPTED);	/* on failure v is gone */
	connection_unref(c);
}

/* A code that opens without the phone is gone: somebody should ask whether it was he. Also where he was then refused. */
static void
write_recovery(struct conversation *v, const struct evaluation_result *result)
{
	struct record rec;

	if (!result->recovery_used)
		return;
	record_init(v->front, &rec, EVENT_RECOVERY_USED, "none", REASON_NONE, &v->subject, result->facts, NULL);
	rec.has_remaining = true;
	rec.remaining = result->recovery_remaining;
	record_write(v->front, &rec);
}

static void
on_refused(struct conversation *v, const struct evaluation_result *result)
{
	struct front *f = v->front;
	struct record rec;
	char text[512];

	record_refused(v, result, &rec);
	text_auth_refused(f, text, sizeof text);
	conversation_refuse(v, result->verdict, result->reason, &rec, text);	/* v may be gone */
	if (result->locked)
		write_lock(f, &rec);
}

static void
on_passed(struct conversation *v, const struct evaluation_result *result)
{
	const struct transaction *t;
	struct record rec;

	if (proof_add(v->front->proofs, v->subject.user, v->subject.service, v->subject.peer_uid, result->factors,
	    v->subject.txn, loop_now_ms(), &t) < 0) {
		conversation_refuse_plain(v, REASON_DAEMON_UNAVAILABLE, "no proof could be issued");
		return;
	}
	v->verdict = (struct msg_verdict){ .verdict = VERDICT_ALLOW, .reason = REASON_AUTH_PASSED };
	if (result->recovery_used)
		text_recovery_used(v->front, result->recovery_remaining, v->verdict.text, sizeof v->verdict.text);
	memcpy(v->verdict.proof, t->proof, sizeof t->proof);
	memcpy(v->verdict.txn, t->txn, sizeof t->txn);
	record_init(v->front, &rec, EVENT_AUTH_PASSED, "passed", REASON_AUTH_PASSED, &v->subject, result->facts,
	    result->judged);
	rec.factors = result->factors;
	memcpy(rec.token, result->token, sizeof rec.token);
	if (subject_is_local(&v->subject) && (result->factors & FACTOR_PASSWORD) != 0)
		(void)snprintf(rec.note, sizeof rec.note, "local account: its password is checked by the module behind pam_isms");
	record_write(v->front, &rec);
	conversation_tell(v);
}

static void
on_evaluated(void *arg, const struct evaluation_result *result)
{
	struct conversation *v = arg;

	v->evaluation = NULL;
	write_recovery(v, result);
	if (result->verdict != VERDICT_ALLOW)
		on_refused(v, result);
	else if (v->purpose == PURPOSE_CHANGE)
		change_proven(v);
	else
		on_passed(v, result);
}

static void
evaluate(struct conversation *v)
{
	const struct evaluation_question q = {
		.subject = &v->subject,
		.facts = v->facts,
		.asked = (v->has_password ? (unsigned)FACTOR_PASSWORD : 0U) | (v->has_code ? (unsigned)FACTOR_OTP : 0U),
		.ignore_session = v->purpose == PURPOSE_CHANGE,
		.password = v->password,
		.code = v->code,
	};
	int r;

	v->step = STEP_EVALUATION;
	r = evaluation_start(v->front, &q, on_evaluated, v, &v->evaluation);
	explicit_bzero(v->code, sizeof v->code);
	/* A password change compares old and new; else nobody needs it any more. */
	if (v->purpose != PURPOSE_CHANGE)
		explicit_bzero(v->password, sizeof v->password);
	if (r < 0)
		conversation_refuse_plain(v, REASON_DAEMON_UNAVAILABLE, "out of memory");	/* v may be gone */
}

/* What is due next: a prompt, facts, or the evaluation. */
static void
advance(struct conversation *v)
{
	/* Whoever brings no key is asked for the password, whatever the facts will be. */
	if (!v->facts_known && (v->subject.key || v->has_password)) {
		v->step = STEP_FACTS;
		return;
	}
	if (!v->has_password && (!v->facts_known || (v->ask_for & FACTOR_PASSWORD) != 0))
		conversation_prompt(v, STEP_PASSWORD, PROMPT_PASSWORD, false, true);
	else if (!v->has_code && (v->ask_for & FACTOR_OTP) != 0)
		conversation_prompt(v, STEP_CODE, PROMPT_CODE, true, false);
	else
		evaluate(v);
}

/*
 * What to ask for. Policy says it for everybody whom the directory knows, welcome or not; who is unknown, or cannot be
 * looked up, gets the full sequence.
 */
static void
set_prompts(struct conversation *v)
{
	struct subject judged_as = v->subject;

	if (v->purpose == PURPOSE_CHANGE)
		judged_as.ruid = (uint32_t)-1;		/* a live session spares no code here */
	front_judge(v->front, v->facts, &judged_as, STAGE_AUTH, 0, &v->decision);
	v->ask_for = v->decision.ask & (FACTOR_PASSWORD | FACTOR_OTP);
	if (v->ask_for == 0)
		v->ask_for = v->subject.key ? FACTOR_OTP : FACTOR_PASSWORD | FACTOR_OTP;
}

static void
on_facts(void *arg, int error, enum message number, const void *msg)
{
	struct conversation *v = arg;

	v->ask = NULL;
	free(v->facts);		/* of the change's first look */
	v->facts = NULL;
	if (error == 0 && number == MSG_FACTS) {
		v->facts = malloc(sizeof *v->facts);
		if (v->facts != NULL)
			memcpy(v->facts, msg, sizeof *v->facts);
	}
	v->facts_known = true;
	set_prompts(v);
	if (v->step == STEP_FACTS)
		advance(v);
}

int
conversation_begin(struct conversation *v)
{
	int r;

	v->step = STEP_FACTS;
	r = front_ask_facts(v->front, v->subject.user, loop_now_ms() + CONVERSATION_PREFETCH_MS, on_facts, v, &v->ask);
	if (r < 0)
		return r;
	if ((v->subject.flags & REQUEST_USE_FIRST_PASS) != 0 && v->password[0] == '\0') {
		conversation_refuse_plain(v, REASON_PASSWORD_FAILED, "no earlier module left a password");
		return 0;
	}
	advance(v);
	return 0;
}

int
handle_auth_begin(struct connection *c, const void *msg)
{
	const struct msg_auth_begin *m = msg;
	struct conversation *v;
	struct subject subject;

	subject_init(&subject, c, m->user, m->service, m->rhost, m->tty, m->ruser, m->auth_info, m->ruid, m->flags);
	v = conversation_new(c, PURPOSE_AUTH, &subject);
	if (v == NULL)
		return -ENOMEM;
	if ((m->flags & REQUEST_USE_FIRST_PASS) != 0) {
		memcpy(v->password, m->first_pass, sizeof v->password);
		v->has_password = true;
	}
	return conversation_begin(v);
}

int
handle_auth_self(struct connection *c, const void *msg)
{
	const struct msg_auth_self *m = msg;
	struct conversation *v;
	struct subject subject;

	/* Nothing that a locker says about itself counts: service and uid are ours and the kernel's. */
	subject_init(&subject, c, m->user, "unprivileged", "", m->tty, m->user, "", connection_uid(c),
	    m->flags & (REQUEST_SILENT | REQUEST_LOCAL));
	subject.self = true;
	v = conversation_new(c, PURPOSE_AUTH, &subject);
	return v == NULL ? -ENOMEM : conversation_begin(v);
}

static void
refuse_unanswered(struct conversation *v)
{
	enum reason reason = REASON_PASSWORD_FAILED;

	if (v->step == STEP_CODE)
		reason = strcmp(v->subject.service, "sshd") == 0 ? REASON_MFA_NEEDS_KEYBOARD_INTERACTIVE :
		    REASON_MFA_REQUIRED;
	/* Whom the facts refuse anyway is refused for that. */
	if (v->facts_known && v->decision.verdict != VERDICT_ALLOW && v->decision.verdict != VERDICT_MUST_CHANGE)
		reason = v->decision.reason;
	conversation_refuse_plain(v, reason, "the question was not answered");
}

int
handle_answer(struct connection *c, const void *msg)
{
	const struct msg_answer *m = msg;
	struct conversation *v = connection_data(c);

	if (v == NULL || v->head.kind != REQUEST_CONVERSATION)
		return -EPROTO;
	v->replied_ms = loop_now_ms();
	if (m->outcome != ANSWER_GIVEN) {
		refuse_unanswered(v);
		return 0;
	}
	switch (v->step) {
	case STEP_PASSWORD:
		memcpy(v->password, m->text, sizeof v->password);
		v->has_password = true;
		advance(v);
		return 0;
	case STEP_CODE:
		memcpy(v->code, m->text, sizeof v->code);
		v->has_code = true;
		advance(v);
		return 0;
	case STEP_OLD:
	case STEP_NEW:
	case STEP_REPEAT:
		change_answer(v, m->text);
		return 0;
	default:
		return -EPROTO;
	}
}

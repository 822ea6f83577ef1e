/*
 * password_change.c - chauthtok: who has proven himself sets a new password (see conversation.h).
 *
 * Runs in the front. A login that was just proven (its transaction) or the old password, with the code where one is
 * enrolled, comes first; the directory process writes the verifier. It must never change a password on a mere claim.
 */
#include <config.h>

#include "daemon/conversation.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/loop.h"

#define PROMPT_OLD		"Current password: "
#define PROMPT_NEW		"New password: "

static void
judge_change(struct conversation *v, struct decision *ret)
{
	front_judge(v->front, v->facts, &v->subject, STAGE_SESSION, 0, ret);
	if (ret->verdict == VERDICT_DENY && ret->reason == REASON_PASSWORD_CHANGE_REQUIRED)
		ret->verdict = VERDICT_ALLOW;		/* that is what he is about to do */
}

static void
refuse_change(struct conversation *v, enum verdict verdict, enum reason reason, const char *text)
{
	struct record rec;

	record_init(v->front, &rec, EVENT_LOGIN_DENIED, "denied", reason, &v->subject, v->facts, NULL);
	(void)snprintf(rec.note, sizeof rec.note, "password change");
	conversation_refuse(v, verdict, reason, &rec, text);
}

/* Say what is wrong with the new password, and end. */
static void
refuse_new(struct conversation *v, const char *why)
{
	char text[256];

	(void)snprintf(text, sizeof text, "Password not changed: %s.", why);
	refuse_change(v, VERDICT_DENY, REASON_PASSWORD_CHANGE_REQUIRED, text);
}

static void
change_judged(struct conversation *v)
{
	struct decision d;
	char text[512];

	judge_change(v, &d);
	if (d.verdict == VERDICT_ALLOW && (v->subject.flags & REQUEST_CHANGE_PRELIM) != 0) {
		v->verdict = (struct msg_verdict){ .verdict = VERDICT_ALLOW, .reason = REASON_OK };
		conversation_tell(v);
	} else if (d.verdict == VERDICT_NOT_OURS) {
		v->verdict = (struct msg_verdict){ .verdict = VERDICT_NOT_OURS, .reason = REASON_UNKNOWN_USER };
		conversation_tell(v);
	} else if (d.verdict != VERDICT_ALLOW) {
		text_refused(v->front, d.reason, v->facts, &d, text, sizeof text);
		refuse_change(v, d.verdict, d.reason, text);
	} else if (proof_recent(v->front->proofs, v->subject.txn, v->subject.user, loop_now_ms()) != NULL) {
		v->by_proof = true;
		if (v->facts->change_needs_old != 0)
			conversation_prompt(v, STEP_OLD, PROMPT_OLD, false, true);
		else
			change_proven(v);
	} else if (conversation_begin(v) < 0) {
		refuse_new(v, "login service unavailable");
	}
}

static void
on_facts(void *arg, int error, enum message number, const void *msg)
{
	struct conversation *v = arg;

	v->ask = NULL;
	if (error == 0 && number == MSG_FACTS) {
		v->facts = malloc(sizeof *v->facts);
		if (v->facts != NULL)
			memcpy(v->facts, msg, sizeof *v->facts);
	}
	change_judged(v);
}

int
handle_change_begin(struct connection *c, const void *msg)
{
	const struct msg_change_begin *m = msg;
	struct conversation *v;
	struct subject subject;

	subject_init(&subject, c, m->user, m->service, m->rhost, m->tty, m->ruser, "", m->ruid, m->flags);
	subject.change = true;
	if (proof_id_valid(m->txn))
		memcpy(subject.txn, m->txn, sizeof subject.txn);
	v = conversation_new(c, PURPOSE_CHANGE, &subject);
	if (v == NULL)
		return -ENOMEM;
	v->step = STEP_FACTS;
	return front_ask_facts(v->front, v->subject.user, loop_now_ms() + EVALUATION_MS, on_facts, v, &v->ask);
}

void
change_proven(struct conversation *v)
{
	conversation_prompt(v, STEP_NEW, PROMPT_NEW, false, false);
}

static bool
contains_name(const char *password, const char *user)
{
	size_t len = strlen(user);

	if (len < 3)
		return false;
	for (const char *p = password; *p != '\0'; p++) {
		if (strncasecmp(p, user, len) == 0)
			return true;
	}
	return false;
}

/* Why a new password cannot be taken; NULL when it can. How long it must be is the directory's to say. */
static const char *
weakness(const struct conversation *v)
{
	if (v->fresh[0] == '\0')
		return "it is empty";
	if (v->password[0] != '\0' && strcmp(v->fresh, v->password) == 0)
		return "it is the old one";
	if (contains_name(v->fresh, v->subject.user))
		return "it contains your name";
	for (const char *p = v->fresh; *p != '\0'; p++) {
		if (iscntrl((unsigned char)*p))
			return "it contains a control character";
	}
	return NULL;
}

static void
on_changed(void *arg, int error, enum message number, const void *msg)
{
	struct conversation *v = arg;
	const struct msg_result *result = msg;
	struct record rec;
	char text[512];

	v->ask = NULL;
	if (error < 0 || number != MSG_RESULT || result->reason != REASON_OK) {
		enum reason reason = error < 0 || number != MSG_RESULT || result->reason >= REASON_COUNT ?
		    REASON_DIRECTORY_UNAVAILABLE : (enum reason)result->reason;

		if (v->by_proof)
			proof_return(v->front->proofs, v->subject.txn, v->subject.user, v->used_ms, loop_now_ms());
		if (reason == REASON_PASSWORD_CHANGE_REQUIRED && result->text[0] != '\0')
			(void)snprintf(text, sizeof text, "Password not changed. %.400s", result->text);
		else
			text_refused(v->front, reason, v->facts, NULL, text, sizeof text);
		refuse_change(v, VERDICT_DENY, reason, text);
		return;
	}
	proof_changed(v->front->proofs, v->subject.txn, v->subject.user, loop_now_ms());
	record_init(v->front, &rec, EVENT_ACCOUNT_CHANGED, "none", REASON_NONE, &v->subject, v->facts, NULL);
	(void)snprintf(rec.actor, sizeof rec.actor, "%s", v->subject.user);
	(void)snprintf(rec.note, sizeof rec.note, "password changed");
	record_write(v->front, &rec);
	v->verdict = (struct msg_verdict){ .verdict = VERDICT_ALLOW, .reason = REASON_OK };
	memcpy(v->verdict.txn, v->subject.txn, sizeof v->subject.txn);
	conversation_tell(v);
}

static void
write_new(struct conversation *v)
{
	struct msg_password_change msg = { .end_ = { 0 } };
	const struct ask_question q = {
		.path = v->front->paths->directory_socket,
		.peers = &v->front->peers,
		.number = MSG_PASSWORD_CHANGE,
		.msg = &msg,
		.deadline_ms = loop_now_ms() + EVALUATION_MS,
	};
	int r;

	/* One login, one change: the next one, also one that waits beside us, takes the old password. */
	if (v->by_proof) {
		v->used_ms = proof_use(v->front->proofs, v->subject.txn, v->subject.user, loop_now_ms());
		if (v->used_ms == 0) {
			refuse_new(v, "this login has changed it already");
			return;
		}
	}
	memcpy(msg.user, v->subject.user, sizeof msg.user);
	memcpy(msg.old_password, v->password, sizeof msg.old_password);
	memcpy(msg.new_password, v->fresh, sizeof msg.new_password);
	v->step = STEP_CHANGE;
	r = ask_start(v->front->event, &q, on_changed, v, &v->ask);
	explicit_bzero(&msg, sizeof msg);
	if (r < 0)
		refuse_new(v, "login service unavailable");
}

void
change_answer(struct conversation *v, const char *text)
{
	const char *why;

	if (v->step == STEP_OLD) {
		(void)snprintf(v->password, sizeof v->password, "%s", text);
		change_proven(v);
		return;
	}
	if (v->step == STEP_NEW) {
		(void)snprintf(v->fresh, sizeof v->fresh, "%s", text);
		conversation_prompt(v, STEP_REPEAT, PROMPT_NEW, false, false);
		return;
	}
	why = strcmp(v->fresh, text) != 0 ? "the two do not match" : weakness(v);
	if (why != NULL)
		refuse_new(v, why);
	else
		write_new(v);
}

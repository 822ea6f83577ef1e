/*
 * front_account.c - the account stage, the authority over who may enter (see front.h, THREATS I6).
 *
 * Runs in the front. It judges fresh facts whatever auth has said, takes nothing as proven but a proof that was
 * issued for this user, service and peer, and calls a login granted only when the module has taken the verdict.
 */
#include <config.h>

#include "daemon/front.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/evaluation.h"
#include "daemon/front_last_use.h"
#include "daemon/loop.h"

struct account {
	struct request_head head;	/* first: connection_data() */
	struct front *front;		/* borrowed */
	struct connection *connection;	/* borrowed: this struct dies with it */
	struct subject subject;
	char proof[PROOF_ID_SIZE];
	struct ask *ask;		/* owned */
	bool granted;			/* allowed, and waiting for ACK */
	struct record record;		/* of login.granted */
};

static void
account_free(void *data)
{
	struct account *a = data;

	request_leave(a->front, &a->head);
	ask_cancel(a->ask);
	explicit_bzero(a->proof, sizeof a->proof);
	free(a);
}

/* The proof is used up here, whatever the verdict will be. Returns what was proven, and names the transaction. */
static unsigned
take_proof(struct account *a)
{
	const struct transaction *t = proof_take(a->front->proofs, a->proof, a->subject.user, a->subject.service,
	    a->subject.peer_uid, loop_now_ms());

	if (t == NULL)
		return 0;
	memcpy(a->subject.txn, t->txn, sizeof a->subject.txn);
	return t->factors;
}

/* Nothing was proven. A transaction is for a session to come: who is refused has but a name for the event. */
static void
begin_unproven(struct account *a, enum verdict verdict)
{
	bool may_enter = verdict == VERDICT_ALLOW || verdict == VERDICT_MUST_CHANGE;
	const struct transaction *t;

	if (may_enter && proof_begin(a->front->proofs, a->subject.user, a->subject.service, a->subject.peer_uid,
	    a->subject.txn, loop_now_ms(), &t) == 0)
		memcpy(a->subject.txn, t->txn, sizeof a->subject.txn);
	else if (may_enter || a->subject.txn[0] == '\0')
		(void)proof_random(a->subject.txn);
}

/* What the session must be asked for, and nobody would remember, is refused here. */
static void
note_awaited(struct account *a, struct decision *d)
{
	if (!d->key_awaited || (d->verdict != VERDICT_ALLOW && d->verdict != VERDICT_MUST_CHANGE) ||
	    proof_await_key(a->front->proofs, a->subject.txn, a->subject.user, loop_now_ms()))
		return;
	d->verdict = VERDICT_DENY;
	d->reason = REASON_DAEMON_UNAVAILABLE;
}

static void
tell(struct account *a, const struct facts *facts, const struct decision *d, unsigned factors)
{
	struct msg_verdict msg = { .verdict = d->verdict, .reason = d->reason };
	struct front *f = a->front;
	struct record *rec = &a->record;

	a->granted = d->verdict == VERDICT_ALLOW;
	record_init(f, rec, a->granted ? EVENT_LOGIN_GRANTED : EVENT_LOGIN_DENIED, a->granted ? "granted" : "denied",
	    d->reason, &a->subject, facts, d);
	rec->factors = factors | (a->subject.key ? (unsigned)FACTOR_KEY : 0U);
	memcpy(msg.txn, a->subject.txn, sizeof a->subject.txn);
	if (a->granted && facts->kind == KIND_BREAK_GLASS) {
		(void)snprintf(rec->actor, sizeof rec->actor, "%s", facts->armed_by);
		(void)snprintf(rec->note, sizeof rec->note, "%s", facts->armed_reason);
	}
	if (a->granted) {
		rec->use = last_use_counts(f, &a->subject, facts);
		msg.max_session_sec = d->max_session_sec;
		msg.not_after_utc_sec = front_session_end(f, facts, d->roles);
	} else {
		record_write(f, rec);
		text_refused(f, d->reason, facts, d, msg.text, sizeof msg.text);
	}
	(void)connection_send(a->connection, MSG_VERDICT, &msg, ST_DECIDED);	/* on failure a is gone */
}

static void
on_facts(void *arg, int error, enum message number, const void *msg)
{
	struct account *a = arg;
	const struct facts *facts = error == 0 && number == MSG_FACTS ? msg : NULL;
	struct decision d;
	unsigned factors, change;

	a->ask = NULL;
	factors = take_proof(a);
	/* Asked twice, the second time without its proof, a login stays what it was. */
	change = proof_change(a->front->proofs, a->subject.txn, a->subject.user, loop_now_ms());
	front_judge(a->front, facts, &a->subject, STAGE_ACCOUNT, factors | change, &d);
	if ((factors | change) == 0)
		begin_unproven(a, d.verdict);
	note_awaited(a, &d);
	tell(a, facts, &d, factors);
}

int
handle_account(struct connection *c, const void *msg)
{
	const struct msg_account *m = msg;
	struct account *a = calloc(1, sizeof *a);

	if (a == NULL)
		return -ENOMEM;
	a->head.kind = REQUEST_ACCOUNT;
	a->front = connection_context(c);
	a->connection = c;
	subject_init(&a->subject, c, m->user, m->service, m->rhost, m->tty, m->ruser, m->auth_info, m->ruid, m->flags);
	if (proof_id_valid(m->proof))
		memcpy(a->proof, m->proof, sizeof a->proof);
	if (proof_id_valid(m->txn))
		memcpy(a->subject.txn, m->txn, sizeof a->subject.txn);
	if (!request_enter(a->front, &a->head, &a->subject)) {
		account_free(a);
		return -EUSERS;
	}
	connection_set_data(c, a, account_free);
	return front_ask_facts(a->front, a->subject.user, loop_now_ms() + EVALUATION_MS, on_facts, a, &a->ask);
}

/* Loud, beside the event that every login has; the user manager comes with a session that was told of. */
static void
tell_used(struct account *a)
{
	struct record used = a->record;

	if (used.kind != KIND_BREAK_GLASS || strcmp(used.service, "systemd-user") == 0)
		return;
	used.id = EVENT_BREAKGLASS_USED;
	record_write(a->front, &used);
}

int
handle_ack(struct connection *c, const void *msg)
{
	const struct request_head *head = connection_data(c);
	struct account *a;

	(void)msg;
	if (head != NULL && head->kind == REQUEST_ACCOUNT) {
		a = connection_data(c);
		if (a->granted) {
			record_write_granted(a->front, &a->record);
			last_use_tell(a->front, a->record.user);
			record_write_exemptions(a->front, &a->record);
			tell_used(a);
		}
		a->granted = false;
	}
	connection_close(c);
	return 0;
}

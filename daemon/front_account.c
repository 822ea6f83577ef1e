/*
 * front_account.c - the account stage, the authority over who may enter (see front.h, THREATS I6).
 *
 * Runs in the front. It judges fresh facts whatever auth has said, takes nothing as proven but a proof that was
 * issued for this user, service and peer, and calls a login granted only when the module has taken the verdict. Where
 * that hangs on a key that sshd has not named yet, the session calls it so, or denied (front_session.c).
 */
#include <config.h>

#include "daemon/front.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/emergency.h"
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
	bool awaits_key;		/* as far as the session */
	struct record record;		/* of login.granted; of auth.passed if it awaits the key */
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

void
front_granted_init(struct front *f, struct record *r, const struct subject *subject, const struct facts *facts,
    const struct decision *judged, unsigned factors)
{
	record_init(f, r, EVENT_LOGIN_GRANTED, "granted", judged->reason, subject, facts, judged);
	r->factors = factors;
	if (facts->kind == KIND_BREAK_GLASS) {
		r->armed_until_utc_sec = facts->armed_until_utc_sec;
		(void)snprintf(r->actor, sizeof r->actor, "%s", facts->armed_by);
		(void)snprintf(r->note, sizeof r->note, "%s", facts->armed_reason);
	}
	r->use = last_use_counts(f, subject, facts);
}

/* Let in as far as the opening of the session. */
static void
init_passed(struct account *a, const struct facts *facts, const struct decision *d, unsigned factors)
{
	struct record *rec = &a->record;

	record_init(a->front, rec, EVENT_AUTH_PASSED, "passed", REASON_AUTH_PASSED, &a->subject, facts, d);
	rec->factors = factors;
	rec->exemptions[0] = '\0';	/* not used yet */
	(void)snprintf(rec->note, sizeof rec->note, "the session judges the key");
}

/* What the session must be asked for, and nobody would remember, is refused here. */
static void
note_awaited(struct account *a, struct decision *d)
{
	if ((!a->awaits_key && !d->key_awaited) || (d->verdict != VERDICT_ALLOW && d->verdict != VERDICT_MUST_CHANGE) ||
	    proof_await_key(a->front->proofs, a->subject.txn, a->subject.user, d->key_awaited, loop_now_ms()))
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
	memcpy(msg.txn, a->subject.txn, sizeof a->subject.txn);
	if (a->subject.key)
		factors |= FACTOR_KEY;
	if (a->granted && a->awaits_key)
		init_passed(a, facts, d, factors);
	else if (a->granted)
		front_granted_init(f, rec, &a->subject, facts, d, factors);
	if (a->granted) {
		msg.max_session_sec = d->max_session_sec;
		msg.not_after_utc_sec = front_session_end(f, facts, d->roles);
	} else {
		record_init(f, rec, EVENT_LOGIN_DENIED, "denied", d->reason, &a->subject, facts, d);
		rec->factors = factors;
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
	struct moment moment;
	struct decision d;
	unsigned factors, change;

	a->ask = NULL;
	factors = take_proof(a);
	/* Asked twice, the second time without its proof, a login stays what it was. */
	change = proof_change(a->front->proofs, a->subject.txn, a->subject.user, loop_now_ms());
	front_moment(a->front, &moment);
	front_moment_sessions(a->front, facts, &a->subject, &moment);
	front_judge_at(a->front, facts, &a->subject, STAGE_ACCOUNT, factors | change, &moment, &d);
	a->awaits_key = d.verdict == VERDICT_ALLOW &&
	    front_awaits_key(a->front, facts, &a->subject, factors | change, &moment);
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
tell_used(struct front *f, const struct record *granted)
{
	struct record used = *granted;
	struct msg_emergency m = { .until_utc_sec = granted->armed_until_utc_sec, .used = 1 };

	if (used.kind != KIND_BREAK_GLASS || strcmp(used.service, "systemd-user") == 0)
		return;
	used.id = EVENT_BREAKGLASS_USED;
	record_write(f, &used);
	(void)snprintf(m.user, sizeof m.user, "%.32s", used.user);
	(void)snprintf(m.by, sizeof m.by, "%.255s", used.actor);
	(void)snprintf(m.reason, sizeof m.reason, "%.128s", used.note);
	emergency_tell(f->event, f->paths, &f->peers, &m);
}

void
front_granted_write(struct front *f, const struct record *r)
{
	record_write_granted(f, r);
	last_use_tell(f, r->user);
	record_write_exemptions(f, r);
	tell_used(f, r);
}

int
handle_ack(struct connection *c, const void *msg)
{
	const struct request_head *head = connection_data(c);
	struct account *a;

	(void)msg;
	if (head != NULL && head->kind == REQUEST_ACCOUNT) {
		a = connection_data(c);
		if (a->granted && a->awaits_key)
			record_write(a->front, &a->record);
		else if (a->granted)
			front_granted_write(a->front, &a->record);
		a->granted = false;
	}
	connection_close(c);
	return 0;
}

/*
 * front_session.c - open_session, close_session, and what setcred reports (see front.h).
 *
 * Runs in the front. The session stage judges window, locks and rules again, never MFA: it alone sees sudo's target
 * and sshd's complete list of methods (MEASURED 4). It must never count a session as proven that was not.
 */
#include <config.h>

#include "daemon/front.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "daemon/evaluation.h"
#include "daemon/front_last_use.h"
#include "daemon/group_names.h"
#include "daemon/live_session.h"
#include "daemon/loop.h"
#include "daemon/report.h"

struct opening {
	struct request_head head;	/* first: connection_data() */
	struct front *front;		/* borrowed */
	struct connection *connection;	/* borrowed: this struct dies with it */
	struct subject subject;
	char dropped[1025];
	bool strip_failed, has_txn;
	struct ask *ask;		/* owned */
};

static void
opening_free(void *data)
{
	struct opening *o = data;

	request_leave(o->front, &o->head);
	ask_cancel(o->ask);
	free(o);
}

/* Groups that were removed, and those that stay though policy would drop them. One event, when there is any. */
static void
report_groups(struct front *f, const struct subject *subject, const struct facts *facts, uint64_t roles,
    const char *dropped, const char *fault)
{
	struct record rec;

	record_init(f, &rec, EVENT_GROUPS_DROPPED, "none", REASON_NONE, subject, facts, NULL);
	group_names_of(f->paths, f->peers.root, dropped, rec.groups, sizeof rec.groups);
	if (facts != NULL && f->policy != NULL)
		group_names_protected(f->paths, f->policy, roles, subject->user, facts->groups, rec.protected,
		    sizeof rec.protected);
	(void)snprintf(rec.fault, sizeof rec.fault, "%s", fault);
	if (rec.groups[0] != '\0' || rec.protected[0] != '\0' || fault[0] != '\0')
		record_write(f, &rec);
}

/* Whoever waits for a key gives way to nobody: what proves nothing must not wait on after its session was refused. */
static void
release(const struct opening *o)
{
	struct proofs *proofs = o->front->proofs;
	const char *txn = o->subject.txn, *user = o->subject.user;
	int64_t now_ms = loop_now_ms();

	if (proof_session(proofs, txn, user, now_ms) == 0 && proof_change(proofs, txn, user, now_ms) == 0)
		(void)proof_finish(proofs, txn, user, now_ms);
}

static void
refuse(struct opening *o, const struct facts *facts, const struct decision *d)
{
	struct msg_verdict msg = { .verdict = d->verdict, .reason = d->reason };
	struct record rec;

	record_init(o->front, &rec, EVENT_LOGIN_DENIED, "denied", d->reason, &o->subject, facts, d);
	(void)snprintf(rec.note, sizeof rec.note, "session");
	record_write(o->front, &rec);
	memcpy(msg.txn, o->subject.txn, sizeof o->subject.txn);
	text_refused(o->front, d->reason, facts, d, msg.text, sizeof msg.text);
	release(o);
	(void)connection_send(o->connection, MSG_VERDICT, &msg, ST_DECIDED);
}

/* Know the session from here on. Returns what it was proven with; whether it is watched, and counts. */
static unsigned
track(struct opening *o, const struct facts *facts, bool *ret_watched)
{
	struct front *f = o->front;
	struct clock_reading reading;
	struct session_row row = { .uid = facts->uid, .opened_utc_sec = front_now(f, &reading) };
	int r;

	*ret_watched = false;
	row.factors = proof_finish(f->proofs, o->subject.txn, o->subject.user, loop_now_ms());
	if (o->subject.key)
		row.factors |= FACTOR_KEY;
	/* Every session has a name of its own, also where no account stage gave one. */
	if (!o->has_txn || live_session_exists(f->sessions, o->subject.txn)) {
		if (proof_random(o->subject.txn) < 0)
			return 0;
	}
	memcpy(row.txn, o->subject.txn, sizeof row.txn);
	(void)snprintf(row.user, sizeof row.user, "%.32s", facts->user);
	memcpy(row.service, o->subject.service, sizeof row.service);
	memcpy(row.tty, o->subject.tty, sizeof row.tty);
	r = live_session_add(f->sessions, &row, o->subject.peer_pid);
	*ret_watched = r == 0;
	if (r < 0)
		report_log(LOG_WARNING, "session of %s is not watched: %s", row.user, strerror(-r));
	return row.factors;
}

static void
allow(struct opening *o, const struct facts *facts, const struct decision *d)
{
	struct msg_verdict msg = {
		.verdict = VERDICT_ALLOW,
		.reason = REASON_OK,
		.max_session_sec = d->max_session_sec,
		.not_after_utc_sec = front_session_end(o->front, facts, d->roles),
	};
	struct front *f = o->front;
	struct session_row gone;
	struct record granted, rec;
	bool awaited = proof_awaits_key(f->proofs, o->subject.txn, o->subject.user, loop_now_ms()), watched;
	unsigned factors = track(o, facts, &watched);

	/* One that cannot be counted would be one too many sooner or later. */
	if (!watched && d->max_sessions != 0 && policy_class(f->policy, o->subject.service, false) == CLASS_REMOTE) {
		struct decision full = *d;

		full.verdict = VERDICT_DENY;
		full.reason = REASON_TOO_MANY_SESSIONS;
		refuse(o, facts, &full);
		return;
	}
	memcpy(msg.txn, o->subject.txn, sizeof o->subject.txn);
	record_init(f, &rec, EVENT_SESSION_OPENED, "none", REASON_NONE, &o->subject, facts, d);
	rec.factors = factors;
	if (awaited)
		front_granted_init(f, &granted, &o->subject, facts, d, factors);
	report_groups(f, &o->subject, facts, d->roles, o->dropped, "");
	last_login_text(f, &o->subject, msg.text, sizeof msg.text);
	if (connection_send(o->connection, MSG_VERDICT, &msg, ST_DECIDED) < 0) {	/* o is gone then */
		(void)live_session_remove(f->sessions, rec.txn, rec.user, &gone);
		return;
	}
	if (awaited)
		front_granted_write(f, &granted);
	record_write(f, &rec);
	last_login_note(f, &rec);
	front_local_watch_opened(f, rec.user, msg.not_after_utc_sec);
}

static void
on_facts(void *arg, int error, enum message number, const void *msg)
{
	struct opening *o = arg;
	const struct facts *facts = error == 0 && number == MSG_FACTS ? msg : NULL;
	struct decision d;
	unsigned change, proven;

	o->ask = NULL;
	/* An application may go on after PAM_NEW_AUTHTOK_REQD as if nothing were due (I1). */
	change = proof_change(o->front->proofs, o->subject.txn, o->subject.user, loop_now_ms());
	proven = proof_session(o->front->proofs, o->subject.txn, o->subject.user, loop_now_ms());
	o->subject.key_awaited = proof_key_exempts(o->front->proofs, o->subject.txn, o->subject.user, loop_now_ms());
	front_judge(o->front, facts, &o->subject, STAGE_SESSION, change | proven, &d);
	if (d.verdict == VERDICT_ALLOW && o->strip_failed) {
		d.verdict = VERDICT_DENY;
		d.reason = REASON_FORBIDDEN_GROUP;
	}
	if (d.verdict == VERDICT_ALLOW)
		allow(o, facts, &d);
	else
		refuse(o, facts, &d);
}

int
handle_session_open(struct connection *c, const void *msg)
{
	const struct msg_session_open *m = msg;
	struct opening *o = calloc(1, sizeof *o);

	if (o == NULL)
		return -ENOMEM;
	o->head.kind = REQUEST_SESSION;
	o->front = connection_context(c);
	o->connection = c;
	subject_init(&o->subject, c, m->user, m->service, m->rhost, m->tty, m->ruser, m->auth_info, m->ruid, m->flags);
	o->has_txn = proof_id_valid(m->txn);
	if (o->has_txn)
		memcpy(o->subject.txn, m->txn, sizeof o->subject.txn);
	memcpy(o->dropped, m->dropped, sizeof o->dropped);
	o->strip_failed = m->strip_failed != 0;
	if (!request_enter(o->front, &o->head, &o->subject)) {
		opening_free(o);
		return -EUSERS;
	}
	connection_set_data(c, o, opening_free);
	return front_ask_facts(o->front, o->subject.user, loop_now_ms() + EVALUATION_MS, on_facts, o, &o->ask);
}

void
front_session_ended(const struct session_row *row, const char *note, void *front)
{
	struct record rec = { .id = EVENT_SESSION_CLOSED, .decision = "none", .data_age_sec = -1 };

	(void)snprintf(rec.user, sizeof rec.user, "%s", row->user);
	memcpy(rec.service, row->service, sizeof rec.service);
	memcpy(rec.tty, row->tty, sizeof rec.tty);
	memcpy(rec.txn, row->txn, sizeof row->txn);
	rec.has_uid = true;
	rec.uid = row->uid;
	rec.factors = row->factors;
	(void)snprintf(rec.note, sizeof rec.note, "%s", note);
	record_write(front, &rec);
}

int
handle_session_close(struct connection *c, const void *msg)
{
	const struct msg_session_close *m = msg;
	const struct msg_done done = { .error = 0 };
	struct front *f = connection_context(c);
	struct session_row row;

	if (live_session_remove(f->sessions, m->txn, m->user, &row))
		front_session_ended(&row, "closed", f);
	(void)connection_send(c, MSG_DONE, &done, ST_NEW);
	return 0;
}

/* ---- setcred --------------------------------------------------------------------------------- */

static void
on_cred_facts(void *arg, int error, enum message number, const void *msg)
{
	struct opening *o = arg;
	const struct facts *facts = error == 0 && number == MSG_FACTS ? msg : NULL;
	const struct msg_done done = { .error = 0 };
	uint64_t roles = 0;

	o->ask = NULL;
	if (facts != NULL && facts->state != FACTS_MANAGED)
		facts = NULL;
	if (facts != NULL && o->front->policy != NULL)
		roles = policy_match(o->front->policy, facts);
	report_groups(o->front, &o->subject, facts, roles, o->dropped,
	    o->strip_failed ? "a group could not be removed; the sessions are ended" : "");
	if (o->strip_failed && facts != NULL)	/* setcred decides nothing, and where it comes last nobody else does */
		front_sessions_end(o->front, facts->user, facts->uid, REASON_FORBIDDEN_GROUP, o->subject.txn,
		    "a session that kept a forbidden group");
	(void)connection_send(o->connection, MSG_DONE, &done, ST_DECIDED);
}

int
handle_cred_report(struct connection *c, const void *msg)
{
	const struct msg_cred_report *m = msg;
	struct opening *o = calloc(1, sizeof *o);

	if (o == NULL)
		return -ENOMEM;
	o->head.kind = REQUEST_SESSION;
	o->front = connection_context(c);
	o->connection = c;
	subject_init(&o->subject, c, m->user, m->service, "", "", "", "", connection_uid(c), 0);
	if (proof_id_valid(m->txn))
		memcpy(o->subject.txn, m->txn, sizeof o->subject.txn);
	memcpy(o->dropped, m->dropped, sizeof o->dropped);
	o->strip_failed = m->failed != 0;
	/* Not entered: it ends sessions, and whose they are must not be able to keep it away. */
	connection_set_data(c, o, opening_free);
	return front_ask_facts(o->front, o->subject.user, loop_now_ms() + CRED_FACTS_MS, on_cred_facts, o, &o->ask);
}

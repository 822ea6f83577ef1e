/*
 * front_keys.c - which keys of the directory sshd may take for a user (see front.h).
 *
 * Runs in the front, before anybody has proven a key: what is told here admits nobody, since account stage and session
 * are judged all the same. It must never give a key of somebody whose time is over, nor one of a service account
 * without what binds it.
 */
#include <config.h>

#include "daemon/front.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/authorized_key.h"
#include "daemon/loop.h"

#define KEYS_MS 4000		/* sshd's client waits meanwhile */

struct keys {
	struct request_head head;	/* first: connection_data() */
	struct front *front;		/* borrowed */
	struct connection *connection;	/* borrowed: this struct dies with it */
	struct subject subject;
	int64_t until_utc_sec;		/* 0: none */
	char from[1024];
	bool restricted;
	struct ask *ask;		/* owned */
};

static void
keys_free(void *data)
{
	struct keys *k = data;

	request_leave(k->front, &k->head);
	ask_cancel(k->ask);
	free(k);
}

/* The end of the answer; k is gone when the peer is. */
static void
end(struct keys *k, int error)
{
	const struct msg_done done = { .error = (uint32_t)error };

	(void)connection_send(k->connection, MSG_DONE, &done, ST_DECIDED);
}

static bool
is_bound(const struct facts *facts, const char *print)
{
	return print[0] != '\0' && strstr(facts->keys, print) != NULL;
}

/*
 * sshd refuses by itself what it gets no line for, and PAM hears nothing of it: this is the only place to say why. Of a
 * person only his own keys count, for an agent offers many.
 */
static void
report(struct keys *k, const struct facts *facts, const struct decision *d)
{
	struct record rec;

	if (k->subject.key_print[0] == '\0' || (facts->kind != KIND_SERVICE && !is_bound(facts, k->subject.key_print)))
		return;
	record_init(k->front, &rec, EVENT_LOGIN_DENIED, "denied", d->reason, &k->subject, facts, d);
	(void)snprintf(rec.note, sizeof rec.note, "key offered");
	record_write(k->front, &rec);
}

/* People are judged when PAM asks, which tells them why; only whose time is over has no key. */
static bool
may_ask(struct keys *k, const struct facts *facts)
{
	struct decision d;

	front_judge(k->front, facts, &k->subject, k->subject.key_print[0] != '\0' ? STAGE_SESSION : STAGE_ACCOUNT, 0, &d);
	if (d.verdict == VERDICT_ALLOW)
		return true;
	switch (d.reason) {
	case REASON_SOURCE_NOT_ALLOWED:
		/* Nobody said where it comes from: sshd knows, and has the networks in its line. */
		if (facts != NULL && k->subject.rhost[0] == '\0')
			return true;
		break;
	case REASON_NOT_MANAGED:	/* a local account has its keys from nowhere else than its home */
	case REASON_DISABLED:
	case REASON_NOT_YET_VALID:
	case REASON_EXPIRED:
	case REASON_BREAKGLASS_NOT_ARMED:
		break;
	default:
		if (facts != NULL && facts->state == FACTS_MANAGED && facts->kind != KIND_SERVICE)
			return true;
		break;
	}
	if (facts != NULL && facts->state == FACTS_MANAGED)
		report(k, facts, &d);
	return false;
}

static void
on_key(void *arg, int error, enum message number, const void *msg)
{
	struct keys *k = arg;
	const struct msg_key *m = msg;
	struct authorized_key key = { .type = "" };
	struct authorized_key_limits limits = { .until_utc_sec = k->until_utc_sec, .from = k->from,
		.restricted = k->restricted ? 1 : 0 };
	struct msg_key_line line = { .line = "" };

	if (error < 0 || number != MSG_KEY) {
		k->ask = NULL;
		end(k, error < 0 ? -error : 0);
		return;
	}
	memcpy(key.type, m->type, sizeof key.type);
	memcpy(key.blob, m->blob, sizeof key.blob);
	limits.command = m->command;
	if (authorized_key_line(&key, &limits, line.line, sizeof line.line) > 0)
		(void)connection_send(k->connection, MSG_KEY_LINE, &line, ST_WAITING);	/* on failure k and its ask are gone */
}

static void
on_facts(void *arg, int error, enum message number, const void *msg)
{
	struct keys *k = arg;
	const struct facts *facts = error == 0 && number == MSG_FACTS ? msg : NULL;
	struct msg_keys_get get = { .user = "" };
	const struct ask_question q = {
		.path = k->front->paths->directory_socket,
		.peers = &k->front->peers,
		.number = MSG_KEYS_GET,
		.msg = &get,
		.deadline_ms = loop_now_ms() + KEYS_MS,
	};

	k->ask = NULL;
	if (facts == NULL || !may_ask(k, facts) || (k->subject.key_print[0] != '\0' && !is_bound(facts, k->subject.key_print))) {
		end(k, facts == NULL ? EAGAIN : 0);
		return;
	}
	k->until_utc_sec = front_end_of(facts);
	memcpy(k->from, facts->sources, sizeof k->from);
	k->restricted = facts->kind == KIND_SERVICE;
	memcpy(get.user, k->subject.user, sizeof get.user);
	memcpy(get.fingerprint, k->subject.key_print, sizeof k->subject.key_print);
	if (ask_start(k->front->event, &q, on_key, k, &k->ask) < 0)
		end(k, ENOMEM);
}

int
handle_keys_ask(struct connection *c, const void *msg)
{
	const struct msg_keys_ask *m = msg;
	struct keys *k = calloc(1, sizeof *k);

	if (k == NULL)
		return -ENOMEM;
	k->head.kind = REQUEST_KEYS;
	k->front = connection_context(c);
	k->connection = c;
	subject_init(&k->subject, c, m->user, "sshd", m->rhost, "ssh", "", "", connection_uid(c), 0);
	if (m->fingerprint[0] != '\0' && !authorized_key_is_print(m->fingerprint)) {	/* of another hash: nothing of ours */
		keys_free(k);
		return -EBADMSG;
	}
	(void)snprintf(k->subject.key_print, sizeof k->subject.key_print, "%.50s", m->fingerprint);
	k->subject.key = m->fingerprint[0] != '\0';
	if (!request_enter(k->front, &k->head, &k->subject)) {
		keys_free(k);
		return -EUSERS;
	}
	connection_set_data(c, k, keys_free);
	return front_ask_facts(k->front, k->subject.user, loop_now_ms() + KEYS_MS, on_facts, k, &k->ask);
}

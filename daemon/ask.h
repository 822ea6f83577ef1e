/*
 * ask.h - one question to another process of ours, on the event loop: connect, send, collect the answers, hang up.
 *
 * One connection per question, so that an answer can never be taken for that of another question.
 */
#ifndef ISMS_ASK_H
#define ISMS_ASK_H

#include <stdint.h>
#include <systemd/sd-event.h>

#include "common/proto.h"
#include "daemon/peers.h"

#define ASK_DEADLINE_MS 10000

struct ask;

/*
 * Called for each answer. error 0: msg is the struct of message number, wiped after the call. -errno: nobody answered
 * (-ETIMEDOUT, -ECONNREFUSED, -ECONNRESET, -EPERM for a peer that is not ours, -EBADMSG); number and msg are 0.
 * An error, and any answer but TOKEN and KEY, is the last call; the ask is freed after it.
 */
typedef void ask_reply(void *arg, int error, enum message number, const void *msg);

struct ask_question {
	const char *path;		/* of the socket */
	const struct peers *peers;	/* who may have made it; borrowed until the end */
	enum message number;
	const void *msg;		/* encoded and wiped within ask_start() */
	int64_t deadline_ms;		/* CLOCK_MONOTONIC, absolute; at most ASK_DEADLINE_MS from now counts */
	void (*amend)(void *arg, enum message number, void *msg);	/* NULL, or changes each answer before it is told */
	void *amend_arg;
};

/*
 * Ask. The reply is never called before this has returned. A question that changes nothing (FACTS_GET, TOKENS_GET, KEYS_GET,
 * the status ones) is asked a second time when the other process died over it. While the other process is not there,
 * as during its restart, it is tried for a second and a half.
 *
 *  ret  for ask_cancel(); forget it in the last reply. NULL: asked for whoever may be left when the answer comes
 *
 * Returns 0, or -errno when it cannot even be tried (no memory, no descriptor).
 */
int ask_start(sd_event *event, const struct ask_question *q, ask_reply *reply, void *arg, struct ask **ret);

/* Forget the question; no reply comes any more. NULL is fine. */
void ask_cancel(struct ask *a);

/* The loop has ended: forget all questions that nobody can cancel. */
void ask_stop(void);

#endif

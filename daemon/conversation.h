/*
 * conversation.h - one person being asked: what conversation.c (auth) and password_change.c (chauthtok) share.
 *
 * Runs in the front. The struct hangs on its connection and dies with it; whatever is under way is cancelled then.
 */
#ifndef ISMS_CONVERSATION_H
#define ISMS_CONVERSATION_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/evaluation.h"
#include "daemon/front.h"

#define CONVERSATION_MS		119500	/* then the front hangs up and reports it; the module's own limit is a little later */
#define CONVERSATION_PER_CALLER_MAX 16	/* at a time, of one caller (caller.h) who is not root */
#define CONVERSATION_PREFETCH_MS 3000	/* with EVALUATION_MS below the module's 15 s */

enum step {
	STEP_FACTS,		/* waiting for facts, to know what to ask */
	STEP_PASSWORD,
	STEP_CODE,
	STEP_EVALUATION,
	STEP_OLD,		/* the old password, where the directory wants it beside the proof */
	STEP_NEW, STEP_REPEAT,	/* the new password, twice */
	STEP_CHANGE,		/* the directory process writes it */
	STEP_FLOOR,		/* refused; waiting until the person may hear it */
	STEP_END,
};

enum purpose { PURPOSE_AUTH, PURPOSE_CHANGE };

struct conversation {
	struct request_head head;	/* first: connection_data() */
	struct conversation *next, *prev;	/* in front->conversations */
	struct front *front;		/* borrowed */
	struct connection *connection;	/* borrowed: this struct dies with it */
	enum purpose purpose;
	enum step step;
	struct subject subject;
	unsigned ask_for;		/* FACTOR_*: prompts that are due; valid once facts_known */
	bool facts_known;		/* the prefetch has ended, one way or the other */
	bool has_password, has_code;
	struct facts *facts;		/* owned; of the prefetch; NULL: not known */
	struct decision decision;	/* of the prefetch */
	struct ask *ask;		/* owned */
	struct evaluation *evaluation;	/* owned */
	sd_event_source *floor_timer, *limit_timer;	/* owned */
	bool by_proof;			/* a change that rests on a login's transaction */
	int64_t used_ms;		/* of proof_use() */
	int64_t replied_ms;		/* the floor counts from here */
	struct msg_verdict verdict;	/* waits for the floor */
	char password[1025], code[1025], fresh[1025];
};

/*
 * Begin a conversation on a connection.
 *
 * Returns NULL without memory, or when whoever called the peer has CONVERSATION_PER_CALLER_MAX under way.
 */
struct conversation *conversation_new(struct connection *c, enum purpose purpose, const struct subject *subject);

/* Ask for the facts that say what to prompt for; the first prompt goes out at once where it is certain. 0 or -errno. */
int conversation_begin(struct conversation *v);

/* Send a prompt and wait for its answer in a step. */
void conversation_prompt(struct conversation *v, enum step step, const char *text, bool echo, bool is_password);

/*
 * Refuse: write the event now, tell the person no earlier than the floor after the last reply.
 *
 *  record  complete but for what the conversation knows
 *  text    for the person
 */
void conversation_refuse(struct conversation *v, enum verdict verdict, enum reason reason, const struct record *record,
    const char *text);

/* As conversation_refuse(), for a reason without further facts, with auth's one text. */
void conversation_refuse_plain(struct conversation *v, enum reason reason, const char *note);

/* Send the verdict that stands in v->verdict now. */
void conversation_tell(struct conversation *v);

/* ---- password_change.c ---- */

/* The person has proven to be who he is: ask for the new password. */
void change_proven(struct conversation *v);
/* An answer in STEP_OLD, STEP_NEW or STEP_REPEAT. */
void change_answer(struct conversation *v, const char *text);

#endif

/*
 * evaluation_parts.h - what the files of evaluation share with each other; nobody else includes it.
 */
#ifndef ISMS_EVALUATION_PARTS_H
#define ISMS_EVALUATION_PARTS_H

#include "daemon/evaluation.h"

#define EVALUATION_TOKENS_MAX 8

struct evaluation {
	struct evaluation *next;	/* in front->evaluations */
	struct front *front;		/* borrowed */
	const struct subject *subject;	/* borrowed; gone once done() has been called */
	char user[257];
	enum scope scope;
	unsigned asked, need;
	unsigned extra;			/* FACTOR_PASSWORD_STALE, FACTOR_RECOVERY: proven besides what was needed */
	bool ignore_session, running, counted;
	bool code_due;			/* the password was right, or not asked for */
	int64_t deadline_ms;
	struct ask *ask;		/* owned */
	sd_event_source *timer;		/* owned */
	struct facts *facts;		/* owned; NULL: not known */
	bool judged;
	struct decision decision;
	struct failures before;		/* as they stood before this attempt was counted */
	unsigned token_count;
	struct msg_token tokens[EVALUATION_TOKENS_MAX];
	const struct msg_token *right;	/* among tokens: whose mark moves */
	uint64_t right_last;
	char password[1025], code[1025];
	struct evaluation_result result;
	void (*done)(void *arg, const struct evaluation_result *result);
	void *arg;
};

/* End with a result: tells whom it concerns, and frees. */
void evaluation_finish(struct evaluation *ev, enum verdict verdict, enum reason reason);

/* A refusal that is no failure of the person's: what was counted is taken back. */
void evaluation_finish_uncounted(struct evaluation *ev, enum reason reason);

/* A refusal that counts, for the person and for the place that it came from. */
void evaluation_finish_failed(struct evaluation *ev, enum reason reason);

/* Note, for the event, that a token cannot be used, and why. One that could not be read has no serial number. */
void evaluation_note_token(struct evaluation *ev, const struct msg_token *token, const char *fault);

/* Ask the directory process, once at a time, until the evaluation's deadline. Returns 0 or -errno. */
int evaluation_ask(struct evaluation *ev, enum message number, const void *msg, ask_reply *reply);

/*
 * All that was needed is right: burn the code, forget the failures, durably; only then it is true.
 *
 *  token  whose code it was, and its new mark; NULL: no code was needed
 */
void evaluation_accept(struct evaluation *ev, const struct msg_token *token, uint64_t last);

/* The code, which has the shape of a recovery code, is judged as one (evaluation_recovery.c). */
void evaluation_try_recovery(struct evaluation *ev);

#endif

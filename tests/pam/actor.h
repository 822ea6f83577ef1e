/*
 * actor.h - a front that says exactly what a test wants, also what the real one never would.
 *
 * One thread, one connection per play. What it received stands decoded in got[], in order.
 */
#ifndef ISMS_TESTS_ACTOR_H
#define ISMS_TESTS_ACTOR_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/proto.h"
#include "common/verdict.h"

#define ACT_GOT_MAX 12

enum act_op { ACT_END, ACT_EXPECT, ACT_SEND, ACT_RAW, ACT_FD, ACT_PAUSE, ACT_ANY, ACT_ACCEPT };

struct step {
	enum act_op op;
	enum message number;
	const void *bytes;	/* struct of the message, or raw bytes; borrowed until actor_join() */
	size_t size;		/* of raw bytes; milliseconds of a pause */
};

#define EXPECT(NAME)		{ .op = ACT_EXPECT, .number = MSG_##NAME }
#define SEND(NAME, msg)		{ .op = ACT_SEND, .number = MSG_##NAME, .bytes = (msg) }
#define RAW(buf, n)		{ .op = ACT_RAW, .bytes = (buf), .size = (n) }
#define PAUSE(ms)		{ .op = ACT_PAUSE, .size = (ms) }
#define ACCEPT			{ .op = ACT_ACCEPT }	/* hang up, and go on with the next connection */
#define HANG_UP			{ .op = ACT_END }

struct got {
	enum message number;
	union {
		struct msg_auth_begin auth;
		struct msg_auth_self self;
		struct msg_answer answer;
		struct msg_account account;
		struct msg_session_open open;
		struct msg_session_close close;
		struct msg_cred_report cred;
		struct msg_change_begin change;
	} msg;
};

struct actor {
	int listener;
	pthread_t thread;
	bool playing;
	const struct step *steps;
	struct got got[ACT_GOT_MAX];
	unsigned count;
	int fault;		/* 0, or step + 1 that did not go as scripted */
};

/* Listen at a path; aborts the test on failure. */
void act_open(struct actor *actor, const char *path);
void actor_close(struct actor *actor);

/* Play steps, up to the first ACT_END, on the next connection; returns at once. */
void actor_play(struct actor *actor, const struct step *steps);

/* Wait for the end of the play. Returns the first step that failed, counted from 1, or 0. */
int actor_join(struct actor *actor);

/* The call is over: end the play where it stands. Returns as actor_join(). */
int actor_abandon(struct actor *actor);

/*
 * Play in a process of its own, so that neither its memory nor its descriptors are the caller's; got[] stays empty.
 *
 * Returns its pid; its exit status is that of actor_join().
 */
pid_t actor_fork(struct actor *actor, const struct step *steps);

/* Whether nobody has tried to connect since the last play. */
bool actor_quiet(const struct actor *actor);

/* Wipe what was received. */
void actor_forget(struct actor *actor);

#endif

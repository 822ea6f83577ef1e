/*
 * pam_relay.h - carries one request to ismsd's front, its prompts to the person, and the verdict back.
 *
 * The front drives; this side prompts, forwards and keeps the time (DESIGN 3.5). What the front says is
 * untrusted: the number of prompts and lines is bounded, and nothing but a whole, well-formed VERDICT is one.
 */
#ifndef ISMS_PAM_RELAY_H
#define ISMS_PAM_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/proto.h"
#include "pam/pam_paths.h"
#include "pam/pam_talk.h"

#define RELAY_PROMPTS_AUTH	3	/* THREATS 5.1 */
#define RELAY_PROMPTS_CHANGE	4	/* password, code, new password twice */
#define RELAY_SHOWS_MAX		8

/* Everything secret of one call; lives in pages of pam_secret.h. */
struct relay_pages {
	uint8_t frame[PROTO_FRAME_MAX];
	union {
		struct msg_auth_begin auth;
		struct msg_auth_self self;
		struct msg_account account;
		struct msg_session_open open;
		struct msg_session_close close;
		struct msg_cred_report cred;
		struct msg_change_begin change;
	} request;			/* for the caller to fill in */
	struct msg_prompt prompt;
	struct msg_show show;
	struct msg_answer answer;
	struct msg_verdict verdict;	/* the result of relay_ask() */
	char password[1024 + 1];	/* of an earlier module, or the person's first answer to a password prompt */
};

struct relay {
	const struct pam_paths *paths;	/* borrowed */
	struct talk *talk;		/* borrowed */
	struct relay_pages *pages;	/* borrowed */
	unsigned prompts_max;		/* how many questions this request may ask */
	bool password_given;		/* pages->password answers the first password prompt; nobody is asked for one */
	bool password_used;
	bool failed;			/* an answer could not be had: deny whatever the verdict */
	bool guessed;			/* the front was given something to judge */
	int fd;				/* -1: not connected */
	unsigned prompts, shows;
	int64_t began_ms, deadline_ms;
};

/*
 * Ask the front for a verdict.
 *
 *  number   of the request that stands in pages->request
 *
 * Returns 0 with pages->verdict checked (numbers in range, tickets well-formed; the connection stays open for
 * relay_ack()), or -errno. Either way end with relay_done().
 */
int relay_ask(struct relay *relay, enum message number);

/* Tell the front that its verdict was taken. Returns 0 or -errno. */
int relay_ack(struct relay *relay);

/* Report to the front what decides nothing; waits a little for its DONE. Returns 0 or -errno. */
int relay_tell(struct relay *relay, enum message number);

/* Whether the person took so long that the front has hung up and reported it itself. */
bool relay_late(const struct relay *relay);

/* Hang up. */
void relay_done(struct relay *relay);

#endif

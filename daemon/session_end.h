/*
 * session_end.h - ends everything of a user: sessions, user manager, lingering, and what logind leaves alive.
 *
 * At once: logind is asked to terminate the user, the user's processes are asked to end (TERM, HUP, CONT). After the
 * grace time: KILL, through logind for the user's slice and one by one for what runs elsewhere (cron children, sudo
 * children, leftovers of closed sessions: MEASURED 7), until nothing is left. For half a minute after it, what a
 * login that was under way brings up is ended as well; and what survives KILL, in uninterruptible sleep say, is
 * looked for until it is gone or the end is due no more. All of it on the event loop; no call waits.
 */
#ifndef ISMS_SESSION_END_H
#define ISMS_SESSION_END_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "common/verdict.h"

#define SESSION_END_UID_MIN	1000u	/* never below, whoever asks */

struct session_end_order {
	uint32_t uid;
	char name[33];
	enum reason reason;
	int64_t not_after_utc_sec;	/* for the event; 0: none */
	char txn[33];			/* of the login that asked; may be empty */
	bool once;			/* end what lives now: not asked again whether it is due, no watch after it */
};

struct session_end_result {
	const struct session_end_order *order;
	unsigned sessions;		/* logind's, when the end began */
	unsigned processes;		/* found when the end began */
	unsigned survivors;		/* not gone after the deadline: in uninterruptible sleep, say */
};

struct session_end_hooks {
	/* Whether the user still must end: asked before each step unless order->once, so that an extension saves a session. */
	bool (*due)(const struct session_end_order *order, void *arg);
	/* Everything is gone, or the deadline has passed; not called when there was nothing to end. */
	void (*done)(const struct session_end_result *result, void *arg);
	void *arg;		/* borrowed */
	const char *linger;	/* logind's folder of lingering users; NULL: their lingering stays (tests); borrowed */
};

struct session_end;

/* hooks are copied. Returns 0 or -ENOMEM. */
int session_end_new(sd_event *event, const struct session_end_hooks *hooks, struct session_end **ret);
void session_end_free(struct session_end *s);

/* Seconds between asking and killing; for ends that begin from now on. */
void session_end_set_grace(struct session_end *s, uint32_t grace_sec);

/*
 * Begin to end a user. The caller has made sure that the uid is a managed user's.
 *
 * Returns 0, also when an end of that uid is already under way; -EPERM for a uid that is never ours; -ENOMEM.
 */
int session_end_begin(struct session_end *s, const struct session_end_order *order);

/* Ends under way, those that merely watch not counted. */
unsigned session_end_active(const struct session_end *s);

/* All users that were put out since the start. */
unsigned session_end_total(const struct session_end *s);

#endif

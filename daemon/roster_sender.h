/*
 * roster_sender.h - brings whole rosters and changes to the publisher, in order, again and again until it has them.
 *
 * A whole roster replaces everything that waits. A change waits behind what is under way; with nothing under way it
 * goes out at once. A publisher that is away is tried again with growing pauses; one that is there is told every now
 * and then that what it has still holds. Where it has not what a change is one of, refuses a change, or too much waits, a
 * whole roster is asked for.
 */
#ifndef ISMS_ROSTER_SENDER_H
#define ISMS_ROSTER_SENDER_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "common/paths.h"
#include "common/proto.h"
#include "daemon/peers.h"

#define ROSTER_SENDER_WAITING_MAX 64	/* with more, a whole roster is cheaper */

struct roster_sender;

struct roster_sender_hooks {
	/*
	 * A whole roster is wanted: make one and call roster_sender_put(), at once or later; changes are of no use until
	 * then, and are dropped. Called on the loop, never from within the functions below; again after a while when
	 * none came. Not called before the first roster_sender_put() or roster_sender_change().
	 */
	void (*wanted)(void *arg);
	void *arg;			/* borrowed */
};

struct roster_sender_status {
	bool answered;				/* last is valid */
	struct msg_roster_result last;
	int error;				/* 0, or -errno: why the last try failed */
	uint64_t serial;			/* of the state that shall be in force */
};

/* paths and peers are borrowed, hooks are copied. Returns 0 or -errno. */
int roster_sender_new(sd_event *event, const struct paths *paths, const struct peers *peers,
    const struct roster_sender_hooks *hooks, struct roster_sender **ret);
void roster_sender_free(struct roster_sender *s);	/* NULL is fine */

/*
 * Another roster shall be in force.
 *
 *  fd     sealed memfd of a whole one; becomes the sender's
 *  users  how many it has: a larger one is vouched for less often
 */
void roster_sender_put(struct roster_sender *s, int fd, uint32_t users);

/*
 * What was put last, with all changes since, has changed.
 *
 *  fd     sealed memfd of a change; becomes the sender's
 *  users  how many there are now
 */
void roster_sender_change(struct roster_sender *s, int fd, uint32_t users);

/* What should have been put could not be made: ask for a whole one, and vouch for nothing until it has come. */
void roster_sender_want_whole(struct roster_sender *s);

/* Whether the roster may be vouched for: not while the directory is lost. */
void roster_sender_vouch(struct roster_sender *s, bool vouch);

/* What is known of the last delivery. */
void roster_sender_status(const struct roster_sender *s, struct roster_sender_status *ret);

#endif

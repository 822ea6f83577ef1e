/*
 * roster_sender.h - brings the current roster to the publisher, again and again until it has it.
 *
 * The newest roster wins: while one is under way, later ones replace each other. A publisher that is away is tried
 * again with growing pauses; one that is there gets the same roster once more every now and then, which vouches for
 * it, and serves a publisher that was restarted without what it knew.
 */
#ifndef ISMS_ROSTER_SENDER_H
#define ISMS_ROSTER_SENDER_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "common/paths.h"
#include "common/proto.h"
#include "daemon/peers.h"

struct roster_sender;

struct roster_sender_status {
	bool answered;				/* last is valid */
	struct msg_roster_result last;
	int error;				/* 0, or -errno: why the last try failed */
	uint64_t serial;			/* of the roster that shall be in force */
};

/* paths and peers are borrowed. Returns 0 or -errno. */
int roster_sender_new(sd_event *event, const struct paths *paths, const struct peers *peers, struct roster_sender **ret);
void roster_sender_free(struct roster_sender *s);	/* NULL is fine */

/*
 * Another roster shall be in force.
 *
 *  fd     sealed memfd; becomes the sender's
 *  users  how many it has: a larger one is vouched for less often
 */
void roster_sender_put(struct roster_sender *s, int fd, uint32_t users);

/* Whether the roster may be vouched for: not while the directory is lost. */
void roster_sender_vouch(struct roster_sender *s, bool vouch);

/* What is known of the last delivery. */
void roster_sender_status(const struct roster_sender *s, struct roster_sender_status *ret);

#endif

/*
 * publisher_state.h - what the files of the publisher process share. Nobody else includes it.
 */
#ifndef ISMS_PUBLISHER_STATE_H
#define ISMS_PUBLISHER_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "common/paths.h"
#include "common/policy.h"
#include "common/settings.h"
#include "common/snapshot.h"
#include "daemon/local_accounts.h"
#include "daemon/peers.h"
#include "daemon/publisher_build.h"
#include "daemon/roll.h"
#include "daemon/roster.h"
#include "daemon/server.h"
#include "daemon/session_end.h"
#include "daemon/wall_clock.h"

struct publisher {
	const struct paths *paths;
	sd_event *event;			/* owned */
	struct server *server;			/* owned */
	struct peers peers;
	struct settings settings;
	struct policy *policy;			/* owned */
	struct local_accounts local;		/* as of the last build */
	struct snapshot published;		/* mapping of what is published; zero: nothing */
	struct roster *roster;			/* owned; the last accepted one; NULL before the first */
	struct roll *roll;			/* owned; of roster */
	int roster_fd;				/* owned; the sealed memfd that roster was read from; -1 */
	uint64_t serial;			/* of roster; 0: none */
	struct publisher_build_out last;	/* of the last build */
	bool built;				/* last is valid */
	uint64_t generation_seen;
	int64_t confirmed_utc_sec;		/* when the last roster came */
	sd_event_source *rebuild, *accounts;	/* owned: timer; inotify on the folder of passwd and group */

	/* publisher_ends.c */
	struct wall_clock clock;
	int64_t seen_utc_sec;			/* ends and warnings up to here are dealt with */
	struct session_end *ender;		/* owned */
	sd_event_source *due_real, *due_boot;	/* owned */
};

/* ---- publisher_ends.c: who must leave, and when ---- */

/* Prepare; needs p->event. Returns 0 or -errno. */
int publisher_ends_init(struct publisher *p);
void publisher_ends_done(struct publisher *p);

/* The effective time. */
int64_t publisher_now_utc_sec(struct publisher *p);

/*
 * Another roll is in force: put out whose time is over, warn whose end came nearer, arm the timer.
 *
 *  old_roll, old_snapshot  what was in force before; NULL, or base == NULL, where there was none
 */
void publisher_ends_renew(struct publisher *p, const struct roll *old_roll, const struct snapshot *old_snapshot);

/* Go on with the readings of a predecessor in this boot, which systemd kept. */
void publisher_ends_resume_clock(struct publisher *p, const struct wall_clock *kept);

/* Root says that the wall clock is right: whatever it said before, it is followed. */
void publisher_ends_trust_clock(struct publisher *p);

/* Other settings are in force. */
void publisher_ends_configure(struct publisher *p);

/* ---- publisher_status.c ---- */

/* Write key=value lines. */
void publisher_status(struct publisher *p, char *buf, size_t size);

#endif

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
#include "daemon/epoch.h"
#include "daemon/local_accounts.h"
#include "daemon/peers.h"
#include "daemon/publisher_build.h"
#include "daemon/publisher_compact.h"
#include "daemon/publisher_dirty.h"
#include "daemon/publisher_judge.h"
#include "daemon/publisher_refusals.h"
#include "daemon/register.h"
#include "daemon/roll.h"
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
	struct local_accounts local;		/* as of the last judging */
	struct snapshot published;		/* mapping of what is published; zero: nothing */
	struct publisher_dirty dirty;		/* what is not as its base has it */
	struct publisher_compact compact;	/* a new base, in the background */
	struct register_book *book;		/* owned; NULL before the first roster */
	struct roll roll;			/* of book */
	struct refusals refusals;		/* of book */
	bool settled;				/* what is accepted is exactly what is published */
	bool stale;				/* settings, policy or local accounts are others than it was judged by */
	bool store_full;			/* systemd keeps an older state: a whole roster is wanted */
	int roster_fd;				/* owned; the sealed memfd that book was read from; -1 */
	uint64_t serial;			/* of the state that book is in; 0: none */
	struct publisher_build_out last;	/* of the last build */
	bool built;				/* last is valid */
	uint64_t generation_seen;
	struct epoch_keeper epoch;
	int64_t confirmed_utc_sec;		/* when the directory process last said that book holds */
	sd_event_source *rebuild, *accounts;	/* owned: timer; inotify on the folder of passwd and group */

	/* publisher_tell.c */
	struct { int64_t since_ms; unsigned count; } told[2];	/* by the directory process, by others */

	/* publisher_ends.c */
	struct wall_clock clock;
	int64_t seen_utc_sec;			/* ends and warnings up to here are dealt with */
	struct session_end *ender;		/* owned */
	sd_event_source *due_real, *due_boot;	/* owned */
	struct publisher_lost *lost;		/* owned */
};

/* ---- publisher_ends.c: who must leave, and when ---- */

/* Prepare; needs p->event. Returns 0 or -errno. */
int publisher_ends_init(struct publisher *p);
void publisher_ends_done(struct publisher *p);

/* The effective time. */
int64_t publisher_now_utc_sec(struct publisher *p);

/* What was in force before. */
struct publisher_before {
	const struct register_book *book;	/* the present one when it was edited; NULL: none */
	const struct judging *judging;		/* of the edit; NULL: nothing has changed, or another book is in force */
	const struct snapshot *snapshot;	/* for book == NULL: what was published; NULL or empty: nothing */
};

/* End what lives now of a user. */
void publisher_ends_put_out(struct publisher *p, const struct user_record *u, enum reason reason);

/* Whom a person asks when he is put out or told something. */
const char *publisher_ends_contact(const struct publisher *p, const struct user_record *u);

/* Another state is in force: put out whose time is over, warn whose end came nearer, arm the timer. */
void publisher_ends_renew(struct publisher *p, const struct publisher_before *before);

/* The same after an edit, which mostly concerns nobody who lives. */
void publisher_ends_change(struct publisher *p, const struct publisher_before *before);

/* Go on with the readings of a predecessor in this boot, which systemd kept. */
void publisher_ends_resume_clock(struct publisher *p, const struct wall_clock *kept);

/* Root says that the wall clock is right: whatever it said before, it is followed. */
void publisher_ends_trust_clock(struct publisher *p);

/* Other settings are in force. */
void publisher_ends_configure(struct publisher *p);

/* ---- publisher_force.c: another state comes in force ---- */

/*
 * Take a sealed memfd: a whole roster, or a change of the state that is in force.
 *
 *  serial             of the state that comes of it
 *  after              0: a whole roster; else the state of which it is a change
 *  confirmed_utc_sec  when the directory process sent it
 *  fault              says what was wrong
 *
 * Returns 0, or -errno; -ESTALE: that is not the state in force, send a whole roster. The new state is in force also
 * when the snapshot alone could not be written: p->last.error says so, and p->serial is the new one.
 */
int publisher_force(struct publisher *p, int fd, uint64_t serial, uint64_t after, int64_t confirmed_utc_sec,
    char *fault, size_t size);

/* The directory process says that the state in force holds still. Returns 0 or -errno as above. */
int publisher_force_again(struct publisher *p, int64_t confirmed_utc_sec, char *fault, size_t size);

/* Judge all of it once more: soon, because local accounts, settings or policy have changed; later, after a failed write. */
void publisher_force_soon(struct publisher *p);
void publisher_force_later(struct publisher *p);

/* What systemd kept of a predecessor that died: ends go on as if nothing had happened. */
void publisher_force_resume(struct publisher *p);

/* Write an event. */
void publisher_report_rejected(const char *fault);

/* Map what is published now. Returns false, with *ret empty, when there is nothing usable. */
bool publisher_open_published(const struct publisher *p, struct snapshot *ret);

/* ---- publisher_status.c ---- */

/* Write key=value lines. */
void publisher_status(struct publisher *p, char *buf, size_t size);

#endif

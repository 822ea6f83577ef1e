/*
 * publisher_compact.h - a new base is written in the background, when the delta upon the old one has cost as much.
 *
 * A forked child writes it from the register as it is then; meanwhile deltas are published upon the old base. When the
 * child is done, the new base comes in place together with a delta of what has changed since.
 */
#ifndef ISMS_PUBLISHER_COMPACT_H
#define ISMS_PUBLISHER_COMPACT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "daemon/publisher_dirty.h"

#define COMPACT_LIMIT_MS	300000		/* a child that takes longer is killed */
#define COMPACT_PAUSE_MS	60000		/* after one that failed */

struct publisher_build_in;

struct publisher_compact {
	pid_t pid;				/* 0: none runs */
	int pidfd;				/* owned while one runs */
	sd_event_source *done, *limit;		/* owned */
	uint64_t generation;			/* of the base that it writes */
	struct publisher_dirty since;		/* what is not as it is there */
	uint64_t delta_bytes;			/* written upon the present base */
	int64_t not_before_ms;			/* CLOCK_MONOTONIC */
	const char *folder;			/* borrowed while one runs; where it writes */
};

/* Whether the deltas upon the present base have cost what a base costs. */
bool publisher_compact_is_due(const struct publisher_compact *c, const struct publisher_build_in *in);

/*
 * Fork.
 *
 *  in    what the child writes; nothing of it is used any more after the call
 *  done  called on the loop when the child has ended, however it did
 *
 * Returns 0 or -errno.
 */
int publisher_compact_start(struct publisher_compact *c, sd_event *event, const struct publisher_build_in *in,
    uint64_t generation, sd_event_io_handler_t done, void *arg);

/* The child has ended: take its exit status, and forget it. Returns 0 when the base was written, else -errno. */
int publisher_compact_reap(struct publisher_compact *c);

/*
 * Bring what the child has written in place, with a delta of what has changed since.
 *
 *  in          of now; in->dirty becomes what the delta has
 *  generation  for the delta, if there is one
 *
 * Returns 1 when there is one, 0 without, or -errno with the old base and its delta in force.
 */
int publisher_compact_finish(struct publisher_compact *c, const struct publisher_build_in *in, uint64_t generation);

/* End a child that runs; what it has written goes. */
void publisher_compact_cancel(struct publisher_compact *c);

#endif

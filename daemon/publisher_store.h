/*
 * publisher_store.h - the roster in force, and what changed since, kept by systemd while the publisher is restarted.
 *
 * A sealed memfd can change no more, so its descriptor is all that must survive (sd_notify FDSTORE=1). Without them, a
 * publisher that crashed would know no contract end until the directory process sends its roster again.
 */
#ifndef ISMS_PUBLISHER_STORE_H
#define ISMS_PUBLISHER_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/wall_clock.h"

#define STORE_CHANGES_MAX 480	/* with the rest below FileDescriptorStoreMax= of the unit, and below 1024 descriptors */
#define STORE_KEPT_MAX (STORE_CHANGES_MAX + 2)	/* the whole one before them, and the mark of one that found no room */

/*
 * Keep a copy of the descriptor of a whole roster in place of all that was kept before; without systemd this does
 * nothing.
 *
 *  clock  its pair of readings is kept with it, so that a restart in the wrong time does not take that as right
 */
void publisher_store_whole(int fd, uint64_t serial, int64_t confirmed_utc_sec, const struct wall_clock *clock);

/*
 * Keep a change of what was kept last.
 *
 * Returns false when there is no more room, or all of them take more than ROSTER_BYTES_MAX: what is kept is then older
 * than what is in force, and says so by a change that nobody can read, until the next whole one.
 */
bool publisher_store_change(int fd, uint64_t serial, int64_t confirmed_utc_sec);

/*
 * The clock is known better: keep its readings.
 *
 *  fd  the whole roster that is kept; -1: none
 */
void publisher_store_clock(int fd, const struct wall_clock *clock);

/* What is kept was confirmed: keep the readings anew if those kept are of the boot phase and better ones are known. */
void publisher_store_confirm(int fd, const struct wall_clock *clock);

/* A roster that was kept. */
struct stored {
	int fd;			/* owned by whoever took it */
	uint64_t serial, after;	/* after == 0: the whole one */
	int64_t confirmed_utc_sec;
};

/*
 * What was kept: the whole roster first, of two the newest, then each change of the one before, then what fits nowhere:
 * then what was in force is not known. All stay with systemd until the next whole one.
 *
 *  ret        room for STORE_KEPT_MAX
 *  ret_clock  the readings that were kept with it
 *  ret_count  how many there are
 *
 * Returns how many of them are in their place.
 */
unsigned publisher_store_take(struct stored ret[STORE_KEPT_MAX], struct wall_clock *ret_clock, unsigned *ret_count);

#endif

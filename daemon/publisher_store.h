/*
 * publisher_store.h - the roster in force, kept by systemd while the publisher is restarted.
 *
 * A sealed memfd can change no more, so its descriptor is all that must survive (sd_notify FDSTORE=1). Without it, a
 * publisher that crashed would know no contract end until the directory process sends its roster again.
 */
#ifndef ISMS_PUBLISHER_STORE_H
#define ISMS_PUBLISHER_STORE_H

#include <stdint.h>

#include "daemon/wall_clock.h"

/*
 * Keep a copy of the descriptor in place of the one kept before; without systemd this does nothing.
 *
 *  clock  its pair of readings is kept with it, so that a restart in the wrong time does not take that as right
 */
void publisher_store_roster(int fd, uint64_t serial, int64_t confirmed_utc_sec, const struct wall_clock *clock);

/* The roster that is kept was confirmed: keep it anew if its readings are of the boot phase and better ones are known. */
void publisher_store_confirm(int fd, uint64_t serial, int64_t confirmed_utc_sec, const struct wall_clock *clock);

/*
 * What was kept.
 *
 *  ret_serial             of that roster
 *  ret_confirmed_utc_sec  when that roster had come
 *  ret_clock              the readings that were kept with it
 *
 * Returns a descriptor, which the caller closes, or -ENOENT.
 */
int publisher_stored_roster(uint64_t *ret_serial, int64_t *ret_confirmed_utc_sec, struct wall_clock *ret_clock);

#endif

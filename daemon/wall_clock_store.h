/*
 * wall_clock_store.h - a pair of clock readings that a process keeps over its restarts within one boot, in a file.
 */
#ifndef ISMS_WALL_CLOCK_STORE_H
#define ISMS_WALL_CLOCK_STORE_H

#include "daemon/wall_clock.h"

/*
 * Go on from what an earlier process of this boot kept.
 *
 *  folder  /var/lib/isms/replica
 *
 * Returns 1; 0: there is none of this boot; or -errno, -EBADMSG for a file that is damaged. The clock is as it was then.
 */
int wall_clock_load(const char *folder, struct wall_clock *clock);

/* Keep the pair, all of it or what was there. Returns 0 or -errno. */
int wall_clock_save(const char *folder, const struct wall_clock *clock);

#endif

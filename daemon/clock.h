/*
 * clock.h - what time it is, as far as this host can be believed (THREATS 5.7).
 *
 * The effective time is never before what was already seen (the mark), so an expired contract stays expired when
 * the wall clock is set back. While the host runs, a wall clock that leaves the boot clock by more than 300 s makes
 * the clock untrusted, until it comes back or root says that it is right. The mark itself advances with the boot
 * clock only, never by a jump of the wall clock, so that a jump forward does not outlast its correction.
 *
 * Pure: readings come in as values. clock_read() alone asks the kernel.
 */
#ifndef ISMS_CLOCK_H
#define ISMS_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_DRIFT_MAX_SEC	300
/* A host without a battery-backed clock is set by NTP within its first minutes; until then only the mark binds. */
#define CLOCK_BOOT_PHASE_SEC	120

struct clock_reading {
	int64_t wall_sec;	/* CLOCK_REALTIME */
	int64_t boot_sec;	/* CLOCK_BOOTTIME: runs on during suspend, cannot be set */
	char boot_id[37];	/* of this boot */
};

/* The part that is kept over restarts, in state.db. */
struct clock_mark {
	bool known;
	int64_t mark_sec;	/* it was at least this late, UTC */
	int64_t anchor_wall_sec, anchor_boot_sec;	/* a pair that was taken as right */
	char boot_id[37];	/* boot in which the anchor holds */
};

struct clock {
	struct clock_mark mark;
	int64_t seen_boot_sec;	/* boot clock at the last look */
	int64_t floor_sec;	/* a wall clock before this is not trusted; it moves no time */
	bool trusted;
};

/* Read the clocks of this host. Returns 0 or -errno. */
int clock_read(struct clock_reading *ret);

/*
 * Begin with what was stored.
 *
 *  stored    of state.db; not known on a new host
 *  seen_sec  when the published snapshot was written, 0: none: it is not earlier than that, unless the clock that
 *            wrote it is the one to be judged
 */
void clock_start(struct clock *clock, const struct clock_mark *stored, const struct clock_reading *now, int64_t seen_sec);

/*
 * Look at the clocks; before each decision and once a minute.
 *
 * Returns whether clock->trusted changed.
 */
bool clock_update(struct clock *clock, const struct clock_reading *now);

/* The effective time of a reading: the later of wall clock and mark. */
int64_t clock_effective(const struct clock *clock, const struct clock_reading *now);

/*
 * An independent clock agrees with the wall clock: a right TOTP code vouches for it. The mark catches up with the
 * time that the host was off. Does nothing while the clock is untrusted.
 */
void clock_confirm(struct clock *clock, const struct clock_reading *now);

/* Root says that the wall clock is right. */
void clock_trust(struct clock *clock, const struct clock_reading *now);

#endif

/*
 * wall_clock.h - the time at which contracts end: the system's clock, which nobody can stop by setting it back.
 *
 * While the process runs, CLOCK_BOOTTIME says how much time has passed. A clock that lags behind that by more than
 * WALL_SLACK_USEC was set back and is not followed; smaller steps are corrections, which together count as one. A clock
 * that is ahead is followed but not remembered, so that a jump forward poisons nothing once it is corrected (THREATS 5.7,
 * TM04a, TM05a). In the boot phase (daemon/clock.h) the clock is set right, and followed both ways.
 */
#ifndef ISMS_WALL_CLOCK_H
#define ISMS_WALL_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define WALL_SLACK_USEC (300LL * 1000000)

struct wall_clock {
	int64_t real_usec, boot_usec;	/* the last moment at which the first was not behind the second */
	bool ahead;			/* at the last look it was ahead, which may be taken back */
};

/* Take the clocks as they are now as agreeing. */
void wall_clock_init(struct wall_clock *clock);

/* Whether it was the boot phase then, whose readings are no anchor for later. */
bool wall_clock_is_booting(int64_t boot_usec);

/* Go on from a pair of readings that an earlier process of this boot kept; a useless pair changes nothing. */
void wall_clock_resume(struct wall_clock *clock, const struct wall_clock *kept);

/* The effective time, microseconds since the epoch. */
int64_t wall_clock_now_usec(struct wall_clock *clock);

/* The same of given readings; wall_clock_now_usec() is this with the system's clocks. */
int64_t wall_clock_judge(struct wall_clock *clock, int64_t real_usec, int64_t boot_usec);

#endif

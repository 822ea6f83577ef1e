/*
 * wall_clock.c - effective time of publisher and directory process (see wall_clock.h).
 *
 * Runs in both. It must never fall behind by more than the slack while the process lives, by one step or by
 * many, once the boot phase is over and unless root says that the clock is right.
 */
#include <config.h>

#include "daemon/wall_clock.h"

#include <time.h>

#include "daemon/clock.h"

static int64_t
read_usec(clockid_t id)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void
wall_clock_init(struct wall_clock *clock)
{
	*clock = (struct wall_clock){ .real_usec = read_usec(CLOCK_REALTIME), .boot_usec = read_usec(CLOCK_BOOTTIME) };
}

bool
wall_clock_is_booting(int64_t boot_usec)
{
	return boot_usec < CLOCK_BOOT_PHASE_SEC * 1000000LL;
}

void
wall_clock_resume(struct wall_clock *clock, const struct wall_clock *kept)
{
	if (kept->real_usec <= 0 || wall_clock_is_booting(kept->boot_usec) || kept->boot_usec > clock->boot_usec)
		return;
	clock->real_usec = kept->real_usec;
	clock->boot_usec = kept->boot_usec;
}

int64_t
wall_clock_judge(struct wall_clock *clock, int64_t real_usec, int64_t boot_usec)
{
	int64_t expected_usec = clock->real_usec + (boot_usec - clock->boot_usec);
	bool booting = wall_clock_is_booting(boot_usec);

	clock->ahead = !booting && real_usec > expected_usec + WALL_SLACK_USEC;
	if (!booting && real_usec < expected_usec - WALL_SLACK_USEC)
		return expected_usec;
	/* Never anchored at an earlier time than expected, or steps back within the slack would add up. */
	if (booting || (real_usec >= expected_usec && !clock->ahead)) {
		clock->real_usec = real_usec;
		clock->boot_usec = boot_usec;
	}
	return real_usec;
}

int64_t
wall_clock_now_usec(struct wall_clock *clock)
{
	int64_t boot_usec = read_usec(CLOCK_BOOTTIME);

	return wall_clock_judge(clock, read_usec(CLOCK_REALTIME), boot_usec);
}

/*
 * wall_clock.c - effective time of the publisher (see wall_clock.h).
 *
 * Runs in the publisher. It must never go back by more than the slack while the process lives.
 */
#include <config.h>

#include "daemon/wall_clock.h"

#include <time.h>

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
	clock->real_usec = read_usec(CLOCK_REALTIME);
	clock->boot_usec = read_usec(CLOCK_BOOTTIME);
}

int64_t
wall_clock_judge(struct wall_clock *clock, int64_t real_usec, int64_t boot_usec)
{
	int64_t expected_usec = clock->real_usec + (boot_usec - clock->boot_usec);

	if (real_usec < expected_usec - WALL_SLACK_USEC)
		return expected_usec;
	if (real_usec <= expected_usec + WALL_SLACK_USEC) {
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

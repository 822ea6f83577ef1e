/*
 * clock.c - effective time and trust in the wall clock (see clock.h).
 *
 * Runs in the front. It must never let the effective time fall behind what was seen, and never move the mark by a
 * jump that somebody may take back.
 */
#include <config.h>

#include "daemon/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int
clock_read(struct clock_reading *ret)
{
	struct clock_reading now = { 0 };
	struct timespec ts;
	ssize_t n;
	int fd;

	if (clock_gettime(CLOCK_REALTIME, &ts) < 0)
		return -errno;
	now.wall_sec = ts.tv_sec;
	if (clock_gettime(CLOCK_BOOTTIME, &ts) < 0)
		return -errno;
	now.boot_sec = ts.tv_sec;
	fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, now.boot_id, sizeof now.boot_id - 1);
	(void)close(fd);
	if (n != (ssize_t)sizeof now.boot_id - 1)
		return -EIO;
	*ret = now;
	return 0;
}

static void
set_anchor(struct clock *c, const struct clock_reading *now)
{
	c->mark.anchor_wall_sec = now->wall_sec;
	c->mark.anchor_boot_sec = now->boot_sec;
	memcpy(c->mark.boot_id, now->boot_id, sizeof c->mark.boot_id);
}

/* How far the wall clock has left the boot clock since the anchor. */
static int64_t
drift_sec(const struct clock *c, const struct clock_reading *now)
{
	return now->wall_sec - (c->mark.anchor_wall_sec + (now->boot_sec - c->mark.anchor_boot_sec));
}

static bool
is_close(int64_t drift)
{
	return drift >= -CLOCK_DRIFT_MAX_SEC && drift <= CLOCK_DRIFT_MAX_SEC;
}

/* The wall clock says a time at which we have been already, by more than the tolerance. */
static bool
is_behind(const struct clock *c, int64_t wall_sec)
{
	int64_t seen = c->mark.mark_sec > c->floor_sec ? c->mark.mark_sec : c->floor_sec;

	return wall_sec < seen - CLOCK_DRIFT_MAX_SEC;
}

/*
 * Whether the instant of the last publication says more than mark and anchor do. Not in the boot of the anchor; nor
 * when it was published since the host came up, by the very clock that is to be judged: a jump forward that is then
 * corrected would stay as a floor (TM05a).
 */
static bool
is_evidence(const struct clock_mark *stored, const struct clock_reading *now, int64_t seen_sec)
{
	if (stored->known && strcmp(stored->boot_id, now->boot_id) == 0)
		return false;
	return seen_sec > now->wall_sec || seen_sec < now->wall_sec - now->boot_sec;
}

void
clock_start(struct clock *c, const struct clock_mark *stored, const struct clock_reading *now, int64_t seen_sec)
{
	*c = (struct clock){ .mark = *stored, .seen_boot_sec = now->boot_sec };
	if (is_evidence(stored, now, seen_sec))
		c->floor_sec = seen_sec;
	if (!stored->known) {
		c->mark.known = true;
		c->mark.mark_sec = now->wall_sec;
	}
	if (!stored->known || strcmp(stored->boot_id, now->boot_id) != 0)
		set_anchor(c, now);
	else if (now->boot_sec > stored->anchor_boot_sec) {
		/* The same boot: time went on while we were away, at most until now. */
		int64_t expected = stored->anchor_wall_sec + (now->boot_sec - stored->anchor_boot_sec);
		int64_t bound = expected < now->wall_sec ? expected : now->wall_sec;

		if (bound > c->mark.mark_sec)
			c->mark.mark_sec = bound;
	}
	c->trusted = !is_behind(c, now->wall_sec) && is_close(drift_sec(c, now));
}

/* Let the mark follow the boot clock; the wall clock bounds it as long as it can be believed. */
static void
advance_mark(struct clock *c, const struct clock_reading *now, bool close)
{
	int64_t elapsed = now->boot_sec - c->seen_boot_sec, to;

	c->seen_boot_sec = now->boot_sec;
	if (elapsed <= 0)
		return;
	to = c->mark.mark_sec + elapsed;
	if (close && to > now->wall_sec)
		to = now->wall_sec;	/* a small step back: wait until the wall clock is there again */
	if (to > c->mark.mark_sec)
		c->mark.mark_sec = to;
}

bool
clock_update(struct clock *c, const struct clock_reading *now)
{
	bool was = c->trusted, close = is_close(drift_sec(c, now));
	int64_t expected = now->wall_sec - drift_sec(c, now);

	advance_mark(c, now, close);
	/*
	 * Set right: in the boot phase, or when the clock that we started with lagged behind what was seen (no
	 * battery), so that the anchor was never good.
	 */
	if (!close && !is_behind(c, now->wall_sec) &&
	    (now->boot_sec < CLOCK_BOOT_PHASE_SEC || is_behind(c, expected))) {
		set_anchor(c, now);
		close = true;
	}
	c->trusted = close && !is_behind(c, now->wall_sec);
	return c->trusted != was;
}

int64_t
clock_effective(const struct clock *c, const struct clock_reading *now)
{
	return now->wall_sec > c->mark.mark_sec ? now->wall_sec : c->mark.mark_sec;
}

void
clock_confirm(struct clock *c, const struct clock_reading *now)
{
	if (c->trusted && now->wall_sec > c->mark.mark_sec)
		c->mark.mark_sec = now->wall_sec;
}

void
clock_trust(struct clock *c, const struct clock_reading *now)
{
	c->mark.known = true;
	c->mark.mark_sec = now->wall_sec;
	c->floor_sec = 0;
	c->seen_boot_sec = now->boot_sec;
	set_anchor(c, now);
	c->trusted = true;
}

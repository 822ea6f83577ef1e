/*
 * throttle.c - how failures slow down and lock (see evaluation.h).
 *
 * Runs in the front. Pure: it must never read a clock or store anything. Times are effective time, which never runs
 * back, so a lock cannot be outwaited by setting the clock.
 */
#include <config.h>

#include "daemon/evaluation.h"

#define WAIT_SHIFT_MAX		16
#define BREAK_GLASS_WAIT_MAX	30	/* seconds: slow for who guesses, bearable for who must get in */

/* Seconds that must lie between the last failure and the next attempt. */
static int64_t
wait_sec(const struct failures *f, const struct settings *settings, bool may_lock)
{
	unsigned beyond;
	int64_t wait, most = may_lock ? (int64_t)settings->mfa_lock_time : BREAK_GLASS_WAIT_MAX;

	if (f->count < settings->mfa_delay_after)
		return 0;
	beyond = f->count - settings->mfa_delay_after;
	wait = (int64_t)1 << (beyond < WAIT_SHIFT_MAX ? beyond : WAIT_SHIFT_MAX);
	return wait < most ? wait : most;
}

bool
throttle_refuses(struct failures *f, const struct settings *settings, int64_t now_utc_sec, bool may_lock)
{
	int64_t lock_time = (int64_t)settings->mfa_lock_time;

	if (f->locked_until_utc_sec != 0 && may_lock) {
		/* A lock that was set while the clock was ahead must not outlast its length. */
		if (now_utc_sec < f->locked_until_utc_sec && f->locked_until_utc_sec - now_utc_sec <= lock_time)
			return true;
		/* It is over: a little patience again, then the waits, not another lock at the first typing error. */
		*f = (struct failures){
			.count = settings->mfa_delay_after < settings->mfa_lock_after ? settings->mfa_delay_after : 0,
		};
		return false;
	}
	if (f->last_utc_sec > now_utc_sec)
		f->last_utc_sec = now_utc_sec;
	return now_utc_sec - f->last_utc_sec < wait_sec(f, settings, may_lock);
}

void
throttle_count(struct failures *f, const struct settings *settings, int64_t now_utc_sec, bool may_lock)
{
	if (f->count < UINT32_MAX)
		f->count++;
	f->last_utc_sec = now_utc_sec;
	f->locked_until_utc_sec = 0;
	if (may_lock && f->count >= settings->mfa_lock_after)
		f->locked_until_utc_sec = now_utc_sec + (int64_t)settings->mfa_lock_time;
}

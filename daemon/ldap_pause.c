/*
 * ldap_pause.c - how long to wait before asking an LDAP server again (see ldap_pause.h).
 *
 * Directory process, on the thread of ldap_sync.c. All but the drawing is pure. A pause must never be none: a server
 * that hangs up would be called without a break.
 */
#include <config.h>

#include "daemon/ldap_pause.h"

#include <limits.h>
#include <sys/random.h>

uint32_t
ldap_pause_chance(void)
{
	uint32_t chance;

	/* Of the kernel, not random(): that one, unseeded, is the same on every host. */
	return getrandom(&chance, sizeof chance, GRND_NONBLOCK) == (ssize_t)sizeof chance ? chance : UINT32_MAX;
}

/* Evenly from..to, both included. */
static int
between(int from, int to, uint32_t chance)
{
	return to <= from ? to : from + (int)((uint64_t)(to - from + 1) * chance >> 32);
}

int
ldap_pause_retry_ms(int64_t bad_ms, uint32_t chance)
{
	int longest = LDAP_PAUSE_MAX_MS;

	if (bad_ms < LDAP_PAUSE_FIRST_MS)
		longest = LDAP_PAUSE_FIRST_MS;
	else if (bad_ms < LDAP_PAUSE_MAX_MS)
		longest = (int)bad_ms;
	return between(LDAP_PAUSE_MIN_MS, longest, chance);
}

int
ldap_pause_spread_ms(int pause_ms, uint32_t spread_sec)
{
	int64_t ms = (int64_t)pause_ms * spread_sec / (LDAP_PAUSE_FIRST_MS / 1000);

	return ms < LDAP_PAUSE_MIN_MS ? LDAP_PAUSE_MIN_MS : ms < INT_MAX ? (int)ms : INT_MAX;
}

int
ldap_pause_anew_ms(uint32_t chance)
{
	return between(LDAP_PAUSE_MIN_MS, LDAP_PAUSE_ANEW_MS, chance);
}

int
ldap_pause_poll_ms(int interval_ms, bool first, uint32_t chance)
{
	return first ? between(LDAP_PAUSE_MIN_MS, interval_ms, chance) :
	    between(interval_ms, interval_ms + interval_ms / 10, chance);
}

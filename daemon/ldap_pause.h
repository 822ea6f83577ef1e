/*
 * ldap_pause.h - how long to wait before asking an LDAP server again, so that the hosts of a fleet do not ask at once.
 *
 * Ten thousand hosts see a server go in the same second, and are told in the same second to read all anew. Each waits
 * for a time that chance picks; no bound depends on how many they are, since none of them knows.
 */
#ifndef ISMS_LDAP_PAUSE_H
#define ISMS_LDAP_PAUSE_H

#include <stdbool.h>
#include <stdint.h>

#define LDAP_PAUSE_MIN_MS	100
#define LDAP_PAUSE_FIRST_MS	5000	/* after the loss of a server that was good */
#define LDAP_PAUSE_MAX_MS	30000
#define LDAP_PAUSE_ANEW_MS	10000	/* before a server is read anew because it says so */

/* 32 random bits of the kernel's; without any the largest number: late, and not all at once with the others. */
uint32_t ldap_pause_chance(void);

/*
 * Before the next try of all servers. It grows with the time that none was good, not with the number of tries: after
 * an outage a host is back at the latest when as much time has passed again (at least LDAP_PAUSE_FIRST_MS, at most
 * LDAP_PAUSE_MAX_MS).
 *
 *  bad_ms  since when no server was good; 0: just lost
 *  chance  0 gives the shortest, UINT32_MAX the longest
 */
int ldap_pause_retry_ms(int64_t bad_ms, uint32_t chance);

/* The same pauses for a fleet that is spread over another time than LDAP_PAUSE_FIRST_MS ([directory] retry-spread). */
int ldap_pause_spread_ms(int pause_ms, uint32_t spread_sec);

/* Before all is read from a server that no longer knows what we have (e-syncRefreshRequired, RFC 4533 2.5). */
int ldap_pause_anew_ms(uint32_t chance);

/*
 * Between two polls.
 *
 *  first  the one that follows the first poll of a connection: anywhere within the interval, since many have connected
 *         in the same second; later ones come at the interval and up to a tenth more
 */
int ldap_pause_poll_ms(int interval_ms, bool first, uint32_t chance);

#endif

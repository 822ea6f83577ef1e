/*
 * ldap_sync.h - follows an LDAP directory on a thread of its own: content synchronisation (RFC 4533), else polling.
 *
 * The thread holds the connection and the replica; the loop takes complete states from it. What was received in part is
 * never handed over; a lost connection changes nothing but the state.
 */
#ifndef ISMS_LDAP_SYNC_H
#define ISMS_LDAP_SYNC_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "common/identity.h"
#include "common/ldap_servers.h"
#include "common/settings.h"
#include "daemon/entry_changes.h"

struct ldap_sync;

#define LDAP_SYNC_NOT_YET "not connected yet"	/* the fault before a server was ever lost or met */

struct ldap_sync_state {
	bool connected;
	bool polling;			/* the server does not offer content synchronisation */
	int64_t since_utc_sec;		/* of connected, or of its loss */
	int64_t confirmed_utc_sec;	/* when a server last vouched for the entries; 0: never */
	size_t held_removed, held_renumbered;	/* users of a mass change that waits for a person */
	size_t held_older;		/* entries of which the server tells what is older than what is known */
	char older[256];		/* the first of them, by DN */
	unsigned serial;		/* of the newest entries; 0: none yet */
	unsigned losses;		/* how often a server was lost */
	unsigned approvals;		/* how often a person's word was followed: these entries are what he approved */
	struct ldap_servers servers;	/* that DNS names, as of its last answer; empty where uri names them itself */
	char server[256];		/* uri of the last one that answered; "" before */
	char fault[512];		/* why it is not connected, or what is wrong with the store; else "" */
};

/*
 * Start the thread; what the replica holds from before is the first state.
 *
 *  settings  copied
 *  folder    of the replica
 *  heap      for entries that were told of; outlives the thread and what was taken. NULL: they stay in memory
 *  news      called from the loop when there is something to take
 *
 * Returns 0 or -errno.
 */
int ldap_sync_start(sd_event *event, const struct settings *settings, const char *folder,
    struct entry_heap *heap, void (*news)(void *arg), void *arg, struct ldap_sync **ret);

/* Ends the thread; waits for the call of libldap that it is in, some seconds at most. NULL is fine. */
void ldap_sync_stop(struct ldap_sync *s);

/* Entries of a reading that is under way, which count only once all have come; 0: none is. */
size_t ldap_sync_received(const struct ldap_sync *s);

/*
 * A person has looked at what is held back: let it happen, at the thread's next turn, if it still is that.
 *
 *  seen  the state of which he knew; with another loss since, or other counts, nothing happens
 */
void ldap_sync_approve(struct ldap_sync *s, const struct ldap_sync_state *seen);

/*
 * Take the newest state, and what became other since the last one that was taken.
 *
 *  ret  zeroed; free with entry_changes_done()
 *
 * Returns whether a state of the entries was told, also one in which nothing became other.
 */
bool ldap_sync_take(struct ldap_sync *s, struct entry_changes *ret, struct ldap_sync_state *ret_state);

/* What was taken could not be used: tell everything at the next turn. */
void ldap_sync_want_all(struct ldap_sync *s);

/*
 * Add to all who had departed when the replica was opened, and perhaps nobody remembers. To be called after each take,
 * before its changes are judged. Returns 1 when there were some, 0, or -ENOMEM: they stay for the next call.
 */
int ldap_sync_departed(struct ldap_sync *s, struct identity_holders *all);

/* The state of this serial is in force, and who departed by it is remembered for good: the replica need not. */
void ldap_sync_kept(struct ldap_sync *s, unsigned serial);
/*
 * Wait until what was told while it was being stored is, or could not be. Beyond ten minutes the watchdog is fed no more.
 */
void ldap_sync_await_stored(const struct ldap_sync *s);

#endif

/*
 * ldap_sync_parts.h - what the two files of ldap_sync share: the thread's life, and one session with a server.
 */
#ifndef ISMS_LDAP_SYNC_PARTS_H
#define ISMS_LDAP_SYNC_PARTS_H

#include <ldap.h>
#include <stdatomic.h>

#include "common/attribute_map.h"
#include "daemon/ldap_sync.h"
#include "daemon/replica.h"

#define LDAP_SESSION_ATTRIBUTES_MAX 80

/* The thread's own; the loop reads stop's pipe end alone. */
struct ldap_session {
	const struct settings *settings;	/* borrowed */
	struct replica *replica;	/* borrowed */
	atomic_bool *stop;
	bool (*take_approval)(struct ldap_session *s);	/* whether a person has approved what is held now; once */
	void (*turn)(struct ldap_session *s);	/* called once a second or so, or once between two polls */
	int wake_fd;			/* an eventfd: readable once the loop has said something */
	const char *uri;		/* of the server */
	struct attribute_map map;
	char *attributes[LDAP_SESSION_ATTRIBUTES_MAX];	/* borrowed from map; as the server names them, NULL at the end */
	LDAP *ld;
	int search, probe;		/* message ids; -1: none */
	int64_t probe_sent_ms;		/* the last one; 0: none yet */
	int64_t heard_ms;		/* when bytes of the server last came */
	bool refreshed;			/* the content is complete; what comes is news */
	bool full;			/* this refresh began without a cookie */
	bool changed;			/* something was gathered since the last apply */
	bool polling;
	bool paused;			/* between two polls, once at least */
	bool approved;			/* the next complete state is as a person has approved it */
	struct sync_cookie cookie;	/* the newest that the server gave */
	char fault[512];
	void (*unchanged)(struct ldap_session *s);	/* the replica is as it was, and the server has just said so */
	int (*complete)(struct ldap_session *s);	/* the replica was applied: hand it over; 0 or -ENOMEM */
	struct ldap_sync *owner;	/* borrowed; of complete() */
};

/*
 * Talk to one server until it fails or stop is set: connect, refresh, follow.
 *
 * Returns -ECANCELED when stop was set; -ENOMEM when the replica has to be opened anew; any other -errno with the fault.
 */
int ldap_session_run(struct ldap_session *s);

/* Takes an entry of a search over, owned. Returns 0 or -errno. */
typedef int ldap_session_taker(struct ldap_session *s, struct entry *e, const uint8_t uuid[SYNC_UUID_SIZE], void *arg);

/*
 * Read entries below the base, page by page.
 *
 *  attributes  as the server names them, NULL at the end
 *  take        called for each
 *
 * Returns 0 when all were taken, -ECANCELED when stop was set, or another -errno with the fault.
 */
int ldap_session_read(struct ldap_session *s, const char *filter, const char *const *attributes, ldap_session_taker *take,
    void *arg);

/* Read all users and groups and apply them: whoever is missing is gone. As ldap_session_read(). */
int ldap_session_read_all(struct ldap_session *s);

/* Apply what was gathered. Returns 0 or -ENOMEM. */
int ldap_session_apply(struct ldap_session *s);

/* Wait poll-interval, and do meanwhile what the loop asks for. Returns 0, -ECANCELED, or -ENOMEM. */
int ldap_session_pause(struct ldap_session *s);

/* Follow an Active Directory until it fails or stop is set. As ldap_session_run(), on a connection that is bound. */
int ldap_changes_follow(struct ldap_session *s);

/* ldap_origin.c: what settings make of a replica, in words for replica_open(). */
void ldap_origin(const struct settings *settings, char *buf, size_t size);

/* Attributes that are asked for, those of attributes.def; ends with NULL. */
extern const char *const ldap_session_attributes[];

#endif

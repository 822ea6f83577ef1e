/*
 * ldap_source.h - what the two files of the LDAP source share: following the directory, and requests to it.
 */
#ifndef ISMS_LDAP_SOURCE_H
#define ISMS_LDAP_SOURCE_H

#include "daemon/ldap_sync.h"
#include "daemon/source.h"

struct ldap_source {
	struct source base;		/* first */
	struct ldap_sync *sync;		/* owned */
	struct settings settings;	/* that the thread was started with */
	struct ldap_sync_state state;
	struct identity_holders holders;	/* owned; who had a name or number before (THREATS 5.5) */
	unsigned in_force;		/* serial of the thread's state that the view was made of; 0: of another thread's */
	bool behind;			/* something that was told is not in force: all is asked for again */
	bool holders_behind;		/* they could not be stored */
	bool seen;			/* a state was reported once */
	int64_t lost_boot_sec;		/* boot clock at the loss of a server that was followed; 0: none was lost */
	sd_event_source *progress;	/* owned; when to say again how far a reading is */
};

/* Of struct source_ops. */
int ldap_password_check(struct source *base, const struct identity *user, const char *password, source_result *done,
    void *arg);
int ldap_password_change(struct source *base, const struct identity *user, const char *old, const char *new_password,
    source_result *done, void *arg);
int ldap_tokens(struct source *base, const struct identity *user, source_tokens *done, void *arg);
int ldap_token_mark(struct source *base, const struct identity *user, const struct msg_token_mark *mark,
    source_result *done, void *arg);
int ldap_recovery_use(struct source *base, const struct identity *user, const char *code, source_recovery *done, void *arg);
int ldap_last_use(struct source *base, const struct identity *user, int64_t used_utc_sec, source_result *done,
    void *arg);

#endif

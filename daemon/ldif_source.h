/*
 * ldif_source.h - what the two files of the LDIF source share: reading the file, and requests that touch it.
 */
#ifndef ISMS_LDIF_SOURCE_H
#define ISMS_LDIF_SOURCE_H

#include "daemon/source.h"

struct ldif_source {
	struct source base;		/* first */
	char *path, *folder, *name;	/* owned; name points into path */
	sd_event_source *watch, *settle;	/* owned */
	bool settling;			/* a reread is due */
	bool watched;			/* false: look again by timer */
	bool seen;			/* the file was read once, well or not */
	uint64_t secrets[2][2];		/* of the ids of entries */
	struct source_status status;
	int64_t lost_boot_sec;		/* boot clock at its loss; 0: none was lost */
};

/* Of struct source_ops. */
int ldif_password_check(struct source *base, const struct identity *user, const char *password, source_result *done,
    void *arg);
int ldif_password_change(struct source *base, const struct identity *user, const char *old, const char *new_password,
    source_result *done, void *arg);
int ldif_tokens(struct source *base, const struct identity *user, source_tokens *done, void *arg);
int ldif_recovery_use(struct source *base, const struct identity *user, const char *code, source_recovery *done, void *arg);
int ldif_last_use(struct source *base, const struct identity *user, int64_t used_utc_sec, source_result *done,
    void *arg);

#endif

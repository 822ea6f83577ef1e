/*
 * ldap_job.h - what the files with requests to the LDAP servers share (ldap_jobs.c, ldap_last_use.c).
 *
 * A job is its own memory (source_job.h); each has a connection of its own, thrown away after it.
 */
#ifndef ISMS_LDAP_JOB_H
#define ISMS_LDAP_JOB_H

#include <ldap.h>
#include <stdint.h>

#include "common/attribute_map.h"
#include "common/entry.h"
#include "common/ldap_handle.h"
#include "common/recovery_code.h"
#include "daemon/ldap_source.h"
#include "daemon/password.h"
#include "daemon/source_job.h"

#define JOB_MS	9000	/* all of it; the front waits for 10 s */

struct job {
	struct source_job base;		/* first */
	struct settings settings;
	struct attribute_map map;
	char uris[sizeof ((struct ldap_servers *)NULL)->uris];	/* of the servers */
	char server[LDAP_HANDLE_URI_MAX + 1];	/* the one that is followed: asked first; "" for none */
	int64_t deadline_ms;
	char *dn;			/* owned; of the user's entry in the replica, found there by entryUUID */
	char *user;			/* owned */
	char **links[2];		/* owned; DNs of TOTP and of HOTP tokens, each list ends with NULL */
	char password[PASSWORD_BYTES_MAX + 1], old[PASSWORD_BYTES_MAX + 1];
	struct msg_token_mark mark;
	int64_t used_utc_sec;
	char entry_id[65];		/* of the user */
	char code[RECOVERY_CODE_LEN + 1];
	char fault[512];
};

/* On a worker: connect as this host, to the server that is followed, else to another one. Returns 0 or -errno. */
int ldap_job_connect(struct job *j, LDAP **ret);

/* On a worker: one entry with these attributes, by DN. Returns 0, -ENOENT, or another -errno. */
int ldap_job_read(struct job *j, LDAP *ld, const char *dn, const char *const *attributes, struct entries *to);

/*
 * On a worker: compare and swap (DESIGN 3.7): the old value, NULL where there is none, goes and the new one comes in
 * one modify, or nothing happens.
 *
 *  ours  name of the attribute in the standard schema
 *
 * Returns a result code of LDAP.
 */
int ldap_job_swap(struct job *j, LDAP *ld, const char *dn, const char *ours, const char *old, const char *next);

/* What such a code comes to; REASON_MFA_REPLAYED: another host was faster. */
enum reason ldap_job_reason(int code);

/*
 * On the loop: a job, not started yet.
 *
 *  run   on a worker
 *  user  NULL: it is about nobody
 *
 * Returns NULL without memory.
 */
struct job *ldap_job_new(struct source *base, void (*run)(struct source_job *), const struct identity *user, void *arg);

#endif

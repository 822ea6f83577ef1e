/*
 * source.h - where identities come from: the embedded LDIF file or an LDAP server.
 *
 * A source keeps one complete state of its directory in a census. What needs the directory itself (a password, tokens
 * with their secrets, a change) is asked, and answered later: each call takes a function that is called exactly once,
 * from the loop, never from within the call (but from within forget()).
 *
 * To add a kind of source: write its ops, and name its uri scheme in source_new().
 */
#ifndef ISMS_SOURCE_H
#define ISMS_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "common/identity.h"
#include "common/paths.h"
#include "common/settings.h"
#include "common/verdict.h"
#include "daemon/census.h"
#include "daemon/entry_changes.h"
#include "daemon/source_grants.h"
#include "daemon/workers.h"

#define SOURCE_TOKENS_MAX 16	/* of one user */

struct source;
struct source_job;

/* What a source says of itself. */
struct source_status {
	bool connected;			/* what the census says is what the directory says */
	int64_t since_utc_sec;		/* of connected, or of its loss */
	/*
	 * When the source last vouched for the census, as the wall clock of now counts back: a clock that was set since
	 * makes nothing older or younger. 0: never had one.
	 */
	int64_t confirmed_utc_sec;
	size_t received;		/* entries of a reading that is under way; they count once all have come */
	char fault[512];		/* why it is not connected, or what is wrong although it is; "": nothing */
	const char *manner;		/* how changes arrive; static, NULL: nobody says */
	size_t held_removed, held_renumbered;	/* users of a mass change that waits for a person (THREATS 5.5) */
	size_t held_older;		/* of those renumbered: entries that the server has as they were before (ldap_sync.h) */
	const char *older;		/* the first of them; the source's; NULL: none */
	const char *server;		/* that is followed; "" when there is none; these three are the source's */
	const char *servers, *servers_fault;	/* that DNS names, and what of it is wrong; "" where it is not asked */
};

/*
 * Somebody is another one, or connected where it was lost, or lost where it was connected, or the source has begun.
 *
 *  news  of the census; NULL: none. Lives during the call
 */
typedef void source_changed(const struct census_news *news, void *arg);

/* REASON_OK, or why not; text is for the person and may be "". */
typedef void source_result(enum reason reason, const char *text, void *arg);

/* Tokens (at most SOURCE_TOKENS_MAX; wiped after the call), or none and why not. */
typedef void source_tokens(enum reason reason, const struct msg_token *tokens, size_t count, void *arg);

/* What became of a recovery code; wiped after the call. */
typedef void source_recovery(const struct msg_recovery_result *result, void *arg);

struct source_ops {
	/* Start: connect, watch, load. Nothing that is missing now is an error; it may come. */
	int (*open)(struct source *s);
	void (*close)(struct source *s);
	/* user NULL: do the work of a check and answer REASON_PASSWORD_FAILED. Returns 0, or -errno: done is not called. */
	int (*password_check)(struct source *s, const struct identity *user, const char *password, source_result *done,
	    void *arg);
	int (*tokens)(struct source *s, const struct identity *user, source_tokens *done, void *arg);
	/* old "": the caller has judged the person by other means. */
	int (*password_change)(struct source *s, const struct identity *user, const char *old, const char *new_password,
	    source_result *done, void *arg);
	/*
	 * Move the mark of a token's codes from what it was to next, if it still is what it was: of all hosts one at most
	 * gets REASON_OK for a code, another one REASON_MFA_REPLAYED. NULL: the source keeps no marks.
	 */
	int (*token_mark)(struct source *s, const struct identity *user, const struct msg_token_mark *mark,
	    source_result *done, void *arg);
	/*
	 * Judge a recovery code of a user (normalised, recovery_code.h) and take it out of the directory, if it still is there:
	 * of all hosts one at most gets REASON_OK for it.
	 */
	int (*recovery_use)(struct source *s, const struct identity *user, const char *code, source_recovery *done, void *arg);
	/*
	 * Note the day of a user's last use, where it is later than what stands in the directory (last_use.h).
	 * REASON_OK also when there is nothing to do; REASON_STATE_UNWRITABLE when the directory does not take it.
	 */
	int (*last_use)(struct source *s, const struct identity *user, int64_t used_utc_sec, source_result *done,
	    void *arg);
	/* Let a mass change happen that is held back (struct source_status). NULL: the source holds nothing back. */
	void (*approve)(struct source *s);
	/* holders have changed; news are told of after it. NULL: there are none. */
	void (*save_holders)(struct source *s);
	/* Wait until what was judged is stored, or could not be: before that nobody is told of it. NULL: nothing is to wait for. */
	void (*await_stored)(struct source *s);
	void (*status)(const struct source *s, struct source_status *ret);
	/* At the start, and when settings have changed (not the uri): judge everybody anew, at once where that is possible. */
	void (*reload)(struct source *s);
};

/* Every kind of source begins with this. */
struct source {
	const struct source_ops *ops;
	sd_event *event;		/* owned */
	struct workers *workers;	/* borrowed */
	const struct paths *paths;	/* borrowed */
	const struct settings *settings;	/* borrowed */
	struct census *census;		/* owned */
	struct source_grants *grants;	/* owned */
	struct entry_heap *heap;	/* owned; for entries without secrets (source_heap.h) */
	sd_event_source *damage;	/* owned; of the heap */
	bool begun;			/* what was kept from before, if anything, is in it */
	uint64_t generation;		/* of what it holds: 0 before the first complete state, then 1, 2, ... */
	struct identity_holders *holders;	/* borrowed from the kind of source; NULL: it does not look for returned names */
	bool accept_newcomers;		/* all of the next state */
	bool accept_approved;		/* of the next state, whom a person has approved (census.h) */
	bool anew;			/* settings have changed since the last state */
	source_changed *changed;
	void *changed_arg;
	struct source_job *jobs;	/* answers that are due (source_job.h); the workers own the memory */
};

/*
 * Open the source that [directory] uri names.
 *
 *  paths,settings,workers  borrowed until source_free()
 *  changed                 called from the loop, never before source_new() has returned
 *  error                   receives why not, for the administrator
 *
 * Returns 0, -EINVAL for a uri that no source serves, or another -errno.
 */
int source_new(sd_event *event, const struct paths *paths, const struct settings *settings, struct workers *workers,
    source_changed *changed, void *arg, struct source **ret, char *error, size_t size);

/*
 * Whether a person's word on what is held back may count: it is about what he saw, removed and renumbered users, and an
 * approval about a server that is there.
 *
 * Returns 0, -ENOENT when nothing is held, -ESTALE when something else is than he saw, -ENOTCONN.
 */
int source_may_decide(const struct source_status *status, bool approve, size_t removed, size_t renumbered);

/* Pending calls are answered with REASON_DIRECTORY_UNAVAILABLE first. NULL is fine. */
void source_free(struct source *s);

/* Users in the last complete state, also broken ones. */
size_t source_users(const struct source *s);

/* ---- for the kinds of source ---- */

/*
 * Take changes in and tell of them.
 *
 *  changes  freed, also on failure
 *
 * Returns 0 or -ENOMEM: everything is as it was.
 */
int source_publish(struct source *s, struct entry_changes *changes);

/* Time has passed: what grants make of it. Returns 0 or -ENOMEM: everything is as it was. */
int source_tick(struct source *s);

/* A source for file:///PATH. Returns 0 or -errno. */
int ldif_source_new(const char *path, struct source **ret);

/* A source for the LDAP servers of [directory] uri. Returns 0 or -ENOMEM. */
int ldap_source_new(struct source **ret);

#endif

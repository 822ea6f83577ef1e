/*
 * front.h - the process that decides logins: what its files share. Runs as user isms, without network.
 *
 *   front.c           start, reload, the table of messages
 *   conversation.c    auth: prompts, answers, the failure floor          evaluation.c   password, code, counting
 *   password_change.c chauthtok                                          judgement.c    facts + policy + clock
 *   front_account.c   account          front_session.c  open, close, setcred reports
 *   front_local.c     local accounts under policy     front_local_watch.c    the ends of their sessions
 *   front_keys.c      which keys sshd may take before anybody has proven one
 *   front_request.c   how many of those two one user may have open       caller.c       whom a uid counts for
 *   front_admin.c     status, why, unlock, clock trust
 *   front_event.c     decision events, their sequence, aggregation       front_text.c   what a refused person reads
 *   front_last_use.c  last use and last login (front_last_use.h)
 */
#ifndef ISMS_FRONT_H
#define ISMS_FRONT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "common/authorized_key.h"
#include "common/event.h"
#include "common/paths.h"
#include "common/policy.h"
#include "common/proto.h"
#include "common/settings.h"
#include "common/verdict.h"
#include "daemon/ask.h"
#include "daemon/caller.h"
#include "daemon/clock.h"
#include "daemon/flood.h"
#include "daemon/peers.h"
#include "daemon/proof.h"
#include "daemon/server.h"
#include "daemon/state.h"

#define FRONT_PER_USER_MAX 128	/* account and session stages at a time for one user: a quarter of all connections */
#define CRED_FACTS_MS 2000	/* setcred's report is answered within the module's 3 s, facts or no facts */

struct conversation;
struct evaluation;
struct request_head;
struct live_sessions;
struct sources;

struct front {
	const struct paths *paths;	/* borrowed */
	struct peers peers;
	sd_event *event;		/* owned */
	struct settings settings;
	struct policy *policy;		/* owned; NULL: none could be read yet, every managed user is refused */
	bool stopping;			/* connections are closed because the front ends, not because a caller went */
	char config_fault[512];		/* "": the files are as they are in force */
	struct state *state;		/* owned */
	bool state_told;		/* state.unwritable was written and is still true */
	struct clock clock;
	sd_event_source *clock_timer;	/* owned */
	struct proofs *proofs;		/* owned */
	struct sources *sources;	/* owned */
	struct callers callers;		/* owned */
	struct live_sessions *sessions;	/* owned */
	struct server *server;		/* owned */
	struct flood *flood;		/* owned */
	struct conversation *conversations;	/* each owned by its connection */
	struct request_head *requests;	/* account and session stages; each owned by its connection */
	struct evaluation *evaluations;	/* in the order in which they came; each owned by its conversation */
	sd_event_source *use_timer;	/* owned; these six are front_last_use.c's */
	struct ask *use_ask;		/* owned */
	bool use_armed;			/* the timer is yet to come */
	char use_user[33];		/* whom use_ask is about */
	int64_t use_utc_sec, use_complained_utc_sec;
	struct {			/* front_local_watch.c's */
		sd_event_source *timer;	/* owned */
		bool armed;
		struct ask *ask;	/* owned */
		int64_t due_ms;		/* of the timer; this and the next two CLOCK_MONOTONIC */
		int64_t all_ms;		/* when to look at all of them; 0: never done so */
		int64_t next_all_ms;	/* of this walk: when the next one is to see all */
		bool is_all;		/* this walk sees all, not only those who are in */
		size_t at;		/* among the names of [local] manage */
		char user[33];		/* whom ask is about */
	} local_watch;
	uint64_t lost_first, lost_last;	/* sequence numbers that the journal did not take; 0: none */
};

/* Who asks for what, as a root peer claims it; of a locker only what the kernel says. */
struct subject {
	char user[257], service[65], rhost[256], tty[65], ruser[257];
	char txn[PROOF_ID_SIZE];
	uint32_t ruid;			/* real uid of the caller */
	uint32_t caller;		/* the uid that stands for him (caller.h); of conversations only */
	uint32_t flags;			/* REQUEST_* */
	uid_t peer_uid;
	pid_t peer_pid;
	bool key;			/* sshd completed a public key before this call */
	char key_print[AUTHORIZED_KEY_PRINT_SIZE];	/* its fingerprint; "": none, or no plain key */
	bool self;			/* AUTH_SELF */
	bool change;			/* CHANGE_BEGIN */
	bool key_awaited;		/* of a session: its account stage relied on a key that was still to come */
};

/* ---- judgement.c ---- */

/* Fill in the parts that every request has; copies. auth_info is SSH_AUTH_INFO_0, "" for none. */
void subject_init(struct subject *s, const struct connection *c, const char *user, const char *service,
    const char *rhost, const char *tty, const char *ruser, const char *auth_info, uint32_t ruid, uint32_t flags);

/* Whether SSH_AUTH_INFO_0 says that a public key was completed; strict: anything unknown says no. */
bool subject_proves_key(const char *auth_info);

/* Whether the caller is the person whose facts these are; NULL: not known, then he is not. */
bool subject_is_target(const struct subject *s, const struct facts *facts);

/* Failures of this request count as remote, local, or of another local user. facts: NULL when not known. */
enum scope subject_scope(const struct front *f, const struct subject *s, const struct facts *facts);

/* From when on the user's sessions end: his contract's end or that of his arming, the earlier one; 0: none. */
int64_t front_end_of(const struct facts *facts);
/* The same for a session that opens: 0 where its roles let it go on after its end (on-end = deny-new). */
int64_t front_session_end(const struct front *f, const struct facts *facts, uint64_t roles);

/* Read the clock; writes clock.untrusted and clock.trusted when that changes. Returns the effective time, UTC seconds. */
int64_t front_now(struct front *f, struct clock_reading *ret_reading);

/*
 * Judge facts by policy, now.
 *
 *  facts    NULL: the directory could not be asked
 *  factors  FACTOR_*: proven in this transaction
 *  ret      wholly written
 */
void front_judge(struct front *f, const struct facts *facts, const struct subject *subject, enum stage stage,
    unsigned factors, struct decision *ret);

/* When a decision falls, and what is known of that moment. */
struct moment {
	int64_t now_utc_sec;		/* effective time */
	int64_t data_utc_sec;		/* against which the age of facts counts: the wall clock, by which the source counts */
	bool clock_trusted;
	bool live_mfa_session;		/* the person has a live session proven with a code */
	unsigned sessions;		/* of the person, by services of CLASS_REMOTE */
};

/* The moment that it is now; nobody's session. */
void front_moment(struct front *f, struct moment *ret);
/* The sessions of whom these facts are, as far as they concern this request. */
void front_moment_sessions(const struct front *f, const struct facts *facts, const struct subject *subject,
    struct moment *ret);

/* As front_judge(), at a moment that the caller knows. */
void front_judge_at(struct front *f, const struct facts *facts, const struct subject *subject, enum stage stage,
    unsigned factors, const struct moment *moment, struct decision *ret);

/*
 * Whether what the account stage allows hangs on a key that sshd names only when the session opens, as that of a service
 * account or of an exemption does: the session stage would refuse it as it stands.
 */
bool front_awaits_key(struct front *f, const struct facts *facts, const struct subject *subject, unsigned factors,
    const struct moment *moment);

/*
 * Ask the directory process for the facts of a user.
 *
 *  deadline_ms  CLOCK_MONOTONIC
 *  reply        sees FACTS, or an error
 */
int front_ask_facts(struct front *f, const char *user, int64_t deadline_ms, ask_reply *reply, void *arg, struct ask **ret);

/* ---- front_local.c ---- */

/* Whether the request is about a local account under policy, by the module's word, which front_local_refuses() proves. */
bool subject_is_local(const struct subject *s);

/*
 * Whether module and front are not of one mind on [local] manage, as between two reloads: the module would take a
 * directory's user for a local account, or the other way round. Also refuses to change such an account's password.
 *
 *  ret  written when it does
 */
bool front_local_refuses(const struct front *f, const struct subject *s, struct decision *ret);

/* Refuse what was allowed if the account has a local group that its roles take away: nobody takes it away here. */
void front_local_groups(const struct front *f, const char *user, struct decision *ret);

/* For ask_start(): facts of a local account get the ids of the passwd file in place of the directory's. front: struct front. */
void front_local_amend(void *front, enum message number, void *msg);

/* ---- front_local_watch.c ---- */

/* Watch the ends of local accounts under policy from now on, if there are any; at the start. */
void front_local_watch(struct front *f);
/* The same as a session opens, which may be over before it is looked at. end_utc_sec: front_session_end(). */
void front_local_watch_opened(struct front *f, const char *user, int64_t end_utc_sec);
/* The same after a reload, which may have brought new ones. */
void front_local_watch_anew(struct front *f);
void front_local_watch_stop(struct front *f);

/* ---- front_event.c ---- */

/* One decision on its way to the journal; no pointers, so that a flood can keep a copy. */
struct record {
	enum event_id id;
	enum reason reason;
	const char *decision;		/* static: "granted", "denied", "passed", "none" */
	char user[65], service[65], rhost[256], tty[65], txn[PROOF_ID_SIZE], roles[256], rule[128], actor[257];
	char key[AUTHORIZED_KEY_PRINT_SIZE];
	char exemptions[256];
	char note[256], fault[256], token[65], groups[512], protected[512];
	bool has_uid;
	uint32_t uid;
	bool self;			/* a locker's: peer_uid is the kernel's word, the name is not */
	uint32_t peer_uid;
	enum kind kind;
	unsigned factors;
	int64_t not_after_utc_sec, data_age_sec;	/* 0, -1: none */
	int64_t armed_until_utc_sec;	/* of a break-glass account */
	bool has_remaining;
	unsigned remaining;		/* recovery codes */
	bool use;			/* a login that counts as a use of the account */
};

/*
 * Begin a record.
 *
 *  subject   NULL: concerns no login
 *  facts     NULL: not known; the name is then written only when the published snapshot knows it (JL05a)
 *  decision  NULL: policy was not asked
 */
void record_init(struct front *f, struct record *r, enum event_id id, const char *decision, enum reason reason,
    const struct subject *subject, const struct facts *facts, const struct decision *judged);

/* Write it with the next sequence number. Failures of one key beyond the limit are counted instead (DESIGN 4.5). */
void record_write(struct front *f, const struct record *r);

/* As record_write(), for a login that was granted: stores the last use with the number, where it counts as one. */
void record_write_granted(struct front *f, const struct record *r);

/* Beside a login that was granted: one exemption.used for each exemption that it took. */
void record_write_exemptions(struct front *f, const struct record *granted);

/* Write the summary of a flood; for flood_new(). */
void record_summary(const char *key, const void *sample, unsigned count, void *front);

/* Write state.unwritable once for as long as it is true. */
void front_watch_state(struct front *f);

/* ---- front_account.c ---- */

/* Begin the record of login.granted: by the account stage, or by the session of what front_awaits_key(). */
void front_granted_init(struct front *f, struct record *r, const struct subject *subject, const struct facts *facts,
    const struct decision *judged, unsigned factors);
/* Write it, and beside it what it used: the account, exemptions, break-glass. */
void front_granted_write(struct front *f, const struct record *r);

/* ---- front_text.c ---- */

/* What every refused person reads in auth; the same for all reasons. */
void text_auth_refused(const struct front *f, char *buf, size_t size);

/* What a person reads whom the account or session stage refuses; judged and facts may be NULL. */
void text_refused(const struct front *f, enum reason reason, const struct facts *facts, const struct decision *judged,
    char *buf, size_t size);

/* What a person reads who was let past auth by a recovery code. */
void text_recovery_used(const struct front *f, unsigned remaining, char *buf, size_t size);

/* ---- front_session.c ---- */

/* A session has ended: write session.closed. For live_sessions_new(). */
void front_session_ended(const struct session_row *row, const char *note, void *front);

/* ---- front_sessions.c ---- */

/*
 * Have the publisher end sessions.
 *
 *  txn   of the one that opens; NULL: none
 *  what  they are, for the complaint when that fails; static
 */
void front_sessions_end(struct front *f, const char *user, uint32_t uid, enum reason reason, const char *txn,
    const char *what);

/* ---- handlers (proto.def) ---- */
int handle_auth_begin(struct connection *c, const void *msg);
int handle_auth_self(struct connection *c, const void *msg);
int handle_answer(struct connection *c, const void *msg);
int handle_change_begin(struct connection *c, const void *msg);
int handle_account(struct connection *c, const void *msg);
int handle_ack(struct connection *c, const void *msg);
int handle_session_open(struct connection *c, const void *msg);
int handle_session_close(struct connection *c, const void *msg);
int handle_cred_report(struct connection *c, const void *msg);
int handle_keys_ask(struct connection *c, const void *msg);
int handle_status(struct connection *c, const void *msg);
int handle_why(struct connection *c, const void *msg);
int handle_unlock(struct connection *c, const void *msg);
int handle_clock_trust(struct connection *c, const void *msg);
int handle_sessions_get(struct connection *c, const void *msg);

/* The state of a request while its handler's answer is under way (connection_data()). */
enum request_kind { REQUEST_CONVERSATION, REQUEST_ACCOUNT, REQUEST_SESSION, REQUEST_WHY, REQUEST_KEYS };
struct request_head {
	enum request_kind kind;		/* first member of what hangs on a connection of the front */
	struct request_head *next, *prev;	/* in front->requests */
	const struct subject *subject;	/* borrowed; NULL: not entered */
};

/* ---- front_request.c ---- */

/*
 * Enter an account or session stage.
 *
 *  head, subject  zeroed before, and of the same life: until request_leave()
 *
 * Returns false when its user has FRONT_PER_USER_MAX open: to be hung up on, which refuses that user alone.
 */
bool request_enter(struct front *f, struct request_head *head, const struct subject *subject);
void request_leave(struct front *f, struct request_head *head);		/* one that was not entered is fine */

#endif

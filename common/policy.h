/*
 * policy.h - who may log in: facts + policy + request + clock -> decision.
 *
 * policy_decide() is a pure function: no I/O, no time(2), no allocation, no state. PAM, `why` and the
 * policy tests use this one implementation (DESIGN 3.4). policy_load() reads policy.conf.
 */
#ifndef ISMS_POLICY_H
#define ISMS_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/proto.h"	/* struct facts, FACTOR_*, enum kind */
#include "common/verdict.h"

#define POLICY_ROLES_MAX 64

struct policy;

/* Which stage asks. AUTH: window, locks, service; what to ask for. ACCOUNT: all. SESSION: all but MFA. */
enum stage { STAGE_AUTH = 1, STAGE_ACCOUNT, STAGE_SESSION };

/* Classes of PAM services (DESIGN 3.4); a service that is allowed but not in the table is remote. */
enum service_class {
	CLASS_REMOTE,		/* sshd, login, ...: proof in this transaction */
	CLASS_ELEVATION,	/* sudo, su, unlocking: proof, or a live session of that uid proven with MFA */
	CLASS_UNATTENDED,	/* cron, systemd-user, root's su: can prove nothing */
};

struct request {
	enum stage stage;
	const char *service;		/* exact PAM service name; "unprivileged" for a locker */
	const char *rhost;		/* address that the request comes from; "" for none */
	const char *key;		/* fingerprint "SHA256:..." of the key that was proven; NULL or "" for none, or not seen */
	bool key_unseen;		/* sshd does not name the key yet: it does when the session opens, and is judged by then */
	bool key_awaited;		/* SESSION: struct decision said so at the account stage */
	unsigned sessions;		/* live ones of this person by services of CLASS_REMOTE, this one apart */
	int64_t armed_longest_sec;	/* break-glass armed for longer counts as not armed; 0: for however long */
	const char *host, *host_groups;	/* this host's names in allow-hosts: one; and its groups, space-separated */
	bool root_caller;		/* real uid 0 runs su: unattended */
	unsigned factors;		/* FACTOR_*: proven in this transaction */
	bool live_mfa_session;		/* the requesting person has a live session proven with MFA */
	bool clock_trusted;
	int64_t now_utc_sec;		/* effective time: never before what was already seen */
};

struct decision {
	enum verdict verdict;
	enum reason reason;
	unsigned ask;			/* FACTOR_*: what auth has yet to ask for */
	bool mfa_due;			/* a code is due for this user and service */
	bool key_awaited;		/* no code is due by an exemption bound to a key that nobody has seen: the session must show it */
	uint64_t roles;			/* bit i: role i matched */
	uint32_t max_session_sec;	/* 0: no limit */
	uint32_t max_sessions;		/* 0: no limit */
	char exemptions[256];		/* names of those without which it would be a denial, separated by spaces */
	char contact[128];		/* whom a refused person asks; "" = the setting's */
	char rule[128];			/* the rule that decided, e.g. "role contractor: allow-services (policy.conf:12)" */
};

enum group_effect {
	GROUP_DROP,		/* zero means deny */
	GROUP_KEEP,
	GROUP_PROTECTED,	/* would be dropped, but is flagged deny-acl: stays (PS08) */
};

/*
 * Read policy.conf and policy.d/NAME.conf (in strcmp order).
 *
 *  dir         folder that holds them, e.g. "/etc/isms"
 *  ret_policy  new policy; free with policy_free()
 *  error       receives "FILE:LINE: what is wrong; what to do" (size bytes, NUL-terminated)
 *
 * Unknown keys, sections, values or duplicate roles are errors. Returns 0, -EINVAL with error set, or another -errno.
 */
int policy_load(const char *dir, struct policy **ret_policy, char *error, size_t size);

/*
 * The same from memory, for the tests and the fuzzer.
 *
 *  name  stands in messages as the file's name
 */
int policy_parse(const char *text, size_t len, const char *name, struct policy **ret_policy, char *error, size_t size);

void policy_free(struct policy *policy);

/*
 * Which roles match a user (bit i = role i). A role matches when each type of term it names (kind:, user:,
 * group:) has one that fits; "any" fits everybody.
 */
uint64_t policy_match(const struct policy *policy, const struct facts *facts);

/* Number of roles, and the name of role i; NULL when there is none. */
size_t policy_role_count(const struct policy *policy);
const char *policy_role_name(const struct policy *policy, size_t i);

/* The class of a service; root_caller turns su into CLASS_UNATTENDED. */
enum service_class policy_class(const struct policy *policy, const char *service, bool root_caller);

/*
 * Decide.
 *
 *  facts, policy, request  borrowed
 *  ret                     wholly written, also on deny
 *
 * Cannot fail. A user may enter while now_utc_sec < not_after_utc_sec (THREATS 5.7); nothing allows = deny.
 */
void policy_decide(const struct facts *facts, const struct policy *policy, const struct request *request,
    struct decision *ret);

/*
 * Whether this user could ever be let in on this host: at some hour, from somewhere, with some proof, by some service.
 * What passes by itself or by a person's hand (window, locks, end date, break-glass not armed) is not looked at.
 *
 *  host, host_groups  as in struct request
 *
 * False only where policy_decide() lets in for no request on this host.
 */
bool policy_could_enter(const struct facts *facts, const struct policy *policy, const char *host,
    const char *host_groups);

/*
 * What becomes of a supplementary group.
 *
 *  roles     of policy_match()
 *  is_local  the group stands in /etc/group: kept only where a role names it
 */
enum group_effect policy_group(const struct policy *policy, uint64_t roles, const char *group, bool is_local);

/* Whether sessions end that hold a group after the grant that gave it ([groups] privileged); else they are warned. */
bool policy_is_privileged(const struct policy *policy, const char *group);

/* Whether users of these roles need a code when they have tokens linked (membership of isms-mfa). */
bool policy_needs_mfa(const struct policy *policy, uint64_t roles, uint32_t token_count);

/*
 * All group names that any role keeps or flags deny-acl: the publisher's allow-list of local groups.
 *
 *  ret  called with each name once
 */
void policy_each_kept_group(const struct policy *policy, void (*ret)(const char *name, void *arg), void *arg);

/*
 * What becomes of live sessions when the contract ends.
 *
 *  roles  of policy_match()
 *
 * Returns true where they may go on (on-end = deny-new): all these roles say so, and there is one.
 */
bool policy_spares_sessions(const struct policy *policy, uint64_t roles);

/*
 * From when on a service account is refused for its owner's sake: his end and the grace.
 *
 * Returns 0 for never, INT64_MIN for already, whatever the time.
 */
int64_t policy_owner_end(const struct policy *policy, uint64_t roles, const struct facts *facts);

/* Names of [local] manage; i from 0, NULL at the end. */
const char *policy_local_managed(const struct policy *policy, size_t i);
/* Whether a name is one of them; policy NULL: none is. */
bool policy_manages_local(const struct policy *policy, const char *name);

#endif

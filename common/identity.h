/*
 * identity.h - directory entries -> users, groups and tokens, by the standard schema (FACTS 2).
 *
 * Pure: entries in, identities out; a fault of one entry makes that one FACTS_BROKEN with the reason in
 * words, never another, never a default (THREATS I10). Used by the directory process and isms-userctl.
 */
#ifndef ISMS_IDENTITY_H
#define ISMS_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/entry.h"
#include "common/proto.h"	/* struct facts, struct msg_token */
#include "common/settings.h"

#define IDENTITY_FAULT_SIZE	256
#define IDENTITY_GROUP_DEPTH_MAX 16	/* groups within groups; deeper makes the user FACTS_BROKEN */
#define IDENTITY_LOCKED_FOREVER	253402300799LL	/* 9999-12-31T23:59:59Z: locked, with no end known */

struct identity {
	const struct entry *entry;	/* borrowed */
	enum facts_state state;		/* FACTS_MANAGED or FACTS_BROKEN */
	char *fault;			/* of the arena; FACTS_BROKEN: what is wrong, in words; else NULL */
	char name[33];			/* "" when the entry has no usable uid: nobody can ask for it */
	const char *claimed_name;	/* borrowed from the entry; the uid as it stands there; NULL: none */
	uint32_t uid, gid;		/* 0 when unusable */
	enum kind kind;
	char *gecos, *home, *shell;	/* the same; NULL when FACTS_BROKEN */
	char *display, *sponsor, *owner;	/* the same; may be NULL; the last two DNs */
	char *armed_by, *armed_reason;	/* the same; break-glass; may be NULL */
	char *sources, *command;	/* the same; of the entry's keys: networks, space separated, and what they run; may be NULL */
	int64_t armed_until_utc_sec, last_use_utc_sec, reviewed_at_utc_sec, created_utc_sec;	/* 0: none, never, not known */
	char entry_id[65];		/* entryUUID, else "dn:" and a hash of the DN */
	int64_t not_before_utc_sec, not_after_utc_sec, locked_until_utc_sec;	/* 0: none */
	int64_t password_end_utc_sec;	/* from then on the password has to be changed; 0: never */
	const char *not_after_source, *disabled_source;	/* attribute names; static, "" when none */
	bool disabled, must_change, password_set;
	bool local;			/* ismsLocalAccount: about accounts of /etc/passwd ([local] manage); never published */
	bool newcomer;			/* FACTS_BROKEN because another person had his name or number before */
	uint32_t token_count;		/* linked tokens */
	uint32_t *groups;		/* the same; indexes of identity groups, by memberUid and member (nested) */
	uint32_t group_count;
};

/* Whose a group's name is: a group that policy names is the entry that had the name, not whatever is called so. */
enum identity_name {
	IDENTITY_NAME_OWN,
	IDENTITY_NAME_OTHERS,		/* another group had it first: nobody is in a group of this name by this entry */
	IDENTITY_NAME_DOUBTFUL,		/* nobody can say whose it is: its members are FACTS_BROKEN */
};

struct identity_group {
	const struct entry *entry;	/* borrowed */
	char name[33];
	enum identity_name whose;	/* not IDENTITY_NAME_OWN: gid is 0, and no user's groups have it */
	uint32_t gid;			/* 0: broken entry; it counts for policy's group: terms and is never published */
};

/* What is wrong with an entry. */
struct identity_fault_line {
	const struct entry *entry;	/* borrowed */
	char text[IDENTITY_FAULT_SIZE];	/* "DN: what is wrong; cure" */
};

/* All of a directory, or of a part that depends on nothing outside it; the entries must outlive it. */
struct identities {
	struct arena memory;		/* owned; of what users say */
	struct identity *users;		/* sorted by name; also those that are FACTS_BROKEN */
	size_t user_count;
	struct identity_group *groups;
	size_t group_count;
	struct identity_fault_line *faults;	/* owned; for events and status */
	size_t fault_count;
	size_t newcomer_count;		/* users that are broken because another person had their name or number before */
};

/*
 * Who had a name or a number and has it no more. An entry that comes with one of them is another person, to whom files,
 * mail and rights of the former one would fall: he waits until somebody has said that this is right (THREATS 5.5).
 */
struct identity_holder {
	bool is_number;			/* uidNumber; else uid */
	char key[33];
	char entry_id[65];
};

#define IDENTITY_HOLDERS_MAX 100000	/* with so many every new user waits: none can be told from a returned name */

struct identity_holders {
	struct identity_holder *list;	/* owned; names before numbers, each sorted by key */
	size_t count, room;
};

/* Add one, in its place. Returns 0, -EEXIST, -E2BIG, -EINVAL for what cannot be one, or -ENOMEM. */
int identity_holders_add(struct identity_holders *all, bool is_number, const char *key, const char *entry_id);

/* Add those of more that are not there yet, as many as there is room for. Returns 1 when *all has changed, 0, or -ENOMEM. */
int identity_holders_join(struct identity_holders *all, const struct identity_holders *more);

/* The former holder's entry_id; NULL: nobody is known. */
const char *identity_holders_find(const struct identity_holders *all, bool is_number, const char *key);

/*
 * What of previous is gone in now is added, what somebody good has in now is dropped.
 *
 *  previous  may be NULL
 *
 * Returns 1 when *all has changed, 0, or -ENOMEM.
 */
int identity_holders_update(struct identity_holders *all, const struct identities *previous,
    const struct identities *now);
void identity_holders_done(struct identity_holders *all);	/* a zeroed struct is fine */

/* What an entry wants for itself alone. */
enum identity_claim {
	CLAIM_NAME, CLAIM_UID, CLAIM_ENTRY_ID, CLAIM_GROUP_NAME, CLAIM_GID,
	CLAIM_PRIMARY_GID,		/* no claim of his own: the group that a user refers to; told by identity_claims() alone */
};

#define IDENTITY_KEY_SIZE 65		/* of a claim's key: lower case, a number in digits */

/* Called for a claim; key lives during the call. Returns 0, or another number that ends it. */
typedef int identity_claim_each(enum identity_claim kind, const char *key, void *arg);

/*
 * What an entry claims, broken or not, as identities_build() would see it.
 *
 * Returns 0, what each() returned, or -ENOMEM.
 */
int identity_claims(const struct entry *e, const struct settings *settings, identity_claim_each *each, void *arg);

/* What a group is known by from one view to the next: borrowed from the entry. */
const char *identity_group_id(const struct entry *e);

/* Whether an entry may have members: a posixGroup, or one that only holds members of others. */
bool identity_is_group(const struct entry *e);

/* Whether a DN, normalised, is the base or below it. */
bool identity_is_below(const char *ndn, const char *nbase);

/* What the last view said, for those who come now (THREATS 5.5, 5.4, RP06a). */
struct identity_past {
	/*
	 * Who had a name or a number, when there was no doubt; never asked for CLAIM_ENTRY_ID.
	 *
	 * Returns his entry_id, or identity_group_id() of the group, valid until the next call; NULL: nobody.
	 */
	const char *(*holder)(void *arg, enum identity_claim kind, const char *key);
	/* Whether a user's entry was there and good. */
	bool (*knew)(void *arg, const char *entry_id);
	/* Whether a person has said of this entry that it is nobody else; NULL: of none. */
	bool (*accepted)(void *arg, const struct entry *e);
	void *arg;
};

/*
 * Build from entries below settings->directory_base. Two entries of one uid, uidNumber, gidNumber (of groups),
 * cn (of groups) or entryUUID are all broken, and with groups of one cn their members.
 *
 *  previous  the last good view, or NULL: of two entries with one uidNumber, gidNumber or cn of a group the one that
 *            held it there stays, the newcomer is broken (THREATS 5.5, 5.4, RP06a)
 *  holders   former holders, or NULL: whoever comes with the name or number of one, or of a good user of previous, and
 *            is not he is broken, too
 *
 * Returns 0 or -ENOMEM; *ret is written only on success.
 */
int identities_build(const struct entries *entries, const struct settings *settings, struct identities *ret);
int identities_build_after(const struct entries *entries, const struct settings *settings,
    const struct identities *previous, const struct identity_holders *holders, struct identities *ret);
/* The same with a past that is not a struct identities; past NULL: there was none. */
int identities_build_from(const struct entries *entries, const struct settings *settings,
    const struct identity_past *past, const struct identity_holders *holders, struct identities *ret);
void identities_done(struct identities *all);	/* a zeroed struct is fine */

/* By name (exact); NULL when absent. */
const struct identity *identities_find(const struct identities *all, const char *name);

/*
 * What policy judges, complete but for confirmed_utc_sec.
 *
 *  all,user  borrowed; user NULL gives FACTS_UNKNOWN
 *  ret       wholly written, up to the NUL of groups
 */
void identity_facts(const struct identities *all, const struct identity *user, struct facts *ret);

/* The fingerprints of his public keys in facts that identity_facts() has made: of use where a login is judged. */
void identity_fact_keys(const struct identity *user, struct facts *facts);

/*
 * The public keys of an entry, ismsKey first, then sshPublicKey; at most AUTHORIZED_KEYS_MAX.
 *
 *  each  called with each that is one, once by its fingerprint; returns false to end it
 *
 * Returns how many values are none, or one too many.
 */
struct authorized_key;
size_t identity_keys(const struct entry *e, bool (*each)(const struct authorized_key *key, void *arg), void *arg);

/* Whether it is an account of somebody who can answer for something. */
bool identity_is_person(const struct identity *who);

/*
 * How an owner, a sponsor or an approver stands. Nothing but a person is one: CARE_MISSING.
 *
 *  who      his identity; NULL: there is none of that DN
 *  ret_end  since when, or from when on, he is not valid any more; 0: no end, or not known
 */
enum care identity_care(const struct identity *who, int64_t now_utc_sec, int64_t *ret_end_utc_sec);

/*
 * The tokens that a user's entry links to.
 *
 *  ret,room  filled with at most room tokens (secrets included: wipe them)
 *
 * Returns the number of linked tokens. An unusable one has its fault set.
 */
size_t identity_tokens(const struct entries *entries, const struct entry *user, struct msg_token *ret, size_t room);

/* The same for who may see the tokens and not their secrets: no secret is in *ret, and none that lacks is a fault. */
size_t identity_tokens_seen(const struct entries *entries, const struct entry *user, struct msg_token *ret, size_t room);

#endif

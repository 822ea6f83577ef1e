/*
 * identity_parts.h - what the files of identity share with each other; nobody else includes it.
 */
#ifndef ISMS_IDENTITY_PARTS_H
#define ISMS_IDENTITY_PARTS_H

#include "common/arena.h"
#include "common/identity.h"

#define IDENTITY_GROUPS_MAX	4096	/* of one user; as ROSTER_USER_GROUPS_MAX */

/* What is wrong with one entry; "" while nothing is. The first fault stands. */
struct fault {
	char text[IDENTITY_FAULT_SIZE];
};

/* Note a fault, unless there is one. Control characters become "?". */
void identity_fault(struct fault *fault, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Digits without sign, space or leading zero.
 *
 * Returns 0, or -EINVAL also beyond max.
 */
int identity_parse_number(const char *text, uint64_t max, uint64_t *ret);

/* The only value of an attribute: NULL when absent, or, with the fault noted, when it cannot be used. */
const char *identity_single(const struct entry *e, const char *name, struct fault *fault);

/* The same as a number; *ret stays as it is when absent or malformed. Returns whether it was written. */
bool identity_single_number(const struct entry *e, const char *name, uint64_t max, struct fault *fault, uint64_t *ret);

/* TRUE or FALSE (RFC 4517, without case); absent is false. */
bool identity_single_bool(const struct entry *e, const char *name, struct fault *fault);

/* A user or group id within settings' range and above the compiled-in floor; 0 with the fault noted. */
uint32_t identity_read_id(const struct entry *e, const char *name, const struct settings *settings, struct fault *fault);

/* More attributes than any entry has, or a value too long for anything, are a fault (ENTRY_ATTRIBUTES_MAX, ENTRY_VALUE_MAX). */
void identity_check_sizes(const struct entry *e, struct fault *fault);

/* Eight bytes of a text from at on, which compare as it does. */
uint64_t identity_leading_bytes(const char *text, size_t at);

/* Break whoever claims what another one does, or what another one had. Arguments as of identities_build_from(). 0 or -ENOMEM. */
int identity_judge_claims(struct identities *all, const struct identity_past *past, const struct identity_holders *holders);

/* A claim's key in lower case. Returns false for none, and for one that is too long to be valid. */
bool identity_fold_key(const char *key, char ret[static IDENTITY_KEY_SIZE]);

/* A number in digits. */
void identity_number_key(uint32_t number, char ret[static IDENTITY_KEY_SIZE]);

/*
 * One posixGroup's name and gid.
 *
 *  fault  what is wrong with it; the gid is 0 then
 *
 * Returns whether it has a name, without which it is no group.
 */
bool identity_read_group(const struct entry *e, const struct settings *settings, struct identity_group *ret,
    struct fault *fault);

/* entryUUID, else "dn:" and 128 bits of a hash of the DN. */
void identity_entry_id(const struct entry *e, struct fault *fault, char ret[static 65]);

/* Printable UTF-8 of at most max bytes, fit for gecos: ":" and control characters become spaces. NULL without memory. */
char *identity_clean_text(struct arena *memory, const char *text, size_t max);

/* A GeneralizedTime attribute. Returns whether it was there and well formed; *ret stays as it is when not. */
bool identity_single_time(const struct entry *e, const char *name, struct fault *fault, int64_t *ret_utc_sec);

/* Who answers for the user, when he was last used and reviewed, whether he is armed. Returns 0 or -ENOMEM. */
int identity_read_care(const struct entry *e, struct arena *memory, struct identity *user, struct fault *fault);

/* Where his keys may be used from and what they run. Returns 0 or -ENOMEM. */
int identity_read_key_limits(const struct entry *e, struct arena *memory, struct identity *user, struct fault *fault);

/* Starts, ends and locks (THREATS 5.7): every known end, the earliest wins; any lock wins. */
void identity_read_window(const struct entry *e, struct identity *user, struct fault *fault);

/*
 * Everything that one entry says of its user, but for groups and what other entries say.
 *
 *  memory  where what the user says lies
 *
 * Returns 0 or -ENOMEM.
 */
int identity_read_user(const struct entry *e, const struct settings *settings, struct arena *memory,
    struct identity *user, struct fault *fault);

/* Make a user FACTS_BROKEN, with the first fault that was found. Returns 0 or -ENOMEM. */
int identity_break(struct arena *memory, struct identity *user, const char *what);

/* Add "DN: what" to the list of faults. Returns 0 or -ENOMEM. */
int identity_add_fault(struct identities *all, const struct entry *e, const char *what);

/*
 * Entries below the base which may be accounts and groups where they stand; whatever counts as something else somewhere
 * else alone (entry_place.h) is a fault.
 *
 *  ret  room for as many as there are
 *
 * Returns 0 or -ENOMEM.
 */
int identity_list_below(const struct entries *entries, const char *nbase, struct identities *all,
    const struct entry **ret, size_t *ret_count);

/*
 * Find the groups: all->groups, names and ids as their entries say; faults noted. all->users are read already.
 *
 * Returns 0 or -ENOMEM.
 */
int identity_read_groups(const struct entry *const *below_base, size_t count, const struct settings *settings,
    struct identities *all);

/*
 * What is in which group, by the entries alone; to be freed by identity_graph_free(). While it is made, claims may be judged:
 * what they change is not read.
 *
 *  all  borrowed; its users and groups are read already, by their names and in the order of entries
 *
 * Returns 0 or -ENOMEM.
 */
struct identity_graph;
int identity_graph_new(const struct entry *const *below_base, size_t count, struct identities *all, struct identity_graph **ret);
void identity_graph_free(struct identity_graph *g);	/* NULL is fine */

/* Fill in the groups of every user, whose claims were judged: direct and nested. Returns 0 or -ENOMEM. */
int identity_link_groups(struct identity_graph *g);

#endif

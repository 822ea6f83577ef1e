/*
 * identity.h - directory entries -> users, groups and tokens, by the standard schema (FACTS 2).
 *
 * Pure: entries in, identities out; a fault of one entry makes that one FACTS_BROKEN with the reason in
 * words, never another, never a default (THREATS I10). Used by the directory process and isms-userctl.
 */
#ifndef ISMS_IDENTITY_H
#define ISMS_IDENTITY_H

#include "common/entry.h"
#include "common/proto.h"	/* struct facts, struct msg_token */
#include "common/settings.h"

struct identity {
	const struct entry *entry;	/* borrowed */
	char name[33];			/* "" when the entry has no usable uid */
	uint32_t uid, gid;
	char *gecos, *home, *shell;	/* owned */
	uint32_t *groups;		/* owned; indexes of identity groups, by memberUid and member (nested) */
	uint32_t group_count;
	struct facts *facts;		/* owned; complete but for confirmed_utc_sec */
};

struct identity_group {
	const struct entry *entry;	/* borrowed */
	char name[33];
	uint32_t gid;
};

/* All of a directory; the entries must outlive it. */
struct identities {
	struct identity *users;		/* sorted by name; also those that are FACTS_BROKEN */
	size_t user_count;
	struct identity_group *groups;
	size_t group_count;
	char (*faults)[256];		/* "DN: what is wrong; cure", for events and status */
	size_t fault_count;
};

/*
 * Build from entries below settings->directory_base.
 *
 * Returns 0 or -ENOMEM.
 */
int identities_build(const struct entries *entries, const struct settings *settings, struct identities *ret);
void identities_done(struct identities *all);

/* By name (exact); NULL when absent. */
const struct identity *identities_find(const struct identities *all, const char *name);

/*
 * The tokens that a user's entry links to.
 *
 *  ret,room  filled with at most room tokens (secrets included: wipe them)
 *
 * Returns the number of linked tokens. An unusable one has its fault set.
 */
size_t identity_tokens(const struct entries *entries, const struct entry *user, struct msg_token *ret, size_t room);

#endif

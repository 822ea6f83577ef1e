/*
 * directory_need.h - which users and groups this host has to know ([nss] publish).
 */
#ifndef ISMS_DIRECTORY_NEED_H
#define ISMS_DIRECTORY_NEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/identity.h"
#include "daemon/census_index.h"

struct directory_roster_rules;

/* Lives as long as the directory process does. */
struct directory_need {
	struct census_index left_out;	/* owned; keys of good users whom no rule lets in here */
	size_t not_let_in;		/* how many they are */
	bool *users, *groups;		/* owned; of the roster that is made, by their index among the identities; NULL: all */
};

/*
 * Find whom a roster tells of. A user's answer depends on the user's facts, the policy and the host's names in settings
 * alone; a group is needed where it is the primary group of a needed user, or policy leaves it to one. One that its last
 * needed user has left is told of until the next whole roster.
 *
 *  need  zeroed at first; users and groups are good until the next call
 *
 * Returns 0 or -errno.
 */
int directory_need_find(struct directory_need *need, const struct identities *all,
    const struct directory_roster_rules *rules);
void directory_need_done(struct directory_need *need);

/* Whether the i-th user of the identities is one of them. */
static inline bool
directory_need_user(const struct directory_need *need, size_t i)
{
	return need->users == NULL || need->users[i];
}

/* Whether the i-th group is. */
static inline bool
directory_need_group(const struct directory_need *need, size_t i)
{
	return need->groups == NULL || need->groups[i];
}

#endif

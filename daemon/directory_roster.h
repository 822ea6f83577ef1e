/*
 * directory_roster.h - what the publisher is told: identities and the groups that policy leaves them.
 */
#ifndef ISMS_DIRECTORY_ROSTER_H
#define ISMS_DIRECTORY_ROSTER_H

#include <stdint.h>

#include "common/identity.h"
#include "common/policy.h"
#include "common/settings.h"
#include "daemon/census.h"
#include "daemon/directory_need.h"
#include "daemon/grant_book.h"

struct directory_roster_rules {
	const struct policy *policy;	/* borrowed */
	const struct settings *settings;	/* borrowed */
	uint64_t secret[2];		/* of the records' keys: random, the same for all rosters of a process */
	const struct census_news *news;	/* borrowed; tell of what this touches alone; NULL: a whole roster */
	struct directory_need *need;	/* borrowed; kept up to date */
	struct census *census;		/* borrowed; NULL: nobody is owned */
	struct census_asking asking;
	const struct grant_book *grants;	/* borrowed; NULL: nobody lost anything */
};

/* The key of a user's record, or a group's, by the name. */
uint64_t directory_roster_key(const struct directory_roster_rules *rules, const char *name);

/*
 * Build a roster, in a sealed memfd.
 *
 *  all     everybody; with news those of its part
 *  ret_fd  the caller closes it
 *
 * Returns 0 or -errno.
 */
int directory_roster_make(const struct identities *all, const struct directory_roster_rules *rules, int *ret_fd);

#endif

/*
 * directory_roster.h - what the publisher is told: identities and the groups that policy leaves them.
 */
#ifndef ISMS_DIRECTORY_ROSTER_H
#define ISMS_DIRECTORY_ROSTER_H

#include <stdint.h>

#include "common/policy.h"
#include "common/settings.h"
#include "daemon/source.h"

/* Counts for status. */
struct directory_roster {
	uint32_t users, groups;		/* in the roster */
	uint32_t left_out;		/* users that are FACTS_BROKEN, or that the roster's grammar refuses */
};

/*
 * Build the roster of a view under a policy, in a sealed memfd.
 *
 *  ret_fd  the caller closes it
 *
 * Returns 0 or -errno.
 */
int directory_roster_make(const struct source_view *view, const struct policy *policy, const struct settings *settings,
    struct directory_roster *ret, int *ret_fd);

#endif

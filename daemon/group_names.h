/*
 * group_names.h - names of groups for events, from /etc/group itself and the published snapshot, never through NSS.
 */
#ifndef ISMS_GROUP_NAMES_H
#define ISMS_GROUP_NAMES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/paths.h"
#include "common/policy.h"

/*
 * Turn gids into names; a gid that nobody knows stays a number.
 *
 *  owner  the uid that must own the snapshot
 *  gids   decimal, space separated, as a root peer sent them; anything else is left out
 *  buf    receives the names, space separated, cut at size
 */
void group_names_of(const struct paths *paths, uid_t owner, const char *gids, char *buf, size_t size);

/*
 * The groups of a user that policy would drop, but flags deny-acl, so that they stay (PS08a).
 *
 *  directory_groups  of struct facts
 */
void group_names_protected(const struct paths *paths, const struct policy *policy, uint64_t roles, const char *user,
    const char *directory_groups, char *buf, size_t size);

#endif

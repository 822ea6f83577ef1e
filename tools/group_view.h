/*
 * group_view.h - what becomes of each supplementary group of a user, and which role says so.
 */
#ifndef ISMS_GROUP_VIEW_H
#define ISMS_GROUP_VIEW_H

#include <jansson.h>

#include "common/identity.h"
#include "common/policy.h"

/*
 * The user's groups of the directory and those of /etc/group that list the name.
 *
 *  group_path  of the local file; a missing one is empty
 *
 * Returns an array of {"group", "local", "effect": "kept"|"dropped"|"protected", "by"}, or NULL without memory.
 */
json_t *group_view(const struct identities *all, const struct identity *user, const struct policy *policy,
    const char *group_path);

/*
 * Lines of /etc/group that list a managed user whose roles do not keep that group: sg and newgrp give it
 * back whatever NSS says (DESIGN 3.14).
 *
 * Returns an array of {"user", "group"}, or NULL without memory.
 */
json_t *group_view_leaks(const struct identities *all, const struct policy *policy, const char *group_path);

#endif

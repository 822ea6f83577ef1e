/*
 * roster_maker.h - small rosters for tests, through the real writer, memfd and reader.
 */
#ifndef ISMS_TESTS_ROSTER_MAKER_H
#define ISMS_TESTS_ROSTER_MAKER_H

#include <stddef.h>

#include "daemon/roster.h"

/* Seal a whole roster; a key of 0 becomes the place, from 1; a user's empty home and shell become /home/x and /bin/sh, NULL strings "". Returns the memfd. */
int roster_maker_seal(const struct roster_group *groups, size_t group_count, const struct roster_user *users,
    size_t user_count);

/* Seal a change; keys as they are. Else as above. */
int roster_maker_change(const struct roster_group *groups, size_t group_count, const struct roster_user *users,
    size_t user_count, const uint64_t *dropped_groups, size_t dropped_group_count, const uint64_t *dropped_users,
    size_t dropped_user_count);

/* A whole one, read back. The caller frees it. */
struct roster *roster_maker_open(const struct roster_group *groups, size_t group_count,
    const struct roster_user *users, size_t user_count);

#endif

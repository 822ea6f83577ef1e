/*
 * snapshot_whole.h - what the full checks of base and delta share. Private to these two.
 */
#ifndef ISMS_SNAPSHOT_WHOLE_H
#define ISMS_SNAPSHOT_WHOLE_H

#include "common/snapshot_format.h"

/* A place among the members of a group: the next one, and the bytes of the names before it, each with its end. */
struct snapshot_members {
	uint32_t index, names;
};

/* Whether the member at a place has this name. False behind the last. */
bool snapshot_member_is(const struct snapshot_group *group, const struct snapshot_members *at, const char *name,
    size_t len);

/* Whether each string is as long as its length says. */
bool snapshot_strings_whole(const struct snapshot_user *user);

/* Whether a record is found again by both of its keys, in its own file. */
bool snapshot_user_found(const uint8_t *file, const struct snapshot_user *user);
bool snapshot_group_found(const uint8_t *file, const struct snapshot_group *group);

/*
 * Whether a section is no table, or has exactly one slot per record and no run that a reader would not see the end of.
 */
bool snapshot_table_whole(const uint8_t *file, unsigned table);

#endif

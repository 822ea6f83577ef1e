/*
 * publisher_record.h - an accepted user as it is published: with what is left of its groups, and local ones.
 */
#ifndef ISMS_PUBLISHER_RECORD_H
#define ISMS_PUBLISHER_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/settings.h"
#include "common/snapshot.h"
#include "daemon/publisher_check.h"
#include "daemon/publisher_groups.h"
#include "daemon/register.h"

#define PUBLISHER_GIDS_MAX (ROSTER_USER_GROUPS_MAX + SNAPSHOT_LOCAL_GIDS_MAX)

struct publisher_record {
	struct roster_user user;
	const char *shell;
	char gecos[PUBLISHER_GECOS_MAX + 1];
	uint32_t gids[PUBLISHER_GIDS_MAX];	/* sorted, each once, without the primary one */
	uint32_t gid_count;
	struct user_lists lists;
};

/* What it is made of; all borrowed. */
struct publisher_making {
	const struct register_book *book;
	const struct settings *settings;
	const struct publisher_groups *groups;
};

/* Fill in a record. */
void publisher_record_make(const struct publisher_making *m, const struct user_record *user,
    struct publisher_record *ret);

/* Whether a snapshot shows a user, or a group, exactly so. */
bool publisher_record_is_in(const struct publisher_record *r, const struct snapshot *s);
bool publisher_group_is_in(const struct record *group, const struct snapshot *s);

#endif

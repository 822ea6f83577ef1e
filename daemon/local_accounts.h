/*
 * local_accounts.h - the users, groups and subordinate ids of this host, read from its files themselves.
 *
 * A name or id that stands there belongs to this host and never to the directory (THREATS I2, 5.2). Never
 * through NSS: a lookup of ours must not depend on the module that we feed (THREATS I4).
 */
#ifndef ISMS_LOCAL_ACCOUNTS_H
#define ISMS_LOCAL_ACCOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/paths.h"
#include "common/subid.h"

struct local_user {
	char *name, *home;	/* owned */
	uint32_t uid, gid;
};

struct local_group {
	char *name;		/* owned */
	uint32_t gid;
	char **members;		/* owned, as are the strings; sorted */
	size_t member_count;
	size_t line;		/* place in the file */
};

struct local_accounts {
	struct local_user *users;	/* owned; sorted by name */
	struct local_group *groups;	/* owned; sorted by name */
	uint32_t *uids, *gids;		/* owned; sorted */
	size_t user_count, group_count;
	struct subids subuids, subgids;	/* lent to local accounts; an id in them is theirs in a user namespace */
};

/*
 * Read /etc/passwd, /etc/group, and /etc/subuid and /etc/subgid where these exist.
 *
 * Returns 0, or -errno when one cannot be read whole. Free with local_accounts_done().
 */
int local_accounts_load(const struct paths *paths, struct local_accounts *ret);

/* Frees and zeroes; a zeroed struct is fine. */
void local_accounts_done(struct local_accounts *all);

/* Whether two say the same. */
bool local_accounts_are_equal(const struct local_accounts *a, const struct local_accounts *b);

/* Whether a name, or an id, stands in /etc/passwd or /etc/group. */
bool local_accounts_has_user(const struct local_accounts *all, const char *name);
bool local_accounts_has_uid(const struct local_accounts *all, uint32_t uid);
bool local_accounts_has_gid(const struct local_accounts *all, uint32_t gid);

/* Whether a uid is a local account's: its own, or one that it has in its user namespaces. */
bool local_accounts_owns_uid(const struct local_accounts *all, uint32_t uid);

/* The group of a name; NULL when absent. Of several lines of one name the first counts, as it does for glibc. */
const struct local_group *local_accounts_group(const struct local_accounts *all, const char *name);

/* Whether the group's line lists a user. */
bool local_group_lists(const struct local_group *group, const char *user);

#endif

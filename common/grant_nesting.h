/*
 * grant_nesting.h - what membership of a group comes to: it, and every group that it is a member of, at any depth.
 *
 * Whoever is granted one is a member of all of them; hence the shortest of their longest grants is its limit, and with
 * its end he has lost each. Pure. Used by the directory process and isms-userctl.
 */
#ifndef ISMS_GRANT_NESTING_H
#define ISMS_GRANT_NESTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/entry.h"
#include "common/settings.h"

#define GRANT_REACH_MAX	256		/* groups; one that reaches more takes no grants */

struct grant_group {
	char *ndn;			/* owned */
	char *name;			/* owned; NULL: nobody can say, so it takes no grants */
	uint32_t gid;			/* 0: it has none */
	uint64_t tag;			/* of whoever added it */
};

/* Several hold it. */
struct grant_reach {
	unsigned refs;
	struct grant_group *list;	/* owned; the first is the group itself */
	size_t count;
	bool many;			/* there are more */
	int64_t longest_sec;		/* the shortest of [directory] max-grant of all; 0: it takes no grants */
	size_t limiting;		/* whose that is */
};

/* One holder less; NULL is fine. */
void grant_reach_unref(struct grant_reach *r);

/* Whether a process may have a group by one of them that the other does not give. */
bool grant_reach_has_more(const struct grant_reach *than_other, const struct grant_reach *other);

/* Groups, by whom they have as a member. */
struct grant_nesting {
	struct grant_group *groups;	/* owned */
	size_t count, room;
	struct grant_link *links;	/* owned */
	size_t link_count, link_room;
	bool sorted;
};

void grant_nesting_done(struct grant_nesting *n);	/* a zeroed struct is fine */

/* Add an entry, if it is a group. Returns 0 or -ENOMEM. */
int grant_nesting_add(struct grant_nesting *n, const struct entry *e, uint64_t tag);
/* The same of all that there are. */
int grant_nesting_add_all(struct grant_nesting *n, const struct entries *all);

/*
 * More groups that have this DN as a member, each handed to grant_reach_add().
 *
 * Returns 0 or -errno, which ends it.
 */
typedef int grant_parents(const char *ndn, struct grant_reach *to, void *arg);
int grant_reach_add(struct grant_reach *to, const struct entry *e, uint64_t tag);	/* 0 or -ENOMEM */

/*
 * Find what membership of a group comes to.
 *
 *  group  it is not looked for
 *  more   of groups that are not in n; NULL: there are none
 *  ret    free with grant_reach_unref()
 *
 * Returns 0, -ENOMEM or what more() returned.
 */
int grant_nesting_reach(struct grant_nesting *n, const struct entry *group, const struct settings *settings,
    grant_parents *more, void *arg, struct grant_reach **ret);

/* A hash of a DN or an id, of no secret: two that meet cost time, or tighten. */
uint64_t grant_hash(const void *bytes, size_t len);

/* Whether a group has a member with one of these hashes, sorted, of normalised DNs. */
bool grant_has_member(const struct entry *group, const uint64_t *hashes, size_t count);

#endif

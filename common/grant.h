/*
 * grant.h - membership of a group for a limited time: entries of class ismsGrant.
 *
 * Pure: entries and a time in, who is a member of what out. A grant that is in force adds its member to its group's
 * entry, so that whatever judges members judges it too. What is malformed, too long or approved by nobody who may is
 * a fault, and never a membership (THREATS I10). Used by the directory process and isms-userctl.
 */
#ifndef ISMS_GRANT_H
#define ISMS_GRANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/entry.h"
#include "common/grant_nesting.h"
#include "common/settings.h"

#define GRANT_FAULT_SIZE	256
#define GRANT_LONGEST_MAX_SEC	(10LL * 366 * 86400)

/* What a grant's own entry says. */
struct grant {
	char *member, *group, *approver;	/* owned; DNs, normalised */
	int64_t from_utc_sec;		/* 0: none is named */
	int64_t until_utc_sec;
	int64_t made_utc_sec;		/* 0: not known */
};

/* When a grant counts: from_utc_sec <= now < until_utc_sec. */
struct grant_window {
	int64_t from_utc_sec, until_utc_sec;
};

/* The entries that a grant names, as they are; NULL: there is none, or nobody can say which. Borrowed. */
struct grant_parties {
	const struct entry *member, *group, *approver;
	const struct grant_reach *reach;	/* of the group; NULL where there is no group */
};

/* Whether an entry is a grant, good or not. */
bool grant_is(const struct entry *e);

/*
 * Read a grant's entry.
 *
 *  ret    zeroed; free with grant_done(), also after a failure
 *  fault  receives what is wrong with it
 *
 * Returns 0, -EINVAL with the fault, or -ENOMEM.
 */
int grant_read(const struct entry *e, struct grant *ret, char fault[static GRANT_FAULT_SIZE]);
void grant_done(struct grant *g);	/* a zeroed struct is fine */

/*
 * Judge a grant by those whom it names: the member is a user and not the approver; the approver is a user who is
 * valid by his own entry for as long as the grant counts; none of them is a later entry than the grant; the group, and
 * every one that it is nested in, takes grants of such a length ([directory] max-grant). A grant that names no begin has
 * the longest length that all of them take.
 *
 *  ret    the time in which it counts
 *  fault  why it never does
 *
 * Returns 0, -EINVAL with the fault, or -ENOMEM.
 */
int grant_judge(const struct grant *g, const struct grant_parties *parties, const struct settings *settings,
    struct grant_window *ret, char fault[static GRANT_FAULT_SIZE]);

/*
 * The same, with those whom it names looked for in a directory.
 *
 *  nesting  of the groups of all
 */
int grant_judge_among(const struct entries *all, const struct grant *g, struct grant_nesting *nesting,
    const struct settings *settings, struct grant_window *ret, char fault[static GRANT_FAULT_SIZE]);

/*
 * Whether a group takes grants of a length, by itself and by the groups that it is nested in.
 *
 *  length_sec  0: of any length
 *  fault       why not
 *
 * Returns 0, or -EINVAL with the fault.
 */
int grant_takes(const struct grant_reach *reach, int64_t length_sec, char fault[static GRANT_FAULT_SIZE]);

/* Whether it counts at that time. */
bool grant_counts(const struct grant_window *window, int64_t now_utc_sec);

/*
 * The longest time for which one may be granted a group.
 *
 *  text   of [directory] max-grant, which is well-formed
 *  group  its name
 *
 * Returns seconds; 0: the group takes no grants.
 */
int64_t grant_longest_sec(const char *text, const char *group);

/* Whether a text is one for [directory] max-grant: SPAN, then GROUP=SPAN as often as wanted. As conf_wrong(), or 0. */
int grant_longest_check(const char *value, char *error, size_t size);

/*
 * A copy of a group's entry with more members; what it has already is not added again.
 *
 *  members  normalised DNs
 *
 * Returns NULL without memory.
 */
struct entry *grant_add_members(const struct entry *group, char *const *members, size_t count);

/*
 * All entries with every grant that counts now as a value of member of its group.
 *
 *  all  not changed
 *  ret  zeroed; holds the same entries, or copies; free with entries_done()
 *
 * Returns 0 or -ENOMEM.
 */
int grants_apply(const struct entries *all, const struct settings *settings, int64_t now_utc_sec, struct entries *ret);

#endif

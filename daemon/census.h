/*
 * census.h - everybody whom the directory tells of, kept so that a change costs what it touches, not what there is.
 *
 * Entries are kept, or read from a heap; identities are not: whoever is asked for is read from his entry and from those
 * that it depends on (his groups, theirs, whoever claims the same name or number), by identities_build_from(). Beside
 * each entry stands whether it was good in the last state, which is the past of the next one (THREATS 5.4, 5.5).
 * Directory process, on its loop.
 */
#ifndef ISMS_CENSUS_H
#define ISMS_CENSUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/identity.h"
#include "common/settings.h"
#include "daemon/entry_changes.h"

struct census;

/* Returns 0 or -errno. */
int census_new(struct census **ret);
void census_free(struct census *c);	/* NULL is fine */
/* Entries of changes that are in a heap are read from there when they are needed. It outlives the census. */
void census_use_heap(struct census *c, struct entry_heap *heap);

struct census_counts {
	size_t users, groups;		/* also broken ones */
	size_t good_users, good_groups;
	size_t faults;			/* things wrong with entries */
	size_t newcomers;		/* users who wait, since another person had their name or number */
};
void census_counts(const struct census *c, struct census_counts *ret);

/* The i-th thing that is wrong: "DN: what; cure"; NULL past the last. */
const char *census_fault(const struct census *c, size_t i);

/* Why a user waits for a person, as a word for status; NULL: he does not. */
typedef void census_held(const char *name, const char *what, void *arg);
/* Call held() for users who wait, at most max. */
void census_each_held(const struct census *c, size_t max, census_held *held, void *arg);

/* Users and groups with everything that their standing depends on. */
struct census_part {
	struct identities identities;	/* of a change: to be relied on for those whom it touches */
	struct closure *closure;	/* owned; what the identities borrow from */
};

void census_part_done(struct census_part *part);	/* a zeroed struct is fine */

/*
 * One user, by name.
 *
 *  ret       zeroed; free with census_part_done()
 *  ret_user  in ret; NULL: unknown
 *
 * Returns 0; -ENOMEM; -EIO: an entry cannot be read; -E2BIG: more depends on him than is looked at for one question.
 */
int census_find(struct census *c, const struct settings *settings, const struct identity_holders *holders,
    const char *name, struct census_part *ret, const struct identity **ret_user);

/* All of them. Returns 0, -ENOMEM or -EIO. */
int census_all(struct census *c, const struct settings *settings, const struct identity_holders *holders,
    struct census_part *ret);

struct census_asking {
	const struct settings *settings;	/* borrowed */
	const struct identity_holders *holders;	/* borrowed; as of census_find() */
	int64_t now_utc_sec;
};

/*
 * Who answers for a user, and what exempts him: owner, sponsor and exemptions of his facts, by entries of others.
 *
 *  user  of a part; NULL, or one who is broken: nothing is said
 *  ret   his facts; the rest stays
 *
 * Returns 0, -ENOMEM, or -EIO: an entry cannot be read.
 */
int census_care(struct census *c, const struct census_asking *asking, const struct identity *user, struct facts *ret);
/* The same of the owner alone. */
int census_owner(struct census *c, const struct census_asking *asking, const struct identity *user, struct facts *ret);
/*
 * Entries of a DN, one after the other.
 *
 *  at        0 at first; opaque
 *  ret_id    whose entry it is
 *  ret_gone  as of struct entry_change
 *  ret       NULL: that was the last; the caller frees it
 *
 * Returns 0 or -errno: it could not be read.
 */
int census_entry_at(const struct census *c, const char *ndn, uint32_t *at, uint8_t ret_id[ENTRY_ID_SIZE],
    bool *ret_gone, struct entry **ret);
/* Groups that have a DN, normalised, as a member; the same. */
int census_parent_at(const struct census *c, const char *ndn, uint32_t *at, uint8_t ret_id[ENTRY_ID_SIZE],
    struct entry **ret);

/* What a change came to. */
struct census_news {
	struct census_part part;	/* all whom it touched, as they are now */
	bool whole;			/* that is everybody */
	char (*gone_users)[33];		/* owned; names under which somebody good was, and is no more; not when whole */
	size_t gone_user_count;
	char (*gone_groups)[33];	/* owned; the same of groups */
	size_t gone_group_count;
	char (*faults)[IDENTITY_FAULT_SIZE];	/* owned; what is wrong now, and was not before */
	size_t fault_count;
	bool holders_changed;
};

void census_news_done(struct census_news *news);	/* a zeroed struct is fine */

/* Whether this one of the part's users, or groups, is told of, and not only looked at for another one's sake. */
bool census_touches_user(const struct census_news *news, const struct identity *user);
bool census_touches_group(const struct census_news *news, const struct identity_group *group);

struct census_how {
	const struct settings *settings;	/* borrowed */
	struct identity_holders *holders;	/* kept up to date; NULL: nobody looks for returned names */
	bool accept_newcomers;		/* all of them: it is another directory */
	bool accept_approved;		/* of census_approve(), at its last call, and no longer */
	bool anew;			/* settings are others than at the last update: judge everybody */
};

/*
 * A number that stands for who waits for a person, and why, and for nobody else; another one after a restart.
 *
 *  more  what else is waiting, in words
 */
uint32_t census_held_who(const struct census *c, const char *more);

/*
 * A person has approved what he saw: whoever is here now may be who he claims to be, once an update says that it was
 * followed. Whoever comes later, or claims another name or number meanwhile, was not seen.
 */
void census_approve(struct census *c);

/*
 * Take changes in.
 *
 *  changes  freed
 *  ret      zeroed; free with census_news_done()
 *
 * Returns 1 when somebody may have become another, 0, or -ENOMEM or -EIO: then nothing has changed.
 */
int census_update(struct census *c, const struct census_how *how, struct entry_changes *changes,
    struct census_news *ret);

/*
 * What the first state has left for when it was handed on: who is in which group, by which changes and questions look.
 * To be called after each census_update(), and again when it fails; quick where nothing is left. Until then nobody can be
 * found; who answers for somebody can be asked, since an owner is judged by no group (census_care.c).
 *
 * Returns 0, -ENOMEM or -EIO.
 */
int census_complete(struct census *c);

#endif

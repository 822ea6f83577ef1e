/*
 * grant_book.h - the grants of a directory over time: which count now, when the next one begins or ends, who lost
 * what.
 *
 * Stands between a source and its census: a grant that counts makes its member a value of member in what the census
 * gets as its group's entry, and no other part of it knows of grants. Time passing is a change like any other.
 * Directory process, on its loop.
 */
#ifndef ISMS_GRANT_BOOK_H
#define ISMS_GRANT_BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/grant.h"
#include "common/settings.h"
#include "daemon/census.h"
#include "daemon/entry_changes.h"

#define GRANT_LOSSES_MAX 10000		/* the latest are remembered */

struct grant_book;

/* Returns NULL without memory. */
struct grant_book *grant_book_new(void);
void grant_book_free(struct grant_book *b);	/* NULL is fine */

struct grant_moment {
	const struct census *census;		/* borrowed; before the changes */
	const struct settings *settings;	/* borrowed */
	int64_t now_utc_sec;
	bool anew;				/* settings are others than they were */
};

/*
 * Judge grants by what changes say and what time it is, and add to changes what that makes of groups.
 *
 * grant_book_commit() or grant_book_forget() must follow, by what the census says of the changes. Returns 0 or
 * -errno: then neither must.
 */
int grant_book_stage(struct grant_book *b, const struct grant_moment *moment, struct entry_changes *changes);
void grant_book_commit(struct grant_book *b);
void grant_book_forget(struct grant_book *b);

/* When the next grant begins or ends, by all that is known; 0: never. */
int64_t grant_book_next(const struct grant_book *b);

/* What the last commit came to. */
enum grant_turn {
	GRANT_BEGAN,			/* it counts, and did not before */
	GRANT_ENDED,			/* it counts no more */
	GRANT_REFUSED,			/* something is wrong with it that was not before */
};

struct grant_told {
	enum grant_turn turn;
	const struct entry *e;		/* the grant's entry, the last one that there was */
	const char *user, *group;	/* names; "" when they cannot be read */
	struct grant_window window;	/* not of GRANT_REFUSED */
	const char *fault;		/* "" where nothing is wrong with it */
};

typedef void grant_tell(const struct grant_told *told, void *arg);
/* Call tell() for each of it; nothing is told of what counted in a first state. */
void grant_book_each_told(const struct grant_book *b, grant_tell *tell, void *arg);

/* How many there are; how many of them count. */
void grant_book_counts(const struct grant_book *b, size_t *ret_all, size_t *ret_active);

/* The i-th grant with a fault, as "DN: what is wrong"; NULL past the last. buf is filled with it. */
const char *grant_book_fault(const struct grant_book *b, size_t i, char buf[static IDENTITY_FAULT_SIZE]);

/* What somebody had by a grant, and has by it no more: a group, and what that is nested in. */
struct grant_loss {
	char member_id[65];		/* entry_id of his identity, which moves with him */
	struct grant_reach *reach;	/* one reference */
	int64_t at_utc_sec;
};

/*
 * What a member lost.
 *
 *  member_id  entry_id of his identity
 *
 * Returns the first of *ret_count losses, in the order of their times; NULL when there are none.
 */
const struct grant_loss *grant_book_losses(const struct grant_book *b, const char *member_id, size_t *ret_count);

#endif

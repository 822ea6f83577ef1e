/*
 * source_grants.h - grants begin and end by time: the part of a source that keeps the book of them (grant_book.h)
 * and the timer. Directory process, on its loop.
 */
#ifndef ISMS_SOURCE_GRANTS_H
#define ISMS_SOURCE_GRANTS_H

#include "daemon/entry_changes.h"

struct source;
struct source_grants;

/* Returns 0 or -ENOMEM. */
int source_grants_new(struct source *s, struct source_grants **ret);
void source_grants_free(struct source_grants *g);	/* NULL is fine */

/* Add to changes what grants make of groups at this moment. Returns 0 or -ENOMEM. */
int source_grants_stage(struct source_grants *g, struct entry_changes *changes);

/* The census has taken the changes (r >= 0), or not: sets the timer, tells of what begins, ends and is refused. */
void source_grants_settle(struct source_grants *g, int r);

/* Root says that the wall clock is right: whatever it said before, it is followed. */
void source_grants_trust_clock(struct source_grants *g);

/* What there is, for status. */
const struct grant_book *source_grants_book(const struct source_grants *g);

#endif

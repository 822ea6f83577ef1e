/*
 * publisher_dirty.h - which users and groups are not, or may not be, as a file has them.
 */
#ifndef ISMS_PUBLISHER_DIRTY_H
#define ISMS_PUBLISHER_DIRTY_H

#include <stdbool.h>

#include "daemon/publisher_judge.h"
#include "daemon/publisher_record.h"

struct publisher_dirty {
	struct id_set ids[REGISTER_KINDS];	/* uids and gids; whatever is not in it is as the file has it */
	bool all;				/* perhaps more than is in it */
};

/* Returns 0, or -EIO without random numbers. */
int publisher_dirty_init(struct publisher_dirty *d);
void publisher_dirty_done(struct publisher_dirty *d);

/* Nothing differs. */
void publisher_dirty_clear(struct publisher_dirty *d);

/* How many, if not all. */
uint32_t publisher_dirty_count(const struct publisher_dirty *d);

/*
 * Find what was touched since it was published.
 *
 *  judging    not whole: whatever it touched; and users who list a group that came or went. Whole: everything is compared
 *  published  as it is
 *  limit      with more than that everything is dirty
 *  d, also    are added to; also may be NULL
 *
 * Returns whether anything is not as published.
 */
bool publisher_dirty_find(const struct judging *judging, const struct publisher_making *m,
    const struct snapshot *published, uint32_t limit, struct publisher_dirty *d, struct publisher_dirty *also);

#endif

/*
 * publisher_lost.h - what still runs with a group that its user lost, since a grant has ended: ended or told, as
 * policy says.
 *
 * No process can be made to give a group back, so the processes themselves are asked, by what /proc says of their
 * groups: that holds after a restart too, and for nobody who only could have had the group.
 */
#ifndef ISMS_PUBLISHER_LOST_H
#define ISMS_PUBLISHER_LOST_H

#include <stdbool.h>

struct publisher;
struct publisher_before;
struct publisher_lost;

/* Returns 0 or -ENOMEM. */
int publisher_lost_new(struct publisher_lost **ret);
void publisher_lost_free(struct publisher_lost *lost);	/* NULL is fine */

/* Whether an edit told of users who lost groups. */
bool publisher_lost_concerns(const struct publisher *p, const struct publisher_before *before);

/* Look at all that runs, now and twice more in the next seconds: a login at that moment took the groups of before. */
void publisher_lost_look(struct publisher *p);

#endif

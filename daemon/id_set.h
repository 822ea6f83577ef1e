/*
 * id_set.h - a set of uids or gids, for the publisher. 0 is never in it.
 */
#ifndef ISMS_ID_SET_H
#define ISMS_ID_SET_H

#include <stdbool.h>
#include <stdint.h>

struct id_set {
	uint32_t *slots;	/* owned; 0 is empty */
	uint32_t room, count;	/* room is a power of two or 0 */
	uint64_t salt;		/* random, so that nobody chooses ids that meet; set it while the set is empty */
};

/* Frees and empties; the salt stays. A zeroed struct is fine. */
void id_set_done(struct id_set *set);

/* Make room, so that as many calls of id_set_add() cannot fail. Returns 0 or -ENOMEM. */
int id_set_reserve(struct id_set *set, uint32_t more);

/* Returns 1 added, 0 for one that was there and for id 0, or -ENOMEM. */
int id_set_add(struct id_set *set, uint32_t id);

/* Nothing happens when it is not there. */
void id_set_remove(struct id_set *set, uint32_t id);

/* Whether it is there; never 0. */
bool id_set_has(const struct id_set *set, uint32_t id);

/*
 * One after the other, in no order; the set must not change meanwhile.
 *
 *  at  0 at first
 *
 * Returns 0 past the end.
 */
uint32_t id_set_next(const struct id_set *set, uint32_t *at);

#endif

/*
 * crowd.h - made-up people who change: a state to be published whole, or as the delta from an earlier one.
 *
 * The delta is made as a publisher would: who differs is hidden and added again, a group whose gid, name or members
 * differ too. So whoever compares base + delta with the whole compares two ways to the same state.
 */
#ifndef ISMS_TESTS_CROWD_H
#define ISMS_TESTS_CROWD_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/snapshot_write.h"

enum { CROWD_USERS = 96, CROWD_GROUPS = 24 };

struct crowd_user {
	bool there;
	uint32_t uid, gid;
	char name[34], gecos[24], home[64], shell[24];
	bool member[CROWD_GROUPS];	/* of the group of that place */
	bool sudo;			/* and of the local group 27 */
};

struct crowd_group {
	bool there;
	uint32_t gid;
	char name[34];
};

struct crowd {
	struct crowd_user users[CROWD_USERS];
	struct crowd_group groups[CROWD_GROUPS];
	uint64_t dice;			/* of what comes next */
	uint32_t next_id;		/* never used so far */
};

/* A first state of about so many in a hundred of the places. Two with the same seed are equal. */
void crowd_begin(struct crowd *c, uint64_t seed, unsigned percent);

/* Change something about one of them: everything that can be changed, comes, goes, or swaps with another. */
void crowd_change(struct crowd *c);

/* Everybody into a new builder of a base; aborts the test if it refuses. */
struct snapshot_builder *crowd_build(const struct crowd *c);

/* What differs from before, into a builder of a delta upon a base that was built of before. */
struct snapshot_builder *crowd_build_delta(const struct crowd *c, const struct crowd *before,
    const struct snapshot *base);

/* The header of both: local gid 27, a list for everybody. */
struct snapshot_header_in crowd_header(uint64_t generation);

/*
 * Compare two ways to one state, by everything that can be asked. candidates: states whose names and ids are asked
 * for, whether they are there or not.
 *
 * Returns NULL, or what differs.
 */
const char *crowd_differs(const struct snapshot *one, const struct snapshot *other, const struct crowd *candidates,
    unsigned count);

#endif

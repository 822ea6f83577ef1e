/*
 * population.h - made-up users and groups, published for the tests and the benchmark.
 *
 * user i (0 .. users-1):   name u<i>, uid 100000 + i, gid 100000 + i % groups, gecos "User <i>", home /home/u<i>,
 *                          shell /bin/bash; member of groups i, i + 7, i + 14, ... (mod groups)
 * group j (0 .. groups-1): name g<j>, gid 100000 + j; group "everybody", gid 90000, has all users
 */
#ifndef ISMS_TESTS_POPULATION_H
#define ISMS_TESTS_POPULATION_H

#include <stdint.h>

#include "daemon/snapshot_write.h"

#define POPULATION_UID		100000u
#define POPULATION_GID		100000u
#define POPULATION_EVERYBODY	90000u

struct population {
	uint32_t users, groups;
	uint32_t per_user;	/* groups of a user besides everybody; at most groups */
};

/* Put everybody into a new builder; aborts the test without memory. */
struct snapshot_builder *population_build(const struct population *p);

/*
 * Build and publish below dir.
 *
 * Returns what snapshot_builder_publish() does.
 */
int population_publish(const struct population *p, const char *dir, const struct snapshot_header_in *header);

#endif

/*
 * test_nss.h - the tests of the built module: answers (test_nss.c), behaviour in a process (test_nss_process.c),
 * deltas (test_nss_delta.c).
 */
#ifndef ISMS_TESTS_TEST_NSS_H
#define ISMS_TESTS_TEST_NSS_H

#include "daemon/snapshot_write.h"
#include "tests/nss/population.h"

struct process_test {
	const char *name;
	void (*test)(void);	/* in a child, see module.h */
};
extern const struct process_test process_tests[], delta_tests[];
extern const int process_test_count, delta_test_count;

/* 200 users in 21 groups each, 50 groups; enumerable. */
extern const struct population many_users;
extern const struct snapshot_header_in plain_header;

#endif

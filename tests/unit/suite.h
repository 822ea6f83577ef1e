/*
 * suite.h - what every unit test's main() would repeat: one suite, its rows, its exit status.
 */
#ifndef ISMS_TESTS_SUITE_H
#define ISMS_TESTS_SUITE_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

/* Machines are shared: what takes a second alone has been seen to take two minutes. A hang is found by any limit. */
#define SUITE_PATIENCE_SEC	600

struct suite_row {
	const TTest *test;
	int loops;		/* 0: once; else a loop test with _i in 0..loops-1 */
};

/*
 * Run tests and print failures only.
 *
 *  timeout_sec  for each of them; never less than SUITE_PATIENCE_SEC
 *
 * Returns the exit status of main().
 */
int suite_run(const char *name, const struct suite_row *rows, int count, double timeout_sec);
/* The same with a fixture around each test; NULL: none. */
int suite_run_between(const char *name, const struct suite_row *rows, int count, double timeout_sec, void (*setup)(void),
    void (*teardown)(void));

/* The folder for all that the tests of this program make; whatever is left in it goes when they have run. Short. */
const char *suite_folder(void);

/*
 * Whether what only root can do is tested: the one way for a test to ask. START_TEST itself asks, for tests/suites/root
 * looks for the name of each test that does.
 *
 * With ISMS_ROOT_TESTS in the environment, which that suite sets, it says on stderr that the test runs as root, and the
 * test fails where it does not.
 */
#define suite_as_root() suite_test_as_root(__func__)
bool suite_test_as_root(const char *test);

#endif

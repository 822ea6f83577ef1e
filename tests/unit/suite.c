/*
 * suite.c - runs the rows of one unit test binary under libcheck.
 *
 * Test code only. Quiet when green: libcheck prints one summary line, which make check keeps in the log.
 */
#include <config.h>

#include "tests/unit/suite.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

bool
suite_test_as_root(const char *test)
{
	bool is_root = getuid() == 0 && geteuid() == 0;

	if (getenv("ISMS_ROOT_TESTS") != NULL) {
		ck_assert_msg(is_root, "needs root");
		(void)fprintf(stderr, "as root: %s\n", test);
	}
	return is_root;
}

static char folder[] = "/tmp/isms-suite.XXXXXX";

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* Before the first test, in the process that forks them all: what a test that failed leaves goes with the folder. */
static void
make_folder(void)
{
	if (mkdtemp(folder) == NULL || chmod(folder, 0711) < 0) {	/* some tests become another user */
		perror(folder);
		abort();
	}
}

const char *
suite_folder(void)
{
	return folder;
}

int
suite_run_between(const char *name, const struct suite_row *rows, int count, double timeout_sec, void (*setup)(void),
    void (*teardown)(void))
{
	Suite *suite = suite_create(name);
	TCase *tests = tcase_create(name);
	SRunner *runner;
	int failed;

	make_folder();
	tcase_set_timeout(tests, timeout_sec > SUITE_PATIENCE_SEC ? timeout_sec : SUITE_PATIENCE_SEC);
	tcase_add_checked_fixture(tests, setup, teardown);
	for (int i = 0; i < count; i++) {
		if (rows[i].loops > 0)
			tcase_add_loop_test(tests, rows[i].test, 0, rows[i].loops);
		else
			tcase_add_test(tests, rows[i].test);
	}
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);	/* CK_VERBOSITY, CK_RUN_CASE */
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	(void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
suite_run(const char *name, const struct suite_row *rows, int count, double timeout_sec)
{
	return suite_run_between(name, rows, count, timeout_sec, NULL, NULL);
}

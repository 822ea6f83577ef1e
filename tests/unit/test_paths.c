/*
 * test_paths.c - paths below a root, and roots that are refused.
 */
#include <config.h>

#include "common/paths.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/suite.h"

START_TEST(real_system)
{
	struct paths p;

	ck_assert_int_eq(paths_init("", &p), 0);
	ck_assert_str_eq(p.etc, "/etc/isms");
	ck_assert_str_eq(p.passwd, "/etc/passwd");
	ck_assert_str_eq(p.group, "/etc/group");
	ck_assert_str_eq(p.pam_d, "/etc/pam.d");
	ck_assert_str_eq(p.nss, "/var/lib/isms/nss");
	ck_assert_str_eq(p.state, "/var/lib/isms/state");
	ck_assert_str_eq(p.directory, "/var/lib/isms/directory");
	ck_assert_str_eq(p.front_socket, "/run/isms/ismsd.sock");
	ck_assert_str_eq(p.directory_socket, "/run/isms/private/directory.sock");
	ck_assert_str_eq(p.publisher_socket, "/run/isms/private/publisher.sock");
}
END_TEST

START_TEST(below_a_root)
{
	struct paths p;

	ck_assert_int_eq(paths_init("/tmp/x", &p), 0);
	ck_assert_str_eq(p.etc, "/tmp/x/etc/isms");
	ck_assert_str_eq(p.publisher_socket, "/tmp/x/run/isms/private/publisher.sock");
}
END_TEST

START_TEST(refused_roots)
{
	static struct paths p, untouched;
	char root[PATH_MAX];

	ck_assert_int_eq(paths_init("relative", &p), -EINVAL);
	ck_assert_int_eq(paths_init("/", &p), -EINVAL);
	ck_assert_int_eq(paths_init("/tmp/", &p), -EINVAL);
	memset(root, 'a', sizeof root - 1);
	root[0] = '/';
	root[sizeof root - 1] = '\0';
	ck_assert_int_eq(paths_init(root, &p), -ENAMETOOLONG);
	root[PATH_MAX - 1 - strlen("/run/isms/private/publisher.sock") + 1] = '\0';	/* one too many for the longest */
	ck_assert_int_eq(paths_init(root, &p), -ENAMETOOLONG);
	ck_assert_mem_eq(&p, &untouched, sizeof p);
	root[strlen(root) - 1] = '\0';
	ck_assert_int_eq(paths_init(root, &p), 0);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ real_system, 0 }, { below_a_root, 0 }, { refused_roots, 0 },
	};

	return suite_run("paths", rows, ROWS(rows), 10);
}

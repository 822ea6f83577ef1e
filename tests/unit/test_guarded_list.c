/*
 * test_guarded_list.c - the list of local accounts under policy, as the publisher writes it.
 */
#include <config.h>

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/guarded.h"
#include "daemon/guarded_list.h"
#include "tests/unit/suite.h"

static struct paths paths;
static char root[64], list[PATH_MAX + 32];

static void
put(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static void
setup(void)
{
	static const char *const folders[] = { "etc", "var", "var/lib", "var/lib/isms", "var/lib/isms/nss" };
	char path[128];

	(void)snprintf(root, sizeof root, "%s/guarded-XXXXXX", suite_folder());
	ck_assert_ptr_nonnull(mkdtemp(root));
	for (int i = 0; i < ROWS(folders); i++) {
		(void)snprintf(path, sizeof path, "%s/%s", root, folders[i]);
		ck_assert_int_eq(mkdir(path, 0755), 0);
	}
	ck_assert_int_eq(paths_init(root, &paths), 0);
	put(paths.passwd, "root:x:0:0::/:/bin/sh\ntoor:x:0:0::/:/bin/sh\nalice:x:1001:1001::/:/bin/sh\n");
	put(paths.group, "root:x:0:\n");
	(void)snprintf(list, sizeof list, "%s/" GUARDED_FILE, paths.nss);
}

static void
publish(const char *text)
{
	struct policy *policy = NULL;
	char error[512] = "";

	ck_assert_msg(policy_parse(text, strlen(text), "p.conf", &policy, error, sizeof error) == 0, "%s", error);
	guarded_list_publish(&paths, policy);
	policy_free(policy);
}

static const char *
published(struct stat *ret)
{
	static char text[GUARDED_BYTES_MAX + 1];
	size_t n = 0;
	FILE *f = fopen(list, "re");

	if (f != NULL) {
		ck_assert_int_eq(fstat(fileno(f), ret), 0);
		n = fread(text, 1, sizeof text - 1, f);
		(void)fclose(f);
	}
	text[n] = '\0';
	return f == NULL ? "none" : text;
}

static unsigned
files(void)
{
	DIR *dir = opendir(paths.nss);
	unsigned n = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir) != NULL)
		n++;
	(void)closedir(dir);
	return n;
}

START_TEST(names_without_root)
{
	struct stat st, again;

	ck_assert_str_eq(published(&st), "none");
	publish("[local]\nmanage = alice toor later\n");
	ck_assert_str_eq(published(&st), "alice\nlater\n");
	ck_assert_uint_eq(st.st_mode & 07777, 0644);
	publish("[local]\nmanage = alice later\n");
	(void)published(&again);
	ck_assert_uint_eq(st.st_ino, again.st_ino);	/* nothing is written where nothing changes */
	publish("");
	ck_assert_str_eq(published(&st), "");
	ck_assert_uint_ne(st.st_ino, again.st_ino);
	ck_assert_uint_eq(files(), 3);			/* ".", ".." and the list */
}
END_TEST

/* What somebody else has put there is replaced, not followed; what is left over from a crash is no obstacle. */
START_TEST(replaces_what_is_there)
{
	char temp[PATH_MAX + 64];
	struct stat st;

	(void)snprintf(temp, sizeof temp, "%s/." GUARDED_FILE ".new", paths.nss);
	put(temp, "half");
	switch (_i) {
	case 0:
		ck_assert_int_eq(symlink(paths.passwd, list), 0);
		break;
	case 1:
		ck_assert_int_eq(mkfifo(list, 0600), 0);
		break;
	case 2:
		put(list, "alice\n");
		ck_assert_int_eq(chmod(list, 0600), 0);
		break;
	case 3:
		put(list, "alice\nmore\n");
		break;
	}
	publish("[local]\nmanage = alice\n");
	ck_assert_str_eq(published(&st), "alice\n");
	ck_assert_uint_eq(st.st_mode & 07777, 0644);
	ck_assert_int_eq(lstat(list, &st), 0);
	ck_assert(S_ISREG(st.st_mode));
	ck_assert_uint_eq(files(), 3);
}
END_TEST

/* Without local accounts to look at the names are written all the same: the module looks at uid 0 itself. */
START_TEST(without_passwd)
{
	struct stat st;

	ck_assert_int_eq(unlink(paths.passwd), 0);
	publish("[local]\nmanage = alice\n");
	ck_assert_str_eq(published(&st), "alice\n");
}
END_TEST

/* A list that cannot be written stays as it is; the next one is. */
START_TEST(keeps_the_old_one)
{
	char temp[PATH_MAX + 64];
	struct stat st;

	publish("[local]\nmanage = alice\n");
	(void)snprintf(temp, sizeof temp, "%s/." GUARDED_FILE ".new", paths.nss);
	ck_assert_int_eq(mkdir(temp, 0755), 0);
	publish("[local]\nmanage = bob\n");
	ck_assert_str_eq(published(&st), "alice\n");
	ck_assert_int_eq(rmdir(temp), 0);
	publish("[local]\nmanage = bob\n");
	ck_assert_str_eq(published(&st), "bob\n");
}
END_TEST

static void
put_names(unsigned file, unsigned from, unsigned to)
{
	char path[PATH_MAX + 64];
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/policy.d/%02u.conf", paths.etc, file);
	f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	(void)fputs("[local]\nmanage =", f);
	for (unsigned i = from; i < to; i++)
		(void)fprintf(f, "%s u%05u", i % 20 == 19 ? "\n" : "", i);
	(void)fputs("\n", f);
	ck_assert_int_eq(fclose(f), 0);
}

/* As long as a policy may make it: to the last name. One more is no policy. */
START_TEST(longest)
{
	unsigned count = GUARDED_BYTES_MAX / 7 + (unsigned)_i, file = 0;	/* "u12345" and a newline */
	struct policy *policy = NULL;
	char error[512] = "", last[16], path[PATH_MAX + 64];
	struct stat st;
	int r;

	ck_assert_int_eq(mkdir(paths.etc, 0755), 0);
	(void)snprintf(path, sizeof path, "%s/policy.d", paths.etc);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	(void)snprintf(path, sizeof path, "%s/policy.conf", paths.etc);
	put(path, "");
	for (unsigned at = 0; at < count; at += 500)
		put_names(file++, at, at + 500 < count ? at + 500 : count);
	r = policy_load(paths.etc, &policy, error, sizeof error);
	if (_i == 0) {
		ck_assert_msg(r == 0, "%s", error);
		guarded_list_publish(&paths, policy);
		(void)snprintf(last, sizeof last, "\nu%05u\n", count - 1);
		ck_assert_str_eq(published(&st) + st.st_size - 8, last);
		ck_assert_int_le(st.st_size, GUARDED_BYTES_MAX);
	} else {
		ck_assert_int_lt(r, 0);
		ck_assert_ptr_nonnull(strstr(error, "is longer than"));
	}
	policy_free(policy);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ names_without_root, 0 }, { replaces_what_is_there, 4 }, { without_passwd, 0 }, { keeps_the_old_one, 0 },
		{ longest, 2 },
	};

	return suite_run_between("guarded_list", rows, ROWS(rows), 30, setup, NULL);
}

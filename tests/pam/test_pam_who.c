/*
 * test_pam_who.c - local, managed, of another source, nobody's, or not to be told.
 */
#include <config.h>

#include <dlfcn.h>
#include <errno.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/guarded.h"
#include "pam/pam_who.h"
#include "tests/pam/scene.h"

static struct scene scene;
static char passwd_path[128], snapshot_path[128], guarded_path[128];
static struct pam_paths paths;

static void
setup(void)
{
	scene_open(&scene);
	(void)snprintf(passwd_path, sizeof passwd_path, "%s/passwd", scene.dir);
	(void)snprintf(snapshot_path, sizeof snapshot_path, "%s/base.1.snap", scene.dir);
	(void)snprintf(guarded_path, sizeof guarded_path, "%s/" GUARDED_FILE, scene.dir);
	paths = (struct pam_paths){ .passwd = passwd_path, .snapshot = snapshot_path, .guarded = guarded_path, .owner = getuid() };
}

static void
teardown(void)
{
	scene_close(&scene);
}

/* NSS, as the code under test sees it: every kind of answer. */
__attribute__((visibility("default"))) int
getpwnam_r(const char *name, struct passwd *record, char *buf, size_t size, struct passwd **ret)
{
	static const struct { const char *name; uid_t uid; size_t needs; int error; } answers[] = {
		{ "daemon", 1, 1, 0 }, { "stranger", 30000, 1, 0 }, { "alias", SCENE_ADA_UID, 1, 0 }, { "remembered", 30001, 1, 0 },
		{ "long-record", 30002, 100000, 0 }, { "endless-record", 30003, SIZE_MAX, 0 }, { "source-down", 0, 1, ECONNREFUSED },
		{ "no-memory", 0, 1, ENOMEM },
	};

	*ret = NULL;
	for (int i = 0; i < ROWS(answers); i++) {
		if (strcmp(answers[i].name, name) != 0)
			continue;
		if (size < answers[i].needs)
			return ERANGE;
		if (answers[i].error != 0)
			return answers[i].error;
		buf[0] = '\0';
		*record = (struct passwd){ .pw_name = buf, .pw_uid = answers[i].uid };
		*ret = record;
	}
	return 0;
}

static enum who
who(const char *name)
{
	struct person person;
	enum who found;

	who_find(&paths, name, &person);
	found = person.who;
	ck_assert(found != WHO_UNSURE || person.fault != NULL);
	ck_assert((found == WHO_MANAGED) == (person.snapshot.base != NULL));
	who_done(&person);
	ck_assert_ptr_null(person.snapshot.base);
	return found;
}

static char overlong[WHO_NAME_MAX + 2];

static const struct { const char *name; enum who want; } cases[] = {
	{ "ada", WHO_MANAGED }, { "eve", WHO_MANAGED }, { "bob", WHO_LOCAL }, { "root", WHO_LOCAL }, { "daemon", WHO_OTHER },
	{ "nobody-there", WHO_NOBODY }, { "Ada", WHO_NOBODY }, { "ada ", WHO_NOBODY }, { "bob:x", WHO_NOBODY },
	{ "bob\nroot", WHO_NOBODY }, { "+", WHO_NOBODY }, { "+bob", WHO_NOBODY }, { "-bob", WHO_NOBODY },
	{ "../../etc/passwd", WHO_NOBODY }, { "", WHO_NONE }, { NULL, WHO_NONE }, { overlong, WHO_NOBODY },
};

START_TEST(names)
{
	memset(overlong, 'a', sizeof overlong - 1);
	ck_assert_int_eq(who(cases[_i].name), cases[_i].want);
}
END_TEST

/* Without a snapshot, or with one that cannot be trusted: local and other as ever, everybody else unsure. */
START_TEST(blind)
{
	switch (_i) {
	case 0:
		scene_no_snapshot(&scene);
		break;
	case 1:
		scene_corrupt_snapshot(&scene);
		break;
	case 2:
		ck_assert_int_eq(chmod(snapshot_path, 0666), 0);
		break;
	case 3:
		paths.owner = getuid() + 1;
		break;
	case 4:
		scene_no_snapshot(&scene);
		ck_assert_int_eq(mkfifo(snapshot_path, 0600), 0);
		break;
	}
	ck_assert_int_eq(who("ada"), WHO_UNSURE);
	ck_assert_int_eq(who("nobody-there"), WHO_UNSURE);
	ck_assert_int_eq(who("bob"), WHO_LOCAL);
	ck_assert_int_eq(who("daemon"), WHO_OTHER);
}
END_TEST

/* Another source's name for a managed uid is that managed user, also when it only differs in case (I1: name or uid). */
START_TEST(other_sources)
{
	struct person person;

	ck_assert_int_eq(who("stranger"), WHO_OTHER);
	ck_assert_int_eq(who("long-record"), WHO_OTHER);
	ck_assert_int_eq(who("alias"), WHO_MANAGED);
	who_find(&paths, "alias", &person);
	ck_assert_str_eq(person.user.name, "ada");
	who_done(&person);
	ck_assert_int_eq(who("source-down"), WHO_NOBODY);
	ck_assert_int_eq(who("no-memory"), WHO_UNSURE);
	ck_assert_int_eq(who("endless-record"), WHO_UNSURE);
	scene_snapshot_without_ada(&scene);
	ck_assert_int_eq(who("alias"), WHO_OTHER);
}
END_TEST

/* The snapshot is gone, but this process' libnss_isms still resolves the name: managed, hence not to be told. */
START_TEST(old_mapping)
{
	void *library;

	ck_assert_int_eq(who("remembered"), WHO_OTHER);
	scene_no_snapshot(&scene);
	ck_assert_int_eq(who("remembered"), WHO_OTHER);
	library = dlopen(TEST_BUILDDIR "/tests/pam/.libs/libnss_isms.so.2", RTLD_NOW);
	ck_assert_ptr_nonnull(library);
	ck_assert_int_eq(who("remembered"), WHO_UNSURE);
	ck_assert_int_eq(who("stranger"), WHO_OTHER);
	(void)dlclose(library);
}
END_TEST

START_TEST(passwd_file)
{
	char *text = malloc(200000), *at;
	uid_t uid = 0;

	/* a record longer than the first buffer, malformed lines, comments, blanks before a name */
	ck_assert_ptr_nonnull(text);
	at = text + sprintf(text, "# comment\nbroken\nlong:x:1:1:");
	memset(at, 'g', 100000);
	at += 100000;
	(void)sprintf(at, ":/:/bin/sh\n  carl:x:1234:1::/:/bin/sh\nlast:x:77:1::/:/bin/sh");
	scene_write(&scene, "passwd", text);
	free(text);
	ck_assert_int_eq(who("long"), WHO_LOCAL);
	ck_assert_int_eq(who("carl"), WHO_LOCAL);
	ck_assert_int_eq(who_local_uid(&paths, "last", &uid), 1);
	ck_assert_uint_eq(uid, 77);
	ck_assert_int_eq(who_local_uid(&paths, "broken", &uid), 0);
	ck_assert_int_eq(who("ada"), WHO_MANAGED);
	ck_assert_int_eq(unlink(passwd_path), 0);
	ck_assert_int_eq(who_local_uid(&paths, "last", &uid), 0);
	ck_assert_int_eq(who("ada"), WHO_MANAGED);
	ck_assert_int_eq(mkdir(passwd_path, 0700), 0);	/* cannot be read: nobody can be told */
	ck_assert_int_eq(who("bob"), WHO_UNSURE);
	ck_assert_int_eq(rmdir(passwd_path), 0);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ names, ROWS(cases) }, { blind, 5 }, { other_sources, 0 }, { old_mapping, 0 }, { passwd_file, 0 },
	};

	return scene_run("pam_who", rows, ROWS(rows), setup, teardown);
}

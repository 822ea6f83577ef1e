/*
 * test_publish_delta.c - deltas on their way to the disk, beside the bases that come and go, and what readers find.
 */
#include <config.h>

#include "daemon/snapshot_write.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/snapshot_format.h"
#include "daemon/snapshot_build.h"
#include "tests/nss/crowd.h"
#include "tests/nss/scratch.h"
#include "tests/unit/suite.h"

#define DELTA(digit)	"delta.1.000000000000000" #digit ".snap"

static struct crowd now, based;		/* what is to be published, and what the base was made of */

static void
begin(void)
{
	(void)scratch_begin();
	crowd_begin(&now, 1, 60);
	based = now;
}

static int
publish_base(uint64_t generation)
{
	const struct snapshot_header_in header = crowd_header(generation);
	struct snapshot_builder *b = crowd_build(&now);
	int r = snapshot_builder_publish(b, scratch_path("."), &header);

	snapshot_builder_free(b);
	based = now;
	return r;
}

static struct snapshot
open_base(void)
{
	struct snapshot s;

	ck_assert_int_eq(snapshot_open(scratch_path(SNAPSHOT_BASE_NAME), getuid(), &s), 0);
	return s;
}

static int
open_state(struct snapshot *ret)
{
	return snapshot_open_state(scratch_path(SNAPSHOT_BASE_NAME), getuid(), ret);
}

/* The delta upon the base that is published, after some changes. */
static int
publish_delta(uint64_t generation)
{
	const struct snapshot_header_in header = crowd_header(generation);
	struct snapshot base = open_base();
	struct snapshot_builder *b;
	int r;

	for (unsigned i = 0; i < 5; i++)
		crowd_change(&now);
	b = crowd_build_delta(&now, &based, &base);
	r = snapshot_builder_publish(b, scratch_path("."), &header);
	snapshot_builder_free(b);
	snapshot_close(&base);
	return r;
}

static bool
exists(const char *name)
{
	return access(scratch_path(name), F_OK) == 0;
}

static ino_t
inode(const char *name)
{
	struct stat st;

	ck_assert_int_eq(lstat(scratch_path(name), &st), 0);
	return st.st_ino;
}

static uint64_t
epoch_now(void)
{
	uint64_t value = 0;
	int fd = open(scratch_path(SNAPSHOT_EPOCH_NAME), O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(read(fd, &value, sizeof value), sizeof value);
	(void)close(fd);
	return value;
}

/* Put bytes, of a mapping perhaps, in the place of a file. */
static void
replace(const char *name, const void *bytes, size_t size)
{
	scratch_write("new", bytes, size);
	ck_assert_int_eq(rename(scratch_path("new"), scratch_path(name)), 0);
}

/* What a reader finds is what is there now. */
static void
is_now(uint64_t generation)
{
	const struct snapshot_header_in header = crowd_header(generation);
	struct snapshot_builder *b = crowd_build(&now);
	struct snapshot found, wanted;
	const char *differs;

	ck_assert_int_eq(open_state(&found), 0);
	ck_assert_uint_eq(snapshot_generation(&found), generation);
	ck_assert_int_eq(snapshot_check_whole(&found), 0);
	ck_assert_int_eq(snapshot_builder_write(b, scratch_path("."), &header), 0);
	ck_assert_int_eq(snapshot_open_written(scratch_path("."), &wanted), 0);
	differs = crowd_differs(&found, &wanted, &now, 1);
	ck_assert_msg(differs == NULL, "%s", differs);
	snapshot_discard_written(scratch_path("."));
	snapshot_close(&found);
	snapshot_close(&wanted);
	snapshot_builder_free(b);
}

START_TEST(published)
{
	mode_t before = umask(077);
	uint64_t epoch;
	struct stat st;
	ino_t base;

	begin();
	ck_assert_int_eq(publish_base(1), 0);
	is_now(1);
	epoch = epoch_now();
	base = inode(SNAPSHOT_BASE_NAME);
	for (uint64_t generation = 2; generation < 10; generation++) {
		ck_assert_int_eq(publish_delta(generation), 0);
		is_now(generation);
		ck_assert_uint_eq(epoch_now(), ++epoch);
	}
	ck_assert_uint_eq(inode(SNAPSHOT_BASE_NAME), base);
	ck_assert_int_eq(stat(scratch_path(DELTA(1)), &st), 0);
	ck_assert_uint_eq(st.st_mode, S_IFREG | 0644);
	(void)umask(before);
}
END_TEST

/* The delta of the base before stays, for who has just opened that; what is older goes. */
START_TEST(bases_come_and_go)
{
	struct snapshot old;

	begin();
	ck_assert_int_eq(publish_base(1), 0);
	ck_assert_int_eq(publish_delta(2), 0);
	old = open_base();
	ck_assert_int_eq(publish_base(3), 0);
	is_now(3);
	ck_assert(exists(DELTA(1)) && !exists(DELTA(3)));
	ck_assert_int_eq(snapshot_open_delta(scratch_path(SNAPSHOT_BASE_NAME), getuid(), &old), 0);
	ck_assert_uint_eq(snapshot_generation(&old), 2);
	ck_assert_int_eq(publish_delta(4), 0);
	is_now(4);
	ck_assert(exists(DELTA(1)) && exists(DELTA(3)));
	ck_assert_int_eq(publish_base(5), 0);
	is_now(5);
	ck_assert(!exists(DELTA(1)) && exists(DELTA(3)) && !exists(DELTA(5)));
	ck_assert_int_eq(snapshot_open_delta(scratch_path(SNAPSHOT_BASE_NAME), getuid(), &old), 0);
	ck_assert_ptr_null(old.delta);
	snapshot_close(&old);
}
END_TEST

/* A base is written, people change, deltas are published upon the old base; then base and delta come together. */
START_TEST(written_aside)
{
	const struct snapshot_header_in base_header = crowd_header(3), delta_header = crowd_header(5);
	struct crowd at_fork;
	struct snapshot_builder *b;
	struct snapshot written;
	uint64_t epoch;

	begin();
	ck_assert_int_eq(publish_base(1), 0);
	ck_assert_int_eq(publish_delta(2), 0);
	at_fork = now;
	b = crowd_build(&at_fork);
	ck_assert_int_eq(snapshot_builder_write(b, scratch_path("."), &base_header), 0);
	snapshot_builder_free(b);
	ck_assert_int_eq(publish_delta(4), 0);
	is_now(4);
	b = crowd_build(&at_fork);	/* is_now() has removed it */
	ck_assert_int_eq(snapshot_builder_write(b, scratch_path("."), &base_header), 0);
	snapshot_builder_free(b);
	epoch = epoch_now();
	ck_assert_int_eq(snapshot_open_written(scratch_path("."), &written), 0);
	for (unsigned i = 0; i < 5; i++)
		crowd_change(&now);
	b = crowd_build_delta(&now, &at_fork, &written);
	ck_assert_int_eq(snapshot_builder_write(b, scratch_path("."), &delta_header), 0);
	snapshot_builder_free(b);
	ck_assert_uint_eq(epoch_now(), epoch);
	ck_assert_int_eq(snapshot_publish_written(scratch_path("."), true), 0);
	ck_assert_uint_eq(epoch_now(), epoch + 1);
	ck_assert(exists(DELTA(1)) && exists(DELTA(3)) && !exists(".base.1.snap.new") && !exists(".delta.1.snap.new"));
	based = at_fork;
	is_now(5);
	ck_assert_int_eq(publish_delta(6), 0);
	is_now(6);
	snapshot_close(&written);
}
END_TEST

/* ---- between two steps ---- */

static bool watching;
static unsigned steps;
static uint64_t oldest, newest;

/* What a reader finds who comes just now. */
static void
watch(void)
{
	struct snapshot s;

	if (!watching)
		return;
	ck_assert_int_eq(open_state(&s), 0);
	ck_assert_uint_ge(snapshot_generation(&s), newest);
	newest = snapshot_generation(&s);
	ck_assert_uint_ne(newest, 11);		/* a base whose delta says more */
	oldest = newest < oldest ? newest : oldest;
	snapshot_close(&s);
	steps++;
}

/* The publisher's; the program's own symbols come before libc's. */
int
renameat(int from, const char *name, int to, const char *new_name)
{
	int r = (int)syscall(SYS_renameat2, from, name, to, new_name, 0);

	watch();
	return r;
}

int
unlinkat(int folder, const char *name, int flags)
{
	int r = (int)syscall(SYS_unlinkat, folder, name, flags);

	watch();
	return r;
}

/* After each rename and removal there is the state before or the state behind, and never the older base between them. */
START_TEST(each_step_is_a_state)
{
	const struct snapshot_header_in base_header = crowd_header(11), delta_header = crowd_header(12);
	struct snapshot_builder *b;
	struct snapshot written;
	struct crowd at_fork;

	begin();
	ck_assert_int_eq(publish_base(1), 0);
	ck_assert_int_eq(publish_base(2), 0);
	ck_assert_int_eq(publish_delta(3), 0);
	oldest = newest = 3;
	watching = true;
	ck_assert_int_eq(publish_delta(4), 0);
	ck_assert_int_eq(publish_base(5), 0);
	ck_assert_int_eq(publish_delta(10), 0);
	ck_assert_uint_eq(newest, 10);
	at_fork = now;
	b = crowd_build(&at_fork);
	ck_assert_int_eq(snapshot_builder_write(b, scratch_path("."), &base_header), 0);
	snapshot_builder_free(b);
	ck_assert_int_eq(snapshot_open_written(scratch_path("."), &written), 0);
	crowd_change(&now);
	b = crowd_build_delta(&now, &at_fork, &written);
	ck_assert_int_eq(snapshot_builder_write(b, scratch_path("."), &delta_header), 0);
	oldest = newest;
	ck_assert_int_eq(snapshot_publish_written(scratch_path("."), true), 0);
	watching = false;
	ck_assert_uint_eq(oldest, 10);		/* and not the 11 of the base, whose people are those of the fork */
	ck_assert_uint_eq(newest, 12);
	ck_assert_uint_ge(steps, 10);
	snapshot_close(&written);
	snapshot_builder_free(b);
}
END_TEST

/* A delta that belongs to a base that was replaced meanwhile, or to none, is not published; nor is nothing. */
START_TEST(stale_is_refused)
{
	const struct snapshot_header_in header = crowd_header(3);
	struct snapshot_builder *b;
	struct snapshot old;

	begin();
	ck_assert_int_eq(publish_base(1), 0);
	old = open_base();
	crowd_change(&now);
	b = crowd_build_delta(&now, &based, &old);
	ck_assert_int_eq(publish_base(2), 0);
	ck_assert_int_eq(snapshot_builder_publish(b, scratch_path("."), &header), -ESTALE);
	ck_assert(!exists(DELTA(1)) && !exists(".delta.1.snap.new"));
	is_now(2);
	ck_assert_int_eq(unlink(scratch_path(SNAPSHOT_BASE_NAME)), 0);
	ck_assert_int_eq(snapshot_builder_publish(b, scratch_path("."), &header), -ESTALE);
	ck_assert(!exists(".delta.1.snap.new"));
	ck_assert_int_eq(snapshot_publish_written(scratch_path("."), false), -ENOENT);
	ck_assert_int_eq(snapshot_builder_write(b, scratch_path("."), &header), 0);
	ck_assert_int_eq(snapshot_publish_written(scratch_path("."), true), -ENOENT);
	ck_assert(!exists(".delta.1.snap.new"));
	snapshot_builder_free(b);
	snapshot_close(&old);
}
END_TEST

/* Two bases of one generation: the delta of the one would be taken for that of the other. */
START_TEST(generation_taken)
{
	begin();
	ck_assert_int_eq(publish_base(1), 0);
	ck_assert_int_eq(publish_base(1), 0);
	ck_assert_int_eq(publish_delta(2), 0);
	crowd_change(&now);
	ck_assert_int_eq(publish_base(1), -EEXIST);
	ck_assert(!exists(".base.1.snap.new"));
	ck_assert_int_eq(publish_base(0), -EINVAL);
	ck_assert_int_eq(publish_base(3), 0);
	is_now(3);
	/* the file of an earlier life is in the way of nobody */
	scratch_write(DELTA(4), "left over", 9);
	ck_assert_int_eq(publish_base(4), 0);
	is_now(4);
}
END_TEST

/* What the whole check refuses never reaches the name: here a user who is gone but still a member. */
START_TEST(checked_before_the_rename)
{
	const struct snapshot_header_in header = crowd_header(3);
	struct snapshot_builder *b;
	struct snapshot base;
	unsigned i = 0, group = 0;

	begin();
	ck_assert_int_eq(publish_base(1), 0);
	ck_assert_int_eq(publish_delta(2), 0);
	base = open_base();
	b = snapshot_builder_new_delta(&base);
	while (!based.groups[group].there)
		group++;
	while (!based.users[i].there || !based.users[i].member[group])
		i++;
	ck_assert_int_eq(snapshot_builder_hide_user(b, based.users[i].uid), 0);
	ck_assert_int_eq(snapshot_builder_publish(b, scratch_path("."), &header), -EBADMSG);
	ck_assert(!exists(".delta.1.snap.new"));
	is_now(2);
	snapshot_builder_free(b);
	snapshot_close(&base);
}
END_TEST

START_TEST(sn02a_no_space)
{
	struct rlimit before, small;
	ino_t delta;
	int r;

	begin();
	ck_assert_int_eq(publish_base(1), 0);
	ck_assert_int_eq(publish_delta(2), 0);
	delta = inode(DELTA(1));
	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = (struct rlimit){ .rlim_cur = 4096, .rlim_max = before.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	r = publish_delta(3);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	ck_assert_int_eq(r, -EFBIG);
	ck_assert_uint_eq(inode(DELTA(1)), delta);
	ck_assert(!exists(".delta.1.snap.new"));
}
END_TEST

/* ---- what readers make of it ---- */

/* A delta that is there and cannot be used is no delta that is not there: the base alone would be an older state. */
START_TEST(bad_delta_is_no_answer)
{
	struct snapshot s, base;

	begin();
	ck_assert_int_eq(publish_base(1), 0);
	ck_assert_int_eq(publish_delta(2), 0);
	ck_assert_int_eq(open_state(&s), 0);
	ck_assert_ptr_nonnull(s.delta);
	ck_assert_int_eq(chmod(scratch_path(DELTA(1)), 0666), 0);
	base = open_base();
	ck_assert_int_eq(snapshot_open_delta(scratch_path(SNAPSHOT_BASE_NAME), getuid(), &base), -EPERM);
	ck_assert_ptr_null(base.delta);
	snapshot_close(&base);
	ck_assert_int_eq(open_state(&base), -EPERM);
	ck_assert_int_eq(chmod(scratch_path(DELTA(1)), 0644), 0);
	ck_assert_int_eq(open_state(&base), 0);
	snapshot_close(&base);
	replace(DELTA(1), s.delta, s.delta_size - 1);
	ck_assert_int_eq(open_state(&base), -EBADMSG);
	replace(DELTA(1), s.base, s.size);
	ck_assert_int_eq(open_state(&base), -ESTALE);
	ck_assert_int_eq(unlink(scratch_path(DELTA(1))), 0);
	ck_assert_int_eq(symlink("/dev/null", scratch_path(DELTA(1))), 0);
	ck_assert_int_eq(open_state(&base), -EPERM);
	ck_assert_int_eq(unlink(scratch_path(DELTA(1))), 0);
	ck_assert_int_eq(mkfifo(scratch_path(DELTA(1)), 0644), 0);
	ck_assert_int_eq(open_state(&base), -EPERM);
	ck_assert_int_eq(unlink(scratch_path(DELTA(1))), 0);
	ck_assert_int_eq(open_state(&base), 0);
	ck_assert_ptr_null(base.delta);
	snapshot_close(&base);
	snapshot_close(&s);
}
END_TEST

/* SN06a: what the front sees of an older state put back, with its delta or without, is an older generation. */
START_TEST(sn06a_rollback)
{
	struct snapshot before, s;

	begin();
	ck_assert_int_eq(publish_base(1), 0);
	ck_assert_int_eq(publish_delta(2), 0);
	ck_assert_int_eq(open_state(&before), 0);
	ck_assert_int_eq(publish_delta(3), 0);
	ck_assert_int_eq(unlink(scratch_path(DELTA(1))), 0);
	ck_assert_int_eq(open_state(&s), 0);
	ck_assert_uint_eq(snapshot_generation(&s), 1);
	ck_assert_int_eq(snapshot_created_utc_sec(&s), 1);
	snapshot_close(&s);
	replace(DELTA(1), before.delta, before.delta_size);
	ck_assert_int_eq(open_state(&s), 0);
	ck_assert_uint_eq(snapshot_generation(&s), 2);
	snapshot_close(&s);
	ck_assert_int_eq(publish_base(4), 0);
	replace(SNAPSHOT_BASE_NAME, before.base, before.size);
	ck_assert_int_eq(open_state(&s), 0);
	ck_assert_uint_eq(snapshot_generation(&s), 2);
	snapshot_close(&s);
	snapshot_close(&before);
}
END_TEST

/* A base that is mapped already is taken over as long as its file is the same one. */
START_TEST(renewed)
{
	struct snapshot_file file, first;
	struct snapshot s, next;
	const char *path;

	begin();
	path = scratch_path(SNAPSHOT_BASE_NAME);
	ck_assert_int_eq(publish_base(1), 0);
	ck_assert_int_eq(snapshot_renew(path, getuid(), NULL, &file, NULL, &s), 0);
	ck_assert_ptr_null(s.delta);
	first = file;
	ck_assert_int_eq(publish_delta(2), 0);
	path = scratch_path(SNAPSHOT_BASE_NAME);
	ck_assert_int_eq(snapshot_renew(path, getuid(), s.base, &file, NULL, &next), 0);
	ck_assert_ptr_eq(next.base, s.base);
	ck_assert_ptr_nonnull(next.delta);
	ck_assert_uint_eq(file.ino, first.ino);
	next.base = NULL;	/* still that of s */
	snapshot_close(&next);
	ck_assert_int_eq(chmod(path, 0666), 0);
	ck_assert_int_eq(snapshot_renew(path, getuid(), s.base, &file, NULL, &next), -EPERM);
	ck_assert_uint_eq(file.ino, first.ino);
	ck_assert_int_eq(chmod(path, 0644), 0);
	ck_assert_int_eq(publish_base(3), 0);
	path = scratch_path(SNAPSHOT_BASE_NAME);
	ck_assert_int_eq(snapshot_renew(path, getuid(), s.base, &file, NULL, &next), 0);
	ck_assert_ptr_ne(next.base, s.base);
	ck_assert_uint_ne(file.ino, first.ino);
	snapshot_close(&next);
	snapshot_close(&s);
}
END_TEST

/* What a reader takes the present state for by the page: 1 with a delta, 0 without, or -errno. */
static int
renew_by(const struct snapshot_epoch *page)
{
	struct snapshot_file file;
	struct snapshot s;
	int r = snapshot_renew(scratch_path(SNAPSHOT_BASE_NAME), getuid(), NULL, &file, &page->bare, &s);

	if (r < 0)
		return r;
	r = s.delta != NULL;
	snapshot_close(&s);
	return r;
}

/* The page says that a base has no delta, and of no other base, and no longer than it has none. */
START_TEST(bare_base)
{
	struct snapshot_epoch *page;
	struct snapshot s;
	int dir;

	begin();
	dir = open(scratch_path("."), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(dir, 0);
	ck_assert_int_eq(epoch_map(dir, &page), 0);
	ck_assert_uint_eq(page->bare, 0);
	ck_assert_int_eq(publish_base(1), 0);
	ck_assert_uint_ne(page->bare, 0);
	ck_assert_int_eq(renew_by(page), 0);
	scratch_write(DELTA(1), (const uint8_t *)"none", 4);
	ck_assert_int_eq(chmod(scratch_path(DELTA(1)), 0644), 0);
	ck_assert_int_lt(open_state(&s), 0);
	ck_assert_int_eq(renew_by(page), 0);		/* it does not look */
	ck_assert_int_eq(publish_delta(2), 0);
	ck_assert_uint_eq(page->bare, 0);
	ck_assert_int_eq(renew_by(page), 1);
	ck_assert_int_eq(publish_base(3), 0);
	ck_assert_int_eq(renew_by(page), 0);
	scratch_write(DELTA(3), (const uint8_t *)"none", 4);
	ck_assert_int_eq(chmod(scratch_path(DELTA(3)), 0644), 0);
	ck_assert_int_eq(renew_by(page), 0);
	s = open_base();
	replace(SNAPSHOT_BASE_NAME, s.base, s.size);	/* a copy is another file */
	snapshot_close(&s);
	ck_assert_uint_ne(page->bare, 0);
	ck_assert_int_lt(renew_by(page), 0);
	epoch_unmap(page);
	(void)close(dir);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ published, 0 }, { bases_come_and_go, 0 }, { written_aside, 0 }, { each_step_is_a_state, 0 }, { stale_is_refused, 0 },
		{ generation_taken, 0 }, { checked_before_the_rename, 0 }, { sn02a_no_space, 0 },
		{ bad_delta_is_no_answer, 0 }, { sn06a_rollback, 0 }, { renewed, 0 }, { bare_base, 0 },
	};
	int status;

	scratch_make();
	status = suite_run("publish_delta", rows, ROWS(rows), 60);
	scratch_remove();
	return status;
}

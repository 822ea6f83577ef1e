/*
 * test_publish.c - snapshots on their way to the disk, and the epoch page.
 */
#include <config.h>

#include "daemon/snapshot_write.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/snapshot.h"
#include "daemon/epoch.h"
#include "daemon/snapshot_build.h"
#include "tests/nss/population.h"
#include "tests/nss/scratch.h"
#include "tests/unit/suite.h"

static const struct snapshot_header_in plain = { .generation = 7, .contact = "it@example.com" };
static const struct population few = { 5, 2, 1 };

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

static struct stat
stat_of(const char *name)
{
	struct stat st;

	ck_assert_int_eq(lstat(scratch_path(name), &st), 0);
	return st;
}

START_TEST(published)
{
	mode_t before = umask(077);
	struct stat base, epoch;
	struct snapshot s;
	uint64_t first;

	(void)scratch_begin();
	ck_assert_int_eq(population_publish(&few, scratch_path("."), &plain), 0);
	base = stat_of(SNAPSHOT_BASE_NAME);
	epoch = stat_of(SNAPSHOT_EPOCH_NAME);
	ck_assert_uint_eq(base.st_mode, S_IFREG | 0644);
	ck_assert_uint_eq(epoch.st_mode, S_IFREG | 0644);
	ck_assert_int_eq(epoch.st_size, SNAPSHOT_EPOCH_SIZE);
	first = epoch_now();
	ck_assert_uint_ne(first, 0);
	ck_assert_int_eq(snapshot_open(scratch_path(SNAPSHOT_BASE_NAME), getuid(), &s), 0);
	ck_assert_int_eq(population_publish(&few, scratch_path("."), &plain), 0);
	ck_assert_uint_eq(epoch_now(), first + 1);
	ck_assert_uint_eq(stat_of(SNAPSHOT_EPOCH_NAME).st_ino, epoch.st_ino);
	ck_assert_uint_ne(stat_of(SNAPSHOT_BASE_NAME).st_ino, base.st_ino);
	ck_assert_int_eq(snapshot_check_whole(&s), 0);	/* the old mapping lives on */
	snapshot_close(&s);
	(void)umask(before);
}
END_TEST

/* No space (here: a limit of the file size): the old file stays, no temp file is left. */
START_TEST(sn02a_no_space)
{
	const struct population many = { 3000, 10, 3 };
	struct rlimit before, small;
	struct stat base;
	int r;

	(void)scratch_begin();
	ck_assert_int_eq(population_publish(&few, scratch_path("."), &plain), 0);
	base = stat_of(SNAPSHOT_BASE_NAME);
	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = (struct rlimit){ .rlim_cur = 65536, .rlim_max = before.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	r = population_publish(&many, scratch_path("."), &plain);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	ck_assert_int_eq(r, -EFBIG);
	ck_assert_uint_eq(stat_of(SNAPSHOT_BASE_NAME).st_ino, base.st_ino);
	ck_assert_int_eq(access(scratch_path(".base.1.snap.new"), F_OK), -1);
}
END_TEST

/* A record that the whole check refuses never reaches the name; a temp file of a killed publisher is no obstacle. */
START_TEST(checked_before_the_rename)
{
	struct snapshot_builder *b = snapshot_builder_new();

	(void)scratch_begin();
	scratch_write(".base.1.snap.new", "left over", 9);
	ck_assert_int_eq(snapshot_builder_add_user(b, 0, 0, "toor", "", "/", "/bin/sh", NULL, 0), 0);
	ck_assert_int_eq(snapshot_builder_publish(b, scratch_path("."), &plain), -EBADMSG);
	snapshot_builder_free(b);
	ck_assert_int_eq(access(scratch_path(SNAPSHOT_BASE_NAME), F_OK), -1);
	ck_assert_int_eq(access(scratch_path(".base.1.snap.new"), F_OK), -1);
	ck_assert_int_eq(snapshot_builder_publish(NULL, scratch_path("missing"), &plain), -ENOENT);
}
END_TEST

/* A page that readers cannot use is told so to those who mapped it, and replaced. */
START_TEST(epoch_of_no_use)
{
	const uint64_t value = 42;
	_Atomic uint64_t *old;
	int fd;

	(void)scratch_begin();
	scratch_write(SNAPSHOT_EPOCH_NAME, &value, sizeof value);
	fd = open(scratch_path(SNAPSHOT_EPOCH_NAME), O_RDONLY | O_CLOEXEC);
	old = mmap(NULL, sizeof value, PROT_READ, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(old, MAP_FAILED);
	(void)close(fd);
	ck_assert_int_eq(population_publish(&few, scratch_path("."), &plain), 0);
	ck_assert_uint_eq(atomic_load(old), 0);
	(void)munmap((void *)old, sizeof value);
	ck_assert_int_eq(stat_of(SNAPSHOT_EPOCH_NAME).st_size, SNAPSHOT_EPOCH_SIZE);
	ck_assert_int_eq(unlink(scratch_path(SNAPSHOT_EPOCH_NAME)), 0);
	ck_assert_int_eq(symlink("/dev/null", scratch_path(SNAPSHOT_EPOCH_NAME)), 0);
	ck_assert_int_eq(population_publish(&few, scratch_path("."), &plain), 0);
	ck_assert_uint_eq(stat_of(SNAPSHOT_EPOCH_NAME).st_mode, S_IFREG | 0644);
}
END_TEST

/* Stands in for libc's own, which publication calls: fails once for a page of the epoch's size. */
static bool look_fails, map_fails;

__attribute__((visibility("default"))) int
fstat(int fd, struct stat *ret)
{
	int r = fstatat(fd, "", ret, AT_EMPTY_PATH);

	if (r == 0 && look_fails && ret->st_size == SNAPSHOT_EPOCH_SIZE) {
		look_fails = false;
		errno = EIO;
		return -1;
	}
	return r;
}

__attribute__((visibility("default"))) void *
mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	if (map_fails && size == sizeof(uint64_t)) {	/* to tell those who have mapped it, as no other does */
		map_fails = false;
		errno = ENOMEM;
		return MAP_FAILED;
	}
	return (void *)syscall(SYS_mmap, at, size, protection, flags, fd, offset);
}

/* A page that could not be looked at, or told, stays: who has mapped it would never hear of another one. */
START_TEST(epoch_not_reached)
{
	ino_t page;
	uint64_t at;

	(void)scratch_begin();
	ck_assert_int_eq(population_publish(&few, scratch_path("."), &plain), 0);
	page = stat_of(SNAPSHOT_EPOCH_NAME).st_ino;
	at = epoch_now();
	look_fails = true;
	ck_assert_int_eq(population_publish(&few, scratch_path("."), &plain), -EIO);
	ck_assert(!look_fails && stat_of(SNAPSHOT_EPOCH_NAME).st_ino == page && epoch_now() == at);
	ck_assert_int_eq(population_publish(&few, scratch_path("."), &plain), 0);
	ck_assert(stat_of(SNAPSHOT_EPOCH_NAME).st_ino == page && epoch_now() == at + 1);
	ck_assert_int_eq(chmod(scratch_path(SNAPSHOT_EPOCH_NAME), 0600), 0);	/* of no use: it is to be told, and replaced */
	map_fails = true;
	ck_assert_int_eq(population_publish(&few, scratch_path("."), &plain), -ENOMEM);
	ck_assert(!map_fails && stat_of(SNAPSHOT_EPOCH_NAME).st_ino == page);
	ck_assert_int_eq(population_publish(&few, scratch_path("."), &plain), 0);
	ck_assert_uint_ne(stat_of(SNAPSHOT_EPOCH_NAME).st_ino, page);
}
END_TEST

/* What a reader that mapped the page long ago sees of it. */
static const _Atomic uint64_t *
map_as_reader(void)
{
	int fd = open(scratch_path(SNAPSHOT_EPOCH_NAME), O_RDONLY | O_CLOEXEC);
	void *page = mmap(NULL, SNAPSHOT_EPOCH_SIZE, PROT_READ, MAP_SHARED, fd, 0);

	ck_assert_ptr_ne(page, MAP_FAILED);
	(void)close(fd);
	return page;
}

static uint64_t
bare_of(const _Atomic uint64_t *page)
{
	return atomic_load(&((const struct snapshot_epoch *)(const void *)page)->bare);
}

static void
overwrite_epoch(const uint8_t bytes[SNAPSHOT_EPOCH_SIZE])
{
	int fd = open(scratch_path(SNAPSHOT_EPOCH_NAME), O_WRONLY | O_CLOEXEC);

	ck_assert_int_eq(pwrite(fd, bytes, SNAPSHOT_EPOCH_SIZE, 0), SNAPSHOT_EPOCH_SIZE);
	(void)close(fd);
}

/* A page that others replaced, or took away: its readers are told as soon as the publisher looks. */
START_TEST(epoch_replaced)
{
	static uint8_t backup[SNAPSHOT_EPOCH_SIZE] = { 1, [offsetof(struct snapshot_epoch, bare)] = 1 };
	struct epoch_keeper k = { 0 };
	const _Atomic uint64_t *old, *next;
	char from[PATH_MAX];

	(void)scratch_begin();
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(population_publish(&few, scratch_path("."), &plain), 0);
	old = map_as_reader();
	ck_assert_uint_ne(bare_of(old), 0);
	ck_assert_int_eq(epoch_keep(&k, scratch_path(".")), 0);
	ck_assert_uint_eq(bare_of(old), 0);	/* who starts does not know whose word that is */
	ck_assert_int_eq(population_publish(&few, scratch_path("."), &plain), 0);
	ck_assert_int_eq(epoch_keep(&k, scratch_path(".")), 0);
	ck_assert_uint_eq(atomic_load(old), epoch_now());
	ck_assert_uint_ne(bare_of(old), 0);
	overwrite_epoch(backup);		/* in place: the counter goes back */
	ck_assert_uint_ne(bare_of(old), 0);
	ck_assert_int_eq(epoch_keep(&k, scratch_path(".")), 0);
	ck_assert(atomic_load(old) > 4 && bare_of(old) == 0);
	scratch_write("restored", backup, sizeof backup);
	ck_assert_int_eq(chmod(scratch_path("restored"), 0644), 0);
	(void)snprintf(from, sizeof from, "%s", scratch_path("restored"));
	ck_assert_int_eq(rename(from, scratch_path(SNAPSHOT_EPOCH_NAME)), 0);
	next = map_as_reader();
	ck_assert_uint_ne(atomic_load(old), 0);
	ck_assert_int_eq(epoch_keep(&k, scratch_path(".")), 1);
	ck_assert_uint_eq(atomic_load(old), 0);
	ck_assert_uint_eq(bare_of(next), 0);
	ck_assert_uint_gt(atomic_load(next), 4);	/* who knows the fourth of the old page, knows nothing of this one */
	ck_assert_int_eq(epoch_keep(&k, scratch_path(".")), 0);
	ck_assert_int_eq(unlink(scratch_path(SNAPSHOT_EPOCH_NAME)), 0);
	ck_assert_int_eq(population_publish(&few, scratch_path("."), &plain), 0);
	ck_assert_uint_ne(atomic_load(next), 0);
	ck_assert_int_eq(epoch_keep(&k, scratch_path(".")), 1);
	ck_assert_uint_eq(atomic_load(next), 0);
	epoch_keeper_advance(&k);
	ck_assert_uint_gt(epoch_now(), 1);
	ck_assert_int_eq(epoch_keep(&k, scratch_path("nowhere")), -ENOENT);
	epoch_keeper_done(&k);
	(void)munmap((void *)(uintptr_t)old, SNAPSHOT_EPOCH_SIZE);
	(void)munmap((void *)(uintptr_t)next, SNAPSHOT_EPOCH_SIZE);
}
END_TEST

START_TEST(epoch_never_zero)
{
	struct snapshot_epoch epoch = { .counter = UINT64_MAX - 1 };

	epoch_advance(&epoch);
	ck_assert_uint_eq(atomic_load(&epoch.counter), UINT64_MAX);
	epoch_advance(&epoch);
	ck_assert_uint_eq(atomic_load(&epoch.counter), 1);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ published, 0 }, { sn02a_no_space, 0 }, { checked_before_the_rename, 0 }, { epoch_of_no_use, 0 },
		{ epoch_not_reached, 0 }, { epoch_replaced, 0 }, { epoch_never_zero, 0 },
	};
	int status;

	scratch_make();
	status = suite_run("publish", rows, ROWS(rows), 60);
	scratch_remove();
	return status;
}

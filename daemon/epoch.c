/*
 * epoch.c - the counter page by which readers notice a new snapshot.
 *
 * Publisher only. Readers keep the page mapped for as long as they live, so the file is never unlinked,
 * truncated or replaced; if it must be (it is of no use as it is), 0 is written first: "open again by path". Where others
 * did so, the publisher, which keeps it mapped too, writes the 0 once it notices.
 */
#include <config.h>

#include "daemon/epoch.h"
#include "snapshot_build.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/snapshot.h"

#define TEMP_NAME	".epoch.new"

/* A new page with the counter at 1, under its name at once. */
static int
create(int dir_fd)
{
	const uint64_t first = 1;
	int fd, r;

	if (unlinkat(dir_fd, TEMP_NAME, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(dir_fd, TEMP_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = -posix_fallocate(fd, 0, SNAPSHOT_EPOCH_SIZE);
	if (r < 0)
		goto out;
	if (pwrite(fd, &first, sizeof first, 0) != (ssize_t)sizeof first) {
		r = -EIO;
		goto out;
	}
	if (fchmod(fd, 0644) < 0 || fsync(fd) < 0 ||
	    renameat(dir_fd, TEMP_NAME, dir_fd, SNAPSHOT_EPOCH_NAME) < 0 || fsync(dir_fd) < 0)
		r = -errno;
out:
	if (r < 0)
		(void)unlinkat(dir_fd, TEMP_NAME, 0);
	(void)close(fd);
	return r;
}

/* Whether readers accept the file as it is. */
static bool
usable(const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_uid == geteuid() && (st->st_mode & 07777) == 0644 &&
	    st->st_size == SNAPSHOT_EPOCH_SIZE;
}

/* Tell whoever mapped a page that goes. Who cannot be told would read the old snapshot for ever: -errno then. */
static int
retire(int fd, const struct stat *st)
{
	_Atomic uint64_t *counter;

	if (!S_ISREG(st->st_mode) || st->st_size < (off_t)sizeof *counter)
		return 0;	/* nobody has mapped it */
	counter = mmap(NULL, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (counter == MAP_FAILED)
		return -errno;
	atomic_store(counter, 0);
	(void)munmap((void *)counter, sizeof *counter);
	return 0;
}

/* Open the page, a fresh one if there is none that readers accept. */
static int
open_usable(int dir_fd)
{
	const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	struct stat st;
	int fd, r;

	fd = openat(dir_fd, SNAPSHOT_EPOCH_NAME, flags);
	if (fd >= 0) {
		r = fstat(fd, &st) < 0 ? -errno : 0;
		if (r == 0 && usable(&st))
			return fd;
		if (r == 0)
			r = retire(fd, &st);
		(void)close(fd);
		if (r < 0)
			return r;
	} else if (errno != ENOENT && errno != ELOOP && errno != EACCES) {
		return -errno;
	}
	r = create(dir_fd);
	if (r < 0)
		return r;
	fd = openat(dir_fd, SNAPSHOT_EPOCH_NAME, flags);
	return fd < 0 ? -errno : fd;
}

int
epoch_map(int dir_fd, struct snapshot_epoch **ret)
{
	void *page;
	int fd, r = 0;

	fd = open_usable(dir_fd);
	if (fd < 0)
		return fd;
	page = mmap(NULL, SNAPSHOT_EPOCH_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		r = -errno;
	else
		*ret = page;
	(void)close(fd);
	return r;
}

void
epoch_unmap(struct snapshot_epoch *epoch)
{
	if (epoch != NULL)
		(void)munmap((void *)epoch, SNAPSHOT_EPOCH_SIZE);
}

void
epoch_advance(struct snapshot_epoch *epoch)
{
	if (atomic_fetch_add(&epoch->counter, 1) == UINT64_MAX)
		(void)atomic_fetch_add(&epoch->counter, 1);
}

int
epoch_withdraw_bare(struct snapshot_epoch *epoch)
{
	if (atomic_exchange(&epoch->bare, 0) != 0)
		atomic_store(&epoch->owing, 1);
	if (atomic_load(&epoch->owing) == 0)
		return 0;
	if (msync((void *)epoch, SNAPSHOT_EPOCH_SIZE, MS_SYNC) < 0)
		return -errno;
	atomic_store(&epoch->owing, 0);
	return 0;
}

void
epoch_tell_bare(struct snapshot_epoch *epoch, int dir_fd)
{
	int fd = openat(dir_fd, SNAPSHOT_BASE_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct snapshot_file file;

	if (fd < 0)
		return;
	if (snapshot_file_of(fd, &file) == 0)
		atomic_store(&epoch->bare, snapshot_file_mark(&file));
	(void)close(fd);
}

/* ---- the publisher's hold on it ---- */

static void
look_back(struct epoch_keeper *k)
{
	uint64_t now = atomic_load(&k->page->counter);

	if (now < k->told && k->told != UINT64_MAX) {
		(void)epoch_withdraw_bare(k->page);	/* it is an old copy's, too */
		atomic_store(&k->page->counter, k->told + 1);
	}
	k->told = atomic_load(&k->page->counter);
}

static int
keep_file(struct epoch_keeper *k, int fd)
{
	struct snapshot_epoch *page;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (k->page != NULL && k->dev == st.st_dev && k->ino == st.st_ino) {
		look_back(k);
		return 0;
	}
	page = mmap(NULL, SNAPSHOT_EPOCH_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		return -errno;
	(void)epoch_withdraw_bare(page);	/* it may be an old copy's; the next base that is published tells anew */
	if (k->page == NULL) {
		*k = (struct epoch_keeper){ .page = page, .dev = st.st_dev, .ino = st.st_ino };
		look_back(k);
		return 0;
	}
	atomic_store(&k->page->counter, 0);
	epoch_unmap(k->page);
	*k = (struct epoch_keeper){ .page = page, .dev = st.st_dev, .ino = st.st_ino, .told = k->told };
	look_back(k);
	return 1;
}

int
epoch_keep(struct epoch_keeper *k, const char *dir)
{
	int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd, r;

	if (dir_fd < 0)
		return -errno;
	fd = open_usable(dir_fd);
	(void)close(dir_fd);
	if (fd < 0)
		return fd;
	r = keep_file(k, fd);
	(void)close(fd);
	return r;
}

void
epoch_keeper_advance(struct epoch_keeper *k)
{
	if (k->page != NULL) {
		epoch_advance(k->page);
		k->told = atomic_load(&k->page->counter);
	}
}

void
epoch_keeper_done(struct epoch_keeper *k)
{
	epoch_unmap(k->page);
	*k = (struct epoch_keeper){ 0 };
}

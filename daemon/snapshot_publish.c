/*
 * snapshot_publish.c - brings base and delta to the disk and tells readers of it.
 *
 * Publisher only. A published file is never written again and never truncated: it is replaced by rename,
 * and what was mapped lives on (MEASURED 9). On failure the old file stays and the temp file goes.
 *
 * No reader ever sees an older state than before: a new base's delta gets its name before the base does, and the
 * delta of the base before keeps its name until another base comes, for who opens it at that moment
 * (common/snapshot_open.c). What is older goes.
 */
#include <config.h>

#include "snapshot_write.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/snapshot_format.h"
#include "snapshot_build.h"

#define BASE_TEMP	".base.1.snap.new"
#define DELTA_TEMP	".delta.1.snap.new"

static int
write_whole(int fd, const uint8_t *bytes, size_t size)
{
	ssize_t n;

	for (; size > 0; bytes += n, size -= (size_t)n) {
		n = write(fd, bytes, size);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return n < 0 ? -errno : -EIO;
	}
	return 0;
}

/* Write the temp file durably, world-readable whatever the umask. */
static int
write_temp(int dir_fd, const char *name, const struct snapshot_image *image)
{
	int fd, r;

	if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = -posix_fallocate(fd, 0, (off_t)image->size);
	if (r < 0)
		goto out;
	r = write_whole(fd, image->bytes, image->size);
	if (r < 0)
		goto out;
	if (fchmod(fd, 0644) < 0 || fsync(fd) < 0)
		r = -errno;
out:
	if (close(fd) < 0 && r == 0)
		r = -errno;
	return r;
}

static int
join(const char *dir, const char *name, char ret[PATH_MAX])
{
	int n = snprintf(ret, PATH_MAX, "%s/%s", dir, name);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static int
open_base(const char *dir, const char *name, struct snapshot *ret)
{
	char path[PATH_MAX];
	int r = join(dir, name, path);

	*ret = (struct snapshot){ 0 };
	return r < 0 ? r : snapshot_open(path, geteuid(), ret);
}

int
snapshot_open_written(const char *dir, struct snapshot *ret)
{
	return open_base(dir, BASE_TEMP, ret);
}

static int
open_delta_temp(const char *dir, struct snapshot *s)
{
	char path[PATH_MAX];
	int r = join(dir, DELTA_TEMP, path);

	return r < 0 ? r : snapshot_open_delta_file(path, geteuid(), s);
}

/* Read a temp file again as every reader will, and all of it. */
static int
check_temp(const struct snapshot_builder *b, const char *dir)
{
	const struct snapshot_header *base = (const void *)b->base;
	struct snapshot s = { 0 };
	int r;

	if (base == NULL) {
		r = open_base(dir, BASE_TEMP, &s);
		if (r == 0)
			r = snapshot_check_whole(&s);
		snapshot_close(&s);
		return r;
	}
	s = (struct snapshot){ .base = b->base, .size = (size_t)base->total_size };
	r = open_delta_temp(dir, &s);
	if (r == 0)
		r = snapshot_check_delta(&s);
	s.base = NULL;		/* borrowed */
	snapshot_close(&s);
	return r;
}

static int
open_folder(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int
write_checked(const struct snapshot_builder *b, const char *dir, int dir_fd, const struct snapshot_header_in *header)
{
	const char *name = b->base == NULL ? BASE_TEMP : DELTA_TEMP;
	struct snapshot_image image = { 0 };
	int r;

	if (header->generation == 0)
		return -EINVAL;
	r = snapshot_image_make(b, header, &image);
	if (r == 0)
		r = write_temp(dir_fd, name, &image);
	snapshot_image_done(&image);
	if (r == 0)
		r = check_temp(b, dir);
	if (r < 0)
		(void)unlinkat(dir_fd, name, 0);
	return r;
}

int
snapshot_builder_write(struct snapshot_builder *b, const char *dir, const struct snapshot_header_in *header)
{
	int dir_fd, r;

	dir_fd = open_folder(dir);
	if (dir_fd < 0)
		return dir_fd;
	r = write_checked(b, dir, dir_fd, header);
	(void)close(dir_fd);
	return r;
}

/* ---- into place ---- */

/* What is to be published, and what is there before. Generations are 0 without one. */
struct change {
	const char *dir;
	int dir_fd;
	bool base, delta;		/* which of the temp files */
	uint64_t generation, before;	/* of the new base (or the present one), and of the one that it replaces */
};

/* Look at the temp files once more, and at what they replace. */
static int
examine(struct change *c)
{
	struct snapshot s;
	int r;

	r = open_base(c->dir, SNAPSHOT_BASE_NAME, &s);
	c->before = r == 0 ? snapshot_generation(&s) : 0;
	if (c->base) {
		snapshot_close(&s);
		r = open_base(c->dir, BASE_TEMP, &s);
	} else if (r < 0) {
		r = -ESTALE;
	}
	if (r == 0)
		c->generation = snapshot_generation(&s);
	if (r == 0 && c->delta)
		r = open_delta_temp(c->dir, &s);
	snapshot_close(&s);
	return r;
}

/* The name of the new base's delta must be free, or become its own. */
static int
clear_name(const struct change *c, const char *name)
{
	struct stat st;

	if (fstatat(c->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (c->generation == c->before)
		return -EEXIST;		/* the published base's own: it would go too early, or be taken for the new one's */
	return unlinkat(c->dir_fd, name, 0) < 0 ? -errno : 0;
}

static int
rename_files(const struct change *c)
{
	char name[SNAPSHOT_DELTA_NAME_SIZE];
	int r = 0;

	snapshot_delta_name(c->generation, name);
	if (c->base)
		r = clear_name(c, name);
	if (r < 0)
		return r;
	if (c->delta && renameat(c->dir_fd, DELTA_TEMP, c->dir_fd, name) < 0)
		return -errno;
	if (c->base && renameat(c->dir_fd, BASE_TEMP, c->dir_fd, SNAPSHOT_BASE_NAME) < 0) {
		r = -errno;
		if (c->delta)
			(void)unlinkat(c->dir_fd, name, 0);
	}
	return r;
}

/* Remove the deltas of bases that nobody can be about to open. Best effort: what stays is removed the next time. */
static void
remove_old(const struct change *c)
{
	char own[SNAPSHOT_DELTA_NAME_SIZE], before[SNAPSHOT_DELTA_NAME_SIZE];
	int fd = openat(c->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (folder == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	snapshot_delta_name(c->generation, own);
	snapshot_delta_name(c->before, before);
	while ((entry = readdir(folder)) != NULL)
		if (strncmp(entry->d_name, "delta.1.", strlen("delta.1.")) == 0 && strcmp(entry->d_name, own) != 0 &&
		    strcmp(entry->d_name, before) != 0)
			(void)unlinkat(c->dir_fd, entry->d_name, 0);
	(void)closedir(folder);
}

/* From the written files to those that readers find. Without the epoch page, mapped first, none would hear of it. */
static int
put_in_place(struct change *c)
{
	struct snapshot_epoch *epoch = NULL;
	int r, withdrawn = 0;

	r = epoch_map(c->dir_fd, &epoch);
	if (r == 0)
		r = examine(c);
	if (r == 0) {
		withdrawn = epoch_withdraw_bare(epoch);
		r = rename_files(c);
	}
	if (r < 0)
		goto out;
	/* Either is reported, but the new file is in place: readers are told all the same. */
	r = fsync(c->dir_fd) < 0 ? -errno : withdrawn;
	if (c->base && !c->delta)
		epoch_tell_bare(epoch, c->dir_fd);
	epoch_advance(epoch);
	if (c->base)
		remove_old(c);
out:
	epoch_unmap(epoch);
	return r;
}

static void
discard(int dir_fd)
{
	(void)unlinkat(dir_fd, BASE_TEMP, 0);
	(void)unlinkat(dir_fd, DELTA_TEMP, 0);
}

int
snapshot_publish_written(const char *dir, bool with_delta)
{
	struct change c = { .dir = dir, .base = true, .delta = with_delta };
	int r;

	c.dir_fd = open_folder(dir);
	if (c.dir_fd < 0)
		return c.dir_fd;
	r = put_in_place(&c);
	if (r < 0)
		discard(c.dir_fd);
	(void)close(c.dir_fd);
	return r;
}

void
snapshot_discard_written(const char *dir)
{
	int dir_fd = open_folder(dir);

	if (dir_fd < 0)
		return;
	discard(dir_fd);
	(void)close(dir_fd);
}

int
snapshot_builder_publish(struct snapshot_builder *b, const char *dir, const struct snapshot_header_in *header)
{
	struct change c = { .dir = dir };
	struct snapshot_epoch *epoch = NULL;
	int r;

	c.dir_fd = open_folder(dir);
	if (c.dir_fd < 0)
		return c.dir_fd;
	c.base = b->base == NULL;
	c.delta = !c.base;
	/* The page first: without it no reader would hear of the new file, and one temp file lies here at a time (SN02a). */
	r = epoch_map(c.dir_fd, &epoch);
	epoch_unmap(epoch);
	if (r == 0)
		r = write_checked(b, dir, c.dir_fd, header);
	if (r == 0)
		r = put_in_place(&c);
	if (r < 0)
		(void)unlinkat(c.dir_fd, c.base ? BASE_TEMP : DELTA_TEMP, 0);
	(void)close(c.dir_fd);
	return r;
}

/*
 * snapshot_publish.c - brings a snapshot to the disk and tells readers of it.
 *
 * Publisher only. A published file is never written again and never truncated: it is replaced by rename,
 * and what was mapped lives on (MEASURED 9). On failure the old file stays and the temp file goes.
 */
#include <config.h>

#include "snapshot_write.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/snapshot.h"
#include "snapshot_build.h"

#define TEMP_NAME	".base.1.snap.new"

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
write_temp(int dir_fd, const struct snapshot_image *image)
{
	int fd, r;

	if (unlinkat(dir_fd, TEMP_NAME, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(dir_fd, TEMP_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
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

/* Read the temp file again as every reader will, and all of it. */
static int
check_temp(const char *dir)
{
	struct snapshot s = { 0 };
	char path[PATH_MAX];
	int n, r;

	n = snprintf(path, sizeof path, "%s/%s", dir, TEMP_NAME);
	if (n < 0 || (size_t)n >= sizeof path)
		return -ENAMETOOLONG;
	r = snapshot_open(path, geteuid(), &s);
	if (r == 0)
		r = snapshot_check_whole(&s);
	snapshot_close(&s);
	return r;
}

/* From the finished image to the file that readers find. */
static int
replace(const char *dir, int dir_fd, const struct snapshot_image *image)
{
	int r;

	r = write_temp(dir_fd, image);
	if (r == 0)
		r = check_temp(dir);
	if (r == 0 && renameat(dir_fd, TEMP_NAME, dir_fd, SNAPSHOT_BASE_NAME) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(dir_fd, TEMP_NAME, 0);
	return r;
}

int
snapshot_builder_publish(struct snapshot_builder *b, const char *dir, const struct snapshot_header_in *header)
{
	struct snapshot_image image = { 0 };
	_Atomic uint64_t *epoch = NULL;
	int dir_fd, r;

	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return -errno;
	r = epoch_map(dir_fd, &epoch);	/* first: without it no reader would hear of the new file */
	if (r < 0)
		goto out;
	r = snapshot_image_make(b, header, &image);
	if (r < 0)
		goto out;
	r = replace(dir, dir_fd, &image);
	if (r < 0)
		goto out;
	if (fsync(dir_fd) < 0)
		r = -errno;	/* reported, but the new file is in place: readers are told all the same */
	epoch_advance(epoch);
out:
	snapshot_image_done(&image);
	epoch_unmap(epoch);
	(void)close(dir_fd);
	return r;
}

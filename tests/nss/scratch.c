/*
 * scratch.c - see scratch.h. Test programs only.
 */
#include <config.h>

#include "tests/nss/scratch.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[40], folder[64];

void
scratch_make(void)
{
	/* In memory where possible: hundreds of publications wait for the disk otherwise. */
	(void)strcpy(root, "/dev/shm/isms-test-XXXXXX");
	if (mkdtemp(root) != NULL)
		return;
	(void)strcpy(root, "/tmp/isms-test-XXXXXX");
	if (mkdtemp(root) == NULL) {
		perror(root);
		abort();
	}
}

const char *
scratch_begin(void)
{
	(void)snprintf(folder, sizeof folder, "%s/XXXXXX", root);
	if (mkdtemp(folder) == NULL) {
		perror(folder);
		abort();
	}
	return folder;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
scratch_remove(void)
{
	(void)nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *
scratch_path(const char *name)
{
	static char paths[8][PATH_MAX];
	static unsigned turn;
	char *path = paths[turn++ % 8];

	(void)snprintf(path, PATH_MAX, "%s/%s", folder, name);
	return path;
}

void
scratch_write(const char *name, const void *bytes, size_t size)
{
	int fd = open(scratch_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size || fchmod(fd, 0644) < 0 || close(fd) < 0) {
		perror(scratch_path(name));
		abort();
	}
}

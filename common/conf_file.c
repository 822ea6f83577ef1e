/*
 * conf_file.c - finds and reads isms.conf, policy.conf and their folders NAME.d.
 *
 * Runs in every process of ismsd and in isms-userctl. Must never read a file that somebody other than
 * root and ourselves could have written, follow a link, wait for a pipe, or let a locale order files.
 */
#include <config.h>

#include "common/conf_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int __attribute__((format(printf, 4, 5)))
fault(int result, char *error, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(error, size, format, args);
	va_end(args);
	return result;
}

/* Of root or of ourselves, and nobody else can write it. */
static int
judge_owner(const char *path, const struct stat *st, char *error, size_t size)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return fault(-EPERM, error, size, "%s: belongs to uid %u; chown root it", path, (unsigned)st->st_uid);
	if ((st->st_mode & 022) != 0)
		return fault(-EPERM, error, size, "%s: group or others can write it; chmod go-w it", path);
	return 0;
}

static int
read_file(int fd, size_t length, char *to)
{
	size_t done = 0;

	while (done < length) {
		ssize_t n = read(fd, to + done, length - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;	/* shorter than it was a moment ago */
		done += (size_t)n;
	}
	return 0;
}

static int
load_file(int folder_fd, const char *folder, const char *name, conf_handler *handler, void *arg, unsigned *files,
    char *error, size_t size)
{
	char path[4096];
	char *text = NULL;
	struct stat st;
	int fd, r;

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		r = -errno;
		return r == -ENOENT ? 0 : fault(r, error, size, "%s: %s", path, strerrordesc_np(-r));
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		r = fault(-EINVAL, error, size, "%s: not a regular file", path);
		goto out;
	}
	r = judge_owner(path, &st, error, size);
	if (r < 0)
		goto out;
	if (st.st_size > CONF_FILE_BYTES_MAX) {
		r = fault(-EFBIG, error, size, "%s: longer than %d bytes", path, CONF_FILE_BYTES_MAX);
		goto out;
	}
	text = malloc((size_t)st.st_size + 1);
	r = text == NULL ? -ENOMEM : read_file(fd, (size_t)st.st_size, text);
	if (r < 0) {
		(void)fault(r, error, size, "%s: %s", path, strerrordesc_np(-r));
		goto out;
	}
	if (files != NULL)
		(*files)++;
	r = conf_parse(text, (size_t)st.st_size, path, handler, arg, error, size);
out:
	free(text);
	(void)close(fd);
	return r;
}

/* Open a folder that only root and we can write. 1: opened, 0: there is none. */
static int
open_folder(const char *path, int *ret_fd, char *error, size_t size)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY | O_NOCTTY), r;

	if (fd < 0) {
		r = -errno;
		return r == -ENOENT ? 0 : fault(r, error, size, "%s: %s", path, strerrordesc_np(-r));
	}
	r = fstat(fd, &st) < 0 ? -errno : judge_owner(path, &st, error, size);
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	*ret_fd = fd;
	return 1;
}

static int
is_conf(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return d->d_name[0] != '.' && len > 5 && strcmp(d->d_name + len - 5, ".conf") == 0;
}

static int
by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);	/* alphasort() would ask the locale */
}

static int
load_folder(const char *path, conf_handler *handler, void *arg, unsigned *files, char *error, size_t size)
{
	struct dirent **names = NULL;
	int fd = -1, count = 0, r;

	r = open_folder(path, &fd, error, size);
	if (r <= 0)
		return r;
	count = scandirat(fd, ".", &names, is_conf, by_bytes);
	if (count < 0 || count > CONF_FILES_MAX) {
		r = fault(count < 0 ? -errno : -E2BIG, error, size, "%s: cannot be listed, or holds more than %d files",
		    path, CONF_FILES_MAX);
		goto out;
	}
	r = 0;
	for (int i = 0; i < count && r == 0; i++)
		r = load_file(fd, path, names[i]->d_name, handler, arg, files, error, size);
out:
	for (int i = 0; i < count; i++)
		free(names[i]);
	free(names);
	(void)close(fd);
	return r;
}

int
conf_load(const char *dir, const char *file, const char *folder, conf_handler *handler, void *arg,
    unsigned *files, char *error, size_t size)
{
	char path[4096];
	int fd, r;

	if (size > 0)
		error[0] = '\0';
	if (files != NULL)
		*files = 0;
	if (snprintf(path, sizeof path, "%s/%s", dir, folder) >= (int)sizeof path - 256)
		return fault(-ENAMETOOLONG, error, size, "%s: path too long", dir);
	r = open_folder(dir, &fd, error, size);
	if (r <= 0)
		return r;
	r = load_file(fd, dir, file, handler, arg, files, error, size);
	(void)close(fd);
	return r < 0 ? r : load_folder(path, handler, arg, files, error, size);
}

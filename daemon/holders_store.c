/*
 * holders_store.c - see holders_store.h. Directory process, on its loop: some kilobytes, when somebody has left.
 *
 * A line of text for each, "uid NAME ENTRY-ID" or "uidNumber NUMBER ENTRY-ID", after one with the form and the base.
 */
#include <config.h>

#include "daemon/holders_store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORM "isms-holders 1"

static const char *const words[2] = { "uid", "uidNumber" };

static int
paths_of(const char *folder, char path[static PATH_MAX], char temporary[static PATH_MAX])
{
	int a = snprintf(path, PATH_MAX, "%s/holders", folder), b = snprintf(temporary, PATH_MAX, "%s/holders.new", folder);

	return a > 0 && a < PATH_MAX && b > 0 && b < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int
read_line(const char *line, struct identity_holders *ret)
{
	char word[10], key[33], id[65], rest;

	if (sscanf(line, "%9s %32s %64s %c", word, key, id, &rest) != 3)
		return -EBADMSG;
	for (int i = 0; i < 2; i++)
		if (strcmp(word, words[i]) == 0)
			return identity_holders_add(ret, i == 1, key, id);
	return -EBADMSG;
}

static int
read_all(FILE *f, const char *base, struct identity_holders *ret)
{
	char *line = NULL, first[1024];
	size_t room = 0;
	int r = 0;

	if (snprintf(first, sizeof first, FORM " %s\n", base) >= (int)sizeof first)
		return -ENAMETOOLONG;
	if (getline(&line, &room, f) < 0)
		r = -EBADMSG;
	else if (strcmp(line, first) == 0)
		while (r == 0 && getline(&line, &room, f) >= 0)
			r = read_line(line, ret);
	free(line);
	return r == 0 && ferror(f) ? -EIO : r;
}

int
holders_store_read(const char *folder, const char *base, struct identity_holders *ret)
{
	char path[PATH_MAX], temporary[PATH_MAX];
	FILE *f;
	int fd, r = paths_of(folder, path, temporary);

	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	f = fdopen(fd, "r");
	if (f == NULL) {
		(void)close(fd);
		return -ENOMEM;
	}
	r = read_all(f, base, ret);
	(void)fclose(f);
	return r;
}

static int
write_all(FILE *f, const char *base, const struct identity_holders *all)
{
	(void)fprintf(f, FORM " %s\n", base);
	for (size_t i = 0; i < all->count; i++)
		(void)fprintf(f, "%s %s %s\n", words[all->list[i].is_number], all->list[i].key, all->list[i].entry_id);
	if (fflush(f) != 0 || ferror(f) || fsync(fileno(f)) < 0)
		return errno != 0 ? -errno : -EIO;
	return 0;
}

static int
sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = fsync(fd) < 0 ? -errno : 0;
	(void)close(fd);
	return r;
}

int
holders_store_write(const char *folder, const char *base, const struct identity_holders *all)
{
	char path[PATH_MAX], temporary[PATH_MAX];
	FILE *f;
	int fd, r = paths_of(folder, path, temporary);

	if (r < 0)
		return r;
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	f = fdopen(fd, "w");
	if (f == NULL) {
		(void)close(fd);
		return -ENOMEM;
	}
	r = write_all(f, base, all);
	if (fclose(f) != 0 && r == 0)
		r = -errno;
	if (r == 0 && rename(temporary, path) < 0)
		r = -errno;
	return r == 0 ? sync_folder(folder) : r;
}

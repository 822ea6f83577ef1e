/*
 * zone_file.c - finds and reads the file of a time zone.
 *
 * Runs in isms-userctl and the directory process, for bare dates alone. Must never read TZ, TZDIR or
 * /etc/localtime, nor a file outside ZONE_FOLDER.
 */
#include <config.h>

#include "common/zone.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ZONE_FILE_MAX = 1 << 20 };

bool
zone_name_valid(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > ZONE_NAME_MAX || name[0] == '/' || name[len - 1] == '/' || strstr(name, "//") != NULL)
		return false;
	if (strcmp(name, "localtime") == 0)	/* a link to /etc/localtime, which must not decide anything (TM06a) */
		return false;
	/* No dot is allowed at all, hence no "..". */
	return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") == len;
}

static int
read_whole(int fd, size_t size, uint8_t *to)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = read(fd, to + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EBADMSG;
		done += (size_t)n;
	}
	return 0;
}

int
zone_load(const char *name, struct zone *ret)
{
	char path[sizeof ZONE_FOLDER + 1 + ZONE_NAME_MAX];
	struct zone z = { 0 };
	uint8_t *data = NULL;
	struct stat st;
	int fd, r;

	if (!zone_name_valid(name))
		return -ENOENT;
	(void)snprintf(path, sizeof path, "%s/%s", ZONE_FOLDER, name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOTDIR ? -ENOENT : -errno;
	if (fstat(fd, &st) < 0) {
		r = -errno;
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		r = -ENOENT;
		goto out;
	}
	if (st.st_size == 0 || st.st_size > ZONE_FILE_MAX) {
		r = -EBADMSG;
		goto out;
	}
	data = malloc((size_t)st.st_size);
	if (data == NULL) {
		r = -ENOMEM;
		goto out;
	}
	r = read_whole(fd, (size_t)st.st_size, data);
	if (r == 0)
		r = zone_parse(data, (size_t)st.st_size, &z);
	if (r == 0) {
		z.data = data;
		data = NULL;		/* now owned by *ret */
		*ret = z;
	}
out:
	free(data);
	(void)close(fd);
	return r;
}

void
zone_done(struct zone *zone)
{
	free(zone->data);
	*zone = (struct zone){ 0 };
}

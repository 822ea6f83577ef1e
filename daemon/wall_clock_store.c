/*
 * wall_clock_store.c - clock readings in a file (see wall_clock_store.h).
 *
 * Directory process. What is not of this boot says nothing, since the boot clock began anew; so nothing need be durable.
 */
#include <config.h>

#include "daemon/wall_clock_store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/clock.h"

#define NAME	"clock"

/* "BOOT-ID REAL BOOT", both in microseconds. */
static int
parse(const char *text, const char *boot_id, struct wall_clock *ret)
{
	char *end;

	if (strlen(text) < 37 || text[36] != ' ')
		return -EBADMSG;
	if (strncmp(text, boot_id, 36) != 0)
		return 0;
	errno = 0;
	ret->real_usec = strtoll(text + 36, &end, 10);
	if (errno != 0 || *end != ' ' || ret->real_usec <= 0)
		return -EBADMSG;
	ret->boot_usec = strtoll(end, &end, 10);
	if (errno != 0 || strcmp(end, "\n") != 0 || ret->boot_usec <= 0)
		return -EBADMSG;
	return 1;
}

int
wall_clock_load(const char *folder, struct wall_clock *clock)
{
	struct clock_reading now;
	struct wall_clock kept = { 0 };
	char path[512], text[128] = "";
	ssize_t n;
	int fd, r = clock_read(&now);

	if (r < 0)
		return r;
	(void)snprintf(path, sizeof path, "%s/" NAME, folder);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	n = read(fd, text, sizeof text - 1);
	r = n < 0 ? -errno : 0;
	(void)close(fd);
	if (r < 0)
		return r;
	r = parse(text, now.boot_id, &kept);
	if (r == 1)
		wall_clock_resume(clock, &kept);
	return r;
}

int
wall_clock_save(const char *folder, const struct wall_clock *clock)
{
	struct clock_reading now;
	char path[512], fresh[520], text[128];
	int fd, len, r = clock_read(&now);

	if (r < 0)
		return r;
	(void)snprintf(path, sizeof path, "%s/" NAME, folder);
	(void)snprintf(fresh, sizeof fresh, "%s.new", path);
	len = snprintf(text, sizeof text, "%s %" PRId64 " %" PRId64 "\n", now.boot_id, clock->real_usec, clock->boot_usec);
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (write(fd, text, (size_t)len) != len)
		r = -EIO;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r == 0 && rename(fresh, path) < 0)
		r = -errno;
	if (r < 0)
		(void)unlink(fresh);
	return r;
}

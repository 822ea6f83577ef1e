/*
 * descriptor.c - keeps our descriptors above 2 (see descriptor.h).
 *
 * Links into the modules: libc only, no state.
 */
#include <config.h>

#include "common/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int
descriptor_above_stdio(int fd)
{
	int moved, saved;

	if (fd < 0 || fd > 2)
		return fd;
	moved = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	saved = errno;
	(void)close(fd);
	errno = saved;
	return moved;
}

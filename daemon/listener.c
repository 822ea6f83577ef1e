/*
 * listener.c - the listening socket: passed by systemd, or made here for tests and rescue (see connection.h).
 *
 * Runs in every process of ismsd, at the start. It must never take over a passed socket of another path, nor
 * remove anything but a socket.
 */
#include <config.h>

#include "daemon/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define BACKLOG 4096

/* Make the folders above path, as a test root may be empty. */
static int
make_parents(const char *path)
{
	char buf[sizeof ((struct sockaddr_un *)NULL)->sun_path];

	if ((size_t)snprintf(buf, sizeof buf, "%s", path) >= sizeof buf)
		return -ENAMETOOLONG;
	for (char *p = strchr(buf + 1, '/'); p != NULL; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(buf, 0755) < 0 && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return 0;
}

static int
make_listener(const char *path, mode_t mode, int *ret_fd)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct stat st;
	int fd, r;

	if (strlen(path) >= sizeof sa.sun_path)
		return -ENAMETOOLONG;
	memcpy(sa.sun_path, path, strlen(path) + 1);
	r = make_parents(path);
	if (r < 0)
		return r;
	if (lstat(path, &st) == 0 && (!S_ISSOCK(st.st_mode) || unlink(path) < 0))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* The mode is set on the socket before it has a name: no moment with other rights, and no umask to touch. */
	if (fchmod(fd, mode) < 0 || bind(fd, (const struct sockaddr *)&sa, sizeof sa) < 0 || chmod(path, mode) < 0 ||
	    listen(fd, BACKLOG) < 0) {
		r = -errno;
		(void)close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

int
listener_open(const char *path, mode_t mode, int *ret_fd)
{
	int n = sd_listen_fds(0);

	if (n < 0)
		return n;
	for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + n; fd++) {
		int flags;

		if (sd_is_socket_unix(fd, SOCK_SEQPACKET, 1, path, 0) <= 0)
			continue;
		flags = fcntl(fd, F_GETFL);
		if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
			return -errno;
		*ret_fd = fd;
		return 0;
	}
	return make_listener(path, mode, ret_fd);
}

/*
 * ssh_client.c - the network peer of our parent, by the kernel's word.
 *
 * sshd of Debian 12 cannot tell its AuthorizedKeysCommand where the client is, and "not from there" deserves an event of
 * its own. It is a refinement: what is not found here, the from= of the printed line decides, and PAM does again. So it
 * must never take long, nor an address of anything but the one connection.
 */
#include <config.h>

#include "pam/ssh_client.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DESCRIPTORS_MAX 64	/* of the monitor; it has about ten */

/* A copy of one descriptor of the process; -1 when it is none, or ours is not the right. */
static int
borrow(int pidfd, const char *number)
{
	char *end;
	unsigned long fd = strtoul(number, &end, 10);

	if (*number < '0' || *number > '9' || *end != '\0' || fd > 65535)
		return -1;
	return (int)syscall(SYS_pidfd_getfd, pidfd, (int)fd, 0);
}

/* The peer of a connected network socket as text. Returns false for anything else. */
static bool
find_peer(int fd, char ret[static INET6_ADDRSTRLEN])
{
	struct sockaddr_storage peer = { 0 };
	const struct sockaddr_in6 *v6 = (const void *)&peer;
	const struct sockaddr_in *v4 = (const void *)&peer;
	socklen_t len = sizeof peer;

	if (getpeername(fd, (struct sockaddr *)&peer, &len) < 0)
		return false;
	if (peer.ss_family == AF_INET)
		return inet_ntop(AF_INET, &v4->sin_addr, ret, INET6_ADDRSTRLEN) != NULL;
	if (peer.ss_family != AF_INET6)
		return false;
	if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))	/* sshd shows it so */
		return inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, ret, INET6_ADDRSTRLEN) != NULL;
	return inet_ntop(AF_INET6, &v6->sin6_addr, ret, INET6_ADDRSTRLEN) != NULL;
}

void
ssh_client_address(pid_t sshd, char *ret, size_t size)
{
	char path[32], found[INET6_ADDRSTRLEN] = "", peer[INET6_ADDRSTRLEN];
	int pidfd = (int)syscall(SYS_pidfd_open, sshd, 0);
	const struct dirent *row;
	unsigned left = DESCRIPTORS_MAX, peers = 0;
	DIR *folder;

	ret[0] = '\0';
	(void)snprintf(path, sizeof path, "/proc/%d/fd", (int)sshd);
	folder = pidfd >= 0 ? opendir(path) : NULL;
	while (folder != NULL && (row = readdir(folder)) != NULL && left-- > 0) {
		int fd = borrow(pidfd, row->d_name);

		if (fd < 0)
			continue;
		if (find_peer(fd, peer) && strcmp(found, peer) != 0) {
			memcpy(found, peer, sizeof found);
			peers++;
		}
		(void)close(fd);
	}
	if (folder != NULL)
		(void)closedir(folder);
	if (pidfd >= 0)
		(void)close(pidfd);
	if (peers == 1)		/* of several, nobody can tell which one it is */
		(void)snprintf(ret, size, "%s", found);
}

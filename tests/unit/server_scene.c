/*
 * server_scene.c - a server on a loop that is turned by hand, and its clients (see server_scene.h). Test code only.
 */
#include <config.h>

#include "tests/unit/server_scene.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/suite.h"

int __real_getsockopt(int fd, int level, int name, void *value, socklen_t *size);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size);

struct host host;

/* What the kernel tells of a peer: nothing (IP09a), another uid, or the truth. */
int
__wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
	struct ucred *peer = value;
	int r;

	if (level != SOL_SOCKET || name != SO_PEERCRED)
		return __real_getsockopt(fd, level, name, value, size);
	if (host.no_credentials) {
		errno = ENOPROTOOPT;
		return -1;
	}
	r = __real_getsockopt(fd, level, name, value, size);
	if (r == 0 && host.claims)
		peer->uid = host.claim(peer->pid);
	return r;
}

void
host_path(pid_t pid, char ret[static HOST_PATH_SIZE])
{
	(void)snprintf(ret, HOST_PATH_SIZE, "%s/server.%ld", suite_folder(), (long)pid);
}

void
host_begin_sized(uid_t root, const struct server_handler *handlers, size_t frame_max)
{
	const struct server_config config = {
		.path = host.path, .mode = 0666, .frame_max = frame_max, .peers = &host.peers, .handlers = handlers,
	};

	host = (struct host){ .peers = { .root = root, .front = PEERS_NOBODY, .directory = PEERS_NOBODY } };
	host_path(getpid(), host.path);
	(void)unlink(host.path);
	ck_assert_int_eq(sd_event_new(&host.event), 0);
	ck_assert_int_eq(server_new(host.event, &config, &host.server), 0);
}

void
host_begin(uid_t root, const struct server_handler *handlers)
{
	host_begin_sized(root, handlers, PROTO_FRAME_MAX);
}

void
host_end(void)
{
	server_free(host.server);
	sd_event_unref(host.event);
	(void)unlink(host.path);
	host.claims = host.no_credentials = false;	/* libcheck may run the next test in this process */
}

void
host_turn(void)
{
	while (sd_event_run(host.event, 0) > 0)
		;
}

int
host_join(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	(void)snprintf(sa.sun_path, sizeof sa.sun_path, "%s", host.path);
	ck_assert_int_eq(connect(fd, (const struct sockaddr *)&sa, sizeof sa), 0);
	return fd;
}

bool
host_hung_up(int fd)
{
	char byte;

	host_turn();
	return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

size_t
host_frame(enum message number, const void *msg, uint8_t *buf, size_t size)
{
	int len = proto_encode(proto_find(number), msg, buf, size);

	ck_assert_int_gt(len, 0);
	return (size_t)len;
}

void
host_send_bytes(int fd, const void *bytes, size_t size)
{
	ck_assert_int_eq(send(fd, bytes, size, MSG_NOSIGNAL), (ssize_t)size);
	host_turn();
}

void
host_send(int fd, enum message number, const void *msg)
{
	uint8_t frame[PROTO_FRAME_MAX];

	host_send_bytes(fd, frame, host_frame(number, msg, frame, sizeof frame));
}

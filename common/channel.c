/*
 * channel.c - client side of our sockets: connect, know the peer, send, receive, all with deadlines.
 *
 * Runs inside sshd, su, sudo, lockers and isms-userctl: it must never block past its deadline, raise
 * SIGPIPE, use a descriptor below 3, or leave one open. libc only.
 */
#include <config.h>

#include "common/channel.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/descriptor.h"

#define RETRY_MS 20

int64_t
channel_now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Wait until fd is ready for events; 0, -ETIMEDOUT, -errno. A hang-up counts as ready: the call tells. */
static int
wait_for(int fd, short events, int64_t deadline_ms)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = events };
		int64_t left = deadline_ms - channel_now_ms();
		int n;

		if (left < 0)
			left = 0;
		n = poll(&p, 1, left > INT32_MAX ? INT32_MAX : (int)left);
		if (n > 0)
			return (p.revents & POLLNVAL) != 0 ? -EBADF : 0;
		if (n == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

static int
check_peer(int fd, const uid_t *owners, size_t owner_count)
{
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t len = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return -errno;
	for (size_t i = 0; i < owner_count; i++)
		if (peer.uid == owners[i])
			return 0;
	return -EPERM;
}

static int
connect_until(int fd, const struct sockaddr_un *to, int64_t deadline_ms)
{
	for (;;) {
		const struct timespec pause = { .tv_nsec = RETRY_MS * 1000000L };

		if (connect(fd, (const struct sockaddr *)to, sizeof *to) == 0)
			return 0;
		/* A UNIX socket whose backlog is full says EAGAIN, and poll() cannot wait for it. */
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		if (channel_now_ms() + RETRY_MS > deadline_ms)
			return -ETIMEDOUT;
		(void)nanosleep(&pause, NULL);
	}
}

int
channel_connect(const char *path, const uid_t *owners, size_t owner_count, int64_t deadline_ms, int *ret_fd)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd, r;

	if (strlen(path) >= sizeof to.sun_path)
		return -ENAMETOOLONG;
	memcpy(to.sun_path, path, strlen(path) + 1);
	fd = descriptor_above_stdio(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	if (fd < 0)
		return -errno;
	r = connect_until(fd, &to, deadline_ms);
	if (r == 0)
		r = check_peer(fd, owners, owner_count);
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

static int
send_frame(int fd, const struct msghdr *mh, int64_t deadline_ms)
{
	for (;;) {
		int r;

		if (sendmsg(fd, mh, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
			return 0;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		r = wait_for(fd, POLLOUT, deadline_ms);
		if (r < 0)
			return r;
	}
}

int
channel_send_fd(int fd, enum message number, const void *msg, int attach_fd, int64_t deadline_ms)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = { 0 } };
	const struct message_info *info = proto_find(number);
	uint8_t frame[PROTO_FRAME_MAX];
	struct iovec iov = { .iov_base = frame };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	int r;

	if (info == NULL)
		return -EINVAL;
	r = proto_encode(info, msg, frame, sizeof frame);
	if (r < 0)
		goto out;
	iov.iov_len = (size_t)r;
	if (attach_fd >= 0) {
		struct cmsghdr *c;

		mh.msg_control = control.bytes;
		mh.msg_controllen = sizeof control.bytes;
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof attach_fd);
		memcpy(CMSG_DATA(c), &attach_fd, sizeof attach_fd);
	}
	r = send_frame(fd, &mh, deadline_ms);
out:
	explicit_bzero(frame, sizeof frame);
	return r;
}

int
channel_send(int fd, enum message number, const void *msg, int64_t deadline_ms)
{
	return channel_send_fd(fd, number, msg, -1, deadline_ms);
}

int
channel_recv(int fd, uint8_t *buf, size_t size, int64_t deadline_ms, const struct message_info **ret_info,
    size_t *ret_size)
{
	/* No room for control data: descriptors that a peer attaches are dropped by the kernel, and MSG_CTRUNC tells. */
	struct iovec iov = { .iov_base = buf, .iov_len = size };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;
	int r;

	for (;;) {
		n = recvmsg(fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (n > 0)
			break;
		if (n == 0)
			return -ECONNRESET;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		r = wait_for(fd, POLLIN, deadline_ms);
		if (r < 0)
			return r;
	}
	if ((mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
		return -EBADMSG;
	r = proto_peek(buf, (size_t)n, ret_info);
	if (r < 0)
		return r;
	*ret_size = (size_t)n;
	return 0;
}

int
channel_ask(int fd, enum message number, const void *msg, enum message want, void *ret_msg, int64_t deadline_ms)
{
	const struct message_info *info;
	uint8_t frame[PROTO_PRIVATE_MAX];
	size_t size = 0;
	int r;

	r = channel_send(fd, number, msg, deadline_ms);
	if (r < 0)
		return r;
	r = channel_recv(fd, frame, sizeof frame, deadline_ms, &info, &size);
	if (r == 0)
		r = info->number == want ? proto_decode(info, frame, size, ret_msg) : -EBADMSG;
	explicit_bzero(frame, size);
	return r;
}

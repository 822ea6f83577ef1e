/*
 * journal.c - one event to journald by its native datagram protocol.
 *
 * Runs inside every process that resolves a name or logs somebody in: one non-blocking send, no wait,
 * no descriptor kept, no libsystemd, no SIGPIPE; what journald cannot take now is lost (THREATS I4).
 * Values never hold a newline (event.c escapes them), so every field has the short NAME=value form.
 */
#include <config.h>

#include "common/journal.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/descriptor.h"

static const struct sockaddr_un journald = {
	.sun_family = AF_UNIX,
	.sun_path = "/run/systemd/journal/socket",
};

/* Attach effective ids: journald would otherwise store a setuid caller's event under the real uid. */
static void
attach_credentials(struct msghdr *mh, void *control, size_t size)
{
	const struct ucred me = { .pid = getpid(), .uid = geteuid(), .gid = getegid() };
	struct cmsghdr *c;

	mh->msg_control = control;
	mh->msg_controllen = size;
	c = CMSG_FIRSTHDR(mh);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_CREDENTIALS;
	c->cmsg_len = CMSG_LEN(sizeof me);
	memcpy(CMSG_DATA(c), &me, sizeof me);
}

int
journal_send(const struct event *e)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
	} control = { .bytes = { 0 } };
	struct iovec iov[EVENT_FIELDS_MAX * 2];
	struct msghdr mh = { .msg_iov = iov };
	struct sockaddr_un to = journald;
	char newline[] = { '\n' };
	int saved = errno, fd, r = 0;

	for (unsigned i = 0; i < e->count; i++) {
		iov[mh.msg_iovlen++] = e->iov[i];
		iov[mh.msg_iovlen++] = (struct iovec){ .iov_base = newline, .iov_len = 1 };
	}
	mh.msg_name = &to;
	mh.msg_namelen = sizeof to;
	attach_credentials(&mh, control.bytes, sizeof control.bytes);
	fd = descriptor_above_stdio(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	if (fd < 0) {
		r = -errno;
		goto out;
	}
	if (sendmsg(fd, &mh, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		r = -errno;
	(void)close(fd);
out:
	errno = saved;
	return r;
}

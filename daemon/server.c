/*
 * server.c - accepts peers, judges them, and hands whole messages to handlers (see server.h).
 *
 * Runs in every process of ismsd, on its loop. It must never look into a message of a peer without the right to
 * send it, never wait for a peer, and never fall back to a default uid when the kernel does not tell (IP09a).
 */
#include <config.h>

#include "daemon/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <syslog.h>
#include <unistd.h>

#include "daemon/connection.h"
#include "daemon/flood.h"
#include "daemon/loop.h"
#include "daemon/report.h"

#define ACCEPTS_PER_TURN 64	/* then the loop serves others again */

/* Whether a peer gets one of the places that are free. */
static bool
has_room(const struct server *s, uid_t uid)
{
	const struct connection *c;
	unsigned others = 0, same = 0;

	if (uid == s->config.peers->root)
		return true;
	for (c = s->connections; c != NULL; c = c->next) {
		if (c->uid == uid)
			same++;
		if (c->uid != s->config.peers->root)
			others++;
	}
	/* Our own processes are few and answer for many people: they share the room of the others, not the quota. */
	if (uid != s->config.peers->front && uid != s->config.peers->directory && same >= SERVER_PER_UID_MAX)
		return false;
	return others < SERVER_OTHERS_MAX;
}

/* The table's row for a message that this server serves, or NULL. */
static const struct server_handler *
find_handler(const struct server *s, enum message number)
{
	const struct server_handler *h;

	for (h = s->config.handlers; h->handle != NULL; h++) {
		if (h->number == number)
			return h;
	}
	return NULL;
}

static void
report_refused_count(const char *key, const void *sample, unsigned count, void *arg)
{
	struct event e;

	(void)sample;
	(void)arg;
	report_begin(&e, EVENT_REQUEST_REFUSED);
	event_add(&e, FIELD_ID_UID, key);
	event_add_int(&e, FIELD_ID_COUNT, count);
	(void)report_event(&e);
}

static void
report_refused(struct server *s, const struct connection *c, const struct message_info *info)
{
	char key[24];
	struct event e;

	(void)snprintf(key, sizeof key, "%lu", (unsigned long)c->uid);
	if (!flood_pass(s->refusals, key, NULL, 0))
		return;
	report_begin(&e, EVENT_REQUEST_REFUSED);
	event_add(&e, FIELD_ID_UID, key);
	event_add(&e, FIELD_ID_NOTE, info->name);
	event_add(&e, FIELD_ID_FAULT, "this peer may not send this message");
	(void)report_event(&e);
}

/*
 * One datagram of len bytes in s->frame. Returns 0, or -errno to hang up.
 */
static int
dispatch(struct server *s, struct connection *c, size_t len)
{
	const struct server_handler *h;
	const struct message_info *info;
	int r;

	r = proto_peek(s->frame, len, &info);
	if (r < 0)
		return r;
	h = find_handler(s, info->number);
	if (!peers_allow(s->config.peers, c->uid, info->sender)) {
		report_refused(s, c, info);
		return -EPERM;
	}
	if (h == NULL || info->state != c->state)
		return -EPROTO;
	if (c->fd_count > 1 || (c->fd_count == 1 && !h->takes_fd))
		return -EPROTO;
	r = proto_decode(info, s->frame, len, s->message);
	if (r < 0)
		return r;
	if (c->state == ST_NEW) {
		r = loop_timer(s->event, &c->deadline, SERVER_OVERALL_MS, connection_on_deadline, c);
		if (r < 0)
			goto out;
	}
	c->state = ST_WAITING;
	r = h->handle(c, s->message);
out:
	explicit_bzero(s->message, info->struct_size);
	return r;
}

/*
 * Take the descriptors out of the control data; all but the first are closed at once. Without room for control data
 * the kernel has dropped them, and MSG_CTRUNC tells that there were some.
 */
static void
take_fds(struct connection *c, struct msghdr *mh)
{
	struct cmsghdr *cm;

	for (cm = CMSG_FIRSTHDR(mh); cm != NULL; cm = CMSG_NXTHDR(mh, cm)) {
		size_t n;

		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
			continue;
		n = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(cm) + i * sizeof fd, sizeof fd);
			if (c->fd_count++ == 0)
				c->fd = fd;
			else
				(void)close(fd);
		}
	}
	if ((mh->msg_flags & MSG_CTRUNC) != 0)
		c->fd_count += 2;	/* more than there was room for: a breach in any case */
}

static int
on_readable(sd_event_source *source, int fd, uint32_t revents, void *arg)
{
	struct connection *c = arg;
	struct server *s = c->server;
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = s->frame, .iov_len = s->config.frame_max };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;
	int r = 0;

	(void)source;
	(void)revents;
	/*
	 * No room where no message takes a descriptor: it would be ours for a moment, and closing one of a file system
	 * in user space waits for whoever serves that.
	 */
	if (s->takes_fd) {
		mh.msg_control = &control;
		mh.msg_controllen = sizeof control;
	}
	n = recvmsg(fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	(void)connection_ref(c);	/* the handler may close it */
	if (n >= 0)
		take_fds(c, &mh);	/* an empty datagram has them too */
	if (n <= 0) {
		connection_close(c);
	} else {
		r = (mh.msg_flags & MSG_TRUNC) != 0 ? -EMSGSIZE : dispatch(s, c, (size_t)n);
		explicit_bzero(s->frame, (size_t)n);
	}
	if (c->fd >= 0)
		(void)close(c->fd);
	c->fd = -1;
	c->fd_count = 0;
	if (r < 0) {
		report_log(LOG_DEBUG, "hung up on uid %lu: %s", (unsigned long)c->uid, strerror(-r));
		connection_close(c);
	}
	connection_unref(c);
	return 0;
}

/* From Linux 6.16 on the sender of descriptors is refused; what is accepted here inherits it from the listener. */
static void
refuse_fds(int fd)
{
#ifdef SO_PASSRIGHTS
	const int off = 0;

	(void)setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &off, sizeof off);
#else
	(void)fd;
#endif
}

/* Take over fd, or close it. */
static void
serve(struct server *s, int fd)
{
	struct ucred peer = { 0 };
	socklen_t size = sizeof peer;
	struct connection *c;

	/* No credentials, no service: uid 0 must never be what an empty struct happens to say (CVE-2021-3560). */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || size != sizeof peer) {
		report_log(LOG_WARNING, "refused a peer without credentials");
		(void)close(fd);
		return;
	}
	if (!has_room(s, peer.uid)) {
		(void)close(fd);
		return;
	}
	c = connection_new(s, fd, &peer);
	if (c == NULL) {
		(void)close(fd);
		return;
	}
	if (sd_event_add_io(s->event, &c->readable, fd, EPOLLIN, on_readable, c) < 0 ||
	    loop_timer(s->event, &c->deadline, SERVER_HEADER_MS, connection_on_deadline, c) < 0)
		connection_close(c);
}

/*
 * Out of descriptors: without this the loop would spin on a backlog that it cannot take. The reserve makes room
 * to take one peer and hang up on it, so that the peer learns it at once.
 */
static void
shed_one(struct server *s)
{
	int fd;

	if (s->reserve_fd >= 0)
		(void)close(s->reserve_fd);
	fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0)
		(void)close(fd);
	s->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int
on_connect(sd_event_source *source, int fd, uint32_t revents, void *arg)
{
	struct server *s = arg;

	(void)source;
	(void)revents;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		int peer_fd;

		/* To accept and hang up would be a refusal: peers wait in the backlog until connection_close(). */
		if (s->count >= SERVER_CONNECTIONS_MAX) {
			(void)sd_event_source_set_enabled(s->acceptor, SD_EVENT_OFF);
			break;
		}
		peer_fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (peer_fd >= 0) {
			serve(s, peer_fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE) {
			shed_one(s);
			continue;
		}
		break;		/* EAGAIN: all taken; anything else concerns one peer that has gone */
	}
	return 0;
}

int
server_new(sd_event *event, const struct server_config *config, struct server **ret)
{
	const struct server_handler *h;
	struct server *s;
	int r;

	s = calloc(1, sizeof *s);
	if (s == NULL)
		return -ENOMEM;
	s->config = *config;
	s->event = sd_event_ref(event);
	s->listen_fd = s->reserve_fd = -1;
	for (h = config->handlers; h->handle != NULL; h++) {
		const struct message_info *info = proto_find(h->number);

		if (info == NULL) {
			r = -EINVAL;
			goto out;
		}
		if (info->struct_size > s->message_size)
			s->message_size = info->struct_size;
		s->takes_fd = s->takes_fd || h->takes_fd;
	}
	s->frame = malloc(config->frame_max);
	s->message = calloc(1, s->message_size);
	if (s->frame == NULL || s->message == NULL) {
		r = -ENOMEM;
		goto out;
	}
	(void)mlock(s->frame, config->frame_max);	/* passwords pass here; where the limit forbids it, the unit forbids swap */
	(void)mlock(s->message, s->message_size);
	r = flood_new(event, SERVER_REFUSALS_SHOWN, report_refused_count, NULL, &s->refusals);
	if (r < 0)
		goto out;
	r = listener_open(config->path, config->mode, &s->listen_fd);
	if (r < 0)
		goto out;
	if (!s->takes_fd)
		refuse_fds(s->listen_fd);
	s->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	r = sd_event_add_io(event, &s->acceptor, s->listen_fd, EPOLLIN, on_connect, s);
	if (r < 0)
		goto out;
	*ret = s;
	s = NULL;		/* now owned by the caller */
	r = 0;
out:
	if (r < 0)
		report_log(LOG_ERR, "cannot listen on %s: %s", config->path, strerror(-r));
	server_free(s);
	return r;
}

void
server_free(struct server *s)
{
	if (s == NULL)
		return;
	while (s->connections != NULL)
		connection_close(s->connections);
	sd_event_source_disable_unref(s->acceptor);
	if (s->listen_fd >= 0)
		(void)close(s->listen_fd);
	if (s->reserve_fd >= 0)
		(void)close(s->reserve_fd);
	flood_free(s->refusals);
	if (s->frame != NULL)
		explicit_bzero(s->frame, s->config.frame_max);
	free(s->frame);
	free(s->message);
	sd_event_unref(s->event);
	free(s);
}

unsigned
server_connection_count(const struct server *s)
{
	return s->count;
}

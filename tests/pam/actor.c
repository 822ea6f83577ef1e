/*
 * actor.c - scripted other end of the socket, for answers that the real front never gives.
 */
#include <config.h>

#include "tests/pam/actor.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 30000

void
act_open(struct actor *actor, const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	memset(actor, 0, sizeof *actor);
	ck_assert_uint_lt(strlen(path), sizeof to.sun_path);
	strcpy(to.sun_path, path);
	actor->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(actor->listener, 0);
	ck_assert_int_eq(bind(actor->listener, (struct sockaddr *)&to, sizeof to), 0);
	ck_assert_int_eq(listen(actor->listener, 4), 0);
}

void
actor_close(struct actor *actor)
{
	(void)actor_join(actor);
	(void)close(actor->listener);
	actor->listener = -1;
	actor_forget(actor);
}

static bool
readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n;

	do	/* setgroups() of the other thread sends this one a signal */
		n = poll(&p, 1, PATIENCE_MS);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

/* Receive one message into the next place; it must be the expected one, or any for ACT_ANY. */
static bool
take(struct actor *actor, int fd, const struct step *step)
{
	struct got *to = &actor->got[actor->count];
	const struct message_info *info;
	uint8_t frame[PROTO_FRAME_MAX];
	ssize_t n = readable(fd) ? recv(fd, frame, sizeof frame, 0) : -1;
	bool ok = n > 0 && actor->count < ACT_GOT_MAX && proto_peek(frame, (size_t)n, &info) == 0 &&
	    (step->op == ACT_ANY || info->number == step->number) && info->struct_size <= sizeof to->msg &&
	    proto_decode(info, frame, (size_t)n, &to->msg) == 0;

	if (ok) {
		to->number = info->number;
		actor->count++;
	}
	explicit_bzero(frame, sizeof frame);
	return ok;
}

static bool
put_fd(int fd, const uint8_t *frame, size_t size)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = { 0 } };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)frame, .iov_len = size };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes };
	struct cmsghdr *c = CMSG_FIRSTHDR(&mh);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	return sendmsg(fd, &mh, MSG_NOSIGNAL) == (ssize_t)size;
}

static bool
put(int fd, const struct step *step)
{
	const struct message_info *info = proto_find(step->number);
	uint8_t frame[PROTO_FRAME_MAX];
	int n = proto_encode(info, step->bytes, frame, sizeof frame);

	if (n < 0)
		return false;
	if (step->op == ACT_FD)
		return put_fd(fd, frame, (size_t)n);
	return send(fd, frame, (size_t)n, MSG_NOSIGNAL) == n;
}

static bool
do_step(struct actor *actor, int fd, const struct step *step)
{
	const struct timespec pause = { .tv_sec = (time_t)step->size / 1000, .tv_nsec = (long)(step->size % 1000) * 1000000 };

	switch (step->op) {
	case ACT_EXPECT:
	case ACT_ANY:
		return take(actor, fd, step);
	case ACT_SEND:
	case ACT_FD:
		return put(fd, step);
	case ACT_RAW:
		return send(fd, step->bytes, step->size, MSG_NOSIGNAL) == (ssize_t)step->size;
	case ACT_PAUSE:
		(void)nanosleep(&pause, NULL);
		return true;
	case ACT_END:
	case ACT_ACCEPT:
		break;
	}
	return false;
}

static int
next_connection(const struct actor *actor)
{
	return readable(actor->listener) ? accept4(actor->listener, NULL, NULL, SOCK_CLOEXEC) : -1;
}

static void *
play(void *arg)
{
	struct actor *actor = arg;
	int fd = next_connection(actor);

	for (int i = 0; actor->steps[i].op != ACT_END && actor->fault == 0; i++) {
		if (actor->steps[i].op == ACT_ACCEPT) {
			if (fd >= 0)
				(void)close(fd);
			fd = next_connection(actor);
		} else if (fd < 0 || !do_step(actor, fd, &actor->steps[i])) {
			actor->fault = i + 1;
		}
	}
	if (fd >= 0)
		(void)close(fd);
	return NULL;
}

void
actor_play(struct actor *actor, const struct step *steps)
{
	actor_forget(actor);
	actor->steps = steps;
	ck_assert_int_eq(pthread_create(&actor->thread, NULL, play, actor), 0);
	actor->playing = true;
}

int
actor_join(struct actor *actor)
{
	if (actor->playing)
		(void)pthread_join(actor->thread, NULL);
	actor->playing = false;
	return actor->fault;
}

int
actor_abandon(struct actor *actor)
{
	struct sockaddr_un to;
	socklen_t len = sizeof to;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), r;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(getsockname(actor->listener, (struct sockaddr *)&to, &len), 0);
	/* Either it still waits for a connection, and this is one that says nothing, or this is never taken. */
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, len), 0);
	(void)close(fd);
	r = actor_join(actor);
	while (!actor_quiet(actor)) {	/* nor is what the module may have left there the next play's */
		fd = accept4(actor->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			(void)close(fd);
	}
	return r;
}

pid_t
actor_fork(struct actor *actor, const struct step *steps)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		actor->steps = steps;
		(void)play(actor);
		_exit(actor->fault);
	}
	return pid;
}

bool
actor_quiet(const struct actor *actor)
{
	struct pollfd p = { .fd = actor->listener, .events = POLLIN };

	return poll(&p, 1, 0) == 0;
}

void
actor_forget(struct actor *actor)
{
	explicit_bzero(actor->got, sizeof actor->got);
	actor->count = 0;
	actor->fault = 0;
}

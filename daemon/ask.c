/*
 * ask.c - questions of the front to the directory process and the publisher (see ask.h).
 *
 * Runs in the front, on its loop. It must never wait, never take an answer from a peer that is not ours, and never
 * ask a password twice: a check that was lost may have been counted.
 */
#include <config.h>

#include "daemon/ask.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/loop.h"

#define AGAIN_MS	50	/* between two tries to reach a process that is being restarted */
#define RESTART_MS	1500	/* how long that may take */

struct ask {
	sd_event *event;			/* owned */
	sd_event_source *io, *timer, *again;	/* owned */
	ask_reply *reply;
	void *arg;
	void (*amend)(void *arg, enum message number, void *msg);
	void *amend_arg;
	const struct peers *peers;
	char path[sizeof ((struct sockaddr_un *)NULL)->sun_path];
	int fd, failure;			/* failure: told from the loop, never from within ask_start() */
	int64_t restarted_ms;			/* when a restart must have come to its end; monotonic */
	unsigned repeats_left;			/* of a question that was sent already */
	bool sent, heard;			/* heard: an answer has come, no second try */
	uint8_t *frame;				/* owned; the question, then each answer */
	size_t question_size;
	uint8_t question[PROTO_FRAME_MAX];
	struct ask *next;		/* of those that nobody can cancel */
};

static struct ask *nobodys;

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *arg);

static void
hang_up(struct ask *a)
{
	a->io = sd_event_source_disable_unref(a->io);
	if (a->fd >= 0)
		(void)close(a->fd);
	a->fd = -1;
}

void
ask_cancel(struct ask *a)
{
	if (a == NULL)
		return;
	for (struct ask **at = &nobodys; *at != NULL; at = &(*at)->next) {
		if (*at == a) {
			*at = a->next;
			break;
		}
	}
	hang_up(a);
	sd_event_source_disable_unref(a->timer);
	sd_event_source_disable_unref(a->again);
	explicit_bzero(a->question, sizeof a->question);
	if (a->frame != NULL)
		explicit_bzero(a->frame, PROTO_PRIVATE_MAX);
	free(a->frame);
	sd_event_unref(a->event);
	free(a);
}

void
ask_stop(void)
{
	while (nobodys != NULL)
		ask_cancel(nobodys);
}

/* The last reply. */
static void
fail(struct ask *a, int error)
{
	ask_reply *reply = a->reply;
	void *arg = a->arg;

	ask_cancel(a);
	reply(arg, error, 0, NULL);
}

static bool
is_ours(const struct ask *a)
{
	struct ucred peer;
	socklen_t size = sizeof peer;
	uid_t owners[3];
	size_t n = peers_owners(a->peers, owners);

	if (getsockopt(a->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || size != sizeof peer)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (owners[i] == peer.uid)
			return true;
	}
	return false;
}

static int
connect_and_send(struct ask *a)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	ssize_t n;
	int r;

	memcpy(sa.sun_path, a->path, sizeof sa.sun_path);
	a->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (a->fd < 0)
		return -errno;
	if (connect(a->fd, (const struct sockaddr *)&sa, sizeof sa) < 0) {
		r = -errno;
		goto out;
	}
	if (!is_ours(a)) {
		r = -EPERM;
		goto out;
	}
	n = send(a->fd, a->question, a->question_size, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0) {
		r = -errno;
		goto out;
	}
	a->sent = true;
	r = sd_event_add_io(a->event, &a->io, a->fd, EPOLLIN, on_readable, a);
out:
	if (r < 0)
		hang_up(a);
	return r;
}

static int on_again(sd_event_source *source, uint64_t usec, void *arg);

/*
 * Ask, or try anew in a moment: while a process is restarted, as by an upgrade, its socket is away for an instant. What
 * was not sent was not asked, so that this is safe for every question. Returns 0, or -errno when it is no use.
 */
static int
reach(struct ask *a)
{
	int error = connect_and_send(a);

	a->failure = 0;
	if (error != -ENOENT && error != -ECONNREFUSED && error != -ECONNRESET && error != -EPIPE && error != -EAGAIN)
		return error;
	if (a->sent || loop_now_ms() >= a->restarted_ms)
		return error;
	a->failure = error;
	a->again = sd_event_source_disable_unref(a->again);
	return loop_timer(a->event, &a->again, AGAIN_MS, on_again, a);
}

static int
on_again(sd_event_source *source, uint64_t usec, void *arg)
{
	struct ask *a = arg;
	int r;

	(void)source;
	(void)usec;
	r = reach(a);
	if (r < 0)
		fail(a, r);
	return 0;
}

/* The peer has gone without an answer: once more, or the end. */
static void
lost(struct ask *a, int error)
{
	hang_up(a);
	if (!a->heard && a->repeats_left > 0) {
		a->repeats_left--;
		a->sent = false;
		error = reach(a);
		if (error == 0)
			return;
	}
	fail(a, error);
}

static int
take_answer(struct ask *a, size_t len)
{
	const struct message_info *info;
	void *msg;
	int r;

	r = proto_peek(a->frame, len, &info);
	if (r < 0 || info->sender != PEER_SERVER)
		return -EBADMSG;
	msg = malloc(info->struct_size);
	if (msg == NULL)
		return -ENOMEM;
	r = proto_decode(info, a->frame, len, msg);
	explicit_bzero(a->frame, len);
	if (r == 0) {
		ask_reply *reply = a->reply;
		void *arg = a->arg;

		a->heard = true;
		if (a->amend != NULL)
			a->amend(a->amend_arg, info->number, msg);
		if (info->number != MSG_TOKEN && info->number != MSG_KEY)
			ask_cancel(a);		/* the last one; the caller may start anew from within the reply */
		reply(arg, 0, info->number, msg);
		explicit_bzero(msg, info->struct_size);
	}
	free(msg);
	return r;
}

static int
on_readable(sd_event_source *source, int fd, uint32_t revents, void *arg)
{
	struct ask *a = arg;
	ssize_t n;
	int r;

	(void)source;
	(void)revents;
	n = recv(fd, a->frame, PROTO_PRIVATE_MAX, MSG_DONTWAIT | MSG_TRUNC);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		lost(a, n < 0 ? -errno : -ECONNRESET);
		return 0;
	}
	r = (size_t)n > PROTO_PRIVATE_MAX ? -EBADMSG : take_answer(a, (size_t)n);
	if (r < 0)
		fail(a, r);
	return 0;
}

static int
on_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	struct ask *a = arg;

	(void)source;
	(void)usec;
	fail(a, a->failure != 0 ? a->failure : -ETIMEDOUT);
	return 0;
}

static bool
may_repeat(enum message number)
{
	return number == MSG_FACTS_GET || number == MSG_TOKENS_GET || number == MSG_KEYS_GET || number == MSG_DIRECTORY_STATUS ||
	    number == MSG_PUBLISHER_STATUS;
}

int
ask_start(sd_event *event, const struct ask_question *q, ask_reply *reply, void *arg, struct ask **ret)
{
	int64_t wait_ms = q->deadline_ms - loop_now_ms();
	struct ask *a;
	int r;

	a = calloc(1, sizeof *a);
	if (a == NULL)
		return -ENOMEM;
	a->event = sd_event_ref(event);
	a->fd = -1;
	a->reply = reply;
	a->arg = arg;
	a->amend = q->amend;
	a->amend_arg = q->amend_arg;
	a->peers = q->peers;
	a->repeats_left = may_repeat(q->number) ? 1 : 0;
	a->restarted_ms = loop_now_ms() + RESTART_MS;
	if (strlen(q->path) >= sizeof a->path) {
		r = -ENAMETOOLONG;
		goto out;
	}
	memcpy(a->path, q->path, strlen(q->path) + 1);
	a->frame = malloc(PROTO_PRIVATE_MAX);
	if (a->frame == NULL) {
		r = -ENOMEM;
		goto out;
	}
	r = proto_encode(proto_find(q->number), q->msg, a->question, sizeof a->question);
	if (r < 0)
		goto out;
	a->question_size = (size_t)r;
	r = reach(a);
	if (r < 0)
		a->failure = r;
	if (r < 0 || wait_ms < 0)
		wait_ms = 0;
	if (wait_ms > ASK_DEADLINE_MS)
		wait_ms = ASK_DEADLINE_MS;
	r = loop_timer(event, &a->timer, wait_ms, on_timer, a);
	if (r < 0)
		goto out;
	if (ret != NULL) {
		*ret = a;
	} else {
		a->next = nobodys;
		nobodys = a;
	}
	a = NULL;		/* now on the loop */
	r = 0;
out:
	ask_cancel(a);
	return r;
}

/*
 * roster_sender.c - one roster, one connection to the publisher, one answer (see roster_sender.h).
 *
 * Directory process, on its loop. It never waits: connecting to a local socket and sending one datagram take no time
 * worth a thread, and the answer comes through the loop. It must never send to a socket that is not ours.
 */
#include <config.h>

#include "daemon/roster_sender.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "common/channel.h"
#include "daemon/loop.h"
#include "daemon/report.h"

#define CONNECT_MS		200
#define ANSWER_MS		60000	/* a million users take the publisher a while */
#define RETRY_MIN_MS		100
#define RETRY_MAX_MS		5000
#define VOUCH_MIN_MS		5000
#define VOUCH_MAX_MS		60000

struct roster_sender {
	const struct paths *paths;	/* borrowed */
	const struct peers *peers;	/* borrowed */
	sd_event *event;		/* owned */
	sd_event_source *timer, *answer;	/* owned: next try or end of patience; the connection */
	int roster_fd;			/* owned; -1: none yet */
	int socket;			/* owned; -1: nothing under way */
	uint64_t sent_serial;		/* of what is under way */
	int64_t retry_ms, vouch_ms;
	bool vouch;
	struct roster_sender_status status;
};

static int on_timer(sd_event_source *source, uint64_t usec, void *arg);

static void
arm(struct roster_sender *s, int64_t delay_ms)
{
	if (loop_timer(s->event, &s->timer, delay_ms, on_timer, s) < 0)
		report_log(LOG_ERR, "cannot arm the timer of the roster");
}

static void
hang_up(struct roster_sender *s)
{
	s->answer = sd_event_source_disable_unref(s->answer);
	if (s->socket >= 0)
		(void)close(s->socket);
	s->socket = -1;
}

/* This try is over without an answer. */
static void
fail(struct roster_sender *s, int error)
{
	hang_up(s);
	if (s->status.error == 0)
		report_log(LOG_WARNING, "cannot reach the publisher: %s; trying again", strerror(-error));
	s->status.error = error;
	arm(s, s->retry_ms);
	s->retry_ms = s->retry_ms * 2 < RETRY_MAX_MS ? s->retry_ms * 2 : RETRY_MAX_MS;
}

static int
on_answer(sd_event_source *source, int fd, uint32_t revents, void *arg)
{
	struct roster_sender *s = arg;
	struct msg_roster_result result;
	const struct message_info *info;
	uint8_t frame[PROTO_FRAME_MAX];
	size_t size;
	int r;

	(void)source;
	(void)revents;
	r = channel_recv(fd, frame, sizeof frame, channel_now_ms() + CONNECT_MS, &info, &size);
	if (r == 0)
		r = info->number == MSG_ROSTER_RESULT ? proto_decode(info, frame, size, &result) : -EBADMSG;
	if (r == 0 && result.serial != s->sent_serial)
		r = -EBADMSG;
	if (r < 0) {
		fail(s, r);
		return 0;
	}
	hang_up(s);
	if (s->status.error != 0)
		report_log(LOG_INFO, "the publisher answers again");
	if (!result.accepted && (!s->status.answered || s->status.last.accepted))
		report_log(LOG_WARNING, "the publisher refused the roster: %s", result.text);
	s->status.last = result;
	s->status.answered = true;
	s->status.error = 0;
	s->retry_ms = RETRY_MIN_MS;
	arm(s, s->sent_serial == s->status.serial ? s->vouch_ms : 0);
	return 0;
}

static int
start(struct roster_sender *s)
{
	const struct msg_roster msg = { .serial = s->status.serial };
	int64_t deadline_ms = channel_now_ms() + CONNECT_MS;
	uid_t owners[3];
	size_t count = peers_owners(s->peers, owners);
	int r;

	r = channel_connect(s->paths->publisher_socket, owners, count, deadline_ms, &s->socket);
	if (r < 0) {
		s->socket = -1;
		return r;
	}
	r = channel_send_fd(s->socket, MSG_ROSTER, &msg, s->roster_fd, deadline_ms);
	if (r < 0)
		return r;
	s->sent_serial = msg.serial;
	r = sd_event_add_io(s->event, &s->answer, s->socket, EPOLLIN, on_answer, s);
	if (r >= 0)
		arm(s, ANSWER_MS);
	return r < 0 ? r : 0;
}

static int
on_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	struct roster_sender *s = arg;
	int r;

	(void)source;
	(void)usec;
	if (s->socket >= 0) {
		fail(s, -ETIMEDOUT);
		return 0;
	}
	if (s->roster_fd < 0)
		return 0;
	if (!s->vouch && s->status.error == 0 && s->status.answered && s->status.last.serial == s->status.serial) {
		arm(s, s->vouch_ms);
		return 0;
	}
	r = start(s);
	if (r < 0)
		fail(s, r);
	return 0;
}

int
roster_sender_new(sd_event *event, const struct paths *paths, const struct peers *peers, struct roster_sender **ret)
{
	struct roster_sender *s = calloc(1, sizeof *s);

	if (s == NULL)
		return -ENOMEM;
	s->event = sd_event_ref(event);
	s->paths = paths;
	s->peers = peers;
	s->roster_fd = s->socket = -1;
	s->retry_ms = RETRY_MIN_MS;
	s->vouch_ms = VOUCH_MIN_MS;
	*ret = s;
	return 0;
}

void
roster_sender_free(struct roster_sender *s)
{
	if (s == NULL)
		return;
	hang_up(s);
	sd_event_source_disable_unref(s->timer);
	if (s->roster_fd >= 0)
		(void)close(s->roster_fd);
	sd_event_unref(s->event);
	free(s);
}

void
roster_sender_put(struct roster_sender *s, int fd, uint32_t users)
{
	if (s->roster_fd >= 0)
		(void)close(s->roster_fd);
	s->roster_fd = fd;
	s->status.serial++;
	s->vouch_ms = users > VOUCH_MIN_MS ? users : VOUCH_MIN_MS;	/* a second for a thousand users */
	if (s->vouch_ms > VOUCH_MAX_MS)
		s->vouch_ms = VOUCH_MAX_MS;
	if (s->socket < 0)		/* else its answer starts this one */
		arm(s, 0);
}

void
roster_sender_vouch(struct roster_sender *s, bool vouch)
{
	s->vouch = vouch;
}

void
roster_sender_status(const struct roster_sender *s, struct roster_sender_status *ret)
{
	*ret = s->status;
}

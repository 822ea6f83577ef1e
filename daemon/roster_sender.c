/*
 * roster_sender.c - one message, one connection to the publisher, one answer, then the next (see roster_sender.h).
 *
 * Directory process, on its loop. It never waits: connecting to a local socket and sending one datagram take no time
 * worth a thread, and the answer comes through the loop. It must never send to a socket that is not ours. A change is
 * sent again when its answer was lost: by its serial the publisher knows that it has it.
 */
#include <config.h>

#include "daemon/roster_sender.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
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

struct item {
	int fd;				/* owned */
	uint64_t serial, after;		/* after == 0: a whole roster */
};

struct roster_sender {
	const struct paths *paths;	/* borrowed */
	const struct peers *peers;	/* borrowed */
	struct roster_sender_hooks hooks;
	sd_event *event;		/* owned */
	sd_event_source *timer, *answer;	/* owned: next try or end of patience; the connection */
	struct item waiting[ROSTER_SENDER_WAITING_MAX + 2];	/* the first may be under way, the last be whole */
	unsigned count;
	int socket;			/* owned; -1: nothing under way */
	uint64_t sent_serial;		/* of what is under way */
	bool vouching;			/* what is under way is no item */
	bool begun;			/* something was put or changed */
	bool wants_whole;
	int64_t retry_ms, vouch_ms;
	int64_t refused_ms;		/* when a whole one was last wanted because a change was refused; 0: never */
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
	s->vouching = false;
}

/* ---- what waits ---- */

static void
drop_items(struct roster_sender *s, unsigned first, unsigned end)
{
	for (unsigned i = first; i < end; i++)
		(void)close(s->waiting[i].fd);
	memmove(&s->waiting[first], &s->waiting[end], (s->count - end) * sizeof s->waiting[0]);
	s->count -= end - first;
}

/* Items under way: they stay until their answer comes. */
static unsigned
count_under_way(const struct roster_sender *s)
{
	return s->socket >= 0 && !s->vouching ? 1 : 0;
}

/* What waits before a whole roster is of no use; that is the last item, if there is one. */
static bool
skip_to_whole(struct roster_sender *s)
{
	for (unsigned i = s->count; i-- > 0;) {
		if (s->waiting[i].after == 0) {
			drop_items(s, 0, i);
			return true;
		}
	}
	return false;
}

/* The publisher has not what the changes are of, or there are too many of them. */
static void
want_whole(struct roster_sender *s, int64_t delay_ms)
{
	drop_items(s, count_under_way(s), s->count);
	s->wants_whole = true;
	if (s->socket < 0)
		arm(s, delay_ms);
}

void
roster_sender_want_whole(struct roster_sender *s)
{
	want_whole(s, 0);
}

/*
 * A change was refused: what it says must come some other way, at once. Where it is a full disk that the publisher
 * complains of, it has the change, and would be sent everybody with each one: so not again soon.
 */
static void
want_refused(struct roster_sender *s)
{
	int64_t now_ms = loop_now_ms(), delay_ms = s->refused_ms != 0 ? s->refused_ms + RETRY_MAX_MS - now_ms : 0;

	delay_ms = delay_ms > 0 ? delay_ms : 0;
	s->refused_ms = now_ms + delay_ms;
	want_whole(s, delay_ms);
}

/* ---- the way there and back ---- */

/* This try is over without an answer. */
static void
fail(struct roster_sender *s, int error)
{
	hang_up(s);
	(void)skip_to_whole(s);
	if (s->status.error == 0)
		report_log(LOG_WARNING, "cannot reach the publisher: %s; trying again", strerror(-error));
	s->status.error = error;
	arm(s, s->retry_ms);
	s->retry_ms = s->retry_ms * 2 < RETRY_MAX_MS ? s->retry_ms * 2 : RETRY_MAX_MS;
}

static void
take_answer(struct roster_sender *s, const struct msg_roster_result *result, bool was_change)
{
	if (s->status.error != 0)
		report_log(LOG_INFO, "the publisher answers again");
	if (!result->accepted && !result->whole_wanted && (!s->status.answered || s->status.last.accepted))
		report_log(LOG_WARNING, "the publisher refused the roster: %s", result->text);
	s->status.last = *result;
	s->status.answered = true;
	s->status.error = 0;
	s->retry_ms = RETRY_MIN_MS;
	if (result->whole_wanted && !skip_to_whole(s))
		want_whole(s, 0);
	else if (was_change && !result->accepted && !s->wants_whole && !skip_to_whole(s))
		want_refused(s);
	else
		arm(s, s->count > 0 || s->wants_whole ? 0 : s->vouch_ms);
}

static int
on_answer(sd_event_source *source, int fd, uint32_t revents, void *arg)
{
	struct roster_sender *s = arg;
	struct msg_roster_result result;
	const struct message_info *info;
	uint8_t frame[PROTO_FRAME_MAX];
	bool was_change;
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
	was_change = !s->vouching && s->waiting[0].after != 0;
	drop_items(s, 0, count_under_way(s));
	hang_up(s);
	take_answer(s, &result, was_change);
	return 0;
}

/* Send the first item, or vouch for what was delivered. */
static int
send_next(struct roster_sender *s, int64_t deadline_ms)
{
	const struct item *item = &s->waiting[0];

	if (s->count == 0) {
		const struct msg_roster_vouch msg = { .serial = s->status.serial };

		s->vouching = true;
		s->sent_serial = msg.serial;
		return channel_send(s->socket, MSG_ROSTER_VOUCH, &msg, deadline_ms);
	} else {
		const struct msg_roster msg = { .serial = item->serial, .after = item->after };

		s->sent_serial = msg.serial;
		return channel_send_fd(s->socket, MSG_ROSTER, &msg, item->fd, deadline_ms);
	}
}

static int
start(struct roster_sender *s)
{
	int64_t deadline_ms = channel_now_ms() + CONNECT_MS;
	uid_t owners[3];
	size_t count = peers_owners(s->peers, owners);
	int r;

	r = channel_connect(s->paths->publisher_socket, owners, count, deadline_ms, &s->socket);
	if (r < 0) {
		s->socket = -1;
		return r;
	}
	r = send_next(s, deadline_ms);
	if (r < 0)
		return r;
	r = sd_event_add_io(s->event, &s->answer, s->socket, EPOLLIN, on_answer, s);
	if (r >= 0)
		arm(s, ANSWER_MS);
	return r < 0 ? r : 0;
}

static void
start_or_fail(struct roster_sender *s)
{
	int r;

	r = start(s);
	if (r < 0)
		fail(s, r);
}

static int
on_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	struct roster_sender *s = arg;

	(void)source;
	(void)usec;
	if (s->socket >= 0) {
		fail(s, -ETIMEDOUT);
		return 0;
	}
	if (s->wants_whole) {
		arm(s, RETRY_MAX_MS);	/* nothing comes: ask again */
		s->hooks.wanted(s->hooks.arg);
		return 0;
	}
	if (s->count == 0 && !s->vouch && s->status.error == 0) {
		arm(s, s->vouch_ms);
		return 0;
	}
	if (s->begun)
		start_or_fail(s);
	return 0;
}

/* ---- what shall be in force ---- */

static void
append(struct roster_sender *s, int fd, uint64_t after, uint32_t users)
{
	s->begun = true;
	s->status.serial++;
	s->waiting[s->count++] = (struct item){ .fd = fd, .serial = s->status.serial, .after = after };
	s->vouch_ms = users > VOUCH_MIN_MS ? users : VOUCH_MIN_MS;	/* a second for a thousand users */
	if (s->vouch_ms > VOUCH_MAX_MS)
		s->vouch_ms = VOUCH_MAX_MS;
	/* Else what is under way, or the next try of it, starts this one. */
	if (s->socket < 0 && s->status.error == 0)
		start_or_fail(s);
}

void
roster_sender_put(struct roster_sender *s, int fd, uint32_t users)
{
	drop_items(s, count_under_way(s), s->count);
	s->wants_whole = false;
	append(s, fd, 0, users);
	if (s->socket < 0 && s->status.error != 0)
		arm(s, 0);
}

void
roster_sender_change(struct roster_sender *s, int fd, uint32_t users)
{
	if (!s->begun || s->wants_whole || s->count > ROSTER_SENDER_WAITING_MAX) {
		(void)close(fd);
		s->begun = true;
		if (!s->wants_whole)
			want_whole(s, 0);
		return;
	}
	append(s, fd, s->status.serial, users);
}

int
roster_sender_new(sd_event *event, const struct paths *paths, const struct peers *peers,
    const struct roster_sender_hooks *hooks, struct roster_sender **ret)
{
	struct roster_sender *s = calloc(1, sizeof *s);

	if (s == NULL)
		return -ENOMEM;
	if (getrandom(&s->status.serial, sizeof s->status.serial, 0) != (ssize_t)sizeof s->status.serial) {
		free(s);
		return -EIO;
	}
	s->status.serial = (s->status.serial >> 2) + 1;		/* never 0, and far from the last number */
	s->event = sd_event_ref(event);
	s->paths = paths;
	s->peers = peers;
	s->hooks = *hooks;
	s->socket = -1;
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
	drop_items(s, 0, s->count);
	sd_event_unref(s->event);
	free(s);
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

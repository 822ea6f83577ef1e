/*
 * test_roster_sender.c - rosters and changes on their way to the publisher: in order, once each, and what comes instead when
 * it has not what they are of. The test stands for the publisher, and does what a real one would not.
 */
#include <config.h>

#include "daemon/roster_sender.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/channel.h"
#include "daemon/loop.h"
#include "tests/unit/suite.h"

#define PATIENCE_MS 60000

static struct paths paths;
static struct peers peers;
static sd_event *event;
static struct roster_sender *sender;
static int listener;
static unsigned wanted;

/* What came over one connection. */
struct got {
	int connection;
	bool is_vouch;
	uint64_t serial, after;
	char content;		/* of the memfd */
};

static void
on_wanted(void *arg)
{
	(void)arg;
	wanted++;
}

static void
listen_as_publisher(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)snprintf(address.sun_path, sizeof address.sun_path, "%s/publisher.sock", suite_folder());
	(void)snprintf(paths.publisher_socket, sizeof paths.publisher_socket, "%s", address.sun_path);
	(void)unlink(address.sun_path);
	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(listener, 4), 0);
}

static void
begin(void)
{
	const struct roster_sender_hooks hooks = { .wanted = on_wanted };

	listen_as_publisher();
	peers = (struct peers){ .root = geteuid(), .front = PEERS_NOBODY, .directory = PEERS_NOBODY };
	ck_assert_int_ge(sd_event_new(&event), 0);
	ck_assert_int_eq(roster_sender_new(event, &paths, &peers, &hooks, &sender), 0);
	wanted = 0;
}

static void
end(void)
{
	roster_sender_free(sender);
	sd_event_unref(event);
	(void)close(listener);
}

static int
memfd_of(char content)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	ck_assert_int_eq(write(fd, &content, 1), 1);
	return fd;
}

static void
run(unsigned ms)
{
	ck_assert_int_ge(sd_event_run(event, ms * 1000), 0);
}

static void
read_message(struct got *got)
{
	union { struct cmsghdr align; char bytes[CMSG_SPACE(sizeof(int))]; } control;
	uint8_t frame[256];
	struct iovec iov = { frame, sizeof frame };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
	const struct message_info *info;
	struct msg_roster_vouch vouch;
	struct msg_roster roster;
	ssize_t n = recvmsg(got->connection, &mh, MSG_CMSG_CLOEXEC);
	int fd;

	ck_assert_int_gt(n, 0);
	ck_assert_int_eq(proto_peek(frame, (size_t)n, &info), 0);
	got->is_vouch = info->number == MSG_ROSTER_VOUCH;
	if (got->is_vouch) {
		ck_assert_int_eq(proto_decode(info, frame, (size_t)n, &vouch), 0);
		got->serial = vouch.serial;
		return;
	}
	ck_assert_int_eq(proto_decode(info, frame, (size_t)n, &roster), 0);
	got->serial = roster.serial;
	got->after = roster.after;
	ck_assert_ptr_nonnull(CMSG_FIRSTHDR(&mh));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&mh)), sizeof fd);
	ck_assert_int_eq(pread(fd, &got->content, 1, 0), 1);
	(void)close(fd);
}

/* The next connection within ms; false when there is none. */
static bool
comes(struct got *got, int ms)
{
	int64_t deadline_ms = loop_now_ms() + ms;

	*got = (struct got){ .connection = -1 };
	while (got->connection < 0 && loop_now_ms() < deadline_ms) {
		got->connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (got->connection < 0)
			run(10);
	}
	if (got->connection >= 0)
		read_message(got);
	return got->connection >= 0;
}

/* The next one is a roster with this content, of the state that after says. */
static void
expect(struct got *got, char content, uint64_t after)
{
	ck_assert(comes(got, PATIENCE_MS));
	ck_assert(!got->is_vouch);
	ck_assert_int_eq(got->content, content);
	ck_assert_uint_eq(got->after, after);
	ck_assert_uint_ne(got->serial, 0);
}

static void
answer(const struct got *got, bool accepted, bool whole_wanted)
{
	const struct msg_roster_result result = { .serial = got->serial, .accepted = accepted, .whole_wanted = whole_wanted };

	ck_assert_int_eq(channel_send(got->connection, MSG_ROSTER_RESULT, &result, channel_now_ms() + PATIENCE_MS), 0);
	(void)close(got->connection);
	run(100);
}

static void
await_wanted(unsigned count)
{
	int64_t deadline_ms = loop_now_ms() + PATIENCE_MS;

	while (wanted < count && loop_now_ms() < deadline_ms)
		run(10);
	ck_assert_uint_eq(wanted, count);
}

START_TEST(in_order)
{
	struct roster_sender_status status;
	struct got got;
	uint64_t first;

	begin();
	roster_sender_put(sender, memfd_of('W'), 10);
	expect(&got, 'W', 0);
	first = got.serial;
	for (char c = 'a'; c <= 'd'; c++)		/* behind what is under way */
		roster_sender_change(sender, memfd_of(c), 10);
	answer(&got, true, false);
	for (char c = 'a'; c <= 'd'; c++) {
		expect(&got, c, first + (uint64_t)(c - 'a'));
		ck_assert_uint_eq(got.serial, first + 1 + (uint64_t)(c - 'a'));
		answer(&got, true, false);
	}
	roster_sender_status(sender, &status);
	ck_assert(status.answered && status.last.serial == status.serial && status.error == 0);
	ck_assert(!comes(&got, 200));
	roster_sender_change(sender, memfd_of('e'), 10);	/* with nothing under way it is there at once */
	got.connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(got.connection, 0);
	read_message(&got);
	ck_assert_int_eq(got.content, 'e');
	answer(&got, true, false);
	/* What stands is vouched for by its serial, while the directory is there. */
	roster_sender_vouch(sender, true);
	ck_assert(comes(&got, PATIENCE_MS));
	ck_assert(got.is_vouch && got.serial == first + 5);
	answer(&got, true, false);
	ck_assert_uint_eq(wanted, 0);
	end();
}
END_TEST

/* Whether a change or a vouch is not understood: everything that waits goes, and a whole roster comes. */
START_TEST(whole_is_wanted)
{
	struct got got;

	begin();
	roster_sender_put(sender, memfd_of('W'), 10);
	expect(&got, 'W', 0);
	answer(&got, true, false);
	if (_i == 0) {
		roster_sender_change(sender, memfd_of('a'), 10);
		expect(&got, 'a', got.serial);
		roster_sender_change(sender, memfd_of('b'), 10);
	} else {
		roster_sender_vouch(sender, true);
		ck_assert(comes(&got, PATIENCE_MS));
		ck_assert(got.is_vouch);
		roster_sender_change(sender, memfd_of('b'), 10);
	}
	answer(&got, false, true);
	await_wanted(1);
	roster_sender_change(sender, memfd_of('c'), 10);	/* the whole one will have it */
	ck_assert(!comes(&got, 200));
	roster_sender_put(sender, memfd_of('X'), 10);
	expect(&got, 'X', 0);
	answer(&got, true, false);
	roster_sender_change(sender, memfd_of('d'), 10);
	expect(&got, 'd', got.serial);
	answer(&got, true, false);
	ck_assert_uint_eq(wanted, 1);
	end();
}
END_TEST

/* A change is refused for what it is: a whole roster comes instead, at once; but not for each that is refused. */
START_TEST(change_is_refused)
{
	struct got got, none;
	int64_t first_ms;

	begin();
	roster_sender_put(sender, memfd_of('W'), 10);
	expect(&got, 'W', 0);
	answer(&got, false, false);			/* a whole one: nothing else would be better */
	ck_assert(!comes(&none, 200));
	ck_assert_uint_eq(wanted, 0);
	roster_sender_change(sender, memfd_of('a'), 10);
	expect(&got, 'a', got.serial);
	roster_sender_change(sender, memfd_of('b'), 10);	/* of a state that the publisher has not */
	first_ms = loop_now_ms();
	answer(&got, false, false);
	await_wanted(1);
	ck_assert_int_lt(loop_now_ms() - first_ms, 4000);
	roster_sender_put(sender, memfd_of('X'), 10);
	expect(&got, 'X', 0);
	answer(&got, true, false);
	roster_sender_change(sender, memfd_of('c'), 10);
	expect(&got, 'c', got.serial);
	answer(&got, false, false);
	await_wanted(2);
	ck_assert_int_ge(loop_now_ms() - first_ms, 4900);
	roster_sender_put(sender, memfd_of('Y'), 10);
	expect(&got, 'Y', 0);
	answer(&got, true, false);
	roster_sender_change(sender, memfd_of('d'), 10);	/* its twin, taken */
	expect(&got, 'd', got.serial);
	answer(&got, true, false);
	ck_assert(!comes(&got, 200));
	ck_assert_uint_eq(wanted, 2);
	end();
}
END_TEST

/* A change whose answer was lost comes again as it was; then those behind it. */
START_TEST(answer_is_lost)
{
	struct roster_sender_status status;
	struct got got, again;

	begin();
	roster_sender_put(sender, memfd_of('W'), 10);
	expect(&got, 'W', 0);
	answer(&got, true, false);
	roster_sender_change(sender, memfd_of('a'), 10);
	expect(&got, 'a', got.serial);
	roster_sender_change(sender, memfd_of('b'), 10);
	(void)close(got.connection);
	run(100);
	roster_sender_status(sender, &status);
	ck_assert_int_lt(status.error, 0);
	expect(&again, 'a', got.after);
	ck_assert_uint_eq(again.serial, got.serial);
	answer(&again, true, false);
	expect(&got, 'b', again.serial);
	answer(&got, true, false);
	roster_sender_status(sender, &status);
	ck_assert_int_eq(status.error, 0);
	ck_assert_uint_eq(wanted, 0);
	end();
}
END_TEST

START_TEST(whole_replaces_what_waits)
{
	struct got got;

	begin();
	roster_sender_put(sender, memfd_of('W'), 10);
	expect(&got, 'W', 0);
	roster_sender_change(sender, memfd_of('a'), 10);
	roster_sender_put(sender, memfd_of('X'), 10);
	roster_sender_change(sender, memfd_of('b'), 10);
	(void)close(got.connection);		/* nor is that one sent again */
	expect(&got, 'X', 0);
	answer(&got, true, false);
	expect(&got, 'b', got.serial);
	answer(&got, true, false);
	ck_assert(!comes(&got, 200));
	end();
}
END_TEST

START_TEST(too_many_wait)
{
	struct got got;

	begin();
	roster_sender_change(sender, memfd_of('a'), 10);	/* of nothing */
	await_wanted(1);
	roster_sender_put(sender, memfd_of('W'), 10);
	expect(&got, 'W', 0);
	for (int i = 0; i < ROSTER_SENDER_WAITING_MAX; i++)
		roster_sender_change(sender, memfd_of('b'), 10);
	run(50);
	ck_assert_uint_eq(wanted, 1);
	roster_sender_change(sender, memfd_of('c'), 10);
	answer(&got, true, false);
	await_wanted(2);
	ck_assert(!comes(&got, 200));
	roster_sender_put(sender, memfd_of('X'), 10);
	expect(&got, 'X', 0);
	answer(&got, true, false);
	end();
}
END_TEST

/* Nobody listens: it is tried until somebody does. */
START_TEST(publisher_is_away)
{
	struct roster_sender_status status;
	struct got got;

	begin();
	(void)close(listener);
	roster_sender_put(sender, memfd_of('W'), 10);
	roster_sender_change(sender, memfd_of('a'), 10);
	for (int i = 0; i < 10; i++)
		run(50);
	roster_sender_status(sender, &status);
	ck_assert_int_lt(status.error, 0);
	ck_assert(!status.answered);
	listen_as_publisher();
	expect(&got, 'W', 0);
	answer(&got, true, false);
	expect(&got, 'a', got.serial);
	answer(&got, true, false);
	end();
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ in_order, 0 }, { whole_is_wanted, 2 }, { change_is_refused, 0 }, { answer_is_lost, 0 },
		{ whole_replaces_what_waits, 0 }, { too_many_wait, 0 }, { publisher_is_away, 0 },
	};

	return suite_run("roster_sender", rows, ROWS(rows), 60);
}

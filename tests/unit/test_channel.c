/*
 * test_channel.c - deadlines, peers, descriptors and malformed frames on the client side of our sockets.
 *
 * The peer is a child that behaves as each row says: what a real server of ours never does.
 */
#include <config.h>

#include "common/channel.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 30000	/* for what comes at once on a machine that is not busy */

static char path[100];
static int listener = -1;

static void
setup(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	(void)snprintf(path, sizeof path, "%s/channel-%d.sock", suite_folder(), (int)getpid());
	memcpy(at.sun_path, path, strlen(path) + 1);
	(void)unlink(path);
	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(listener, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
	ck_assert_int_eq(listen(listener, 4), 0);
}

static void
teardown(void)
{
	(void)close(listener);
	(void)unlink(path);
}

static int
open_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* A peer that takes one request and answers with the bytes given (size 0: hangs up; NULL: says nothing). */
static pid_t
peer(const void *bytes, size_t size)
{
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		char request[PROTO_FRAME_MAX];
		int fd = accept(listener, NULL, NULL);

		(void)!read(fd, request, sizeof request);
		if (bytes != NULL && size > 0)
			(void)!send(fd, bytes, size, MSG_NOSIGNAL);
		if (bytes == NULL)
			(void)pause();
		_exit(0);
	}
	return child;
}

static const uint8_t done[] = { 1, 0, 35, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
static const uint8_t ack[] = { 1, 0, 5, 0, 0, 0, 0, 0 };
static const uint8_t wrong_version[] = { 2, 0, 35, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
static const uint8_t left_over[] = { 1, 0, 35, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7 };
static const uint8_t too_long[] = { 1, 0, 35, 0, 8, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255 };
static const uint8_t nul_inside[] = { 1, 0, 35, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0 };

static const struct {
	const char *name;
	const void *bytes;
	size_t size;
	int want;
} rows[] = {
	{ "a good answer", done, sizeof done, 0 },
	{ "another message than asked for", ack, sizeof ack, -EBADMSG },
	{ "another version", wrong_version, sizeof wrong_version, -EBADMSG },
	{ "a byte left over", left_over, sizeof left_over, -EBADMSG },
	{ "a length beyond the frame", too_long, sizeof too_long, -EBADMSG },
	{ "NUL in a text", nul_inside, sizeof nul_inside, -EBADMSG },
	{ "half a header", done, 4, -EBADMSG },
	{ "hang-up", done, 0, -ECONNRESET },
	{ "silence", NULL, 0, -ETIMEDOUT },
};

START_TEST(answers_are_judged)
{
	const uid_t me = geteuid();
	struct msg_status ask = { 0 };
	struct msg_done answer;
	int before, fd = -1, r;
	const bool silent = rows[_i].want == -ETIMEDOUT;
	int64_t start;
	pid_t child;

	setup();
	child = peer(rows[_i].bytes, rows[_i].size);
	before = open_descriptors();
	ck_assert_int_eq(channel_connect(path, &me, 1, channel_now_ms() + PATIENCE_MS, &fd), 0);
	ck_assert_int_ge(fd, 3);
	start = channel_now_ms();
	r = channel_ask(fd, MSG_STATUS, &ask, MSG_DONE, &answer, start + (silent ? 300 : PATIENCE_MS));
	ck_assert_msg(r == rows[_i].want, "%s: got %d", rows[_i].name, r);
	ck_assert(!silent || channel_now_ms() - start >= 300);
	ck_assert_int_lt(channel_now_ms() - start, PATIENCE_MS);
	(void)close(fd);
	ck_assert_int_eq(open_descriptors(), before);
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
	teardown();
}
END_TEST

START_TEST(ip08a_a_foreign_peer_is_refused)
{
	const uid_t foreign = geteuid() + 1, mine[] = { foreign, geteuid() };
	int before, fd = -1;

	setup();
	before = open_descriptors();
	ck_assert_int_eq(channel_connect(path, &foreign, 1, channel_now_ms() + PATIENCE_MS, &fd), -EPERM);
	ck_assert_int_eq(open_descriptors(), before);
	ck_assert_int_eq(channel_connect(path, mine, 2, channel_now_ms() + PATIENCE_MS, &fd), 0);
	(void)close(fd);
	teardown();
}
END_TEST

START_TEST(absent_and_full_sockets_end_in_time)
{
	const uid_t me = geteuid();
	int64_t start = channel_now_ms();
	int fd = -1, held[64], count = 0;

	setup();
	ck_assert_int_eq(channel_connect("/tmp/isms-no-such.sock", &me, 1, start + PATIENCE_MS, &fd), -ENOENT);
	while (count < 64 && channel_connect(path, &me, 1, channel_now_ms() + 100, &held[count]) == 0)
		count++;
	ck_assert_int_lt(count, 64);		/* the backlog is full and the connect timed out */
	ck_assert_int_lt(channel_now_ms() - start, PATIENCE_MS);
	while (count > 0)
		(void)close(held[--count]);
	teardown();
}
END_TEST

START_TEST(ph01a_descriptors_below_three_stay_free)
{
	const uid_t me = geteuid();
	int status = -1, fd = -1;
	pid_t child;

	setup();
	child = fork();
	if (child == 0) {
		for (int i = 0; i < 3; i++)
			(void)close(i);
		if (channel_connect(path, &me, 1, channel_now_ms() + PATIENCE_MS, &fd) < 0 || fd < 3)
			_exit(1);
		for (int i = 0; i < 3; i++)
			if (fcntl(i, F_GETFD) >= 0)
				_exit(2);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	teardown();
}
END_TEST

int
main(void)
{
	const struct suite_row tests[] = {
		{ answers_are_judged, ROWS(rows) },
		{ ip08a_a_foreign_peer_is_refused, 0 },
		{ absent_and_full_sockets_end_in_time, 0 },
		{ ph01a_descriptors_below_three_stay_free, 0 },
	};

	return suite_run("channel", tests, ROWS(tests), 30);
}

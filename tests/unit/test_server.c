/*
 * test_server.c - the listening side: who gets in, what is hung up on, and that nothing waits for a peer.
 *
 * Server and clients share this process; the loop is turned by hand.
 */
#include <config.h>

#include "daemon/server.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/verdict.h"
#include "daemon/loop.h"
#include "tests/unit/server_scene.h"
#include "tests/unit/suite.h"

#define SOMEBODY_ELSE 12345u

static unsigned handled;
static struct connection *kept;
static int received_fd;

static int
on_status(struct connection *c, const void *msg)
{
	const struct msg_done done = { .error = 7 };

	(void)msg;
	handled++;
	return connection_send(c, MSG_DONE, &done, ST_NEW);
}

static int
on_auth(struct connection *c, const void *msg)
{
	const struct msg_prompt prompt = { .text = "?" };
	const struct msg_auth_begin *m = msg;

	ck_assert_str_eq(m->user, "ada");
	handled++;
	return connection_send(c, MSG_PROMPT, &prompt, ST_PROMPTED);
}

static int
on_answer(struct connection *c, const void *msg)
{
	(void)msg;
	handled++;
	kept = connection_ref(c);	/* the answer comes later */
	return 0;
}

static int
on_why(struct connection *c, const void *msg)
{
	static struct msg_report report;
	int r = 0;

	(void)msg;
	handled++;
	memset(report.lines, 'x', sizeof report.lines - 1);
	for (int i = 0; i < 100000 && r == 0; i++)
		r = connection_send(c, MSG_REPORT, &report, ST_WAITING);
	ck_assert_int_eq(r, -EAGAIN);
	ck_assert(!connection_is_open(c));
	return 0;
}

static int
on_roster(struct connection *c, const void *msg)
{
	(void)msg;
	handled++;
	received_fd = connection_take_fd(c);
	return on_status(c, msg);
}

static const struct server_handler handlers[] = {
	{ .number = MSG_STATUS, .handle = on_status },
	{ .number = MSG_AUTH_BEGIN, .handle = on_auth },
	{ .number = MSG_ANSWER, .handle = on_answer },
	{ .number = MSG_WHY, .handle = on_why },
	{ .number = MSG_ROSTER, .handle = on_roster, .takes_fd = true },
	{ .handle = NULL },
};

static void
begin(uid_t root)
{
	handled = 0;
	kept = NULL;
	received_fd = -1;
	host_begin(root, handlers);
}

static void
send_status(int fd)
{
	const struct msg_status m = { { 0 } };

	host_send(fd, MSG_STATUS, &m);
}

static unsigned
open_fds(void)
{
	unsigned n = 0;
	DIR *d = opendir("/proc/self/fd");

	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return n;
}

/* What is not legal in this state, not served here, no request at all, or no frame, is hung up on. */
START_TEST(breaches_of_the_table)
{
	static const uint8_t junk[][12] = { { 1 }, { 2, 0, 16, 0, 0, 0, 0, 0 }, { 1, 0, 255, 255, 0, 0, 0, 0 },
		{ 1, 0, 16, 0, 4, 0, 0, 0, 1, 2, 3, 4 } };
	static const size_t sizes[] = { 1, 8, 8, 12 };
	const struct msg_answer answer = { .outcome = ANSWER_GIVEN };
	const struct msg_account account = { .user = "ada" };
	const struct msg_verdict verdict = { .verdict = VERDICT_ALLOW };
	static uint8_t large[PROTO_FRAME_MAX + 1];
	int fd;

	begin(geteuid());
	fd = host_join();
	host_send(fd, MSG_ANSWER, &answer);
	ck_assert(host_hung_up(fd));
	(void)close(fd);
	fd = host_join();
	host_send(fd, MSG_ACCOUNT, &account);
	ck_assert(host_hung_up(fd));
	(void)close(fd);
	fd = host_join();
	host_send(fd, MSG_VERDICT, &verdict);
	ck_assert(host_hung_up(fd));
	(void)close(fd);
	for (unsigned i = 0; i < 4; i++) {
		fd = host_join();
		ck_assert_int_eq(send(fd, junk[i], sizes[i], 0), (ssize_t)sizes[i]);
		ck_assert(host_hung_up(fd));
		(void)close(fd);
	}
	fd = host_join();
	ck_assert_int_eq(send(fd, large, sizeof large, 0), (ssize_t)sizeof large);
	ck_assert(host_hung_up(fd));
	(void)close(fd);
	ck_assert_uint_eq(handled, 0);
	host_end();
}
END_TEST

START_TEST(one_question_at_a_time)
{
	const struct msg_auth_begin auth = { .user = "ada" };
	const struct msg_answer answer = { .outcome = ANSWER_GIVEN };
	int fd;

	begin(geteuid());
	fd = host_join();
	host_send(fd, MSG_AUTH_BEGIN, &auth);
	host_send(fd, MSG_ANSWER, &answer);
	ck_assert_uint_eq(handled, 2);
	ck_assert_ptr_nonnull(kept);
	/* The answer to the answer is under way. */
	host_send(fd, MSG_ANSWER, &answer);
	ck_assert(!connection_is_open(kept));
	connection_unref(kept);
	(void)close(fd);
	host_end();
}
END_TEST

/* The peer goes while its answer is under way: the result is dropped. */
START_TEST(ip07a_in_flight)
{
	const struct msg_auth_begin auth = { .user = "ada" };
	const struct msg_answer answer = { .outcome = ANSWER_GIVEN };
	const struct msg_done done = { .error = 0 };
	int fd;

	begin(geteuid());
	fd = host_join();
	host_send(fd, MSG_AUTH_BEGIN, &auth);
	host_send(fd, MSG_ANSWER, &answer);
	(void)close(fd);
	host_turn();
	ck_assert(!connection_is_open(kept));
	ck_assert_int_eq(connection_send(kept, MSG_DONE, &done, ST_NEW), -ENOTCONN);
	ck_assert_uint_eq(server_connection_count(host.server), 0);
	connection_unref(kept);
	host_end();
}
END_TEST

/* A peer that never reads is dropped; nothing waits, nothing piles up. */
START_TEST(ip05a_slow_reader)
{
	const struct msg_why why = { .user = "ada" };
	int fd;

	begin(geteuid());
	fd = host_join();
	host_send(fd, MSG_WHY, &why);
	ck_assert_uint_eq(handled, 1);
	ck_assert_uint_eq(server_connection_count(host.server), 0);
	(void)close(fd);
	host_end();
}
END_TEST

START_TEST(ip09a_cred_fail)
{
	int fd;

	begin(geteuid());
	host.no_credentials = true;
	fd = host_join();
	send_status(fd);
	ck_assert_uint_eq(handled, 0);
	ck_assert_uint_eq(server_connection_count(host.server), 0);
	(void)close(fd);
	host_end();
}
END_TEST

/* Peers that are not root: four each, three quarters of all together; they are judged before their bytes are. */
START_TEST(ip04a_exhaust)
{
	int fds[SERVER_OTHERS_MAX + 8];
	unsigned n, alive = 0;

	begin(SOMEBODY_ELSE);
	for (n = 0; n < 6; n++)
		fds[n] = host_join();
	host_turn();
	ck_assert_uint_eq(server_connection_count(host.server), SERVER_PER_UID_MAX);
	send_status(fds[0]);
	ck_assert_uint_eq(handled, 0);
	ck_assert_uint_eq(server_connection_count(host.server), SERVER_PER_UID_MAX - 1);
	while (n > 0)
		(void)close(fds[--n]);
	host_turn();
	/* A process of ours speaks for many people. */
	host.peers.front = geteuid();
	for (n = 0; n < SERVER_OTHERS_MAX + 8; n++) {
		fds[n] = host_join();
		if (n % 32 == 0)
			host_turn();
	}
	host_turn();
	ck_assert_uint_eq(server_connection_count(host.server), SERVER_OTHERS_MAX);
	/* Root still gets in. */
	host.peers.root = geteuid();
	host.peers.front = SOMEBODY_ELSE;
	(void)close(fds[--n]);
	fds[n++] = host_join();
	send_status(fds[n - 1]);
	ck_assert_uint_eq(handled, 1);
	for (unsigned i = 0; i < n; i++)
		alive += !host_hung_up(fds[i]);
	ck_assert_uint_eq(alive, SERVER_OTHERS_MAX + 1);
	while (n > 0)
		(void)close(fds[--n]);
	host_turn();
	host_end();
}
END_TEST

START_TEST(header_deadline)
{
	int64_t began_ms;
	int silent, busy;

	begin(geteuid());
	began_ms = loop_now_ms();
	silent = host_join();
	busy = host_join();
	host_turn();
	while (server_connection_count(host.server) == 2 && loop_now_ms() - began_ms < 60000)
		(void)sd_event_run(host.event, 100000);
	ck_assert(host_hung_up(silent));
	ck_assert_int_ge(loop_now_ms() - began_ms, SERVER_HEADER_MS - 1);
	(void)close(silent);
	(void)close(busy);
	host_end();
}
END_TEST

static void
send_fds(int fd, enum message number, const void *msg, unsigned count)
{
	uint8_t frame[PROTO_FRAME_MAX];
	struct iovec iov = { frame, host_frame(number, msg, frame, sizeof frame) };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(16 * sizeof(int))];
	} control = { .bytes = { 0 } };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = CMSG_SPACE(count * sizeof(int)) };
	struct cmsghdr *cm = CMSG_FIRSTHDR(&mh);
	int passed[16];

	for (unsigned i = 0; i < count; i++)
		passed[i] = STDERR_FILENO;
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(cm), passed, count * sizeof(int));
	ck_assert_int_gt(sendmsg(fd, &mh, 0), 0);
	host_turn();
}

/* Descriptors: one where one is due; else all are closed and the peer is hung up on. None is ever left. */
START_TEST(descriptors)
{
	const struct msg_status status = { { 0 } };
	const struct msg_roster roster = { .serial = 1 };
	unsigned before;
	int fd;

	begin(geteuid());
	fd = host_join();		/* the loop's own descriptors exist from here on */
	send_status(fd);
	handled = 0;
	(void)close(fd);
	host_turn();
	before = open_fds();
	fd = host_join();
	send_fds(fd, MSG_STATUS, &status, 1);
	ck_assert(host_hung_up(fd));
	(void)close(fd);
	for (unsigned n = 2; n <= 16; n += 7) {
		fd = host_join();
		send_fds(fd, MSG_ROSTER, &roster, n);
		ck_assert(host_hung_up(fd));
		(void)close(fd);
	}
	ck_assert_uint_eq(handled, 0);
	ck_assert_uint_eq(open_fds(), before);
	fd = host_join();
	send_fds(fd, MSG_ROSTER, &roster, 1);
	ck_assert_int_ge(received_fd, 0);
	ck_assert_int_ne(fcntl(received_fd, F_GETFD) & FD_CLOEXEC, 0);
	(void)close(received_fd);
	host_send(fd, MSG_ROSTER, &roster);
	ck_assert_int_eq(received_fd, -1);
	(void)close(fd);
	host_turn();
	ck_assert_uint_eq(open_fds(), before);
	host_end();
}
END_TEST

/* No descriptor left: the peer is hung up on at once, and the loop does not spin. */
START_TEST(out_of_descriptors)
{
	struct rlimit before, tight = { 0, 0 };
	int fd, filler[64];
	unsigned n = 0;

	begin(geteuid());
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	fd = host_join();
	tight = (struct rlimit){ (rlim_t)fd + 32, before.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &tight), 0);
	while (n < 64 && (filler[n] = dup(STDERR_FILENO)) >= 0)
		n++;
	ck_assert(host_hung_up(fd));
	ck_assert_uint_eq(server_connection_count(host.server), 0);
	while (n > 0)
		(void)close(filler[--n]);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	(void)close(fd);
	fd = host_join();
	send_status(fd);
	ck_assert_uint_eq(handled, 1);
	(void)close(fd);
	host_end();
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ breaches_of_the_table, 0 },
		{ ip04a_exhaust, 0 },
		{ ip05a_slow_reader, 0 },
		{ ip07a_in_flight, 0 },
		{ ip09a_cred_fail, 0 },
		{ one_question_at_a_time, 0 },
		{ header_deadline, 0 },
		{ descriptors, 0 },
		{ out_of_descriptors, 0 },
	};

	return suite_run("server", rows, ROWS(rows), 90);
}

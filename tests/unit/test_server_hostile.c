/*
 * test_server_hostile.c - what a hostile peer leaves behind on the listening side: descriptors, and a full table.
 *
 * Server and clients share this process; the loop is turned by hand.
 */
#include <config.h>

#include "daemon/connection.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/suite.h"

int __real_setsockopt(int fd, int level, int name, const void *value, socklen_t size);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t size);
ssize_t __real_recvmsg(int fd, struct msghdr *mh, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *mh, int flags);

static bool old_kernel, offers_room;
static char path[64];
static sd_event *event;
static struct server *server;
static struct peers peers;
static unsigned handled;

/* Whatever the server sets, an old kernel does not know it. */
int
__wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
	if (!old_kernel)
		return __real_setsockopt(fd, level, name, value, size);
	errno = ENOPROTOOPT;
	return -1;
}

ssize_t
__wrap_recvmsg(int fd, struct msghdr *mh, int flags)
{
	offers_room = mh->msg_control != NULL;
	return __real_recvmsg(fd, mh, flags);
}

/* Whether this kernel refuses descriptors to the sender. */
static bool
can_refuse_them(void)
{
#ifdef SO_PASSRIGHTS
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), on = 0;
	socklen_t size = sizeof on;
	bool can = getsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &on, &size) == 0 && on == 1;

	(void)close(fd);
	return can;
#else
	return false;
#endif
}

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

	(void)msg;
	handled++;
	return connection_send(c, MSG_PROMPT, &prompt, ST_PROMPTED);
}

static const struct server_handler plain[] = {
	{ .number = MSG_STATUS, .handle = on_status },
	{ .number = MSG_AUTH_BEGIN, .handle = on_auth },
	{ .handle = NULL },
};

/* As the publisher's: a descriptor may come with one message. */
static const struct server_handler taking[] = {
	{ .number = MSG_STATUS, .handle = on_status },
	{ .number = MSG_ROSTER, .handle = on_status, .takes_fd = true },
	{ .handle = NULL },
};

static void
begin(const struct server_handler *handlers)
{
	const struct server_config config = {
		.path = path, .mode = 0666, .frame_max = PROTO_FRAME_MAX, .peers = &peers, .handlers = handlers,
	};

	peers = (struct peers){ .root = geteuid(), .front = PEERS_NOBODY, .directory = PEERS_NOBODY };
	handled = 0;
	(void)snprintf(path, sizeof path, "%s/server.%ld", suite_folder(), (long)getpid());
	(void)unlink(path);
	ck_assert_int_eq(sd_event_new(&event), 0);
	ck_assert_int_eq(server_new(event, &config, &server), 0);
}

static void
end(void)
{
	server_free(server);
	sd_event_unref(event);
	(void)unlink(path);
}

static int
join(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	(void)snprintf(sa.sun_path, sizeof sa.sun_path, "%s", path);
	ck_assert_int_eq(connect(fd, (const struct sockaddr *)&sa, sizeof sa), 0);
	return fd;
}

/* Let the server do all that it has to do now; a loop that spins never comes back. */
static void
turn(void)
{
	for (unsigned i = 0; sd_event_run(event, 0) > 0; i++)
		ck_assert_uint_lt(i, 10000);
}

static void
send_message(int fd, enum message number, const void *msg)
{
	uint8_t frame[PROTO_FRAME_MAX];
	int len = proto_encode(proto_find(number), msg, frame, sizeof frame);

	ck_assert_int_gt(len, 0);
	ck_assert_int_eq(send(fd, frame, (size_t)len, MSG_NOSIGNAL), len);
	turn();
}

static void
send_status(int fd)
{
	const struct msg_status m = { { 0 } };

	send_message(fd, MSG_STATUS, &m);
}

static unsigned
open_fds(void)
{
	unsigned n = 0;
	DIR *d = opendir("/proc/self/fd");

	ck_assert_ptr_nonnull(d);
	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return n;
}

/* A STATUS, or with `empty` nothing, and with it as many descriptors. Returns what sendmsg() says, 0 for all sent. */
static int
send_fds(int fd, bool empty, unsigned count)
{
	const struct msg_status m = { { 0 } };
	uint8_t frame[PROTO_FRAME_MAX];
	struct iovec iov = { .iov_base = frame };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(16 * sizeof(int))];
	} control = { .bytes = { 0 } };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = CMSG_SPACE(count * sizeof(int)) };
	struct cmsghdr *cm = CMSG_FIRSTHDR(&mh);
	int passed[16], len;

	len = proto_encode(proto_find(MSG_STATUS), &m, frame, sizeof frame);
	ck_assert_int_gt(len, 0);
	iov.iov_len = empty ? 0 : (size_t)len;
	for (unsigned i = 0; i < count; i++)
		passed[i] = STDERR_FILENO;
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(cm), passed, count * sizeof(int));
	return sendmsg(fd, &mh, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static const struct descriptor_row {
	const char *name;
	const struct server_handler *handlers;
	bool old_kernel, empty;
	unsigned count;
} descriptor_rows[] = {
	{ "empty, one", plain, true, true, 1 },
	{ "empty, four", plain, true, true, 4 },
	{ "a message, one", plain, true, false, 1 },
	{ "a message, many", plain, true, false, 16 },
	{ "empty, one; kernel of now", plain, false, true, 1 },
	{ "a message, one; kernel of now", plain, false, false, 1 },
	{ "empty, one; where one may come", taking, false, true, 1 },
	{ "empty, many; where one may come", taking, false, true, 16 },
	{ "a message, one; where one may come, not with this", taking, false, false, 1 },
};

/*
 * A datagram without bytes may carry descriptors: it looks like the end of the connection, and each that stayed open
 * would be one login fewer. Where no message takes one, a kernel that can refuses them to the sender already, and the
 * peer stands as if he had sent nothing.
 */
START_TEST(descriptors_of_strangers)
{
	const struct descriptor_row *row = &descriptor_rows[_i];
	unsigned before;
	char byte;
	int fd, r;

	old_kernel = row->old_kernel;
	begin(row->handlers);
	fd = join();		/* the loop's own descriptors exist from here on */
	send_status(fd);
	(void)close(fd);
	turn();
	handled = 0;
	before = open_fds();
	fd = join();
	r = send_fds(fd, row->empty, row->count);
	turn();
	if (row->handlers == plain && !row->old_kernel && can_refuse_them()) {
		ck_assert_int_eq(r, -EPERM);
	} else {
		ck_assert_int_eq(r, 0);
		ck_assert_int_eq(recv(fd, &byte, 1, MSG_DONTWAIT), 0);
		ck_assert_uint_eq(server_connection_count(server), 0);
	}
	ck_assert_uint_eq(handled, 0);
	(void)close(fd);
	turn();
	ck_assert_msg(open_fds() == before, "%s: descriptors are left", row->name);
	/* Its twin without one is served. */
	fd = join();
	send_status(fd);
	ck_assert_uint_eq(handled, 1);
	(void)close(fd);
	end();
	old_kernel = false;
}
END_TEST

/*
 * Descriptors that no message takes are never ours, not for a moment: to close one of a file system in user space
 * waits for whoever serves that. Only recvmsg() without room for control data leaves them to the kernel.
 */
START_TEST(no_room_for_descriptors)
{
	int fd;

	for (unsigned i = 0; i < 2; i++) {
		begin(i == 0 ? plain : taking);
		fd = join();
		offers_room = i == 0;
		send_status(fd);
		ck_assert_uint_eq(handled, 1);
		ck_assert_int_eq(offers_room, i == 1);
		(void)close(fd);
		end();
	}
}
END_TEST

static void
send_auth(int fd)
{
	const struct msg_auth_begin m = { .user = "ada" };

	send_message(fd, MSG_AUTH_BEGIN, &m);
}

static bool
is_answered(int fd)
{
	uint8_t frame[PROTO_FRAME_MAX];

	turn();
	return recv(fd, frame, sizeof frame, MSG_DONTWAIT) > 0;
}

/*
 * All places are taken: root, who stands for people at a console as for jobs, waits in the backlog for the next free
 * one and is not hung up on, which his module would take for a refusal. The loop does not spin meanwhile.
 */
START_TEST(root_waits_for_a_place)
{
	int fd[SERVER_CONNECTIONS_MAX], late[3], stranger;
	struct rlimit before, wide;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	wide = before;
	if (wide.rlim_cur < 4 * SERVER_CONNECTIONS_MAX)
		wide.rlim_cur = 4 * SERVER_CONNECTIONS_MAX;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &wide), 0);
	begin(plain);
	for (unsigned i = 0; i < SERVER_CONNECTIONS_MAX; i++) {
		fd[i] = join();
		send_auth(fd[i]);
		ck_assert(is_answered(fd[i]));
	}
	for (unsigned i = 0; i < 3; i++) {
		late[i] = join();
		send_auth(late[i]);
	}
	ck_assert_uint_eq(handled, SERVER_CONNECTIONS_MAX);
	for (unsigned i = 0; i < 3; i++) {
		char byte;

		turn();
		ck_assert_int_eq(recv(late[i], &byte, 1, MSG_DONTWAIT), -1);
		ck_assert_int_eq(errno, EAGAIN);
	}
	/* As many as there are places again, in the order in which they came. */
	(void)close(fd[0]);
	ck_assert(is_answered(late[0]));
	ck_assert(!is_answered(late[1]));
	(void)close(fd[1]);
	(void)close(fd[2]);
	ck_assert(is_answered(late[1]) && is_answered(late[2]));
	ck_assert_uint_eq(server_connection_count(server), SERVER_CONNECTIONS_MAX);
	/* Whoever is not root has no claim to wait for: beyond his share he is hung up on as soon as he is seen. */
	peers.root = geteuid() + 1;
	stranger = join();
	(void)close(fd[3]);
	ck_assert(!is_answered(stranger));
	ck_assert_int_eq(recv(stranger, &(char){ 0 }, 1, MSG_DONTWAIT), 0);
	ck_assert_uint_eq(server_connection_count(server), SERVER_CONNECTIONS_MAX - 1);
	(void)close(stranger);
	for (unsigned i = 0; i < 3; i++)
		(void)close(late[i]);
	for (unsigned i = 4; i < SERVER_CONNECTIONS_MAX; i++)
		(void)close(fd[i]);
	turn();
	ck_assert_uint_eq(server_connection_count(server), 0);
	end();
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ descriptors_of_strangers, ROWS(descriptor_rows) },
		{ no_room_for_descriptors, 0 },
		{ root_waits_for_a_place, 0 },
	};

	return suite_run("server_hostile", rows, ROWS(rows), 90);
}

/*
 * test_conversation.c - the auth stage where memory runs out: what the real front cannot be brought to.
 *
 * Server and client share this process; the loop is turned by hand. Nothing but what must fail is replaced.
 */
#include <config.h>

#include "daemon/conversation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/loop.h"
#include "tests/unit/suite.h"

#define FREED 0xa5

typedef void evaluation_done(void *arg, const struct evaluation_result *result);

int __wrap_evaluation_start(struct front *f, const struct evaluation_question *q, evaluation_done *done, void *arg,
    struct evaluation **ret);
int __real_loop_timer(sd_event *event, sd_event_source **source, int64_t delay_ms, sd_event_time_handler_t call, void *arg);
int __wrap_loop_timer(sd_event *event, sd_event_source **source, int64_t delay_ms, sd_event_time_handler_t call, void *arg);
void __wrap_record_write(struct front *f, const struct record *r);
void __real_free(void *p);
void __wrap_free(void *p);

static const struct server_handler handlers[] = {
	{ .number = MSG_AUTH_BEGIN, .handle = handle_auth_begin },
	{ .number = MSG_ANSWER, .handle = handle_answer },
	{ .handle = NULL },
};
static const struct paths paths = { .directory_socket = "/nonexistent", .nss = "/nonexistent" };
static struct conversation *watched;
static bool timers_fail, was_freed;
static unsigned refusals;

int
__wrap_evaluation_start(struct front *f, const struct evaluation_question *q, evaluation_done *done, void *arg,
    struct evaluation **ret)
{
	(void)f;
	(void)q;
	(void)done;
	(void)ret;
	watched = arg;
	ck_assert_str_eq(watched->password, "secret");
	return -ENOMEM;
}

int
__wrap_loop_timer(sd_event *event, sd_event_source **source, int64_t delay_ms, sd_event_time_handler_t call, void *arg)
{
	return timers_fail && watched != NULL ? -ENOMEM : __real_loop_timer(event, source, delay_ms, call, arg);
}

void
__wrap_record_write(struct front *f, const struct record *r)
{
	(void)f;
	ck_assert_int_eq(r->id, EVENT_LOGIN_DENIED);
	ck_assert_int_eq(r->reason, REASON_DAEMON_UNAVAILABLE);
	refusals++;
}

/* The conversation stays where it is, so that one can see who writes to it afterwards. */
void
__wrap_free(void *p)
{
	if (p == NULL || p != watched) {
		__real_free(p);
		return;
	}
	was_freed = true;
	memset(p, FREED, sizeof *watched);
}

static int
join(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	(void)snprintf(sa.sun_path, sizeof sa.sun_path, "%s", path);
	ck_assert_int_eq(connect(fd, (const struct sockaddr *)&sa, sizeof sa), 0);
	return fd;
}

static void
send_message(sd_event *event, int fd, enum message number, const void *msg)
{
	uint8_t frame[PROTO_FRAME_MAX];
	int len = proto_encode(proto_find(number), msg, frame, sizeof frame);

	ck_assert_int_gt(len, 0);
	ck_assert_int_eq(send(fd, frame, (size_t)len, MSG_NOSIGNAL), len);
	while (sd_event_run(event, 0) > 0)
		;
}

/* Nobody answers for the facts, who is given a moment to be started again. */
static void
await_prompt(sd_event *event, int fd)
{
	uint8_t frame[PROTO_FRAME_MAX];
	int tries = 100;

	while (recv(fd, frame, sizeof frame, MSG_DONTWAIT) <= 0 && tries-- > 0)
		(void)sd_event_run(event, 100000);
	ck_assert_int_ge(tries, 0);
}

/* No memory for the check, and in the second row none for the floor's timer: the connection goes, and with it all. */
START_TEST(no_memory_for_the_check)
{
	const struct msg_auth_begin begin = { .user = "ada", .service = "login", .ruid = geteuid() };
	const struct msg_answer password = { .outcome = ANSWER_GIVEN, .text = "secret" };
	const struct msg_answer code = { .outcome = ANSWER_GIVEN, .text = "123456" };
	struct front f = { .paths = &paths, .peers = { geteuid(), PEERS_NOBODY, PEERS_NOBODY } };
	char path[64];
	struct server_config config = { .path = path, .mode = 0600, .frame_max = PROTO_FRAME_MAX, .peers = &f.peers,
		.handlers = handlers, .context = &f };
	struct conversation *seen;
	int fd;

	watched = NULL;
	was_freed = false;
	refusals = 0;
	timers_fail = _i == 1;
	settings_defaults(&f.settings);
	(void)snprintf(path, sizeof path, "%s/conversation.%ld", suite_folder(), (long)getpid());
	(void)unlink(path);
	ck_assert_int_eq(sd_event_new(&f.event), 0);
	ck_assert_int_eq(server_new(f.event, &config, &f.server), 0);
	fd = join(path);
	send_message(f.event, fd, MSG_AUTH_BEGIN, &begin);
	await_prompt(f.event, fd);
	send_message(f.event, fd, MSG_ANSWER, &password);
	await_prompt(f.event, fd);
	send_message(f.event, fd, MSG_ANSWER, &code);
	ck_assert_ptr_nonnull(watched);
	ck_assert_uint_eq(refusals, 1);
	ck_assert_uint_eq(server_connection_count(f.server), timers_fail ? 0 : 1);
	ck_assert_int_eq(was_freed, timers_fail);
	if (!was_freed) {
		ck_assert_str_eq(watched->password, "");
		ck_assert_str_eq(watched->code, "");
	}
	server_free(f.server);
	ck_assert(was_freed);
	for (size_t i = 0; i < sizeof *watched; i++)
		ck_assert_uint_eq(((const unsigned char *)watched)[i], FREED);
	seen = watched;
	watched = NULL;
	free(seen);
	(void)close(fd);
	sd_event_unref(f.event);
	(void)unlink(path);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = { { no_memory_for_the_check, 2 } };

	return suite_run("conversation", rows, ROWS(rows), 60);
}

/*
 * test_front_peers.c - the real front, and peers who are not root: what they may not even ask, and what not of others.
 *
 * The front runs in a process of this program, where the kernel's word on a peer can be another uid. So an ordinary
 * user can be many; test_front_session does the same with real ones where it may.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/channel.h"
#include "daemon/peers.h"
#include "daemon/process.h"
#include "tests/unit/front_scene.h"
#include "tests/unit/suite.h"

#define DEADLINE (channel_now_ms() + 120000)
#define NUMBERS_MAX 128

/* Shared with the front. */
static struct shared {
	_Atomic uid_t claimed;		/* what it takes its peers for; PEERS_NOBODY: what they are */
	_Atomic unsigned checks;	/* password checks that it asked the directory process for */
	_Atomic unsigned asked;		/* everything that it asked there */
} *shared;

static struct scene s;
static struct talk t;

int __real_getsockopt(int fd, int level, int name, void *value, socklen_t *size);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size);
int __real_proto_encode(const struct message_info *info, const void *msg, uint8_t *buf, size_t size);
int __wrap_proto_encode(const struct message_info *info, const void *msg, uint8_t *buf, size_t size);

/* Whether it is the front's end of a connection to its socket: that one has a name. */
static bool
is_accepted(int fd)
{
	struct sockaddr_un own = { .sun_family = AF_UNIX };
	socklen_t size = sizeof own - 1;

	return getsockname(fd, (struct sockaddr *)&own, &size) == 0 && strstr(own.sun_path, "/ismsd.sock") != NULL;
}

int
__wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
	int r = __real_getsockopt(fd, level, name, value, size);

	if (r == 0 && level == SOL_SOCKET && name == SO_PEERCRED && shared->claimed != PEERS_NOBODY && is_accepted(fd))
		((struct ucred *)value)->uid = shared->claimed;
	return r;
}

int
__wrap_proto_encode(const struct message_info *info, const void *msg, uint8_t *buf, size_t size)
{
	shared->checks += info->number == MSG_PASSWORD_CHECK;
	shared->asked += info->sender == PEER_FRONT;
	return __real_proto_encode(info, msg, buf, size);
}

static void
begin(void)
{
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
	shared->claimed = PEERS_NOBODY;
	scene_front = front_main;
	scene_start(&s, "");
	shared->checks = shared->asked = 0;	/* what the scene itself asked while it waited */
}

static void
end(void)
{
	scene_stop(&s);
	ck_assert_int_eq(munmap(shared, sizeof *shared), 0);
}

/* A talk that the front takes for one with this uid. */
static void
talk_as(uid_t uid, enum message number, const void *msg, const char *const *answers)
{
	shared->claimed = uid;
	talk_run(&s, number, msg, answers, &t);
	talk_end(&t);
	shared->claimed = PEERS_NOBODY;
}

/* A locker of uid 3001 that asks for somebody else: told no, though all was right; nothing of it was looked at. */
START_TEST(ip01a_peer_authz)
{
	const struct msg_auth_self self = { .user = "self" }, other = { .user = "hana" };
	const char *answers[] = { SCENE_PASSWORD, scene_hotp(0), NULL, NULL };

	begin();
	talk_as(SCENE_SELF_UID, MSG_AUTH_SELF, &other, answers);
	talk_expect(&t, VERDICT_DENY, REASON_NONE);
	ck_assert_str_eq(t.verdict.proof, "");
	ck_assert_uint_eq(scene_events(&s, 1, "login denied", "reason=not-managed", "service=unprivileged", NULL), 1);
	ck_assert_uint_eq(scene_events(&s, 0, "decision=", NULL), 1);
	ck_assert_uint_eq(shared->checks, 0);
	/* his own name, and everything else the same */
	talk_as(SCENE_SELF_UID, MSG_AUTH_SELF, &self, answers);
	talk_expect(&t, VERDICT_ALLOW, REASON_AUTH_PASSED);
	ck_assert_uint_eq(shared->checks, 1);
	ck_assert_uint_eq(scene_events(&s, 1, "authentication passed", "user=self ", "service=unprivileged", NULL), 1);
	/* and her name from her uid: the code is still hers */
	talk_as(2002, MSG_AUTH_SELF, &other, answers);
	talk_expect(&t, VERDICT_ALLOW, REASON_AUTH_PASSED);
	end();
}
END_TEST

/* Whatever else he sends about somebody is refused before its body is looked at: it is no body at all. */
START_TEST(ip01a_before_the_body)
{
	static const uint8_t garbage[] = { 1, 0, MSG_AUTH_BEGIN, 0, 4, 0, 0, 0, 0xff, 0xff, 0xff, 0xff };
	char byte;
	int fd;

	begin();
	for (int i = 0; i < 2; i++) {		/* uid 1001, then root: there it is only no frame */
		shared->claimed = i == 0 ? 1001 : PEERS_NOBODY;
		fd = scene_connect(&s);
		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(send(fd, garbage, sizeof garbage, MSG_NOSIGNAL), (ssize_t)sizeof garbage);
		while (recv(fd, &byte, 1, 0) < 0 && channel_now_ms() < DEADLINE)
			(void)usleep(1000);	/* hung up on: 0, or reset */
		(void)close(fd);
		ck_assert_uint_eq(scene_events(&s, 1, "request refused", NULL), 1);
	}
	ck_assert_uint_eq(scene_events(&s, 1, "request refused", "uid=1001 ", "note=AUTH_BEGIN", NULL), 1);
	ck_assert_uint_eq(shared->asked, 0);
	end();
}
END_TEST

/* A request about emil, who needs no code, at a service that asks nothing. */
static void *
filled(const struct message_info *info)
{
	char *msg = calloc(1, info->struct_size);

	ck_assert_ptr_nonnull(msg);
	for (const struct field *f = info->fields; f->kind != FIELD_END; f++) {
		if (strcmp(f->name, "user") == 0)
			(void)snprintf(msg + f->offset, f->max + 1, "emil");
		else if (strcmp(f->name, "service") == 0)
			(void)snprintf(msg + f->offset, f->max + 1, "cron");
	}
	return msg;
}

/* Whether the front answers anything but the end of the connection. */
static bool
is_answered(uid_t uid, const struct message_info *info, const void *msg)
{
	static uint8_t frame[PROTO_FRAME_MAX];
	const struct message_info *got;
	size_t size;
	int fd, r;

	shared->claimed = uid;
	fd = scene_connect(&s);
	ck_assert_int_ge(fd, 0);
	r = channel_send(fd, info->number, msg, DEADLINE);
	if (r == 0)
		r = channel_recv(fd, frame, sizeof frame, DEADLINE, &got, &size);
	(void)close(fd);
	shared->claimed = PEERS_NOBODY;
	ck_assert_msg(r == 0 || r == -ECONNRESET || r == -EPIPE, "%s: %d", info->name, r);
	return r == 0;
}

/* Every message that only root may send: refused, reported and without any effect for 1001; answered for root. */
START_TEST(ip02a_verbs)
{
	char uid[32], note[64];
	unsigned rooted = 0;

	begin();
	for (uint32_t n = 0; n < NUMBERS_MAX; n++) {
		const struct message_info *info = proto_find(n);
		void *msg;

		if (info == NULL || info->sender != PEER_ROOT)
			continue;
		rooted++;
		msg = filled(info);
		shared->asked = 0;
		/* a uid for each, since equal reports are counted after some */
		ck_assert_msg(!is_answered(1001 + n, info, msg), "%s", info->name);
		ck_assert_uint_eq(shared->asked, 0);
		(void)snprintf(uid, sizeof uid, "uid=%u ", 1001 + n);
		(void)snprintf(note, sizeof note, "note=%s ", info->name);
		ck_assert_uint_eq(scene_events(&s, 1, "request refused", uid, note, NULL), 1);
		ck_assert_msg(is_answered(PEERS_NOBODY, info, msg), "%s", info->name);
		free(msg);
	}
	ck_assert_uint_ge(rooted, 10);
	ck_assert_uint_eq(scene_events(&s, rooted, "request refused", NULL), rooted);
	end();
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ ip01a_peer_authz, 0 },
		{ ip01a_before_the_body, 0 },
		{ ip02a_verbs, 0 },
	};

	return suite_run("front_peers", rows, ROWS(rows), 120);
}

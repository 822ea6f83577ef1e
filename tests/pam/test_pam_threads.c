/*
 * test_pam_threads.c - two threads with handles of their own log in and out at once (PH06a).
 *
 * Built with --enable-sanitizers=thread and PH06A_LOGINS=5000 it is the full case; make check does a part of it.
 */
#include <config.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/channel.h"
#include "tests/pam/scene.h"

#define THREADS 2

static struct scene scene;
static atomic_bool over;

static void
setup(void)
{
	scene_open(&scene);
}

static void
teardown(void)
{
	scene_close(&scene);
}

static struct msg_verdict yes;

/* A front in few words: one prompt, then yes. */
static void
serve(int fd)
{
	const struct message_info *info;
	uint8_t frame[PROTO_FRAME_MAX];
	size_t size;

	while (channel_recv(fd, frame, sizeof frame, channel_now_ms() + 5000, &info, &size) == 0) {
		if (info->number == MSG_AUTH_BEGIN)
			(void)channel_send(fd, MSG_PROMPT, say_password(), channel_now_ms() + 1000);
		else if (info->number != MSG_ACK)
			(void)channel_send(fd, MSG_VERDICT, &yes, channel_now_ms() + 1000);
	}
	(void)close(fd);
}

static void *
server(void *arg)
{
	struct pollfd p = { .fd = scene.actor.listener, .events = POLLIN };

	(void)arg;
	while (!atomic_load(&over)) {
		int fd = poll(&p, 1, 50) == 1 ? accept4(p.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK) : -1;

		if (fd >= 0)
			serve(fd);
	}
	return NULL;
}

static int
type(int count, const struct pam_message **messages, struct pam_response **ret, void *arg)
{
	(void)count;
	(void)messages;
	(void)arg;
	*ret = calloc(1, sizeof **ret);
	(*ret)->resp = strdup("right horse");
	return PAM_SUCCESS;
}

static void *
log_in(void *arg)
{
	static const struct pam_conv conv = { .conv = type };
	long logins = *(const long *)arg, good = 0;
	pam_handle_t *pamh;

	for (long i = 0; i < logins; i++) {
		if (pam_start_confdir("su", "ada", &conv, scene.dir, &pamh) != PAM_SUCCESS)
			break;
		good += pam_authenticate(pamh, 0) == PAM_SUCCESS && pam_acct_mgmt(pamh, 0) == PAM_SUCCESS &&
		    pam_open_session(pamh, 0) == PAM_SUCCESS;
		(void)pam_end(pamh, PAM_SUCCESS);
	}
	return (void *)(intptr_t)good;
}

START_TEST(ph06a_threads)
{
	const char *wanted = getenv("PH06A_LOGINS");
	long logins = wanted == NULL ? 1000 : atol(wanted);
	pthread_t front[THREADS], person[THREADS];
	void *good;

	/* Loaded once and for all: between the loads of libpam's own, ThreadSanitizer sees no order. */
	ck_assert_ptr_nonnull(dlopen(TEST_MODULE, RTLD_NOW | RTLD_NODELETE));
	/* Both threads of the front wake for one connection; the other must not wait in accept4(). */
	ck_assert_int_eq(fcntl(scene.actor.listener, F_SETFL, O_NONBLOCK), 0);
	yes = *say(VERDICT_ALLOW, REASON_OK);
	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_create(&front[i], NULL, server, NULL), 0);
		ck_assert_int_eq(pthread_create(&person[i], NULL, log_in, &logins), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(person[i], &good), 0);
		ck_assert_int_eq((intptr_t)good, logins);
	}
	atomic_store(&over, true);
	for (int i = 0; i < THREADS; i++)
		(void)pthread_join(front[i], NULL);
	ck_assert_uint_eq(scene_event_count(&scene), 0);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = { { ph06a_threads, 0 } };

	return scene_run("pam_threads", rows, ROWS(rows), setup, teardown);
}

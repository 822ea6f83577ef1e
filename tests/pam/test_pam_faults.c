/*
 * test_pam_faults.c - the n-th allocation of a PAM call fails, for every n (PH03a).
 *
 * malloc, calloc and realloc of the whole process are ours here, so that those of libpam and libc fail too. Only
 * the thread that makes the call is hit. Under AddressSanitizer the calls go on to its allocator, which finds leaks.
 */
#include <config.h>

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/pam/scene.h"

#define NEVER (-1)
#define OURS __attribute__((visibility("default")))

static __thread long countdown = NEVER;	/* allocations until one fails */
static __thread bool failed;

static bool
fails(void)
{
	if (countdown < 0 || countdown-- > 0)
		return false;
	failed = true;
	errno = ENOMEM;
	return true;
}

/* The allocator behind us, found without allocating. */
static void *
next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

OURS void *
malloc(size_t size)
{
	static void *(*real)(size_t);

	if (real == NULL)
		real = (void *(*)(size_t))next("malloc");
	return fails() ? NULL : real(size);
}

OURS void *
realloc(void *p, size_t size)
{
	static void *(*real)(void *, size_t);

	if (real == NULL)
		real = (void *(*)(void *, size_t))next("realloc");
	return fails() ? NULL : real(p, size);
}

OURS void *
calloc(size_t count, size_t size)
{
	static void *(*real)(size_t, size_t);

	if (real == NULL)
		real = (void *(*)(size_t, size_t))next("calloc");
	return fails() ? NULL : real(count, size);
}

static struct scene scene;

static const struct typed both[] = { { REPLY_TEXT, "right horse" }, { REPLY_TEXT, "123456" }, { REPLY_NONE, NULL } };

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

static const struct {
	const char *user;
	enum message request;
	int (*call)(pam_handle_t *, int);
	int good;	/* without a failure */
} calls[] = {
	{ "ada", MSG_AUTH_BEGIN, pam_authenticate, PAM_SUCCESS },
	{ "ada", MSG_ACCOUNT, pam_acct_mgmt, PAM_SUCCESS },
	{ "ada", MSG_SESSION_OPEN, pam_open_session, PAM_SUCCESS },
	{ "nobody-there", MSG_AUTH_BEGIN, pam_authenticate, PAM_USER_UNKNOWN },
	{ "nobody-there", MSG_ACCOUNT, pam_acct_mgmt, PAM_USER_UNKNOWN },
	{ "bob", MSG_ACCOUNT, pam_acct_mgmt, PAM_USER_UNKNOWN },
	{ "daemon", MSG_ACCOUNT, pam_acct_mgmt, PAM_USER_UNKNOWN },
};

/* Codes that let nobody in; of the module (I1, I2) or, where libpam itself runs out of memory, of libpam. */
static bool
is_refusal(int rc)
{
	return rc == PAM_AUTH_ERR || rc == PAM_PERM_DENIED || rc == PAM_SESSION_ERR || rc == PAM_USER_UNKNOWN ||
	    rc == PAM_BUF_ERR || rc == PAM_SYSTEM_ERR || rc == PAM_ABORT;
}

/* One call with the n-th allocation failing; n NEVER: none. */
static int
attempt(int which, long n)
{
	const enum verdict verdict = strcmp(calls[which].user, "ada") == 0 ? VERDICT_ALLOW : VERDICT_NOT_OURS;
	struct step way[8] = { { .op = ACT_EXPECT, .number = calls[which].request } };
	int step = 1, rc;

	if (calls[which].request == MSG_AUTH_BEGIN) {
		way[step++] = (struct step)SEND(PROMPT, say_password());
		way[step++] = (struct step)EXPECT(ANSWER);
	}
	way[step++] = (struct step)SEND(VERDICT, say(verdict, REASON_OK));
	if (calls[which].request == MSG_ACCOUNT && verdict == VERDICT_ALLOW)
		way[step++] = (struct step)EXPECT(ACK);
	scene_start(&scene, "su", calls[which].user);
	scene.typed = both;
	actor_play(&scene.actor, way);
	failed = false;
	countdown = n;
	rc = calls[which].call(scene.pamh, 0);
	countdown = NEVER;
	rc = actor_abandon(&scene.actor) != 0 && rc == PAM_SUCCESS ? -1 : rc;	/* never in without the whole way */
	scene_end(&scene);
	return rc;
}

START_TEST(ph03a_nth_allocation_fails)
{
	long n = 0;

	ck_assert_int_eq(attempt(_i, NEVER), calls[_i].good);
	if (getenv("ISMS_VALGRIND") != NULL)
		return;		/* it has an allocator of its own, past ours */
	do {
		int rc = attempt(_i, n);

		ck_assert_msg(rc == calls[_i].good || is_refusal(rc), "%s: allocation %ld: %d", calls[_i].user, n, rc);
		n++;
	} while (failed);
	ck_assert_int_gt(n, 2);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = { { ph03a_nth_allocation_fails, ROWS(calls) } };

	return scene_run("pam_faults", rows, ROWS(rows), setup, teardown);
}

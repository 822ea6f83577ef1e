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

static const struct typed answers[] = {
	{ REPLY_TEXT, "right horse" }, { REPLY_TEXT, "123456" }, { REPLY_TEXT, "new horse" }, { REPLY_TEXT, "new horse" },
	{ REPLY_NONE, NULL },
};

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

typedef int entry_point(pam_handle_t *, int, int, const char **);

/* One row for each thing that a caller can ask, also of those who are not ours. */
static const struct {
	const char *user;
	const char *entry;	/* NULL: auth, which only libpam may call: it sets PAM_AUTHTOK */
	int flags;
	enum message request;
	int good;	/* without a failure */
	int refusal;	/* the one other code that the module may choose (THREATS I1, I2) */
	bool decides;	/* PAM_SUCCESS lets somebody in: only after the whole way */
} calls[] = {
	{ "ada", NULL, 0, MSG_AUTH_BEGIN, PAM_SUCCESS, PAM_AUTH_ERR, true },
	{ "ada", "pam_sm_acct_mgmt", 0, MSG_ACCOUNT, PAM_SUCCESS, PAM_PERM_DENIED, true },
	{ "ada", "pam_sm_setcred", PAM_ESTABLISH_CRED, MSG_CRED_REPORT, PAM_SUCCESS, PAM_CRED_ERR, false },
	{ "ada", "pam_sm_setcred", PAM_REINITIALIZE_CRED, MSG_CRED_REPORT, PAM_SUCCESS, PAM_CRED_ERR, false },
	{ "ada", "pam_sm_open_session", 0, MSG_SESSION_OPEN, PAM_SUCCESS, PAM_SESSION_ERR, true },
	{ "ada", "pam_sm_close_session", 0, MSG_SESSION_CLOSE, PAM_SUCCESS, PAM_SESSION_ERR, false },
	{ "ada", "pam_sm_chauthtok", PAM_PRELIM_CHECK, MSG_CHANGE_BEGIN, PAM_SUCCESS, PAM_AUTHTOK_ERR, true },
	{ "ada", "pam_sm_chauthtok", PAM_UPDATE_AUTHTOK, MSG_CHANGE_BEGIN, PAM_SUCCESS, PAM_AUTHTOK_ERR, true },
	{ "nobody-there", NULL, 0, MSG_AUTH_BEGIN, PAM_USER_UNKNOWN, PAM_AUTH_ERR, true },
	{ "nobody-there", "pam_sm_acct_mgmt", 0, MSG_ACCOUNT, PAM_USER_UNKNOWN, PAM_PERM_DENIED, true },
	{ "nobody-there", "pam_sm_chauthtok", PAM_UPDATE_AUTHTOK, MSG_CHANGE_BEGIN, PAM_IGNORE, PAM_AUTHTOK_ERR, true },
	{ "bob", NULL, 0, MSG_AUTH_BEGIN, PAM_USER_UNKNOWN, PAM_AUTH_ERR, true },
	{ "bob", "pam_sm_acct_mgmt", 0, MSG_ACCOUNT, PAM_USER_UNKNOWN, PAM_PERM_DENIED, true },
	{ "bob", "pam_sm_setcred", PAM_ESTABLISH_CRED, MSG_CRED_REPORT, PAM_IGNORE, PAM_CRED_ERR, false },
	{ "bob", "pam_sm_open_session", 0, MSG_SESSION_OPEN, PAM_IGNORE, PAM_SESSION_ERR, true },
	{ "daemon", "pam_sm_acct_mgmt", 0, MSG_ACCOUNT, PAM_USER_UNKNOWN, PAM_PERM_DENIED, true },
};

/* What the front says to a request, for a person who is let in, or for one whom it does not know. */
static void
script(struct step way[12], enum message request, bool managed)
{
	static const struct msg_prompt again = { .text = "New password: " };
	static const struct msg_done done = { .error = 0 };
	int step = 0;

	way[step++] = (struct step){ .op = ACT_EXPECT, .number = request };
	if (request == MSG_CRED_REPORT || request == MSG_SESSION_CLOSE) {
		way[step++] = (struct step)SEND(DONE, &done);
		return;
	}
	if (request == MSG_AUTH_BEGIN || request == MSG_CHANGE_BEGIN) {
		way[step++] = (struct step)SEND(PROMPT, say_password());
		way[step++] = (struct step)EXPECT(ANSWER);
	}
	if (request == MSG_CHANGE_BEGIN) {
		way[step++] = (struct step)SEND(PROMPT, say_code());
		way[step++] = (struct step)EXPECT(ANSWER);
		way[step++] = (struct step)SEND(PROMPT, &again);
		way[step++] = (struct step)EXPECT(ANSWER);
	}
	way[step++] = (struct step)SEND(VERDICT, say(managed ? VERDICT_ALLOW : VERDICT_NOT_OURS, REASON_OK));
	if (request == MSG_ACCOUNT && managed)
		way[step++] = (struct step)EXPECT(ACK);
}

static bool
is_managed(const char *user)
{
	return strcmp(user, "ada") == 0;
}

/* Auth through libpam, where PAM_IGNORE of the module shows as PAM_MAXTRIES, which nobody else returns. */
static void
write_watched_stack(void)
{
	scene_write(&scene, "watched", "auth [success=done ignore=ignore default=die] " TEST_MODULE "\n"
	    "auth [default=die] pam_debug.so auth=maxtries\n");
}

/* Codes of libpam's own, where its memory ends before or behind our module; no stack admits on them. */
static bool
is_of_libpam(int rc)
{
	return rc == PAM_BUF_ERR || rc == PAM_SYSTEM_ERR || rc == PAM_ABORT || rc == PAM_MODULE_UNKNOWN;
}

/*
 * One call with the n-th allocation failing; n NEVER: none. The entry point is called itself where that is possible,
 * so that the code is the module's own, with nothing of libpam's in between. -1: let in without the whole way.
 */
static int
attempt(entry_point *entry, int which, long n)
{
	struct step way[12] = { { .op = ACT_END } };
	bool whole;
	int rc;

	script(way, calls[which].request, is_managed(calls[which].user));
	scene_start(&scene, "watched", calls[which].user);
	scene.typed = answers;
	actor_play(&scene.actor, way);
	failed = false;
	countdown = n;
	rc = entry == NULL ? pam_authenticate(scene.pamh, 0) : entry(scene.pamh, calls[which].flags, 0, NULL);
	countdown = NEVER;
	whole = actor_abandon(&scene.actor) == 0;
	scene_end(&scene);
	return calls[which].decides && rc == PAM_SUCCESS && !whole ? -1 : rc;
}

START_TEST(ph03a_nth_allocation_fails)
{
	void *module = dlopen(TEST_MODULE, RTLD_NOW);
	const char *user = calls[_i].user;
	entry_point *entry = NULL;
	long n = 0;

	ck_assert_ptr_nonnull(module);
	if (calls[_i].entry != NULL) {
		entry = (entry_point *)dlsym(module, calls[_i].entry);
		ck_assert_ptr_nonnull(entry);
	}
	write_watched_stack();
	ck_assert_int_eq(attempt(entry, _i, NEVER), calls[_i].good);
	if (getenv("ISMS_VALGRIND") == NULL) {		/* it has an allocator of its own, past ours */
		do {
			int rc = attempt(entry, _i, n);

			/* Debian's stacks admit on these (THREATS I1). */
			ck_assert(!is_managed(user) || (rc != PAM_USER_UNKNOWN && rc != PAM_IGNORE && rc != PAM_AUTHINFO_UNAVAIL));
			ck_assert_msg(rc == calls[_i].good || rc == calls[_i].refusal || (entry == NULL && is_of_libpam(rc)),
			    "%s, row %d: allocation %ld: %d", user, _i, n, rc);
			n++;
		} while (failed);
		ck_assert_int_gt(n, 2);
	}
	(void)dlclose(module);
}
END_TEST

/* ---- with all of libpam around it ---- */

static const struct {
	const char *user;
	int (*call)(pam_handle_t *, int);
	int flags;
	enum message request;
	int good;
	bool decides;
} stacks[] = {
	{ "ada", pam_authenticate, 0, MSG_AUTH_BEGIN, PAM_SUCCESS, true },
	{ "ada", pam_acct_mgmt, 0, MSG_ACCOUNT, PAM_SUCCESS, true },
	{ "ada", pam_setcred, PAM_ESTABLISH_CRED, MSG_CRED_REPORT, PAM_SUCCESS, false },
	{ "ada", pam_setcred, PAM_REINITIALIZE_CRED, MSG_CRED_REPORT, PAM_SUCCESS, false },
	{ "ada", pam_open_session, 0, MSG_SESSION_OPEN, PAM_SUCCESS, true },
	{ "ada", pam_close_session, 0, MSG_SESSION_CLOSE, PAM_SUCCESS, false },
	{ "ada", pam_chauthtok, 0, MSG_CHANGE_BEGIN, PAM_SUCCESS, true },
	{ "bob", pam_acct_mgmt, 0, MSG_ACCOUNT, PAM_SUCCESS, false },
};

/* nss-pam-ldapd's line: on these three codes the next module decides, and pam_permit lets everybody in. */
static void
write_lenient_stack(void)
{
	static const char *const types[] = { "auth", "account", "session", "password" };
	char text[2048];
	size_t used = 0;

	for (int i = 0; i < ROWS(types); i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s [success=ok new_authtok_reqd=done ignore=ignore "
		    "user_unknown=ignore authinfo_unavail=ignore default=bad] " TEST_MODULE "\n%s required pam_permit.so\n",
		    types[i], types[i]);
	scene_write(&scene, "lenient", text);
}

/* pam_chauthtok() asks twice, and so is its way twice as long. */
static int
attempt_stack(int which, long n)
{
	const bool twice = stacks[which].request == MSG_CHANGE_BEGIN;
	struct step way[24] = { { .op = ACT_END } };
	bool whole;
	int rc;

	if (twice) {
		way[0] = (struct step)EXPECT(CHANGE_BEGIN);
		way[1] = (struct step)SEND(VERDICT, say(VERDICT_ALLOW, REASON_OK));
		way[2] = (struct step)ACCEPT;
	}
	script(way + (twice ? 3 : 0), stacks[which].request, true);
	scene_start(&scene, "lenient", stacks[which].user);
	scene.typed = answers;
	actor_play(&scene.actor, way);
	failed = false;
	countdown = n;
	rc = stacks[which].call(scene.pamh, stacks[which].flags);
	countdown = NEVER;
	whole = actor_abandon(&scene.actor) == 0;
	scene_end(&scene);
	return stacks[which].decides && rc == PAM_SUCCESS && !whole ? -1 : rc;
}

/* What keeps everybody out of that stack. */
static bool
is_refusal(int rc)
{
	return rc == PAM_AUTH_ERR || rc == PAM_PERM_DENIED || rc == PAM_CRED_ERR || rc == PAM_SESSION_ERR ||
	    rc == PAM_AUTHTOK_ERR || is_of_libpam(rc);
}

START_TEST(ph03a_lenient_stack)
{
	long n = 0;

	write_lenient_stack();
	ck_assert_int_eq(attempt_stack(_i, NEVER), stacks[_i].good);
	if (getenv("ISMS_VALGRIND") != NULL)
		return;
	do {
		int rc = attempt_stack(_i, n);

		ck_assert_msg(rc == stacks[_i].good || is_refusal(rc), "%s, call %d: allocation %ld: %d", stacks[_i].user, _i, n, rc);
		n++;
	} while (failed);
	ck_assert_int_gt(n, 2);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ ph03a_nth_allocation_fails, ROWS(calls) }, { ph03a_lenient_stack, ROWS(stacks) },
	};

	return scene_run("pam_faults", rows, ROWS(rows), setup, teardown);
}

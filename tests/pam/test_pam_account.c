/*
 * test_pam_account.c - account, credentials, session and password through libpam (CASES PX, PS05a, DESIGN 3.15).
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/pam/scene.h"

#define DAY 86400

static struct scene scene;

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

static int64_t
monotonic_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* The twin of every refusal in this file. */
static void
admitted(const char *service)
{
	const struct step granted[] = {
		EXPECT(ACCOUNT), SEND(VERDICT, say(VERDICT_ALLOW, REASON_OK)), EXPECT(ACK), HANG_UP,
	};

	scene_start(&scene, service, "ada");
	ck_assert_int_eq(scene_call(&scene, granted, pam_acct_mgmt, 0), PAM_SUCCESS);
	ck_assert_str_eq(pam_getenv(scene.pamh, "ISMS_TXN"), say(VERDICT_ALLOW, REASON_OK)->txn);
}

START_TEST(account_request)
{
	const struct msg_account *got = &scene.actor.got[0].msg.account;
	const struct step granted[] = {
		EXPECT(ACCOUNT), SEND(VERDICT, say(VERDICT_ALLOW, REASON_OK)), EXPECT(ACK), HANG_UP,
	};

	scene_start(&scene, "sshd", "ada");
	ck_assert_int_eq(pam_set_item(scene.pamh, PAM_RHOST, "192.0.2.7"), PAM_SUCCESS);
	ck_assert_int_eq(pam_set_item(scene.pamh, PAM_TTY, "ssh"), PAM_SUCCESS);
	ck_assert_int_eq(pam_set_item(scene.pamh, PAM_RUSER, "carol"), PAM_SUCCESS);
	ck_assert_int_eq(scene_call(&scene, granted, pam_acct_mgmt, 0), PAM_SUCCESS);
	ck_assert_str_eq(got->user, "ada");
	ck_assert_str_eq(got->service, "sshd");
	ck_assert_str_eq(got->rhost, "192.0.2.7");
	ck_assert_str_eq(got->tty, "ssh");
	ck_assert_str_eq(got->ruser, "carol");
	ck_assert_uint_eq(got->ruid, getuid());
	ck_assert_uint_eq(scene_event_count(&scene), 0);
}
END_TEST

/* Option debug: one line more, without a name. */
START_TEST(account_debug)
{
	const struct step denied[] = { EXPECT(ACCOUNT), SEND(VERDICT, say(VERDICT_DENY, REASON_LOCKED)), HANG_UP };

	scene_start(&scene, "verbose", "ada");
	ck_assert_int_eq(scene_call(&scene, denied, pam_acct_mgmt, 0), PAM_PERM_DENIED);
	ck_assert_str_eq(scene_events(&scene), "MESSAGE=stage=account service=verbose account=managed prompts=0 code=6|"
	    "PRIORITY=7|SYSLOG_IDENTIFIER=pam_isms\n");
	scene_start(&scene, "verbose", "bob");
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, 0), PAM_USER_UNKNOWN);
	ck_assert_uint_eq(scene_event_count(&scene), 1);
}
END_TEST

/* What rules judge is never cut: a longer one is refused, the longest one is not. */
START_TEST(account_long_items)
{
	const struct step granted[] = {
		EXPECT(ACCOUNT), SEND(VERDICT, say(VERDICT_ALLOW, REASON_OK)), EXPECT(ACK), HANG_UP,
	};
	static const struct { int item; size_t most; } items[] = { { PAM_RHOST, 255 }, { PAM_RUSER, 256 } };
	char text[300];

	memset(text, 'h', sizeof text);
	text[items[_i].most + 1] = '\0';
	scene_start(&scene, "sshd", "ada");
	ck_assert_int_eq(pam_set_item(scene.pamh, items[_i].item, text), PAM_SUCCESS);
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, 0), PAM_PERM_DENIED);
	ck_assert(actor_quiet(&scene.actor));
	ck_assert_uint_eq(scene_event_count(&scene), 1);
	text[items[_i].most] = '\0';
	ck_assert_int_eq(pam_set_item(scene.pamh, items[_i].item, text), PAM_SUCCESS);
	ck_assert_int_eq(scene_call(&scene, granted, pam_acct_mgmt, 0), PAM_SUCCESS);
}
END_TEST

/* nss-pam-ldapd's Debian line, which admits on AUTHINFO_UNAVAIL, USER_UNKNOWN and IGNORE. */
START_TEST(px04a_daemon_down)
{
	const struct step granted[] = {
		EXPECT(ACCOUNT), SEND(VERDICT, say(VERDICT_ALLOW, REASON_OK)), EXPECT(ACK), HANG_UP,
	};

	scene_write(&scene, "lenient", "account [success=ok new_authtok_reqd=done ignore=ignore user_unknown=ignore "
	    "authinfo_unavail=ignore default=bad] " TEST_MODULE "\naccount required pam_permit.so\n");
	scene_stop(&scene);
	scene_start(&scene, "lenient", "ada");
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, 0), PAM_PERM_DENIED);
	ck_assert(scene_saw(&scene, PAM_ERROR_MSG, SCENE_UNAVAILABLE SCENE_CONTACT));
	ck_assert_uint_eq(scene_event_count(&scene), 1);
	scene_listen(&scene);
	scene_start(&scene, "lenient", "ada");
	ck_assert_int_eq(scene_call(&scene, granted, pam_acct_mgmt, 0), PAM_SUCCESS);
}
END_TEST

static const struct {
	int (*call)(pam_handle_t *, int);
	int want;
} local_calls[] = {
	{ pam_acct_mgmt, PAM_USER_UNKNOWN }, { pam_authenticate, PAM_USER_UNKNOWN }, { pam_open_session, SCENE_IGNORE },
	{ pam_close_session, SCENE_IGNORE }, { pam_chauthtok, SCENE_IGNORE }, { pam_setcred, SCENE_IGNORE },
};

/* 50 ms for each call. The machine is shared: of some calls, each with the right code, the quickest is the module's. */
START_TEST(px05a_local_without_anything)
{
	const int most = getenv("ISMS_VALGRIND") == NULL ? 500 : 0;

	scene_stop(&scene);
	scene_no_snapshot(&scene);
	for (int i = 0; i < ROWS(local_calls); i++) {
		int64_t took_ms = INT64_MAX;

		for (int k = 0; k < 10 || (took_ms >= 50 && k < most); k++) {
			int64_t began_ms;

			scene_start(&scene, "login", "bob");
			began_ms = monotonic_ms();
			ck_assert_int_eq(local_calls[i].call(scene.pamh, 0), local_calls[i].want);
			if (monotonic_ms() - began_ms < took_ms)
				took_ms = monotonic_ms() - began_ms;
		}
		if (most > 0)
			ck_assert_msg(took_ms < 50, "call %d: %ld ms", i, (long)took_ms);
	}
	ck_assert_uint_eq(scene_event_count(&scene), 0);
	scene_start(&scene, "login", "daemon");		/* resolved by another source */
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, 0), PAM_USER_UNKNOWN);
}
END_TEST

/* Section 6: without a usable snapshot everybody is refused who is neither local nor of another source. */
START_TEST(snapshot_unusable)
{
	static const char *const names[] = { "ada", "nobody-there" };
	const char *name = names[_i % 2];

	if (_i / 2 == 0)
		scene_no_snapshot(&scene);
	else
		scene_corrupt_snapshot(&scene);
	scene_start(&scene, "su", name);
	ck_assert_int_eq(pam_authenticate(scene.pamh, 0), PAM_AUTH_ERR);
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, 0), PAM_PERM_DENIED);
	ck_assert_int_eq(pam_open_session(scene.pamh, 0), PAM_SESSION_ERR);
	ck_assert_int_eq(pam_chauthtok(scene.pamh, 0), PAM_AUTHTOK_ERR);
	ck_assert(scene_saw(&scene, PAM_ERROR_MSG, SCENE_UNAVAILABLE "your administrator"));
	ck_assert_uint_eq(scene.asked + scene.beyond, 0);
	ck_assert(actor_quiet(&scene.actor));
	ck_assert_uint_eq(scene_event_count(&scene), 4);
	scene_start(&scene, "su", name);
	ck_assert_int_eq(pam_setcred(scene.pamh, PAM_ESTABLISH_CRED), PAM_CRED_ERR);
	scene_snapshot(&scene);
	admitted("su");
}
END_TEST

START_TEST(px06a_must_change)
{
	const struct step must[] = {
		EXPECT(ACCOUNT), SEND(VERDICT, say(VERDICT_MUST_CHANGE, REASON_PASSWORD_CHANGE_REQUIRED)), EXPECT(ACK), HANG_UP,
	};
	const struct step cron[] = {
		EXPECT(ACCOUNT), SEND(VERDICT, say(VERDICT_DENY, REASON_PASSWORD_CHANGE_REQUIRED)), HANG_UP,
	};

	scene_start(&scene, "sshd", "ada");
	ck_assert_int_eq(scene_call(&scene, must, pam_acct_mgmt, 0), PAM_NEW_AUTHTOK_REQD);
	scene_start(&scene, "cron", "ada");
	ck_assert_int_eq(scene_call(&scene, cron, pam_acct_mgmt, PAM_SILENT), PAM_PERM_DENIED);
	ck_assert_uint_eq(scene.lines, 0);
	admitted("cron");
}
END_TEST

/* chauthtok: the front asks, the module relays. libpam calls twice, so the play is for two connections. */
static int
change_twice(pam_handle_t *pamh, int flags)
{
	const struct typed words[] = {
		{ REPLY_TEXT, "old" }, { REPLY_TEXT, "123456" }, { REPLY_TEXT, "new" }, { REPLY_TEXT, "new" }, { REPLY_NONE, NULL },
	};

	(void)flags;
	scene.typed = words;
	return pam_chauthtok(pamh, 0);
}

START_TEST(px06a_password_change)
{
	const struct msg_prompt again = { .text = "New password: " };
	const struct step way[] = {
		EXPECT(CHANGE_BEGIN), SEND(VERDICT, say(VERDICT_ALLOW, REASON_OK)), ACCEPT,
		EXPECT(CHANGE_BEGIN), SEND(PROMPT, say_password()), EXPECT(ANSWER), SEND(PROMPT, say_code()), EXPECT(ANSWER),
		SEND(PROMPT, &again), EXPECT(ANSWER), SEND(PROMPT, &again), EXPECT(ANSWER), SEND(VERDICT, say(VERDICT_ALLOW, REASON_OK)), HANG_UP,
	};
	const struct step denied[] = {
		EXPECT(CHANGE_BEGIN), SEND(PROMPT, say_password()), EXPECT(ANSWER),
		SEND(VERDICT, say(VERDICT_DENY, REASON_PASSWORD_FAILED)), HANG_UP,
	};
	const struct got *got = scene.actor.got;

	scene_start(&scene, "su", "ada");
	ck_assert_int_eq(scene_call(&scene, denied, change_twice, 0), PAM_AUTHTOK_ERR);
	ck_assert_uint_eq(got[0].msg.change.flags, REQUEST_DISALLOW_NULL | REQUEST_CHANGE_PRELIM);
	ck_assert_str_eq(got[1].msg.answer.text, "old");
	scene_start(&scene, "su", "ada");
	ck_assert_int_eq(scene_call(&scene, way, change_twice, 0), PAM_SUCCESS);
	ck_assert_uint_eq(got[1].msg.change.flags, REQUEST_DISALLOW_NULL);
	ck_assert_str_eq(got[2].msg.answer.text, "old");
	ck_assert_str_eq(got[5].msg.answer.text, "new");
}
END_TEST

START_TEST(px08a_silent)
{
	const struct step asks[] = {
		EXPECT(AUTH_BEGIN), SEND(PROMPT, say_password()), EXPECT(ANSWER),
		SEND(VERDICT, say(VERDICT_DENY, REASON_PASSWORD_FAILED)), HANG_UP,
	};
	const struct step denied[] = { EXPECT(ACCOUNT), SEND(VERDICT, say(VERDICT_EXPIRED, REASON_EXPIRED)), HANG_UP };
	const struct msg_show note = { .text = "a note" };
	const struct step noted[] = { EXPECT(ACCOUNT), SEND(SHOW, &note), SEND(VERDICT, say(VERDICT_EXPIRED, REASON_EXPIRED)), HANG_UP };
	const struct typed word[] = { { REPLY_TEXT, "wrong" }, { REPLY_NONE, NULL } };

	scene_start(&scene, "cron", "ada");
	scene.typed = word;
	ck_assert_int_eq(scene_call(&scene, asks, pam_authenticate, PAM_SILENT), PAM_AUTH_ERR);
	ck_assert_uint_eq(scene.actor.got[0].msg.auth.flags, REQUEST_DISALLOW_NULL | REQUEST_SILENT);
	ck_assert_uint_eq(scene.actor.got[1].msg.answer.outcome, ANSWER_GIVEN);	/* sudo asks so */
	scene.lines = 0;
	ck_assert_int_eq(scene_call(&scene, noted, pam_acct_mgmt, PAM_SILENT), PAM_ACCT_EXPIRED);
	scene_stop(&scene);
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, PAM_SILENT), PAM_PERM_DENIED);
	ck_assert_uint_eq(scene.lines, 0);
	scene_listen(&scene);
	ck_assert_int_eq(scene_call(&scene, denied, pam_acct_mgmt, 0), PAM_ACCT_EXPIRED);
	ck_assert_uint_eq(scene.lines, 1);
	ck_assert(scene_saw(&scene, PAM_ERROR_MSG, say(VERDICT_EXPIRED, REASON_EXPIRED)->text));
}
END_TEST

/* Granted counts only once the front knows that its verdict was taken. */
START_TEST(account_ack_refused)
{
	const struct step gone[] = { EXPECT(ACCOUNT), SEND(VERDICT, say(VERDICT_ALLOW, REASON_OK)), HANG_UP };
	int denied = 0;

	/* The hang-up races with the ACK: until it has overtaken it, the grant stands. */
	for (int i = 0; i < 200 && denied == 0; i++) {
		scene_start(&scene, "su", "ada");
		denied = scene_call(&scene, gone, pam_acct_mgmt, 0) == PAM_PERM_DENIED;
	}
	ck_assert_uint_eq(scene_event_count(&scene), (unsigned)denied);
	admitted("su");
}
END_TEST

START_TEST(ps05a_setcred)
{
	/* Nothing of the test's own groups is ada's: run without any to strip, or without the right to. */
	ck_assert_int_eq(setenv("ISMS_TEST_SELF", "1", 1), 0);
	scene_start(&scene, "locker", "ada");
	if (!suite_as_root()) {
		ck_assert_int_eq(pam_setcred(scene.pamh, PAM_ESTABLISH_CRED), PAM_SUCCESS);
		ck_assert_int_eq(pam_setcred(scene.pamh, PAM_REINITIALIZE_CRED), PAM_SUCCESS);
	}
	ck_assert_int_eq(pam_setcred(scene.pamh, PAM_DELETE_CRED), PAM_SUCCESS);
	ck_assert_int_eq(pam_setcred(scene.pamh, PAM_REFRESH_CRED), PAM_SUCCESS);
	scene_start(&scene, "locker", "bob");
	ck_assert_int_eq(pam_setcred(scene.pamh, PAM_ESTABLISH_CRED), SCENE_IGNORE);
	scene_start(&scene, "locker", "nobody-there");
	ck_assert_int_eq(pam_setcred(scene.pamh, PAM_ESTABLISH_CRED), SCENE_IGNORE);
	ck_assert(actor_quiet(&scene.actor));
	ck_assert_uint_eq(scene_event_count(&scene), 0);
}
END_TEST

/* max-session, or the contract's end and a day, whichever comes first. Loop over rows. */
static const struct { uint32_t max_sec; int64_t rest_sec, want_sec; } limits[] = {
	{ 0, 0, 0 }, { 28800, 0, 28800 }, { 0, 3600, 3600 + DAY }, { 600, 3600, 600 }, { 5 * DAY, 3600, 3600 + DAY },
	{ 0, -3600, DAY - 3600 }, { 0, -DAY - 10, -1 }, { UINT32_MAX, INT64_MAX / 2, UINT32_MAX },
};

START_TEST(open_session_limit)
{
	const struct step way[] = { EXPECT(SESSION_OPEN), SEND(VERDICT, say(VERDICT_ALLOW, REASON_OK)), HANG_UP };
	struct msg_verdict *v = (struct msg_verdict *)(uintptr_t)say(VERDICT_ALLOW, REASON_OK);
	int64_t limit_sec = 0;
	int rc;

	scene_write(&scene, "systemd", "session [success=ok default=die] " TEST_MODULE "\nsession optional " TEST_GIVER "\n");
	v->max_session_sec = limits[_i].max_sec;
	v->not_after_utc_sec = limits[_i].rest_sec == 0 ? 0 :
	    limits[_i].rest_sec > INT64_MAX / 4 ? INT64_MAX : time(NULL) + limits[_i].rest_sec;
	scene_start(&scene, "systemd", "ada");
	rc = scene_call(&scene, way, pam_open_session, 0);
	ck_assert_int_eq(rc, limits[_i].want_sec < 0 ? PAM_SESSION_ERR : PAM_SUCCESS);
	if (limits[_i].want_sec == 0)
		ck_assert(scene_saw(&scene, PAM_TEXT_INFO, "no limit"));
	if (limits[_i].want_sec > 0) {
		ck_assert_int_eq(sscanf(scene.line[0].text, "limit %ld", &limit_sec), 1);
		ck_assert_int_le(limit_sec, limits[_i].want_sec);
		ck_assert_int_ge(limit_sec, limits[_i].want_sec - 30);
	}
}
END_TEST

START_TEST(session_open_close)
{
	const struct step account[] = {
		EXPECT(ACCOUNT), SEND(VERDICT, say(VERDICT_ALLOW, REASON_OK)), EXPECT(ACK), HANG_UP,
	};
	const struct msg_done done = { .error = 0 };
	const struct msg_verdict own = { .verdict = VERDICT_ALLOW, .reason = REASON_OK, .txn = "5e55105e55105e55105e55105e551000" };
	const struct step opened[] = { EXPECT(SESSION_OPEN), SEND(VERDICT, &own), HANG_UP };
	const struct step closed[] = { EXPECT(SESSION_CLOSE), SEND(DONE, &done), HANG_UP };
	const struct step refused[] = { EXPECT(SESSION_OPEN), SEND(VERDICT, say(VERDICT_EXPIRED, REASON_EXPIRED)), HANG_UP };

	scene_start(&scene, "sshd", "ada");
	ck_assert_int_eq(pam_putenv(scene.pamh, "SSH_AUTH_INFO_0=publickey ssh-ed25519 AAAA"), PAM_SUCCESS);
	ck_assert_int_eq(scene_call(&scene, account, pam_acct_mgmt, 0), PAM_SUCCESS);
	ck_assert_int_eq(scene_call(&scene, opened, pam_open_session, 0), PAM_SUCCESS);
	ck_assert_str_eq(scene.actor.got[0].msg.open.txn, say(VERDICT_ALLOW, REASON_OK)->txn);
	ck_assert_str_eq(scene.actor.got[0].msg.open.auth_info, "publickey ssh-ed25519 AAAA");
	ck_assert_int_eq(scene_call(&scene, closed, pam_close_session, 0), PAM_SUCCESS);
	ck_assert_str_eq(scene.actor.got[0].msg.close.txn, own.txn);	/* the front gave the session one of its own */
	scene_stop(&scene);
	ck_assert_int_eq(pam_close_session(scene.pamh, 0), PAM_SUCCESS);
	ck_assert_uint_eq(scene_event_count(&scene), 0);
	ck_assert_int_eq(pam_open_session(scene.pamh, 0), PAM_SESSION_ERR);
	ck_assert_uint_eq(scene_event_count(&scene), 1);
	scene_listen(&scene);
	scene_start(&scene, "sshd", "ada");
	ck_assert_int_eq(scene_call(&scene, refused, pam_open_session, 0), PAM_SESSION_ERR);
}
END_TEST

/* Deleted between account and open_session: not managed any more, and yet no way in. */
START_TEST(session_of_deleted_user)
{
	admitted("sshd");
	scene_snapshot_without_ada(&scene);
	ck_assert_int_eq(pam_open_session(scene.pamh, 0), PAM_SESSION_ERR);
	ck_assert_ptr_nonnull(strstr(scene_events(&scene), "ISMS_REASON=unknown-user"));
	scene_start(&scene, "sshd", "ada");	/* without that login's past: a name that nobody has */
	ck_assert_int_eq(pam_open_session(scene.pamh, 0), SCENE_IGNORE);
}
END_TEST

/* Option identify: who is managed, and nothing else; as such a code that stacks may jump by. */
START_TEST(i2_identify)
{
	static const struct { const char *user; int code; } people[] = {
		{ "ada", PAM_SUCCESS }, { "bob", SCENE_IGNORE }, { "root", SCENE_IGNORE }, { "daemon", SCENE_IGNORE },
		{ "nobody-there", SCENE_IGNORE },
	};

	for (size_t i = 0; i < ROWS(people); i++) {
		scene_start(&scene, "who", people[i].user);
		ck_assert_int_eq(pam_open_session(scene.pamh, 0), people[i].code);
		ck_assert_int_eq(pam_close_session(scene.pamh, 0), people[i].code);
	}
	scene_no_snapshot(&scene);
	scene_start(&scene, "who", "ada");
	ck_assert_int_eq(pam_open_session(scene.pamh, 0), PAM_SESSION_ERR);
	scene_start(&scene, "who", "bob");
	ck_assert_int_eq(pam_open_session(scene.pamh, 0), SCENE_IGNORE);
	ck_assert(actor_quiet(&scene.actor));
	ck_assert_uint_eq(scene_event_count(&scene), 0);
}
END_TEST

/* It knows sessions only: where something is decided, it is an option that does not exist. */
START_TEST(i2_identify_decides_nothing)
{
	scene_start(&scene, "who", "ada");
	ck_assert_int_eq(pam_authenticate(scene.pamh, 0), PAM_AUTH_ERR);
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, 0), PAM_PERM_DENIED);
	ck_assert_int_eq(pam_setcred(scene.pamh, PAM_ESTABLISH_CRED), PAM_CRED_ERR);
	ck_assert_int_eq(pam_chauthtok(scene.pamh, 0), PAM_AUTHTOK_ERR);
	scene_start(&scene, "who", "bob");
	ck_assert_int_eq(pam_authenticate(scene.pamh, 0), PAM_USER_UNKNOWN);
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, 0), PAM_USER_UNKNOWN);
	ck_assert(actor_quiet(&scene.actor));
	admitted("sshd");
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ account_request, 0 }, { account_debug, 0 }, { account_long_items, 2 }, { px04a_daemon_down, 0 },
		{ px05a_local_without_anything, 0 }, { snapshot_unusable, 4 }, { px06a_must_change, 0 },
		{ px06a_password_change, 0 }, { px08a_silent, 0 }, { account_ack_refused, 0 }, { ps05a_setcred, 0 },
		{ open_session_limit, ROWS(limits) }, { session_open_close, 0 }, { session_of_deleted_user, 0 },
		{ i2_identify, 0 }, { i2_identify_decides_nothing, 0 },
	};

	return scene_run("pam_account", rows, ROWS(rows), setup, teardown);
}

/*
 * test_pam_auth.c - the auth stage through libpam, against a scripted front (CASES PA).
 *
 * Each refusal stands beside its twin: the same person, one thing changed, is let in.
 */
#include <config.h>

#include <security/pam_ext.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/channel.h"
#include "tests/pam/scene.h"
#include "tests/unit/suite.h"

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

/* The whole way in; the twin of what is refused below. */
static void
passes(const char *service)
{
	const struct step way[] = {
		EXPECT(AUTH_BEGIN), SEND(PROMPT, say_password()), EXPECT(ANSWER), SEND(PROMPT, say_code()), EXPECT(ANSWER),
		SEND(VERDICT, say(VERDICT_ALLOW, REASON_AUTH_PASSED)), HANG_UP,
	};

	scene_start(&scene, service, "ada");
	scene.typed = both;
	ck_assert_int_eq(scene_call(&scene, way, pam_authenticate, 0), PAM_SUCCESS);
	ck_assert_uint_eq(scene.asked, 2);
	ck_assert_uint_eq(scene.delay_usec, 0);
}

START_TEST(auth_passes)
{
	const struct got *got = scene.actor.got;

	passes("su");
	ck_assert_str_eq(got[0].msg.auth.user, "ada");
	ck_assert_str_eq(got[0].msg.auth.service, "su");
	ck_assert_uint_eq(got[0].msg.auth.ruid, getuid());
	ck_assert_uint_eq(got[0].msg.auth.flags, REQUEST_DISALLOW_NULL);
	ck_assert_str_eq(got[0].msg.auth.first_pass, "");
	ck_assert_uint_eq(got[1].msg.answer.outcome, ANSWER_GIVEN);
	ck_assert_str_eq(got[1].msg.answer.text, "right horse");
	ck_assert_str_eq(got[2].msg.answer.text, "123456");
	ck_assert_str_eq(scene.line[0].text, "Password: ");
	ck_assert_int_eq(scene.line[0].style, PAM_PROMPT_ECHO_OFF);
	ck_assert_int_eq(scene.line[1].style, PAM_PROMPT_ECHO_ON);
	ck_assert_str_eq(pam_getenv(scene.pamh, "ISMS_TXN"), "0123456789abcdef0123456789abcdef");
	ck_assert_uint_eq(scene_event_count(&scene), 0);
}
END_TEST

START_TEST(pa01a_daemon_absent)
{
	struct timespec began, ended;

	scene_stop(&scene);
	scene_start(&scene, "su", "ada");
	scene.typed = both;
	(void)clock_gettime(CLOCK_MONOTONIC, &began);
	ck_assert_int_eq(pam_authenticate(scene.pamh, 0), PAM_AUTH_ERR);
	(void)clock_gettime(CLOCK_MONOTONIC, &ended);
	ck_assert_int_lt(ended.tv_sec - began.tv_sec, 5);
	ck_assert_uint_eq(scene.asked, 0);
	ck_assert(scene_saw(&scene, PAM_ERROR_MSG, SCENE_UNAVAILABLE SCENE_CONTACT));
	/* Nobody guessed anything: he need not wait as long as for a wrong code. libpam takes half as much, or half more. */
	ck_assert_uint_ge(scene.delay_usec, 250000);
	ck_assert_uint_le(scene.delay_usec, 750000);
	ck_assert_uint_eq(scene_event_count(&scene), 1);
	ck_assert_ptr_nonnull(strstr(scene_events(&scene), "|ISMS_REASON=daemon-unavailable|ISMS_USER=ada|"));
	ck_assert_ptr_nonnull(strstr(scene_events(&scene), "|ISMS_TXN="));
	ck_assert_ptr_null(strstr(scene_events(&scene), "ISMS_SEQ"));
	scene_listen(&scene);
	passes("su");
}
END_TEST

/* The front goes away. What was given to judge may have been judged: a guess costs what it always does. */
START_TEST(pa01a_daemon_goes)
{
	static const struct step before[] = { EXPECT(AUTH_BEGIN), HANG_UP };
	const struct step after[] = { EXPECT(AUTH_BEGIN), SEND(PROMPT, say_password()), EXPECT(ANSWER), HANG_UP };
	const struct step asks_on[] = {
		EXPECT(AUTH_BEGIN), SEND(PROMPT, say_password()), EXPECT(ANSWER), SEND(PROMPT, say_code()), EXPECT(ANSWER), HANG_UP,
	};
	const struct typed no_code[] = { both[0], { REPLY_ERROR, NULL }, { REPLY_NONE, NULL } };
	const struct { const char *service; const struct step *steps; const struct typed *typed; bool judged; } rows[] = {
		{ "su", before, both, false }, { "su", after, both, true }, { "su", asks_on, both, true },
		{ "su", asks_on, no_code, true }, { "given", before, both, true },
	};

	scene_write(&scene, "given", "auth optional " TEST_GIVER "\nauth required " TEST_MODULE " use_first_pass\n");
	scene_start(&scene, rows[_i].service, "ada");
	scene.typed = rows[_i].typed;
	ck_assert_int_eq(scene_call(&scene, rows[_i].steps, pam_authenticate, 0), PAM_AUTH_ERR);
	ck_assert(scene_saw(&scene, PAM_ERROR_MSG, SCENE_UNAVAILABLE SCENE_CONTACT));
	ck_assert_uint_ge(scene.delay_usec, rows[_i].judged ? 1000000 : 250000);
	ck_assert_uint_le(scene.delay_usec, rows[_i].judged ? 3000000 : 750000);
}
END_TEST

START_TEST(pa02a_empty_password)
{
	const struct typed empty[] = { { REPLY_TEXT, "" }, { REPLY_TEXT, "123456" }, { REPLY_NONE, NULL } };
	const struct step way[] = {	/* even when the front, against all sense, then says yes */
		EXPECT(AUTH_BEGIN), SEND(PROMPT, say_password()), EXPECT(ANSWER),
		SEND(VERDICT, say(VERDICT_ALLOW, REASON_AUTH_PASSED)), HANG_UP,
	};

	scene_start(&scene, "su", "ada");
	scene.typed = empty;
	ck_assert_int_eq(scene_call(&scene, way, pam_authenticate, 0), PAM_AUTH_ERR);
	ck_assert_uint_eq(scene.actor.got[1].msg.answer.outcome, ANSWER_FAILED);
	passes("su");
}
END_TEST

/* The conversation fails in this way at the first or second prompt: refused, whatever the front says then. */
static void
conversation_fails(struct typed bad, int at)
{
	const struct typed first[] = { bad, { REPLY_NONE, NULL } }, second[] = { both[0], bad, { REPLY_NONE, NULL } };
	const struct step at_first[] = {
		EXPECT(AUTH_BEGIN), SEND(PROMPT, say_password()), EXPECT(ANSWER),
		SEND(PROMPT, say_code()), EXPECT(ANSWER),	/* nobody is asked any more */
		SEND(VERDICT, say(VERDICT_ALLOW, REASON_AUTH_PASSED)), HANG_UP,
	};
	const struct got *got = scene.actor.got;

	scene_start(&scene, "sshd", "ada");
	scene.typed = at == 0 ? first : second;
	ck_assert_int_eq(scene_call(&scene, at_first, pam_authenticate, 0), PAM_AUTH_ERR);
	ck_assert_uint_eq(scene.beyond, 0);
	ck_assert_uint_eq(got[1].msg.answer.outcome, at == 0 ? ANSWER_FAILED : ANSWER_GIVEN);
	ck_assert_uint_eq(got[2].msg.answer.outcome, ANSWER_FAILED);
	ck_assert_str_eq(got[2].msg.answer.text, "");
	passes("sshd");
}

static const struct typed null_replies[] = { { REPLY_NULL, NULL }, { REPLY_NULL_TEXT, NULL } };

/* PAM_SUCCESS without a response, and without text. Loop: which of them x prompt at which it comes. */
START_TEST(pa03a_null_response)
{
	conversation_fails(null_replies[_i / 2], _i % 2);
}
END_TEST

static const struct typed bad_replies[] = {
	{ REPLY_ERROR, NULL }, { REPLY_AGAIN, NULL }, { REPLY_ERROR_AND_TEXT, "right horse" }, { REPLY_HUGE, NULL },
};

/* Loop: kind of failure x prompt at which it comes. What stays in memory: pa04a_wiped of test_pam_hygiene. */
START_TEST(pa04a_conversation_fails)
{
	conversation_fails(bad_replies[_i / 2], _i % 2);
}
END_TEST

START_TEST(pa05a_long_password)
{
	char most[1025], beyond[1026];
	const struct typed fits[] = { { REPLY_TEXT, most }, both[1], { REPLY_NONE, NULL } };
	const struct typed too_long[] = { { REPLY_TEXT, beyond }, { REPLY_NONE, NULL } };
	const struct step way[] = {
		EXPECT(AUTH_BEGIN), SEND(PROMPT, say_password()), EXPECT(ANSWER), SEND(PROMPT, say_code()), EXPECT(ANSWER),
		SEND(VERDICT, say(VERDICT_ALLOW, REASON_AUTH_PASSED)), HANG_UP,
	};

	memset(most, 'a', sizeof most - 1);
	memset(beyond, 'a', sizeof beyond - 1);
	most[sizeof most - 1] = beyond[sizeof beyond - 1] = '\0';
	scene_start(&scene, "su", "ada");
	scene.typed = too_long;
	ck_assert_int_eq(scene_call(&scene, way, pam_authenticate, 0), PAM_AUTH_ERR);
	ck_assert_uint_eq(scene.actor.got[1].msg.answer.outcome, ANSWER_FAILED);
	scene_start(&scene, "su", "ada");
	scene.typed = fits;
	ck_assert_int_eq(scene_call(&scene, way, pam_authenticate, 0), PAM_SUCCESS);
	ck_assert_str_eq(scene.actor.got[1].msg.answer.text, most);
}
END_TEST

/* 1 MiB: refused, and at once. The machine is shared: of some attempts, each refused, the quickest is the module's. */
START_TEST(pa05a_one_mebibyte)
{
	const struct typed huge[] = { { REPLY_HUGE, NULL }, { REPLY_NONE, NULL } };
	const struct step way[] = {
		EXPECT(AUTH_BEGIN), SEND(PROMPT, say_password()), EXPECT(ANSWER),
		SEND(VERDICT, say(VERDICT_ALLOW, REASON_AUTH_PASSED)), HANG_UP,
	};
	const int most = getenv("ISMS_VALGRIND") == NULL ? 500 : 0;
	int64_t took_ms = INT64_MAX;

	for (int i = 0; i < 10 || (took_ms >= 50 && i < most); i++) {
		int64_t began_ms;

		scene_start(&scene, "su", "ada");
		scene.typed = huge;
		began_ms = channel_now_ms();
		ck_assert_int_eq(scene_call(&scene, way, pam_authenticate, 0), PAM_AUTH_ERR);
		if (channel_now_ms() - began_ms < took_ms)
			took_ms = channel_now_ms() - began_ms;
		ck_assert_uint_eq(scene.asked, 1);
		ck_assert_uint_eq(scene.actor.got[1].msg.answer.outcome, ANSWER_FAILED);
		ck_assert_str_eq(scene.actor.got[1].msg.answer.text, "");	/* nor what would have fitted */
	}
	if (most > 0)
		ck_assert_int_lt(took_ms, 50);
	passes("su");
}
END_TEST

/* The proof of one user is nobody else's: PAM_USER changed between auth and account. */
START_TEST(pa06a_user_changed_between)
{
	const struct step account[] = { EXPECT(ACCOUNT), SEND(VERDICT, say(VERDICT_DENY, REASON_MFA_REQUIRED)), HANG_UP };
	const struct step granted[] = {
		EXPECT(ACCOUNT), SEND(VERDICT, say(VERDICT_ALLOW, REASON_OK)), EXPECT(ACK), HANG_UP,
	};

	passes("su");
	ck_assert_int_eq(pam_set_item(scene.pamh, PAM_USER, "eve"), PAM_SUCCESS);
	ck_assert_int_eq(scene_call(&scene, account, pam_acct_mgmt, 0), PAM_PERM_DENIED);
	ck_assert_str_eq(scene.actor.got[0].msg.account.user, "eve");
	ck_assert_str_eq(scene.actor.got[0].msg.account.proof, "");
	passes("su");
	ck_assert_int_eq(scene_call(&scene, granted, pam_acct_mgmt, 0), PAM_SUCCESS);
	ck_assert_str_eq(scene.actor.got[0].msg.account.proof, "fedcba9876543210fedcba9876543210");
	ck_assert_uint_eq(scene.actor.got[0].msg.account.flags, REQUEST_DISALLOW_NULL | REQUEST_AUTH_CALLED);
	/* single use */
	ck_assert_int_eq(scene_call(&scene, granted, pam_acct_mgmt, 0), PAM_SUCCESS);
	ck_assert_str_eq(scene.actor.got[0].msg.account.proof, "");
}
END_TEST

static void
change_user(struct scene *s)
{
	ck_assert_int_eq(pam_set_item(s->pamh, PAM_USER, "eve"), PAM_SUCCESS);
}

START_TEST(pa06a_user_changed_during)
{
	const struct step way[] = {
		EXPECT(AUTH_BEGIN), SEND(PROMPT, say_password()), EXPECT(ANSWER),
		SEND(VERDICT, say(VERDICT_ALLOW, REASON_AUTH_PASSED)), HANG_UP,
	};

	scene_start(&scene, "su", "ada");
	scene.typed = both;
	scene.on_prompt = change_user;
	ck_assert_int_eq(scene_call(&scene, way, pam_authenticate, 0), PAM_AUTH_ERR);
	scene.on_prompt = NULL;
	passes("su");
}
END_TEST

START_TEST(pa07a_no_name)
{
	const struct typed nothing[] = { { REPLY_NULL, NULL }, { REPLY_NONE, NULL } };
	const struct typed name[] = { { REPLY_TEXT, "ada" }, both[0], both[1], { REPLY_NONE, NULL } };
	const struct step way[] = {
		EXPECT(AUTH_BEGIN), SEND(PROMPT, say_password()), EXPECT(ANSWER), SEND(PROMPT, say_code()), EXPECT(ANSWER),
		SEND(VERDICT, say(VERDICT_ALLOW, REASON_AUTH_PASSED)), HANG_UP,
	};

	scene_start(&scene, "su", NULL);
	scene.typed = nothing;
	ck_assert_int_eq(pam_authenticate(scene.pamh, 0), PAM_USER_UNKNOWN);
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, 0), PAM_USER_UNKNOWN);
	scene_start(&scene, "su", "");
	scene.typed = nothing;
	ck_assert_int_eq(pam_authenticate(scene.pamh, PAM_SILENT), PAM_USER_UNKNOWN);
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, 0), PAM_USER_UNKNOWN);
	ck_assert(actor_quiet(&scene.actor));
	ck_assert_uint_eq(scene_event_count(&scene), 0);
	/* login(1) leaves the name to the module after a first failure */
	scene_start(&scene, "su", NULL);
	scene.typed = name;
	ck_assert_int_eq(scene_call(&scene, way, pam_authenticate, 0), PAM_SUCCESS);
	ck_assert_str_eq(scene.actor.got[0].msg.auth.user, "ada");
}
END_TEST

static void
left_alone(const char *name)
{
	scene_start(&scene, "su", name);
	ck_assert_int_eq(pam_authenticate(scene.pamh, 0), PAM_USER_UNKNOWN);
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, 0), PAM_USER_UNKNOWN);
	ck_assert_uint_eq(scene.lines, 0);	/* in the next stages pam_debug shows some of its own */
	ck_assert_int_eq(pam_open_session(scene.pamh, 0), SCENE_IGNORE);
	ck_assert_int_eq(pam_close_session(scene.pamh, 0), SCENE_IGNORE);
	ck_assert_int_eq(pam_chauthtok(scene.pamh, 0), SCENE_IGNORE);
	scene_start(&scene, "su", name);
	ck_assert_int_eq(pam_setcred(scene.pamh, PAM_ESTABLISH_CRED), SCENE_IGNORE);
	ck_assert(actor_quiet(&scene.actor));
	ck_assert_uint_eq(scene.delay_usec, 0);
	ck_assert_uint_eq(scene_event_count(&scene), 0);
}

/* bob in the directory, and daemon of another source: left alone at once. */
START_TEST(pa08a_not_managed)
{
	left_alone(_i == 0 ? "bob" : "daemon");
	passes("su");
}
END_TEST

START_TEST(pa09a_root)
{
	left_alone("root");
	passes("su");
}
END_TEST

/* A local bob stays local even where a snapshot has him: the passwd file is read first. */
START_TEST(pa08a_local_first)
{
	scene_write(&scene, "passwd", "root:x:0:0::/:/bin/sh\nada:x:1001:1001::/home/ada:/bin/sh\n");
	scene_start(&scene, "su", "ada");
	ck_assert_int_eq(pam_authenticate(scene.pamh, 0), PAM_USER_UNKNOWN);
	ck_assert(actor_quiet(&scene.actor));
	scene_write(&scene, "passwd", "root:x:0:0::/:/bin/sh\nada2:x:1001:1001::/home/ada:/bin/sh\n+ada::::::\n");
	passes("su");
}
END_TEST

/* Unknown and managed names: the same prompts and texts, byte for byte. */
START_TEST(pa10a_equal_for_unknown)
{
	const struct step wrong[] = {
		EXPECT(AUTH_BEGIN), SEND(PROMPT, say_password()), EXPECT(ANSWER), SEND(PROMPT, say_code()), EXPECT(ANSWER),
		SEND(VERDICT, say(VERDICT_DENY, REASON_PASSWORD_FAILED)), HANG_UP,
	};
	const struct step unknown[] = {
		EXPECT(AUTH_BEGIN), SEND(PROMPT, say_password()), EXPECT(ANSWER), SEND(PROMPT, say_code()), EXPECT(ANSWER),
		SEND(VERDICT, say(VERDICT_NOT_OURS, REASON_UNKNOWN_USER)), HANG_UP,
	};
	struct scene first;

	scene_start(&scene, "su", "ada");
	scene.typed = both;
	ck_assert_int_eq(scene_call(&scene, wrong, pam_authenticate, 0), PAM_AUTH_ERR);
	ck_assert_uint_ge(scene.delay_usec, 1000000);
	first = scene;
	scene_start(&scene, "su", "nobody-there");
	scene.typed = both;
	ck_assert_int_eq(scene_call(&scene, unknown, pam_authenticate, 0), PAM_USER_UNKNOWN);
	ck_assert_uint_eq(scene.lines, first.lines);
	for (unsigned i = 0; i < scene.lines; i++) {
		ck_assert_int_eq(scene.line[i].style, first.line[i].style);
		ck_assert_str_eq(scene.line[i].text, first.line[i].text);
	}
	ck_assert_uint_ge(scene.delay_usec, 1000000);
	ck_assert_uint_eq(scene_event_count(&scene), 0);
}
END_TEST

/* pam_unix behind us must not ask an unknown name again: it finds the password in PAM_AUTHTOK. */
START_TEST(pa10a_password_passed_on)
{
	const struct step unknown[] = {
		EXPECT(AUTH_BEGIN), SEND(PROMPT, say_password()), EXPECT(ANSWER), SEND(PROMPT, say_code()), EXPECT(ANSWER),
		SEND(VERDICT, say(VERDICT_NOT_OURS, REASON_UNKNOWN_USER)), HANG_UP,
	};

	scene_write(&scene, "behind", "auth [user_unknown=ignore default=die] " TEST_MODULE "\n"
	    "auth [success=die ignore=ignore default=die] pam_unix.so try_first_pass\n");
	scene_start(&scene, "behind", "nobody-there");
	scene.typed = both;
	ck_assert_int_ne(scene_call(&scene, unknown, pam_authenticate, 0), PAM_SUCCESS);
	ck_assert_uint_eq(scene.asked, 2);
	ck_assert_uint_eq(scene.beyond, 0);
}
END_TEST

/* A name that nobody has is never admitted, whatever the front says, nor sent on when nothing was typed. */
START_TEST(pa10a_unknown_never_admitted)
{
	const struct step allow[] = { EXPECT(AUTH_BEGIN), SEND(VERDICT, say(VERDICT_ALLOW, REASON_AUTH_PASSED)), HANG_UP };
	const struct step not_ours[] = {
		EXPECT(AUTH_BEGIN), SEND(PROMPT, say_password()), EXPECT(ANSWER),
		SEND(VERDICT, say(VERDICT_NOT_OURS, REASON_UNKNOWN_USER)), HANG_UP,
	};
	const struct typed interrupted[] = { { REPLY_ERROR, NULL }, { REPLY_NONE, NULL } };

	scene_start(&scene, "su", "nobody-there");
	ck_assert_int_eq(scene_call(&scene, allow, pam_authenticate, 0), PAM_AUTH_ERR);
	ck_assert_ptr_null(pam_getenv(scene.pamh, "ISMS_TXN"));
	scene_start(&scene, "su", "nobody-there");
	scene.typed = interrupted;
	ck_assert_int_eq(scene_call(&scene, not_ours, pam_authenticate, 0), PAM_AUTH_ERR);
	scene_stop(&scene);
	scene_start(&scene, "su", "nobody-there");
	ck_assert_int_eq(pam_authenticate(scene.pamh, 0), PAM_AUTH_ERR);
	ck_assert(scene_saw(&scene, PAM_ERROR_MSG, SCENE_UNAVAILABLE SCENE_CONTACT));
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, 0), PAM_PERM_DENIED);
	ck_assert_ptr_null(strstr(scene_events(&scene), "nobody-there"));	/* people type passwords there */
	ck_assert_ptr_nonnull(strstr(scene_events(&scene), "ISMS_USER=<unknown>"));
	ck_assert_uint_eq(scene_event_count(&scene), 2);
}
END_TEST

START_TEST(pa11a_use_first_pass)
{
	const struct step denied[] = {
		EXPECT(AUTH_BEGIN), SEND(PROMPT, say_password()), EXPECT(ANSWER),
		SEND(VERDICT, say(VERDICT_ALLOW, REASON_AUTH_PASSED)), HANG_UP,
	};
	const struct step passed[] = {
		EXPECT(AUTH_BEGIN), SEND(PROMPT, say_code()), EXPECT(ANSWER),
		SEND(VERDICT, say(VERDICT_ALLOW, REASON_AUTH_PASSED)), HANG_UP,
	};
	const struct typed code[] = { { REPLY_TEXT, "123456" }, { REPLY_NONE, NULL } };
	static const char *const nothing[] = { "first", "letterless" };	/* PAM_AUTHTOK unset, and "" */

	scene_write(&scene, "letterless", "auth optional " TEST_GIVER " empty\nauth required " TEST_MODULE " use_first_pass\n");
	for (int i = 0; i < ROWS(nothing); i++) {
		scene_start(&scene, nothing[i], "ada");
		scene.typed = both;
		ck_assert_int_eq(scene_call(&scene, denied, pam_authenticate, 0), PAM_AUTH_ERR);
		ck_assert_uint_eq(scene.asked + scene.beyond, 0);
		ck_assert_uint_eq(scene.actor.got[0].msg.auth.flags, REQUEST_DISALLOW_NULL | REQUEST_USE_FIRST_PASS);
		ck_assert_str_eq(scene.actor.got[0].msg.auth.first_pass, "");
		ck_assert_uint_eq(scene.actor.got[1].msg.answer.outcome, ANSWER_FAILED);
	}
	scene_write(&scene, "given", "auth optional " TEST_GIVER "\nauth required " TEST_MODULE " use_first_pass\n");
	scene_start(&scene, "given", "ada");
	scene.typed = code;
	ck_assert_int_eq(scene_call(&scene, passed, pam_authenticate, 0), PAM_SUCCESS);
	ck_assert_str_eq(scene.actor.got[0].msg.auth.first_pass, "given before");
	ck_assert_str_eq(scene.actor.got[1].msg.answer.text, "123456");
}
END_TEST

START_TEST(pa12a_unknown_option)
{
	scene_start(&scene, "typo", "ada");
	scene.typed = both;
	ck_assert_int_eq(pam_authenticate(scene.pamh, 0), PAM_AUTH_ERR);
	ck_assert_uint_eq(scene_event_count(&scene), 1);
	ck_assert_ptr_nonnull(strstr(scene_events(&scene), "unknown option"));
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, 0), PAM_PERM_DENIED);
	ck_assert_int_eq(pam_open_session(scene.pamh, 0), PAM_SESSION_ERR);
	ck_assert_int_eq(pam_chauthtok(scene.pamh, 0), PAM_AUTHTOK_ERR);
	scene_start(&scene, "typo", "ada");
	ck_assert_int_eq(pam_setcred(scene.pamh, PAM_ESTABLISH_CRED), PAM_CRED_ERR);
	ck_assert(actor_quiet(&scene.actor));
	scene_start(&scene, "typo", "bob");
	ck_assert_int_eq(pam_authenticate(scene.pamh, 0), PAM_USER_UNKNOWN);
	ck_assert_int_eq(pam_open_session(scene.pamh, 0), SCENE_IGNORE);
	passes("su");
}
END_TEST

/* A process that holds no proof says so, and asks all the same. */
START_TEST(pa13a_no_proof)
{
	const struct step account[] = { EXPECT(ACCOUNT), SEND(VERDICT, say(VERDICT_DENY, REASON_MFA_REQUIRED)), HANG_UP };

	scene_start(&scene, "sshd", "ada");
	ck_assert_int_eq(scene_call(&scene, account, pam_acct_mgmt, 0), PAM_PERM_DENIED);
	ck_assert_str_eq(scene.actor.got[0].msg.account.proof, "");
	ck_assert_uint_eq(scene.actor.got[0].msg.account.flags & REQUEST_AUTH_CALLED, 0);
}
END_TEST

START_TEST(pa14a_ssh_auth_info)
{
	static const char info[] = "publickey ssh-ed25519 AAAAC3Nza";
	const struct step way[] = { EXPECT(AUTH_BEGIN), SEND(VERDICT, say(VERDICT_DENY, REASON_MFA_FAILED)), HANG_UP };
	char setting[6000] = "SSH_AUTH_INFO_0=";

	memset(setting + strlen(setting), 'k', sizeof setting - strlen(setting) - 1);
	scene_start(&scene, "su", "ada");
	ck_assert_int_eq(pam_putenv(scene.pamh, "SSH_AUTH_INFO_0=publickey ssh-ed25519 AAAAC3Nza"), PAM_SUCCESS);
	ck_assert_int_eq(scene_call(&scene, way, pam_authenticate, 0), PAM_AUTH_ERR);
	ck_assert_str_eq(scene.actor.got[0].msg.auth.auth_info, "");
	scene_start(&scene, "sshd", "ada");
	ck_assert_int_eq(pam_putenv(scene.pamh, "SSH_AUTH_INFO_0=publickey ssh-ed25519 AAAAC3Nza"), PAM_SUCCESS);
	ck_assert_int_eq(scene_call(&scene, way, pam_authenticate, 0), PAM_AUTH_ERR);
	ck_assert_str_eq(scene.actor.got[0].msg.auth.auth_info, info);
	/* one that does not fit is none */
	ck_assert_int_eq(pam_putenv(scene.pamh, setting), PAM_SUCCESS);
	ck_assert_int_eq(scene_call(&scene, way, pam_authenticate, 0), PAM_AUTH_ERR);
	ck_assert_str_eq(scene.actor.got[0].msg.auth.auth_info, "");
}
END_TEST

/* A screen locker: not root, so AUTH_SELF and nothing else; its own account stage only after that. */
START_TEST(self_unlocks)
{
	const struct step way[] = {
		EXPECT(AUTH_SELF), SEND(PROMPT, say_password()), EXPECT(ANSWER),
		SEND(VERDICT, say(VERDICT_ALLOW, REASON_AUTH_PASSED)), HANG_UP,
	};
	const struct step refused[] = { EXPECT(AUTH_SELF), HANG_UP };

	ck_assert_int_eq(setenv("ISMS_TEST_SELF", "1", 1), 0);
	scene_start(&scene, "locker", "ada");
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, 0), PAM_PERM_DENIED);
	ck_assert_int_eq(pam_open_session(scene.pamh, 0), PAM_SESSION_ERR);
	ck_assert(actor_quiet(&scene.actor));
	ck_assert_int_eq(scene_call(&scene, refused, pam_authenticate, 0), PAM_AUTH_ERR);
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, 0), PAM_PERM_DENIED);
	scene.typed = both;
	ck_assert_int_eq(scene_call(&scene, way, pam_authenticate, 0), PAM_SUCCESS);
	ck_assert_str_eq(scene.actor.got[0].msg.self.user, "ada");
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, 0), PAM_SUCCESS);
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, 0), PAM_PERM_DENIED);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ auth_passes, 0 }, { pa01a_daemon_absent, 0 }, { pa01a_daemon_goes, 5 }, { pa02a_empty_password, 0 },
		{ pa03a_null_response, 2 * ROWS(null_replies) }, { pa04a_conversation_fails, 2 * ROWS(bad_replies) },
		{ pa05a_long_password, 0 }, { pa05a_one_mebibyte, 0 },
		{ pa06a_user_changed_between, 0 }, { pa06a_user_changed_during, 0 }, { pa07a_no_name, 0 },
		{ pa08a_not_managed, 2 }, { pa08a_local_first, 0 }, { pa09a_root, 0 }, { pa10a_equal_for_unknown, 0 },
		{ pa10a_password_passed_on, 0 }, { pa10a_unknown_never_admitted, 0 }, { pa11a_use_first_pass, 0 },
		{ pa12a_unknown_option, 0 }, { pa13a_no_proof, 0 }, { pa14a_ssh_auth_info, 0 }, { self_unlocks, 0 },
	};

	return scene_run("pam_auth", rows, ROWS(rows), setup, teardown);
}

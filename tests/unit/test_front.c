/*
 * test_front.c - the real front and the real directory process, asked as pam_isms asks: auth, account, refusals.
 */
#include <config.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/channel.h"
#include "tests/unit/front_scene.h"
#include "tests/unit/suite.h"

#define PATIENCE_MS 30000	/* for what another process does at once when the machine is not busy */
#define AUTH_TEXT "Access refused. If you should have access, contact help@example.com."
#define KEY "publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB0123456789abcdefghijklmnopqrstuvwxyzABCDEF"

static struct scene s;
static struct talk t;

static void
expect(enum verdict verdict, enum reason reason)
{
	ck_assert_int_eq(t.error, 0);
	ck_assert_msg(t.verdict.verdict == verdict && t.verdict.reason == reason, "got %s, %s", verdict_token(t.verdict.verdict),
	    reason_token(t.verdict.reason));
}

static void
expect_refused_in_auth(enum reason reason)
{
	expect(VERDICT_DENY, reason);
	ck_assert_str_eq(t.verdict.text, AUTH_TEXT);
	ck_assert_str_eq(t.verdict.proof, "");
	ck_assert_int_ge(t.wait_ms, SCENE_FLOOR_MS - 2);
}

START_TEST(welcome)
{
	struct talk account;

	scene_start(&s, "");
	scene_auth(&s, "ada", "sshd", SCENE_PASSWORD, scene_totp(0), &t);
	expect(VERDICT_ALLOW, REASON_AUTH_PASSED);
	ck_assert_uint_eq(t.prompts, 2);
	ck_assert_str_eq(t.prompt[0].text, "Password: ");
	ck_assert_uint_eq(t.prompt[0].echo, 0);
	ck_assert_uint_eq(t.prompt[0].is_password, 1);
	ck_assert_str_eq(t.prompt[1].text, "One-time code: ");
	ck_assert_uint_eq(t.prompt[1].echo, 1);
	ck_assert_uint_eq(t.prompt[1].is_password, 0);
	ck_assert_uint_eq(strlen(t.verdict.proof), 32);
	ck_assert_uint_eq(scene_events(&s, 1, "authentication passed", "user=ada ", "factors=\"password otp\"", NULL), 1);
	scene_account(&s, "ada", "sshd", t.verdict.proof, &account);
	ck_assert_uint_eq(account.verdict.verdict, VERDICT_ALLOW);
	ck_assert_str_eq(account.verdict.txn, t.verdict.txn);
	ck_assert_str_eq(account.verdict.text, "");
	ck_assert_uint_eq(account.verdict.max_session_sec, 8 * 3600);
	ck_assert_int_eq(account.verdict.not_after_utc_sec, 4102441200);
	/* Granted is true once the module has taken it. */
	ck_assert_uint_eq(scene_events(&s, 0, "login granted", NULL), 0);
	talk_ack(&account);
	ck_assert_uint_eq(scene_events(&s, 1, "login granted", "user=ada ", "kind=contractor", "roles=contractor", t.verdict.txn, NULL), 1);
	/* The proof was used up. */
	scene_account(&s, "ada", "sshd", t.verdict.proof, &account);
	ck_assert_uint_eq(account.verdict.verdict, VERDICT_DENY);
	ck_assert_uint_eq(account.verdict.reason, REASON_MFA_REQUIRED);
	talk_end(&account);
	ck_assert_uint_eq(scene_events(&s, 1, "login denied", "reason=mfa-required", NULL), 1);
	scene_stop(&s);
}
END_TEST

START_TEST(granted_needs_ack)
{
	scene_start(&s, "");
	scene_account(&s, "emil", "sshd", "", &t);
	expect(VERDICT_ALLOW, REASON_OK);
	talk_end(&t);
	scene_account(&s, "emil", "cron", "", &t);
	talk_ack(&t);
	ck_assert_uint_eq(scene_events(&s, 1, "login granted", NULL), 1);
	ck_assert_uint_eq(scene_events(&s, 1, "login granted", "service=cron", "seq=1 ", NULL), 1);
	scene_stop(&s);
}
END_TEST

static const struct {
	const char *user, *password, *code;
	enum verdict verdict;
	enum reason reason;
	const char *shown;
} refusals[] = {
	{ "ada", "wrong horse", "000000", VERDICT_DENY, REASON_PASSWORD_FAILED, "user=ada " },
	{ "ada", SCENE_PASSWORD, "000000", VERDICT_DENY, REASON_MFA_FAILED, "user=ada " },
	{ "ada", SCENE_PASSWORD, "", VERDICT_DENY, REASON_MFA_FAILED, "user=ada " },
	{ "ada", "", "000000", VERDICT_DENY, REASON_PASSWORD_FAILED, "user=ada " },
	{ "bob", SCENE_PASSWORD, "755224", VERDICT_EXPIRED, REASON_EXPIRED, "user=bob " },
	{ "carl", SCENE_PASSWORD, "755224", VERDICT_DENY, REASON_DISABLED, "user=carl " },
	{ "dora", SCENE_PASSWORD, "755224", VERDICT_DENY, REASON_MFA_NOT_ENROLLED, "user=dora " },
	{ "fred", SCENE_PASSWORD, "755224", VERDICT_DENY, REASON_BAD_RECORD, "oathSecret must have 16 to 128 bytes" },
	{ "nobody-there", SCENE_PASSWORD, "755224", VERDICT_NOT_OURS, REASON_UNKNOWN_USER, "user=<unknown> " },
	{ "hunter2 is my password", SCENE_PASSWORD, "755224", VERDICT_NOT_OURS, REASON_UNKNOWN_USER, "user=<unknown> " },
	{ "ADA", SCENE_PASSWORD, "755224", VERDICT_NOT_OURS, REASON_UNKNOWN_USER, "user=<unknown> " },
};

/* The same prompts and words for everybody, byte for byte, and no sooner than the floor; the reason is the journal's. */
START_TEST(pa10a_enumeration)
{
	char token[64];

	scene_start(&s, "");
	scene_auth(&s, refusals[_i].user, "sshd", refusals[_i].password, refusals[_i].code, &t);
	expect(refusals[_i].verdict, refusals[_i].reason);
	ck_assert_uint_eq(t.prompts, 2);
	ck_assert_str_eq(t.prompt[0].text, "Password: ");
	ck_assert_str_eq(t.prompt[1].text, "One-time code: ");
	ck_assert_str_eq(t.verdict.text, AUTH_TEXT);
	ck_assert_str_eq(t.verdict.proof, "");
	ck_assert_int_ge(t.wait_ms, SCENE_FLOOR_MS - 2);
	(void)snprintf(token, sizeof token, "reason=%s ", reason_token(refusals[_i].reason));
	ck_assert_uint_eq(scene_events(&s, 1, refusals[_i].shown, token, "decision=denied", "seq=1 ", NULL), 1);
	ck_assert_uint_eq(scene_events(&s, 0, "decision=", NULL), 1);
	ck_assert_uint_eq(scene_events(&s, 0, "hunter2", NULL), 0);
	scene_stop(&s);
}
END_TEST

START_TEST(ot01a_replay)
{
	char code[16];

	scene_start(&s, "");
	(void)snprintf(code, sizeof code, "%s", scene_totp(0));
	scene_auth(&s, "ada", "sshd", SCENE_PASSWORD, code, &t);
	expect(VERDICT_ALLOW, REASON_AUTH_PASSED);
	scene_auth(&s, "ada", "sshd", SCENE_PASSWORD, code, &t);
	expect_refused_in_auth(REASON_MFA_REPLAYED);
	ck_assert_uint_eq(scene_events(&s, 1, "second factor failed", "reason=mfa-replayed", "token=T0", NULL), 1);
	scene_stop(&s);
}
END_TEST

START_TEST(ot03a_digits)
{
	scene_start(&s, "");
	scene_auth(&s, "olga", "sshd", SCENE_PASSWORD, scene_totp_long(0) + 2, &t);
	expect_refused_in_auth(REASON_MFA_FAILED);
	scene_auth(&s, "olga", "sshd", SCENE_PASSWORD, scene_totp_long(0), &t);
	expect(VERDICT_ALLOW, REASON_AUTH_PASSED);
	scene_stop(&s);
}
END_TEST

/* kill -9 right after success, then the same code again. */
START_TEST(ot08a_durable)
{
	scene_start(&s, "");
	scene_auth(&s, "hana", "sshd", SCENE_PASSWORD, scene_hotp(0), &t);
	expect(VERDICT_ALLOW, REASON_AUTH_PASSED);
	scene_kill_front(&s, SIGKILL);
	scene_run_front(&s);
	scene_auth(&s, "hana", "sshd", SCENE_PASSWORD, scene_hotp(0), &t);
	expect_refused_in_auth(REASON_MFA_REPLAYED);
	scene_auth(&s, "hana", "sshd", SCENE_PASSWORD, scene_hotp(1), &t);
	expect(VERDICT_ALLOW, REASON_AUTH_PASSED);
	scene_stop(&s);
}
END_TEST

/* No store: nobody who needs one gets in, and it is said; mended, it goes on. */
START_TEST(dm06a_state)
{
	char path[128];

	scene_start(&s, "");
	scene_kill_front(&s, SIGTERM);
	scene_path(&s, "var/lib/isms/state", path, sizeof path);
	ck_assert_int_eq(chmod(path, 0777), 0);
	scene_run_front(&s);
	scene_auth(&s, "hana", "sshd", SCENE_PASSWORD, scene_hotp(0), &t);
	expect_refused_in_auth(REASON_STATE_UNWRITABLE);
	ck_assert_uint_eq(scene_events(&s, 1, "state cannot be stored", NULL), 1);
	ck_assert_uint_eq(scene_events(&s, 1, "login denied", "reason=state-unwritable", NULL), 1);
	ck_assert_int_eq(chmod(path, 0700), 0);
	(void)sleep(4);
	scene_auth(&s, "hana", "sshd", SCENE_PASSWORD, scene_hotp(0), &t);
	expect(VERDICT_ALLOW, REASON_AUTH_PASSED);
	scene_stop(&s);
}
END_TEST

START_TEST(ot10a_throttle)
{
	int64_t failed_ms = 0;

	scene_start(&s, "[mfa]\ndelay-after = 100\nlock-after = 4\nlock-time = 4s\n");
	for (unsigned i = 0; i < 4; i++) {
		failed_ms = channel_now_ms();
		scene_auth(&s, "hana", "sshd", SCENE_PASSWORD, "000000", &t);
		expect_refused_in_auth(REASON_MFA_FAILED);
	}
	ck_assert_uint_eq(scene_events(&s, 1, "second factor locked", "user=hana ", NULL), 1);
	/* Remote failures do not lock the console (OT11a). */
	scene_auth(&s, "hana", "login", SCENE_PASSWORD, scene_hotp(0), &t);
	expect(VERDICT_ALLOW, REASON_AUTH_PASSED);
	do {
		scene_auth(&s, "hana", "sshd", SCENE_PASSWORD, scene_hotp(1), &t);
		if (t.verdict.verdict != VERDICT_ALLOW) {
			expect_refused_in_auth(REASON_MFA_LOCKED);
			(void)usleep(200000);
		}
	} while (t.verdict.verdict != VERDICT_ALLOW);
	ck_assert_int_gt(channel_now_ms() - failed_ms, 3000);	/* four seconds, of which the first had begun */
	scene_stop(&s);
}
END_TEST

/* Counted before it is looked at: what dies in the middle stays counted. */
START_TEST(dm04a_lockout_is_preserved)
{
	scene_start(&s, "[mfa]\ndelay-after = 100\nlock-after = 2\nlock-time = 15m\n");
	for (unsigned i = 0; i < 2; i++) {
		scene_auth(&s, "hana", "sshd", "wrong", "000000", &t);
		expect_refused_in_auth(REASON_PASSWORD_FAILED);
		scene_kill_front(&s, SIGKILL);
		scene_run_front(&s);
	}
	scene_auth(&s, "hana", "sshd", SCENE_PASSWORD, scene_hotp(0), &t);
	expect_refused_in_auth(REASON_MFA_LOCKED);
	scene_stop(&s);
}
END_TEST

/* The look-ahead that is in force when nobody sets one. */
START_TEST(ot06a_hotp)
{
	scene_start(&s, "");
	scene_auth(&s, "hana", "sshd", SCENE_PASSWORD, scene_hotp(11), &t);
	expect_refused_in_auth(REASON_MFA_FAILED);
	scene_auth(&s, "hana", "sshd", SCENE_PASSWORD, scene_hotp(10), &t);
	expect(VERDICT_ALLOW, REASON_AUTH_PASSED);
	scene_auth(&s, "hana", "sshd", SCENE_PASSWORD, scene_hotp(3), &t);
	expect_refused_in_auth(REASON_MFA_REPLAYED);
	scene_auth(&s, "hana", "sshd", SCENE_PASSWORD, scene_hotp(11), &t);
	expect(VERDICT_ALLOW, REASON_AUTH_PASSED);
	scene_stop(&s);
}
END_TEST

/* A wrong password burns no code: it is good once, and once only. */
START_TEST(ot14a_order)
{
	scene_start(&s, "");
	scene_auth(&s, "hana", "sshd", "wrong", scene_hotp(0), &t);
	expect_refused_in_auth(REASON_PASSWORD_FAILED);
	scene_auth(&s, "hana", "sshd", SCENE_PASSWORD, scene_hotp(0), &t);
	expect(VERDICT_ALLOW, REASON_AUTH_PASSED);
	scene_auth(&s, "hana", "sshd", SCENE_PASSWORD, scene_hotp(0), &t);
	expect_refused_in_auth(REASON_MFA_REPLAYED);
	scene_stop(&s);
}
END_TEST

/* And it is a failure like any other: of two that lock it is one, the right code with it or not. Loop: without, with it. */
START_TEST(ot14a_failure_counted)
{
	scene_start(&s, "[mfa]\ndelay-after = 100\nlock-after = 2\nlock-time = 15m\n");
	scene_auth(&s, "hana", "sshd", SCENE_PASSWORD, "000000", &t);
	expect_refused_in_auth(REASON_MFA_FAILED);
	ck_assert_uint_eq(scene_events(&s, 0, "second factor locked", NULL), 0);
	if (_i == 1) {
		scene_auth(&s, "hana", "sshd", "wrong", scene_hotp(0), &t);
		expect_refused_in_auth(REASON_PASSWORD_FAILED);
		ck_assert_uint_eq(scene_events(&s, 1, "second factor locked", "user=hana ", NULL), 1);
	}
	scene_auth(&s, "hana", "sshd", SCENE_PASSWORD, scene_hotp(0), &t);
	if (_i == 1)
		expect_refused_in_auth(REASON_MFA_LOCKED);
	else
		expect(VERDICT_ALLOW, REASON_AUTH_PASSED);
	scene_stop(&s);
}
END_TEST

/* sshd's PasswordAuthentication cannot answer a prompt with echo: no failure is counted. */
START_TEST(password_authentication_only)
{
	scene_start(&s, "[mfa]\ndelay-after = 100\nlock-after = 2\n");
	for (unsigned i = 0; i < 3; i++) {
		scene_auth(&s, "hana", "sshd", SCENE_PASSWORD, NULL, &t);
		expect_refused_in_auth(REASON_MFA_NEEDS_KEYBOARD_INTERACTIVE);
	}
	scene_auth(&s, "hana", "login", SCENE_PASSWORD, NULL, &t);
	expect_refused_in_auth(REASON_MFA_REQUIRED);
	scene_auth(&s, "hana", "sshd", SCENE_PASSWORD, scene_hotp(0), &t);
	expect(VERDICT_ALLOW, REASON_AUTH_PASSED);
	scene_stop(&s);
}
END_TEST

static void
auth_with(const char *auth_info, uint32_t flags, const char *first_pass, const char *const *answers)
{
	struct msg_auth_begin m = { .user = "hana", .service = "sshd", .rhost = "192.0.2.7", .flags = flags };

	(void)snprintf(m.auth_info, sizeof m.auth_info, "%s", auth_info);
	(void)snprintf(m.first_pass, sizeof m.first_pass, "%s", first_pass);
	talk_run(&s, MSG_AUTH_BEGIN, &m, answers, &t);
	talk_end(&t);
}

START_TEST(key_and_code)
{
	static const char *const forged[] = { "publickey", "publickey ssh-rsa", "publickey ssh-rsa AAAA", "xpublickey a b",
		"keyboard-interactive/pam", "publickey ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAB extra!" };
	const char *answers[] = { scene_hotp(0), NULL, NULL, NULL };
	struct talk account;

	scene_start(&s, "");
	auth_with(KEY, 0, "", answers);
	expect(VERDICT_ALLOW, REASON_AUTH_PASSED);
	ck_assert_uint_eq(t.prompts, 1);
	ck_assert_str_eq(t.prompt[0].text, "One-time code: ");
	ck_assert_uint_eq(scene_events(&s, 1, "authentication passed", "factors=\"key otp\"", NULL), 1);
	scene_account(&s, "hana", "sshd", t.verdict.proof, &account);
	ck_assert_uint_eq(account.verdict.verdict, VERDICT_ALLOW);
	talk_end(&account);
	for (unsigned i = 0; i < sizeof forged / sizeof forged[0]; i++) {
		auth_with(forged[i], 0, "", answers + 1);
		ck_assert_uint_eq(t.prompts, 1);
		ck_assert_str_eq(t.prompt[0].text, "Password: ");
	}
	scene_stop(&s);
}
END_TEST

/* SSH_AUTH_INFO_0 in the environment of another service is worth nothing. */
START_TEST(pa14a_ssh_info)
{
	const struct msg_auth_begin m = { .user = "hana", .service = "su", .auth_info = KEY, .ruid = 1000 };
	const char *answers[] = { SCENE_PASSWORD, scene_hotp(0), NULL, NULL };

	scene_start(&s, "");
	talk_run(&s, MSG_AUTH_BEGIN, &m, answers, &t);
	talk_end(&t);
	expect(VERDICT_ALLOW, REASON_AUTH_PASSED);
	ck_assert_uint_eq(t.prompts, 2);
	ck_assert_uint_eq(scene_events(&s, 1, "authentication passed", "factors=\"password otp\"", NULL), 1);
	scene_stop(&s);
}
END_TEST

START_TEST(pa11a_first_pass)
{
	const char *answers[] = { scene_hotp(0), NULL, NULL, NULL };

	scene_start(&s, "");
	auth_with("", REQUEST_USE_FIRST_PASS, "", answers);
	expect_refused_in_auth(REASON_PASSWORD_FAILED);
	ck_assert_uint_eq(t.prompts, 0);
	auth_with("", REQUEST_USE_FIRST_PASS, SCENE_PASSWORD, answers);
	expect(VERDICT_ALLOW, REASON_AUTH_PASSED);
	ck_assert_uint_eq(t.prompts, 1);
	scene_stop(&s);
}
END_TEST

/* PAM_SILENT forbids messages, not questions: sudo sets it and asks. */
START_TEST(px08a_flags)
{
	const char *answers[] = { SCENE_PASSWORD, scene_hotp(0), NULL, NULL };

	scene_start(&s, "");
	auth_with("", REQUEST_SILENT, "", answers);
	expect(VERDICT_ALLOW, REASON_AUTH_PASSED);
	ck_assert_uint_eq(t.prompts, 2);
	scene_stop(&s);
}
END_TEST

/* Disabled between auth and account, and while the person types. */
START_TEST(px07a_race)
{
	const char *answers[] = { SCENE_PASSWORD, scene_hotp(1), NULL, NULL };
	const struct msg_auth_begin m = { .user = "hana", .service = "sshd", .rhost = "192.0.2.7" };
	struct talk account;

	scene_start(&s, "");
	scene_auth(&s, "hana", "sshd", SCENE_PASSWORD, scene_hotp(0), &t);
	expect(VERDICT_ALLOW, REASON_AUTH_PASSED);
	scene_change_user(&s, "hana", "nsAccountLock: TRUE\n");
	for (int i = 0; i < PATIENCE_MS / 20; i++) {
		scene_account(&s, "hana", "sshd", t.verdict.proof, &account);
		talk_end(&account);
		if (account.verdict.verdict == VERDICT_DENY && account.verdict.reason == REASON_DISABLED)
			break;
		(void)usleep(20000);
	}
	ck_assert_uint_eq(account.verdict.reason, REASON_DISABLED);
	ck_assert_str_eq(account.verdict.text, "Access refused: your account is disabled. Contact security@example.com.");
	talk_run(&s, MSG_AUTH_BEGIN, &m, answers, &t);
	talk_end(&t);
	expect_refused_in_auth(REASON_DISABLED);
	scene_stop(&s);
}
END_TEST

START_TEST(directory_is_gone)
{
	scene_start(&s, "");
	scene_kill_directory(&s, SIGKILL);
	scene_auth(&s, "hana", "sshd", SCENE_PASSWORD, scene_hotp(0), &t);
	expect_refused_in_auth(REASON_DIRECTORY_UNAVAILABLE);
	ck_assert_uint_eq(t.prompts, 2);
	scene_account(&s, "emil", "sshd", "", &t);
	talk_end(&t);
	expect(VERDICT_DENY, REASON_DIRECTORY_UNAVAILABLE);
	scene_run_directory(&s);
	scene_auth(&s, "hana", "sshd", SCENE_PASSWORD, scene_hotp(0), &t);
	expect(VERDICT_ALLOW, REASON_AUTH_PASSED);
	scene_stop(&s);
}
END_TEST

START_TEST(bad_configuration)
{
	scene_start(&s, "");
	/* On reload the old rules stay. */
	scene_write(&s, "etc/isms/policy.conf", "[role x]\nmatchh = any\n");
	ck_assert_int_eq(kill(s.front, SIGHUP), 0);
	ck_assert_uint_eq(scene_events(&s, 1, "configuration rejected", "policy.conf", NULL), 1);
	scene_account(&s, "emil", "sshd", "", &t);
	talk_end(&t);
	expect(VERDICT_ALLOW, REASON_OK);
	/* At a cold start there are none: managed users are refused, the others are not ours. */
	scene_kill_front(&s, SIGTERM);
	scene_run_front(&s);
	scene_account(&s, "emil", "sshd", "", &t);
	talk_end(&t);
	expect(VERDICT_DENY, REASON_DAEMON_UNAVAILABLE);
	scene_account(&s, "zoe", "sshd", "", &t);
	talk_end(&t);
	expect(VERDICT_NOT_OURS, REASON_UNKNOWN_USER);
	/* Mended. */
	scene_write(&s, "etc/isms/policy.conf", "[role employee]\nmatch = kind:employee\nallow-services = sshd\nmfa = none\n");
	ck_assert_int_eq(kill(s.front, SIGHUP), 0);
	for (int i = 0; i < PATIENCE_MS / 20; i++) {
		scene_account(&s, "emil", "sshd", "", &t);
		talk_end(&t);
		if (t.verdict.verdict == VERDICT_ALLOW)
			break;
		(void)usleep(20000);
	}
	expect(VERDICT_ALLOW, REASON_OK);
	scene_stop(&s);
}
END_TEST

/* Many names tried from one address: that address has to wait, others do not. */
START_TEST(spraying)
{
	char name[32];
	int64_t last_ms;

	scene_start(&s, "");
	for (unsigned i = 0; i < 20; i++) {
		(void)snprintf(name, sizeof name, "guess%u", i);
		last_ms = channel_now_ms();
		scene_auth(&s, name, "sshd", "123456", "123456", &t);
		expect(VERDICT_NOT_OURS, REASON_UNKNOWN_USER);
	}
	scene_auth(&s, "hana", "sshd", SCENE_PASSWORD, scene_hotp(0), &t);
	if (channel_now_ms() - last_ms < 1000) {	/* else the machine was too slow to see it */
		expect_refused_in_auth(REASON_MFA_LOCKED);
		ck_assert_uint_eq(scene_events(&s, 1, "user=hana ", "reason=mfa-locked", "from this source", NULL), 1);
	}
	scene_auth(&s, "hana", "login", SCENE_PASSWORD, scene_hotp(1), &t);
	expect(VERDICT_ALLOW, REASON_AUTH_PASSED);
	scene_stop(&s);
}
END_TEST

/* A flood of one failure: the first few, then one with a count; successes and numbers stay whole. */
START_TEST(jl03a_flood)
{
	scene_start(&s, "[mfa]\ndelay-after = 100\nlock-after = 1000\n[events]\naggregate-after = 3\n");
	for (unsigned i = 0; i < 8; i++) {
		scene_account(&s, "dora", "sshd", "", &t);
		talk_end(&t);
		expect(VERDICT_DENY, REASON_MFA_NOT_ENROLLED);
	}
	ck_assert_uint_eq(scene_events(&s, 3, "login denied", "user=dora ", NULL), 3);
	scene_account(&s, "emil", "sshd", "", &t);
	talk_ack(&t);
	ck_assert_uint_eq(scene_events(&s, 1, "login granted", "seq=4 ", NULL), 1);
	/* The end of the front ends the window. */
	scene_kill_front(&s, SIGTERM);
	ck_assert_uint_eq(scene_events(&s, 1, "login denied", "user=dora ", "count=5 ", "seq=5 ", NULL), 1);
	scene_stop(&s);
}
END_TEST

/* Addresses of one /64 are one source: they do not take a key each. */
START_TEST(flood_of_one_network)
{
	struct msg_account m = { .user = "dora", .service = "sshd" };

	scene_start(&s, "[mfa]\ndelay-after = 100\nlock-after = 1000\n[events]\naggregate-after = 3\n");
	for (unsigned i = 0; i < 8; i++) {
		(void)snprintf(m.rhost, sizeof m.rhost, "2001:db8:1:2::%x", i + 1);
		talk_run(&s, MSG_ACCOUNT, &m, NULL, &t);
		talk_end(&t);
		expect(VERDICT_DENY, REASON_MFA_NOT_ENROLLED);
	}
	scene_kill_front(&s, SIGTERM);
	ck_assert_uint_eq(scene_events(&s, 4, "login denied", "user=dora ", NULL), 4);
	ck_assert_uint_eq(scene_events(&s, 1, "login denied", "user=dora ", "count=5 ", NULL), 1);
	scene_stop(&s);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ welcome, 0 },
		{ granted_needs_ack, 0 },
		{ pa10a_enumeration, ROWS(refusals) },
		{ ot01a_replay, 0 },
		{ ot03a_digits, 0 },
		{ ot08a_durable, 0 },
		{ dm06a_state, 0 },
		{ ot10a_throttle, 0 },
		{ dm04a_lockout_is_preserved, 0 },
		{ ot06a_hotp, 0 },
		{ ot14a_order, 0 },
		{ ot14a_failure_counted, 2 },
		{ password_authentication_only, 0 },
		{ key_and_code, 0 },
		{ pa14a_ssh_info, 0 },
		{ pa11a_first_pass, 0 },
		{ px08a_flags, 0 },
		{ px07a_race, 0 },
		{ directory_is_gone, 0 },
		{ bad_configuration, 0 },
		{ spraying, 0 },
		{ jl03a_flood, 0 },
		{ flood_of_one_network, 0 },
	};

	return suite_run("front", rows, ROWS(rows), 120);
}

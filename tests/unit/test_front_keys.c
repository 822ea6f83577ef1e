/*
 * test_front_keys.c - which keys the front gives to sshd, and service and break-glass accounts before it: the real front
 * and directory process.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/channel.h"
#include "common/civil_date.h"
#include "daemon/front.h"
#include "tests/unit/front_scene.h"
#include "tests/unit/suite.h"

#define DEADLINE (channel_now_ms() + 120000)
#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJwcbgZh5k/FdMefRGw0mP0bb60T5OtVxV6e73Rk/47Q"
#define PRINT "SHA256:G6KzWJFdTwHq17+U+jvKyp5Jza4rVoLvj0jks/E74tg"
#define KEY2 "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBE3W9mvg1xnAVUba65Av8Ba6ahqBpT46" \
	"tb8OJB6rI5hNJS+uveVORNhpgqXVXyDwlu3VQqOHWfmHgMBmGOV53KQ="
#define PRINT2 "SHA256:A4OfKjD5/RaMKVoSgePzOu0BI6jSOk3KXGXhHUvCFok"
#define ROBOT "ismsKey: " KEY " backup\nismsSource: 192.0.2.0/24\nismsSource: 2001:db8::/32\nismsCommand: /bin/backup \"a\"\n"
#define ROBOT_OPTIONS "restrict,from=\"192.0.2.0/24,2001:db8::/32\",expiry-time=\"20991231230000Z\"," \
	"command=\"/bin/backup \\\"a\\\"\" "

static struct scene s;
static struct talk t;

/* What sshd would be given; lines one after the other. */
static const char *
lines_of(const char *user, const char *rhost, const char *print)
{
	static char text[20000];
	static uint8_t frame[PROTO_FRAME_MAX];
	static struct msg_key_line line;
	struct msg_keys_ask ask = { .user = "" };
	const struct message_info *info;
	size_t size;
	int fd = scene_connect(&s);

	(void)snprintf(ask.user, sizeof ask.user, "%s", user);
	(void)snprintf(ask.rhost, sizeof ask.rhost, "%s", rhost);
	(void)snprintf(ask.fingerprint, sizeof ask.fingerprint, "%s", print);
	ck_assert_int_eq(channel_send(fd, MSG_KEYS_ASK, &ask, DEADLINE), 0);
	text[0] = '\0';
	for (;;) {
		if (channel_recv(fd, frame, sizeof frame, DEADLINE, &info, &size) < 0) {
			(void)snprintf(text, sizeof text, "hung up");
			break;
		}
		if (info->number == MSG_DONE)
			break;
		ck_assert_int_eq(info->number, MSG_KEY_LINE);
		ck_assert_int_eq(proto_decode(info, frame, size, &line), 0);
		(void)strncat(text, line.line, sizeof text - strlen(text) - 1);
	}
	(void)close(fd);
	return text;
}

/* The directory process reads its file when it sees it change. */
static void
await_lines(const char *user, const char *rhost, const char *print, const char *want)
{
	for (unsigned i = 0; i < 1200 && strcmp(lines_of(user, rhost, print), want) != 0; i++)
		(void)usleep(100000);
	ck_assert_str_eq(lines_of(user, rhost, print), want);
}

START_TEST(keys_of_people)
{
	scene_start(&s, "");
	ck_assert_str_eq(lines_of("emil", "192.0.2.7", ""), "");
	scene_change_user(&s, "emil", "sshPublicKey: " KEY2 "\nismsKey: " KEY " desk\nismsKey: no-pty " KEY "\n"
	    "sshPublicKey: " KEY " again\nismsKey: junk\n");
	await_lines("emil", "192.0.2.7", "", KEY "\n" KEY2 "\n");
	ck_assert_str_eq(lines_of("emil", "", PRINT), KEY "\n");
	ck_assert_str_eq(lines_of("emil", "", PRINT2), KEY2 "\n");
	ck_assert_str_eq(lines_of("ada", "", PRINT), "");	/* his, and nobody else's */
	ck_assert_str_eq(lines_of("nobody-here", "", PRINT), "");
	ck_assert_str_eq(lines_of("emil", "", "MD5:00"), "hung up");
	ck_assert_str_eq(lines_of("emil", "", "SHA256:short"), "hung up");
	scene_change_user(&s, "emil", "ismsKey: " KEY "\nismsNotAfter: 20991231230000Z\nismsSource: 192.0.2.0/24\n");
	await_lines("emil", "", PRINT, "from=\"192.0.2.0/24\",expiry-time=\"20991231230000Z\" " KEY "\n");
	scene_stop(&s);
}
END_TEST

/* Lines that take the keys from somebody who has them. */
static const struct { const char *line, *reason; } overs[] = {
	{ "pwdAccountLockedTime: 000001010000Z\n", "reason=disabled" },
	{ "ismsNotAfter: 20200101000000Z\n", "reason=expired" },
	{ "ismsNotBefore: 20990101000000Z\n", "reason=not-yet-valid" },
	{ "ismsSource: elsewhere\n", NULL },			/* a broken entry */
};

START_TEST(nobody_whose_time_is_over)
{
	char lines[512];

	scene_start(&s, "");
	scene_change_user(&s, "emil", "ismsKey: " KEY "\n");
	await_lines("emil", "192.0.2.7", PRINT, KEY "\n");
	(void)snprintf(lines, sizeof lines, "ismsKey: " KEY "\n%s", overs[_i].line);
	scene_change_user(&s, "emil", lines);
	await_lines("emil", "192.0.2.7", PRINT, "");
	ck_assert_str_eq(lines_of("emil", "192.0.2.7", ""), "");
	if (overs[_i].reason != NULL)
		ck_assert_uint_ge(scene_events(&s, 1, "login denied", "user=emil", overs[_i].reason, "rhost=192.0.2.7",
		    "note=\"key offered\"", "key=" PRINT, NULL), 1);
	scene_stop(&s);
}
END_TEST

static enum verdict
open_session(const char *user, const char *rhost, const char *info, enum reason *ret_reason)
{
	struct msg_session_open m = { .service = "sshd", .tty = "ssh" };

	(void)snprintf(m.user, sizeof m.user, "%s", user);
	(void)snprintf(m.rhost, sizeof m.rhost, "%s", rhost);
	(void)snprintf(m.auth_info, sizeof m.auth_info, "%s", info);
	m.ruid = geteuid();
	talk_run(&s, MSG_SESSION_OPEN, &m, NULL, &t);
	*ret_reason = (enum reason)t.verdict.reason;
	talk_end(&t);
	return (enum verdict)t.verdict.verdict;
}

static void
account_from(const char *user, const char *service, const char *rhost)
{
	struct msg_account m = { .tty = "ssh" };

	(void)snprintf(m.user, sizeof m.user, "%s", user);
	(void)snprintf(m.service, sizeof m.service, "%s", service);
	(void)snprintf(m.rhost, sizeof m.rhost, "%s", rhost);
	m.ruid = geteuid();
	talk_run(&s, MSG_ACCOUNT, &m, NULL, &t);
}

START_TEST(service_account)
{
	enum reason reason;

	scene_start(&s, "");
	ck_assert_str_eq(lines_of("robo", "192.0.2.7", PRINT), "");
	scene_change_user(&s, "robo", ROBOT);
	await_lines("robo", "192.0.2.7", PRINT, ROBOT_OPTIONS KEY "\n");
	ck_assert_str_eq(lines_of("robo", "2001:db8::7", PRINT), ROBOT_OPTIONS KEY "\n");
	ck_assert_str_eq(lines_of("robo", "", PRINT), ROBOT_OPTIONS KEY "\n");	/* sshd knows whence, and reads from= */
	ck_assert_str_eq(lines_of("robo", "203.0.113.7", PRINT), "");
	(void)scene_events(&s, 1, "user=robo", "reason=source-not-allowed", "rhost=203.0.113.7", "note=\"key offered\"", NULL);
	ck_assert_str_eq(lines_of("robo", "192.0.2.7", PRINT2), "");
	(void)scene_events(&s, 1, "user=robo", "reason=key-not-bound", "key=" PRINT2, "note=\"key offered\"", NULL);
	/* The account stage sees no key yet, the session does. */
	account_from("robo", "sshd", "192.0.2.7");
	talk_expect(&t, VERDICT_ALLOW, REASON_OK);
	talk_ack(&t);
	account_from("robo", "sshd", "203.0.113.7");
	talk_expect(&t, VERDICT_DENY, REASON_SOURCE_NOT_ALLOWED);
	talk_end(&t);
	account_from("robo", "login", "");
	talk_expect(&t, VERDICT_DENY, REASON_KIND_NOT_INTERACTIVE);
	talk_end(&t);
	ck_assert_int_eq(open_session("robo", "192.0.2.7", "publickey " KEY "\n", &reason), VERDICT_ALLOW);
	(void)scene_events(&s, 1, "session opened", "user=robo", "key=" PRINT, NULL);
	ck_assert_int_eq(open_session("robo", "192.0.2.7", "publickey " KEY2, &reason), VERDICT_DENY);
	ck_assert_int_eq(reason, REASON_KEY_NOT_BOUND);
	ck_assert_int_eq(open_session("robo", "203.0.113.7", "publickey " KEY, &reason), VERDICT_DENY);
	ck_assert_int_eq(reason, REASON_SOURCE_NOT_ALLOWED);
	ck_assert_int_eq(open_session("robo", "192.0.2.7", "", &reason), VERDICT_DENY);
	ck_assert_int_eq(reason, REASON_KEY_NOT_BOUND);
	scene_stop(&s);
}
END_TEST

START_TEST(service_account_has_no_password)
{
	scene_start(&s, "");
	scene_change_user(&s, "robo", ROBOT);
	await_lines("robo", "192.0.2.7", PRINT, ROBOT_OPTIONS KEY "\n");
	scene_auth(&s, "robo", "sshd", SCENE_PASSWORD, "", &t);		/* which is right */
	talk_expect(&t, VERDICT_DENY, REASON_PASSWORD_NOT_ALLOWED);
	talk_end(&t);
	scene_auth(&s, "emil", "sshd", SCENE_PASSWORD, "", &t);
	talk_expect(&t, VERDICT_ALLOW, REASON_AUTH_PASSED);
	talk_end(&t);
	scene_stop(&s);
}
END_TEST

/* ---- what is granted only once sshd has named the key ---- */

#define BOUND "ismsKey: " KEY "\n\ndn: cn=r1,ou=exemptions,dc=isms,dc=local\nobjectClass: ismsExemption\ncn: r1\n" \
	"ismsControl: mfa\nismsMember: uid=dora,ou=people,dc=isms,dc=local\nismsReason: test\n" \
	"ismsApprover: uid=emil,ou=people,dc=isms,dc=local\nismsUntil: 20991231000000Z\n" \
	"createTimestamp: 20990101000000Z\nismsKeyFingerprint: " PRINT "\n"

/* A service account, and an exemption that is bound to a key. */
static const struct { const char *user, *lines, *want; enum reason refused; const char *exemption; } bound[] = {
	{ "robo", ROBOT, ROBOT_OPTIONS KEY "\n", REASON_KEY_NOT_BOUND, "" },
	{ "dora", BOUND, NULL, REASON_MFA_NOT_ENROLLED, "exemption=r1" },
};

/* Account and session of one login by sshd, which names the key to the first of them or not. */
static void
log_in(const char *user, const char *account_info, const char *session_info, char txn[static 33])
{
	struct msg_account account = { .service = "sshd", .tty = "ssh", .rhost = "192.0.2.7", .ruid = geteuid() };
	struct msg_session_open open = { .service = "sshd", .tty = "ssh", .rhost = "192.0.2.7", .ruid = geteuid() };

	(void)snprintf(account.user, sizeof account.user, "%s", user);
	(void)snprintf(account.auth_info, sizeof account.auth_info, "%s", account_info);
	talk_run(&s, MSG_ACCOUNT, &account, NULL, &t);
	talk_expect(&t, VERDICT_ALLOW, REASON_OK);
	memcpy(txn, t.verdict.txn, 33);
	talk_ack(&t);
	memcpy(open.user, account.user, sizeof open.user);
	(void)snprintf(open.auth_info, sizeof open.auth_info, "%s", session_info);
	memcpy(open.txn, txn, 33);
	talk_run(&s, MSG_SESSION_OPEN, &open, NULL, &t);
	talk_end(&t);
}

START_TEST(granted_when_the_key_is_named)
{
	const char *user = bound[_i].user;
	char named[96], txn[33];

	scene_start(&s, "");
	(void)snprintf(named, sizeof named, "user=%s ", user);
	scene_change_user(&s, user, bound[_i].lines);
	await_lines(user, "192.0.2.7", PRINT, bound[_i].want != NULL ? bound[_i].want :
	    "expiry-time=\"20991231230000Z\" " KEY "\n");
	/* Another key: the session refuses, and nothing before it has called the login granted. */
	log_in(user, "", "publickey " KEY2, txn);
	talk_expect(&t, VERDICT_DENY, bound[_i].refused);
	ck_assert_uint_eq(scene_events(&s, 1, "login denied", named, "note=session", "key=" PRINT2, txn, NULL), 1);
	ck_assert_uint_eq(scene_events(&s, 0, "login granted", named, NULL), 0);
	ck_assert_uint_eq(scene_events(&s, 0, "authentication passed", named, txn, NULL), 1);
	ck_assert_uint_eq(scene_events(&s, 0, "exemption used", named, NULL), 0);
	/* Its twin, the key that it is bound to: granted when the session opens, once, with the key. */
	log_in(user, "", "publickey " KEY, txn);
	talk_expect(&t, VERDICT_ALLOW, REASON_OK);
	ck_assert_uint_eq(scene_events(&s, 1, "session opened", named, "key=" PRINT, txn, NULL), 1);
	ck_assert_uint_eq(scene_events(&s, 1, "login granted", named, "key=" PRINT, txn, bound[_i].exemption, NULL), 1);
	ck_assert_uint_eq(scene_events(&s, 0, "login granted", named, NULL), 1);
	ck_assert_uint_eq(scene_events(&s, 0, "exemption used", named, bound[_i].exemption, NULL), _i == 1 ? 1 : 0);
	/* Where sshd names it to the account stage, that one tells, and the session does not again. */
	log_in(user, "publickey " KEY, "publickey " KEY, txn);
	talk_expect(&t, VERDICT_ALLOW, REASON_OK);
	ck_assert_uint_eq(scene_events(&s, 1, "session opened", named, txn, NULL), 1);
	ck_assert_uint_eq(scene_events(&s, 0, "login granted", named, "key=" PRINT, txn, NULL), 1);
	ck_assert_uint_eq(scene_events(&s, 0, "authentication passed", named, txn, NULL), 0);
	scene_stop(&s);
}
END_TEST

START_TEST(break_glass)
{
	char lines[512], until[32], want[512];
	int64_t now = (int64_t)time(NULL);
	enum reason reason;

	scene_start(&s, "longest-arming = 2h\n");
	account_from("glas", "sshd", "192.0.2.7");
	talk_expect(&t, VERDICT_DENY, REASON_BREAKGLASS_NOT_ARMED);
	talk_end(&t);
	(void)snprintf(lines, sizeof lines, "ismsKey: " KEY "\nismsArmedBy: uid=emil,ou=people,dc=isms,dc=local\n"
	    "ismsArmedReason: disk is full\nismsArmedUntil: %s\n", civil_date_format_generalized(now + 3600, until));
	scene_change_user(&s, "glas", lines);
	(void)snprintf(want, sizeof want, "expiry-time=\"%s\" " KEY "\n", until);
	await_lines("glas", "192.0.2.7", PRINT, want);
	account_from("glas", "sshd", "192.0.2.7");
	talk_expect(&t, VERDICT_ALLOW, REASON_OK);
	ck_assert_int_eq(t.verdict.not_after_utc_sec, now + 3600);
	talk_ack(&t);
	(void)scene_events(&s, 1, "break-glass used", "user=glas", "uid=emil", "disk is full", NULL);
	ck_assert_int_eq(open_session("glas", "192.0.2.7", "publickey " KEY, &reason), VERDICT_ALLOW);
	/* By whatever hand: for longer than is allowed is not armed. */
	(void)snprintf(lines, sizeof lines, "ismsKey: " KEY "\nismsArmedBy: uid=emil,ou=people,dc=isms,dc=local\n"
	    "ismsArmedReason: disk is full\nismsArmedUntil: %s\n", civil_date_format_generalized(now + 30000, until));
	scene_change_user(&s, "glas", lines);
	await_lines("glas", "192.0.2.7", PRINT, "");
	account_from("glas", "sshd", "192.0.2.7");
	talk_expect(&t, VERDICT_DENY, REASON_BREAKGLASS_NOT_ARMED);
	talk_end(&t);
	scene_stop(&s);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ keys_of_people, 0 }, { nobody_whose_time_is_over, ROWS(overs) }, { service_account, 0 },
		{ service_account_has_no_password, 0 }, { granted_when_the_key_is_named, ROWS(bound) }, { break_glass, 0 },
	};

	return suite_run("front_keys", rows, ROWS(rows), 120);
}

/*
 * test_front_local.c - the real front and directory: local accounts that [local] manage puts under policy.
 *
 * Each refusal with its twin: the same person, one fact changed.
 */
#include <config.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/channel.h"
#include "tests/unit/front_scene.h"
#include "tests/unit/suite.h"

static struct scene s;
static struct talk t;

#define PASSWD "root:x:0:0:root:/root:/bin/sh\nhana:x:1501:1501::/home/hana:/bin/sh\nemil:x:1502:1502::/:/bin/sh\n" \
	"mona:x:1503:1503::/:/bin/sh\nbob:x:1504:1504::/:/bin/sh\nghost:x:1505:1505::/:/bin/sh\n" \
	"robo:x:1506:1506::/:/bin/sh\n"
#define GROUPS "root:x:0:\nisms-mfa:x:990:hana\nbarred:x:600:emil,hana\nkept:x:601:hana\nhana:x:1501:\n"
#define POLICY "[role contractor]\nmatch = kind:contractor\nallow-services = sshd login sudo su cron\nmfa = required\n" \
	"keep-groups = kept\ndrop-groups = wheel\n" \
	"[role employee]\nmatch = kind:employee\nallow-services = sshd sudo cron\nmfa = none\n" \
	"[role robot]\nmatch = kind:service kind:break-glass\nallow-services = sshd cron\nmfa = none\n" \
	"[groups]\ndeny-acl = barred\n"

/* The front reads policy.conf at its start. */
static void
begin(const char *managed)
{
	char text[1024];

	scene_start(&s, "");
	scene_kill_front(&s, SIGTERM);
	(void)snprintf(text, sizeof text, POLICY "%s%s%s", *managed != '\0' ? "[local]\nmanage = " : "", managed, "\n");
	scene_write(&s, "etc/isms/policy.conf", text);
	scene_write(&s, "etc/passwd", PASSWD);
	scene_write(&s, "etc/group", GROUPS);
	scene_run_front(&s);
}

static void
auth(const char *user, uint32_t flags, const char *password, const char *code)
{
	const char *const answers[] = { password, code, NULL, NULL };
	struct msg_auth_begin m = { .flags = flags, .ruid = geteuid(), .service = "sshd", .rhost = "192.0.2.7" };

	(void)snprintf(m.user, sizeof m.user, "%s", user);
	talk_run(&s, MSG_AUTH_BEGIN, &m, answers, &t);
	talk_end(&t);
}

static void
account(const char *user, uint32_t flags, const char *proof, enum verdict verdict, enum reason reason)
{
	struct msg_account m = { .flags = flags, .service = "sshd", .rhost = "192.0.2.7" };

	(void)snprintf(m.user, sizeof m.user, "%s", user);
	(void)snprintf(m.proof, sizeof m.proof, "%s", proof);
	talk_run(&s, MSG_ACCOUNT, &m, NULL, &t);
	talk_expect(&t, verdict, reason);
	if (verdict == VERDICT_ALLOW)
		talk_ack(&t);
	else
		talk_end(&t);
}

/* What `why` says, which no module asks: the same, with the ids of this host. */
static void
why(const char *user, enum reason reason, const char *line)
{
	static struct msg_report report;
	struct msg_why m = { .service = "sshd", .factors = FACTOR_PASSWORD | FACTOR_OTP };
	const uid_t owner = geteuid();
	char path[128];
	int fd;

	(void)snprintf(m.user, sizeof m.user, "%s", user);
	scene_path(&s, "run/isms/ismsd.sock", path, sizeof path);
	ck_assert_int_eq(channel_connect(path, &owner, 1, channel_now_ms() + 60000, &fd), 0);
	ck_assert_int_eq(channel_ask(fd, MSG_WHY, &m, MSG_REPORT, &report, channel_now_ms() + 60000), 0);
	(void)close(fd);
	ck_assert_msg(report.reason == reason && strstr(report.lines, line) != NULL, "%s", report.lines);
}

/* The code is ours to check, the password is not: the directory's own is as good as any other, but an empty one is none. */
START_TEST(code_here_password_elsewhere)
{
	begin("hana");
	auth("hana", REQUEST_LOCAL, "some other password", scene_hotp(0));
	talk_expect(&t, VERDICT_ALLOW, REASON_AUTH_PASSED);
	ck_assert_uint_eq(t.prompts, 2);
	account("hana", REQUEST_LOCAL, t.verdict.proof, VERDICT_ALLOW, REASON_OK);
	ck_assert_uint_eq(scene_events(&s, 1, "login granted", "user=hana", NULL), 1);
	why("hana", REASON_OK, "uid=1501\n");		/* not the directory's 2002 */
	why("olga", REASON_OK, "uid=2003\n");
	account("hana", REQUEST_LOCAL, "", VERDICT_DENY, REASON_MFA_REQUIRED);
	auth("hana", REQUEST_LOCAL, "some other password", "000000");
	talk_expect(&t, VERDICT_DENY, REASON_MFA_FAILED);
	auth("hana", REQUEST_LOCAL, "", scene_hotp(1));
	talk_expect(&t, VERDICT_DENY, REASON_PASSWORD_FAILED);
	auth("hana", REQUEST_LOCAL, "some other password", scene_hotp(0));
	talk_expect(&t, VERDICT_DENY, REASON_MFA_REPLAYED);
	auth("hana", REQUEST_LOCAL, "some other password", scene_hotp(1));
	talk_expect(&t, VERDICT_ALLOW, REASON_AUTH_PASSED);
	auth("ada", 0, "some other password", scene_totp(0));		/* the twin of the directory */
	talk_expect(&t, VERDICT_DENY, REASON_PASSWORD_FAILED);
	scene_stop(&s);
}
END_TEST

/* Module and front must be of one mind, or a directory's password would open a local account. */
START_TEST(one_mind_or_nothing)
{
	begin(_i == 0 ? "hana" : "emil");
	auth("hana", _i == 0 ? 0 : REQUEST_LOCAL, SCENE_PASSWORD, scene_hotp(0));
	talk_expect(&t, VERDICT_DENY, REASON_NOT_MANAGED);
	account("hana", _i == 0 ? 0 : REQUEST_LOCAL, "", VERDICT_DENY, REASON_NOT_MANAGED);
	auth("hana", _i == 0 ? REQUEST_LOCAL : 0, SCENE_PASSWORD, scene_hotp(0));
	talk_expect(&t, VERDICT_ALLOW, REASON_AUTH_PASSED);
	account("hana", _i == 0 ? REQUEST_LOCAL : 0, t.verdict.proof, VERDICT_ALLOW, REASON_OK);
	scene_stop(&s);
}
END_TEST

/* Window, kind, and whether there is an entry at all. */
START_TEST(judged_by_the_entry)
{
	begin("emil bob ghost mona");
	account("emil", REQUEST_LOCAL, "", VERDICT_ALLOW, REASON_OK);
	account("mona", REQUEST_LOCAL, "", VERDICT_ALLOW, REASON_OK);	/* pwdReset is about a password that is not used here */
	account("bob", REQUEST_LOCAL, "", VERDICT_EXPIRED, REASON_EXPIRED);
	account("ghost", REQUEST_LOCAL, "", VERDICT_DENY, REASON_UNKNOWN_USER);
	ck_assert_uint_eq(scene_events(&s, 1, "login denied", "user=ghost", "reason=unknown-user", NULL), 1);
	account("carol", 0, "", VERDICT_NOT_OURS, REASON_UNKNOWN_USER);
	scene_change_user(&s, "emil", "pwdAccountLockedTime: 000001010000Z\n");
	scene_await_disabled(&s, "emil");
	account("emil", REQUEST_LOCAL, "", VERDICT_DENY, REASON_DISABLED);
	scene_stop(&s);
}
END_TEST

/* Root is never under policy; a name that is not here, or stands here twice, is nobody's. */
START_TEST(accounts_that_cannot_be)
{
	static const char *const lines[] = {
		"emil:x:0:0::/:/bin/sh\n", "other:x:1502:1502::/:/bin/sh\n",
		"emil:x:1502:1502::/:/bin/sh\nemil:x:0:0::/:/bin/sh\n", "emil:x:1502:1502::/:/bin/sh\nemil:x:1600:1502::/:/bin/sh\n",
	};

	begin("emil");
	scene_write(&s, "etc/passwd", lines[_i]);
	account("emil", REQUEST_LOCAL, "", VERDICT_DENY, REASON_BAD_RECORD);
	scene_write(&s, "etc/passwd", "emil:x:1502:1502::/:/bin/sh\n");
	account("emil", REQUEST_LOCAL, "", VERDICT_ALLOW, REASON_OK);
	scene_stop(&s);
}
END_TEST

/* Nobody takes a local group from a local account: who has one that no role leaves him is refused until he has not. */
START_TEST(groups_that_no_role_leaves)
{
	static const struct { const char *groups; enum reason reason; } rows[] = {
		{ GROUPS "adm:x:4:bob,hana\n", REASON_FORBIDDEN_GROUP },	/* keep-groups does not name it */
		{ GROUPS "adm:x:4:bob\n", REASON_OK },
		{ "isms-mfa:x:990:hana\nbarred:x:600:hana\nkept:x:601:hana\nwheel:x:1501:\n", REASON_FORBIDDEN_GROUP },	/* primary */
		{ "isms-mfa:x:990:hana\nbarred:x:600:hana\nkept:x:601:hana\nhana:x:1501:\n", REASON_OK },
	};

	begin("hana emil");
	scene_write(&s, "etc/group", rows[_i].groups);
	auth("hana", REQUEST_LOCAL, "some other password", scene_hotp(0));
	if (rows[_i].reason != REASON_OK) {
		talk_expect(&t, VERDICT_DENY, rows[_i].reason);
		account("hana", REQUEST_LOCAL, "", VERDICT_DENY, rows[_i].reason == REASON_FORBIDDEN_GROUP && _i == 0 ?
		    REASON_MFA_REQUIRED : rows[_i].reason);
	} else {
		talk_expect(&t, VERDICT_ALLOW, REASON_AUTH_PASSED);
		account("hana", REQUEST_LOCAL, t.verdict.proof, VERDICT_ALLOW, REASON_OK);
	}
	account("emil", REQUEST_LOCAL, "", VERDICT_ALLOW, REASON_OK);
	scene_stop(&s);
}
END_TEST

/* Sessions count under the local uid; a password of such an account is never changed here. */
START_TEST(sessions_and_passwords)
{
	struct msg_session_open open = { .user = "emil", .service = "sshd", .flags = REQUEST_LOCAL };
	struct msg_change_begin change = { .user = "emil", .service = "sshd", .flags = REQUEST_LOCAL };

	begin("emil");
	talk_run(&s, MSG_SESSION_OPEN, &open, NULL, &t);
	talk_expect(&t, VERDICT_ALLOW, REASON_OK);
	talk_end(&t);
	ck_assert_uint_eq(scene_events(&s, 1, "session opened", "user=emil", NULL), 1);
	why("emil", REASON_OK, "uid=1502\n");
	talk_run(&s, MSG_CHANGE_BEGIN, &change, NULL, &t);
	talk_expect(&t, VERDICT_DENY, REASON_NOT_MANAGED);
	talk_end(&t);
	scene_stop(&s);
}
END_TEST

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJwcbgZh5k/FdMefRGw0mP0bb60T5OtVxV6e73Rk/47Q"
#define ROBOT "ismsKey: " KEY " backup\nismsSource: 192.0.2.0/24\nismsCommand: /bin/backup\n"

/* What binds a key to one command, sshd hears of the directory's users only: at a local account it would open a shell. */
START_TEST(no_shell_by_the_key_of_a_service)
{
	struct msg_session_open open = { .user = "robo", .service = "sshd", .rhost = "192.0.2.7", .auth_info = "publickey " KEY,
		.flags = _i == 0 ? REQUEST_LOCAL : 0 };
	struct msg_account cron = { .user = "robo", .service = "cron", .flags = open.flags };
	enum verdict verdict = _i == 0 ? VERDICT_DENY : VERDICT_ALLOW;
	enum reason reason = _i == 0 ? REASON_KIND_NOT_INTERACTIVE : REASON_OK;

	begin(_i == 0 ? "robo" : "emil");
	scene_kill_directory(&s, SIGTERM);
	scene_change_user(&s, "robo", ROBOT);
	scene_run_directory(&s);
	account("robo", open.flags, "", verdict, reason);
	talk_run(&s, MSG_SESSION_OPEN, &open, NULL, &t);
	talk_expect(&t, verdict, reason);
	talk_end(&t);
	talk_run(&s, MSG_ACCOUNT, &cron, NULL, &t);
	talk_expect(&t, VERDICT_ALLOW, REASON_OK);	/* it has no use for a key */
	talk_ack(&t);
	if (_i == 0)
		ck_assert_uint_ge(scene_events(&s, 1, "login denied", "user=robo", "nothing binds a local account's key", NULL), 1);
	scene_stop(&s);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ code_here_password_elsewhere, 0 }, { one_mind_or_nothing, 2 }, { judged_by_the_entry, 0 },
		{ accounts_that_cannot_be, 4 }, { groups_that_no_role_leaves, 4 }, { sessions_and_passwords, 0 },
		{ no_shell_by_the_key_of_a_service, 2 },
	};

	return suite_run("front_local", rows, ROWS(rows), SUITE_PATIENCE_SEC);
}

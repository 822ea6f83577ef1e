/*
 * test_pam_front.c - pam_isms.so with the real front, directory and publisher behind it (CASES PA, PX).
 */
#include <config.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "common/channel.h"
#include "common/civil_date.h"
#include "tests/pam/house.h"

static struct house house;
static struct scene scene;
/*
 * Codes of this step and the next, each good once. Not of the one before: when the step changes between the making of
 * a code and its check, that one would be too old.
 */
static char codes[2][9];

/* How many password checks the directory process has received: it alone decodes that message. Shared with it. */
static _Atomic unsigned *checks;

int __real_proto_decode(const struct message_info *info, const uint8_t *buf, size_t size, void *ret_msg);
int __wrap_proto_decode(const struct message_info *info, const uint8_t *buf, size_t size, void *ret_msg);

int
__wrap_proto_decode(const struct message_info *info, const uint8_t *buf, size_t size, void *ret_msg)
{
	if (info->number == MSG_PASSWORD_CHECK)
		(*checks)++;
	return __real_proto_decode(info, buf, size, ret_msg);
}

static void
setup(void)
{
	checks = mmap(NULL, sizeof *checks, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(checks, MAP_FAILED);
	house_open(&house);
	scene_open(&scene);
}

static void
teardown(void)
{
	scene_close(&scene);
	house_close(&house);
	ck_assert_int_eq(munmap((void *)checks, sizeof *checks), 0);
}

/* One auth of a person who types these two. */
static int
authenticate(const char *service, const char *user, const char *password, const char *code)
{
	static struct typed words[3];

	words[0] = (struct typed){ REPLY_TEXT, password };
	words[1] = (struct typed){ REPLY_TEXT, code };
	words[2] = (struct typed){ REPLY_NONE, NULL };
	scene_start(&scene, service, user);
	scene.typed = words;
	return pam_authenticate(scene.pamh, 0);
}

/* The way in, to the end: the twin of every refusal here. */
static void
logs_in(const char *service, const char *user, int step)
{
	ck_assert_int_eq(authenticate(service, user, HOUSE_PASSWORD, house_code(step, codes[0])), PAM_SUCCESS);
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, 0), PAM_SUCCESS);
	ck_assert_int_eq(pam_open_session(scene.pamh, 0), PAM_SUCCESS);
	ck_assert_int_eq(pam_close_session(scene.pamh, 0), PAM_SUCCESS);
}

START_TEST(whole_login)
{
	char txn[64], part[96];

	logs_in("login", "ada", 0);
	(void)snprintf(txn, sizeof txn, "%s", pam_getenv(scene.pamh, "ISMS_TXN"));
	(void)snprintf(part, sizeof part, "txn=%s", txn);
	ck_assert_uint_eq(house_events(&house, "authentication passed"), 1);
	ck_assert_uint_eq(house_events(&house, "login granted"), 1);
	ck_assert_uint_eq(house_events(&house, "session opened"), 1);
	if (getenv("ISMS_VALGRIND") == NULL)	/* Debian 12's knows no pidfd_open(), without which no session is watched */
		ck_assert_uint_eq(house_events(&house, "session closed"), 1);
	ck_assert_uint_eq(house_events(&house, "login denied"), 0);
	ck_assert_uint_eq(scene_event_count(&scene), 0);
}
END_TEST

START_TEST(pa01a_front_killed)
{
	const int64_t deadline_ms = channel_now_ms() + 60000;

	house_kill(&house, HOUSE_FRONT, SIGKILL);
	ck_assert_int_eq(authenticate("login", "ada", HOUSE_PASSWORD, house_code(0, codes[0])), PAM_AUTH_ERR);
	ck_assert_uint_eq(scene.asked, 0);
	ck_assert(scene_saw(&scene, PAM_ERROR_MSG, SCENE_UNAVAILABLE HOUSE_CONTACT));
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, 0), PAM_PERM_DENIED);
	ck_assert_uint_eq(scene_event_count(&scene), 2);
	scene_start(&scene, "login", "bob");
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, 0), PAM_USER_UNKNOWN);
	house_start(&house, HOUSE_FRONT);
	do {
		ck_assert_int_lt(channel_now_ms(), deadline_ms);
		(void)usleep(10000);
		scene_start(&scene, "login", "ada");
		ck_assert_int_eq(pam_acct_mgmt(scene.pamh, PAM_SILENT), PAM_PERM_DENIED);
	} while (house_events(&house, "reason=mfa-required") == 0);
	logs_in("login", "ada", 0);
}
END_TEST

START_TEST(pa01a_directory_killed)
{
	house_kill(&house, HOUSE_DIRECTORY, SIGKILL);
	ck_assert_int_eq(authenticate("login", "ada", HOUSE_PASSWORD, house_code(0, codes[0])), PAM_AUTH_ERR);
	ck_assert_uint_eq(house_events(&house, "reason=directory-unavailable"), 1);
	ck_assert_uint_eq(scene_event_count(&scene), 0);
}
END_TEST

/* Take the front's next message, which must be this one. */
static void
take(int fd, enum message want, void *ret)
{
	static uint8_t frame[PROTO_FRAME_MAX];
	const struct message_info *info;
	size_t size;

	ck_assert_int_eq(channel_recv(fd, frame, sizeof frame, channel_now_ms() + 20000, &info, &size), 0);
	ck_assert_int_eq(info->number, want);
	ck_assert_int_eq(proto_decode(info, frame, size, ret), 0);
}

/* A caller that gives these answers as they are, past all that our module refuses to send. */
static void
authenticate_raw(const char *password, const char *code, struct msg_verdict *ret)
{
	const struct msg_auth_begin begin = { .user = "ada", .service = "login", .flags = REQUEST_DISALLOW_NULL };
	const char *const words[] = { password, code };
	const uid_t me = getuid();
	struct msg_prompt prompt;
	char path[256];
	int fd;

	(void)snprintf(path, sizeof path, "%s/run/isms/ismsd.sock", house.root);
	ck_assert_int_eq(channel_connect(path, &me, 1, channel_now_ms() + 20000, &fd), 0);
	ck_assert_int_eq(channel_send(fd, MSG_AUTH_BEGIN, &begin, channel_now_ms() + 20000), 0);
	for (int i = 0; i < ROWS(words); i++) {
		struct msg_answer answer = { .outcome = ANSWER_GIVEN };

		take(fd, MSG_PROMPT, &prompt);
		(void)snprintf(answer.text, sizeof answer.text, "%s", words[i]);
		ck_assert_int_eq(channel_send(fd, MSG_ANSWER, &answer, channel_now_ms() + 20000), 0);
	}
	take(fd, MSG_VERDICT, ret);
	(void)close(fd);
}

START_TEST(pa02a_empty_password)
{
	struct msg_verdict verdict;

	ck_assert_int_eq(authenticate("login", "ada", "", house_code(0, codes[0])), PAM_AUTH_ERR);
	ck_assert_uint_eq(house_events(&house, "login denied"), 1);
	authenticate_raw("", house_code(0, codes[0]), &verdict);
	ck_assert_uint_eq(verdict.verdict, VERDICT_DENY);
	ck_assert_uint_eq(house_events(&house, "login denied"), 2);
	ck_assert_uint_eq(*checks, 0);
	authenticate_raw("x", house_code(0, codes[0]), &verdict);	/* one letter, and it is looked at */
	ck_assert_uint_eq(verdict.verdict, VERDICT_DENY);
	ck_assert_uint_eq(*checks, 1);
	logs_in("login", "ada", 0);		/* the code is still good */
	ck_assert_uint_eq(*checks, 2);
}
END_TEST

/* use_first_pass, and nothing or an empty text before: nobody is asked, and nothing is checked. */
START_TEST(pa11a_first_pass)
{
	static const char *const before[] = { "", "auth optional " TEST_GIVER " empty\n",
		"auth optional " TEST_GIVER " [" HOUSE_PASSWORD "]\n" };
	const struct typed code[] = { { REPLY_TEXT, house_code(0, codes[1]) }, { REPLY_NONE, NULL } };
	char stack[1024];

	for (unsigned i = 0; i < ROWS(before); i++) {
		bool given = i == 2;

		(void)snprintf(stack, sizeof stack, "%sauth required " TEST_MODULE " use_first_pass\n"
		    "account required " TEST_MODULE "\n", before[i]);
		scene_write(&scene, "login", stack);
		scene_start(&scene, "login", "ada");
		scene.typed = code;
		ck_assert_int_eq(pam_authenticate(scene.pamh, 0), given ? PAM_SUCCESS : PAM_AUTH_ERR);
		ck_assert_uint_eq(scene.asked + scene.beyond, given ? 1 : 0);	/* the code is asked for */
		ck_assert_uint_eq(*checks, given ? 1 : 0);
		ck_assert_uint_eq(house_events(&house, "login denied"), given ? 2 : i + 1);
	}
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, 0), PAM_SUCCESS);
}
END_TEST

START_TEST(pa06a_user_changed)
{
	ck_assert_int_eq(authenticate("login", "ada", HOUSE_PASSWORD, house_code(0, codes[0])), PAM_SUCCESS);
	ck_assert_int_eq(pam_set_item(scene.pamh, PAM_USER, "eve"), PAM_SUCCESS);
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, 0), PAM_PERM_DENIED);
	ck_assert_uint_eq(house_events(&house, "denied reason=mfa-required"), 1);
	logs_in("login", "eve", 0);
}
END_TEST

/* In the directory, with a right password and code: local all the same. */
static void
is_local(const char *name)
{
	char part[64];

	ck_assert_int_eq(authenticate("login", name, HOUSE_PASSWORD, house_code(0, codes[0])), PAM_USER_UNKNOWN);
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, 0), PAM_USER_UNKNOWN);
	ck_assert_uint_eq(scene.lines, 0);
	(void)snprintf(part, sizeof part, "user=%s", name);
	ck_assert_uint_eq(house_events(&house, part), 0);
	ck_assert_uint_eq(*checks, 0);
	logs_in("login", "ada", 0);
}

START_TEST(pa08a_local_first)
{
	is_local("bob");
}
END_TEST

START_TEST(pa09a_root)
{
	is_local("root");
}
END_TEST

/* A contractor without an end gets nowhere, not even where nothing is asked; given one, he does. */
START_TEST(px03a_missing)
{
	char end[32];

	scene_start(&scene, "cron", "endless");
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, PAM_SILENT), PAM_PERM_DENIED);
	ck_assert_uint_eq(house_events(&house, "login denied"), 1);
	ck_assert_uint_eq(house_events(&house, "denied reason=no-expiry"), 1);
	house_edit(&house, "endless", "pwdEndTime", civil_date_format_generalized(time(NULL) + 86400, end));
	scene_start(&scene, "cron", "endless");
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, PAM_SILENT), PAM_SUCCESS);
	logs_in("login", "endless", 0);
}
END_TEST

/* Unknown, wrong password, wrong code, locked, disabled, expired, unenrolled: byte for byte the same. */
START_TEST(pa10a_enumeration)
{
	static const struct { const char *user, *password, *code, *reason; int rc; } cases[] = {
		{ "nobody-there", HOUSE_PASSWORD, NULL, "unknown-user", PAM_USER_UNKNOWN },
		{ "ada", "wrong", NULL, "password-failed", PAM_AUTH_ERR },
		{ "ada", HOUSE_PASSWORD, "000000", "mfa-failed", PAM_AUTH_ERR },
		{ "locked", HOUSE_PASSWORD, NULL, "locked", PAM_AUTH_ERR },
		{ "disabled", HOUSE_PASSWORD, NULL, "disabled", PAM_AUTH_ERR },
		{ "expired", HOUSE_PASSWORD, NULL, "expired", PAM_AUTH_ERR },
		{ "unenrolled", HOUSE_PASSWORD, NULL, "mfa-not-enrolled", PAM_AUTH_ERR },
		{ "endless", HOUSE_PASSWORD, NULL, "no-expiry", PAM_AUTH_ERR },
	};
	struct scene first = { .lines = 0 };
	char reason[64];

	for (int i = 0; i < ROWS(cases); i++) {
		const char *code = cases[i].code == NULL ? house_code(0, codes[0]) : cases[i].code;

		ck_assert_msg(authenticate("sshd", cases[i].user, cases[i].password, code) == cases[i].rc, "%s", cases[i].reason);
		if (i == 0)
			first = scene;
		ck_assert_uint_eq(scene.lines, 3);
		ck_assert_mem_eq(scene.line, first.line, sizeof scene.line);
		(void)snprintf(reason, sizeof reason, "reason=%s", cases[i].reason);
		ck_assert_msg(house_events(&house, reason) == 1, "%s", reason);
	}
	ck_assert_uint_eq(house_events(&house, "nobody-there"), 0);
	ck_assert_str_eq(scene.line[2].text, "Access refused. If you should have access, contact " HOUSE_CONTACT ".");
	logs_in("sshd", "eve", 0);
}
END_TEST

START_TEST(pa13a_nothing_proven)
{
	scene_start(&scene, "sshd", "ada");
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, 0), PAM_PERM_DENIED);
	ck_assert_uint_eq(house_events(&house, "reason=mfa-required"), 1);
	/* a key alone neither: sshd's account stage after a login by key */
	ck_assert_int_eq(pam_putenv(scene.pamh, "SSH_AUTH_INFO_0="), PAM_SUCCESS);
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, 0), PAM_PERM_DENIED);
	/* unattended: nothing can be proven, nothing is asked */
	scene_start(&scene, "cron", "ada");
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, PAM_SILENT), PAM_SUCCESS);
	scene_start(&scene, "cron", "expired");
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, PAM_SILENT), PAM_ACCT_EXPIRED);
}
END_TEST

#define KEY "SSH_AUTH_INFO_0=publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJv"

/* publickey, then keyboard-interactive: the code alone is asked for; and not for su, which can claim anything (pa14a). */
START_TEST(pa14a_key_and_code)
{
	const struct typed code[] = { { REPLY_TEXT, house_code(0, codes[1]) }, { REPLY_NONE, NULL } };

	scene_start(&scene, "su", "ada");
	scene.typed = code;
	ck_assert_int_eq(pam_putenv(scene.pamh, KEY), PAM_SUCCESS);
	ck_assert_int_eq(pam_authenticate(scene.pamh, 0), PAM_AUTH_ERR);
	ck_assert_str_eq(scene.line[0].text, "Password: ");
	scene_start(&scene, "sshd", "ada");
	scene.typed = code;
	ck_assert_int_eq(pam_putenv(scene.pamh, KEY), PAM_SUCCESS);
	ck_assert_int_eq(pam_authenticate(scene.pamh, 0), PAM_SUCCESS);
	ck_assert_uint_eq(scene.asked, 1);
	ck_assert_str_eq(scene.line[0].text, "One-time code: ");
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, 0), PAM_SUCCESS);
}
END_TEST

/* sshd's PasswordAuthentication: cannot show the second question; says so, and counts no failure. */
START_TEST(password_authentication)
{
	const struct typed words[] = { { REPLY_TEXT, HOUSE_PASSWORD }, { REPLY_ERROR, NULL }, { REPLY_NONE, NULL } };

	for (int i = 0; i < 6; i++) {
		scene_start(&scene, "sshd", "ada");
		scene.typed = words;
		ck_assert_int_eq(pam_authenticate(scene.pamh, 0), PAM_AUTH_ERR);
	}
	ck_assert_uint_ge(house_events(&house, "reason=mfa-needs-keyboard-interactive"), 5);
	logs_in("sshd", "ada", 0);
}
END_TEST

START_TEST(code_replayed)
{
	logs_in("login", "ada", 0);
	ck_assert_int_eq(authenticate("login", "ada", HOUSE_PASSWORD, codes[0]), PAM_AUTH_ERR);
	ck_assert_uint_eq(house_events(&house, "reason=mfa-replayed"), 1);
	logs_in("login", "ada", 1);
}
END_TEST

START_TEST(px06a_must_change)
{
	static const char fresh[] = "another good phrase";
	const struct typed words[] = { { REPLY_TEXT, fresh }, { REPLY_TEXT, fresh }, { REPLY_NONE, NULL } };

	scene_start(&scene, "cron", "mustchange");
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, PAM_SILENT), PAM_PERM_DENIED);
	ck_assert_int_eq(authenticate("sshd", "mustchange", HOUSE_PASSWORD, house_code(0, codes[0])), PAM_SUCCESS);
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, 0), PAM_NEW_AUTHTOK_REQD);
	scene.typed = words;
	scene.asked = 0;
	ck_assert_int_eq(pam_chauthtok(scene.pamh, PAM_CHANGE_EXPIRED_AUTHTOK), PAM_SUCCESS);
	ck_assert_int_eq(pam_open_session(scene.pamh, 0), PAM_SUCCESS);
	ck_assert_int_eq(authenticate("sshd", "mustchange", HOUSE_PASSWORD, house_code(1, codes[0])), PAM_AUTH_ERR);
	ck_assert_int_eq(authenticate("sshd", "mustchange", fresh, house_code(1, codes[0])), PAM_SUCCESS);
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, 0), PAM_SUCCESS);
}
END_TEST

START_TEST(px07a_disabled_between)
{
	ck_assert_int_eq(authenticate("sshd", "ada", HOUSE_PASSWORD, house_code(0, codes[0])), PAM_SUCCESS);
	house_edit(&house, "ada", "pwdAccountLockedTime", "000001010000Z");
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, 0), PAM_PERM_DENIED);
	ck_assert_uint_eq(house_events(&house, "denied reason=disabled"), 1);
	house_edit(&house, "ada", "pwdAccountLockedTime", NULL);
	logs_in("sshd", "ada", 1);
	house_edit(&house, "ada", "pwdAccountLockedTime", "000001010000Z");
	ck_assert_int_eq(pam_open_session(scene.pamh, 0), PAM_SESSION_ERR);
}
END_TEST

START_TEST(password_change)
{
	static const char fresh[] = "another good phrase";
	const struct typed words[] = {
		{ REPLY_TEXT, HOUSE_PASSWORD }, { REPLY_TEXT, house_code(0, codes[1]) }, { REPLY_TEXT, fresh }, { REPLY_TEXT, fresh },
		{ REPLY_NONE, NULL },
	};

	scene_start(&scene, "login", "ada");
	scene.typed = words;
	ck_assert_int_eq(pam_chauthtok(scene.pamh, 0), PAM_SUCCESS);
	ck_assert_uint_eq(scene.asked, 4);
	ck_assert_int_eq(authenticate("login", "ada", fresh, house_code(1, codes[0])), PAM_SUCCESS);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ whole_login, 0 }, { pa01a_front_killed, 0 }, { pa01a_directory_killed, 0 }, { pa02a_empty_password, 0 },
		{ pa06a_user_changed, 0 }, { pa08a_local_first, 0 }, { pa09a_root, 0 }, { pa10a_enumeration, 0 },
		{ pa11a_first_pass, 0 }, { px03a_missing, 0 }, { pa13a_nothing_proven, 0 },
		{ pa14a_key_and_code, 0 }, { password_authentication, 0 }, { code_replayed, 0 }, { px06a_must_change, 0 },
		{ px07a_disabled_between, 0 }, { password_change, 0 },
	};

	return scene_run("pam_front", rows, ROWS(rows), setup, teardown);
}

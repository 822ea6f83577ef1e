/*
 * test_front_limits.c - what one caller may cost another, with the real front: open prompts and counted failures.
 */
#include <config.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/channel.h"
#include "daemon/front.h"
#include "tests/unit/front_scene.h"
#include "tests/unit/suite.h"

#define DEADLINE (channel_now_ms() + 120000)

static struct scene s;
static struct talk t;

/* Prompts that one caller of su leaves open cost the others nothing, and closed ones make room again. */
START_TEST(open_prompts_of_one_caller)
{
	struct msg_auth_begin m = { .user = "hana", .service = "su", .ruid = 1234 };
	struct msg_prompt prompt;
	int fd[16], one;

	scene_start(&s, "");
	for (unsigned i = 0; i < 16; i++) {
		fd[i] = scene_connect(&s);
		ck_assert_int_eq(channel_ask(fd[i], MSG_AUTH_BEGIN, &m, MSG_PROMPT, &prompt, DEADLINE), 0);
	}
	one = scene_connect(&s);
	ck_assert_int_lt(channel_ask(one, MSG_AUTH_BEGIN, &m, MSG_PROMPT, &prompt, DEADLINE), 0);
	(void)close(one);
	m.ruid = 1235;
	one = scene_connect(&s);
	ck_assert_int_eq(channel_ask(one, MSG_AUTH_BEGIN, &m, MSG_PROMPT, &prompt, DEADLINE), 0);
	(void)close(one);
	m.ruid = geteuid();
	one = scene_connect(&s);
	ck_assert_int_eq(channel_ask(one, MSG_AUTH_BEGIN, &m, MSG_PROMPT, &prompt, DEADLINE), 0);
	(void)close(one);
	for (unsigned i = 0; i < 16; i++)
		(void)close(fd[i]);
	m.ruid = 1234;
	one = scene_connect(&s);
	ck_assert_int_eq(channel_ask(one, MSG_AUTH_BEGIN, &m, MSG_PROMPT, &prompt, DEADLINE), 0);
	(void)close(one);
	scene_stop(&s);
}
END_TEST

/* Who asks, as a root peer says it. uid 0 stands for the peer's own, which is root's here. */
static const struct {
	const char *service, *ruser;
	uint32_t ruid;
	bool is_own;
} askers[] = {
	{ "su", "mallory", 1234, false },
	{ "su", "hana", 1234, false },		/* polkit's helper: anybody starts it with any name */
	{ "su", "", 1234, false },		/* su by a uid without a name */
	{ "sudo", "hana", 2003, false },	/* another managed user */
	{ "login", "hana", 1234, false },
	{ "login", "hana", 0, false },		/* the same helper, started by a socket */
	{ "sudo", "hana", 2002, true },
	{ "su", "", 2002, true },		/* a program that names nobody */
	{ "login", "", 0, true },
};

static struct msg_auth_begin
asks(const char *service, const char *ruser, uint32_t ruid)
{
	struct msg_auth_begin m = { .user = "hana", .ruid = ruid == 0 ? geteuid() : ruid };

	(void)snprintf(m.service, sizeof m.service, "%s", service);
	(void)snprintf(m.ruser, sizeof m.ruser, "%s", ruser);
	return m;
}

/* Another local user's attempts lock his own, and neither sudo nor console of the person; the person's own lock both. */
START_TEST(failures_of_others)
{
	const struct msg_auth_begin m = asks(askers[_i].service, askers[_i].ruser, askers[_i].ruid);
	const struct msg_auth_begin own[] = { asks("sudo", "hana", 2002), asks("login", "", 0), asks("su", "", 2002) };
	const char *wrong[] = { "wrong", "000000", NULL, NULL }, *right[] = { SCENE_PASSWORD, NULL, NULL, NULL };

	scene_start(&s, "[mfa]\ndelay-after = 100\nlock-after = 2\nlock-time = 15m\n");
	for (unsigned i = 0; i < 2; i++) {
		talk_run(&s, MSG_AUTH_BEGIN, &m, wrong, &t);
		talk_end(&t);
		talk_expect(&t, VERDICT_DENY, REASON_PASSWORD_FAILED);
	}
	right[1] = scene_hotp(0);
	talk_run(&s, MSG_AUTH_BEGIN, &m, right, &t);
	talk_end(&t);
	talk_expect(&t, VERDICT_DENY, REASON_MFA_LOCKED);
	for (unsigned i = 0; i < ROWS(own); i++) {
		right[1] = scene_hotp(i);
		talk_run(&s, MSG_AUTH_BEGIN, &own[i], right, &t);
		talk_end(&t);
		if (askers[_i].is_own)
			talk_expect(&t, VERDICT_DENY, REASON_MFA_LOCKED);
		else
			talk_expect(&t, VERDICT_ALLOW, REASON_AUTH_PASSED);
	}
	scene_stop(&s);
}
END_TEST

static const char subuid_text[] = "mallory:300000:65536\ntrent:400000:65536\n";

static int
prompts(uint32_t ruid)
{
	const struct msg_auth_begin m = asks("su", "", ruid);
	struct msg_prompt prompt;
	int fd = scene_connect(&s);

	ck_assert_int_ge(fd, 0);
	if (channel_ask(fd, MSG_AUTH_BEGIN, &m, MSG_PROMPT, &prompt, DEADLINE) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

/* Ids that one person has in user namespaces are one caller, whether /etc/subuid lends them or something else. */
START_TEST(open_prompts_of_one_range)
{
	static const struct { uint32_t first, last, after, others; } ranges[] = {
		{ 300000, 300015, 365535, 400000 }, { 700000, 700015, 4000000000, 300000 }, { 700000, 700015, 365536, 1234 },
	};
	int fd[16], one;

	scene_start(&s, "");
	scene_write(&s, "etc/subuid", subuid_text);
	for (uint32_t ruid = ranges[_i].first; ruid <= ranges[_i].last; ruid++) {
		fd[ruid - ranges[_i].first] = prompts(ruid);
		ck_assert_int_ge(fd[ruid - ranges[_i].first], 0);
	}
	ck_assert_int_lt(prompts(ranges[_i].after), 0);
	one = prompts(ranges[_i].others);
	ck_assert_int_ge(one, 0);
	(void)close(one);
	for (unsigned i = 0; i < 16; i++)
		(void)close(fd[i]);
	scene_stop(&s);
}
END_TEST

/* They share the failures that they may make freely, too. */
START_TEST(failures_of_one_range)
{
	const char *wrong[] = { "wrong", "000000", NULL, NULL }, *right[] = { SCENE_PASSWORD, scene_hotp(0), NULL, NULL };
	struct msg_auth_begin m;

	scene_start(&s, "[mfa]\ndelay-after = 100\nlock-after = 1000\n");
	scene_write(&s, "etc/subuid", subuid_text);
	for (unsigned i = 0; i < 40 && t.verdict.reason != REASON_MFA_LOCKED; i++) {
		m = asks("su", "", 300000 + i);
		talk_run(&s, MSG_AUTH_BEGIN, &m, wrong, &t);
		talk_end(&t);
		ck_assert_int_eq(t.verdict.verdict, VERDICT_DENY);
	}
	talk_expect(&t, VERDICT_DENY, REASON_MFA_LOCKED);
	m = asks("su", "", 400000);
	talk_run(&s, MSG_AUTH_BEGIN, &m, right, &t);
	talk_end(&t);
	talk_expect(&t, VERDICT_ALLOW, REASON_AUTH_PASSED);
	scene_stop(&s);
}
END_TEST

static int
open_account(const char *user)
{
	struct msg_account m = { .flags = 0 };
	int fd = scene_connect(&s);

	ck_assert_int_ge(fd, 0);
	(void)snprintf(m.user, sizeof m.user, "%s", user);
	(void)snprintf(m.service, sizeof m.service, "cron");
	ck_assert_int_eq(channel_send(fd, MSG_ACCOUNT, &m, DEADLINE), 0);
	return fd;
}

/* Whether the account stage was judged; else the front has hung up. The connection stays open: nobody acknowledges. */
static bool
is_judged(int fd)
{
	static uint8_t frame[PROTO_FRAME_MAX];
	const struct message_info *info;
	size_t size;
	int r = channel_recv(fd, frame, sizeof frame, DEADLINE, &info, &size);

	if (r == 0)
		ck_assert_uint_eq(info->number, MSG_VERDICT);
	else
		ck_assert_int_eq(r, -ECONNRESET);
	return r == 0;
}

/* Who keeps his own jobs from acknowledging, and starts more, refuses himself and nobody else. */
START_TEST(open_requests_of_one_user)
{
	struct msg_session_open m = { .user = "emil", .service = "cron" };
	int fd[FRONT_PER_USER_MAX], one;

	scene_start(&s, "");
	for (unsigned i = 0; i < FRONT_PER_USER_MAX; i++) {
		fd[i] = open_account("emil");
		ck_assert(is_judged(fd[i]));
	}
	one = open_account("emil");
	ck_assert(!is_judged(one));
	(void)close(one);
	one = scene_connect(&s);
	ck_assert_int_eq(channel_send(one, MSG_SESSION_OPEN, &m, DEADLINE), 0);
	ck_assert(!is_judged(one));
	(void)close(one);
	one = open_account("ada");
	ck_assert(is_judged(one));
	(void)close(one);
	for (unsigned i = 0; i < FRONT_PER_USER_MAX; i++)
		(void)close(fd[i]);
	one = open_account("emil");
	ck_assert(is_judged(one));
	(void)close(one);
	scene_stop(&s);
}
END_TEST

/* Every place is taken: a job of root's that comes then waits for one, and is granted. */
START_TEST(no_place_is_no_refusal)
{
	const struct msg_auth_begin m = { .user = "hana", .service = "su", .ruid = geteuid() };
	const struct msg_ack ack = { { 0 } };
	struct msg_prompt prompt;
	int fd[SERVER_CONNECTIONS_MAX], late;

	scene_start(&s, "");
	for (unsigned i = 0; i < SERVER_CONNECTIONS_MAX; i++) {
		fd[i] = scene_connect(&s);
		ck_assert_int_eq(channel_ask(fd[i], MSG_AUTH_BEGIN, &m, MSG_PROMPT, &prompt, DEADLINE), 0);
	}
	late = open_account("emil");
	(void)usleep(100000);
	ck_assert_int_eq(recv(late, &prompt, sizeof prompt, MSG_DONTWAIT), -1);
	ck_assert_int_eq(errno, EAGAIN);
	(void)close(fd[0]);
	ck_assert(is_judged(late));
	ck_assert_int_eq(channel_send(late, MSG_ACK, &ack, DEADLINE), 0);
	ck_assert_uint_eq(scene_events(&s, 1, "login granted", "user=emil ", "service=cron ", NULL), 1);
	(void)close(late);
	for (unsigned i = 1; i < SERVER_CONNECTIONS_MAX; i++)
		(void)close(fd[i]);
	scene_stop(&s);
}
END_TEST

/* From here on a look at a password takes the directory process a good while. */
static void
make_checks_slow(void)
{
	static char text[65536];		/* the file has a tenth of that */
	char path[128], *at;
	FILE *f;

	scene_path(&s, "var/lib/isms/directory/directory.ldif", path, sizeof path);
	f = fopen(path, "r+");
	ck_assert_ptr_nonnull(f);
	text[fread(text, 1, sizeof text - 1, f)] = '\0';
	ck_assert_ptr_nonnull(strstr(text, "rounds=1000$"));
	while ((at = strstr(text, "rounds=1000$")) != NULL) {
		memmove(at + 14, at + 12, strlen(at + 12) + 1);
		memcpy(at, "rounds=999999$", 14);
	}
	rewind(f);
	ck_assert_uint_eq(fwrite(text, 1, strlen(text), f), strlen(text));
	ck_assert_int_eq(fclose(f), 0);
}

/* An attempt with a wrong password, whose check is under way. */
static int
begin_attempt(void)
{
	const struct msg_auth_begin m = { .user = "hana", .service = "su", .ruser = "hana", .ruid = 2002 };
	struct msg_answer answer = { .outcome = ANSWER_GIVEN };
	struct msg_prompt prompt;
	int fd = scene_connect(&s);

	ck_assert_int_eq(channel_ask(fd, MSG_AUTH_BEGIN, &m, MSG_PROMPT, &prompt, DEADLINE), 0);
	(void)snprintf(answer.text, sizeof answer.text, "wrong");
	ck_assert_int_eq(channel_ask(fd, MSG_ANSWER, &answer, MSG_PROMPT, &prompt, DEADLINE), 0);
	(void)snprintf(answer.text, sizeof answer.text, "000000");
	ck_assert_int_eq(channel_send(fd, MSG_ANSWER, &answer, DEADLINE), 0);
	(void)usleep(100000);
	return fd;
}

/* The failure is counted before the look: whoever kills su meanwhile locks nobody without a trace. */
START_TEST(callers_that_vanish_in_the_check)
{
	const char *right[] = { SCENE_PASSWORD, scene_hotp(0), NULL, NULL };
	const struct msg_auth_begin m = { .user = "hana", .service = "su", .ruser = "hana", .ruid = 2002 };
	unsigned n = 0, seen = 0;
	struct msg_prompt prompt;
	int64_t began_ms;
	int fd;

	if (getenv("ISMS_VALGRIND") != NULL)	/* there a check that is slow by itself is over the time that it has */
		return;
	scene_start(&s, "[mfa]\ndelay-after = 100\nlock-after = 3\nlock-time = 15m\n[events]\naggregate-after = 100\n");
	scene_kill_directory(&s, SIGTERM);
	make_checks_slow();
	scene_run_directory(&s);
	/* Who hangs up at a prompt has not been checked. */
	fd = scene_connect(&s);
	ck_assert_int_eq(channel_ask(fd, MSG_AUTH_BEGIN, &m, MSG_PROMPT, &prompt, DEADLINE), 0);
	(void)close(fd);
	while (n < 30 && (n < 3 || scene_events(&s, 1, "second factor locked", NULL) == 0)) {
		began_ms = channel_now_ms();
		(void)close(begin_attempt());
		seen += channel_now_ms() - began_ms < 250;	/* else the machine was so slow that the check may be over */
		n++;
		ck_assert_uint_eq(scene_events(&s, n, "login denied", "user=hana ", "service=su ", "reason=password-failed ", NULL), n);
		ck_assert_uint_ge(scene_events(&s, seen, "login denied",
		    "note=\"the caller hung up during the check\"", NULL), seen);
	}
	ck_assert_uint_eq(scene_events(&s, 1, "second factor locked", "user=hana ", "reason=mfa-locked ", NULL), 1);
	talk_run(&s, MSG_AUTH_BEGIN, &m, right, &t);
	talk_end(&t);
	talk_expect(&t, VERDICT_DENY, REASON_MFA_LOCKED);
	ck_assert_uint_eq(scene_events(&s, 1, "login denied", "reason=mfa-locked ", NULL), 1);
	ck_assert_uint_eq(scene_events(&s, 0, "login denied", NULL), n + 1);
	scene_stop(&s);
}
END_TEST

/* The front that is stopped is not a caller that hangs up: the module reports that refusal. */
START_TEST(stopped_in_the_check)
{
	int fd;

	scene_start(&s, "");
	scene_kill_directory(&s, SIGTERM);
	make_checks_slow();
	scene_run_directory(&s);
	fd = begin_attempt();
	scene_kill_front(&s, SIGTERM);
	ck_assert_uint_eq(scene_events(&s, 0, "login denied", NULL), 0);
	(void)close(fd);
	scene_stop(&s);
}
END_TEST

/* Who is refused opens no session: there is no transaction to remember, but a name for its event. */
START_TEST(refused_accounts_leave_nothing)
{
	scene_start(&s, "");
	for (unsigned i = 0; i < 3; i++) {
		scene_account(&s, "bob", "cron", "", &t);
		talk_end(&t);
		talk_expect(&t, VERDICT_EXPIRED, REASON_EXPIRED);
		ck_assert_uint_eq(strlen(t.verdict.txn), 32);
		ck_assert_uint_eq(scene_events(&s, 1, "login denied", "user=bob ", t.verdict.txn, NULL), 1);
	}
	ck_assert_uint_eq(scene_transactions(&s), 0);
	scene_account(&s, "emil", "cron", "", &t);
	talk_end(&t);
	talk_expect(&t, VERDICT_ALLOW, REASON_OK);
	ck_assert_uint_eq(strlen(t.verdict.txn), 32);
	ck_assert_uint_eq(scene_transactions(&s), 1);
	scene_stop(&s);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ open_prompts_of_one_caller, 0 },
		{ failures_of_others, ROWS(askers) },
		{ open_prompts_of_one_range, 3 },
		{ failures_of_one_range, 0 },
		{ open_requests_of_one_user, 0 },
		{ no_place_is_no_refusal, 0 },
		{ callers_that_vanish_in_the_check, 0 },
		{ stopped_in_the_check, 0 },
		{ refused_accounts_leave_nothing, 0 },
	};

	return suite_run("front_limits", rows, ROWS(rows), 120);
}

/*
 * test_front_limits.c - what one caller may cost another, with the real front: open prompts and counted failures.
 */
#include <config.h>

#include <unistd.h>

#include "common/channel.h"
#include "tests/unit/front_scene.h"
#include "tests/unit/suite.h"

#define DEADLINE (channel_now_ms() + 30000)

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

/* Another local user's su locks his own attempts, and neither sudo nor console of the person. */
START_TEST(failures_of_others)
{
	const struct msg_auth_begin m = { .user = "hana", .service = "su", .ruser = "mallory", .ruid = 1234 };
	const struct msg_auth_begin own = { .user = "hana", .service = "sudo", .ruser = "hana", .ruid = 2002 };
	const char *wrong[] = { "wrong", "000000", NULL, NULL }, *right[] = { SCENE_PASSWORD, scene_hotp(0), NULL, NULL };

	scene_start(&s, "[mfa]\ndelay-after = 100\nlock-after = 2\nlock-time = 15m\n");
	for (unsigned i = 0; i < 2; i++) {
		talk_run(&s, MSG_AUTH_BEGIN, &m, wrong, &t);
		talk_end(&t);
		talk_expect(&t, VERDICT_DENY, REASON_PASSWORD_FAILED);
	}
	talk_run(&s, MSG_AUTH_BEGIN, &m, right, &t);
	talk_end(&t);
	talk_expect(&t, VERDICT_DENY, REASON_MFA_LOCKED);
	talk_run(&s, MSG_AUTH_BEGIN, &own, right, &t);
	talk_end(&t);
	talk_expect(&t, VERDICT_ALLOW, REASON_AUTH_PASSED);
	scene_auth(&s, "hana", "login", SCENE_PASSWORD, scene_hotp(1), &t);
	talk_expect(&t, VERDICT_ALLOW, REASON_AUTH_PASSED);
	scene_stop(&s);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = { { open_prompts_of_one_caller, 0 }, { failures_of_others, 0 } };

	return suite_run("front_limits", rows, ROWS(rows), 120);
}

/*
 * test_pam_hostile.c - every verdict, every error and every malformed answer, in every stage that asks the front
 * (THREATS I1, I3): what comes back to the application stands in the table of pam_isms(8), nothing else.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tests/pam/scene.h"

#define STRANGER 65533u	/* a uid that is nobody here */

static struct scene scene;

/* The stages that ask, and what they return for each verdict about a managed user. Column: enum verdict. */
static const struct stage {
	enum message request;
	int (*call)(pam_handle_t *, int);
	int code[VERDICT_COUNT];
	int denied;
} stages[] = {
	{ MSG_AUTH_BEGIN, pam_authenticate, { PAM_AUTH_ERR, PAM_SUCCESS, PAM_AUTH_ERR, PAM_AUTH_ERR, PAM_AUTH_ERR }, PAM_AUTH_ERR },
	{ MSG_ACCOUNT, pam_acct_mgmt, { PAM_PERM_DENIED, PAM_SUCCESS, PAM_ACCT_EXPIRED, PAM_NEW_AUTHTOK_REQD, PAM_PERM_DENIED },
	    PAM_PERM_DENIED },
	{ MSG_SESSION_OPEN, pam_open_session, { PAM_SESSION_ERR, PAM_SUCCESS, PAM_SESSION_ERR, PAM_SESSION_ERR, PAM_SESSION_ERR },
	    PAM_SESSION_ERR },
	{ MSG_CHANGE_BEGIN, pam_chauthtok, { PAM_AUTHTOK_ERR, PAM_SUCCESS, PAM_AUTHTOK_ERR, PAM_AUTHTOK_ERR, PAM_AUTHTOK_ERR },
	    PAM_AUTHTOK_ERR },
};

static void
setup(void)
{
	scene_open(&scene);
	scene_start(&scene, "sshd", "ada");
}

static void
teardown(void)
{
	scene_close(&scene);
}

/* Loop: verdict x stage. */
START_TEST(every_verdict)
{
	const struct stage *stage = &stages[_i / VERDICT_COUNT];
	enum verdict verdict = (enum verdict)(_i % VERDICT_COUNT);
	const struct msg_verdict *v = say(verdict, REASON_OK);
	const bool acked = stage->request == MSG_ACCOUNT && (verdict == VERDICT_ALLOW || verdict == VERDICT_MUST_CHANGE);
	const bool twice = stage->request == MSG_CHANGE_BEGIN && verdict == VERDICT_ALLOW;
	struct step way[8] = { { .op = ACT_EXPECT, .number = stage->request }, SEND(VERDICT, v) };

	if (acked)
		way[2] = (struct step)EXPECT(ACK);
	if (twice) {	/* libpam's two passes */
		way[2] = (struct step)ACCEPT;
		way[3] = way[0];
		way[4] = way[1];
	}
	ck_assert_int_eq(scene_call(&scene, way, stage->call, 0), stage->code[verdict]);
	ck_assert_uint_eq(scene_event_count(&scene), 0);
	ck_assert(*v->text == '\0' || scene_saw(&scene, PAM_ERROR_MSG, v->text));
}
END_TEST

/* ---- answers that no front gives ---- */

static uint8_t garbage[PROTO_FRAME_MAX + 100];
static const struct msg_prompt control = { .echo = 1, .text = "\033[2Jcode\007\xc2\x9b: " };
static const struct msg_done done;
static const struct msg_answer answer = { .outcome = ANSWER_GIVEN };
static struct msg_verdict forged[6];

/* First steps after the request; each must end in a refusal and one event of the module's. */
static const struct insult {
	const char *what;
	struct step step[3];
} insults[] = {
	{ "hangs up", { HANG_UP } },
	{ "nothing but an empty datagram's worth", { RAW(garbage, 1) } },
	{ "a header cut short", { RAW(garbage, PROTO_HEADER_SIZE - 1) } },
	{ "zeros", { RAW(garbage, 64) } },
	{ "more than a frame", { RAW(garbage, sizeof garbage) } },
	{ "another message: done", { SEND(DONE, &done) } },
	{ "another message: one of ours", { SEND(ANSWER, &answer) } },
	{ "verdict out of range", { SEND(VERDICT, &forged[0]) } },
	{ "reason out of range", { SEND(VERDICT, &forged[1]) } },
	{ "proof that is none", { SEND(VERDICT, &forged[2]) } },
	{ "transaction that sets a variable", { SEND(VERDICT, &forged[3]) } },
	{ "an end before time began", { SEND(VERDICT, &forged[4]) } },
	{ "a verdict with a descriptor", { { .op = ACT_FD, .number = MSG_VERDICT, .bytes = &forged[5] } } },
};

static void
forge(void)
{
	for (int i = 0; i < ROWS(forged); i++)
		forged[i] = (struct msg_verdict){ .verdict = VERDICT_ALLOW, .reason = REASON_OK };
	forged[0].verdict = VERDICT_COUNT;
	forged[1].reason = REASON_COUNT;
	strcpy(forged[2].proof, "../../etc/passwd");
	strcpy(forged[3].txn, "x\nLD_PRELOAD=/tmp/x");
	forged[4].not_after_utc_sec = -1;
}

/* Loop: insult x stage. */
START_TEST(every_insult)
{
	const struct insult *insult = &insults[_i / ROWS(stages)];
	const struct stage *stage = &stages[_i % ROWS(stages)];
	struct step way[5] = { { .op = ACT_EXPECT, .number = stage->request } };

	forge();
	memcpy(way + 1, insult->step, sizeof insult->step);
	ck_assert_msg(scene_call(&scene, way, stage->call, 0) == stage->denied, "%s", insult->what);
	ck_assert_msg(scene_event_count(&scene) == 1, "%s", insult->what);
	ck_assert(strstr(scene_events(&scene), "ISMS_REASON=daemon-unavailable") != NULL);
	ck_assert(scene_saw(&scene, PAM_ERROR_MSG, SCENE_UNAVAILABLE SCENE_CONTACT));
	ck_assert_ptr_null(pam_getenv(scene.pamh, "ISMS_TXN"));
}
END_TEST

/* Account and session ask nobody anything: a prompt there is a breach. Loop over those two. */
START_TEST(prompt_out_of_place)
{
	const struct stage *stage = &stages[1 + _i];
	const struct step way[] = {
		{ .op = ACT_EXPECT, .number = stage->request }, SEND(PROMPT, say_password()), HANG_UP,
	};
	const struct typed words[] = { { REPLY_TEXT, "secret" }, { REPLY_NONE, NULL } };

	scene.typed = words;
	ck_assert_int_eq(scene_call(&scene, way, stage->call, 0), stage->denied);
	ck_assert_uint_eq(scene.asked, 0);
}
END_TEST

START_TEST(too_many_prompts)
{
	const struct typed words[] = {
		{ REPLY_TEXT, "a" }, { REPLY_TEXT, "b" }, { REPLY_TEXT, "c" }, { REPLY_TEXT, "d" }, { REPLY_NONE, NULL },
	};
	const struct step way[] = {
		EXPECT(AUTH_BEGIN), SEND(PROMPT, say_code()), EXPECT(ANSWER), SEND(PROMPT, say_code()), EXPECT(ANSWER),
		SEND(PROMPT, say_code()), EXPECT(ANSWER), SEND(PROMPT, say_code()), HANG_UP,
	};

	scene.typed = words;
	ck_assert_int_eq(scene_call(&scene, way, pam_authenticate, 0), PAM_AUTH_ERR);
	ck_assert_uint_eq(scene.asked, 3);
}
END_TEST

START_TEST(too_many_lines)
{
	const struct msg_show line = { .text = "hello" };
	struct step way[40] = { EXPECT(ACCOUNT) };

	for (int i = 1; i < 9; i++)
		way[i] = (struct step)SEND(SHOW, &line);
	way[9] = (struct step)SEND(VERDICT, say(VERDICT_ALLOW, REASON_OK));
	way[10] = (struct step)EXPECT(ACK);
	ck_assert_int_eq(scene_call(&scene, way, pam_acct_mgmt, 0), PAM_SUCCESS);
	ck_assert_uint_eq(scene.lines, 8);
	way[9] = way[8];
	way[10] = (struct step)HANG_UP;
	ck_assert_int_eq(scene_call(&scene, way, pam_acct_mgmt, 0), PAM_PERM_DENIED);
}
END_TEST

/* Text of the daemon cannot steer the terminal. */
START_TEST(control_characters)
{
	const struct typed words[] = { { REPLY_TEXT, "123456" }, { REPLY_NONE, NULL } };
	const struct step way[] = {
		EXPECT(AUTH_BEGIN), SEND(PROMPT, &control), EXPECT(ANSWER),
		SEND(VERDICT, say(VERDICT_ALLOW, REASON_AUTH_PASSED)), HANG_UP,
	};

	scene.typed = words;
	ck_assert_int_eq(scene_call(&scene, way, pam_authenticate, 0), PAM_SUCCESS);
	ck_assert_str_eq(scene.line[0].text, "?[2Jcode???: ");
}
END_TEST

/* Whoever listens there without being root or isms is hung up on before anything is said (IP08a's kin). */
START_TEST(foreign_listener)
{
	const struct step granted[] = {
		EXPECT(ACCOUNT), SEND(VERDICT, say(VERDICT_ALLOW, REASON_OK)), EXPECT(ACK), HANG_UP,
	};
	char text[128];

	if (!suite_as_root())
		return;		/* takes a second uid */
	scene_stop(&scene);
	(void)snprintf(text, sizeof text, "root:x:0:0::/:/bin/sh\nisms:x:%u:1::/:/bin/sh\n", STRANGER + 1);
	scene_write(&scene, "passwd", text);
	ck_assert_int_eq(chown(scene.dir, STRANGER, (gid_t)-1), 0);
	ck_assert_int_eq(seteuid(STRANGER), 0);
	scene_listen(&scene);		/* the peer is who called listen() */
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(pam_acct_mgmt(scene.pamh, 0), PAM_PERM_DENIED);
	ck_assert_uint_eq(scene_event_count(&scene), 1);
	/* the same listener as user isms */
	(void)snprintf(text, sizeof text, "root:x:0:0::/:/bin/sh\nisms:x:%u:1::/:/bin/sh\n", STRANGER);
	scene_write(&scene, "passwd", text);
	scene_stop(&scene);
	ck_assert_int_eq(seteuid(STRANGER), 0);
	scene_listen(&scene);
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(scene_call(&scene, granted, pam_acct_mgmt, 0), PAM_SUCCESS);
	ck_assert_int_eq(chown(scene.dir, 0, (gid_t)-1), 0);
}
END_TEST

/* From here on every deadline is a tenth. */
static void
hurry(void)
{
	scene_end(&scene);
	ck_assert_int_eq(setenv("ISMS_TEST_HURRY", "1", 1), 0);
	scene_start(&scene, "sshd", "ada");
}

static double
seconds_of(int (*call)(pam_handle_t *, int), int want)
{
	struct timespec began, ended;

	(void)clock_gettime(CLOCK_MONOTONIC, &began);
	ck_assert_int_eq(call(scene.pamh, 0), want);
	(void)clock_gettime(CLOCK_MONOTONIC, &ended);
	return (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9;
}

/* A silent front costs at most total_ms (here a tenth: 1.5 s); a reply that comes late, but in time, counts. */
START_TEST(silence)
{
	const struct step silent[] = { EXPECT(ACCOUNT), PAUSE(3000), HANG_UP };
	const struct step slow[] = {
		EXPECT(ACCOUNT), PAUSE(600), SEND(VERDICT, say(VERDICT_ALLOW, REASON_OK)), EXPECT(ACK), HANG_UP,
	};
	double took_sec, best_sec = 1e9;
	unsigned calls = 0;

	hurry();
	ck_assert_int_eq(scene_call(&scene, slow, pam_acct_mgmt, 0), PAM_SUCCESS);
	do {	/* of some calls, each refused, the quickest is the module's: the machine is shared */
		actor_play(&scene.actor, silent);
		took_sec = seconds_of(pam_acct_mgmt, PAM_PERM_DENIED);
		ck_assert_double_ge(took_sec, 1.4);
		ck_assert_uint_eq(scene_event_count(&scene), ++calls);
		ck_assert_int_eq(actor_join(&scene.actor), 0);
		best_sec = took_sec < best_sec ? took_sec : best_sec;
	} while (best_sec >= 2.9 && calls < 5);
	ck_assert_double_lt(best_sec, 2.9);
}
END_TEST

/* Nobody accepts, and the backlog is full: refused after connect_ms. */
START_TEST(connect_never_taken)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd[16], n = 0;
	double took_sec = 1e9;

	hurry();
	(void)snprintf(to.sun_path, sizeof to.sun_path, "%s/ismsd.sock", scene.dir);
	while (n < 16) {
		fd[n] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		ck_assert_int_ge(fd[n], 0);
		if (connect(fd[n++], (struct sockaddr *)&to, sizeof to) < 0)
			break;
	}
	ck_assert_int_lt(n, 16);
	for (int i = 0; i < 5 && took_sec >= 1.4; i++)	/* a busy machine may be late once */
		took_sec = seconds_of(pam_acct_mgmt, PAM_PERM_DENIED);
	ck_assert_double_lt(took_sec, 1.4);
	ck_assert(scene_saw(&scene, PAM_ERROR_MSG, SCENE_UNAVAILABLE SCENE_CONTACT));
	while (n > 0)
		(void)close(fd[--n]);
}
END_TEST

static void
think(struct scene *s)
{
	const struct timespec pause = { .tv_sec = 2 };

	(void)s;
	(void)nanosleep(&pause, NULL);
}

/* The person's time is not the front's: 2 s of thinking do not use up the 1.5 s. */
START_TEST(person_takes_time)
{
	const struct typed words[] = { { REPLY_TEXT, "secret" }, { REPLY_NONE, NULL } };
	const struct step way[] = {
		EXPECT(AUTH_BEGIN), SEND(PROMPT, say_password()), EXPECT(ANSWER), PAUSE(600),
		SEND(VERDICT, say(VERDICT_ALLOW, REASON_AUTH_PASSED)), HANG_UP,
	};

	hurry();
	scene.typed = words;
	scene.on_prompt = think;
	ck_assert_int_eq(scene_call(&scene, way, pam_authenticate, 0), PAM_SUCCESS);
}
END_TEST

static void
fall_asleep(struct scene *s)
{
	const struct timespec pause = { .tv_sec = 9 };

	(void)s;
	(void)nanosleep(&pause, NULL);
}

/* Beyond person_ms (here 8 s) an answer is none; the front has hung up by then, and its event is the only one. */
START_TEST(person_too_slow)
{
	const struct typed words[] = { { REPLY_TEXT, "secret" }, { REPLY_NONE, NULL } };
	const struct step hung_up[] = { EXPECT(AUTH_BEGIN), SEND(PROMPT, say_password()), HANG_UP };

	hurry();
	scene.typed = words;
	scene.on_prompt = fall_asleep;
	ck_assert_int_eq(scene_call(&scene, hung_up, pam_authenticate, 0), PAM_AUTH_ERR);
	ck_assert_uint_eq(scene_event_count(&scene), 0);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ every_verdict, ROWS(stages) * VERDICT_COUNT }, { every_insult, ROWS(insults) * ROWS(stages) },
		{ prompt_out_of_place, 2 }, { too_many_prompts, 0 }, { too_many_lines, 0 }, { control_characters, 0 }, { foreign_listener, 0 },
		{ silence, 0 }, { connect_never_taken, 0 }, { person_takes_time, 0 }, { person_too_slow, 0 },
	};

	return scene_run("pam_hostile", rows, ROWS(rows), setup, teardown);
}

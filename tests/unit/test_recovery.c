/*
 * test_recovery.c - recovery codes: their form, what a hostile directory may not do, and logins by them through the real
 * front and the real directory process (THREATS 5.6; CASES OT12a).
 */
#include <config.h>

#include "common/recovery_code.h"

#include <crypt.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/channel.h"
#include "tests/unit/front_scene.h"
#include "tests/unit/suite.h"

#define SET 3
#define HOSTS 8
#define PATIENCE_MS 20000
#define OTHER_CODE "0000-1111-2222-3333"

static struct scene s;
static struct talk t;
static struct recovery_code codes[SET];

/* ---- form -------------------------------------------------------------------------------------- */

static const struct {
	const char *typed;
	bool shaped;
	const char *code;	/* NULL: none */
} forms[] = {
	{ "ABCD-EFGH-JKMN-PQRS", true, "ABCDEFGHJKMNPQRS" },
	{ "abcd efgh jkmn pqrs", true, "ABCDEFGHJKMNPQRS" },
	{ "  abcdefghjkmnpqrs- ", true, "ABCDEFGHJKMNPQRS" },
	{ "oO01-iIlL-1111-0000", true, "0001111111110000" },
	{ "ABCD-EFGH-JKMN-PQR", true, NULL },
	{ "ABCD-EFGH-JKMN-PQRST", true, NULL },
	{ "ABCD-EFGH-JKMN-PQRU", true, NULL },
	{ "ABCD-EFGH-JKMN-PQR\xc3\xa9", true, NULL },
	{ "ABCD_EFGH_JKMN_PQRS", true, NULL },
	{ "123456789", true, NULL },
	{ "12345678", false, NULL },
	{ "1234 5678", false, NULL },
	{ "123-456", false, NULL },
	{ "", false, NULL },
	{ "------------------", false, NULL },
};

START_TEST(form_table)
{
	char code[RECOVERY_CODE_LEN + 1] = "untouched";

	ck_assert_int_eq(recovery_code_is_shaped(forms[_i].typed), forms[_i].shaped);
	ck_assert_int_eq(recovery_code_normalise(forms[_i].typed, code), forms[_i].code != NULL);
	ck_assert_str_eq(code, forms[_i].code != NULL ? forms[_i].code : "untouched");
}
END_TEST

START_TEST(a_set)
{
	struct recovery_code many[RECOVERY_CODES_MAX];
	char code[RECOVERY_CODE_LEN + 1];
	size_t salt;

	ck_assert_int_eq(recovery_codes_make(many, 0), -EINVAL);
	ck_assert_int_eq(recovery_codes_make(many, RECOVERY_CODES_MAX + 1), -EINVAL);
	ck_assert_int_eq(recovery_codes_make(many, RECOVERY_CODES_MAX), 0);
	salt = (size_t)(strrchr(many[0].hash, '$') - many[0].hash);
	for (unsigned i = 0; i < RECOVERY_CODES_MAX; i++) {
		ck_assert_uint_eq(strlen(many[i].shown), RECOVERY_SHOWN_SIZE - 1);
		ck_assert(recovery_code_is_shaped(many[i].shown) && recovery_code_normalise(many[i].shown, code));
		ck_assert_uint_eq(strlen(many[i].hash), salt + 44);
		ck_assert_int_eq(strncmp(many[i].hash, many[0].hash, salt + 1), 0);
		ck_assert_int_eq(strncmp(many[i].hash, "$y$j9T$", 7), 0);
		for (unsigned j = 0; j < i; j++)
			ck_assert(strcmp(many[i].shown, many[j].shown) != 0 && strcmp(many[i].hash, many[j].hash) != 0);
	}
}
END_TEST

/* ---- judging ----------------------------------------------------------------------------------- */

static struct entry *
entry_of(unsigned count)
{
	struct entry *e = entry_new("uid=ada,dc=x");

	ck_assert_ptr_nonnull(e);
	for (unsigned i = 0; i < count; i++)
		ck_assert_int_eq(entry_add_value(e, "ismsrecoverycode", codes[i].hash, strlen(codes[i].hash)), 0);
	return e;
}

static struct recovery_judgement
judge(const struct entry *e, const char *shown)
{
	char code[RECOVERY_CODE_LEN + 1];
	struct recovery_judgement j;

	ck_assert(recovery_code_normalise(shown, code));
	recovery_code_judge(e, code, &j);
	return j;
}

START_TEST(judgements)
{
	struct recovery_judgement j, again;
	struct entry *e;

	ck_assert_int_eq(recovery_codes_make(codes, SET), 0);
	e = entry_of(SET);
	ck_assert_uint_eq(recovery_codes_count(e), SET);
	for (unsigned i = 0; i < SET; i++) {
		j = judge(e, codes[i].shown);
		ck_assert_int_eq(j.result, RECOVERY_RIGHT);
		ck_assert_str_eq(j.value, codes[i].hash);
		ck_assert_uint_eq(j.remaining, SET - 1);
	}
	j = judge(e, OTHER_CODE);
	ck_assert_int_eq(j.result, RECOVERY_WRONG);
	ck_assert_ptr_null(j.value);
	/* One that was used is known again by its id for as long as there are others of its set. */
	j = judge(e, codes[1].shown);
	ck_assert_int_eq(entry_remove_value(e, RECOVERY_ATTRIBUTE, codes[1].hash), 0);
	again = judge(e, codes[1].shown);
	ck_assert_int_eq(again.result, RECOVERY_WRONG);
	ck_assert_str_eq(again.id, j.id);
	ck_assert_str_ne(judge(e, codes[0].shown).id, j.id);
	entry_free(e);
	ck_assert_int_eq(judge(NULL, codes[0].shown).result, RECOVERY_WRONG);
	e = entry_of(0);
	ck_assert_int_eq(judge(e, codes[0].shown).result, RECOVERY_WRONG);
	ck_assert_str_eq(judge(e, codes[0].shown).id, "");
	entry_free(e);
}
END_TEST

#define HASH43 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ"

/* What a directory may put beside a right code, and no hash is made: not one of a cost that stops the host. */
static const char *const hostile[] = {
	"$y$jFT$5wq3LgYFbs0r2mTCeVxQp/$" HASH43, "$y$jFT/$5wq3LgYFbs0r2mTCeVxQp/$" HASH43,
	"$y$j9T$5wq3LgYFbs0r2mTCeVxQp/$" HASH43, "$y$/B5$5wq3LgYFbs0r2mTCeVxQp/$" HASH43,
	"$gy$j9T$5wq3LgYFbs0r2mTCeVxQp/$" HASH43, "$6$rounds=999999999$5wq3LgYFbs0r2mTC$" HASH43, "$y$j9T$$" HASH43, "$y$j9T$", "$y$",
	"", "{CRYPT}$y$j9T$5wq3LgYFbs0r2mTCeVxQp/$" HASH43, "plain text", "*0",
};

START_TEST(hostile_sets)
{
	int64_t begin_ms;
	struct recovery_judgement j;
	struct entry *e;

	ck_assert_int_eq(recovery_codes_make(codes, SET), 0);
	e = entry_of(SET);
	ck_assert_int_eq(judge(e, codes[0].shown).result, RECOVERY_RIGHT);
	ck_assert_int_eq(entry_add_value(e, RECOVERY_ATTRIBUTE, hostile[_i], strlen(hostile[_i])), 0);
	begin_ms = channel_now_ms();
	for (int i = 0; i < 10000; i++) {	/* 30 ms each if a hash were made */
		j = judge(e, codes[0].shown);
		ck_assert_int_eq(j.result, RECOVERY_UNUSABLE);
	}
	ck_assert_int_lt(channel_now_ms() - begin_ms, 30000);
	ck_assert_ptr_nonnull(j.fault);
	ck_assert_ptr_null(j.value);
	entry_free(e);
}
END_TEST

START_TEST(hostile_count_and_bytes)
{
	struct recovery_code many[RECOVERY_CODES_MAX];
	char with_nul[RECOVERY_HASH_SIZE] = "";
	struct entry *e = entry_new("uid=ada,dc=x");

	ck_assert_int_eq(recovery_codes_make(many, RECOVERY_CODES_MAX), 0);
	for (unsigned i = 0; i < RECOVERY_CODES_MAX; i++)
		ck_assert_int_eq(entry_add_value(e, RECOVERY_ATTRIBUTE, many[i].hash, strlen(many[i].hash)), 0);
	ck_assert_int_eq(judge(e, many[15].shown).result, RECOVERY_RIGHT);
	ck_assert_int_eq(entry_add_value(e, RECOVERY_ATTRIBUTE, many[0].hash, strlen(many[0].hash)), 0);
	ck_assert_int_eq(judge(e, many[15].shown).result, RECOVERY_UNUSABLE);
	ck_assert_int_eq(entry_set(e, RECOVERY_ATTRIBUTE, many[0].hash), 0);
	ck_assert_int_eq(judge(e, many[0].shown).result, RECOVERY_RIGHT);
	memcpy(with_nul, many[1].hash, strlen(many[1].hash));
	ck_assert_int_eq(entry_add_value(e, RECOVERY_ATTRIBUTE, with_nul, strlen(with_nul) + 1), 0);
	ck_assert_int_eq(judge(e, many[0].shown).result, RECOVERY_UNUSABLE);
	entry_free(e);
}
END_TEST

/* ---- logins ------------------------------------------------------------------------------------ */

/* Give a user the set, and more. */
static void
hand_out(const char *user, const char *more)
{
	char lines[2048] = "";
	size_t used = 0;

	for (unsigned i = 0; i < SET; i++)
		used += (size_t)snprintf(lines + used, sizeof lines - used, "ismsRecoveryCode: %s\n", codes[i].hash);
	(void)snprintf(lines + used, sizeof lines - used, "%s", more);
	scene_change_user(&s, user, lines);
}

static void
start(const char *settings, const char *user)
{
	ck_assert_int_eq(recovery_codes_make(codes, SET), 0);
	scene_start(&s, settings);
	hand_out(user, "");
}

static void
stop(void)
{
	for (unsigned i = 0; i < SET; i++)		/* I8 */
		ck_assert_uint_eq(scene_events(&s, 0, codes[i].shown, NULL), 0);
	scene_stop(&s);
}

static void
login(const char *user, const char *password, const char *code)
{
	scene_auth(&s, user, "sshd", password, code, &t);
}

START_TEST(ot12a_recovery)
{
	struct talk account;

	start("", "hana");
	login("hana", SCENE_PASSWORD, codes[0].shown);
	talk_expect(&t, VERDICT_ALLOW, REASON_AUTH_PASSED);
	ck_assert_uint_eq(t.prompts, 2);
	ck_assert_str_eq(t.prompt[1].text, "One-time code: ");
	ck_assert_ptr_nonnull(strstr(t.verdict.text, "2 of them are left"));
	ck_assert_uint_eq(scene_events(&s, 1, "recovery code used", "user=hana ", "remaining=2", NULL), 1);
	ck_assert_uint_eq(scene_events(&s, 1, "authentication passed", "factors=\"password recovery\"", NULL), 1);
	scene_account(&s, "hana", "sshd", t.verdict.proof, &account);
	talk_expect(&account, VERDICT_ALLOW, REASON_OK);
	talk_ack(&account);
	ck_assert_uint_eq(scene_events(&s, 1, "login granted", "factors=\"password recovery\"", NULL), 1);

	login("hana", SCENE_PASSWORD, codes[0].shown);
	talk_expect(&t, VERDICT_DENY, REASON_MFA_REPLAYED);
	ck_assert_uint_eq(scene_events(&s, 1, "second factor failed", "reason=mfa-replayed", NULL), 1);
	ck_assert_uint_eq(scene_events(&s, 1, "recovery code used", NULL), 1);

	login("hana", SCENE_PASSWORD, codes[1].shown);		/* its twins: another code, and the token */
	talk_expect(&t, VERDICT_ALLOW, REASON_AUTH_PASSED);
	ck_assert_ptr_nonnull(strstr(t.verdict.text, "1 of them is left"));
	login("hana", SCENE_PASSWORD, codes[2].shown);
	talk_expect(&t, VERDICT_ALLOW, REASON_AUTH_PASSED);
	ck_assert_ptr_nonnull(strstr(t.verdict.text, "last recovery code"));
	login("hana", SCENE_PASSWORD, scene_hotp(0));
	talk_expect(&t, VERDICT_ALLOW, REASON_AUTH_PASSED);
	ck_assert_str_eq(t.verdict.text, "");
	stop();
}
END_TEST

/* What the person may change when typing. */
START_TEST(typed_as_one_likes)
{
	char lower[RECOVERY_SHOWN_SIZE];

	start("", "hana");
	for (size_t i = 0; i < sizeof lower; i++) {
		char c = codes[0].shown[i];

		lower[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c == '-' ? ' ' : c == '0' ? 'o' : c == '1' ? 'l' : c);
	}
	login("hana", SCENE_PASSWORD, lower);
	talk_expect(&t, VERDICT_ALLOW, REASON_AUTH_PASSED);
	stop();
}
END_TEST

/* OT14a for recovery codes: a wrong password burns nothing and counts. */
START_TEST(ot14a_order)
{
	start("[mfa]\ndelay-after = 100\nlock-after = 3\n", "hana");
	login("hana", "wrong horse", codes[0].shown);
	talk_expect(&t, VERDICT_DENY, REASON_PASSWORD_FAILED);
	login("hana", SCENE_PASSWORD, OTHER_CODE);
	talk_expect(&t, VERDICT_DENY, REASON_MFA_FAILED);
	ck_assert_uint_eq(scene_events(&s, 0, "recovery code used", NULL), 0);
	login("hana", SCENE_PASSWORD, codes[0].shown);
	talk_expect(&t, VERDICT_ALLOW, REASON_AUTH_PASSED);
	/* Two are forgotten; three more lock, of whatever shape, and the right one is not even looked at. */
	login("hana", SCENE_PASSWORD, "ABCD-EFGH-JKMN-PQRU");
	talk_expect(&t, VERDICT_DENY, REASON_MFA_FAILED);
	login("hana", SCENE_PASSWORD, "12345678901234567890123456789012345678901234567890");
	talk_expect(&t, VERDICT_DENY, REASON_MFA_FAILED);
	login("hana", SCENE_PASSWORD, OTHER_CODE);
	talk_expect(&t, VERDICT_DENY, REASON_MFA_FAILED);
	ck_assert_uint_eq(scene_events(&s, 1, "second factor locked", "user=hana ", NULL), 1);
	login("hana", SCENE_PASSWORD, codes[1].shown);
	talk_expect(&t, VERDICT_DENY, REASON_MFA_LOCKED);
	ck_assert_uint_eq(scene_events(&s, 1, "recovery code used", NULL), 1);
	stop();
}
END_TEST

/* Whoever has no token, a bad one, or no codes; the same words for all (PA10a). */
static const struct { const char *user; enum reason reason; } refusals[] = {
	{ "dora", REASON_MFA_NOT_ENROLLED }, { "fred", REASON_BAD_RECORD }, { "ada", REASON_MFA_FAILED },
};

START_TEST(refused)
{
	start("", _i == 2 ? "hana" : refusals[_i].user);
	login(refusals[_i].user, SCENE_PASSWORD, codes[0].shown);
	talk_expect(&t, VERDICT_DENY, refusals[_i].reason);
	ck_assert_str_eq(t.verdict.text, "Access refused. If you should have access, contact help@example.com.");
	ck_assert_int_ge(t.wait_ms, SCENE_FLOOR_MS - 2);
	ck_assert_uint_eq(scene_events(&s, 0, "recovery code used", NULL), 0);
	stop();
}
END_TEST

START_TEST(hostile_set_at_login)
{
	start("", "hana");
	hand_out("hana", "ismsRecoveryCode: $y$jFT$5wq3LgYFbs0r2mTCeVxQp/$" HASH43 "\n");
	login("hana", SCENE_PASSWORD, codes[0].shown);
	talk_expect(&t, VERDICT_DENY, REASON_BAD_RECORD);
	ck_assert_uint_eq(scene_events(&s, 1, "reason=bad-record", "yescrypt", NULL), 1);
	hand_out("hana", "");
	login("hana", SCENE_PASSWORD, codes[0].shown);
	talk_expect(&t, VERDICT_ALLOW, REASON_AUTH_PASSED);
	stop();
}
END_TEST

/* OT08a for recovery codes; and a directory that was restored from a backup does not make them good again. */
START_TEST(ot08a_durable)
{
	start("", "hana");
	login("hana", SCENE_PASSWORD, codes[0].shown);
	talk_expect(&t, VERDICT_ALLOW, REASON_AUTH_PASSED);
	scene_kill_front(&s, SIGKILL);
	scene_kill_directory(&s, SIGKILL);
	hand_out("hana", "");
	scene_run_directory(&s);
	scene_run_front(&s);
	login("hana", SCENE_PASSWORD, codes[0].shown);
	talk_expect(&t, VERDICT_DENY, REASON_MFA_REPLAYED);
	login("hana", SCENE_PASSWORD, codes[1].shown);
	talk_expect(&t, VERDICT_ALLOW, REASON_AUTH_PASSED);
	stop();
}
END_TEST

/* OT09a for recovery codes: nothing that cannot be stored lets in, and nothing is burnt where that is known before. */
START_TEST(ot09a_store_fails)
{
	char path[128];

	start("", "hana");
	scene_path(&s, "var/lib/isms/directory", path, sizeof path);
	ck_assert_int_eq(chmod(path, 0770), 0);			/* no longer safe to edit */
	login("hana", SCENE_PASSWORD, codes[0].shown);
	ck_assert_uint_eq(t.verdict.verdict, VERDICT_DENY);
	ck_assert_uint_eq(scene_events(&s, 0, "recovery code used", NULL), 0);
	ck_assert_int_eq(chmod(path, 0700), 0);
	scene_kill_front(&s, SIGTERM);
	scene_path(&s, "var/lib/isms/state", path, sizeof path);
	ck_assert_int_eq(chmod(path, 0777), 0);
	scene_run_front(&s);
	login("hana", SCENE_PASSWORD, codes[0].shown);
	talk_expect(&t, VERDICT_DENY, REASON_STATE_UNWRITABLE);
	ck_assert_int_eq(chmod(path, 0700), 0);
	scene_kill_front(&s, SIGTERM);
	scene_run_front(&s);
	login("hana", SCENE_PASSWORD, codes[0].shown);
	talk_expect(&t, VERDICT_ALLOW, REASON_AUTH_PASSED);
	stop();
}
END_TEST

/* Several hosts' worth of requests at the same moment: one of them has the code (compare and swap). */
START_TEST(one_of_many)
{
	struct msg_recovery_use msg = { .user = "hana" };
	int64_t deadline_ms = channel_now_ms() + PATIENCE_MS;
	struct msg_recovery_result result;
	const struct message_info *info;
	uint8_t frame[PROTO_FRAME_MAX];
	const uid_t owner = geteuid();
	unsigned won = 0;
	char path[128];
	int fds[HOSTS];
	size_t size;

	start("", "hana");
	scene_path(&s, "run/isms/private/directory.sock", path, sizeof path);
	ck_assert(recovery_code_normalise(codes[0].shown, msg.code));
	for (int i = 0; i < HOSTS; i++) {
		ck_assert_int_eq(channel_connect(path, &owner, 1, deadline_ms, &fds[i]), 0);
		ck_assert_int_eq(channel_send(fds[i], MSG_RECOVERY_USE, &msg, deadline_ms), 0);
	}
	for (int i = 0; i < HOSTS; i++) {
		ck_assert_int_eq(channel_recv(fds[i], frame, sizeof frame, deadline_ms, &info, &size), 0);
		ck_assert_int_eq(info->number, MSG_RECOVERY_RESULT);
		ck_assert_int_eq(proto_decode(info, frame, size, &result), 0);
		won += result.reason == REASON_OK;
		ck_assert(result.reason == REASON_OK || result.reason == REASON_MFA_REPLAYED || result.reason == REASON_MFA_FAILED);
		if (result.reason == REASON_OK)
			ck_assert_uint_eq(result.remaining, SET - 1);
		(void)close(fds[i]);
	}
	ck_assert_uint_eq(won, 1);
	login("hana", SCENE_PASSWORD, codes[1].shown);
	talk_expect(&t, VERDICT_ALLOW, REASON_AUTH_PASSED);
	stop();
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ form_table, ROWS(forms) },
		{ a_set, 0 },
		{ judgements, 0 },
		{ hostile_sets, ROWS(hostile) },
		{ hostile_count_and_bytes, 0 },
		{ ot12a_recovery, 0 },
		{ typed_as_one_likes, 0 },
		{ ot14a_order, 0 },
		{ refused, ROWS(refusals) },
		{ hostile_set_at_login, 0 },
		{ ot08a_durable, 0 },
		{ ot09a_store_fails, 0 },
		{ one_of_many, 0 },
	};

	return suite_run("recovery", rows, ROWS(rows), 180);
}

/*
 * test_last_use.c - the day of a last use, what the store knows of it, and the real front and directory process that
 * note it: once a day, forward only, and for what a person does.
 */
#include <config.h>

#include "common/last_use.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/civil_date.h"
#include "daemon/state_login.h"
#include "tests/unit/front_scene.h"
#include "tests/unit/suite.h"

#define NOW		1795000000LL	/* 2026-11-18 */
#define NOTED_AT_ONCE	"[directory]\nnote-last-use = 1\n"

static struct scene s;
static struct talk t;

START_TEST(day_moves_forward_only)
{
	static const struct { int64_t stands, used; bool moves; } rows[] = {
		{ 0, NOW, true },
		{ NOW - 86400, NOW, true },
		{ NOW, NOW, false },
		{ NOW - 60, NOW, false },		/* the same day */
		{ NOW, NOW - 86400, false },
		{ NOW + 10 * 86400LL, NOW, true },	/* a clock was wrong: it says nothing */
		{ 0, NOW + 2 * 86400, false },
		{ 0, 0, false },
		{ 0, -1, false },
	};
	struct entry *e = entry_new("uid=ada,dc=x");
	char text[32];

	ck_assert_ptr_nonnull(e);
	if (rows[_i].stands != 0)
		ck_assert_int_eq(entry_set(e, LAST_USE_ATTRIBUTE, civil_date_format_generalized(rows[_i].stands,
		    text)), 0);
	ck_assert_int_eq(last_use_of(e), rows[_i].stands);
	ck_assert_int_eq(last_use_moves(e, rows[_i].used, NOW), rows[_i].moves);
	entry_free(e);
}
END_TEST

START_TEST(unreadable_is_none)
{
	struct entry *e = entry_new("uid=ada,dc=x");

	ck_assert_ptr_nonnull(e);
	ck_assert_int_eq(entry_set(e, LAST_USE_ATTRIBUTE, "yesterday"), 0);
	ck_assert_int_eq(last_use_of(e), 0);
	ck_assert_int_eq(last_use_day(86400 + 5), 86400);
	entry_free(e);
}
END_TEST

/* What is due, told, and shown survives a restart of the front. */
START_TEST(store)
{
	const struct login_row from = { .utc_sec = NOW, .service = "sshd", .rhost = "192.0.2.7", .tty = "ssh" };
	char folder[64], path[96], user[33];
	struct login_row got;
	struct state *st;
	int64_t at = 0;
	uint64_t seq;

	(void)snprintf(folder, sizeof folder, "%s/store.XXXXXX", suite_folder());
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(state_open(folder, &st), 0);
	ck_assert_int_eq(state_last_use(st, "ada", &at), 0);
	ck_assert_int_eq(state_last_use_due(st, NULL, user, &at), 0);
	ck_assert_int_eq(state_last_login(st, "ada", &got), 0);
	ck_assert_int_eq(state_next_sequence(st, "ada", NOW, &seq), 0);
	ck_assert_int_eq(state_next_sequence(st, "bob", NOW - 5, &seq), 0);
	ck_assert_int_eq(state_set_login(st, "ada", &from), 0);
	state_close(st);

	ck_assert_int_eq(state_open(folder, &st), 0);
	ck_assert_int_eq(state_last_use(st, "ada", &at), 1);
	ck_assert_int_eq(at, NOW);
	ck_assert_int_eq(state_last_login(st, "ada", &got), 1);
	ck_assert_int_eq(got.utc_sec, NOW);
	ck_assert_str_eq(got.rhost, "192.0.2.7");
	ck_assert_str_eq(got.service, "sshd");
	ck_assert_int_eq(state_last_use_due(st, NULL, user, &at), 1);
	ck_assert_str_eq(user, "bob");
	ck_assert_int_eq(state_last_use_due(st, "ada", user, &at), 1);
	ck_assert_str_eq(user, "ada");
	ck_assert_int_eq(state_last_use_due(st, "eve", user, &at), 0);
	ck_assert_int_eq(state_last_use_due(st, "bob", user, &at), 1);
	ck_assert_int_eq(state_last_use_told(st, "bob", at), 0);
	ck_assert_int_eq(state_last_use_due(st, NULL, user, &at), 1);
	ck_assert_str_eq(user, "ada");
	ck_assert_int_eq(state_last_use_told(st, "ada", at), 0);
	ck_assert_int_eq(state_last_use_due(st, NULL, user, &at), 0);
	/* Again on the same day: nothing is due. A day later: it is. */
	ck_assert_int_eq(state_next_sequence(st, "ada", last_use_day(NOW) + 86399, &seq), 0);
	ck_assert_int_eq(state_last_use_due(st, NULL, user, &at), 0);
	ck_assert_int_eq(state_next_sequence(st, "ada", last_use_day(NOW) + 86400, &seq), 0);
	ck_assert_int_eq(state_last_use_due(st, NULL, user, &at), 1);
	state_close(st);
	(void)snprintf(path, sizeof path, "%s/state.db", folder);
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

/* How often the directory's file says so. */
static unsigned
lines_with(const char *text)
{
	char path[128], line[1024];
	unsigned n = 0;
	FILE *f;

	scene_path(&s, "var/lib/isms/directory/directory.ldif", path, sizeof path);
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof line, f) != NULL)
		n += strstr(line, text) != NULL;
	(void)fclose(f);
	return n;
}

/* Wait for the file to say so; a minute is patience, not a bound. */
static void
await(const char *text)
{
	const struct timespec pause = { .tv_nsec = 50000000 };

	for (int i = 0; lines_with(text) == 0; i++) {
		ck_assert_msg(i < 1200, "the directory never said \"%s\"", text);
		(void)nanosleep(&pause, NULL);
	}
}

static const char *
today(void)
{
	static char line[64];
	char day[32];

	(void)snprintf(line, sizeof line, "ismsLastUse: %s", civil_date_format_generalized(last_use_day(time(NULL)),
	    day));
	return line;
}

static void
enter(const char *user, const char *service, uint64_t counter)
{
	struct talk account;

	scene_auth(&s, user, service, SCENE_PASSWORD, strcmp(user, "hana") == 0 ? scene_hotp(counter) : NULL, &t);
	talk_expect(&t, VERDICT_ALLOW, REASON_AUTH_PASSED);
	scene_account(&s, user, service, t.verdict.proof, &account);
	talk_expect(&account, VERDICT_ALLOW, REASON_OK);
	talk_ack(&account);
}

START_TEST(noted_in_the_directory)
{
	struct talk account;

	scene_start(&s, NOTED_AT_ONCE);
	/* A cron job alone is nobody being there. */
	scene_account(&s, "emil", "cron", "", &account);
	talk_expect(&account, VERDICT_ALLOW, REASON_OK);
	talk_ack(&account);
	enter("hana", "sshd", 0);
	await(today());
	ck_assert_uint_eq(lines_with("ismsLastUse"), 1);
	enter("emil", "sshd", 0);
	for (int i = 0; i < 1200 && lines_with(today()) < 2; i++)
		(void)usleep(50000);
	ck_assert_uint_eq(lines_with(today()), 2);
	scene_stop(&s);
}
END_TEST

/* The directory process was away: it is told once it is back, and no login waited. */
START_TEST(told_later)
{
	scene_start(&s, NOTED_AT_ONCE);
	enter("hana", "sshd", 0);
	await(today());
	enter("emil", "sshd", 0);
	ck_assert_uint_eq(scene_events(&s, 1, "login granted", "user=emil ", NULL), 1);
	scene_kill_front(&s, SIGKILL);	/* before or after it could tell: what is due is on the disk */
	scene_run_front(&s);
	for (int i = 0; i < 1200 && lines_with(today()) < 2; i++)
		(void)usleep(50000);
	ck_assert_uint_eq(lines_with(today()), 2);
	scene_stop(&s);
}
END_TEST

START_TEST(never_where_it_is_off)
{
	scene_start(&s, "[directory]\nnote-last-use = 0\n");
	enter("hana", "sshd", 0);
	ck_assert_uint_eq(scene_events(&s, 1, "login granted", "user=hana ", NULL), 1);
	(void)sleep(2);
	ck_assert_uint_eq(lines_with("ismsLastUse"), 0);
	scene_stop(&s);
}
END_TEST

static void
open_session(const char *service, const char *rhost, uint32_t flags)
{
	struct msg_session_open m = { .user = "emil", .flags = flags };

	(void)snprintf(m.service, sizeof m.service, "%s", service);
	(void)snprintf(m.rhost, sizeof m.rhost, "%s", rhost);
	talk_run(&s, MSG_SESSION_OPEN, &m, NULL, &t);
	talk_end(&t);
	talk_expect(&t, VERDICT_ALLOW, REASON_OK);
}

/* Each login is shown at the next one, to a person, who is not to be left in silence, and not twice. */
START_TEST(shown_at_the_next_login)
{
	char folder[128];

	scene_start(&s, "");
	open_session("sshd", "192.0.2.7", 0);
	ck_assert_str_eq(t.verdict.text, "");
	open_session("sshd", "192.0.2.8", 0);
	ck_assert_ptr_nonnull(strstr(t.verdict.text, "Last login: 20"));
	ck_assert_ptr_nonnull(strstr(t.verdict.text, " from 192.0.2.7 (sshd)"));
	open_session("cron", "", 0);
	ck_assert_str_eq(t.verdict.text, "");
	open_session("sshd", "192.0.2.9", REQUEST_SILENT);
	ck_assert_str_eq(t.verdict.text, "");
	open_session("sshd", "192.0.2.9", 0);
	ck_assert_ptr_nonnull(strstr(t.verdict.text, " from 192.0.2.9 (sshd)"));
	scene_path(&s, "etc/pam.d", folder, sizeof folder);
	ck_assert_int_eq(mkdir(folder, 0755), 0);
	scene_write(&s, "etc/pam.d/sshd", "#session optional pam_lastlog.so\n@include common-session\n");
	open_session("sshd", "192.0.2.9", 0);
	ck_assert_ptr_nonnull(strstr(t.verdict.text, "Last login: "));
	scene_write(&s, "etc/pam.d/sshd", "session optional pam_lastlog.so\n");
	open_session("sshd", "192.0.2.9", 0);
	ck_assert_str_eq(t.verdict.text, "");
	scene_stop(&s);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ day_moves_forward_only, 9 }, { unreadable_is_none, 0 }, { store, 0 }, { noted_in_the_directory, 0 },
		{ told_later, 0 }, { never_where_it_is_off, 0 }, { shown_at_the_next_login, 0 },
	};

	return suite_run("last_use", rows, ROWS(rows), 120);
}

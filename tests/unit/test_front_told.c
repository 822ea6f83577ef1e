/*
 * test_front_told.c - what the real front tells root of the sessions that are open.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/channel.h"
#include "tests/unit/front_scene.h"
#include "tests/unit/suite.h"

#define DEADLINE (channel_now_ms() + 120000)
#define MANY 70		/* more than one answer holds */

static struct scene s;
static struct talk t;

static pid_t
open_session(const char *user, const char *service, const char *tty, const char *txn)
{
	struct msg_session_open m = { .flags = 0 };
	pid_t pid;

	(void)snprintf(m.user, sizeof m.user, "%s", user);
	(void)snprintf(m.service, sizeof m.service, "%s", service);
	(void)snprintf(m.tty, sizeof m.tty, "%s", tty);
	(void)snprintf(m.txn, sizeof m.txn, "%s", txn);
	pid = scene_open_session(&s, &m, &t);
	ck_assert_int_gt(pid, 0);
	return pid;
}

/* One page. Returns the number of lines "session=" in it. */
static unsigned
ask(uint32_t from, struct msg_report *ret)
{
	const struct msg_sessions_get get = { .from = from };
	int fd = scene_connect(&s);
	unsigned count = 0;

	ck_assert_int_eq(channel_ask(fd, MSG_SESSIONS_GET, &get, MSG_REPORT, ret, DEADLINE), 0);
	(void)close(fd);
	for (const char *at = ret->lines; (at = strstr(at, "session=")) != NULL; at++)
		count++;
	return count;
}

START_TEST(with_what_it_was_proven)
{
	static struct msg_report report;
	char txn[33], want[128];
	pid_t first, second;

	scene_start(&s, "");
	ck_assert_uint_eq(ask(0, &report), 0);
	ck_assert_str_eq(report.lines, "");
	scene_log_in(&s, "sshd", 0, txn, &t);
	first = open_session("hana", "sshd", "ssh", txn);
	second = open_session("ada", "sudo", "a tty", "");
	ck_assert_uint_eq(ask(0, &report), 2);
	(void)snprintf(want, sizeof want, "session=%d 2002 %u ", (int)first, FACTOR_PASSWORD | FACTOR_OTP);
	ck_assert_msg(strstr(report.lines, want) != NULL, "%s lacks %s", report.lines, want);
	(void)snprintf(want, sizeof want, " %s hana sshd ssh\n", txn);
	ck_assert_msg(strstr(report.lines, want) != NULL, "%s lacks %s", report.lines, want);
	(void)snprintf(want, sizeof want, "session=%d 2001 0 ", (int)second);
	ck_assert_msg(strstr(report.lines, want) != NULL, "%s lacks %s", report.lines, want);
	ck_assert_ptr_nonnull(strstr(report.lines, " ada sudo a tty\n"));
	ck_assert_uint_eq(ask(1, &report), 1);
	ck_assert_uint_eq(ask(2, &report), 0);
	ck_assert_uint_eq(ask(UINT32_MAX, &report), 0);
	scene_end_session(first);
	while (ask(0, &report) != 1)	/* it hears of the end by itself */
		;
	ck_assert_ptr_null(strstr(report.lines, "hana"));
	scene_end_session(second);
	scene_stop(&s);
}
END_TEST

/* Nobody is left out, and nobody told twice. */
START_TEST(page_by_page)
{
	static const char *const users[] = { "ada", "hana", "olga", "emil", "dora" };
	static struct msg_report report;
	unsigned told = 0, pages = 0;
	uint32_t from = 0;
	pid_t pids[MANY];

	scene_start(&s, "");
	for (unsigned i = 0; i < MANY; i++)
		pids[i] = open_session(users[i % ROWS(users)], "sshd", "a-long-name-of-a-terminal-to-fill-the-page", "");
	do {
		const char *next;

		told += ask(from, &report);
		for (unsigned i = 0; i < MANY; i++) {
			char want[32];

			(void)snprintf(want, sizeof want, "session=%d ", (int)pids[i]);
			if (strstr(report.lines, want) != NULL)
				pids[i] = -pids[i];	/* twice makes it positive again */
		}
		next = strstr(report.lines, "next=");
		from = next != NULL ? (uint32_t)strtoul(next + 5, NULL, 10) : 0;
		pages++;
	} while (from != 0);
	ck_assert_uint_eq(told, MANY);
	ck_assert_uint_gt(pages, 1);
	for (unsigned i = 0; i < MANY; i++) {
		ck_assert_int_lt(pids[i], 0);
		scene_end_session(-pids[i]);
	}
	scene_stop(&s);
}
END_TEST

int
main(void)
{
	const struct suite_row tests[] = { { with_what_it_was_proven, 0 }, { page_by_page, 0 } };

	return suite_run("front told", tests, ROWS(tests), 60);
}

/*
 * test_directory.c - the real directory process below a folder: asked over its socket, its file edited under it, its
 * rosters looked at.
 */
#include <config.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/channel.h"
#include "daemon/source.h"
#include "tests/unit/directory_maker.h"
#include "tests/unit/suite.h"

START_TEST(facts_follow_the_file)
{
	setup();
	start_directory();
	ck_assert_uint_eq(get_facts("ada")->state, FACTS_NOT_READY);
	ck_assert_int_eq(check_password("ada", PASSWORD, false), REASON_DIRECTORY_UNAVAILABLE);
	make_directory();
	await_state("ada", FACTS_MANAGED);
	ck_assert_str_eq(facts.groups, "web ops no-payroll");
	ck_assert_uint_eq(facts.must_change, 1);
	ck_assert_uint_eq(facts.token_count, 1);
	ck_assert_int_le(llabs(facts.confirmed_utc_sec - time(NULL)), 5);
	ck_assert_uint_eq(get_facts("bad")->state, FACTS_BROKEN);
	ck_assert_ptr_nonnull(strstr(facts.fault, "employeeType"));
	ck_assert_uint_eq(get_facts("nobody-here")->state, FACTS_UNKNOWN);
	ck_assert_uint_eq(get_facts("a\x01" "b/../*)(uid=*")->state, FACTS_UNKNOWN);
	teardown();
}
END_TEST

/* One change, seen; how soon is measured elsewhere, but it must not be a matter of polling. */
START_TEST(rp11a_single_change)
{
	int64_t begin_ms, took_ms, best_ms = PATIENCE_MS;

	setup();
	make_directory();
	start_directory();
	await_state("eve", FACTS_MANAGED);
	for (int i = 0; i < 5; i++) {
		begin_ms = channel_now_ms();
		edit("uid=eve,ou=people," BASE, "nsAccountLock", i % 2 == 0 ? "TRUE" : NULL);
		while (get_facts("eve")->disabled != (uint32_t)(i % 2 == 0))
			ck_assert_int_lt(channel_now_ms() - begin_ms, PATIENCE_MS);
		took_ms = channel_now_ms() - begin_ms;
		best_ms = took_ms < best_ms ? took_ms : best_ms;
	}
	ck_assert_int_lt(best_ms, 1000);
	teardown();
}
END_TEST

START_TEST(passwords)
{
	char long_one[1025];

	setup();
	make_directory();
	start_directory();
	await_state("ada", FACTS_MANAGED);
	memset(long_one, 'x', sizeof long_one - 1);
	long_one[sizeof long_one - 1] = '\0';
	ck_assert_int_eq(check_password("ada", PASSWORD, false), REASON_OK);
	ck_assert_int_eq(check_password("ada", PASSWORD, true), REASON_PASSWORD_FAILED);
	ck_assert_int_eq(check_password("ada", "wrong", false), REASON_PASSWORD_FAILED);
	ck_assert_int_eq(check_password("ada", long_one, false), REASON_PASSWORD_FAILED);
	ck_assert_int_eq(check_password("eve", PASSWORD, false), REASON_PASSWORD_FAILED);
	ck_assert_int_eq(check_password("bad", PASSWORD, false), REASON_PASSWORD_FAILED);
	ck_assert_int_eq(check_password("nobody-here", PASSWORD, false), REASON_PASSWORD_FAILED);
	teardown();
}
END_TEST

START_TEST(ld01a_empty_password)
{
	setup();
	make_directory();
	edit("uid=eve,ou=people," BASE, "userPassword", "{CRYPT}");
	start_directory();
	await_state("ada", FACTS_MANAGED);
	ck_assert_int_eq(check_password("ada", "", false), REASON_PASSWORD_FAILED);
	ck_assert_int_eq(check_password("eve", "", false), REASON_PASSWORD_FAILED);
	teardown();
}
END_TEST

START_TEST(password_changes)
{
	static const char fresh[] = "another long password";

	setup();
	make_directory();
	start_directory();
	await_state("ada", FACTS_MANAGED);
	ck_assert_int_eq(change_password("ada", PASSWORD, "short"), REASON_PASSWORD_CHANGE_REQUIRED);
	ck_assert_int_eq(change_password("ada", PASSWORD, PASSWORD), REASON_PASSWORD_CHANGE_REQUIRED);
	ck_assert_int_eq(change_password("ada", "wrong old one", fresh), REASON_PASSWORD_FAILED);
	ck_assert_int_eq(change_password("bad", "", fresh), REASON_BAD_RECORD);
	ck_assert_int_eq(change_password("nobody-here", "", fresh), REASON_UNKNOWN_USER);
	ck_assert_int_eq(check_password("ada", PASSWORD, false), REASON_OK);
	ck_assert_int_eq(change_password("ada", PASSWORD, fresh), REASON_OK);
	while (get_facts("ada")->must_change)
		(void)usleep(5000);
	ck_assert_int_eq(check_password("ada", fresh, false), REASON_OK);
	ck_assert_int_eq(check_password("ada", PASSWORD, false), REASON_PASSWORD_FAILED);
	ck_assert_int_eq(change_password("ada", "", PASSWORD), REASON_OK);	/* the front judged a proof */
	ck_assert_int_eq(chmod(paths.directory, 0770), 0);		/* no longer safe to edit */
	ck_assert_int_eq(change_password("ada", "", "yet another password"), REASON_DIRECTORY_UNAVAILABLE);
	teardown();
}
END_TEST

START_TEST(tokens)
{
	struct msg_tokens_get msg = { .user = "ada" };
	const struct message_info *info;
	struct msg_result result;
	struct msg_token token;
	uint8_t frame[PROTO_FRAME_MAX];
	int64_t deadline_ms = channel_now_ms() + PATIENCE_MS;
	size_t size;
	int fd;

	setup();
	make_directory();
	start_directory();
	await_state("ada", FACTS_MANAGED);
	fd = dial();
	ck_assert_int_eq(channel_ask(fd, MSG_TOKENS_GET, &msg, MSG_TOKEN, &token, deadline_ms), 0);
	ck_assert_str_eq(token.fault, "");
	ck_assert_str_eq(token.secret_hex, "3132333435363738393031323334353637383930");
	ck_assert_int_eq(channel_recv(fd, frame, sizeof frame, deadline_ms, &info, &size), 0);
	ck_assert_int_eq(info->number, MSG_RESULT);
	ck_assert_int_eq(proto_decode(info, frame, size, &result), 0);
	ck_assert_uint_eq(result.reason, REASON_OK);
	(void)close(fd);
	(void)snprintf(msg.user, sizeof msg.user, "eve");
	ask(MSG_TOKENS_GET, &msg, MSG_RESULT, &result);
	ck_assert_uint_eq(result.reason, REASON_OK);
	(void)snprintf(msg.user, sizeof msg.user, "bad");
	ask(MSG_TOKENS_GET, &msg, MSG_RESULT, &result);
	ck_assert_uint_eq(result.reason, REASON_BAD_RECORD);
	teardown();
}
END_TEST

/* The file breaks, in several ways: the last good view stays, the loss is told, mending ends it. */
static const char *const broken_files[] = {
	"dn: dc=isms,dc=local\ndc: isms\n\nnonsense\n", "", "dn: uid=ada,ou=people," BASE "\nuid: ada\n", "dn: x\n", NULL,
};

START_TEST(broken_file)
{
	char saved[PATH_MAX + 8];

	setup();
	make_directory();
	start_directory();
	await_state("ada", FACTS_MANAGED);
	await_status("\nconnected=yes\n");
	(void)snprintf(saved, sizeof saved, "%s.saved", file);
	ck_assert_int_eq(rename(file, saved), 0);
	if (broken_files[_i] != NULL)
		write_file(file, broken_files[_i]);
	await_status("\nconnected=no\n");
	if (_i == 0)
		await_status("directory.ldif:4: ");	/* it may first have seen that there was none */
	ck_assert_uint_eq(get_facts("ada")->state, FACTS_MANAGED);
	ck_assert_int_eq(rename(saved, file), 0);
	await_status("\nconnected=yes\n");
	ck_assert_uint_eq(get_facts("ada")->state, FACTS_MANAGED);
	teardown();
}
END_TEST

/* The whole folder goes and comes back. */
START_TEST(folder_gone)
{
	char away[PATH_MAX + 8];

	setup();
	make_directory();
	start_directory();
	await_state("ada", FACTS_MANAGED);
	(void)snprintf(away, sizeof away, "%s.away", paths.directory);
	ck_assert_int_eq(rename(paths.directory, away), 0);
	await_status("\nconnected=no\n");
	ck_assert_int_eq(rename(away, paths.directory), 0);
	await_status("\nconnected=yes\n");
	edit("uid=eve,ou=people," BASE, "nsAccountLock", "TRUE");
	while (!get_facts("eve")->disabled)
		(void)usleep(5000);
	teardown();
}
END_TEST

START_TEST(rosters)
{
	bool ended = false, extended = false;
	const struct roster_user *u;
	struct roster *r;

	setup();
	make_directory();
	start_directory();
	r = next_roster();
	ck_assert_uint_eq(roster_user_count(r), 2);
	ck_assert_uint_eq(roster_group_count(r), 3);
	ck_assert_ptr_null(in_roster(r, "bad"));
	u = in_roster(r, "ada");
	ck_assert(has_group(r, u, "web") && !has_group(r, u, "ops") && has_group(r, u, "no-payroll"));
	ck_assert_uint_eq(u->flags, ROSTER_MFA);
	ck_assert_str_eq(u->contact, "ops@example.com");
	ck_assert_str_eq(u->shell, "/usr/sbin/nologin");
	ck_assert_uint_eq(u->local_count, 3);		/* web, docker, no-payroll: if /etc/group lists her */
	u = in_roster(r, "eve");
	ck_assert(has_group(r, u, "web") && !has_group(r, u, "ops") && has_group(r, u, "no-payroll"));
	ck_assert_uint_eq(u->flags, 0);
	ck_assert_str_eq(u->contact, "someone");
	ck_assert_uint_eq(u->local_count, 1);
	roster_free(r);
	await_status("\nroster=in force\n");

	edit("uid=eve,ou=people," BASE, "nsAccountLock", "TRUE");
	edit("uid=ada,ou=people," BASE, "pwdEndTime", "20300101000000Z");
	while (!ended || !extended) {		/* the two edits may come as two changes, which tell of nobody else */
		r = next_roster();
		ck_assert_int_eq(roster_kind(r), ROSTER_CHANGE);
		ck_assert_uint_le(roster_user_count(r), 2);
		u = in_roster(r, "eve");
		ended = ended || (u != NULL && u->flags == ROSTER_ENDED);
		u = in_roster(r, "ada");
		extended = extended || (u != NULL && u->not_after_utc_sec == 1893456000);
		roster_free(r);
	}
	teardown();
}
END_TEST

/* An entry about local accounts is judged, and published by nobody: neither at first nor from when it becomes one. */
START_TEST(rosters_without_local_accounts)
{
	struct roster *r;

	setup();
	make_directory();
	write_etc("isms.conf", _i == 0 ? "" : "[nss]\npublish = allowed\n");
	start_directory();
	r = next_roster();
	ck_assert_ptr_nonnull(in_roster(r, "eve"));
	roster_free(r);
	await_status("\nroster=in force\n");
	edit("uid=eve,ou=people," BASE, "ismsLocalAccount", "TRUE");
	r = next_roster();
	ck_assert_int_eq(roster_kind(r), ROSTER_CHANGE);
	ck_assert_ptr_null(in_roster(r, "eve"));
	ck_assert_uint_eq(roster_dropped_user_count(r), 1);
	roster_free(r);
	ck_assert_uint_eq(get_facts("eve")->state, FACTS_MANAGED);
	(void)close(publisher_fd);
	listen_as_publisher();
	r = next_roster();
	ck_assert_int_eq(roster_kind(r), ROSTER_WHOLE);
	ck_assert_ptr_null(in_roster(r, "eve"));
	ck_assert_ptr_nonnull(in_roster(r, "ada"));
	roster_free(r);
	teardown();
}
END_TEST

/* Only whom a rule lets in here, and groups that such users have; a lock leaves nobody out. */
START_TEST(rosters_of_the_allowed)
{
	struct roster *r;

	setup();
	make_directory();
	write_etc("isms.conf", "[nss]\npublish = allowed\n[login]\nhost-name = web1\n");
	write_etc("policy.conf", "[role contractor]\nmatch = kind:contractor\nallow-services = sshd\nallow-hosts = web2\n"
	    "[role employee]\nmatch = kind:employee\nallow-services = sshd\nkeep-groups = web\n");
	start_directory();
	r = next_roster();
	ck_assert_uint_eq(roster_user_count(r), 1);
	ck_assert_uint_eq(roster_group_count(r), 1);		/* ops and no-payroll policy takes away */
	ck_assert(has_group(r, in_roster(r, "eve"), "web"));
	roster_free(r);
	await_status("\nroster_not_let_in=1\n");
	ck_assert(status_has("\nroster_left_out=1\n"));	/* bad */
	ck_assert_uint_eq(get_facts("ada")->state, FACTS_MANAGED);	/* the front judges with all facts */

	edit("uid=eve,ou=people," BASE, "nsAccountLock", "TRUE");
	while (!get_facts("eve")->disabled)
		(void)usleep(5000);
	write_etc("isms.conf", "[nss]\npublish = allowed\n[login]\nhost-name = web2\n");
	ck_assert_int_eq(kill(process, SIGHUP), 0);
	for (;;) {
		r = next_roster();
		if (in_roster(r, "ada") != NULL)
			break;
		roster_free(r);
	}
	ck_assert_uint_eq(in_roster(r, "eve")->flags & ROSTER_ENDED, ROSTER_ENDED);
	ck_assert_uint_eq(roster_group_count(r), 3);
	roster_free(r);
	await_status("\nroster_not_let_in=0\n");
	teardown();
}
END_TEST

/* The publisher goes and comes back without what it knew: it gets the roster again. */
START_TEST(publisher_restarts)
{
	setup();
	make_directory();
	start_directory();
	roster_free(next_roster());
	(void)close(publisher_fd);
	listen_as_publisher();
	roster_free(next_roster());
	teardown();
}
END_TEST

START_TEST(reload)
{
	struct roster *r;

	setup();
	make_directory();
	start_directory();
	roster_free(next_roster());
	write_etc("policy.conf", "[role x]\nnonsense = 1\n");
	ck_assert_int_eq(kill(process, SIGHUP), 0);
	ck_assert_uint_eq(get_facts("ada")->state, FACTS_MANAGED);
	write_etc("policy.conf", "[role any]\nmatch = any\nallow-services = sshd\nmfa = none\n");
	ck_assert_int_eq(kill(process, SIGHUP), 0);
	for (;;) {
		r = next_roster();
		if (has_group(r, in_roster(r, "ada"), "ops"))
			break;
		roster_free(r);
	}
	ck_assert_uint_eq(in_roster(r, "ada")->flags & ROSTER_MFA, 0);
	roster_free(r);
	write_etc("isms.conf", "[directory]\nbase = dc=elsewhere\n");
	ck_assert_int_eq(kill(process, SIGHUP), 0);
	await_status("\nconnected=no\n");
	write_etc("isms.conf", "[nss]\nid-range = 2001-3000\n");
	ck_assert_int_eq(kill(process, SIGHUP), 0);
	await_state("ada", FACTS_BROKEN);
	teardown();
}
END_TEST

/* DM01a: no question goes unanswered or is answered "not ready" while settings are read again and again. */
START_TEST(dm01a_reload_storm)
{
	setup();
	make_directory();
	start_directory();
	await_state("ada", FACTS_MANAGED);
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(kill(process, SIGHUP), 0);
		ck_assert_uint_eq(get_facts("ada")->state, FACTS_MANAGED);
	}
	ck_assert_int_eq(check_password("ada", PASSWORD, false), REASON_OK);
	teardown();
}
END_TEST

START_TEST(ip07a_gone_during_check)
{
	struct msg_password_check msg = { .user = "ada", .password = PASSWORD };
	int fds[30];

	setup();
	make_directory();
	start_directory();
	await_state("ada", FACTS_MANAGED);
	for (int i = 0; i < 30; i++) {
		fds[i] = dial();
		ck_assert_int_eq(channel_send(fds[i], MSG_PASSWORD_CHECK, &msg, channel_now_ms() + PATIENCE_MS), 0);
	}
	for (int i = 0; i < 30; i++)
		(void)close(fds[i]);
	edit("uid=eve,ou=people," BASE, "nsAccountLock", "TRUE");	/* and the view goes as well */
	while (!get_facts("eve")->disabled)
		(void)usleep(5000);
	ck_assert_int_eq(check_password("ada", PASSWORD, false), REASON_OK);
	for (int i = 0; i < 30; i++) {		/* SIGTERM while workers run */
		fds[i] = dial();
		ck_assert_int_eq(channel_send(fds[i], MSG_PASSWORD_CHECK, &msg, channel_now_ms() + PATIENCE_MS), 0);
	}
	teardown();
	for (int i = 0; i < 30; i++)
		(void)close(fds[i]);
}
END_TEST

/* Clients that were killed take no place in the queue (it is full else): the next one is answered. */
START_TEST(killed_clients_leave_the_queue)
{
	struct msg_password_check msg = { .user = "nobody", .password = PASSWORD, .dummy = 1 };
	int fds[120];

	setup();
	make_directory();
	start_directory();
	await_state("ada", FACTS_MANAGED);
	for (int i = 0; i < 120; i++) {
		fds[i] = dial();
		ck_assert_int_eq(channel_send(fds[i], MSG_PASSWORD_CHECK, &msg, channel_now_ms() + PATIENCE_MS), 0);
	}
	(void)get_facts("ada");		/* all of them are queued */
	for (int i = 0; i < 120; i++)
		(void)close(fds[i]);
	(void)get_facts("ada");		/* and have hung up */
	ck_assert_int_eq(check_password("ada", PASSWORD, false), REASON_OK);
	teardown();
}
END_TEST

/* More checks at once than may wait: each is answered, some with "unavailable", none with a wrong verdict. */
START_TEST(flood_of_checks)
{
	struct msg_password_check msg = { .user = "ada", .password = PASSWORD };
	const struct message_info *info;
	struct msg_result result;
	uint8_t frame[PROTO_FRAME_MAX];
	unsigned right = 0, busy = 0;
	int fds[120];
	size_t size;

	setup();
	make_directory();
	start_directory();
	await_state("ada", FACTS_MANAGED);
	for (int i = 0; i < 120; i++) {
		fds[i] = dial();
		ck_assert_int_eq(channel_send(fds[i], MSG_PASSWORD_CHECK, &msg, channel_now_ms() + PATIENCE_MS), 0);
	}
	for (int i = 0; i < 120; i++) {
		ck_assert_int_eq(channel_recv(fds[i], frame, sizeof frame, channel_now_ms() + 3 * PATIENCE_MS, &info, &size), 0);
		ck_assert_int_eq(proto_decode(info, frame, size, &result), 0);
		right += result.reason == REASON_OK;
		busy += result.reason == REASON_DIRECTORY_UNAVAILABLE;
		(void)close(fds[i]);
	}
	ck_assert_uint_eq(right + busy, 120);
	ck_assert_uint_ge(right, 64);
	teardown();
}
END_TEST

/* A person's word counts for what he saw, and an approval while the server is there to say what it would do. */
START_TEST(rp04a_decide)
{
	const struct source_status held = { .connected = true, .held_removed = 12, .held_renumbered = 3 };
	struct source_status other = held;

	ck_assert_int_eq(source_may_decide(&held, true, 12, 3), 0);
	ck_assert_int_eq(source_may_decide(&held, false, 12, 3), 0);
	ck_assert_int_eq(source_may_decide(&held, true, 11, 3), -ESTALE);
	ck_assert_int_eq(source_may_decide(&held, true, 12, 4), -ESTALE);
	ck_assert_int_eq(source_may_decide(&held, true, 0, 0), -ESTALE);
	other.connected = false;
	ck_assert_int_eq(source_may_decide(&other, true, 12, 3), -ENOTCONN);
	ck_assert_int_eq(source_may_decide(&other, false, 12, 3), 0);
	other = (struct source_status){ .connected = true };
	ck_assert_int_eq(source_may_decide(&other, true, 0, 0), -ENOENT);
}
END_TEST

/* Asked over the wire: nothing is held by a file. */
START_TEST(nothing_held)
{
	struct msg_hold_decide msg = { .approve = 1, .actor = "root" };
	struct msg_done done = { .error = 0 };

	setup();
	make_directory();
	start_directory();
	await_state("ada", FACTS_MANAGED);
	ask(MSG_HOLD_DECIDE, &msg, MSG_DONE, &done);
	ck_assert_uint_eq(done.error, ENOENT);
	teardown();
}
END_TEST

/* Another kind of uri, a broken policy: refuses to start. */
START_TEST(refuses_to_start)
{
	int status;

	setup();
	write_etc(_i == 0 ? "isms.conf" : "policy.conf", _i == 0 ? "[directory]\nuri = file:///a/../b\n" : "[role]\nx = 1\n");
	start_directory();
	ck_assert_int_eq(waitpid(process, &status, 0), process);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 2);
	remove_root();
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ facts_follow_the_file, 0 },
		{ rp11a_single_change, 0 },
		{ passwords, 0 },
		{ ld01a_empty_password, 0 },
		{ password_changes, 0 },
		{ tokens, 0 },
		{ broken_file, ROWS(broken_files) },
		{ folder_gone, 0 },
		{ rosters, 0 }, { rosters_of_the_allowed, 0 }, { rosters_without_local_accounts, 2 },
		{ publisher_restarts, 0 },
		{ reload, 0 },
		{ dm01a_reload_storm, 0 },
		{ ip07a_gone_during_check, 0 },
		{ killed_clients_leave_the_queue, 0 },
		{ flood_of_checks, 0 },
		{ rp04a_decide, 0 },
		{ nothing_held, 0 },
		{ refuses_to_start, 2 },
	};

	return suite_run("directory", rows, ROWS(rows), 180);
}

/*
 * test_state.c - durable state: survives kill -9, refuses to lie on a full disk, and never lowers a mark.
 */
#include <config.h>

#include "daemon/state.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/suite.h"

static char folder[64];
static const struct clock_mark mark = { .known = true, .mark_sec = 1800000000, .boot_id = "boot" };

static void
make_folder(void)
{
	(void)snprintf(folder, sizeof folder, "%s/test_state.XXXXXX", suite_folder());
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void
remove_folder(void)
{
	static const char *const names[] = { "state.db", "state.db-wal", "state.db-shm", "state.db-journal" };
	char path[128];

	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		(void)unlink(path);
	}
	ck_assert_int_eq(rmdir(folder), 0);
}

static struct state *
opened(void)
{
	struct state *s = NULL;

	ck_assert_int_eq(state_open(folder, &s), 0);
	ck_assert_ptr_nonnull(s);
	return s;
}

static int
accept_code(struct state *s, const char *token, uint64_t last)
{
	const struct acceptance a = {
		.user = "ada", .scope = SCOPE_REMOTE, .token = token, .last = last, .now_utc_sec = 1800000000, .mark = &mark,
	};

	return state_accept(s, &a);
}

START_TEST(remembers)
{
	const struct failures failed = { .count = 3, .last_utc_sec = 7, .locked_until_utc_sec = 9 };
	struct failures got;
	struct otp_mark otp;
	struct clock_mark clock;
	struct state *s;
	uint64_t seq = 0;
	unsigned count;

	make_folder();
	s = opened();
	ck_assert_ptr_null(state_fault(s));
	ck_assert_int_eq(state_token_mark(s, "t1", &otp), 0);
	ck_assert(!otp.known);
	ck_assert_int_eq(accept_code(s, "t1", 100), 0);
	ck_assert_int_eq(state_set_failures(s, "ada", SCOPE_REMOTE, &failed), 0);
	ck_assert_int_eq(state_next_sequence(s, "ada", 5, &seq), 0);
	ck_assert_uint_eq(seq, 1);
	state_close(s);

	s = opened();
	ck_assert_int_eq(state_token_mark(s, "t1", &otp), 0);
	ck_assert(otp.known);
	ck_assert_uint_eq(otp.last, 100);
	ck_assert_int_eq(state_failures(s, "ada", SCOPE_REMOTE, &got), 0);
	ck_assert_uint_eq(got.count, 3);
	ck_assert_int_eq(got.locked_until_utc_sec, 9);
	ck_assert_int_eq(state_locked_count(s, 8, &count), 0);
	ck_assert_uint_eq(count, 1);
	/* Remote and local are counted apart (OT11a). */
	ck_assert_int_eq(state_failures(s, "ada", SCOPE_LOCAL, &got), 0);
	ck_assert_uint_eq(got.count, 0);
	ck_assert_int_eq(state_next_sequence(s, NULL, 0, &seq), 0);
	ck_assert_uint_eq(seq, 2);
	ck_assert_int_eq(state_load_clock(s, &clock), 0);
	ck_assert(clock.known);
	ck_assert_int_eq(clock.mark_sec, mark.mark_sec);
	ck_assert_str_eq(clock.boot_id, "boot");
	/* A success forgets the failures of its scope, unlocking those of both. */
	ck_assert_int_eq(accept_code(s, NULL, 0), 0);
	ck_assert_int_eq(state_failures(s, "ada", SCOPE_REMOTE, &got), 0);
	ck_assert_uint_eq(got.count, 0);
	ck_assert_int_eq(state_set_failures(s, "ada", SCOPE_REMOTE, &failed), 0);
	ck_assert_int_eq(state_set_failures(s, "ada", SCOPE_LOCAL, &failed), 0);
	ck_assert_int_eq(state_forget_failures(s, "ada", &count), 0);
	ck_assert_uint_eq(count, 2);
	state_close(s);
	remove_folder();
}
END_TEST

START_TEST(ot02a_mark_only_rises)
{
	struct otp_mark otp;
	struct state *s;

	make_folder();
	s = opened();
	ck_assert_int_eq(accept_code(s, "t1", 100), 0);
	ck_assert_int_eq(accept_code(s, "t1", 100), -EEXIST);
	ck_assert_int_eq(accept_code(s, "t1", 99), -EEXIST);
	ck_assert_int_eq(accept_code(s, "t1", UINT64_MAX), -ERANGE);
	ck_assert_int_eq(state_token_mark(s, "t1", &otp), 0);
	ck_assert_uint_eq(otp.last, 100);
	ck_assert_int_eq(accept_code(s, "t1", 101), 0);
	ck_assert_int_eq(accept_code(s, "t2", 1), 0);
	state_close(s);
	remove_folder();
}
END_TEST

/* kill -9 directly after the answer: the code stays burnt. */
START_TEST(ot08a_durable)
{
	struct otp_mark otp;
	struct state *s;
	int told[2], status;
	char byte;
	pid_t pid;

	make_folder();
	ck_assert_int_eq(pipe(told), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		s = NULL;
		if (state_open(folder, &s) == 0 && accept_code(s, "t1", (uint64_t)_i + 7) == 0)
			(void)!write(told[1], "1", 1);
		for (;;)
			(void)pause();
	}
	(void)close(told[1]);
	ck_assert_int_eq(read(told[0], &byte, 1), 1);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	(void)close(told[0]);
	s = opened();
	ck_assert_int_eq(state_token_mark(s, "t1", &otp), 0);
	ck_assert(otp.known);
	ck_assert_uint_eq(otp.last, (uint64_t)_i + 7);
	ck_assert_int_eq(accept_code(s, "t1", (uint64_t)_i + 7), -EEXIST);
	state_close(s);
	remove_folder();
}
END_TEST

/* A full disk is told, never passed over, and leaves what was there. */
START_TEST(ot09a_store_fail)
{
	char id[65];
	struct otp_mark otp;
	struct state *s;
	unsigned i;
	int r = 0;

	make_folder();
	s = opened();
	ck_assert_int_eq(accept_code(s, "t1", 100), 0);
	ck_assert_int_eq(state_set_max_pages(s, 1), 0);		/* SQLite takes the present size as the least */
	for (i = 0; i < 10000 && r == 0; i++) {
		(void)snprintf(id, sizeof id, "filler-%054u", i);
		r = accept_code(s, id, 1);
	}
	ck_assert_int_eq(r, -ENOSPC);
	ck_assert_ptr_nonnull(state_fault(s));
	ck_assert_int_eq(state_token_mark(s, id, &otp), 0);
	ck_assert(!otp.known);
	ck_assert_int_eq(state_token_mark(s, "t1", &otp), 0);
	ck_assert_uint_eq(otp.last, 100);
	ck_assert_int_eq(state_set_max_pages(s, 100000), 0);
	ck_assert_int_eq(accept_code(s, id, 1), 0);
	ck_assert_ptr_null(state_fault(s));
	state_close(s);
	remove_folder();
}
END_TEST

static void
break_missing(void)
{
	(void)snprintf(folder, sizeof folder, "%s/none", suite_folder());
}

static void
break_writable(void)
{
	make_folder();
	ck_assert_int_eq(chmod(folder, 0777), 0);
}

static void
break_file(void)
{
	char path[128];
	FILE *f;

	make_folder();
	(void)snprintf(path, sizeof path, "%s/state.db", folder);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	for (int i = 0; i < 8192; i++)
		(void)fputc('x', f);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(path, 0600), 0);
}

static void
break_symlink(void)
{
	char path[128];

	make_folder();
	(void)snprintf(path, sizeof path, "%s/state.db", folder);
	ck_assert_int_eq(symlink("/tmp/test_state-elsewhere", path), 0);
}

static void (*const breaks[])(void) = { break_missing, break_writable, break_file, break_symlink };

/* Missing, writable by others, corrupt, a link: nothing is stored, everything says so, nothing is made anew. */
START_TEST(dm06a_state)
{
	struct failures failed;
	struct clock_mark clock;
	struct otp_mark otp;
	struct state *s = NULL;
	uint64_t seq;
	unsigned count;

	breaks[_i]();
	ck_assert_int_eq(state_open(folder, &s), 0);
	ck_assert_ptr_nonnull(s);
	ck_assert_ptr_nonnull(state_fault(s));
	ck_assert_int_lt(accept_code(s, "t1", 1), 0);
	ck_assert_int_lt(state_token_mark(s, "t1", &otp), 0);
	ck_assert_int_lt(state_failures(s, "ada", SCOPE_LOCAL, &failed), 0);
	failed = (struct failures){ .count = 1 };
	ck_assert_int_lt(state_set_failures(s, "ada", SCOPE_LOCAL, &failed), 0);
	ck_assert_int_lt(state_forget_failures(s, "ada", &count), 0);
	ck_assert_int_lt(state_next_sequence(s, NULL, 0, &seq), 0);
	ck_assert_int_lt(state_load_clock(s, &clock), 0);
	ck_assert_int_lt(state_save_clock(s, &mark), 0);
	state_close(s);
	if (_i > 0)
		remove_folder();
}
END_TEST

/* The folder is taken away while the file is open: what would be written there is gone at the next start (I9). */
START_TEST(dm06a_taken_away)
{
	char away[80];
	struct otp_mark otp;
	struct state *s;
	uint64_t seq;

	make_folder();
	s = opened();
	ck_assert_int_eq(accept_code(s, "t1", 100), 0);
	(void)snprintf(away, sizeof away, "%s.away", folder);
	ck_assert_int_eq(rename(folder, away), 0);
	ck_assert_int_lt(accept_code(s, "t1", 101), 0);
	ck_assert_int_lt(state_next_sequence(s, NULL, 0, &seq), 0);
	ck_assert_ptr_nonnull(state_fault(s));
	ck_assert_int_eq(rename(away, folder), 0);
	ck_assert_int_eq(chmod(folder, 0777), 0);
	ck_assert_int_lt(accept_code(s, "t1", 101), 0);
	ck_assert_int_eq(chmod(folder, 0700), 0);
	state_close(s);

	s = opened();
	ck_assert_ptr_null(state_fault(s));
	ck_assert_int_eq(state_token_mark(s, "t1", &otp), 0);
	ck_assert_uint_eq(otp.last, 100);
	ck_assert_int_eq(accept_code(s, "t1", 101), 0);
	/* Open, but others may write the folder by now. */
	ck_assert_int_eq(chmod(folder, 0777), 0);
	ck_assert_int_lt(accept_code(s, "t1", 102), 0);
	ck_assert_int_eq(chmod(folder, 0700), 0);
	state_close(s);
	remove_folder();
}
END_TEST

static void
count_session(const struct session_row *row, void *arg)
{
	ck_assert_str_eq(row->user, "ada");
	ck_assert_uint_eq(row->uid, 2001);
	ck_assert_uint_eq(row->factors, 5);
	(*(unsigned *)arg)++;
}

START_TEST(sessions)
{
	const struct session_row row = {
		.txn = "0123456789abcdef0123456789abcdef", .user = "ada", .service = "sshd", .tty = "ssh", .uid = 2001, .factors = 5,
		.opened_utc_sec = 1800000000,
	};
	struct state *s;
	unsigned n = 0;

	make_folder();
	s = opened();
	ck_assert_int_eq(state_add_session(s, &row), 0);
	ck_assert_int_eq(state_each_session(s, count_session, &n), 0);
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(state_remove_session(s, row.txn), 0);
	ck_assert_int_eq(state_each_session(s, count_session, &n), 0);
	ck_assert_uint_eq(n, 1);
	state_close(s);
	remove_folder();
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ remembers, 0 },
		{ ot02a_mark_only_rises, 0 },
		{ ot08a_durable, 5 },
		{ ot09a_store_fail, 0 },
		{ dm06a_state, ROWS(breaks) },
		{ dm06a_taken_away, 0 },
		{ sessions, 0 },
	};

	(void)umask(077);
	return suite_run("state", rows, ROWS(rows), 60);
}

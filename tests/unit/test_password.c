/*
 * test_password.c - which verifiers are checked, which are not, and what a new password must be; the workers.
 */
#include <config.h>

#include "daemon/password.h"

#include <crypt.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/workers.h"
#include "tests/unit/suite.h"

#define PASSWORD "correct horse battery"

static const struct { const char *prefix; unsigned long cost; bool known; } schemes[] = {
	{ "$y$", 1, true }, { "$y$", 5, true }, { "$y$", 9, false }, { "$gy$", 3, true }, { "$7$", 6, true }, { "$7$", 11, false },
	{ "$2b$", 4, true }, { "$6$", 1000, true }, { "$5$", 5000, true }, { "$1$", 0, false }, { "$2a$", 4, false }, { "", 0, false },
};

static void
make(const char *prefix, unsigned long cost, char *ret, size_t size)
{
	struct crypt_data work = { 0 };
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];

	ck_assert_ptr_nonnull(crypt_gensalt_rn(prefix, cost, NULL, 0, setting, sizeof setting));
	ck_assert_int_lt(snprintf(ret, size, "{CRYPT}%s", crypt_r(PASSWORD, setting, &work)), (int)size);
}

START_TEST(scheme_table)
{
	char verifier[PASSWORD_VERIFIER_SIZE];

	make(schemes[_i].prefix, schemes[_i].cost, verifier, sizeof verifier);
	ck_assert_int_eq(password_verifier_known(verifier), schemes[_i].known);
	ck_assert_int_eq(password_check(verifier, PASSWORD), schemes[_i].known);
	ck_assert(!password_check(verifier, PASSWORD " "));
	ck_assert(!password_check(verifier, ""));
	memcpy(verifier, "{crypt}", 7);
	ck_assert_int_eq(password_check(verifier, PASSWORD), schemes[_i].known);
	memcpy(verifier, "{CRYPS}", 7);
	ck_assert(!password_check(verifier, PASSWORD));
}
END_TEST

/* None of these may let anybody in, hang, or bring the process down. */
static const char *const junk[] = {
	"", "{CRYPT}", "{CRYPT}*", "{CRYPT}*0", "{CRYPT}!", "{CRYPT}x", "secret", "{CLEARTEXT}secret", "{SSHA}abc", "{CRYPT}$y$",
	"{CRYPT}$y$j9T$", "{CRYPT}$y$j9T$a$b", "{CRYPT}$y$jZT$a$b", "{CRYPT}$y$", "{CRYPT}$6$rounds=999999999$a$b",
	"{CRYPT}$6$rounds=1$a$b", "{CRYPT}$6$rounds=-5$a$b", "{CRYPT}$6$rounds=5000", "{CRYPT}$2b$31$abcdefghijklmnopqrstuu",
	"{CRYPT}$2b$99$a", "{CRYPT}$7$zzzzz", "{CRYPT}$7$C6..../....", "{CRYPT}$7$CUzzzz/zzzza", "{CRYPT}$6$", "{CRYPT}$5$$",
	"{CRYPT}$gy$j9T$:$:",
};

START_TEST(junk_verifiers)
{
	ck_assert(!password_check(junk[_i], "secret"));
	ck_assert(!password_check(junk[_i], "*0"));
	ck_assert(!password_check(junk[_i], ""));
}
END_TEST

START_TEST(nobody)
{
	char long_one[PASSWORD_BYTES_MAX + 2];

	ck_assert(!password_check(NULL, PASSWORD));
	ck_assert(!password_check(NULL, ""));
	memset(long_one, 'x', sizeof long_one);
	long_one[sizeof long_one - 1] = '\0';
	ck_assert(!password_check(NULL, long_one));
}
END_TEST

START_TEST(made_and_checked)
{
	char one[PASSWORD_VERIFIER_SIZE], other[PASSWORD_VERIFIER_SIZE];

	ck_assert_int_eq(password_make(PASSWORD, one), 0);
	ck_assert_int_eq(password_make(PASSWORD, other), 0);
	ck_assert_str_ne(one, other);
	ck_assert_int_eq(strncmp(one, "{CRYPT}$y$", 10), 0);
	ck_assert(password_check(one, PASSWORD));
	ck_assert(!password_check(one, "correct horse batterx"));
}
END_TEST

static const struct { const char *user, *old, *new_password; bool good; } judged[] = {
	{ "ada", "", PASSWORD, true },
	{ "ada", "old password 1", PASSWORD, true },
	{ "ada", PASSWORD, PASSWORD, false },
	{ "ada", "", "", false },
	{ "ada", "", "elevenchars", false },
	{ "ada", "", "twelve chars", true },
	{ "ada", "", "\xc3\xa9\xc3\xa8\xc3\xa9\xc3\xa8\xc3\xa9\xc3\xa8", false },	/* 12 bytes, 6 characters */
	{ "ada", "", "aaaaaaaaaaaaaaaa", false },
	{ "ada-lovelace", "", "ada-lovelace1", false },
	{ "ada-lovelace", "", "Ada-Lovelace and a long tail", true },
};

START_TEST(judge_table)
{
	ck_assert_int_eq(password_judge(judged[_i].user, judged[_i].old, judged[_i].new_password) == NULL, judged[_i].good);
}
END_TEST

/* ---- workers ---- */

static unsigned done_count, cancelled_count;
static atomic_bool let_go;

static void
run_when_let(void *job)
{
	while (!atomic_load(&let_go))
		(void)usleep(1000);
	*(int *)job += 1;
}

static void
on_done(void *job, bool cancelled)
{
	ck_assert_int_eq(*(int *)job, cancelled ? 0 : 1);
	done_count++;
	cancelled_count += cancelled;
	free(job);
}

static int
submit(struct workers *w)
{
	int *job = calloc(1, sizeof *job);
	int r = workers_submit(w, &(struct work){ run_when_let, on_done, job });

	if (r < 0)
		free(job);
	return r;
}

START_TEST(bounded_queue)
{
	sd_event *event = NULL;
	struct workers *w = NULL;
	unsigned taken = 0;

	done_count = cancelled_count = 0;
	atomic_store(&let_go, false);
	ck_assert_int_ge(sd_event_new(&event), 0);
	ck_assert_int_eq(workers_new(event, 2, 4, &w), 0);
	for (int i = 0; i < 20; i++) {
		int r = submit(w);

		ck_assert(r == 0 || r == -EBUSY);
		taken += r == 0;
	}
	ck_assert_uint_ge(taken, 4);
	ck_assert_uint_le(taken, 6);	/* and two that a thread has taken out of the queue */
	atomic_store(&let_go, true);
	while (done_count < taken)
		ck_assert_int_ge(sd_event_run(event, 1000000), 0);
	ck_assert_uint_eq(cancelled_count, 0);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(submit(w), 0);
	workers_free(w);		/* what waits is handed back, not run */
	ck_assert_uint_eq(done_count, taken + 4);
	sd_event_unref(event);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ scheme_table, ROWS(schemes) },
		{ junk_verifiers, ROWS(junk) },
		{ nobody, 0 },
		{ made_and_checked, 0 },
		{ judge_table, ROWS(judged) },
		{ bounded_queue, 0 },
	};

	return suite_run("password", rows, ROWS(rows), 120);
}

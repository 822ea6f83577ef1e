/*
 * test_proof.c - single-use proofs and the transactions behind them.
 */
#include <config.h>

#include "daemon/proof.h"

#include <errno.h>
#include <string.h>

#include "common/proto.h"
#include "tests/unit/suite.h"

static const unsigned both = FACTOR_PASSWORD | FACTOR_OTP;
static struct proofs *all;
static char proof[PROOF_ID_SIZE], txn[PROOF_ID_SIZE];

static void
issue(int64_t now_ms)
{
	const struct transaction *t;

	all = proofs_new();
	ck_assert_ptr_nonnull(all);
	ck_assert_int_eq(proof_add(all, "ada", "sshd", 0, both, "", now_ms, &t), 0);
	memcpy(proof, t->proof, sizeof proof);
	memcpy(txn, t->txn, sizeof txn);
	ck_assert(proof_id_valid(proof) && proof_id_valid(txn));
	ck_assert_str_ne(proof, txn);
}

START_TEST(serves_once)
{
	const struct transaction *t;

	issue(1000);
	t = proof_take(all, proof, "ada", "sshd", 0, 2000);
	ck_assert_ptr_nonnull(t);
	ck_assert_uint_eq(t->factors, both);
	ck_assert_str_eq(t->txn, txn);
	ck_assert_ptr_null(proof_take(all, proof, "ada", "sshd", 0, 2000));
	proofs_free(all);
}
END_TEST

static const struct {
	const char *user, *service;
	uid_t uid;
	int64_t now_ms;
} strangers[] = {
	{ "bob", "sshd", 0, 2000 },
	{ "ada", "login", 0, 2000 },
	{ "ada", "sshd", 1001, 2000 },
	{ "ada", "sshd", 0, 1000 + PROOF_LIFE_MS },
};

START_TEST(pa06a_for_nobody_else)
{
	issue(1000);
	ck_assert_ptr_null(proof_take(all, proof, strangers[_i].user, strangers[_i].service, strangers[_i].uid,
	    strangers[_i].now_ms));
	/* And it is gone with the attempt. */
	ck_assert_ptr_null(proof_take(all, proof, "ada", "sshd", 0, 2000 + (_i == 3 ? PROOF_LIFE_MS : 0)));
	ck_assert_uint_eq(proof_finish(all, txn, "ada", 2000), 0);
	proofs_free(all);
}
END_TEST

START_TEST(pa13a_no_proof_is_nothing_proven)
{
	static const char *const bad[] = { "", "x", "00000000000000000000000000000000", "0123456789ABCDEF0123456789ABCDEF" };
	const struct transaction *t;

	issue(1000);
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_ptr_null(proof_take(all, bad[i], "ada", "sshd", 0, 2000));
	/* Knowing the transaction is not having its proof. */
	ck_assert_ptr_null(proof_take(all, txn, "ada", "sshd", 0, 2000));
	ck_assert_int_eq(proof_begin(all, "ada", "sshd", 0, txn, 2000, &t), 0);
	ck_assert_str_ne(t->txn, txn);
	ck_assert_uint_eq(t->factors, 0);
	ck_assert_uint_eq(proof_finish(all, t->txn, "ada", 3000), 0);
	/* Nor does a session get what the account stage never judged. */
	ck_assert_uint_eq(proof_finish(all, txn, "ada", 3000), 0);
	proofs_free(all);
}
END_TEST

START_TEST(session_learns_what_was_proven)
{
	issue(1000);
	ck_assert_ptr_nonnull(proof_take(all, proof, "ada", "sshd", 0, 2000));
	ck_assert_uint_eq(proof_finish(all, txn, "bob", 3000), 0);
	ck_assert_uint_eq(proof_finish(all, txn, "ada", 3000), both);
	ck_assert_uint_eq(proof_finish(all, txn, "ada", 3000), 0);
	proofs_free(all);
}
END_TEST

START_TEST(session_learns_that_its_key_is_awaited)
{
	issue(1000);
	ck_assert(!proof_await_key(all, txn, "bob", false, 2000));
	ck_assert_ptr_nonnull(proof_take(all, proof, "ada", "sshd", 0, 2000));
	ck_assert(!proof_awaits_key(all, txn, "ada", 3000));
	ck_assert(proof_await_key(all, txn, "ada", false, 3000));
	ck_assert(!proof_awaits_key(all, txn, "bob", 3000));
	ck_assert(!proof_awaits_key(all, "", "ada", 3000));
	ck_assert(!proof_key_exempts(all, txn, "ada", 3000));
	ck_assert(!proof_awaits_key(all, txn, "ada", 2000 + PROOF_SESSION_MS));
	ck_assert(proof_awaits_key(all, txn, "ada", 1999 + PROOF_SESSION_MS));
	ck_assert_uint_eq(proof_finish(all, txn, "ada", 3000), both);
	ck_assert(!proof_awaits_key(all, txn, "ada", 3000));	/* of one session */
	proofs_free(all);
}
END_TEST

START_TEST(recent_for_a_password_change)
{
	issue(1000);
	ck_assert_ptr_nonnull(proof_recent(all, txn, "ada", 2000));
	ck_assert_ptr_null(proof_recent(all, txn, "bob", 2000));
	ck_assert_ptr_nonnull(proof_take(all, proof, "ada", "sshd", 0, 3000));
	ck_assert_ptr_nonnull(proof_recent(all, txn, "ada", 1000 + PROOF_LIFE_MS - 1));
	/* Alive for its session, but no longer fresh. */
	ck_assert_ptr_null(proof_recent(all, txn, "ada", 1000 + PROOF_LIFE_MS));
	ck_assert_uint_eq(proof_finish(all, txn, "ada", 1000 + PROOF_LIFE_MS), both);
	proofs_free(all);
}
END_TEST

START_TEST(bounded)
{
	const struct transaction *t;

	issue(1000);
	for (unsigned i = 0; i < 3 * PROOF_MAX; i++)
		ck_assert_int_eq(proof_add(all, "bob", "login", 0, both, "", 2000 + i, &t), 0);
	ck_assert_uint_eq(proof_count(all, 2000 + 3 * PROOF_MAX), PROOF_MAX);
	ck_assert_ptr_null(proof_take(all, proof, "ada", "sshd", 0, 9000));
	ck_assert_ptr_nonnull(proof_take(all, t->proof, "bob", "login", 0, 9000));
	proofs_free(all);
}
END_TEST

/* Anybody's account stage enters transactions in which nothing was proven, and they live longer: they cost no proof. */
START_TEST(unproven_gives_way)
{
	const struct transaction *t;
	char first[PROOF_ID_SIZE];

	issue(1000);
	memcpy(first, proof, sizeof first);
	for (unsigned i = 0; i < 2 * PROOF_MAX; i++)
		ck_assert_int_eq(proof_begin(all, "bob", "cron", 0, "", 1500, &t), 0);
	ck_assert_uint_eq(proof_count(all, 2000), PROOF_MAX);
	for (unsigned i = 1; i < PROOF_MAX; i++)
		ck_assert_int_eq(proof_add(all, "ada", "login", 0, both, "", 2000, &t), 0);
	/* None is left that proves nothing. Now nobody gives way to one. */
	ck_assert_int_eq(proof_begin(all, "bob", "cron", 0, "", 3000, &t), -ENOSPC);
	ck_assert_ptr_nonnull(proof_take(all, first, "ada", "sshd", 0, 3000));
	/* Among proofs the oldest gives way; a dead one before all. */
	ck_assert_int_eq(proof_begin(all, "bob", "cron", 0, "", 2000 + PROOF_LIFE_MS, &t), 0);
	ck_assert_uint_eq(proof_count(all, 2000 + PROOF_LIFE_MS), 2);
	proofs_free(all);
}
END_TEST

/* What a session has to be asked for is not pushed out by what anybody's jobs begin. */
START_TEST(a_key_is_awaited)
{
	const struct transaction *t;

	all = proofs_new();
	ck_assert_int_eq(proof_begin(all, "ada", "sshd", 0, "", 1000, &t), 0);
	memcpy(txn, t->txn, sizeof txn);
	ck_assert(!proof_awaits_key(all, txn, "ada", 1000));
	ck_assert(!proof_await_key(all, txn, "bob", true, 1000));
	ck_assert(!proof_await_key(all, "", "ada", true, 1000));
	ck_assert(proof_await_key(all, txn, "ada", true, 1000));
	for (int i = 0; i < PROOF_MAX * 2; i++)
		ck_assert_int_eq(proof_begin(all, "bob", "cron", 0, "", 2000, &t), 0);
	ck_assert(proof_awaits_key(all, txn, "ada", 2000));
	ck_assert(proof_key_exempts(all, txn, "ada", 2000));
	ck_assert(!proof_key_exempts(all, txn, "bob", 2000));
	ck_assert_uint_eq(proof_session(all, txn, "ada", 2000), 0);
	ck_assert_uint_eq(proof_finish(all, txn, "ada", 2000), 0);
	ck_assert(!proof_key_exempts(all, txn, "ada", 2000));
	proofs_free(all);
}
END_TEST

/* A change takes it once; the session still knows what was proven. */
START_TEST(change_uses_it_up)
{
	int64_t proven_ms;

	issue(1000);
	ck_assert_ptr_nonnull(proof_take(all, proof, "ada", "sshd", 0, 2000));
	ck_assert_int_eq(proof_use(all, txn, "bob", 2000), 0);
	proven_ms = proof_use(all, txn, "ada", 2000);
	ck_assert_int_eq(proven_ms, 1000);
	ck_assert_int_eq(proof_use(all, txn, "ada", 2000), 0);
	ck_assert_ptr_null(proof_recent(all, txn, "ada", 2000));
	proof_return(all, txn, "ada", proven_ms, 2000);
	ck_assert_ptr_nonnull(proof_recent(all, txn, "ada", 2000));
	ck_assert_int_eq(proof_use(all, txn, "ada", 2000), 1000);
	ck_assert_uint_eq(proof_finish(all, txn, "ada", 3000), both);
	proofs_free(all);
}
END_TEST

/* A password that was let in for a change only stays so for its own login, until a change has succeeded in it. */
START_TEST(px06a_for_a_change_only)
{
	const unsigned stale = FACTOR_PASSWORD_STALE;
	const struct transaction *t;

	issue(1000);
	ck_assert_uint_eq(proof_change(all, txn, "ada", 1000), 0);
	ck_assert_int_eq(proof_add(all, "ada", "sshd", 0, both | stale, "", 1000, &t), 0);
	memcpy(proof, t->proof, sizeof proof);
	memcpy(txn, t->txn, sizeof txn);
	ck_assert_uint_eq(proof_change(all, txn, "ada", 1000), stale);	/* also if no account stage comes */
	ck_assert_ptr_nonnull(proof_take(all, proof, "ada", "sshd", 0, 2000));
	ck_assert_uint_eq(proof_change(all, txn, "ada", 2000), stale);
	ck_assert_uint_eq(proof_change(all, txn, "bob", 2000), 0);
	ck_assert_uint_eq(proof_change(all, "", "ada", 2000), 0);
	proof_changed(all, txn, "bob", 2000);
	ck_assert_int_eq(proof_use(all, txn, "ada", 2000), 1000);	/* an attempt alone changes nothing */
	ck_assert_uint_eq(proof_change(all, txn, "ada", 2000), stale);
	proof_changed(all, txn, "ada", 2000);
	ck_assert_uint_eq(proof_change(all, txn, "ada", 2000), FACTOR_PASSWORD_CHANGED);
	ck_assert_uint_eq(proof_finish(all, txn, "ada", 3000), both);	/* the session is told of neither */
	ck_assert_uint_eq(proof_change(all, txn, "ada", 3000), 0);
	proofs_free(all);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ serves_once, 0 },
		{ a_key_is_awaited, 0 }, { change_uses_it_up, 0 },
		{ px06a_for_a_change_only, 0 },
		{ pa06a_for_nobody_else, ROWS(strangers) },
		{ pa13a_no_proof_is_nothing_proven, 0 },
		{ session_learns_what_was_proven, 0 },
		{ session_learns_that_its_key_is_awaited, 0 },
		{ recent_for_a_password_change, 0 },
		{ bounded, 0 },
		{ unproven_gives_way, 0 },
	};

	return suite_run("proof", rows, ROWS(rows), 30);
}

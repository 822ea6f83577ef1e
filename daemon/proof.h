/*
 * proof.h - what was proven lately, in memory: transactions, and the single-use proofs that carry them from one
 * PAM stage to the next (DESIGN 3.4).
 *
 *   auth ok  -> proof_add(): a transaction and a proof of it
 *   account  -> proof_take(): the proof is used up; or proof_begin(): nothing was proven, and the user may enter
 *   session  -> proof_finish(): the transaction is used up
 *
 * A restart forgets all of them: who was between two stages begins anew.
 */
#ifndef ISMS_PROOF_H
#define ISMS_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROOF_ID_SIZE		33	/* 128 bit in hex, and NUL */
#define PROOF_LIFE_MS		120000	/* from auth to account, and from auth to chauthtok */
#define PROOF_SESSION_MS	600000	/* from account to open_session: a password change may lie between */
#define PROOF_MAX		2048	/* at a time; what proves nothing gives way, then the oldest */

struct transaction {
	char txn[PROOF_ID_SIZE];
	char proof[PROOF_ID_SIZE];	/* "" once used up */
	char user[33];
	char service[65];
	uid_t peer_uid;
	unsigned factors;		/* FACTOR_* */
	bool awaits_key, key_exempts;	/* see proof_await_key() */
	int64_t proven_ms;		/* CLOCK_MONOTONIC; 0: nothing was proven, or a change has used it */
	int64_t expires_ms;
};

struct proofs;

/* Returns NULL without memory. */
struct proofs *proofs_new(void);
void proofs_free(struct proofs *all);		/* NULL is fine; wipes */

/* 128 random bits in hex. Returns 0 or -errno: then nothing may be issued. */
int proof_random(char ret[static PROOF_ID_SIZE]);

/*
 * Auth was right: enter a transaction.
 *
 *  user, service, peer_uid  whom it holds for
 *  factors                  what was proven
 *  txn                      "" to make a new one
 *
 * Returns 0 and the transaction (borrowed, until the next call), or -errno.
 */
int proof_add(struct proofs *all, const char *user, const char *service, uid_t peer_uid, unsigned factors,
    const char *txn, int64_t now_ms, const struct transaction **ret);

/*
 * Use up a proof. It is gone afterwards, also when user, service or peer differ from those it was issued for.
 *
 * Returns the transaction (borrowed, until the next call), or NULL: nothing is proven.
 */
const struct transaction *proof_take(struct proofs *all, const char *proof, const char *user, const char *service,
    uid_t peer_uid, int64_t now_ms);

/*
 * Account without a proof: a transaction in which nothing was proven.
 *
 *  txn  the name that auth's events have, if any; "" to make a new one
 *
 * Returns 0 or -errno; -ENOSPC when all places are taken by what was proven.
 */
int proof_begin(struct proofs *all, const char *user, const char *service, uid_t peer_uid, const char *txn,
    int64_t now_ms, const struct transaction **ret);

/* The transaction of a user, when it was proven within the last PROOF_LIFE_MS; else NULL. Stays. */
const struct transaction *proof_recent(struct proofs *all, const char *txn, const char *user, int64_t now_ms);

/*
 * A password change uses up what proof_recent() goes by; what was proven stays known to proof_finish().
 *
 * Returns the moment of the proof, for proof_return(), or 0: it was used before.
 */
int64_t proof_use(struct proofs *all, const char *txn, const char *user, int64_t now_ms);
/* The change did not come about. */
void proof_return(struct proofs *all, const char *txn, const char *user, int64_t proven_ms, int64_t now_ms);

/*
 * Whether a change of the password is due or done in a transaction. Holds also for a proof that nobody has taken, and
 * until the transaction expires.
 *
 * Returns FACTOR_PASSWORD_STALE, FACTOR_PASSWORD_CHANGED or 0, for front_judge().
 */
unsigned proof_change(struct proofs *all, const char *txn, const char *user, int64_t now_ms);
/* The password was changed within the transaction: none is due any more. */
void proof_changed(struct proofs *all, const char *txn, const char *user, int64_t now_ms);

/*
 * The session of a transaction opens: what was proven in it, once.
 *
 * Returns FACTOR_* bits; 0 for an unknown, foreign or expired one.
 */
unsigned proof_finish(struct proofs *all, const char *txn, const char *user, int64_t now_ms);

/* The same, which it stays: what the session that is about to open was proven with. */
unsigned proof_session(struct proofs *all, const char *txn, const char *user, int64_t now_ms);

/*
 * The account stage let the user as far as his session, which judges the key that sshd names then: only then is the login
 * granted.
 *
 *  exempts  it did so by an exemption that is bound to a key: one must hold for the key of the session
 *
 * Returns false when there is no such transaction: nobody would know it then.
 */
bool proof_await_key(struct proofs *all, const char *txn, const char *user, bool exempts, int64_t now_ms);
/* Whether it did, and whether by an exemption; until proof_finish(). */
bool proof_awaits_key(struct proofs *all, const char *txn, const char *user, int64_t now_ms);
bool proof_key_exempts(struct proofs *all, const char *txn, const char *user, int64_t now_ms);

/* Transactions that are alive, for status. */
size_t proof_count(const struct proofs *all, int64_t now_ms);

/* Whether text has the form of an id: 32 lower-case hex digits. */
bool proof_id_valid(const char *text);

#endif

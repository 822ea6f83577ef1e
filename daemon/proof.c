/*
 * proof.c - transactions and single-use proofs in memory (see proof.h).
 *
 * Runs in the front. A proof must never serve twice, nor for another user, service or peer, nor after its time; it
 * is never written to disk or log.
 */
#include <config.h>

#include "daemon/proof.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/proto.h"

#define CHANGE_BITS	((unsigned)FACTOR_PASSWORD_STALE | FACTOR_PASSWORD_CHANGED)

struct proofs {
	struct transaction list[PROOF_MAX];	/* txn "" = free */
};

struct proofs *
proofs_new(void)
{
	return calloc(1, sizeof(struct proofs));
}

void
proofs_free(struct proofs *all)
{
	if (all == NULL)
		return;
	explicit_bzero(all, sizeof *all);
	free(all);
}

int
proof_random(char ret[static PROOF_ID_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[(PROOF_ID_SIZE - 1) / 2];

	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		return -EIO;
	for (size_t i = 0; i < sizeof bytes; i++) {
		ret[2 * i] = digits[bytes[i] >> 4];
		ret[2 * i + 1] = digits[bytes[i] & 15];
	}
	ret[PROOF_ID_SIZE - 1] = '\0';
	explicit_bzero(bytes, sizeof bytes);
	return 0;
}

bool
proof_id_valid(const char *text)
{
	return strlen(text) == PROOF_ID_SIZE - 1 && strspn(text, "0123456789abcdef") == PROOF_ID_SIZE - 1;
}

static bool
is_alive(const struct transaction *t, int64_t now_ms)
{
	return t->txn[0] != '\0' && now_ms < t->expires_ms;
}

/* Equal ids, in a time that does not tell how much of a guess was right. */
static bool
is_same_id(const char *a, const char *b)
{
	unsigned char differ = 0;

	if (!proof_id_valid(a) || !proof_id_valid(b))
		return false;
	for (size_t i = 0; i < PROOF_ID_SIZE - 1; i++)
		differ |= (unsigned char)(a[i] ^ b[i]);
	return differ == 0;
}

static bool
copy_text(char *to, size_t size, const char *from)
{
	size_t len = strlen(from);

	if (len >= size)
		return false;
	memcpy(to, from, len + 1);
	return true;
}

/* Without it a session would not be refused that has to be. */
static bool
says_nothing(const struct transaction *t)
{
	return t->factors == 0 && !t->awaits_key;
}

/* Whether a gives way rather than b: first who proves nothing, then who expires first. */
static bool
gives_way(const struct transaction *a, const struct transaction *b)
{
	if (says_nothing(a) != says_nothing(b))
		return says_nothing(a);
	return a->expires_ms < b->expires_ms;
}

/*
 * A free place: dead, or else the one that gives way. NULL: every one proves something, and the new one does not.
 * Anybody's job makes an account stage, which must not cost others their proofs.
 */
static struct transaction *
find_place(struct proofs *all, bool proven, int64_t now_ms)
{
	struct transaction *first = &all->list[0];

	for (size_t i = 0; i < PROOF_MAX; i++) {
		struct transaction *t = &all->list[i];

		if (!is_alive(t, now_ms)) {
			first = t;
			break;
		}
		if (gives_way(t, first))
			first = t;
	}
	if (!proven && !says_nothing(first) && is_alive(first, now_ms))
		return NULL;
	explicit_bzero(first, sizeof *first);
	return first;
}

static struct transaction *
find_txn(struct proofs *all, const char *txn, const char *user, int64_t now_ms)
{
	for (size_t i = 0; i < PROOF_MAX; i++) {
		struct transaction *t = &all->list[i];

		if (is_alive(t, now_ms) && is_same_id(t->txn, txn) && strcmp(t->user, user) == 0)
			return t;
	}
	return NULL;
}

static int
enter(struct proofs *all, const char *user, const char *service, uid_t peer_uid, unsigned factors, const char *txn,
    int64_t now_ms, struct transaction **ret)
{
	struct transaction t = { .peer_uid = peer_uid, .factors = factors };
	int r = 0;

	if (!copy_text(t.user, sizeof t.user, user) || !copy_text(t.service, sizeof t.service, service))
		return -ENAMETOOLONG;
	if (proof_id_valid(txn))
		(void)copy_text(t.txn, sizeof t.txn, txn);
	else
		r = proof_random(t.txn);
	if (r < 0)
		return r;
	*ret = find_place(all, factors != 0, now_ms);
	if (*ret == NULL)
		return -ENOSPC;
	**ret = t;
	return 0;
}

int
proof_add(struct proofs *all, const char *user, const char *service, uid_t peer_uid, unsigned factors,
    const char *txn, int64_t now_ms, const struct transaction **ret)
{
	char proof[PROOF_ID_SIZE];
	struct transaction *t;
	int r;

	r = proof_random(proof);
	if (r < 0)
		return r;
	r = enter(all, user, service, peer_uid, factors, txn, now_ms, &t);
	if (r < 0)
		return r;
	memcpy(t->proof, proof, sizeof t->proof);
	t->proven_ms = now_ms;
	t->expires_ms = now_ms + PROOF_LIFE_MS;
	*ret = t;
	return 0;
}

const struct transaction *
proof_take(struct proofs *all, const char *proof, const char *user, const char *service, uid_t peer_uid, int64_t now_ms)
{
	for (size_t i = 0; i < PROOF_MAX; i++) {
		struct transaction *t = &all->list[i];

		if (!is_alive(t, now_ms) || !is_same_id(t->proof, proof))
			continue;
		explicit_bzero(t->proof, sizeof t->proof);
		if (strcmp(t->user, user) != 0 || strcmp(t->service, service) != 0 || t->peer_uid != peer_uid) {
			explicit_bzero(t, sizeof *t);
			return NULL;
		}
		t->expires_ms = now_ms + PROOF_SESSION_MS;
		return t;
	}
	return NULL;
}

int
proof_begin(struct proofs *all, const char *user, const char *service, uid_t peer_uid, const char *txn, int64_t now_ms,
    const struct transaction **ret)
{
	struct transaction *t;
	int r;

	/* A name that stands for another transaction stays that one's. */
	for (size_t i = 0; i < PROOF_MAX; i++) {
		if (is_alive(&all->list[i], now_ms) && is_same_id(all->list[i].txn, txn))
			txn = "";
	}
	r = enter(all, user, service, peer_uid, 0, txn, now_ms, &t);
	if (r < 0)
		return r;
	t->expires_ms = now_ms + PROOF_SESSION_MS;
	*ret = t;
	return 0;
}

const struct transaction *
proof_recent(struct proofs *all, const char *txn, const char *user, int64_t now_ms)
{
	const struct transaction *t = find_txn(all, txn, user, now_ms);

	if (t == NULL || t->factors == 0 || t->proven_ms == 0 || now_ms - t->proven_ms >= PROOF_LIFE_MS)
		return NULL;
	return t;
}

int64_t
proof_use(struct proofs *all, const char *txn, const char *user, int64_t now_ms)
{
	struct transaction *t = find_txn(all, txn, user, now_ms);
	int64_t proven_ms;

	if (t == NULL || t->factors == 0)
		return 0;
	proven_ms = t->proven_ms;
	t->proven_ms = 0;
	return proven_ms;
}

void
proof_return(struct proofs *all, const char *txn, const char *user, int64_t proven_ms, int64_t now_ms)
{
	struct transaction *t = find_txn(all, txn, user, now_ms);

	if (t != NULL)
		t->proven_ms = proven_ms;
}

unsigned
proof_change(struct proofs *all, const char *txn, const char *user, int64_t now_ms)
{
	const struct transaction *t = find_txn(all, txn, user, now_ms);

	return t == NULL ? 0 : t->factors & CHANGE_BITS;
}

void
proof_changed(struct proofs *all, const char *txn, const char *user, int64_t now_ms)
{
	struct transaction *t = find_txn(all, txn, user, now_ms);

	if (t != NULL)
		t->factors = (t->factors & ~CHANGE_BITS) | FACTOR_PASSWORD_CHANGED;
}

unsigned
proof_session(struct proofs *all, const char *txn, const char *user, int64_t now_ms)
{
	const struct transaction *t = find_txn(all, txn, user, now_ms);

	return t == NULL || t->proof[0] != '\0' ? 0 : t->factors & ~CHANGE_BITS;
}

unsigned
proof_finish(struct proofs *all, const char *txn, const char *user, int64_t now_ms)
{
	struct transaction *t = find_txn(all, txn, user, now_ms);
	unsigned factors;

	/* A transaction whose proof nobody took was never judged by the account stage. */
	if (t == NULL || t->proof[0] != '\0')
		return 0;
	factors = t->factors & ~CHANGE_BITS;
	explicit_bzero(t, sizeof *t);
	return factors;
}

bool
proof_await_key(struct proofs *all, const char *txn, const char *user, bool exempts, int64_t now_ms)
{
	struct transaction *t = find_txn(all, txn, user, now_ms);

	if (t == NULL)
		return false;
	t->awaits_key = true;
	t->key_exempts = t->key_exempts || exempts;
	return true;
}

bool
proof_awaits_key(struct proofs *all, const char *txn, const char *user, int64_t now_ms)
{
	const struct transaction *t = find_txn(all, txn, user, now_ms);

	return t != NULL && t->proof[0] == '\0' && t->awaits_key;
}

bool
proof_key_exempts(struct proofs *all, const char *txn, const char *user, int64_t now_ms)
{
	const struct transaction *t = find_txn(all, txn, user, now_ms);

	return t != NULL && t->key_exempts;
}

size_t
proof_count(const struct proofs *all, int64_t now_ms)
{
	size_t n = 0;

	for (size_t i = 0; i < PROOF_MAX; i++) {
		if (is_alive(&all->list[i], now_ms))
			n++;
	}
	return n;
}

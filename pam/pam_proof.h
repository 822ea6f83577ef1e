/*
 * pam_proof.h - what one PAM handle remembers from stage to stage: the ticket of a good auth, and ISMS_TXN.
 *
 * Never an identity and never a decision: each stage asks anew (THREATS 5.1). In sshd's keyboard-interactive
 * login the session stage runs in another process and sees none of it; only ISMS_TXN gets there, by pam_putenv().
 */
#ifndef ISMS_PAM_PROOF_H
#define ISMS_PAM_PROOF_H

#include <security/pam_modules.h>
#include <stdbool.h>

#include "pam/pam_who.h"

#define PROOF_ID_MAX 32

struct proof {
	char user[WHO_NAME_MAX + 1];	/* for whom auth ran */
	char id[PROOF_ID_MAX + 1];	/* single use; "" when nothing is proven */
	char txn[PROOF_ID_MAX + 1];
	bool self;			/* AUTH_SELF passed: the caller unlocked its own screen */
};

/* The handle's memory; NULL when auth did not run here. Borrowed. */
struct proof *proof_get(pam_handle_t *pamh);

/*
 * Begin a new one for a user; what was proven before is forgotten.
 *
 * Returns NULL without memory.
 */
struct proof *proof_start(pam_handle_t *pamh, const char *user);

/* Remember the transaction in the handle, if auth ran, and in the PAM environment. Returns 0 or -ENOMEM. */
int proof_keep_txn(pam_handle_t *pamh, const char *txn);

/* The transaction of this login as far as it is known; "" at its beginning. */
void proof_find_txn(pam_handle_t *pamh, char ret[static PROOF_ID_MAX + 1]);

/* Whether text is a ticket or transaction as the front makes them: at most PROOF_ID_MAX letters and digits. */
bool proof_well_formed(const char *text);

#endif

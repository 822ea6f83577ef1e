/*
 * pam_proof.c - keeps the proof id and the transaction id in the PAM handle, wiped when it ends.
 *
 * Runs inside every PAM application. It must hold nothing from which an identity or a decision could be
 * taken in a later stage, and no password.
 */
#include <config.h>

#include "pam/pam_proof.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATA_NAME "pam_isms"
#define TXN_NAME "ISMS_TXN"

static void
wipe(pam_handle_t *pamh, void *data, int status)
{
	(void)pamh;
	(void)status;
	explicit_bzero(data, sizeof(struct proof));
	free(data);
}

struct proof *
proof_get(pam_handle_t *pamh)
{
	union { const void *read; void *write; } data = { .read = NULL };	/* libpam hands back our own as const */

	if (pam_get_data(pamh, DATA_NAME, &data.read) != PAM_SUCCESS)
		return NULL;
	return data.write;
}

struct proof *
proof_start(pam_handle_t *pamh, const char *user)
{
	struct proof *p = proof_get(pamh);

	if (p == NULL) {
		p = malloc(sizeof *p);
		if (p == NULL)
			return NULL;
		if (pam_set_data(pamh, DATA_NAME, p, wipe) != PAM_SUCCESS) {	/* now owned by pamh */
			free(p);
			return NULL;
		}
	}
	explicit_bzero(p, sizeof *p);
	(void)snprintf(p->user, sizeof p->user, "%s", user);
	return p;
}

int
proof_keep_txn(pam_handle_t *pamh, const char *txn)
{
	char setting[sizeof TXN_NAME + 1 + PROOF_ID_MAX];
	struct proof *p = proof_get(pamh);

	if (*txn == '\0')
		return 0;
	if (p != NULL)
		(void)snprintf(p->txn, sizeof p->txn, "%s", txn);
	(void)snprintf(setting, sizeof setting, TXN_NAME "=%s", txn);
	return pam_putenv(pamh, setting) == PAM_SUCCESS ? 0 : -ENOMEM;
}

void
proof_find_txn(pam_handle_t *pamh, char ret[static PROOF_ID_MAX + 1])
{
	const struct proof *p = proof_get(pamh);
	const char *txn = p != NULL && *p->txn != '\0' ? p->txn : pam_getenv(pamh, TXN_NAME);

	if (txn == NULL || !proof_well_formed(txn))
		txn = "";
	(void)snprintf(ret, PROOF_ID_MAX + 1, "%s", txn);
}

bool
proof_well_formed(const char *text)
{
	size_t n = strspn(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

	return n <= PROOF_ID_MAX && text[n] == '\0';
}

/*
 * account_care.h - who answers for an account, and which exemptions are about it, by the entries that a verb has read.
 */
#ifndef ISMS_ACCOUNT_CARE_H
#define ISMS_ACCOUNT_CARE_H

#include "tools/account.h"

struct account_care {
	const struct account *account;		/* borrowed */
	const struct entry **exemptions;	/* owned; all of that class */
	size_t count;
};

/*
 * Find the exemptions of a directory.
 *
 *  ret  free with account_care_done()
 *
 * Returns 0 or -ENOMEM.
 */
int account_care_open(const struct account *account, struct account_care *ret);
void account_care_done(struct account_care *care);	/* a zeroed struct is fine */

/* Whether an exemption is older than the entry of its member or approver, and so about, or by, one who had the DN before. */
bool account_care_is_former(const struct account *account, const struct entry *exemption);

/* Complete what identity_facts() says of a user: owner_state, sponsor_state, their ends, exemptions. */
void account_care(const struct account_care *care, const struct identity *user, int64_t now_utc_sec, struct facts *facts);

#endif

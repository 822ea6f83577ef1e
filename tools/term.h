/*
 * term.h - the longest term that roles allow (max-term), before an end is written that every login would refuse.
 */
#ifndef ISMS_TERM_H
#define ISMS_TERM_H

#include "tools/account.h"

/*
 * Judge the end of account->identity, as it would be, by the policy of this host; says what is wrong.
 *
 * Returns EXIT_DONE, also on a host that has no policy.conf; EXIT_REFUSED.
 */
enum exit_code term_check(const struct invocation *in, const struct account *account);

#endif

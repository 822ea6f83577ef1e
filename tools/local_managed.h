/*
 * local_managed.h - what [local] manage of policy.conf means on this host: the check that no policy locks everybody out.
 */
#ifndef ISMS_LOCAL_MANAGED_H
#define ISMS_LOCAL_MANAGED_H

#include "common/identity.h"
#include "common/policy.h"
#include "tools/invocation.h"

/*
 * Compare the names with this host's accounts.
 *
 * Returns EXIT_DONE, or EXIT_REFUSED after it has said of each what is wrong: uid 0, no account, a second name of the same
 * uid, or no administrator who stays outside.
 */
enum exit_code local_managed_check(const struct invocation *in, const struct policy *policy);

/* Under which uid a user's processes run on this host: his local account's if [local] manage names him, else his entry's. */
uint32_t local_managed_uid(const struct invocation *in, const struct identity *user);

#endif

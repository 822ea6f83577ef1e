/*
 * guarded_list.h - publishes which local accounts are under policy (common/guarded.h), for pam_isms. Publisher only.
 */
#ifndef ISMS_GUARDED_LIST_H
#define ISMS_GUARDED_LIST_H

#include "common/paths.h"
#include "common/policy.h"

/*
 * Write the names of [local] manage beside the snapshot, by rename, unless they stand there already. Nobody whose uid is 0
 * is written.
 *
 * What fails is told to the journal, and the old list stays in force: an account that left it is refused as before, one that
 * has come is not under policy yet.
 */
void guarded_list_publish(const struct paths *paths, const struct policy *policy);

#endif

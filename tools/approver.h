/*
 * approver.h - who approves: the operator as the directory knows him, or whom root names.
 */
#ifndef ISMS_APPROVER_H
#define ISMS_APPROVER_H

#include "tools/account.h"

/*
 * The DN of who approves something for an account.
 *
 *  as      --as, by root's word alone; NULL: the operator's own identity at the server, or his login's account
 *  member  whom it is for: never the approver himself
 *
 * Returns EXIT_DONE; else it has said what is wrong: EXIT_USAGE when it cannot be said who approves, EXIT_REFUSED for one
 * who may not.
 */
enum exit_code approver_find(const struct invocation *in, const struct account *account, const char *as,
    const struct identity *member, char *ret, size_t size);

#endif

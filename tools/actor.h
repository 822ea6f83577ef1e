/*
 * actor.h - who acts, and what he may: nobody approves, decides or arms for himself.
 *
 * Each verb that needs somebody's word asks here, so that one answer holds for all: at a server the operator is whom it
 * knows by his bind; else he is the account whose name he logged in with (the login uid, which sudo and su keep); and
 * where that is nobody of the directory, root says who, by --as.
 */
#ifndef ISMS_ACTOR_H
#define ISMS_ACTOR_H

#include "tools/account.h"

/* What somebody's word is needed for; the table in actor.c says what each takes. */
enum act { ACT_EXEMPT, ACT_GRANT, ACT_REQUEST, ACT_DECIDE, ACT_ARM };

/*
 * Find who acts.
 *
 *  as   value of --as; NULL
 *  ret  his DN
 *
 * Returns EXIT_DONE; else it has said what is wrong: EXIT_USAGE when it cannot be said who acts, EXIT_REFUSED for one who
 * cannot.
 */
enum exit_code actor_find(const struct invocation *in, const struct account *account, enum act act, const char *as,
    char *ret, size_t size);

/*
 * Why he may not do it.
 *
 *  dn    of who acts
 *  whom  for, or about, whom; NULL: for nobody yet
 *
 * Returns words for an error in buf; NULL: he may.
 */
const char *actor_refusal(const struct invocation *in, const struct account *account, enum act act, const char *dn,
    const struct identity *whom, char *buf, size_t size);

/* The same, said. Returns EXIT_DONE or EXIT_REFUSED. */
enum exit_code actor_may(const struct invocation *in, const struct account *account, enum act act, const char *dn,
    const struct identity *whom);

/*
 * Whether an account belongs to who acts: by its DN, or by the name he logged in with. Whoever has an operator's entry
 * besides his account is one person.
 *
 *  dn  of who acts; NULL: as the server knows him
 */
bool actor_is(const struct account *account, const char *dn, const struct identity *who);

#endif

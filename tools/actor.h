/*
 * actor.h - which account of the directory runs the tool, for rules that hold among people: nobody extends his own contract.
 */
#ifndef ISMS_ACTOR_H
#define ISMS_ACTOR_H

#include "tools/account.h"

/*
 * The DN of whoever acts: at a server the one that the server knows him by; else that of the account whose name he
 * logged in with (the login uid, which sudo and su keep). "" for nobody of the directory. Returns buf.
 */
char *actor_dn(const struct account *account, char *buf, size_t size);

/* Whether an account is the actor's own, by either of the two. */
bool actor_is(const struct account *account, const struct identity *who);

#endif

/*
 * audit.h - events about what an administrator changed: who, why, old and new.
 */
#ifndef ISMS_AUDIT_H
#define ISMS_AUDIT_H

#include <stddef.h>

#include "common/event.h"
#include "tools/invocation.h"

/*
 * Who really acts: the name of the login uid (it survives sudo and su), else of the real uid. Never
 * an environment variable.
 *
 * Returns buf.
 */
char *audit_actor(char *buf, size_t size);

/*
 * Add actor, ticket and reason of the invocation, finish, and write the event to the journal; below --root
 * its line to stderr. Says on stderr when it could not be written. With --dry-run it does nothing.
 */
void audit_send(struct event *event, const struct invocation *in);

#endif

/*
 * ask_daemon.h - questions to the processes of ismsd.
 */
#ifndef ISMS_ASK_DAEMON_H
#define ISMS_ASK_DAEMON_H

#include <jansson.h>

#include "common/proto.h"
#include "tools/invocation.h"

enum process { PROCESS_FRONT, PROCESS_DIRECTORY, PROCESS_PUBLISHER, PROCESS_COUNT };

/* "front", "directory", "publisher". */
const char *ask_daemon_name(enum process process);

/* Its service unit, "ismsd-front.service". */
const char *ask_daemon_unit(enum process process);

/* What to do about one that does not answer. Returns buf. */
const char *ask_daemon_cure(const struct invocation *in, enum process process, char *buf, size_t size);

/*
 * Send one request, wait at most 10 s for one answer. The peer must be root, the process's own user or,
 * below --root, the caller.
 *
 *  msg   struct of number
 *  want  the number that the answer must have; ret its struct
 *
 * Returns 0 or -errno: -ENOENT, -ECONNREFUSED: not running; -EPERM: not ours; -ETIMEDOUT; -EBADMSG.
 */
int ask_daemon(const struct invocation *in, enum process process, enum message number, const void *msg,
    enum message want, void *ret);

/*
 * WHY. Without factors of the caller's choice it asks as if password and code were right; but for somebody
 * who owes a code and has no token to make one, as if the password alone was: that is what a login would meet.
 *
 *  why             its factors are set here unless chosen
 *  factors_chosen  leave them
 *
 * Returns as ask_daemon().
 */
int ask_daemon_why(const struct invocation *in, struct msg_why *why, bool factors_chosen, struct msg_report *ret);

/* Say on stderr that it could not be asked, why, and what to do. Returns EXIT_UNREACHABLE. */
enum exit_code ask_daemon_complain(enum process process, int error);

/* The key=value lines of a REPORT as an object; a key that comes often becomes an array. NULL without memory. */
json_t *ask_daemon_report(const struct msg_report *report);

#endif

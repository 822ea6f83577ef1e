/*
 * journal.h - journald's native datagram protocol, for processes that must not load libsystemd.
 *
 * Used by libnss_isms and pam_isms: one non-blocking sendmsg() to /run/systemd/journal/socket, with the
 * effective credentials attached, so that a setuid caller's event is root's (MEASURED 8). Never waits,
 * never fails its caller, keeps no descriptor.
 */
#ifndef ISMS_JOURNAL_H
#define ISMS_JOURNAL_H

#include "common/event.h"

/* Send a finished event. Returns 0 or -errno (EAGAIN, ECONNREFUSED, ENOENT, EMSGSIZE ...), which is for tests only. */
int journal_send(const struct event *e);

#endif

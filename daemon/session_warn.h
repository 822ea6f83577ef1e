/*
 * session_warn.h - lines on the terminals of people whose time runs out.
 */
#ifndef ISMS_SESSION_WARN_H
#define ISMS_SESSION_WARN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/proto.h"

#define SESSION_WARN_TEXT_MAX 512

/*
 * Visit the terminals (pts/N, ttyN) that belong to somebody of uid 1000 or above.
 *
 *  dev   "/dev"
 *  text  called with each owner: writes what that person shall read, or returns false for nothing
 *
 * A terminal that is stopped, or closed to messages (mesg n), gets nothing; nobody is ever waited for.
 * Returns how many terminals were written to.
 */
unsigned session_warn_each(const char *dev, bool (*text)(uint32_t uid, char *buf, size_t size, void *arg), void *arg);

/*
 * Write a text to root's terminals: pseudo terminals, closed to messages or not, and consoles on which logind has a
 * session of his. Returns how many were written to.
 */
unsigned session_warn_root(const char *dev, const char *text);

/* Compose what administrators are told of a break-glass account. */
void session_warn_emergency(char *buf, size_t size, const struct msg_emergency *m);

/*
 * Compose the warning before an end.
 *
 *  contact  whom to ask; cleaned of control characters
 */
void session_warn_before(char *buf, size_t size, int64_t not_after_utc_sec, int64_t now_utc_sec, const char *contact);

/*
 * Compose what is said of a group that was granted for a limited time and is the person's no more.
 *
 *  ends  his sessions are closed for it
 */
void session_warn_lost(char *buf, size_t size, const char *group, bool ends, const char *contact);

/* Compose the last line. */
void session_warn_ended(char *buf, size_t size, const char *contact);

#endif

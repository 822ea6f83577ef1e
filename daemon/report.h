/*
 * report.h - what a process of ismsd tells the journal: structured events, and plain lines about itself.
 *
 * Below a root other than "/" (tests, rescue) everything goes to standard error instead, one line each, because
 * that folder is not this system's concern. Nothing here ever waits or fails its caller.
 */
#ifndef ISMS_REPORT_H
#define ISMS_REPORT_H

#include "common/event.h"
#include "common/paths.h"

/*
 * Say who speaks; once, at the start.
 *
 *  identifier  SYSLOG_IDENTIFIER, e.g. "ismsd-front"; borrowed for ever
 */
void report_init(const struct paths *paths, const char *identifier);

/* Start an event under the process's identifier; then event_add(), report_event(). */
void report_begin(struct event *e, enum event_id id);

/* Finish and send an event. Returns 0 or -errno, for those who keep count; the event is lost then. */
int report_event(struct event *e);

/*
 * A line for the administrator: start-up faults and the like, never a decision, never a secret.
 *
 *  priority  LOG_ERR ...; LOG_DEBUG is written only with ISMS_DEBUG in the environment
 */
void report_log(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

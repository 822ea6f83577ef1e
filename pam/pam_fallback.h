/*
 * pam_fallback.h - what the module says itself, when the front cannot: one event, one line to the person.
 */
#ifndef ISMS_PAM_FALLBACK_H
#define ISMS_PAM_FALLBACK_H

#include "common/event.h"
#include "common/verdict.h"
#include "pam/pam_call.h"

/*
 * Report that a login was refused without a decision of the front. Once per call at most, so that a decision
 * leaves one event; carries ISMS_TXN and no sequence (DESIGN 4.5). Tells the person whom to ask, unless silent.
 *
 *  reason  REASON_DAEMON_UNAVAILABLE, or REASON_NONE where something else hindered a decision
 *  fault   what exactly, in words, for the administrator
 */
void fallback_refused(struct call *call, enum reason reason, const char *fault);

/*
 * Report groups that were dropped, or not, when the front did not take the report.
 *
 *  groups  gids, space separated
 *  fault   "" or why they could not be dropped
 */
void fallback_groups(const struct call *call, const char *groups, const char *fault);

/* Option debug: one line to the journal, without a name and without a secret. */
void fallback_debug(const struct call *call, int code);

#endif

/*
 * journal_events.h - events of ours in the journal: found by MESSAGE_ID, judged genuine or not.
 */
#ifndef ISMS_JOURNAL_EVENTS_H
#define ISMS_JOURNAL_EVENTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct journal_events;

/*
 * Open the journal.
 *
 *  root           "" for this system's, else the folder whose var/log/journal is read
 *  user           only events of this account; NULL: all
 *  since_utc_usec 0: from the beginning; -1: only the last ten
 *
 * Returns 0 or -errno.
 */
int journal_events_open(const char *root, const char *user, int64_t since_utc_usec, struct journal_events **ret);
void journal_events_close(struct journal_events *j);

/*
 * The next event.
 *
 *  follow       wait for one instead of ending
 *  ret_genuine  one of our units, or root, wrote it (by the fields that the journal itself sets)
 *  ret_event    new object: time, genuine, unit, uid, host and every field of fields.def it has
 *
 * Returns 1, 0 at the end, or -errno.
 */
int journal_events_next(struct journal_events *j, bool follow, bool *ret_genuine, json_t **ret_event);

/* The rule of "genuine" itself. unit and uid are the journal's _SYSTEMD_UNIT and _UID; NULL when absent. */
bool journal_events_genuine(const char *unit, const char *uid);

#endif

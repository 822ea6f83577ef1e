/*
 * front_last_use.h - the last use of accounts: what counts as one, the last login for its person, and the directory
 * told of it. Nothing here decides anything: what fails leaves the login as it is.
 */
#ifndef ISMS_FRONT_LAST_USE_H
#define ISMS_FRONT_LAST_USE_H

#include "daemon/front.h"

/*
 * Whether a login uses an account, so that it is not dormant: whatever a person does, and of a service account
 * anything; a person's cron jobs and user managers do not, or who has left would go on being there by them.
 */
bool last_use_counts(const struct front *f, const struct subject *subject, const struct facts *facts);

/*
 * The line of the last login for who logs in now, "" when there is none to show: no person, silent, or shown already.
 */
void last_login_text(struct front *f, const struct subject *subject, char *buf, size_t size);

/* A session of a person was opened: he is shown this one next time. */
void last_login_note(struct front *f, const struct record *opened);

/*
 * See to it that the directory learns of what is stored, at a random moment within [directory] note-last-use; at the
 * start and after each login that counts.
 *
 *  user  whose login it was; NULL: at the start
 */
void last_use_tell(struct front *f, const char *user);

/* End of it, also under way. */
void last_use_stop(struct front *f);

#endif

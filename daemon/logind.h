/*
 * logind.h - the few requests to logind and systemd that end a user, without waiting for the answers.
 *
 * The bus is opened when it is needed and closed when it is not, so that neither a restart of dbus-daemon nor its
 * absence at early boot matters. Every failure is logged, none is fatal.
 */
#ifndef ISMS_LOGIND_H
#define ISMS_LOGIND_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct logind;

/* Returns NULL without memory. */
struct logind *logind_new(sd_event *event);
void logind_free(struct logind *l);

/* Ask for the list of sessions; nothing is asked while an answer is due. */
void logind_list(struct logind *l);

/* Whether no answer to logind_list() is due: it came, or it never will. */
bool logind_listed(const struct logind *l);

/* Sessions of a user in the last list. */
unsigned logind_sessions(const struct logind *l, uint32_t uid);

/*
 * No user manager without a login any more.
 *
 *  folder, name  of the mark on disk, which is removed also where logind knows the user no more
 */
void logind_revoke_linger(struct logind *l, uint32_t uid, const char *folder, const char *name);

/* End the sessions and the user manager, in good order. */
void logind_terminate_user(struct logind *l, uint32_t uid);

/* SIGKILL to all of the user's slice, those of closing sessions too, and stop the slice. */
void logind_kill_user(struct logind *l, uint32_t uid);

/* Nothing is under way: close the bus. */
void logind_idle(struct logind *l);

#endif

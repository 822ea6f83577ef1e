/*
 * armed_watch.h - says loudly on every host that a break-glass account was armed, whoever wrote that and from where.
 */
#ifndef ISMS_ARMED_WATCH_H
#define ISMS_ARMED_WATCH_H

#include "common/identity.h"

#define ARMED_WATCH_MAX 32

struct armed_watch {
	struct { char name[33]; int64_t until_utc_sec; } told[ARMED_WATCH_MAX];
	size_t count;
	void (*hook)(const struct identity *user, void *arg);	/* called beside the event; NULL: nothing */
	void *arg;			/* borrowed */
};

/*
 * Look at users that a change touches: breakglass.armed for each that is armed and was not, or not until then. A further
 * one than are remembered is told of each time that it is touched.
 */
void armed_watch_look(struct armed_watch *w, const struct identities *all, int64_t now_utc_sec);

#endif

/*
 * directory_state.h - what the files of the directory process share. Nobody else includes it.
 */
#ifndef ISMS_DIRECTORY_STATE_H
#define ISMS_DIRECTORY_STATE_H

#include <systemd/sd-event.h>

#include "common/paths.h"
#include "common/policy.h"
#include "common/settings.h"
#include "daemon/armed_watch.h"
#include "daemon/directory_roster.h"
#include "daemon/peers.h"
#include "daemon/roster_sender.h"
#include "daemon/server.h"
#include "daemon/source.h"
#include "daemon/workers.h"

#define DIRECTORY_FAULTS_SHOWN 20	/* events of one change; lines of status */

struct directory {
	const struct paths *paths;
	sd_event *event;		/* owned */
	struct server *server;		/* owned; NULL: nobody is let in yet */
	sd_event_source *door;		/* owned: nobody waits for longer */
	struct peers peers;
	struct settings settings;
	struct policy *policy;		/* owned */
	struct workers *workers;	/* owned */
	struct source *source;		/* owned */
	struct roster_sender *sender;	/* owned */
	uint64_t roster_secret[2];	/* of the keys of records */
	struct directory_need need;	/* owned */
	struct armed_watch armed;
};

/* directory_requests.c; ends with handle == NULL */
extern const struct server_handler directory_handlers[];

/* directory_status.c: key=value lines. */
void directory_status(const struct directory *d, char *buf, size_t size);

#endif

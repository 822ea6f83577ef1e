/*
 * setup_start.c - isms-userctl setup: starts the processes and sees that the chain works.
 *
 * Must never call it done before a snapshot is published that is no older than this run: only then do
 * users of the directory exist on this host.
 */
#include <config.h>

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/proto.h"
#include "common/snapshot.h"
#include "tools/ask_daemon.h"
#include "tools/output.h"
#include "tools/setup.h"

#define WAIT_TRIES	150	/* of 100 ms */

/* In the order in which they are needed: who writes, who feeds, who decides. */
static const char *const units[SETUP_UNITS] = {
	"ismsd-publisher.socket", "ismsd-publisher.service", "ismsd-directory.socket", "ismsd-directory.service",
	"ismsd-front.socket", "ismsd-front.service",
};

gid_t
setup_local_gid(const struct invocation *in, const char *name, gid_t fallback)
{
	const struct group *row;
	gid_t gid = fallback;
	FILE *f;

	f = fopen(in->paths.group, "re");
	while (f != NULL && (row = fgetgrent(f)) != NULL)
		if (strcmp(row->gr_name, name) == 0)
			gid = row->gr_gid;
	if (f != NULL)
		(void)fclose(f);
	return gid;
}

static enum exit_code
start_unit(struct setup *s, size_t i)
{
	bool service = strstr(units[i], ".service") != NULL;
	char result[256];
	int active, r;

	active = units_active(s->units, units[i]);
	if (active == -ENOENT) {
		output_error("%s is not installed; install the package ismsd, then systemctl daemon-reload", units[i]);
		return EXIT_UNREACHABLE;
	}
	if (active == 1 && !(service && s->changed))
		return EXIT_DONE;
	r = units_job(s->units, active == 1 ? "RestartUnit" : "StartUnit", units[i], result, sizeof result);
	if (active != 1)
		s->started[i] = true;
	if (r == 0)
		return EXIT_DONE;
	output_error("%s did not start: %s; see journalctl -u %s", units[i], result, units[i]);
	return EXIT_UNREACHABLE;
}

/* A published file from since on; 1 or 0. */
static bool
published(const struct setup *s, int64_t since_utc_sec)
{
	char path[PATH_MAX + 32];
	struct snapshot snapshot = { 0 };
	bool fresh;

	(void)snprintf(path, sizeof path, "%s/" SNAPSHOT_BASE_NAME, s->in->paths.nss);
	if (snapshot_open_state(path, 0, &snapshot) < 0)
		return false;
	fresh = snapshot_created_utc_sec(&snapshot) >= since_utc_sec;
	snapshot_close(&snapshot);
	return fresh;
}

/* The publisher must have published, and the front must answer. */
static enum exit_code
check_chain(struct setup *s, int64_t since_utc_sec)
{
	const struct timespec pause = { .tv_nsec = 100000000 };
	struct msg_report *report;
	char nothing[1] = "";
	int tries, r;

	for (tries = 0; tries < WAIT_TRIES && !published(s, since_utc_sec); tries++)
		(void)nanosleep(&pause, NULL);
	if (tries == WAIT_TRIES) {
		output_error("no snapshot was published within %d seconds; see journalctl -u ismsd-publisher -u ismsd-directory",
		    WAIT_TRIES / 10);
		return EXIT_UNREACHABLE;
	}
	report = calloc(1, sizeof *report);
	r = report != NULL ? ask_daemon(s->in, PROCESS_FRONT, MSG_STATUS, nothing, MSG_REPORT, report) : -ENOMEM;
	free(report);
	if (r < 0)
		return ask_daemon_complain(PROCESS_FRONT, r);
	setup_say(s, "units", "front, directory and publisher run", NULL);
	setup_say(s, "snapshot", "published", s->in->paths.nss);
	return EXIT_DONE;
}

enum exit_code
setup_start(struct setup *s)
{
	/* A file of an older run counts only where nothing was written that it could lack. */
	int64_t since_utc_sec = s->changed ? (int64_t)time(NULL) : 0;
	enum exit_code code = EXIT_DONE;
	size_t i;
	int r;

	r = units_open(&s->units);
	if (r < 0) {
		output_error("systemd cannot be reached over the bus: %s; start ismsd-publisher, ismsd-directory and ismsd-front by hand",
		    strerror(-r));
		return EXIT_UNREACHABLE;
	}
	r = setup_reload(s);
	if (r < 0) {
		output_error("systemd does not read its units again: %s; run systemctl daemon-reload", strerror(-r));
		return EXIT_UNREACHABLE;
	}
	for (i = 0; i < SETUP_UNITS && code == EXIT_DONE; i++)
		code = start_unit(s, i);
	return code == EXIT_DONE ? check_chain(s, since_utc_sec) : code;
}

int
setup_reload(struct setup *s)
{
	return s->network && s->units != NULL ? units_reload(s->units) : 0;
}

void
setup_stop(struct setup *s)
{
	char result[256];
	size_t i;

	for (i = SETUP_UNITS; s->units != NULL && i > 0; i--)
		if (s->started[i - 1])
			(void)units_job(s->units, "StopUnit", units[i - 1], result, sizeof result);
}

void
setup_done(struct setup *s)
{
	secret_done(&s->host_password);
	units_free(s->units);
	json_decref(s->result);
	free(s);
}

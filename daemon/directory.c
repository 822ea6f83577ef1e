/*
 * directory.c - the process that knows the identities: a source, the requests of the front, the roster of the publisher.
 *
 * Runs as `ismsd directory`, user isms-dir; the only process that will talk to a network, hence one that decides no
 * login and writes no file but the embedded directory. It must never answer from half a directory, and never hold
 * a person's password longer than the check takes.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "common/policy.h"
#include "daemon/directory_roster.h"
#include "daemon/directory_state.h"
#include "daemon/loop.h"
#include "daemon/process.h"
#include "daemon/report.h"

#define WORKER_THREADS	2
#define WORKER_QUEUE	64

/* ---- views ---- */

static int
compare_faults(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Tell of each refused entry once, for as long as it stays refused for the same reason. */
static void
report_faults(const struct source_view *old, struct source_view *view)
{
	struct identities *now = &view->identities;
	unsigned shown = 0, more = 0;
	struct event e;

	/* Sorted here, once for each view: they are compared with the next one's. */
	if (now->fault_count > 0)
		qsort(now->faults, now->fault_count, sizeof *now->faults, compare_faults);
	for (size_t i = 0; i < now->fault_count; i++) {
		if (old != NULL && old->identities.fault_count > 0 &&
		    bsearch(now->faults[i], old->identities.faults, old->identities.fault_count,
		    sizeof *now->faults, compare_faults) != NULL)
			continue;
		if (shown++ >= DIRECTORY_FAULTS_SHOWN) {
			more++;
			continue;
		}
		report_begin(&e, EVENT_DIRECTORY_ENTRY_REFUSED);
		event_add(&e, FIELD_ID_FAULT, now->faults[i]);
		(void)report_event(&e);
	}
	if (more == 0)
		return;
	report_begin(&e, EVENT_DIRECTORY_ENTRY_REFUSED);
	event_add(&e, FIELD_ID_FAULT, "more entries are refused; isms-userctl status counts them");
	event_add_int(&e, FIELD_ID_COUNT, more);
	(void)report_event(&e);
}

static void
send_roster(struct directory *d)
{
	struct directory_roster counts;
	int fd, r;

	if (d->source->view == NULL)
		return;
	r = directory_roster_make(d->source->view, d->policy, &d->settings, &counts, &fd);
	if (r < 0) {
		report_log(LOG_ERR, "cannot make the roster: %s", strerror(-r));
		return;
	}
	d->roster = counts;
	roster_sender_put(d->sender, fd, counts.users);
}

static void
on_source_changed(struct source_view *old, void *arg)
{
	struct directory *d = arg;
	struct source_status status;

	d->source->ops->status(d->source, &status);
	roster_sender_vouch(d->sender, status.connected);
	if (d->source->view == old)
		return;
	report_faults(old, d->source->view);
	send_roster(d);
}

/* ---- settings ---- */

static void
report_config(const char *fault)
{
	struct event e;

	report_begin(&e, EVENT_CONFIG_REJECTED);
	event_add(&e, FIELD_ID_FAULT, fault);
	(void)report_event(&e);
}

/* Read isms.conf and policy.conf; both or neither come into force. */
static int
load_config(struct directory *d, struct settings *ret_settings, struct policy **ret_policy)
{
	char error[512] = "";
	int r;

	r = settings_load(d->paths->etc, ret_settings, error, sizeof error);
	if (r >= 0)
		r = policy_load(d->paths->etc, ret_policy, error, sizeof error);
	if (r < 0)
		report_config(error[0] != '\0' ? error : strerror(-r));
	return r;
}

static int
open_source(struct directory *d, struct source **ret)
{
	char error[512];
	int r;

	r = source_new(d->event, d->paths, &d->settings, d->workers, on_source_changed, d, ret, error, sizeof error);
	if (r < 0)
		report_config(error);
	return r;
}

static void
on_reload(void *arg)
{
	struct directory *d = arg;
	struct settings settings, before = d->settings;
	const struct source_view *view;
	struct policy *policy = NULL;
	struct source *source;

	if (load_config(d, &settings, &policy) < 0)
		return;
	d->settings = settings;
	/* LDAP servers go by one replica, which has one user at a time: other servers are their source's own matter. */
	if (strcmp(settings.directory_uri, before.directory_uri) != 0 &&
	    !(settings_uses_ldap(&settings) && settings_uses_ldap(&before))) {
		if (open_source(d, &source) < 0) {
			d->settings = before;
			policy_free(policy);
			return;
		}
		source_free(d->source);
		d->source = source;
	}
	policy_free(d->policy);
	d->policy = policy;		/* now owned by d */
	view = d->source->view;
	d->source->ops->reload(d->source);
	if (d->source->view == view)	/* no new view, hence no new roster yet: but policy may have changed */
		send_roster(d);
}

/* ---- life ---- */

static int
serve(struct directory *d)
{
	const struct server_config config = { .path = d->paths->directory_socket, .mode = 0660,
		.frame_max = PROTO_PRIVATE_MAX, .peers = &d->peers, .handlers = directory_handlers, .context = d };
	int r;

	r = server_new(d->event, &config, &d->server);
	if (r >= 0)
		r = loop_run(d->event);
	server_free(d->server);
	return r;
}

static int
start(struct directory *d)
{
	int r;

	if ((r = peers_load(d->paths, &d->peers)) < 0 || (r = load_config(d, &d->settings, &d->policy)) < 0 ||
	    (r = workers_new(d->event, WORKER_THREADS, WORKER_QUEUE, &d->workers)) < 0 ||
	    (r = roster_sender_new(d->event, d->paths, &d->peers, &d->sender)) < 0 ||
	    (r = open_source(d, &d->source)) < 0) {
		report_log(LOG_ERR, "cannot start: %s", strerror(-r));
		return r;
	}
	d->source->ops->reload(d->source);	/* whoever waits in the socket's queue gets facts, not "not ready" */
	return 0;
}

int
directory_main(const struct paths *paths)
{
	struct directory *d = calloc(1, sizeof *d);
	struct loop_hooks hooks = { .reload = on_reload, .arg = d };
	int r;

	if (d == NULL)
		return -ENOMEM;
	d->paths = paths;
	r = loop_new(paths, "directory", &hooks, &d->event);
	if (r >= 0)
		r = start(d);
	if (r >= 0)
		r = serve(d);
	/* The source answers what is pending; the workers then free what ran. */
	source_free(d->source);
	workers_free(d->workers);
	roster_sender_free(d->sender);
	policy_free(d->policy);
	loop_free(d->event);
	free(d);
	return r;
}

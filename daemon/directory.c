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
#include <sys/random.h>
#include <syslog.h>

#include "common/policy.h"
#include "daemon/ask.h"
#include "daemon/directory_roster.h"
#include "daemon/directory_state.h"
#include "daemon/emergency.h"
#include "daemon/loop.h"
#include "daemon/process.h"
#include "daemon/report.h"

#define WORKER_THREADS	2
#define WORKER_QUEUE	64
#define DOOR_SHUT_MS	5000

/* ---- the door ---- */

/* Who asks meanwhile waits in the socket's queue, and gets facts instead of "not ready" (CASES DM07a). */
static void
open_door(struct directory *d)
{
	const struct server_config config = { .path = d->paths->directory_socket, .mode = 0660,
		.frame_max = PROTO_PRIVATE_MAX, .peers = &d->peers, .handlers = directory_handlers, .context = d };
	int r;

	if (d->server != NULL)
		return;
	r = server_new(d->event, &config, &d->server);
	if (r < 0) {
		(void)sd_event_exit(d->event, r);	/* it said why */
		return;
	}
	loop_ready();
}

/* Reading what is stored takes long: better an honest answer than none. */
static int
on_door(sd_event_source *source, uint64_t usec, void *arg)
{
	(void)source;
	(void)usec;
	open_door(arg);
	return 0;
}

/* ---- what the source tells ---- */

/* Each thing that is wrong is told of once, for as long as it stays so. */
static void
report_faults(const struct census_news *news)
{
	struct event e;

	for (size_t i = 0; i < news->fault_count && i < DIRECTORY_FAULTS_SHOWN; i++) {
		report_begin(&e, EVENT_DIRECTORY_ENTRY_REFUSED);
		event_add(&e, FIELD_ID_FAULT, news->faults[i]);
		(void)report_event(&e);
	}
	if (news->fault_count <= DIRECTORY_FAULTS_SHOWN)
		return;
	report_begin(&e, EVENT_DIRECTORY_ENTRY_REFUSED);
	event_add(&e, FIELD_ID_FAULT, "more entries are refused; isms-userctl status counts them");
	event_add_int(&e, FIELD_ID_COUNT, (int64_t)(news->fault_count - DIRECTORY_FAULTS_SHOWN));
	(void)report_event(&e);
}

/* To the publisher: everybody, or those whom news touch. Returns 0 or -errno. */
static int
deliver(struct directory *d, const struct identities *all, const struct census_news *news)
{
	struct directory_roster_rules rules = { .policy = d->policy, .settings = &d->settings, .news = news,
		.need = &d->need, .grants = source_grants_book(d->source->grants), .census = d->source->census,
		.asking = { .settings = &d->settings, .holders = d->source->holders,
		.now_utc_sec = loop_clock_sec(CLOCK_REALTIME) } };
	struct census_counts counts;
	int fd, r;

	memcpy(rules.secret, d->roster_secret, sizeof rules.secret);
	r = directory_roster_make(all, &rules, &fd);
	if (r < 0) {
		report_log(LOG_ERR, "cannot make the roster: %s", strerror(-r));
		roster_sender_want_whole(d->sender);	/* what was not told must not be vouched for */
		return r;
	}
	census_counts(d->source->census, &counts);
	(news != NULL ? roster_sender_change : roster_sender_put)(d->sender, fd, (uint32_t)counts.good_users);
	return 0;
}

/* Everybody: the publisher has nobody yet, or policy is another one. */
static void
send_whole(struct directory *d)
{
	struct census_part part = { 0 };
	int r;

	if (d->source->generation == 0)
		return;
	r = census_all(d->source->census, &d->settings, d->source->holders, &part);
	if (r < 0) {
		report_log(LOG_ERR, "cannot read everybody for the roster: %s", strerror(-r));
		roster_sender_want_whole(d->sender);
	} else {
		(void)deliver(d, &part.identities, NULL);	/* it said why, and is asked again */
	}
	census_part_done(&part);
}

/* The publisher has not what it was told last. */
static void
on_roster_wanted(void *arg)
{
	send_whole(arg);
}

static void
on_armed(const struct identity *user, void *arg)
{
	struct directory *d = arg;
	struct msg_emergency m = { .until_utc_sec = user->armed_until_utc_sec };

	(void)snprintf(m.user, sizeof m.user, "%.32s", user->name);
	(void)snprintf(m.by, sizeof m.by, "%.255s", user->armed_by != NULL ? user->armed_by : "");
	(void)snprintf(m.reason, sizeof m.reason, "%.128s", user->armed_reason != NULL ? user->armed_reason : "");
	emergency_tell(d->event, d->paths, &d->peers, &m);
}

static void
on_source_changed(const struct census_news *news, void *arg)
{
	struct directory *d = arg;
	struct source_status status;

	d->source->ops->status(d->source, &status);
	roster_sender_vouch(d->sender, status.connected);
	if (d->source->begun)
		open_door(d);
	if (news == NULL)
		return;
	report_faults(news);
	armed_watch_look(&d->armed, &news->part.identities, loop_clock_sec(CLOCK_REALTIME));
	(void)deliver(d, &news->part.identities, news->whole ? NULL : news);	/* it said why, and a whole one is asked for */
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
	uint64_t generation;
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
	generation = d->source->generation;
	d->source->ops->reload(d->source);
	if (d->source->generation == generation)	/* nothing new, hence no new roster yet: but policy may have changed */
		send_whole(d);
}

/* ---- life ---- */

static int
start(struct directory *d)
{
	const struct roster_sender_hooks hooks = { .wanted = on_roster_wanted, .arg = d };
	int r;

	if (getrandom(d->roster_secret, sizeof d->roster_secret, 0) != (ssize_t)sizeof d->roster_secret)
		return -EIO;
	if ((r = peers_load(d->paths, &d->peers)) < 0 || (r = load_config(d, &d->settings, &d->policy)) < 0 ||
	    (r = workers_new(d->event, WORKER_THREADS, WORKER_QUEUE, &d->workers)) < 0 ||
	    (r = roster_sender_new(d->event, d->paths, &d->peers, &hooks, &d->sender)) < 0 ||
	    (r = open_source(d, &d->source)) < 0) {
		report_log(LOG_ERR, "cannot start: %s", strerror(-r));
		return r;
	}
	d->armed.hook = on_armed;
	d->armed.arg = d;
	d->source->ops->reload(d->source);
	if (d->source->begun)
		open_door(d);
	return loop_timer(d->event, &d->door, DOOR_SHUT_MS, on_door, d);
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
		r = loop_run(d->event);
	server_free(d->server);
	sd_event_source_disable_unref(d->door);
	/* The source answers what is pending; the workers then free what ran. */
	source_free(d->source);
	workers_free(d->workers);
	ask_stop();
	roster_sender_free(d->sender);
	policy_free(d->policy);
	directory_need_done(&d->need);
	loop_free(d->event);
	free(d);
	return r;
}

/*
 * front.c - `ismsd front`: start, reload, and the table of messages that it serves (see front.h).
 *
 * Runs as user isms without network or capabilities. It must never start to decide by settings or rules that it
 * could not read: on reload the old ones stay, at a cold start every managed user is refused (THREATS 6).
 */
#include <config.h>

#include "daemon/front.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>

#include "common/snapshot.h"
#include "daemon/front_last_use.h"
#include "daemon/live_session.h"
#include "daemon/loop.h"
#include "daemon/process.h"
#include "daemon/report.h"
#include "daemon/source_throttle.h"

#define CLOCK_LOOK_MS 60000

static const struct server_handler handlers[] = {
	{ .number = MSG_AUTH_BEGIN, .handle = handle_auth_begin },
	{ .number = MSG_AUTH_SELF, .handle = handle_auth_self },
	{ .number = MSG_ANSWER, .handle = handle_answer },
	{ .number = MSG_ACCOUNT, .handle = handle_account },
	{ .number = MSG_ACK, .handle = handle_ack },
	{ .number = MSG_SESSION_OPEN, .handle = handle_session_open },
	{ .number = MSG_SESSION_CLOSE, .handle = handle_session_close },
	{ .number = MSG_CRED_REPORT, .handle = handle_cred_report },
	{ .number = MSG_CHANGE_BEGIN, .handle = handle_change_begin },
	{ .number = MSG_KEYS_ASK, .handle = handle_keys_ask },
	{ .number = MSG_STATUS, .handle = handle_status },
	{ .number = MSG_WHY, .handle = handle_why },
	{ .number = MSG_UNLOCK, .handle = handle_unlock },
	{ .number = MSG_CLOCK_TRUST, .handle = handle_clock_trust },
	{ .number = MSG_SESSIONS_GET, .handle = handle_sessions_get },
	{ .handle = NULL },
};

static void
report_config(struct front *f, const char *fault)
{
	struct event e;

	(void)snprintf(f->config_fault, sizeof f->config_fault, "%s", fault);
	report_begin(&e, EVENT_CONFIG_REJECTED);
	event_add(&e, FIELD_ID_FAULT, fault);
	(void)report_event(&e);
}

/* Read both files; either both become valid or neither. */
static void
load_config(struct front *f)
{
	struct settings settings;
	struct policy *policy = NULL;
	char fault[512] = "";
	struct event e;
	int r;

	r = settings_load(f->paths->etc, &settings, fault, sizeof fault);
	if (r == 0)
		r = policy_load(f->paths->etc, &policy, fault, sizeof fault);
	if (r < 0) {
		if (fault[0] == '\0')
			(void)snprintf(fault, sizeof fault, "%.400s: %s", f->paths->etc, strerror(-r));
		report_config(f, fault);
		return;
	}
	if (f->policy != NULL) {
		report_begin(&e, EVENT_POLICY_CHANGED);
		event_add(&e, FIELD_ID_NOTE, "settings and policy read again");
		(void)report_event(&e);
	}
	/* Nothing under way holds the old ones: decisions are made in one go, on this loop. */
	policy_free(f->policy);
	f->policy = policy;
	f->settings = settings;
	f->config_fault[0] = '\0';
	if (f->flood != NULL)
		flood_set_limit(f->flood, settings.events_aggregate_after);
}

static void
reload(void *arg)
{
	struct front *f = arg;
	struct peers peers;

	load_config(f);
	if (peers_load(f->paths, &peers) == 0)
		f->peers = peers;
	front_local_watch_anew(f);
}

static int
on_clock(sd_event_source *source, uint64_t usec, void *arg)
{
	struct front *f = arg;
	struct clock_reading reading;

	(void)source;
	(void)usec;
	(void)front_now(f, &reading);
	(void)state_save_clock(f->state, &f->clock.mark);
	front_watch_state(f);
	return loop_timer(f->event, &f->clock_timer, CLOCK_LOOK_MS, on_clock, f);
}

/* When the published snapshot was written: this host's clock has been there. 0 without one. */
static int64_t
snapshot_written(const struct front *f)
{
	struct snapshot snapshot = { 0 };
	char path[PATH_MAX + sizeof SNAPSHOT_BASE_NAME + 1];
	int64_t created;

	(void)snprintf(path, sizeof path, "%s/%s", f->paths->nss, SNAPSHOT_BASE_NAME);
	if (snapshot_open_state(path, f->peers.root, &snapshot) < 0)
		return 0;
	created = snapshot_created_utc_sec(&snapshot);
	snapshot_close(&snapshot);
	return created;
}

static int
start_clock(struct front *f)
{
	struct clock_reading now;
	struct clock_mark stored;
	struct event e;
	int r;

	r = clock_read(&now);
	if (r < 0)
		return r;
	if (state_load_clock(f->state, &stored) < 0)
		stored = (struct clock_mark){ .known = false };
	clock_start(&f->clock, &stored, &now, snapshot_written(f));
	if (!f->clock.trusted) {
		report_begin(&e, EVENT_CLOCK_UNTRUSTED);
		event_add(&e, FIELD_ID_FAULT, "at the start the wall clock was behind what had been seen, or had jumped");
		(void)report_event(&e);
	}
	(void)state_save_clock(f->state, &f->clock.mark);
	return loop_timer(f->event, &f->clock_timer, CLOCK_LOOK_MS, on_clock, f);
}

static int
start(struct front *f)
{
	const struct server_config server = {
		.path = f->paths->front_socket,
		.mode = 0666,
		.frame_max = PROTO_FRAME_MAX,
		.peers = &f->peers,
		.handlers = handlers,
		.context = f,
	};
	int r;

	r = peers_load(f->paths, &f->peers);
	if (r < 0)
		return r;
	load_config(f);
	f->proofs = proofs_new();
	f->sources = sources_new();
	if (f->proofs == NULL || f->sources == NULL)
		return -ENOMEM;
	if ((r = state_open(f->paths->state, &f->state)) < 0 ||
	    (r = flood_new(f->event, f->settings.events_aggregate_after, record_summary, f, &f->flood)) < 0 ||
	    (r = start_clock(f)) < 0 ||
	    (r = live_sessions_new(f->event, f->state, front_session_ended, f, &f->sessions)) < 0 ||
	    (r = server_new(f->event, &server, &f->server)) < 0)
		return r;
	front_watch_state(f);
	last_use_tell(f, NULL);
	front_local_watch(f);
	return 0;
}

static void
finish(struct front *f)
{
	f->stopping = true;
	server_free(f->server);		/* first: closes connections, and with them all that is under way */
	last_use_stop(f);
	front_local_watch_stop(f);
	live_sessions_free(f->sessions);
	sd_event_source_disable_unref(f->clock_timer);
	if (f->state != NULL && f->clock.mark.known)
		(void)state_save_clock(f->state, &f->clock.mark);
	flood_free(f->flood);		/* writes its summaries, which take numbers */
	state_close(f->state);
	sources_free(f->sources);
	ask_stop();
	callers_done(&f->callers);
	proofs_free(f->proofs);
	policy_free(f->policy);
	loop_free(f->event);
}

int
front_main(const struct paths *paths)
{
	struct front f = { .paths = paths };
	const struct loop_hooks hooks = { .reload = reload, .arg = &f };
	int r;

	(void)umask(077);
	settings_defaults(&f.settings);
	r = loop_new(paths, "front", &hooks, &f.event);
	if (r == 0)
		r = start(&f);
	if (r < 0) {
		report_log(LOG_ERR, "cannot start: %s", strerror(-r));
	} else {
		loop_ready();
		r = loop_run(f.event);
	}
	finish(&f);
	return r;
}

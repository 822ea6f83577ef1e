/*
 * loop.c - event loop, signals, watchdog, notifications (see loop.h).
 *
 * Runs in every process of ismsd, first thing. A signal must never interrupt a handler: all of them are blocked
 * and read on the loop. Worker threads that are started later inherit the blocked mask.
 */
#include <config.h>

#include "daemon/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "daemon/report.h"

#define USEC_PER_MSEC	1000ULL
#define USEC_PER_SEC	1000000ULL

static const struct loop_hooks *loop_hooks;
static const char *loop_process;
static char loop_identifier[32];

int64_t
loop_now_ms(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
loop_clock_sec(clockid_t clock)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(clock, &ts);
	return ts.tv_sec;
}

static int
on_stop(sd_event_source *s, const struct signalfd_siginfo *si, void *arg)
{
	(void)si;
	(void)arg;
	(void)sd_notify(0, "STOPPING=1");
	return sd_event_exit(sd_event_source_get_event(s), 0);
}

static int
on_reload(sd_event_source *s, const struct signalfd_siginfo *si, void *arg)
{
	(void)s;
	(void)si;
	(void)arg;
	if (loop_hooks->reload == NULL)
		return 0;
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)loop_now_ms() * 1000);
	loop_hooks->reload(loop_hooks->arg);
	(void)sd_notify(0, "READY=1");
	return 0;
}

/* Secrets pass through our memory: no core file of it, and no other process of our uid may read it (THREATS I8). */
static int
hide_memory(void)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) < 0)
		return -errno;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

int
loop_new(const struct paths *paths, const char *process, const struct loop_hooks *hooks, sd_event **ret)
{
	sd_event *event = NULL;
	sigset_t mask;
	int r;

	loop_hooks = hooks;
	loop_process = process;
	(void)snprintf(loop_identifier, sizeof loop_identifier, "ismsd-%s", process);
	report_init(paths, loop_identifier);
	r = hide_memory();
	if (r < 0)
		goto out;
	(void)sigemptyset(&mask);
	(void)sigaddset(&mask, SIGTERM);
	(void)sigaddset(&mask, SIGINT);
	(void)sigaddset(&mask, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
		r = -errno;
		goto out;
	}
	r = sd_event_new(&event);
	if (r < 0)
		goto out;
	if ((r = sd_event_add_signal(event, NULL, SIGTERM, on_stop, NULL)) < 0 ||
	    (r = sd_event_add_signal(event, NULL, SIGINT, on_stop, NULL)) < 0 ||
	    (r = sd_event_add_signal(event, NULL, SIGHUP, on_reload, NULL)) < 0)
		goto out;
	r = sd_event_set_watchdog(event, 1);
	if (r < 0)
		goto out;
	*ret = event;
	event = NULL;		/* now owned by the caller */
	r = 0;
out:
	if (r < 0)
		report_log(LOG_ERR, "cannot start: %s", strerror(-r));
	sd_event_unref(event);
	return r;
}

static void
report_life(enum event_id id)
{
	struct event e;

	report_begin(&e, id);
	event_add(&e, FIELD_ID_NOTE, loop_process);
	(void)report_event(&e);
}

void
loop_ready(void)
{
	(void)sd_notify(0, "READY=1");
	report_life(EVENT_DAEMON_STARTED);
}

int
loop_run(sd_event *event)
{
	int r;

	r = sd_event_loop(event);
	if (r < 0)
		report_log(LOG_ERR, "event loop: %s", strerror(-r));
	report_life(EVENT_DAEMON_STOPPED);
	return r < 0 ? r : 0;
}

void
loop_alive(void)
{
	(void)sd_notify(0, "WATCHDOG=1");
}

void
loop_free(sd_event *event)
{
	sd_event_unref(event);
	/* All that was secret is wiped by now; leak checkers need to look at what is left. */
	(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

int
loop_timer(sd_event *event, sd_event_source **source, int64_t delay_ms, sd_event_time_handler_t call, void *arg)
{
	struct timespec ts = { 0 };
	uint64_t at_usec;
	int r;

	/* Absolute: sd-event's own relative timers count from the start of the turn, which may be long ago. */
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	at_usec = (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
	if (delay_ms > 0)
		at_usec += (uint64_t)delay_ms * USEC_PER_MSEC;
	if (*source != NULL) {
		r = sd_event_source_set_time(*source, at_usec);
		if (r < 0)
			return r;
		return sd_event_source_set_enabled(*source, SD_EVENT_ONESHOT);
	}
	return sd_event_add_time(event, source, CLOCK_MONOTONIC, at_usec, USEC_PER_MSEC, call, arg);
}

/*
 * loop.h - the life of a process of ismsd: its event loop, signals, reload, watchdog and systemd's notifications.
 *
 *   r = loop_new(paths, "front", &hooks, &event);
 *   ... add sources to event, e.g. server_new() ...
 *   if (r >= 0)
 *           loop_ready(), then r = loop_run(event);
 *   ... free everything ...
 *   loop_free(event);
 */
#ifndef ISMS_LOOP_H
#define ISMS_LOOP_H

#include <stdint.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "common/paths.h"

struct loop_hooks {
	void (*reload)(void *arg);	/* SIGHUP; keeps what it has when the new configuration is bad; may be NULL */
	void *arg;			/* borrowed */
};

/*
 * Make the process ready to serve: no core files, nothing that ptrace may read, signals on the loop, watchdog.
 *
 *  process  "front", "directory" or "publisher"; the identifier in the journal is "ismsd-front" ...
 *  hooks    borrowed until loop_free()
 *
 * Returns 0 or -errno.
 */
int loop_new(const struct paths *paths, const char *process, const struct loop_hooks *hooks, sd_event **ret);

/* Tell systemd that we serve, and write daemon.started. */
void loop_ready(void);

/* Run until SIGTERM or SIGINT, or sd_event_exit(), write daemon.stopped. Returns 0 or -errno. */
int loop_run(sd_event *event);

/* One long piece of work goes on, a step further: the watchdog's time begins anew. Never in a loop without an end. */
void loop_alive(void);

/* NULL is fine. */
void loop_free(sd_event *event);

/* CLOCK_MONOTONIC in milliseconds, as of now. */
int64_t loop_now_ms(void);

/* Any clock in whole seconds; CLOCK_REALTIME: since the epoch, as the system has it (judge ends by wall_clock.h). */
int64_t loop_clock_sec(clockid_t clock);

/*
 * Call a function once, after a delay; rearms *source when it exists already.
 *
 *  source  NULL at first; free with sd_event_source_disable_unref()
 */
int loop_timer(sd_event *event, sd_event_source **source, int64_t delay_ms, sd_event_time_handler_t call, void *arg);

#endif

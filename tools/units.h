/*
 * units.h - starts and stops our units over the system bus; no program is run.
 */
#ifndef ISMS_UNITS_H
#define ISMS_UNITS_H

#include <stdbool.h>
#include <stddef.h>

struct units;

/* Connect to systemd. Returns 0 or -errno; free with units_free(). */
int units_open(struct units **ret);
void units_free(struct units *u);

/*
 * Whether a unit runs.
 *
 * Returns 1, 0, or -errno (-ENOENT: there is no such unit).
 */
int units_active(struct units *u, const char *unit);

/*
 * Start, restart or stop a unit and wait for the job's end.
 *
 *  method  "StartUnit", "RestartUnit" or "StopUnit"
 *  result  receives the job's result ("done", "failed", "timeout" ...) or the bus's message
 *
 * Returns 0 when the job is done; -EIO: it failed; -ETIMEDOUT after 30 s; or another -errno.
 */
int units_job(struct units *u, const char *method, const char *unit, char *result, size_t size);

/* Have systemd read all units again, as systemctl daemon-reload. Returns 0 or -errno. */
int units_reload(struct units *u);

#endif

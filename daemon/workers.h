/*
 * workers.h - a few threads beside the event loop, for calls that block: password hashing, editing the directory's
 * file, and later libldap.
 */
#ifndef ISMS_WORKERS_H
#define ISMS_WORKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

struct workers;

struct work {
	void (*run)(void *job);			/* on a thread: nothing but the job's own memory */
	void (*done)(void *job, bool cancelled);	/* on the loop, exactly once; frees the job. cancelled: run was not called */
	void *job;
};

/*
 * Start the threads; signals must be blocked already (loop_new()).
 *
 *  threads    at least 1
 *  queue_max  jobs that may wait besides those that run
 *
 * Returns 0 or -errno.
 */
int workers_new(sd_event *event, unsigned threads, size_t queue_max, struct workers **ret);

/* Cancel what waits, wait for what runs, call done for all of it. NULL is fine. */
void workers_free(struct workers *w);

/* Queue a job. Returns 0, or -EBUSY when too many wait (done is not called), or -ENOMEM. */
int workers_submit(struct workers *w, const struct work *work);

/* Take a job that still waits off the queue: done is called, cancelled. Returns false when it runs or has run. */
bool workers_cancel(struct workers *w, const void *job);

#endif

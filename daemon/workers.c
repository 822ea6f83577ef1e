/*
 * workers.c - a bounded queue, threads that empty it, and an eventfd that brings results back to the loop.
 *
 * Directory process. A thread touches its job and nothing else: no journal, no source, no connection. The queue is
 * bounded, so that a flood of logins is refused at the door instead of waiting until nobody wants the answers; what
 * nobody wants any more leaves it (workers_cancel()), so that clients that are gone take no place.
 */
#include <config.h>

#include "daemon/workers.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct item {
	struct item *next;
	struct work work;
};

struct queue {
	struct item *first, **last;
};

struct workers {
	pthread_mutex_t lock;		/* guards all below it but what the loop alone uses */
	pthread_cond_t wake;
	struct queue waiting, finished;
	size_t waiting_count;
	bool stop;

	size_t queue_max;
	int event_fd;
	sd_event_source *source;	/* owned */
	pthread_t *threads;		/* owned */
	unsigned thread_count;
};

static void
queue_put(struct queue *q, struct item *item)
{
	item->next = NULL;
	*q->last = item;
	q->last = &item->next;
}

static struct item *
queue_take(struct queue *q)
{
	struct item *item = q->first;

	if (item != NULL) {
		q->first = item->next;
		if (q->first == NULL)
			q->last = &q->first;
	}
	return item;
}

static void *
work_on(void *arg)
{
	struct workers *w = arg;
	struct item *item;

	(void)pthread_mutex_lock(&w->lock);
	for (;;) {
		while (!w->stop && w->waiting.first == NULL)
			(void)pthread_cond_wait(&w->wake, &w->lock);
		if (w->stop)
			break;
		item = queue_take(&w->waiting);
		w->waiting_count--;
		(void)pthread_mutex_unlock(&w->lock);
		item->work.run(item->work.job);
		(void)pthread_mutex_lock(&w->lock);
		queue_put(&w->finished, item);
		(void)eventfd_write(w->event_fd, 1);
	}
	(void)pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* Hand every item of a queue back. */
static void
finish(struct workers *w, struct queue *q, bool cancelled)
{
	struct item *item;

	for (;;) {
		(void)pthread_mutex_lock(&w->lock);
		item = queue_take(q);
		(void)pthread_mutex_unlock(&w->lock);
		if (item == NULL)
			return;
		item->work.done(item->work.job, cancelled);
		free(item);
	}
}

static int
on_finished(sd_event_source *source, int fd, uint32_t revents, void *arg)
{
	struct workers *w = arg;
	eventfd_t count;

	(void)source;
	(void)revents;
	(void)eventfd_read(fd, &count);
	finish(w, &w->finished, false);
	return 0;
}

int
workers_new(sd_event *event, unsigned threads, size_t queue_max, struct workers **ret)
{
	struct workers *w = calloc(1, sizeof *w);
	int r;

	if (w == NULL)
		return -ENOMEM;
	w->waiting.last = &w->waiting.first;
	w->finished.last = &w->finished.first;
	w->queue_max = queue_max;
	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_cond_init(&w->wake, NULL);
	w->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->event_fd < 0) {
		r = -errno;
		goto out;
	}
	r = sd_event_add_io(event, &w->source, w->event_fd, EPOLLIN, on_finished, w);
	if (r < 0)
		goto out;
	w->threads = calloc(threads, sizeof *w->threads);
	if (w->threads == NULL) {
		r = -ENOMEM;
		goto out;
	}
	while (w->thread_count < threads) {
		r = -pthread_create(&w->threads[w->thread_count], NULL, work_on, w);
		if (r < 0)
			goto out;
		w->thread_count++;
	}
	*ret = w;
	w = NULL;		/* now owned by the caller */
	r = 0;
out:
	workers_free(w);
	return r;
}

void
workers_free(struct workers *w)
{
	if (w == NULL)
		return;
	(void)pthread_mutex_lock(&w->lock);
	w->stop = true;
	(void)pthread_cond_broadcast(&w->wake);
	(void)pthread_mutex_unlock(&w->lock);
	for (unsigned i = 0; i < w->thread_count; i++)
		(void)pthread_join(w->threads[i], NULL);
	finish(w, &w->finished, false);
	finish(w, &w->waiting, true);
	sd_event_source_disable_unref(w->source);
	if (w->event_fd >= 0)
		(void)close(w->event_fd);
	(void)pthread_cond_destroy(&w->wake);
	(void)pthread_mutex_destroy(&w->lock);
	free(w->threads);
	free(w);
}

int
workers_submit(struct workers *w, const struct work *work)
{
	struct item *item = calloc(1, sizeof *item);
	int r = 0;

	if (item == NULL)
		return -ENOMEM;
	item->work = *work;
	(void)pthread_mutex_lock(&w->lock);
	if (w->waiting_count >= w->queue_max)
		r = -EBUSY;
	else {
		queue_put(&w->waiting, item);
		w->waiting_count++;
		(void)pthread_cond_signal(&w->wake);
	}
	(void)pthread_mutex_unlock(&w->lock);
	if (r < 0)
		free(item);
	return r;
}

bool
workers_cancel(struct workers *w, const void *job)
{
	struct item **at, *item;

	(void)pthread_mutex_lock(&w->lock);
	for (at = &w->waiting.first; *at != NULL && (*at)->work.job != job; at = &(*at)->next)
		;
	item = *at;
	if (item != NULL) {
		*at = item->next;
		if (item->next == NULL)
			w->waiting.last = at;
		w->waiting_count--;
	}
	(void)pthread_mutex_unlock(&w->lock);
	if (item == NULL)
		return false;
	item->work.done(item->work.job, true);
	free(item);
	return true;
}

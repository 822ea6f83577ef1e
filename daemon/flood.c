/*
 * flood.c - bounded reports under a flood of equal failures (see flood.h).
 *
 * Runs in every process of ismsd, on its loop. It must never lose a report without counting it, nor grow with the
 * number of different keys that an attacker can think of.
 */
#include <config.h>

#include "daemon/flood.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/loop.h"

struct window {
	char key[FLOOD_KEY_MAX];
	int64_t end_ms;		/* 0: free */
	unsigned seen, held;
	void *sample;		/* owned */
};

struct flood {
	sd_event *event;	/* owned */
	sd_event_source *timer;	/* owned */
	unsigned limit;
	void (*summary)(const char *key, const void *sample, unsigned count, void *arg);
	void *arg;
	bool armed;
	struct window windows[FLOOD_KEYS_MAX];
};

static void
end_window(struct flood *f, struct window *w)
{
	if (w->held > 0)
		f->summary(w->key, w->sample, w->held, f->arg);
	free(w->sample);
	*w = (struct window){ 0 };
}

static int on_timer(sd_event_source *source, uint64_t usec, void *arg);

/* Wake up when the next window ends. */
static void
arm(struct flood *f)
{
	int64_t next = 0;

	for (unsigned i = 0; i < FLOOD_KEYS_MAX; i++) {
		if (f->windows[i].end_ms != 0 && (next == 0 || f->windows[i].end_ms < next))
			next = f->windows[i].end_ms;
	}
	/* Without a timer summaries come late, with the next report of that key; nothing is lost. */
	f->armed = next != 0 && loop_timer(f->event, &f->timer, next - loop_now_ms(), on_timer, f) >= 0;
}

static void
end_due(struct flood *f)
{
	int64_t now = loop_now_ms();

	for (unsigned i = 0; i < FLOOD_KEYS_MAX; i++) {
		if (f->windows[i].end_ms != 0 && f->windows[i].end_ms <= now)
			end_window(f, &f->windows[i]);
	}
}

static int
on_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	struct flood *f = arg;

	(void)source;
	(void)usec;
	end_due(f);
	arm(f);
	return 0;
}

int
flood_new(sd_event *event, unsigned limit,
    void (*summary)(const char *key, const void *sample, unsigned count, void *arg), void *arg, struct flood **ret)
{
	struct flood *f = calloc(1, sizeof *f);

	if (f == NULL)
		return -ENOMEM;
	f->event = sd_event_ref(event);
	f->limit = limit;
	f->summary = summary;
	f->arg = arg;
	*ret = f;
	return 0;
}

void
flood_free(struct flood *f)
{
	if (f == NULL)
		return;
	for (unsigned i = 0; i < FLOOD_KEYS_MAX; i++)
		end_window(f, &f->windows[i]);
	sd_event_source_disable_unref(f->timer);
	sd_event_unref(f->event);
	free(f);
}

void
flood_set_limit(struct flood *f, unsigned limit)
{
	f->limit = limit;
}

/* The window of a key: its own, a free one, or the last, which all further keys share. */
static struct window *
find_window(struct flood *f, const char *key)
{
	struct window *w, *empty = NULL;
	char cut[FLOOD_KEY_MAX];

	(void)strncpy(cut, key, sizeof cut - 1);
	cut[sizeof cut - 1] = '\0';
	for (w = f->windows; w < f->windows + FLOOD_KEYS_MAX - 1; w++) {
		if (w->end_ms != 0 && strcmp(w->key, cut) == 0)
			return w;
		if (w->end_ms == 0 && empty == NULL)
			empty = w;
	}
	if (empty == NULL) {
		empty = &f->windows[FLOOD_KEYS_MAX - 1];
		memcpy(cut, FLOOD_OVERFLOW_KEY, sizeof FLOOD_OVERFLOW_KEY);
	}
	if (empty->end_ms == 0) {
		memcpy(empty->key, cut, sizeof cut);
		empty->end_ms = loop_now_ms() + FLOOD_WINDOW_MS;
	}
	return empty;
}

bool
flood_pass(struct flood *f, const char *key, const void *sample, size_t size)
{
	struct window *w;

	end_due(f);
	w = find_window(f, key);
	if (!f->armed)
		arm(f);
	if (w->seen++ < f->limit)
		return true;
	if (w->held++ == 0 && sample != NULL) {
		w->sample = malloc(size);
		if (w->sample != NULL)
			memcpy(w->sample, sample, size);
	}
	return false;
}

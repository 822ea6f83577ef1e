/*
 * flood.h - equal reports within ten seconds: the first few pass one by one, the rest become one with a count
 * (DESIGN 4.5). What may never be suppressed is simply not asked about here.
 */
#ifndef ISMS_FLOOD_H
#define ISMS_FLOOD_H

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

#define FLOOD_WINDOW_MS		10000
#define FLOOD_KEYS_MAX		256	/* more keys at a time share the last one, so that memory stays bounded */
#define FLOOD_KEY_MAX		160	/* bytes with NUL; longer keys are cut */
#define FLOOD_OVERFLOW_KEY	"<others>"

struct flood;

/*
 * Start counting.
 *
 *  limit    reports of one key that pass within the window
 *  summary  called at the end of a window in which some were held back: sample is a copy of what the first of
 *           them brought, NULL without one; count is how many
 *
 * Returns 0 or -ENOMEM.
 */
int flood_new(sd_event *event, unsigned limit,
    void (*summary)(const char *key, const void *sample, unsigned count, void *arg), void *arg, struct flood **ret);

/* Ends every window at once (summaries are still written). NULL is fine. */
void flood_free(struct flood *f);

/* Change the limit; counts of open windows stay. */
void flood_set_limit(struct flood *f, unsigned limit);

/*
 * Whether a report may be written now.
 *
 *  key          what makes reports equal
 *  sample,size  copied when this one is the first to be held back; may be NULL
 *
 * Returns true: write it; false: it was counted.
 */
bool flood_pass(struct flood *f, const char *key, const void *sample, size_t size);

#endif

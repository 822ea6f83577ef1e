/*
 * source_throttle.h - slows down who fails from one place against many people: a remote network, or a local user who
 * tries others through su and sudo (THREATS 5.3). In memory; counting by target is throttle.c's and durable.
 *
 * It only makes attempts wait, and never long, because a whole office may stand behind one address.
 */
#ifndef ISMS_SOURCE_THROTTLE_H
#define ISMS_SOURCE_THROTTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SOURCES_MAX		1024	/* more at a time share one place: everybody new is slow then, not nobody */
#define SOURCE_FREE_FAILURES	20	/* then the waits begin, doubling from one second */
#define SOURCE_WAIT_MAX_MS	10000
#define SOURCE_FORGET_MS	900000	/* without a failure */
#define SOURCE_KEY_SIZE		64

struct sources;

/* Returns NULL without memory. */
struct sources *sources_new(void);
void sources_free(struct sources *all);		/* NULL is fine */

/*
 * What stands for the place that a request comes from.
 *
 *  rhost   PAM_RHOST: an IPv4 address counts as such, an IPv6 one by its /64, anything else as it is written
 *  caller  without rhost: who calls (caller.h); NULL when that is the user himself, root, or nobody
 *
 * Returns false for a request that has none: this host itself (loopback), a console, one's own sudo.
 */
bool source_key(const char *rhost, const uint32_t *caller, char ret[static SOURCE_KEY_SIZE]);

/* Whether an attempt from there is refused unseen. now_ms: CLOCK_MONOTONIC. */
bool source_refuses(const struct sources *all, const char *key, int64_t now_ms);

/* Somebody failed from there. */
void source_count(struct sources *all, const char *key, int64_t now_ms);

#endif

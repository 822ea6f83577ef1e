/*
 * publisher_refusals.h - the refused records that are kept by name, for status and events.
 */
#ifndef ISMS_PUBLISHER_REFUSALS_H
#define ISMS_PUBLISHER_REFUSALS_H

#include <stdint.h>

#include "daemon/publisher_check.h"
#include "daemon/publisher_judge.h"

#define REFUSALS_LISTED_MAX	256	/* all are counted */

struct refused {
	enum register_kind kind;
	enum refusal why;
	uint64_t key;
	uint32_t id;
	char name[36];		/* cut; anything but printable ASCII is '?' */
};

struct refusals {
	struct refused listed[REFUSALS_LISTED_MAX];
	uint32_t listed_count, count;
};

/* List what is refused now, after all or some of it was judged. */
void publisher_refusals_take(struct refusals *r, const struct judging *j);

/* Write an event for each that was not refused for this reason before; not for all of very many. */
void publisher_refusals_report(const struct refusals *before, const struct refusals *now);

#endif

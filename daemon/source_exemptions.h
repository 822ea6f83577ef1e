/*
 * source_exemptions.h - exemptions that were not there before: each host tells of them when it learns of them, whoever
 * added them by whatever tool.
 */
#ifndef ISMS_SOURCE_EXEMPTIONS_H
#define ISMS_SOURCE_EXEMPTIONS_H

#include <stddef.h>

#include "daemon/entry_changes.h"

struct source;

/* Those of some changes. */
struct fresh_exemptions {
	struct entry **list;		/* owned, with one reference to each */
	size_t count, room;
};

/*
 * Find what lowers a control that the census has not lowered yet; nothing in a first state.
 *
 *  changes  before the census takes them
 *  ret      zeroed; source_exemptions_tell() must follow, also after a failure
 *
 * Returns 0 or -errno: an entry could not be read.
 */
int source_exemptions_find(const struct source *s, const struct entry_changes *changes, struct fresh_exemptions *ret);

/* The census has taken the changes (r >= 0), or not: tell of them, or do not; free them. */
void source_exemptions_tell(const struct source *s, struct fresh_exemptions *fresh, int r);

#endif

/*
 * caller.h - whom a real uid counts for, where what one caller may cost the others is bounded.
 *
 * A person has more than one uid: in user namespaces he takes on any that is lent to him, 65536 of them as a rule, and
 * runs su as each. Such ids count as one caller.
 */
#ifndef ISMS_CALLER_H
#define ISMS_CALLER_H

#include <stdint.h>
#include <sys/stat.h>

#include "common/subid.h"

#define CALLER_UNNAMED	UINT32_MAX	/* no process can have this uid */

struct front;

/* Ranges of /etc/subuid as last seen; zeroed: none yet. */
struct callers {
	struct subids ranges;
	struct stat seen;
};

/* The uid that stands for the caller: the same for all ids of one range, else mostly the id itself. */
uint32_t caller_of(struct front *f, uint32_t ruid);

/* Frees; a zeroed struct is fine. */
void callers_done(struct callers *c);

#endif

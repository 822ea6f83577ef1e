/*
 * epoch.h - the publisher's hold on the epoch page, so that readers of one that was replaced behind its back hear of it.
 */
#ifndef ISMS_EPOCH_H
#define ISMS_EPOCH_H

#include <stdint.h>

#include "common/snapshot.h"

struct epoch_keeper {
	struct snapshot_epoch *page;	/* owned mapping; NULL: none yet */
	uint64_t dev, ino;		/* of its file */
	uint64_t told;			/* its counter, when it was looked at last */
};

/*
 * Look whether the page of a folder still is the one that is held, and hold it. The readers of one that was replaced
 * or unlinked, as by a restore of the folder, are told by 0 to open it again by path. A counter that went back goes on
 * from where it was: who has seen that must not take it for what he knows.
 *
 *  k    zeroed at first
 *  dir  /var/lib/isms/nss
 *
 * Returns 0; 1 when readers were told; or -errno: what was held stays.
 */
int epoch_keep(struct epoch_keeper *k, const char *dir);

/* Tell readers to look by path, as after a death between a rename and the counter's advance. */
void epoch_keeper_advance(struct epoch_keeper *k);

void epoch_keeper_done(struct epoch_keeper *k);	/* a zeroed struct is fine */

#endif

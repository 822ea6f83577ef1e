/*
 * caller.c - whom a real uid counts for (see caller.h).
 *
 * Runs in the front. It must never take as many callers as a local user can have ids for as many people, nor ask NSS.
 */
#include <config.h>

#include "daemon/caller.h"

#include <stdio.h>

#include "common/snapshot.h"
#include "daemon/front.h"

#define NAMED_MAX 65535u	/* above, ids are lent out without anybody's name */

static bool
is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	    a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Read the ranges where they are others than last time. While they cannot be read whole, the old ones count. */
static void
refresh(struct callers *c, const char *path)
{
	struct stat now;
	struct subids fresh;

	if (stat(path, &now) < 0)
		now = (struct stat){ .st_size = 0 };
	if (is_same(&now, &c->seen))
		return;
	c->seen = now;		/* also of a file that is refused: once is enough */
	if (subids_load(path, &fresh) < 0)
		return;
	subids_done(&c->ranges);
	c->ranges = fresh;
}

static bool
is_published(const struct front *f, uint32_t uid)
{
	struct snapshot snapshot = { 0 };
	struct snapshot_user found;
	char path[PATH_MAX + sizeof SNAPSHOT_BASE_NAME + 1];
	bool known;

	(void)snprintf(path, sizeof path, "%s/%s", f->paths->nss, SNAPSHOT_BASE_NAME);
	if (snapshot_open_state(path, f->peers.root, &snapshot) < 0)
		return false;
	known = snapshot_find_uid(&snapshot, uid, &found) == 1;
	snapshot_close(&snapshot);
	return known;
}

/*
 * The first id of a range stands for the range: who owns several has as many callers, which root gave to him. Ranges
 * also come from elsewhere (SSSD, systemd-nsresourced), always above NAMED_MAX; of the ids there, those that neither
 * /etc/subuid nor the directory knows are one caller together, at the cost that people of another directory share it.
 */
uint32_t
caller_of(struct front *f, uint32_t ruid)
{
	const struct subid_range *range;

	if (ruid == f->peers.root)
		return ruid;
	refresh(&f->callers, f->paths->subuid);
	range = subids_find(&f->callers.ranges, ruid);
	if (range != NULL)
		return range->first;
	return ruid <= NAMED_MAX || is_published(f, ruid) ? ruid : CALLER_UNNAMED;
}

void
callers_done(struct callers *c)
{
	subids_done(&c->ranges);
}

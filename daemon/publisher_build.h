/*
 * publisher_build.h - from the register to the published snapshot: completed with local groups, compared, written.
 */
#ifndef ISMS_PUBLISHER_BUILD_H
#define ISMS_PUBLISHER_BUILD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/paths.h"
#include "common/policy.h"
#include "common/settings.h"
#include "common/snapshot.h"
#include "daemon/local_accounts.h"
#include "daemon/publisher_dirty.h"
#include "daemon/publisher_groups.h"
#include "daemon/publisher_judge.h"
#include "daemon/publisher_record.h"
#include "daemon/register.h"
#include "daemon/snapshot_write.h"

struct publisher_build_out;
struct publisher_compact;

struct publisher_build_in {
	const struct paths *paths;
	const struct register_book *book;
	const struct judging *judging;		/* what has changed since the last build; whole: perhaps everything */
	const struct settings *settings;
	const struct policy *policy;
	const struct local_accounts *local;
	const struct snapshot *previous;	/* what is published; base == NULL: nothing */
	struct publisher_dirty *dirty;		/* what is not as the base has it; kept up to date */
	int64_t now_utc_sec;
	int64_t confirmed_utc_sec;		/* when the directory process last said that all of it holds */
	uint64_t generation_seen;		/* the highest so far, also of a snapshot that was lost */
	struct publisher_compact *compact;	/* NULL: none */
	bool is_gone;				/* what is published is not in its place any more: write it */
	size_t delta_from_bytes;		/* a smaller base is written anew with each change */
	const struct publisher_build_out *before;	/* of the last build; NULL at the first, which always writes */
};

struct publisher_build_out {
	uint32_t local_gids[SNAPSHOT_LOCAL_GIDS_MAX];
	unsigned local_gid_count, local_left_out;
	bool changed;				/* other content than what was published */
	bool written;				/* a new file was published: for that, or to stamp it as valid for longer */
	bool is_delta;				/* and it is a delta */
	int error;				/* 0, or -errno: the new file could not be written, the old one stays */
	uint64_t generation;			/* of what is published now */
};

/* What a published file is made of; it must not move in memory. */
struct publisher_header {
	struct publisher_groups groups;
	struct publisher_making making;
	struct snapshot_header_in header;
};

/* Fill it in for a file of now. */
void publisher_build_header(const struct publisher_build_in *in, uint64_t generation, struct publisher_header *ret);

/*
 * Publish what is accepted.
 *
 *  ret  the local gids are valid also when ret->error is set: who must leave does not wait for a full disk
 */
void publisher_build(const struct publisher_build_in *in, struct publisher_build_out *ret);

/*
 * Whether a published file is to be written again for its stamp alone: half of its time is over, or it is stamped
 * further ahead than the settings of now allow.
 */
bool publisher_build_is_due(const struct snapshot *published, const struct settings *settings,
    int64_t confirmed_utc_sec);

#endif

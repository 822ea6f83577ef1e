/*
 * snapshot_write.h - builds the published files: a base, or the delta upon one. Publisher only; trusts its caller's
 * records, which publisher_check.c has judged, and checks the finished file as a whole all the same.
 */
#ifndef ISMS_SNAPSHOT_WRITE_H
#define ISMS_SNAPSHOT_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/snapshot.h"

struct snapshot_header_in {
	uint64_t generation;
	int64_t created_utc_sec, valid_until_utc_sec;
	bool enumerate;
	const char *contact;
	uint32_t local_gid_count;
	const uint32_t *local_gids;	/* at most SNAPSHOT_LOCAL_GIDS_MAX */
};

struct snapshot_builder;

/* A base. Returns NULL without memory or random numbers. */
struct snapshot_builder *snapshot_builder_new(void);
void snapshot_builder_free(struct snapshot_builder *b);

/*
 * A delta: everything that is not as in the base. What was published upon that base before is not looked at.
 *
 *  base  borrowed until the builder is freed; a delta that it has open is ignored
 *
 * Returns NULL as above.
 */
struct snapshot_builder *snapshot_builder_new_delta(const struct snapshot *base);

/*
 * In a delta: the base's record of that id is not shown any more. Before anything is added that takes its name or id.
 * Whoever was a member under a name that is gone then must be told to the groups: they are hidden and added again,
 * with their members (snapshot_builder_keep_members).
 *
 * Returns 0, also when the base has none; -EINVAL in a base; -ENOMEM, as below; -EBADMSG when the base is corrupt.
 */
int snapshot_builder_hide_user(struct snapshot_builder *b, uint32_t uid);
int snapshot_builder_hide_group(struct snapshot_builder *b, uint32_t gid);

/*
 * Strings are copied. Returns 0; -EEXIST for a name or id that is there already, in a delta also in what is shown of
 * the base; -EINVAL for what the format cannot hold; -ENOMEM, after which the builder is of no further use.
 */
int snapshot_builder_add_group(struct snapshot_builder *b, uint32_t gid, const char *name);

/*
 * In a delta, after snapshot_builder_add_group(): who is a member of the base's group of that gid and is not hidden
 * when the file is made stays one.
 *
 * Returns 0, also when the base has no such group; -ENOENT when the delta has none; -EINVAL in a base.
 */
int snapshot_builder_keep_members(struct snapshot_builder *b, uint32_t gid);

/*
 * Add a user and make it a member of its supplementary groups, which must have been added, or be local gids. In a
 * delta they may also be groups that are shown of the base: these get no new member, so the base must have had one of
 * that name.
 *
 *  gids  supplementary, without the primary one; in any order
 *
 * Returns as above.
 */
int snapshot_builder_add_user(struct snapshot_builder *b, uint32_t uid, uint32_t gid, const char *name,
    const char *gecos, const char *home, const char *shell, const uint32_t *gids, uint32_t gid_count);

/*
 * Write dir/base.1.snap, or the base's delta: new inode, reserved, written, fsync, checked as a whole, renamed, folder
 * fsync; then the epoch page is advanced (made first if missing; never replaced).
 *
 * A new base replaces delta and all: the delta of the base before stays for readers that have just opened that, older
 * ones go. A generation is never 0, and never that of another base that has a delta.
 *
 * Returns 0; on any -errno the old files stay and no temp file is left (but when the very last step, the folder's
 * fsync, fails: then the new file is in place and readers know). -EBADMSG: the finished file did not pass the check;
 * -EINVAL: a gid that is neither a group nor a local gid of the header, or a delta without a local gid of its base;
 * -ESTALE: a delta whose base is not the published one; -EEXIST: a base of the generation of the published one, which
 * has a delta; -EFBIG: more than 4 GiB, or than 256 KiB of different shells.
 */
int snapshot_builder_publish(struct snapshot_builder *b, const char *dir, const struct snapshot_header_in *header);

/*
 * The same up to the check, under a temporary name: of a base (in a child, say, while the old base and its delta are
 * published on), then of the delta upon it (snapshot_open_written), of what has changed meanwhile. A file of that
 * name is replaced.
 *
 * Returns 0 or as above; on failure no temp file is left.
 */
int snapshot_builder_write(struct snapshot_builder *b, const char *dir, const struct snapshot_header_in *header);

/* Map the base that was written so. Returns as snapshot_open(). */
int snapshot_open_written(const char *dir, struct snapshot *ret);

/*
 * Publish a written base, and with it the delta that was written upon it.
 *
 * Returns as snapshot_builder_publish(); on failure the temp files are gone. -ESTALE: the delta is of another base.
 */
int snapshot_publish_written(const char *dir, bool with_delta);

/* Remove temp files, of a child that was ended say. */
void snapshot_discard_written(const char *dir);

#endif

/*
 * snapshot_write.h - builds the published file. Publisher only; trusts its caller's records, which
 * publisher_check.c has judged, and re-reads the finished file with snapshot_check_whole() all the same.
 */
#ifndef ISMS_SNAPSHOT_WRITE_H
#define ISMS_SNAPSHOT_WRITE_H

#include <stdbool.h>
#include <stdint.h>

struct snapshot_header_in {
	uint64_t generation;
	int64_t created_utc_sec, valid_until_utc_sec;
	bool enumerate;
	const char *contact;
	uint32_t local_gid_count;
	const uint32_t *local_gids;	/* at most SNAPSHOT_LOCAL_GIDS_MAX */
};

struct snapshot_builder;

/* Returns NULL without memory or random numbers. */
struct snapshot_builder *snapshot_builder_new(void);
void snapshot_builder_free(struct snapshot_builder *b);

/*
 * Strings are copied. Returns 0; -EEXIST for a name or id that is there already; -EINVAL for what the format
 * cannot hold; -ENOMEM, after which the builder is of no further use.
 */
int snapshot_builder_add_group(struct snapshot_builder *b, uint32_t gid, const char *name);

/*
 * Add a user and make it a member of its supplementary groups (which must have been added, or be local gids).
 *
 *  gids  supplementary, without the primary one; in any order
 *
 * Returns as above.
 */
int snapshot_builder_add_user(struct snapshot_builder *b, uint32_t uid, uint32_t gid, const char *name,
    const char *gecos, const char *home, const char *shell, const uint32_t *gids, uint32_t gid_count);

/*
 * Write dir/base.1.snap: new inode, reserved, written, fsync, checked as a whole, renamed, folder fsync;
 * then the epoch page is advanced (made first if missing; never replaced).
 *
 * Returns 0; on any -errno the old file stays and no temp file is left (but when the very last step, the folder's
 * fsync, fails: then the new file is in place and readers know). -EBADMSG: the finished file did not pass the check;
 * -EINVAL: a gid that is neither a group nor a local gid of the header; -EFBIG: more than 4 GiB.
 */
int snapshot_builder_publish(struct snapshot_builder *b, const char *dir, const struct snapshot_header_in *header);

#endif

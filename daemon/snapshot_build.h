/*
 * snapshot_build.h - what the builder collects (snapshot_write.c), the image made of it
 * (snapshot_image.c) and its way to the disk (snapshot_publish.c). Private to these three.
 */
#ifndef ISMS_SNAPSHOT_BUILD_H
#define ISMS_SNAPSHOT_BUILD_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/hash_map.h"
#include "snapshot_write.h"

struct built_user {
	uint32_t uid, gid;
	size_t strings_at;		/* in strings: name gecos home shell, each with NUL */
	uint16_t gecos_len, home_len, shell_len;
	uint8_t name_len;
	uint16_t gid_count;
	size_t gids_at;			/* in gids; ascending */
};

struct built_group {
	uint32_t gid;
	size_t name_at;			/* in strings */
	uint8_t name_len;
};

struct snapshot_builder {
	uint64_t key[2];		/* of the maps */
	struct built_user *users;	/* owned */
	struct built_group *groups;	/* owned */
	char *strings;			/* owned */
	uint32_t *gids;			/* owned */
	size_t user_count, user_room, group_count, group_room, strings_used, strings_room, gids_used, gids_room;
	struct hash_map user_names, user_ids, group_names, group_ids;
};

/* The group of a gid: 1 and its index, or 0. */
int snapshot_builder_group(const struct snapshot_builder *b, uint32_t gid, uint32_t *ret_index);

struct snapshot_image {
	uint8_t *bytes;			/* owned; aligned as a mapping is */
	size_t size;
};

/*
 * Lay out the whole file in memory.
 *
 * Returns 0; -EINVAL: a gid that is neither a group nor a local gid of the header, or too many local gids
 * or too long a contact; -EFBIG beyond 4 GiB; -ENOMEM; -EOVERFLOW when no seed gives short runs.
 */
int snapshot_image_make(const struct snapshot_builder *b, const struct snapshot_header_in *header,
    struct snapshot_image *ret);
void snapshot_image_done(struct snapshot_image *image);

/*
 * Map the epoch page of a folder for writing; made if missing. A file of that name that no reader could
 * use is told to its readers by 0 and replaced.
 *
 *  ret  4096 bytes; unmap with epoch_unmap()
 *
 * Returns 0 or -errno.
 */
int epoch_map(int dir_fd, _Atomic uint64_t **ret);
void epoch_unmap(_Atomic uint64_t *epoch);

/* Tell readers that there is a new snapshot. Never becomes 0. */
void epoch_advance(_Atomic uint64_t *epoch);

#endif

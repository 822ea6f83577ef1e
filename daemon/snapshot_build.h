/*
 * snapshot_build.h - what the builder collects (snapshot_write.c), the image made of it (snapshot_image.c,
 * snapshot_tables.c) and its way to the disk (snapshot_publish.c). Private to these.
 */
#ifndef ISMS_SNAPSHOT_BUILD_H
#define ISMS_SNAPSHOT_BUILD_H

#include <stddef.h>
#include <stdint.h>

#include "common/snapshot_format.h"
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
	bool keeps;			/* the members that the base's group has */
};

/* Records of the base that a delta hides. */
struct hidden {
	uint32_t *refs;			/* owned */
	size_t count, room;
	struct hash_map index;		/* by reference */
};

struct snapshot_builder {
	uint64_t key[2];		/* of the maps */
	struct built_user *users;	/* owned */
	struct built_group *groups;	/* owned */
	char *strings;			/* owned */
	uint32_t *gids;			/* owned */
	size_t user_count, user_room, group_count, group_room, strings_used, strings_room, gids_used, gids_room;
	struct hash_map user_names, user_ids, group_names, group_ids;
	const uint8_t *base;		/* of a delta; else NULL. Borrowed */
	struct hidden users_hidden, groups_hidden;
	struct hash_map names_hidden;	/* of users */
};

/* The group of a gid: 1 and its index, or 0. */
int snapshot_builder_group(const struct snapshot_builder *b, uint32_t gid, uint32_t *ret_index);

/* Whether the base of a delta has a group that is shown. */
bool snapshot_builder_base_group(const struct snapshot_builder *b, uint32_t gid);

/* Whether a name is that of a hidden user. */
bool snapshot_builder_hides_name(const struct snapshot_builder *b, const char *name, size_t len);

/*
 * Make room for more elements behind used ones. Returns the array, moved perhaps, or NULL without memory: then the
 * old one is as it was.
 */
void *snapshot_builder_reserve(void *array, size_t size, size_t used, size_t more, size_t *room);

/* A file in the making (snapshot_image.c). */
struct snapshot_layout {
	const struct snapshot_builder *from;
	const struct snapshot_header_in *in;
	uint32_t *user_order, *group_order;	/* owned; indexes by ascending id */
	uint32_t *user_refs, *group_refs;	/* owned; in that order */
	uint16_t *user_shells;			/* owned; by user index */
	uint32_t *gid_groups;			/* owned; by place in gids: the group's index plus one, 0 for none of ours */
	struct tally {
		uint32_t members_at, member_count, names_len;
		uint32_t lens_done, names_done;
		uint32_t kept_count, kept_len;
	} *tallies;				/* owned; by group index */
	struct pool {
		uint8_t *bytes;			/* owned */
		size_t used, room;
	} kept_lens, kept_names, shells;	/* the members that groups keep, group after group */
	struct snapshot_header header;
	uint8_t *bytes;				/* owned */
};

/* Room in a table for so many records: filled to four sevenths, two slots are looked at for a hit, three for a miss. */
uint64_t snapshot_table_size(size_t records);

/* Fill all tables, under a new seed that gives no long run. Returns 0, -EIO without random numbers, or -EOVERFLOW. */
int snapshot_tables_fill(struct snapshot_layout *l);

struct snapshot_image {
	uint8_t *bytes;			/* owned; aligned as a mapping is */
	size_t size;
};

/*
 * Lay out the whole file in memory.
 *
 * Returns 0; -EINVAL: a gid that is neither a group nor a local gid of the header, too many local gids, or in a delta
 * too few, or too long a contact; -EFBIG beyond 4 GiB, or 256 KiB of shells; -ENOMEM; -EOVERFLOW when no seed gives
 * short runs.
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
int epoch_map(int dir_fd, struct snapshot_epoch **ret);
void epoch_unmap(struct snapshot_epoch *epoch);

/* Tell readers that there is a new snapshot. The counter never becomes 0. */
void epoch_advance(struct snapshot_epoch *epoch);

/*
 * Tell readers that they have to look for a delta, before any file gets its name; durably, since a name may outlive a
 * power failure that the page does not.
 *
 * Returns 0 or -errno.
 */
int epoch_withdraw_bare(struct snapshot_epoch *epoch);
/* Tell readers that the base, which has its name, has no delta. Best effort: they look then. */
void epoch_tell_bare(struct snapshot_epoch *epoch, int dir_fd);

#endif

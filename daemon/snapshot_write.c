/*
 * snapshot_write.c - collects users and groups for a snapshot.
 *
 * Publisher only. Holds compact copies: a million users must fit beside the image that is made of them.
 * Judges no record (publisher_check.c does), but refuses what the format cannot hold.
 */
#include <config.h>

#include "snapshot_write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/siphash.h"
#include "common/snapshot_format.h"
#include "snapshot_build.h"

struct snapshot_builder *
snapshot_builder_new(void)
{
	struct snapshot_builder *b = calloc(1, sizeof *b);

	if (b != NULL && getrandom(b->key, sizeof b->key, 0) != (ssize_t)sizeof b->key) {
		free(b);
		return NULL;
	}
	return b;
}

struct snapshot_builder *
snapshot_builder_new_delta(const struct snapshot *base)
{
	struct snapshot_builder *b = snapshot_builder_new();

	if (b != NULL)
		b->base = base->base;
	return b;
}

void
snapshot_builder_free(struct snapshot_builder *b)
{
	if (b == NULL)
		return;
	hash_map_done(&b->users_hidden.index);
	hash_map_done(&b->groups_hidden.index);
	hash_map_done(&b->names_hidden);
	free(b->users_hidden.refs);
	free(b->groups_hidden.refs);
	hash_map_done(&b->user_names);
	hash_map_done(&b->user_ids);
	hash_map_done(&b->group_names);
	hash_map_done(&b->group_ids);
	free(b->users);
	free(b->groups);
	free(b->strings);
	free(b->gids);
	free(b);
}

static uint64_t
key_of(const struct snapshot_builder *b, const void *bytes, size_t len)
{
	return siphash13(b->key, bytes, len);
}

int
snapshot_builder_group(const struct snapshot_builder *b, uint32_t gid, uint32_t *ret_index)
{
	return hash_map_find(&b->group_ids, key_of(b, &gid, sizeof gid), ret_index);
}

void *
snapshot_builder_reserve(void *array, size_t size, size_t used, size_t more, size_t *room)
{
	size_t wanted = *room;

	if (more <= *room - used)
		return array;
	while (wanted - used < more) {
		if (wanted > SIZE_MAX / 4 / size)
			return NULL;
		wanted = wanted == 0 ? 64 : wanted * 2;
	}
	array = reallocarray(array, wanted, size);
	if (array != NULL)
		*room = wanted;
	return array;
}

/* ---- what a delta hides of its base ---- */

static bool
is_hidden(const struct snapshot_builder *b, const struct hidden *hidden, uint32_t ref)
{
	uint32_t index;

	return hash_map_find(&hidden->index, key_of(b, &ref, sizeof ref), &index) > 0;
}

static int
hide(const struct snapshot_builder *b, struct hidden *hidden, uint32_t ref)
{
	uint32_t *refs = snapshot_builder_reserve(hidden->refs, sizeof *refs, hidden->count, 1, &hidden->room);
	int r;

	if (refs == NULL)
		return -ENOMEM;
	hidden->refs = refs;
	r = hash_map_add(&hidden->index, key_of(b, &ref, sizeof ref), (uint32_t)hidden->count);
	if (r == 0)
		refs[hidden->count++] = ref;
	return r;
}

int
snapshot_builder_hide_user(struct snapshot_builder *b, uint32_t uid)
{
	struct snapshot_user user;
	uint32_t ref;
	int r;

	if (b->base == NULL)
		return -EINVAL;
	r = snapshot_locate_user(b->base, NULL, uid, &user, &ref);
	if (r <= 0 || is_hidden(b, &b->users_hidden, ref))
		return r < 0 ? r : 0;
	r = hide(b, &b->users_hidden, ref);
	return r < 0 ? r : hash_map_add(&b->names_hidden, key_of(b, user.name, user.name_len), 0);
}

int
snapshot_builder_hide_group(struct snapshot_builder *b, uint32_t gid)
{
	struct snapshot_group group;
	uint32_t ref;
	int r;

	if (b->base == NULL)
		return -EINVAL;
	r = snapshot_locate_group(b->base, NULL, gid, &group, &ref);
	if (r <= 0 || is_hidden(b, &b->groups_hidden, ref))
		return r < 0 ? r : 0;
	return hide(b, &b->groups_hidden, ref);
}

bool
snapshot_builder_hides_name(const struct snapshot_builder *b, const char *name, size_t len)
{
	uint32_t value;

	return hash_map_find(&b->names_hidden, key_of(b, name, len), &value) > 0;
}

bool
snapshot_builder_base_group(const struct snapshot_builder *b, uint32_t gid)
{
	struct snapshot_group group;
	uint32_t ref;

	return b->base != NULL && snapshot_locate_group(b->base, NULL, gid, &group, &ref) > 0 &&
	    !is_hidden(b, &b->groups_hidden, ref);
}

/* Whether the base shows a user of that name (or, with NULL, id): 1, 0 or -EBADMSG. */
static int
base_shows_user(const struct snapshot_builder *b, const char *name, uint32_t uid)
{
	struct snapshot_user user;
	uint32_t ref;
	int r;

	if (b->base == NULL)
		return 0;
	r = snapshot_locate_user(b->base, name, uid, &user, &ref);
	return r <= 0 ? r : !is_hidden(b, &b->users_hidden, ref);
}

static int
base_shows_group(const struct snapshot_builder *b, const char *name, uint32_t gid)
{
	struct snapshot_group group;
	uint32_t ref;
	int r;

	if (b->base == NULL)
		return 0;
	r = snapshot_locate_group(b->base, name, gid, &group, &ref);
	return r <= 0 ? r : !is_hidden(b, &b->groups_hidden, ref);
}

/* Either key is taken: -EEXIST, or -EBADMSG; else 0. */
static int
taken(int by_name, int by_id)
{
	if (by_name < 0 || by_id < 0)
		return -EBADMSG;
	return by_name > 0 || by_id > 0 ? -EEXIST : 0;
}

int
snapshot_builder_keep_members(struct snapshot_builder *b, uint32_t gid)
{
	uint32_t index;

	if (b->base == NULL)
		return -EINVAL;
	if (snapshot_builder_group(b, gid, &index) == 0)
		return -ENOENT;
	b->groups[index].keeps = true;
	return 0;
}

/* ---- records ---- */

/* Append with the NUL; there is room. */
static void
put_string(struct snapshot_builder *b, const char *string, size_t len)
{
	memcpy(b->strings + b->strings_used, string, len + 1);
	b->strings_used += len + 1;
}

static int
reserve_strings(struct snapshot_builder *b, size_t bytes)
{
	char *strings = snapshot_builder_reserve(b->strings, 1, b->strings_used, bytes, &b->strings_room);

	if (strings == NULL)
		return -ENOMEM;
	b->strings = strings;
	return 0;
}

/* Enter a record under its name and its id, both or none. Returns 0, -EEXIST or -ENOMEM. */
static int
enter(const struct snapshot_builder *b, struct hash_map *names, struct hash_map *ids, const char *name, uint32_t id,
    uint32_t index)
{
	uint64_t name_key = key_of(b, name, strlen(name)), id_key = key_of(b, &id, sizeof id);
	uint32_t other;
	int r;

	if (hash_map_find(names, name_key, &other) > 0 || hash_map_find(ids, id_key, &other) > 0)
		return -EEXIST;
	r = hash_map_add(names, name_key, index);
	return r < 0 ? r : hash_map_add(ids, id_key, index);
}

int
snapshot_builder_add_group(struct snapshot_builder *b, uint32_t gid, const char *name)
{
	size_t len = strlen(name);
	struct built_group *groups;
	int r;

	if (len > SNAPSHOT_NAME_MAX)
		return -EINVAL;
	groups = snapshot_builder_reserve(b->groups, sizeof *groups, b->group_count, 1, &b->group_room);
	if (groups == NULL)
		return -ENOMEM;
	b->groups = groups;
	r = taken(base_shows_group(b, name, 0), base_shows_group(b, NULL, gid));
	if (r == 0)
		r = reserve_strings(b, len + 1);
	if (r == 0)
		r = enter(b, &b->group_names, &b->group_ids, name, gid, (uint32_t)b->group_count);
	if (r < 0)
		return r;
	groups[b->group_count++] = (struct built_group){
		.gid = gid, .name_at = b->strings_used, .name_len = (uint8_t)len,
	};
	put_string(b, name, len);
	return 0;
}

static int
compare_gids(const void *one, const void *other)
{
	uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;

	return (a > b) - (a < b);
}

/* Keep a user's gids, ascending and each once. Returns how many, or -ENOMEM. */
static int
put_gids(struct snapshot_builder *b, const uint32_t *gids, uint32_t count)
{
	uint32_t *all, *own, kept = 0;

	if (count == 0)
		return 0;
	all = snapshot_builder_reserve(b->gids, sizeof *all, b->gids_used, count, &b->gids_room);
	if (all == NULL)
		return -ENOMEM;
	b->gids = all;
	own = all + b->gids_used;
	memcpy(own, gids, (size_t)count * sizeof *own);
	qsort(own, count, sizeof *own, compare_gids);
	for (uint32_t i = 0; i < count; i++)
		if (kept == 0 || own[i] != own[kept - 1])
			own[kept++] = own[i];
	b->gids_used += kept;
	return (int)kept;
}

int
snapshot_builder_add_user(struct snapshot_builder *b, uint32_t uid, uint32_t gid, const char *name,
    const char *gecos, const char *home, const char *shell, const uint32_t *gids, uint32_t gid_count)
{
	size_t name_len = strlen(name), gecos_len = strlen(gecos), home_len = strlen(home), shell_len = strlen(shell);
	struct built_user *users, user;
	int r;

	if (name_len > SNAPSHOT_NAME_MAX || gecos_len > UINT16_MAX || home_len > UINT16_MAX ||
	    shell_len > UINT16_MAX || gid_count > SNAPSHOT_LIST_MAX)
		return -EINVAL;
	users = snapshot_builder_reserve(b->users, sizeof *users, b->user_count, 1, &b->user_room);
	if (users == NULL)
		return -ENOMEM;
	b->users = users;
	r = taken(base_shows_user(b, name, 0), base_shows_user(b, NULL, uid));
	if (r == 0)
		r = reserve_strings(b, name_len + gecos_len + home_len + shell_len + 4);
	if (r == 0)
		r = enter(b, &b->user_names, &b->user_ids, name, uid, (uint32_t)b->user_count);
	if (r < 0)
		return r;
	user = (struct built_user){
		.uid = uid, .gid = gid, .strings_at = b->strings_used, .name_len = (uint8_t)name_len,
		.gecos_len = (uint16_t)gecos_len, .home_len = (uint16_t)home_len, .shell_len = (uint16_t)shell_len,
		.gids_at = b->gids_used,
	};
	r = put_gids(b, gids, gid_count);
	if (r < 0)
		return r;	/* no memory: the builder is of no further use */
	user.gid_count = (uint16_t)r;
	put_string(b, name, name_len);
	put_string(b, gecos, gecos_len);
	put_string(b, home, home_len);
	put_string(b, shell, shell_len);
	users[b->user_count++] = user;
	return 0;
}

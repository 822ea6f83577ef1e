/*
 * snapshot_image.c - lays out the bytes of a snapshot (format: common/snapshot_format.h).
 *
 * Publisher only. Everything is counted first, then one block is filled; what is not written stays zero,
 * so that the file holds no byte of the publisher's memory.
 */
#include <config.h>

#include "snapshot_build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/siphash.h"
#include "common/snapshot_format.h"
#include "common/together.h"

static int
compare_users(const void *one, const void *other, void *arg)
{
	const struct built_user *users = arg;
	uint32_t a = users[*(const uint32_t *)one].uid, b = users[*(const uint32_t *)other].uid;

	return (a > b) - (a < b);
}

static int
compare_groups(const void *one, const void *other, void *arg)
{
	const struct built_group *groups = arg;
	uint32_t a = groups[*(const uint32_t *)one].gid, b = groups[*(const uint32_t *)other].gid;

	return (a > b) - (a < b);
}

static int
take_room(struct snapshot_layout *l)
{
	const struct snapshot_builder *b = l->from;
	size_t users = b->user_count, groups = b->group_count;

	l->user_order = calloc(users + 1, sizeof *l->user_order);
	l->group_order = calloc(groups + 1, sizeof *l->group_order);
	l->user_refs = calloc(users + 1, sizeof *l->user_refs);
	l->group_refs = calloc(groups + 1, sizeof *l->group_refs);
	l->user_shells = calloc(users + 1, sizeof *l->user_shells);
	l->gid_groups = calloc(b->gids_used + 1, sizeof *l->gid_groups);
	l->tallies = calloc(groups + 1, sizeof *l->tallies);
	if (l->user_order == NULL || l->group_order == NULL || l->user_refs == NULL || l->group_refs == NULL ||
	    l->user_shells == NULL || l->gid_groups == NULL || l->tallies == NULL)
		return -ENOMEM;
	return 0;
}

static void
make_orders(void *arg)
{
	struct snapshot_layout *l = arg;
	const struct snapshot_builder *b = l->from;
	size_t users = b->user_count, groups = b->group_count;

	for (size_t i = 0; i < users; i++)
		l->user_order[i] = (uint32_t)i;
	for (size_t i = 0; i < groups; i++)
		l->group_order[i] = (uint32_t)i;
	qsort_r(l->user_order, users, sizeof *l->user_order, compare_users, b->users);
	qsort_r(l->group_order, groups, sizeof *l->group_order, compare_groups, b->groups);
}

/* ---- counting ---- */

/* Where a user's strings begin. */
static const char *
name_of(const struct snapshot_builder *b, const struct built_user *user)
{
	return b->strings + user->strings_at;
}

static const char *
home_of(const struct snapshot_builder *b, const struct built_user *user)
{
	return name_of(b, user) + user->name_len + user->gecos_len + 2;
}

static const char *
shell_of(const struct snapshot_builder *b, const struct built_user *user)
{
	return home_of(b, user) + user->home_len + 1;
}

/* Whether the end of a user's home says his name, which then is not written twice. */
static bool
name_in_home(const struct snapshot_builder *b, const struct built_user *user)
{
	return user->home_len >= user->name_len &&
	    memcmp(home_of(b, user) + user->home_len - user->name_len, name_of(b, user), user->name_len) == 0;
}

/* The strings of a record. */
static size_t
user_strings_size(const struct snapshot_builder *b, const struct built_user *user)
{
	return (size_t)user->gecos_len + user->home_len + 2 + (name_in_home(b, user) ? 0 : user->name_len + 1u);
}

static uint64_t
round_up(uint64_t size, uint64_t unit)
{
	return (size + unit - 1) / unit * unit;
}

/* Whether a gid of a list is written as the step from the one before. */
static bool
is_step(const uint32_t *gids, uint32_t i)
{
	return i > 0 && gids[i] - gids[i - 1] <= UINT16_MAX;
}

static uint64_t
list_size(const uint32_t *gids, uint32_t count)
{
	uint64_t size = 0;

	for (uint32_t i = 0; i < count; i++)
		size += is_step(gids, i) ? sizeof(uint16_t) : (i > 0 ? sizeof(uint16_t) : 0) + sizeof(uint32_t);
	return size;
}

static bool
is_local(const struct snapshot_header_in *in, uint32_t gid)
{
	for (uint32_t i = 0; i < in->local_gid_count; i++)
		if (in->local_gids[i] == gid)
			return true;
	return false;
}

/* Count a user into the groups of its list. A group that the base shows knows the name already. */
static int
tally_user(struct snapshot_layout *l, const struct built_user *user)
{
	const uint32_t *gids = l->from->gids + user->gids_at;
	uint32_t group;

	for (uint32_t i = 0; i < user->gid_count; i++) {
		if (snapshot_builder_group(l->from, gids[i], &group) > 0) {
			l->tallies[group].member_count++;
			l->tallies[group].names_len += user->name_len + 1u;
			l->gid_groups[user->gids_at + i] = group + 1;
		} else if (!snapshot_builder_base_group(l->from, gids[i]) && !is_local(l->in, gids[i])) {
			return -EINVAL;
		}
	}
	return 0;
}

/* Counts all users, beside what puts them in order. */
struct tallying {
	struct snapshot_layout *layout;	/* its tallies and gid_groups are written */
	int error;			/* 0 or -errno */
};

static void
tally_users(void *arg)
{
	struct tallying *t = arg;
	const struct snapshot_builder *b = t->layout->from;

	for (size_t i = 0; i < b->user_count && t->error == 0; i++)
		t->error = tally_user(t->layout, &b->users[i]);
}

static int
pool_add(struct pool *pool, const void *bytes, size_t size)
{
	uint8_t *to = snapshot_builder_reserve(pool->bytes, 1, pool->used, size, &pool->room);

	if (to == NULL)
		return -ENOMEM;
	pool->bytes = to;
	memcpy(to + pool->used, bytes, size);
	pool->used += size;
	return 0;
}

/* Take over the members of the base's group who are not hidden. */
static int
tally_kept(struct snapshot_layout *l, const struct built_group *group, struct tally *tally)
{
	struct snapshot_group before;
	const char *name;
	uint32_t ref;
	int r;

	r = group->keeps ? snapshot_locate_group(l->from->base, NULL, group->gid, &before, &ref) : 0;
	if (r <= 0)
		return r;
	name = before.member_names;
	for (uint32_t i = 0; i < before.member_count; name += before.member_lens[i++] + 1) {
		uint8_t len = before.member_lens[i];

		if (snapshot_builder_hides_name(l->from, name, len))
			continue;
		if (pool_add(&l->kept_lens, &len, 1) < 0 || pool_add(&l->kept_names, name, len + 1u) < 0)
			return -ENOMEM;
		tally->kept_count++;
		tally->kept_len += len + 1u;
	}
	tally->member_count += tally->kept_count;
	tally->names_len += tally->kept_len;
	return 0;
}

/* Write each shell once, and where it is into user_shells. */
static int
pool_shells(struct snapshot_layout *l)
{
	const struct snapshot_builder *b = l->from;
	struct hash_map known = { 0 };
	int r = 0;

	for (size_t i = 0; i < b->user_count && r == 0; i++) {
		const struct built_user *user = &b->users[i];
		const char *shell = shell_of(b, user);
		uint64_t key = siphash13(b->key, shell, user->shell_len);
		uint32_t at = (uint32_t)(l->shells.used / 4);

		if (hash_map_find(&known, key, &at) == 0) {
			const uint8_t zeros[4] = { 0 };

			if (at > UINT16_MAX)
				r = -EFBIG;
			if (r == 0)
				r = pool_add(&l->shells, &user->shell_len, sizeof user->shell_len);
			if (r == 0)
				r = pool_add(&l->shells, shell, user->shell_len + 1u);
			if (r == 0)
				r = pool_add(&l->shells, zeros, -l->shells.used % 4);
			if (r == 0)
				r = hash_map_add(&known, key, at);
		}
		l->user_shells[i] = (uint16_t)at;
	}
	hash_map_done(&known);
	return r;
}

/* The groups, after all users were counted. */
static int
measure_groups(struct snapshot_layout *l, uint64_t sizes[SECTION_COUNT])
{
	const struct snapshot_builder *b = l->from;
	int r;

	for (size_t i = 0; i < b->group_count; i++) {
		const struct built_group *group = &b->groups[l->group_order[i]];
		struct tally *tally = &l->tallies[l->group_order[i]];

		r = tally_kept(l, group, tally);
		if (r < 0)
			return r;
		sizes[SECTION_GROUPS] += round_up(SNAPSHOT_GROUP_STRINGS + group->name_len + 1u, 4);
		tally->members_at = (uint32_t)sizes[SECTION_MEMBERS];
		sizes[SECTION_MEMBERS] += (uint64_t)tally->member_count + tally->names_len;
		if (sizes[SECTION_MEMBERS] > SNAPSHOT_SIZE_MAX)
			return -EFBIG;
	}
	return 0;
}

/* The size of every section, after the users were put in order and counted. */
static int
measure(struct snapshot_layout *l, uint64_t sizes[SECTION_COUNT])
{
	const struct snapshot_builder *b = l->from;
	int r;

	memset(sizes, 0, SECTION_COUNT * sizeof sizes[0]);
	for (size_t i = 0; i < b->user_count; i++) {
		const struct built_user *user = &b->users[i];

		sizes[SECTION_USERS] += round_up(SNAPSHOT_USER_STRINGS + user_strings_size(b, user), 4);
		sizes[SECTION_LISTS] += list_size(b->gids + user->gids_at, user->gid_count);
	}
	r = measure_groups(l, sizes);
	if (r == 0)
		r = pool_shells(l);
	if (r < 0)
		return r;
	sizes[SECTION_SHELLS] = l->shells.used;
	sizes[SECTION_USER_NAMES] = sizes[SECTION_USER_IDS] = snapshot_table_size(b->user_count);
	sizes[SECTION_GROUP_NAMES] = sizes[SECTION_GROUP_IDS] = snapshot_table_size(b->group_count);
	if (b->base != NULL) {
		sizes[SECTION_HIDDEN_USERS] = snapshot_table_size(b->users_hidden.count);
		sizes[SECTION_HIDDEN_GROUPS] = snapshot_table_size(b->groups_hidden.count);
	}
	return 0;
}

/* Bits that hold every reference into a section of so many bytes. */
static uint32_t
bits_for(uint32_t size)
{
	uint32_t bits = 1;

	while (size / 4 >> bits != 0)
		bits++;
	return bits;
}

/* Give every section its place and allocate the whole. */
static int
place(struct snapshot_layout *l)
{
	uint64_t sizes[SECTION_COUNT], at = sizeof l->header;
	int r;

	r = measure(l, sizes);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < SECTION_COUNT; i++) {
		at = round_up(at, SNAPSHOT_SECTION_ALIGN);
		if (at > SNAPSHOT_SIZE_MAX || sizes[i] > SNAPSHOT_SIZE_MAX - at)
			return -EFBIG;
		l->header.section[i] = (struct snapshot_span){ (uint32_t)at, (uint32_t)sizes[i] };
		at += sizes[i];
	}
	at = round_up(at, SNAPSHOT_SECTION_ALIGN);
	if (at > SNAPSHOT_SIZE_MAX || at > SIZE_MAX)
		return -EFBIG;
	l->header.total_size = at;
	l->header.user_ref_bits = bits_for(l->header.section[SECTION_USERS].size);
	l->header.group_ref_bits = bits_for(l->header.section[SECTION_GROUPS].size);
	l->bytes = aligned_alloc(SNAPSHOT_SECTION_ALIGN, (size_t)at);
	if (l->bytes == NULL)
		return -ENOMEM;
	memset(l->bytes, 0, (size_t)at);
	return 0;
}

/* ---- filling ---- */

static uint8_t *
section(const struct snapshot_layout *l, enum snapshot_section which)
{
	return l->bytes + l->header.section[which].at;
}

/* Write a user's list; returns its bytes. */
static uint32_t
put_list(uint8_t *to, const uint32_t *gids, uint32_t count)
{
	const uint16_t no_step = 0;
	uint8_t *begin = to;

	for (uint32_t i = 0; i < count; i++) {
		if (is_step(gids, i)) {
			uint16_t step = (uint16_t)(gids[i] - gids[i - 1]);

			memcpy(to, &step, sizeof step);
			to += sizeof step;
			continue;
		}
		if (i > 0) {
			memcpy(to, &no_step, sizeof no_step);
			to += sizeof no_step;
		}
		memcpy(to, &gids[i], sizeof gids[i]);
		to += sizeof gids[i];
	}
	return (uint32_t)(to - begin);
}

/* Append a user to the members of each of its groups. */
static void
put_member(struct snapshot_layout *l, const struct built_user *user)
{
	const struct snapshot_builder *b = l->from;
	uint8_t *members = section(l, SECTION_MEMBERS);

	for (uint32_t i = 0; i < user->gid_count; i++) {
		uint32_t group = l->gid_groups[user->gids_at + i];
		struct tally *t;
		uint8_t *name;

		if (group == 0)
			continue;
		t = &l->tallies[group - 1];
		members[t->members_at + t->lens_done++] = user->name_len;
		name = members + t->members_at + t->member_count + t->names_done;
		memcpy(name, name_of(b, user), user->name_len);
		name[user->name_len] = SNAPSHOT_NAME_END;
		t->names_done += user->name_len + 1u;
	}
}

/* Before all others, the members that groups have kept. */
static void
put_kept(struct snapshot_layout *l)
{
	const uint8_t *lens = l->kept_lens.bytes, *names = l->kept_names.bytes;
	uint8_t *members = section(l, SECTION_MEMBERS);

	for (size_t i = 0; i < l->from->group_count; i++) {
		struct tally *t = &l->tallies[l->group_order[i]];

		if (t->kept_count == 0)
			continue;
		memcpy(members + t->members_at, lens, t->kept_count);
		memcpy(members + t->members_at + t->member_count, names, t->kept_len);
		t->lens_done = t->kept_count;
		t->names_done = t->kept_len;
		lens += t->kept_count;
		names += t->kept_len;
	}
}

static void
put_members(void *arg)
{
	struct snapshot_layout *l = arg;

	put_kept(l);
	for (size_t i = 0; i < l->from->user_count; i++)
		put_member(l, &l->from->users[l->user_order[i]]);
}

static void
put_users(void *arg)
{
	struct snapshot_layout *l = arg;
	const struct snapshot_builder *b = l->from;
	uint32_t at = 0, list_at = 0;

	if (l->shells.used > 0)
		memcpy(section(l, SECTION_SHELLS), l->shells.bytes, l->shells.used);
	for (size_t i = 0; i < b->user_count; i++) {
		const struct built_user *user = &b->users[l->user_order[i]];
		bool in_home = name_in_home(b, user);
		size_t size = user_strings_size(b, user);
		uint8_t *to = section(l, SECTION_USERS) + at;
		struct snapshot_user_record record = {
			.uid = user->uid, .gid = user->gid, .list_at = list_at, .list_count = user->gid_count,
			.gecos_len = user->gecos_len, .home_len = user->home_len, .name_len = user->name_len,
			.shell = l->user_shells[l->user_order[i]],
		};

		if (in_home)
			record.list_count |= SNAPSHOT_NAME_IN_HOME;
		list_at += put_list(section(l, SECTION_LISTS) + list_at, b->gids + user->gids_at, user->gid_count);
		memcpy(to, &record, SNAPSHOT_USER_STRINGS);
		memcpy(to + SNAPSHOT_USER_STRINGS, name_of(b, user) + (in_home ? user->name_len + 1u : 0), size);
		l->user_refs[i] = at / 4 + 1;
		at += (uint32_t)round_up(SNAPSHOT_USER_STRINGS + size, 4);
	}
}

static void
put_groups(struct snapshot_layout *l)
{
	const struct snapshot_builder *b = l->from;
	uint32_t at = 0;

	for (size_t i = 0; i < b->group_count; i++) {
		const struct built_group *group = &b->groups[l->group_order[i]];
		const struct tally *tally = &l->tallies[l->group_order[i]];
		uint8_t *to = section(l, SECTION_GROUPS) + at;
		struct snapshot_group_record record = {
			.gid = group->gid, .member_count = tally->member_count, .members_at = tally->members_at,
			.names_len = tally->names_len, .name_len = group->name_len,
		};

		memcpy(to, &record, SNAPSHOT_GROUP_STRINGS);
		memcpy(to + SNAPSHOT_GROUP_STRINGS, b->strings + group->name_at, group->name_len + 1u);
		l->group_refs[i] = at / 4 + 1;
		at += (uint32_t)round_up(SNAPSHOT_GROUP_STRINGS + group->name_len + 1u, 4);
	}
}

/* What only a delta's header has. Lists of the base may have its local gids, and readers ask the newest header. */
static int
put_delta_header(const struct snapshot_layout *l, struct snapshot_header *h)
{
	const struct snapshot_header *base = (const void *)l->from->base;

	if (base == NULL)
		return 0;
	for (uint32_t i = 0; i < base->local_gid_count; i++)
		if (!is_local(l->in, base->local_gids[i]))
			return -EINVAL;
	h->base_generation = base->generation;
	h->base_seed = base->seed[0];
	h->hidden_user_count = (uint32_t)l->from->users_hidden.count;
	h->hidden_group_count = (uint32_t)l->from->groups_hidden.count;
	return 0;
}

static int
put_header(struct snapshot_layout *l)
{
	const struct snapshot_header_in *in = l->in;
	struct snapshot_header *h = &l->header;
	int r;

	memcpy(h->magic, SNAPSHOT_MAGIC, sizeof h->magic);
	h->version = SNAPSHOT_VERSION;
	h->byte_order = SNAPSHOT_BYTE_ORDER;
	h->flags = in->enumerate ? SNAPSHOT_ENUMERABLE : 0;
	h->generation = in->generation;
	h->created_utc_sec = in->created_utc_sec;
	h->valid_until_utc_sec = in->valid_until_utc_sec;
	h->user_count = (uint32_t)l->from->user_count;
	h->group_count = (uint32_t)l->from->group_count;
	h->local_gid_count = in->local_gid_count;
	if (in->local_gid_count > SNAPSHOT_LOCAL_GIDS_MAX)
		return -EINVAL;
	for (uint32_t i = 0; i < in->local_gid_count; i++)
		h->local_gids[i] = in->local_gids[i];
	if (in->contact != NULL) {
		if (strlen(in->contact) > SNAPSHOT_CONTACT_MAX)
			return -EINVAL;
		memcpy(h->contact, in->contact, strlen(in->contact));
	}
	r = put_delta_header(l, h);
	if (r < 0)
		return r;
	h->header_crc = snapshot_header_checksum(h);
	memcpy(l->bytes, h, sizeof *h);
	return 0;
}

int
snapshot_image_make(const struct snapshot_builder *b, const struct snapshot_header_in *header,
    struct snapshot_image *ret)
{
	struct snapshot_layout l = { .from = b, .in = header };
	struct tallying tallying = { .layout = &l };
	int r;

	r = take_room(&l);
	if (r < 0)
		goto out;
	together(b->user_count, tally_users, &tallying, make_orders, &l);
	r = tallying.error;
	if (r == 0)
		r = place(&l);
	if (r < 0)
		goto out;
	together(b->user_count, put_users, &l, put_members, &l);
	put_groups(&l);
	r = snapshot_tables_fill(&l);
	if (r == 0)
		r = put_header(&l);
	if (r < 0)
		goto out;
	*ret = (struct snapshot_image){ .bytes = l.bytes, .size = (size_t)l.header.total_size };
	l.bytes = NULL;		/* now owned by *ret */
out:
	free(l.bytes);
	free(l.shells.bytes);
	free(l.kept_names.bytes);
	free(l.kept_lens.bytes);
	free(l.tallies);
	free(l.gid_groups);
	free(l.user_shells);
	free(l.group_refs);
	free(l.user_refs);
	free(l.group_order);
	free(l.user_order);
	return r;
}

void
snapshot_image_done(struct snapshot_image *image)
{
	free(image->bytes);
	*image = (struct snapshot_image){ 0 };
}

/*
 * snapshot_image.c - lays out the bytes of a snapshot (format: common/snapshot_format.h).
 *
 * Publisher only. Everything is counted first, then one block is filled; what is not written stays zero,
 * so that the file holds no byte of the publisher's memory.
 */
#include <config.h>

#include "snapshot_build.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/snapshot_format.h"

/* Tables are filled to four sevenths: two slots are looked at for a hit, three for a miss. */
#define STARTS(records)		((uint64_t)(records) * 7 / 4 + 16)
#define SEEDS_MAX		8

struct layout {
	const struct snapshot_builder *from;
	const struct snapshot_header_in *in;
	uint32_t *user_order, *group_order;	/* owned; indexes by ascending id */
	uint32_t *user_refs, *group_refs;	/* owned; in that order */
	struct tally {
		uint32_t members_at, member_count, members_len;
		uint32_t lens_done, names_done;
	} *tallies;				/* owned; by group index */
	struct snapshot_header header;
	uint8_t *bytes;				/* owned */
};

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
make_orders(struct layout *l)
{
	const struct snapshot_builder *b = l->from;
	size_t users = b->user_count, groups = b->group_count;

	l->user_order = calloc(users + 1, sizeof *l->user_order);
	l->group_order = calloc(groups + 1, sizeof *l->group_order);
	l->user_refs = calloc(users + 1, sizeof *l->user_refs);
	l->group_refs = calloc(groups + 1, sizeof *l->group_refs);
	l->tallies = calloc(groups + 1, sizeof *l->tallies);
	if (l->user_order == NULL || l->group_order == NULL || l->user_refs == NULL || l->group_refs == NULL ||
	    l->tallies == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < users; i++)
		l->user_order[i] = (uint32_t)i;
	for (size_t i = 0; i < groups; i++)
		l->group_order[i] = (uint32_t)i;
	qsort_r(l->user_order, users, sizeof *l->user_order, compare_users, b->users);
	qsort_r(l->group_order, groups, sizeof *l->group_order, compare_groups, b->groups);
	return 0;
}

/* ---- counting ---- */

static size_t
user_strings_size(const struct built_user *user)
{
	return (size_t)user->name_len + user->gecos_len + user->home_len + user->shell_len + 4;
}

static uint64_t
round_up(uint64_t size, uint64_t unit)
{
	return (size + unit - 1) / unit * unit;
}

static bool
list_is_wide(const uint32_t *gids, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++)
		if (gids[i] - gids[i - 1] > UINT16_MAX)
			return true;
	return false;
}

static uint64_t
list_size(const uint32_t *gids, uint32_t count)
{
	if (count == 0)
		return 0;
	return list_is_wide(gids, count) ? (uint64_t)count * 4 : 4 + (uint64_t)(count - 1) * 2;
}

static bool
is_local(const struct snapshot_header_in *in, uint32_t gid)
{
	for (uint32_t i = 0; i < in->local_gid_count; i++)
		if (in->local_gids[i] == gid)
			return true;
	return false;
}

/* Count a user into the groups of its list. */
static int
tally_user(struct layout *l, const struct built_user *user)
{
	const uint32_t *gids = l->from->gids + user->gids_at;
	uint32_t group;

	for (uint32_t i = 0; i < user->gid_count; i++) {
		if (snapshot_builder_group(l->from, gids[i], &group) > 0) {
			l->tallies[group].member_count++;
			l->tallies[group].members_len += user->name_len + 1u;
		} else if (!is_local(l->in, gids[i])) {
			return -EINVAL;
		}
	}
	return 0;
}

/* The size of every section. */
static int
measure(struct layout *l, uint64_t sizes[SECTION_COUNT])
{
	const struct snapshot_builder *b = l->from;
	uint64_t members = 0;
	int r;

	memset(sizes, 0, SECTION_COUNT * sizeof sizes[0]);
	for (size_t i = 0; i < b->user_count; i++) {
		const struct built_user *user = &b->users[i];

		sizes[SECTION_USERS] += round_up(SNAPSHOT_USER_STRINGS + user_strings_size(user), 4);
		sizes[SECTION_LISTS] += list_size(b->gids + user->gids_at, user->gid_count);
		r = tally_user(l, user);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < b->group_count; i++) {
		struct tally *tally = &l->tallies[l->group_order[i]];

		sizes[SECTION_GROUPS] += round_up(
		    SNAPSHOT_GROUP_STRINGS + b->groups[l->group_order[i]].name_len + 1u, 4);
		tally->members_at = (uint32_t)members;
		members += tally->member_count + tally->members_len;
		if (members > SNAPSHOT_SIZE_MAX)
			return -EFBIG;
	}
	sizes[SECTION_MEMBERS] = members;
	sizes[SECTION_USER_NAMES] = (STARTS(b->user_count) + SNAPSHOT_PROBE_MAX) * sizeof(uint32_t);
	sizes[SECTION_USER_IDS] = sizes[SECTION_USER_NAMES];
	sizes[SECTION_GROUP_NAMES] = (STARTS(b->group_count) + SNAPSHOT_PROBE_MAX) * sizeof(uint32_t);
	sizes[SECTION_GROUP_IDS] = sizes[SECTION_GROUP_NAMES];
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
place(struct layout *l)
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
section(const struct layout *l, enum snapshot_section which)
{
	return l->bytes + l->header.section[which].at;
}

/* Write a user's list; returns its bytes. */
static uint32_t
put_list(uint8_t *to, const uint32_t *gids, uint32_t count)
{
	if (count == 0)
		return 0;
	if (list_is_wide(gids, count)) {
		memcpy(to, gids, (size_t)count * sizeof *gids);
		return count * (uint32_t)sizeof *gids;
	}
	memcpy(to, gids, sizeof *gids);
	for (uint32_t i = 1; i < count; i++) {
		uint16_t step = (uint16_t)(gids[i] - gids[i - 1]);

		memcpy(to + 4 + (size_t)(i - 1) * 2, &step, sizeof step);
	}
	return 4 + (count - 1) * 2;
}

/* Append a user to the members of each of its groups. */
static void
put_memberships(struct layout *l, const struct built_user *user)
{
	const struct snapshot_builder *b = l->from;
	const char *name = b->strings + user->strings_at;
	uint8_t *members = section(l, SECTION_MEMBERS);
	uint32_t group;

	for (uint32_t i = 0; i < user->gid_count; i++) {
		struct tally *t;

		if (snapshot_builder_group(b, b->gids[user->gids_at + i], &group) == 0)
			continue;
		t = &l->tallies[group];
		members[t->members_at + t->lens_done++] = user->name_len;
		memcpy(members + t->members_at + t->member_count + t->names_done, name, user->name_len + 1u);
		t->names_done += user->name_len + 1u;
	}
}

static void
put_users(struct layout *l)
{
	const struct snapshot_builder *b = l->from;
	uint32_t at = 0, list_at = 0;

	for (size_t i = 0; i < b->user_count; i++) {
		const struct built_user *user = &b->users[l->user_order[i]];
		const uint32_t *gids = b->gids + user->gids_at;
		uint8_t *to = section(l, SECTION_USERS) + at;
		struct snapshot_user_record record = {
			.uid = user->uid, .gid = user->gid, .list_at = list_at, .list_count = user->gid_count,
			.gecos_len = user->gecos_len, .home_len = user->home_len, .shell_len = user->shell_len,
			.name_len = user->name_len,
		};

		if (list_is_wide(gids, user->gid_count))
			record.list_count |= SNAPSHOT_WIDE_LIST;
		list_at += put_list(section(l, SECTION_LISTS) + list_at, gids, user->gid_count);
		memcpy(to, &record, SNAPSHOT_USER_STRINGS);
		memcpy(to + SNAPSHOT_USER_STRINGS, b->strings + user->strings_at, user_strings_size(user));
		l->user_refs[i] = at / 4 + 1;
		at += (uint32_t)round_up(SNAPSHOT_USER_STRINGS + user_strings_size(user), 4);
		put_memberships(l, user);
	}
}

static void
put_groups(struct layout *l)
{
	const struct snapshot_builder *b = l->from;
	uint32_t at = 0;

	for (size_t i = 0; i < b->group_count; i++) {
		const struct built_group *group = &b->groups[l->group_order[i]];
		const struct tally *tally = &l->tallies[l->group_order[i]];
		uint8_t *to = section(l, SECTION_GROUPS) + at;
		struct snapshot_group_record record = {
			.gid = group->gid, .member_count = tally->member_count, .members_at = tally->members_at,
			.members_len = tally->members_len, .name_len = group->name_len,
		};

		memcpy(to, &record, SNAPSHOT_GROUP_STRINGS);
		memcpy(to + SNAPSHOT_GROUP_STRINGS, b->strings + group->name_at, group->name_len + 1u);
		l->group_refs[i] = at / 4 + 1;
		at += (uint32_t)round_up(SNAPSHOT_GROUP_STRINGS + group->name_len + 1u, 4);
	}
}

/* Enter a reference; false when its run would be too long for a reader. */
static bool
put_slot(const struct layout *l, enum snapshot_section table, uint32_t ref_bits, uint64_t hash, uint32_t ref)
{
	uint32_t *slots = (void *)section(l, table);
	uint32_t starts = (uint32_t)(l->header.section[table].size / sizeof *slots) - SNAPSHOT_PROBE_MAX;
	uint32_t at = snapshot_slot_start(hash, starts), end = at + SNAPSHOT_PROBE_MAX - 1;
	uint32_t mask = (uint32_t)(((uint64_t)1 << ref_bits) - 1);

	while (at < end && slots[at] != 0)
		at++;
	if (at == end)
		return false;
	slots[at] = ((uint32_t)hash & ~mask) | ref;
	return true;
}

/* Whether every run of used slots ends where a reader still looks. */
static bool
runs_short(const struct layout *l, enum snapshot_section table)
{
	const uint32_t *slots = (const void *)section(l, table);
	uint32_t run = 0;

	for (size_t i = 0; i < l->header.section[table].size / sizeof *slots; i++) {
		run = slots[i] != 0 ? run + 1 : 0;
		if (run >= SNAPSHOT_PROBE_MAX)
			return false;
	}
	return true;
}

/* Fill the four tables under the header's seed; false when it gives too long a run. */
static bool
put_tables(const struct layout *l)
{
	const struct snapshot_builder *b = l->from;
	const struct snapshot_header *h = &l->header;

	for (unsigned i = SECTION_USER_NAMES; i < SECTION_COUNT; i++)
		memset(section(l, i), 0, h->section[i].size);
	for (size_t i = 0; i < b->user_count; i++) {
		const struct built_user *user = &b->users[l->user_order[i]];
		uint64_t hash = snapshot_hash_name(h, b->strings + user->strings_at, user->name_len);

		if (!put_slot(l, SECTION_USER_NAMES, h->user_ref_bits, hash, l->user_refs[i]) ||
		    !put_slot(l, SECTION_USER_IDS, h->user_ref_bits, snapshot_hash_id(h, user->uid), l->user_refs[i]))
			return false;
	}
	for (size_t i = 0; i < b->group_count; i++) {
		const struct built_group *group = &b->groups[l->group_order[i]];
		uint64_t hash = snapshot_hash_name(h, b->strings + group->name_at, group->name_len);

		if (!put_slot(l, SECTION_GROUP_NAMES, h->group_ref_bits, hash, l->group_refs[i]) ||
		    !put_slot(l, SECTION_GROUP_IDS, h->group_ref_bits, snapshot_hash_id(h, group->gid), l->group_refs[i]))
			return false;
	}
	for (unsigned i = SECTION_USER_NAMES; i < SECTION_COUNT; i++)
		if (!runs_short(l, i))
			return false;
	return true;
}

static int
seed_tables(struct layout *l)
{
	for (unsigned i = 0; i < SEEDS_MAX; i++) {
		if (getrandom(l->header.seed, sizeof l->header.seed, 0) != (ssize_t)sizeof l->header.seed)
			return -EIO;
		for (size_t k = 0; k < sizeof l->header.seed / sizeof l->header.seed[0]; k++)
			l->header.seed[k] |= 1;
		if (put_tables(l))
			return 0;
	}
	return -EOVERFLOW;
}

static int
put_header(struct layout *l)
{
	const struct snapshot_header_in *in = l->in;
	struct snapshot_header *h = &l->header;

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
	h->header_crc = snapshot_header_checksum(h);
	memcpy(l->bytes, h, sizeof *h);
	return 0;
}

int
snapshot_image_make(const struct snapshot_builder *b, const struct snapshot_header_in *header,
    struct snapshot_image *ret)
{
	struct layout l = { .from = b, .in = header };
	int r;

	r = make_orders(&l);
	if (r == 0)
		r = place(&l);
	if (r < 0)
		goto out;
	put_users(&l);
	put_groups(&l);
	r = seed_tables(&l);
	if (r == 0)
		r = put_header(&l);
	if (r < 0)
		goto out;
	*ret = (struct snapshot_image){ .bytes = l.bytes, .size = (size_t)l.header.total_size };
	l.bytes = NULL;		/* now owned by *ret */
out:
	free(l.bytes);
	free(l.tallies);
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

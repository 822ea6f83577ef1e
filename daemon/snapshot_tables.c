/*
 * snapshot_tables.c - the hash tables of a snapshot in the making (format: common/snapshot_format.h).
 *
 * Publisher only. Seeds are new in every file; a seed under which a run gets longer than readers look is not taken.
 */
#include <config.h>

#include "snapshot_build.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "common/together.h"

#define STARTS(records)		((uint64_t)(records) * 7 / 4 + 16)
#define SEEDS_MAX		8

uint64_t
snapshot_table_size(size_t records)
{
	return (STARTS(records) + SNAPSHOT_PROBE_MAX) * sizeof(uint32_t);
}

static uint8_t *
section(const struct snapshot_layout *l, enum snapshot_section which)
{
	return l->bytes + l->header.section[which].at;
}

/* Enter a reference; false when its run would be too long for a reader. */
static bool
put_slot(const struct snapshot_layout *l, enum snapshot_section table, uint32_t ref_bits, uint64_t hash, uint32_t ref)
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
runs_short(const struct snapshot_layout *l, enum snapshot_section table)
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

/* The tables of one kind of key, which two threads fill at once. */
struct filling {
	const struct snapshot_layout *layout;
	bool ok;			/* false: a run is too long */
};

static void
put_names(void *arg)
{
	struct filling *f = arg;
	const struct snapshot_layout *l = f->layout;
	const struct snapshot_builder *b = l->from;
	const struct snapshot_header *h = &l->header;

	f->ok = true;
	for (size_t i = 0; i < b->user_count && f->ok; i++) {
		const struct built_user *user = &b->users[l->user_order[i]];

		f->ok = put_slot(l, SECTION_USER_NAMES, h->user_ref_bits,
		    snapshot_hash_name(h, b->strings + user->strings_at, user->name_len), l->user_refs[i]);
	}
	for (size_t i = 0; i < b->group_count && f->ok; i++) {
		const struct built_group *group = &b->groups[l->group_order[i]];

		f->ok = put_slot(l, SECTION_GROUP_NAMES, h->group_ref_bits,
		    snapshot_hash_name(h, b->strings + group->name_at, group->name_len), l->group_refs[i]);
	}
}

/* Slots of a hidden table are whole references. */
static bool
put_hidden(const struct snapshot_layout *l, enum snapshot_section table, const struct hidden *hidden)
{
	for (size_t i = 0; i < hidden->count; i++)
		if (!put_slot(l, table, 32, snapshot_hash_id(&l->header, hidden->refs[i]), hidden->refs[i]))
			return false;
	return true;
}

static void
put_ids(void *arg)
{
	struct filling *f = arg;
	const struct snapshot_layout *l = f->layout;
	const struct snapshot_builder *b = l->from;
	const struct snapshot_header *h = &l->header;

	f->ok = put_hidden(l, SECTION_HIDDEN_USERS, &b->users_hidden) && put_hidden(l, SECTION_HIDDEN_GROUPS, &b->groups_hidden);
	for (size_t i = 0; i < b->user_count && f->ok; i++)
		f->ok = put_slot(l, SECTION_USER_IDS, h->user_ref_bits,
		    snapshot_hash_id(h, b->users[l->user_order[i]].uid), l->user_refs[i]);
	for (size_t i = 0; i < b->group_count && f->ok; i++)
		f->ok = put_slot(l, SECTION_GROUP_IDS, h->group_ref_bits,
		    snapshot_hash_id(h, b->groups[l->group_order[i]].gid), l->group_refs[i]);
}

/* Fill all tables under the header's seed; false when it gives too long a run. */
static bool
put_tables(const struct snapshot_layout *l)
{
	const struct snapshot_header *h = &l->header;
	struct filling names = { .layout = l }, ids = names;
	uint32_t records;

	for (unsigned i = 0; i < SECTION_COUNT; i++)
		if (snapshot_table_records(h, i, &records))
			memset(section(l, i), 0, h->section[i].size);
	together(l->from->user_count, put_names, &names, put_ids, &ids);
	if (!names.ok || !ids.ok)
		return false;
	for (unsigned i = 0; i < SECTION_COUNT; i++)
		if (snapshot_table_records(h, i, &records) && !runs_short(l, i))
			return false;
	return true;
}

int
snapshot_tables_fill(struct snapshot_layout *l)
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

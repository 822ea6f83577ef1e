/*
 * fuzz_snapshot_ask.c - see fuzz_snapshot.h. Test programs only.
 */
#include <config.h>

#include "tests/fuzz/fuzz_snapshot.h"

#include <stdlib.h>
#include <string.h>

enum { ENOUGH = 64 };

static void
must(bool condition)
{
	if (!condition)
		abort();
}

/* Exactly as large as asked for, so that the sanitizer sees an element too many. */
static void *
room_for(size_t count, size_t size)
{
	void *room = calloc(count == 0 ? 1 : count, count == 0 ? 1 : size);

	must(room != NULL);
	return room;
}

/* All at once, which goes in large steps, and some at a time, which does not: the same answer. */
static void
ask_list(const struct snapshot *s, const struct snapshot_user *user)
{
	uint32_t *all = room_for(user->group_count, sizeof *all), few[3], last = 0, done = 0;
	int r = snapshot_user_gids(s, user, all), n;
	struct snapshot_gids gids;

	n = snapshot_gids_begin(s, user, &gids);
	while (n > 0 && (n = snapshot_gids_next(s, &gids, few, 3)) > 0)
		for (int i = 0; i < n; i++) {
			must(few[i] > last && (snapshot_id_allowed(few[i]) || snapshot_local_gid(s, few[i])));
			must(r < 0 || few[i] == all[done]);
			last = few[i];
			done++;
		}
	must((n < 0) == (r < 0) && (r < 0 || done == user->group_count));
	free(all);
}

static void
ask_members(const struct snapshot_group *group)
{
	char *names = room_for((size_t)group->members_len, 1), **members = room_for(group->member_count, sizeof *members);
	size_t at = 0, len;

	if (snapshot_group_members(group, names, members) > 0)
		for (uint32_t i = 0; i < group->member_count; i++, at += len + 1) {
			len = group->member_lens[i];
			must(len > 0 && len <= 32 && members[i] == names + at && strlen(members[i]) == len);
			must(memcmp(members[i], group->member_names + at, len) == 0);
			must(strspn(members[i], "abcdefghijklmnopqrstuvwxyz0123456789_.-") == len);
		}
	free(members);
	free(names);
}

static void
judge_user(const struct snapshot *s, const struct snapshot_user *user)
{
	must(snapshot_id_allowed(user->uid) && snapshot_id_allowed(user->gid));
	must(snapshot_name_allowed(user->name, user->name_len) && strlen(user->name) == user->name_len);
	must(strlen(user->gecos) + strlen(user->home) + strlen(user->shell) <= s->size + s->delta_size);
	ask_list(s, user);
}

static void
judge_group(const struct snapshot_group *group)
{
	must(snapshot_id_allowed(group->gid) && snapshot_name_allowed(group->name, group->name_len));
	ask_members(group);
}

void
fuzz_snapshot_ask_for(const struct snapshot *s, const char *name, uint32_t id)
{
	struct snapshot_group group;
	struct snapshot_user user;

	if (snapshot_find_user(s, name, &user) > 0) {
		judge_user(s, &user);
		must(strcmp(user.name, name) == 0);
	}
	if (snapshot_find_group(s, name, &group) > 0) {
		judge_group(&group);
		must(strcmp(group.name, name) == 0);
	}
	if (snapshot_find_uid(s, id, &user) > 0) {
		judge_user(s, &user);
		must(user.uid == id);
	}
	if (snapshot_find_gid(s, id, &group) > 0) {
		judge_group(&group);
		must(group.gid == id);
	}
}

void
fuzz_snapshot_ask(const struct snapshot *s)
{
	static const struct { const char *name; uint32_t id; } keys[] = {
		{ "u0", 0 }, { "u1", 1000 }, { "ada", 90000 }, { "everybody", 100000 }, { "a-very-long-user-name", 100001 },
		{ "", UINT32_MAX }, { "Root", 27 }, { "x.y", 65535 },
	};
	struct snapshot_group group;
	struct snapshot_user user;
	uint64_t at = 0;

	for (unsigned i = 0; i < ENOUGH && snapshot_next_user(s, &at, &user) > 0; i++) {
		judge_user(s, &user);
		fuzz_snapshot_ask_for(s, user.name, user.uid);
	}
	at = 0;
	for (unsigned i = 0; i < ENOUGH && snapshot_next_group(s, &at, &group) > 0; i++) {
		judge_group(&group);
		fuzz_snapshot_ask_for(s, group.name, group.gid);
	}
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		fuzz_snapshot_ask_for(s, keys[i].name, keys[i].id);
	must(memchr(snapshot_contact(s), '\0', SNAPSHOT_CONTACT_MAX + 1) != NULL && !snapshot_local_gid(s, 0));
	(void)(snapshot_generation(s) + snapshot_user_count(s) + snapshot_group_count(s) + snapshot_enumerable(s));
	(void)(snapshot_created_utc_sec(s) + snapshot_valid_until_utc_sec(s));
}

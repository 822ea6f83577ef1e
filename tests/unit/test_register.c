/*
 * test_register.c - the publisher's register: edited and judged step by step, it is what judging everything says.
 *
 * Random records of few names, numbers and homes, so that they collide all the time; the verdicts are compared with
 * those of a register made anew, and with the rules written down once more in the plainest way.
 */
#include <config.h>

#include "daemon/register.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/publisher_judge.h"
#include "daemon/snapshot_write.h"
#include "tests/unit/suite.h"

#define USERS	14u	/* keys that there may be at a time */
#define GROUPS	6u

static char folder[64];
static struct settings settings;
static struct local_accounts local;
static struct snapshot published;
static uint64_t generation;

/* What the directory said last, by key; name == NULL: nothing. */
static struct { const char *name, *home; uint32_t uid; } users[USERS];
static struct { const char *name; uint32_t gid; } groups[GROUPS];

static const char *const names[] = { "ada", "bob", "eve", "joe", "isms", "Bad" };
static const char *const homes[] = { "/home/a", "/home/a/", "/home/a/b", "/home/a/b/c", "/home/c", "/root", "/home/a/b/" };

static uint32_t
pick(uint32_t count)
{
	return (uint32_t)random() % count;
}

static void
begin(void)
{
	(void)snprintf(folder, sizeof folder, "%s/isms-register-XXXXXX", suite_folder());
	ck_assert_ptr_nonnull(mkdtemp(folder));
	settings_defaults(&settings);
	published = (struct snapshot){ 0 };
	memset(users, 0, sizeof users);
	memset(groups, 0, sizeof groups);
}

static void
end(void)
{
	char command[128];

	snapshot_close(&published);
	(void)snprintf(command, sizeof command, "rm -r %s", folder);
	ck_assert_int_eq(system(command), 0);
}

/* ---- rosters ---- */

static void
put_user(struct roster_writer *w, uint32_t key)
{
	const struct roster_user u = { .key = key, .uid = users[key].uid, .gid = 2000, .name = users[key].name, .gecos = "",
		.home = users[key].home, .shell = "/bin/sh", .contact = "" };

	ck_assert_int_eq(roster_add_user(w, &u), 0);
}

static void
put_group(struct roster_writer *w, uint32_t key)
{
	const struct roster_group g = { .key = key, .gid = groups[key].gid, .name = groups[key].name };

	ck_assert_int_eq(roster_add_group(w, &g), 0);
}

static struct roster *
read_back(struct roster_writer *w)
{
	struct roster *r;
	int fd;

	ck_assert_int_eq(roster_seal(w, &fd), 0);
	roster_writer_free(w);
	ck_assert_int_eq(roster_open(fd, &r), 0);
	(void)close(fd);
	return r;
}

static struct roster *
make_whole(void)
{
	struct roster_writer *w = roster_writer_new(ROSTER_WHOLE);

	for (uint32_t i = 0; i < GROUPS; i++)
		if (groups[i].name != NULL)
			put_group(w, i);
	for (uint32_t i = 0; i < USERS; i++)
		if (users[i].name != NULL)
			put_user(w, i);
	return read_back(w);
}

static void
change_user(struct roster_writer *w, uint32_t key)
{
	if (users[key].name != NULL && pick(3) == 0) {
		users[key].name = NULL;
		ck_assert_int_eq(roster_drop_user(w, key), 0);
		return;
	}
	if (users[key].name == NULL || pick(2) == 0)
		users[key].name = names[pick(ROWS(names))];
	if (users[key].home == NULL || pick(2) == 0)
		users[key].home = homes[pick(ROWS(homes))];
	if (users[key].uid == 0 || pick(2) == 0)
		users[key].uid = pick(8) == 0 ? 999 : 2000 + pick(6);
	put_user(w, key);
}

static void
change_group(struct roster_writer *w, uint32_t key)
{
	if (groups[key].name != NULL && pick(3) == 0) {
		groups[key].name = NULL;
		ck_assert_int_eq(roster_drop_group(w, key), 0);
		return;
	}
	groups[key].name = names[pick(ROWS(names))];
	groups[key].gid = 3000 + pick(4);
	put_group(w, key);
}

static struct roster *
make_change(void)
{
	struct roster_writer *w = roster_writer_new(ROSTER_CHANGE);
	uint32_t few = 1 + pick(4);

	for (uint32_t i = 0; i < GROUPS; i++)
		if (pick(GROUPS) < few - 1)
			change_group(w, i);
	for (uint32_t i = 0; i < USERS; i++)
		if (pick(USERS) < few)
			change_user(w, i);
	return read_back(w);
}

/* ---- the rules once more ---- */

static bool
holder(const char *name, uint32_t id)
{
	struct snapshot_user u;

	return published.base != NULL && snapshot_find_user(&published, name, &u) == 1 && u.uid == id;
}

static bool
holds(uint32_t i)
{
	struct snapshot_user u;

	return holder(users[i].name, users[i].uid) && snapshot_find_user(&published, users[i].name, &u) == 1 &&
	    strcmp(u.home, users[i].home) == 0;
}

static bool
lies_in(const char *home, const char *outer)
{
	size_t n = strlen(outer) - (outer[strlen(outer) - 1] == '/');

	return strncmp(home, outer, n) == 0 && home[n] == '/' && home[n + 1] != '\0';
}

/* Against whoever has the same name, or the same uid. */
static enum refusal
equals(uint32_t i, const enum refusal alone[USERS], bool by_name)
{
	unsigned count = 0, holders = 0;

	for (uint32_t k = 0; k < USERS; k++) {
		if (users[k].name == NULL || alone[k] != REFUSAL_NONE ||
		    (by_name ? strcmp(users[k].name, users[i].name) != 0 : users[k].uid != users[i].uid))
			continue;
		count++;
		holders += holder(users[k].name, users[k].uid);
	}
	if (count < 2 || (holders == 1 && holder(users[i].name, users[i].uid)))
		return REFUSAL_NONE;
	return by_name ? REFUSAL_NAME_TWICE : REFUSAL_ID_TWICE;
}

static enum refusal
nested(uint32_t i, const enum refusal so_far[USERS])
{
	bool in_held = false, in_new = false, has_held = false;

	for (uint32_t k = 0; k < USERS; k++) {
		if (users[k].name == NULL || so_far[k] != REFUSAL_NONE)
			continue;
		in_held |= lies_in(users[i].home, users[k].home) && holds(k);
		in_new |= lies_in(users[i].home, users[k].home) && !holds(k);
		has_held |= lies_in(users[k].home, users[i].home) && holds(k);
	}
	return in_held || (in_new && !holds(i)) || (has_held && !holds(i)) ? REFUSAL_NESTED_HOME : REFUSAL_NONE;
}

static void
judge_plainly(enum refusal ret[USERS])
{
	enum refusal alone[USERS], so_far[USERS];

	for (uint32_t i = 0; i < USERS; i++) {
		const struct roster_user u = { .uid = users[i].uid, .gid = 2000, .name = users[i].name, .home = users[i].home };

		alone[i] = users[i].name != NULL ? publisher_check_user(&u, &settings, &local) : REFUSAL_NONE;
	}
	for (uint32_t i = 0; i < USERS; i++) {
		so_far[i] = alone[i];
		if (users[i].name != NULL && so_far[i] == REFUSAL_NONE)
			so_far[i] = equals(i, alone, true);
		if (users[i].name != NULL && so_far[i] == REFUSAL_NONE)
			so_far[i] = equals(i, alone, false);
	}
	for (uint32_t i = 0; i < USERS; i++)
		ret[i] = users[i].name != NULL && so_far[i] == REFUSAL_NONE ? nested(i, so_far) : so_far[i];
}

/* ---- one step ---- */

static void
same_verdicts(const struct register_book *b, const struct register_book *anew)
{
	enum refusal plainly[USERS];

	judge_plainly(plainly);
	for (enum register_kind kind = 0; kind < REGISTER_KINDS; kind++) {
		ck_assert_uint_eq(b->tables[kind].count, anew->tables[kind].count);
		ck_assert_uint_eq(b->tables[kind].accepted, anew->tables[kind].accepted);
		for (uint32_t key = 0; key < (kind == REGISTER_USERS ? USERS : GROUPS); key++) {
			const struct record *r = register_at(b, kind, register_find_key(b, kind, key));
			const struct record *other = register_at(anew, kind, register_find_key(anew, kind, key));

			ck_assert_int_eq(r == NULL, other == NULL);
			if (r == NULL)
				continue;
			ck_assert_msg(r->why == other->why, "%s %u: %u, anew %u", record_name(r, kind), r->id, r->why, other->why);
			ck_assert_int_eq(r->why == REFUSAL_NONE, (r->bits & RECORD_ACCEPTED) != 0);
			ck_assert_int_eq(r->bits & ~(RECORD_CANDIDATE | RECORD_ACCEPTED | RECORD_HOLDS), 0);
			if (kind == REGISTER_USERS)
				ck_assert_msg(r->why == plainly[key], "%s %u: %u, plainly %u", record_name(r, kind), r->id, r->why,
				    plainly[key]);
			if (r->why == REFUSAL_NONE && kind == REGISTER_USERS) {
				ck_assert_ptr_eq(register_user_by_uid(b, r->id), record_user(r));
				ck_assert_ptr_eq(register_user_by_name(b, record_name(r, kind)), record_user(r));
			} else if (r->why == REFUSAL_NONE) {
				ck_assert_ptr_eq(&register_group_by_gid(b, r->id)->r, r);
				ck_assert(id_set_has(&b->gids, r->id));
			}
		}
	}
	ck_assert_uint_eq(b->gids.count, b->tables[REGISTER_GROUPS].accepted);
}

/* Edit and judge; the caller may settle. */
static void
apply(struct register_book *b, struct roster *roster, bool settled, struct judging *j, struct register_edit *edit)
{
	const struct judge_in in = { .settings = &settings, .local = &local, .settled = settled,
		.previous = published.base != NULL ? &published : NULL };

	ck_assert_int_eq(register_edit_prepare(b, roster, edit), 0);
	roster_free(roster);
	ck_assert_int_eq(publisher_judge_prepare(b, edit, &in, j), 0);
	publisher_judge_run(j);
}

static void
publish(const struct register_book *b)
{
	const struct snapshot_header_in header = { .generation = ++generation, .created_utc_sec = 1, .valid_until_utc_sec = 2,
		.contact = "" };
	struct snapshot_builder *to = snapshot_builder_new();
	char path[128];

	for (uint32_t i = 0; i < b->tables[REGISTER_GROUPS].end; i++) {
		const struct record *r = register_at(b, REGISTER_GROUPS, i);

		if (r != NULL && r->why == REFUSAL_NONE)
			ck_assert_int_eq(snapshot_builder_add_group(to, r->id, record_name(r, REGISTER_GROUPS)), 0);
	}
	for (uint32_t i = 0; i < b->tables[REGISTER_USERS].end; i++) {
		const struct record *r = register_at(b, REGISTER_USERS, i);

		if (r != NULL && r->why == REFUSAL_NONE)
			ck_assert_int_eq(snapshot_builder_add_user(to, r->id, 2000, record_name(r, REGISTER_USERS), "",
			    user_record_home(record_user(r)), "/bin/sh", NULL, 0), 0);
	}
	ck_assert_int_eq(snapshot_builder_publish(to, folder, &header), 0);
	snapshot_builder_free(to);
	snapshot_close(&published);
	(void)snprintf(path, sizeof path, "%s/%s", folder, SNAPSHOT_BASE_NAME);
	ck_assert_int_eq(snapshot_open(path, geteuid(), &published), 0);
}

static void
judge_anew(const struct register_book *b)
{
	struct register_edit edit;
	struct register_book *anew;
	struct judging j;

	ck_assert_int_eq(register_new(&anew), 0);
	apply(anew, make_whole(), false, &j, &edit);
	same_verdicts(b, anew);
	ck_assert_uint_eq(b->bytes, anew->bytes);
	publisher_judge_done(&j);
	register_edit_done(&edit);
	register_free(anew);
}

/* What was accepted and is not any more, or not so, is told. */
static void
told(const struct judging *j, const struct roster_user *before, uint32_t before_count)
{
	for (uint32_t i = 0; i < before_count; i++) {
		const struct user_record *u = register_user_by_uid(j->book, before[i].uid);
		bool is_told = false, same = u != NULL && strcmp(u->text, before[i].name) == 0 && u->r.key == before[i].key;

		for (uint32_t k = 0; k < j->past_count; k++)
			is_told |= j->past[k]->r.id == before[i].uid && strcmp(j->past[k]->text, before[i].name) == 0;
		ck_assert(same || is_told);
		if (same || j->whole)
			continue;
		is_told = false;
		for (uint32_t k = 0; k < j->touched[REGISTER_USERS].count; k++)
			is_told |= j->touched[REGISTER_USERS].list[k] == before[i].uid;
		ck_assert(is_told);
	}
}

static uint32_t
list_accepted(const struct register_book *b, struct roster_user ret[USERS])
{
	static char kept[USERS][40];
	uint32_t count = 0;

	for (uint32_t i = 0; i < b->tables[REGISTER_USERS].end; i++) {
		const struct record *r = register_at(b, REGISTER_USERS, i);

		if (r == NULL || (r->bits & RECORD_ACCEPTED) == 0)
			continue;
		(void)snprintf(kept[count], sizeof kept[count], "%s", record_name(r, REGISTER_USERS));
		ret[count] = (struct roster_user){ .key = r->key, .uid = r->id, .name = kept[count] };
		count++;
	}
	return count;
}

START_TEST(random_changes)
{
	struct register_book *b;
	bool settled = false;

	begin();
	srandom((unsigned)_i + 1);
	ck_assert_int_eq(register_new(&b), 0);
	for (int step = 0; step < 120; step++) {
		struct roster_user before[USERS];
		uint32_t before_count = list_accepted(b, before);
		struct register_edit edit;
		struct judging j;

		apply(b, make_change(), settled, &j, &edit);
		ck_assert_int_eq(j.whole, !settled);
		told(&j, before, before_count);
		judge_anew(b);
		settled = pick(8) != 0;		/* else a full disk */
		if (settled) {
			publish(b);
			publisher_judge_settle(&j);
		}
		publisher_judge_done(&j);
		register_edit_done(&edit);
	}
	register_free(b);
	end();
}
END_TEST

/* Other settings: everything is judged again, and stays consistent. */
START_TEST(other_settings)
{
	struct register_book *b;
	bool settled = false;

	begin();
	srandom(99);
	ck_assert_int_eq(register_new(&b), 0);
	for (int step = 0; step < 100; step++) {
		struct register_edit edit = { 0 };
		struct judge_in in = { .settings = &settings, .local = &local, .settled = settled, .all = true,
			.previous = published.base != NULL ? &published : NULL };
		struct judging j;

		if (step % 3 == 2) {
			settings.nss_id_range.range[0].last = 2002 + pick(4);
			ck_assert_int_eq(publisher_judge_prepare(b, NULL, &in, &j), 0);
			publisher_judge_run(&j);
		} else {
			apply(b, make_change(), settled, &j, &edit);
		}
		judge_anew(b);
		publish(b);
		publisher_judge_settle(&j);
		settled = true;
		publisher_judge_done(&j);
		register_edit_done(&edit);
	}
	register_free(b);
	end();
}
END_TEST

/* That is fine, and all else of the change is done: whom this host never needed to know changes, too. */
START_TEST(unknown_is_dropped)
{
	struct roster_writer *w = roster_writer_new(ROSTER_CHANGE);
	struct register_edit edit;
	struct register_book *b;
	struct roster *r;

	begin();
	users[1].name = "ada";
	users[1].home = "/home/ada";
	users[1].uid = 2000;
	put_user(w, 1);
	ck_assert_int_eq(roster_drop_user(w, 2), 0);
	ck_assert_int_eq(roster_drop_group(w, 2), 0);
	r = read_back(w);
	ck_assert_int_eq(register_new(&b), 0);
	ck_assert_int_eq(register_edit_prepare(b, r, &edit), 0);
	ck_assert_uint_eq(edit.parts[REGISTER_USERS].drop_count, 0);
	register_edit_make(b, &edit);
	register_edit_done(&edit);
	ck_assert_uint_eq(b->tables[REGISTER_USERS].count, 1);
	ck_assert_uint_ne(register_find_key(b, REGISTER_USERS, 1), REGISTER_NONE);
	ck_assert_uint_eq(register_find_key(b, REGISTER_USERS, 2), REGISTER_NONE);
	ck_assert_uint_eq(b->tables[REGISTER_GROUPS].count, 0);
	roster_free(r);
	register_free(b);
	end();
}
END_TEST

/* A change that would make all records more than a whole roster may be is refused, and changes nothing. */
START_TEST(adds_up)
{
	struct register_edit edit;
	struct register_book *b;
	struct roster *r;
	uint64_t bytes;

	begin();
	users[1].name = "ada";
	users[1].home = "/home/ada";
	users[1].uid = 2000;
	groups[1].name = "web";
	groups[1].gid = 3000;
	r = make_whole();
	ck_assert_int_eq(register_new(&b), 0);
	ck_assert_int_eq(register_edit_prepare(b, r, &edit), 0);
	bytes = edit.bytes;
	/* One group, one user: what roster.h says of them. */
	ck_assert_uint_eq(bytes, 12 + 2 + 3 + 44 + 5 * 2 + strlen("ada") + strlen("/home/ada") + strlen("/bin/sh"));
	register_edit_done(&edit);
	b->bytes = ROSTER_BYTES_MAX - bytes + 1;
	ck_assert_int_eq(register_edit_prepare(b, r, &edit), -E2BIG);
	ck_assert_uint_eq(b->tables[REGISTER_USERS].count + b->tables[REGISTER_GROUPS].count, 0);
	b->bytes--;
	ck_assert_int_eq(register_edit_prepare(b, r, &edit), 0);
	register_edit_make(b, &edit);
	register_edit_done(&edit);
	ck_assert_uint_eq(b->bytes, ROSTER_BYTES_MAX);
	/* The same once more takes no more. */
	ck_assert_int_eq(register_edit_prepare(b, r, &edit), 0);
	register_edit_make(b, &edit);
	register_edit_done(&edit);
	ck_assert_uint_eq(b->bytes, ROSTER_BYTES_MAX);
	roster_free(r);
	register_free(b);
	end();
}
END_TEST

/* A home that will be refused for its depth makes no room; one as deep as is allowed has all it needs. */
START_TEST(deep_home)
{
	static char home[sizeof "/home" + 2 * 500] = "/home";
	struct register_edit edit;
	struct register_book *b;
	struct judging j;

	begin();
	(void)strcpy(home, "/home");	/* of the test before, without fork */
	for (int i = 1; i < (_i == 0 ? HOMES_DEPTH_MAX : 500); i++)
		memcpy(home + strlen(home), "/a", 3);
	users[1].name = "ada";
	users[1].home = home;
	users[1].uid = 2000;
	ck_assert_int_eq(register_new(&b), 0);
	apply(b, make_whole(), false, &j, &edit);
	ck_assert_uint_eq(b->tables[REGISTER_USERS].accepted, _i == 0 ? 1 : 0);
	ck_assert_uint_le(b->homes.below.room, 2 * HOMES_DEPTH_MAX);
	publisher_judge_settle(&j);
	ck_assert_uint_eq(b->homes.below.used, _i == 0 ? HOMES_DEPTH_MAX - 1 : 0);
	publisher_judge_done(&j);
	register_edit_done(&edit);
	register_free(b);
	end();
}
END_TEST

/* Sets and tallies against the plainest ones. */
START_TEST(sets)
{
	struct id_set set = { .salt = 12345 };
	struct hash_tally tally = { 0 };
	uint32_t there[64] = { 0 }, count = 0, at = 0, seen = 0;

	srandom(5);
	ck_assert_int_eq(tally_reserve(&tally, ROWS(there)), 0);
	for (int i = 0; i < 20000; i++) {
		uint32_t id = 1 + pick(ROWS(there) - 1);
		uint64_t hash = id * (uint64_t)0x100000;		/* they all want one slot */

		if (pick(2) == 0) {
			ck_assert_int_eq(id_set_add(&set, id), there[id] == 0);
			tally_add(&tally, hash);
			there[id]++;
		} else if (there[id] > 0) {
			tally_remove(&tally, hash);
			if (--there[id] == 0)
				id_set_remove(&set, id);
		} else {
			id_set_remove(&set, id);
			tally_remove(&tally, hash);
		}
		ck_assert_int_eq(id_set_has(&set, id), there[id] > 0);
		ck_assert_uint_eq(tally_count(&tally, hash), there[id]);
	}
	for (uint32_t id = 1; id < ROWS(there); id++) {
		count += there[id] > 0;
		ck_assert_uint_eq(tally_count(&tally, id * (uint64_t)0x100000), there[id]);
	}
	while (id_set_next(&set, &at) != 0)
		seen++;
	ck_assert_uint_eq(seen, count);
	ck_assert_uint_eq(set.count, count);
	ck_assert_int_eq(id_set_add(&set, 0), 0);
	ck_assert(!id_set_has(&set, 0));
	id_set_done(&set);
	tally_done(&tally);
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ random_changes, 20 }, { other_settings, 0 }, { unknown_is_dropped, 0 }, { adds_up, 0 }, { deep_home, 2 },
		{ sets, 0 },
	};

	return suite_run("register", rows, ROWS(rows), 60);
}

/*
 * test_publisher_build.c - what is published step by step, by deltas, is what a base of the same register would be.
 */
#include <config.h>

#include "daemon/publisher_build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/publisher_write.h"
#include "tests/unit/suite.h"

#define USERS	24u
#define GROUPS	8u
#define GID(i)	(3000u + (i))

static char folder[64], anew[80];
static struct paths paths;
static struct settings settings;
static struct local_accounts local;
static struct register_book *book;
static struct snapshot published;
static struct publisher_dirty dirty;
static struct publisher_build_out last;
static bool built, settled;
static struct { bool there; uint32_t name, uid, mask, gecos; } users[USERS];
static struct { bool there; uint32_t name, gid; } groups[GROUPS];

static uint32_t
pick(uint32_t count)
{
	return (uint32_t)random() % count;
}

static void
begin(void)
{
	(void)snprintf(folder, sizeof folder, "%s/isms-build-XXXXXX", suite_folder());
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(anew, sizeof anew, "%s/anew", folder);
	ck_assert_int_eq(mkdir(anew, 0755), 0);
	(void)snprintf(paths.nss, sizeof paths.nss, "%s", folder);
	settings_defaults(&settings);
	ck_assert_int_eq(publisher_dirty_init(&dirty), 0);
	ck_assert_int_eq(register_new(&book), 0);
	published = (struct snapshot){ 0 };
	last = (struct publisher_build_out){ 0 };
	built = settled = false;
	memset(users, 0, sizeof users);
	memset(groups, 0, sizeof groups);
}

static void
end(void)
{
	char command[128];

	snapshot_close(&published);
	publisher_dirty_done(&dirty);
	register_free(book);
	(void)snprintf(command, sizeof command, "rm -r %s", folder);
	ck_assert_int_eq(system(command), 0);
}

/* ---- changes ---- */

static void
put_user(struct roster_writer *w, uint32_t key)
{
	char name[16], home[32], gecos[16];
	uint32_t gids[GROUPS], count = 0;
	struct roster_user u = { .key = key, .uid = users[key].uid, .gid = GID(0), .name = name, .gecos = gecos, .home = home,
		.shell = "/bin/sh", .contact = "", .groups = gids };

	(void)snprintf(name, sizeof name, "u%u", users[key].name);
	(void)snprintf(home, sizeof home, "/home/u%u", users[key].name);
	(void)snprintf(gecos, sizeof gecos, "g%u", users[key].gecos);
	for (uint32_t i = 0; i < GROUPS; i++)
		if ((users[key].mask >> i & 1) != 0)
			gids[count++] = GID(i);
	u.group_count = count;
	ck_assert_int_eq(roster_add_user(w, &u), 0);
}

static void
change_user(struct roster_writer *w, uint32_t key)
{
	if (users[key].there && pick(4) == 0) {
		users[key].there = false;
		ck_assert_int_eq(roster_drop_user(w, key), 0);
		return;
	}
	if (!users[key].there || pick(4) == 0)
		users[key].name = pick(USERS);
	if (!users[key].there || pick(4) == 0)
		users[key].uid = 2000 + pick(USERS);
	if (pick(2) == 0)
		users[key].mask = (uint32_t)random();
	users[key].gecos = pick(4);
	users[key].there = true;
	put_user(w, key);
}

static void
change_group(struct roster_writer *w, uint32_t key)
{
	char name[16];
	struct roster_group g = { .key = key, .name = name };

	if (groups[key].there && pick(3) == 0) {
		groups[key].there = false;
		ck_assert_int_eq(roster_drop_group(w, key), 0);
		return;
	}
	groups[key].name = pick(GROUPS);
	groups[key].gid = pick(4) == 0 ? GID(pick(GROUPS)) : GID(key);
	groups[key].there = true;
	(void)snprintf(name, sizeof name, "g%u", groups[key].name);
	g.gid = groups[key].gid;
	ck_assert_int_eq(roster_add_group(w, &g), 0);
}

static struct roster *
make_change(void)
{
	struct roster_writer *w = roster_writer_new(ROSTER_CHANGE);
	uint32_t few = 1 + pick(3);
	struct roster *r;
	int fd;

	for (uint32_t i = 0; i < GROUPS; i++)
		if (pick(GROUPS * 3) < few)
			change_group(w, i);
	for (uint32_t i = 0; i < USERS; i++)
		if (pick(USERS) < few)
			change_user(w, i);
	ck_assert_int_eq(roster_seal(w, &fd), 0);
	roster_writer_free(w);
	ck_assert_int_eq(roster_open(fd, &r), 0);
	(void)close(fd);
	return r;
}

/* ---- comparing ---- */

static void
open_in(const char *dir, struct snapshot *ret)
{
	char path[128];

	(void)snprintf(path, sizeof path, "%s/%s", dir, SNAPSHOT_BASE_NAME);
	ck_assert_int_eq(snapshot_open_state(path, geteuid(), ret), 0);
	ck_assert_int_eq(snapshot_check_whole(ret), 0);
}

static int
compare_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
same_members(const struct snapshot_group *a, const struct snapshot_group *b)
{
	char a_text[4096], b_text[4096], *a_list[USERS + 1], *b_list[USERS + 1];

	ck_assert_msg(a->member_count == b->member_count, "%s: %u, anew %u", a->name, a->member_count, b->member_count);
	ck_assert_uint_le(a->members_len, sizeof a_text);
	ck_assert_int_eq(snapshot_group_members(a, a_text, a_list), 1);
	ck_assert_int_eq(snapshot_group_members(b, b_text, b_list), 1);
	qsort(a_list, a->member_count, sizeof a_list[0], compare_text);
	qsort(b_list, b->member_count, sizeof b_list[0], compare_text);
	for (uint32_t i = 0; i < a->member_count; i++)
		ck_assert_str_eq(a_list[i], b_list[i]);
}

static void
same(const struct snapshot *a, const struct snapshot *b)
{
	uint64_t a_at = 0, b_at = 0;
	uint32_t a_gids[GROUPS], b_gids[GROUPS];
	struct snapshot_user u, v;
	struct snapshot_group g, h;
	int more;

	ck_assert_uint_eq(snapshot_user_count(a), snapshot_user_count(b));
	ck_assert_uint_eq(snapshot_group_count(a), snapshot_group_count(b));
	while ((more = snapshot_next_user(a, &a_at, &u)) == 1) {
		ck_assert_int_eq(snapshot_next_user(b, &b_at, &v), 1);
		ck_assert_uint_eq(u.uid, v.uid);
		ck_assert_str_eq(u.name, v.name);
		ck_assert_str_eq(u.gecos, v.gecos);
		ck_assert_str_eq(u.home, v.home);
		ck_assert_uint_eq(u.group_count, v.group_count);
		ck_assert_int_eq(snapshot_user_gids(a, &u, a_gids), 1);
		ck_assert_int_eq(snapshot_user_gids(b, &v, b_gids), 1);
		ck_assert_int_eq(memcmp(a_gids, b_gids, u.group_count * sizeof a_gids[0]), 0);
	}
	ck_assert_int_eq(more, 0);
	ck_assert_int_eq(snapshot_next_user(b, &b_at, &v), 0);
	a_at = b_at = 0;
	while ((more = snapshot_next_group(a, &a_at, &g)) == 1) {
		ck_assert_int_eq(snapshot_next_group(b, &b_at, &h), 1);
		ck_assert_uint_eq(g.gid, h.gid);
		ck_assert_str_eq(g.name, h.name);
		same_members(&g, &h);
	}
	ck_assert_int_eq(more, 0);
	ck_assert_int_eq(snapshot_next_group(b, &b_at, &h), 0);
}

static void
same_as_anew(void)
{
	static const struct publisher_groups none;
	const struct publisher_making m = { .book = book, .settings = &settings, .groups = &none };
	const struct snapshot_header_in header = { .generation = last.generation, .created_utc_sec = 1,
		.valid_until_utc_sec = 2, .contact = "" };
	struct snapshot_builder *b;
	struct snapshot s;

	ck_assert_int_eq(publisher_write_base(&m, &b), 0);
	ck_assert_int_eq(snapshot_builder_publish(b, anew, &header), 0);
	snapshot_builder_free(b);
	open_in(anew, &s);
	same(&published, &s);
	snapshot_close(&s);
}

/* ---- one step ---- */

static void
publish(const struct judging *j, bool may_write)
{
	struct publisher_build_in in = { .paths = &paths, .book = book, .judging = j, .settings = &settings, .local = &local,
		.previous = &published, .dirty = &dirty, .now_utc_sec = 1000, .confirmed_utc_sec = 1000,
		.generation_seen = last.generation, .before = built ? &last : NULL };
	struct publisher_build_out out;

	if (!may_write)
		(void)snprintf(paths.nss, sizeof paths.nss, "/nonexistent");
	publisher_build(&in, &out);
	(void)snprintf(paths.nss, sizeof paths.nss, "%s", folder);
	last = out;
	built = true;
	if (out.written) {
		snapshot_close(&published);
		open_in(folder, &published);
		ck_assert_int_eq(out.is_delta, published.delta != NULL);
	}
	settled = out.error >= 0;
	ck_assert(settled || !may_write);
}

static unsigned
steps(int count, unsigned base_each, unsigned full_each)
{
	unsigned deltas = 0;

	for (int step = 0; step < count; step++) {
		const struct judge_in in = { .settings = &settings, .local = &local, .settled = settled,
			.previous = published.base != NULL ? &published : NULL };
		struct roster *roster = make_change();
		struct register_edit edit;
		struct judging j;

		ck_assert_int_eq(register_edit_prepare(book, roster, &edit), 0);
		roster_free(roster);
		ck_assert_int_eq(publisher_judge_prepare(book, &edit, &in, &j), 0);
		publisher_judge_run(&j);
		dirty.all |= pick(base_each) == 0;
		publish(&j, pick(full_each) != 0);
		if (settled) {
			same_as_anew();
			publisher_judge_settle(&j);
		}
		deltas += last.is_delta;
		publisher_judge_done(&j);
		register_edit_done(&edit);
	}
	return deltas;
}

START_TEST(deltas)
{
	begin();
	srandom((unsigned)_i + 1);
	ck_assert_uint_gt(steps(150, 40, 10), 30);
	end();
}
END_TEST

/* Nothing is written for what changes nothing, however much is looked at. */
START_TEST(whole_register)
{
	struct judge_in in = { .settings = &settings, .local = &local };
	struct judging j;
	uint64_t generation;

	begin();
	srandom(3);
	steps(20, 1000, 1000);
	ck_assert(settled && published.delta != NULL);
	generation = last.generation;
	in.previous = &published;
	in.settled = true;
	for (int all = 0; all < 2; all++) {
		in.all = all;
		ck_assert_int_eq(publisher_judge_prepare(book, NULL, &in, &j), 0);
		publisher_judge_run(&j);
		publish(&j, true);
		ck_assert_uint_eq(last.generation, generation);
		publisher_judge_settle(&j);
		publisher_judge_done(&j);
	}
	/* Another contact: a delta says it, whoever is in the base. */
	(void)snprintf(settings.login_contact, sizeof settings.login_contact, "somebody");
	ck_assert_int_eq(publisher_judge_prepare(book, NULL, &in, &j), 0);
	publisher_judge_run(&j);
	publish(&j, true);
	ck_assert(last.is_delta && last.generation == generation + 1);
	ck_assert_str_eq(snapshot_contact(&published), "somebody");
	same_as_anew();
	publisher_judge_settle(&j);
	publisher_judge_done(&j);
	end();
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = { { deltas, 5 }, { whole_register, 0 } };

	return suite_run("publisher_build", rows, ROWS(rows), 60);
}

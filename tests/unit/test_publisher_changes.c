/*
 * test_publisher_changes.c - the publisher as a process takes changes of the state in force: what it publishes, whom it
 * puts out, and what it refuses without anything of it done.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/publisher_scene.h"
#include "tests/unit/roster_maker.h"
#include "tests/unit/suite.h"

static const uint64_t key_1 = 1, key_2 = 2;

static int
change_users(const struct roster_user *users, size_t count)
{
	return roster_maker_change(NULL, 0, users, count, NULL, 0, NULL, 0);
}

/* Whether what is published has exactly this user; uid 0: none of the name. */
static void
shows(const char *name, uint32_t uid, uint32_t group_count)
{
	struct snapshot_user u;
	struct snapshot s;
	int found;

	open_snapshot(&s);
	found = snapshot_find_user(&s, name, &u);
	ck_assert_int_eq(found, uid != 0);
	if (uid != 0) {
		ck_assert_uint_eq(u.uid, uid);
		ck_assert_uint_eq(u.group_count, group_count);
	}
	snapshot_close(&s);
}

static void
has_members(const char *group, uint32_t count)
{
	struct snapshot_group g;
	struct snapshot s;

	open_snapshot(&s);
	ck_assert_int_eq(snapshot_find_group(&s, group, &g), 1);
	ck_assert_uint_eq(g.member_count, count);
	snapshot_close(&s);
}

/* ada (key 1) in web, eve (key 2); group web (key 1). */
static void
begin_with_two(void)
{
	struct roster_user users[] = { make_ada(), { .name = "eve", .uid = 2000, .gid = 2000, .home = "/home/eve" } };

	begin();
	users[0].group_count = 1;
	ck_assert_uint_eq(send_roster(roster_maker_seal(groups, 1, users, 2)).users, 2);
	await_users(1, 2);
}

START_TEST(changes)
{
	struct roster_user eve = { .key = 2, .name = "eve", .uid = 2000, .gid = 2000, .home = "/home/eve", .groups = all_groups,
		.group_count = 1 };
	struct roster_user joe = { .key = 3, .name = "joe", .uid = 2001, .gid = 2000, .home = "/home/joe" };
	const struct roster_group ops = { 9, 3002, "ops" }, renamed = { 1, 3000, "www" };
	static const uint32_t both[] = { 3000, 3002 };
	struct msg_roster_result answer;

	begin_with_two();
	answer = send_change(change_users(&eve, 1));		/* joins web */
	ck_assert(answer.accepted == 1 && answer.users == 2 && answer.refused == 0 && answer.whole_wanted == 0);
	await_users(2, 2);
	shows("eve", 2000, 1);
	has_members("web", 2);
	ck_assert_uint_eq(send_change(change_users(&joe, 1)).users, 3);
	await_users(3, 3);
	joe.groups = both;
	joe.group_count = 2;
	ck_assert_uint_eq(send_change(roster_maker_change(&ops, 1, &joe, 1, NULL, 0, NULL, 0)).accepted, 1);
	shows("joe", 2001, 2);
	has_members("ops", 1);
	has_members("web", 3);
	ck_assert_uint_eq(send_change(roster_maker_change(&renamed, 1, NULL, 0, NULL, 0, NULL, 0)).accepted, 1);
	has_members("www", 3);
	eve.name = "eva";
	eve.uid = 2010;
	ck_assert_uint_eq(send_change(change_users(&eve, 1)).users, 3);
	shows("eve", 0, 0);
	shows("eva", 2010, 1);
	ck_assert_uint_eq(send_change(roster_maker_change(NULL, 0, NULL, 0, NULL, 0, &key_1, 1)).users, 2);
	shows("ada", 0, 0);
	has_members("www", 2);
	/* A group goes, and those who list it are in it no more, though nobody said so. */
	ck_assert_uint_eq(send_change(roster_maker_change(NULL, 0, NULL, 0, &key_1, 1, NULL, 0)).users, 2);
	shows("eva", 2010, 0);
	shows("joe", 2001, 1);
	ck_assert_uint_eq(send_change(roster_maker_change(groups, 1, NULL, 0, NULL, 0, NULL, 0)).users, 2);
	shows("eva", 2010, 1);
	has_members("web", 2);
	end();
}
END_TEST

/* Whoever is touched and not needed here is dropped, and costs no whole roster. */
START_TEST(drops_whom_nobody_knows)
{
	struct roster_user joe = { .key = 3, .name = "joe", .uid = 2001, .gid = 2000, .home = "/home/joe" };
	const uint64_t unknown[] = { 1, 77 };
	struct msg_roster_result answer;

	begin_with_two();
	answer = send_change(roster_maker_change(NULL, 0, NULL, 0, &unknown[1], 1, &unknown[1], 1));
	ck_assert(answer.accepted == 1 && answer.users == 2 && answer.whole_wanted == 0);
	answer = send_change(roster_maker_change(NULL, 0, &joe, 1, NULL, 0, unknown, 2));
	ck_assert(answer.accepted == 1 && answer.users == 2 && answer.whole_wanted == 0);
	shows("ada", 0, 0);
	shows("joe", 2001, 0);
	end();
}
END_TEST

/* What one who leaves was in the way of is accepted, and nothing is written for what changes nothing. */
START_TEST(others_come_in)
{
	struct roster_user late = { .key = 3, .name = "eve", .uid = 2001, .gid = 2000, .home = "/home/eve/in" };
	struct snapshot s;

	begin_with_two();
	ck_assert_uint_eq(send_change(change_users(&late, 1)).refused, 1);
	ck_assert(has_logged("user eve (2001): another user has the same name", WAIT_MS));
	ck_assert_ptr_nonnull(strstr(get_status(), "refused=1\nrefused_entry=user eve (2001): another user has the same name"));
	open_snapshot(&s);
	ck_assert_uint_eq(snapshot_generation(&s), 1);
	snapshot_close(&s);
	late.name = "joe";
	ck_assert_uint_eq(send_change(change_users(&late, 1)).refused, 1);
	ck_assert(has_logged("user joe (2001): the home directory lies in another user's", WAIT_MS));
	ck_assert_uint_eq(send_change(roster_maker_change(NULL, 0, NULL, 0, NULL, 0, &key_2, 1)).refused, 0);
	ck_assert_ptr_nonnull(strstr(get_status(), "refused=0\n"));
	shows("joe", 2001, 0);
	shows("eve", 0, 0);
	end();
}
END_TEST

/* A change of another state, one that is malformed, or one that says it is what it is not: nothing of it is done. */
START_TEST(refuses)
{
	struct roster_user joe = { .key = 3, .name = "joe", .uid = 2001, .gid = 2000, .home = "/home/joe" };
	struct msg_roster m = { .serial = 1000, .after = 1 };
	struct msg_roster_result answer;
	int fd;

	begin();
	answer = send_message(&m, change_users(&joe, 1));		/* a change of nothing */
	ck_assert(answer.accepted == 0 && answer.whole_wanted == 1);
	end();
	begin_with_two();
	answer = send_message(&m, change_users(&joe, 1));
	ck_assert(answer.accepted == 0 && answer.whole_wanted == 1);
	m.after = serial;
	answer = send_message(&m, roster_maker_seal(NULL, 0, &joe, 1));	/* whole, and says that it is a change */
	ck_assert(answer.accepted == 0 && answer.whole_wanted == 0);
	m.after = 0;
	answer = send_message(&m, change_users(&joe, 1));		/* the other way round */
	ck_assert(answer.accepted == 0 && answer.whole_wanted == 0);
	ck_assert(has_logged("snapshot rejected", WAIT_MS));
	m.after = serial;
	fd = memfd_create("junk", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ck_assert_int_eq(write(fd, "ISMSROS2", 8), 8);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, ROSTER_SEALS), 0);
	ck_assert_uint_eq(send_message(&m, fd).accepted, 0);
	ck_assert_uint_eq(send_message(&m, open("/dev/zero", O_RDONLY)).accepted, 0);
	await_users(1, 2);
	shows("ada", OWNER, 3);
	shows("joe", 0, 0);
	/* The state in force is still the one of before: its twin is taken, and once more when its answer was lost. */
	answer = send_message(&m, change_users(&joe, 1));
	ck_assert(answer.accepted == 1 && answer.users == 3);
	answer = send_message(&m, change_users(&joe, 1));
	ck_assert(answer.accepted == 1 && answer.users == 3);
	await_users(2, 3);
	ck_assert_uint_eq(vouch(1000).accepted, 1);
	ck_assert_uint_eq(vouch(serial).whole_wanted, 1);
	end();
}
END_TEST

/* Other local accounts or settings between changes count for everybody. */
START_TEST(local_accounts)
{
	struct roster_user eve = { .key = 2, .name = "eve", .uid = 2000, .gid = 2000, .home = "/home/eve", .gecos = "other" };
	struct snapshot s;

	begin_with_two();
	ck_assert_int_eq(kill(daemon_pid, SIGSTOP), 0);		/* it sees both at once, the change first */
	write_etc("passwd", "root:x:0:0::/root:/bin/sh\nada:x:1600:1600::/home/ada:/bin/sh\n");
	ck_assert_int_eq(kill(daemon_pid, SIGCONT), 0);
	ck_assert_uint_eq(send_change(change_users(&eve, 1)).users, 1);
	shows("ada", 0, 0);
	write_etc("passwd", "root:x:0:0::/root:/bin/sh\n");
	await_users(3, 2);
	write_etc("isms/isms.conf", "[nss]\nid-range = 1000-3000\n");
	ck_assert_int_eq(kill(daemon_pid, SIGHUP), 0);
	await_users(4, 1);
	eve.gecos = "third";
	ck_assert_uint_eq(send_change(change_users(&eve, 1)).users, 1);
	await_generation(5, &s);
	snapshot_close(&s);
	end();
}
END_TEST

/* A disk that is full at one change holds nobody in, and all that happened meanwhile is published in the end. */
START_TEST(cannot_write)
{
	struct roster_user eve = { .key = 2, .name = "eve", .uid = 2001, .gid = 2000, .home = "/home/eve" };
	struct roster_user joe = { .key = 3, .name = "joe", .uid = 2003, .gid = 2000, .home = "/home/joe" };
	char away[PATH_MAX + 8];

	begin_with_two();
	(void)snprintf(away, sizeof away, "%s.away", paths.nss);
	ck_assert_int_eq(rename(paths.nss, away), 0);
	ck_assert_uint_eq(send_change(change_users(&eve, 1)).accepted, 0);
	ck_assert_ptr_nonnull(strstr(get_status(), "fault=the snapshot could not be written"));
	ck_assert_uint_eq(send_change(change_users(&joe, 1)).accepted, 0);
	ck_assert_int_eq(rename(away, paths.nss), 0);
	ck_assert_uint_eq(send_change(roster_maker_change(NULL, 0, NULL, 0, NULL, 0, &key_1, 1)).accepted, 1);
	shows("ada", 0, 0);
	shows("eve", 2001, 0);
	shows("joe", 2003, 0);
	end();
}
END_TEST

/* ---- a large one ---- */

#define MANY 5000u

/* All of them are in web; user i is called uI, his gecos says what happened to him. */
static int
seal_many(enum roster_kind kind, uint32_t first, uint32_t end, const char *gecos)
{
	struct roster_writer *w = roster_writer_new(kind);
	char name[16], home[32];
	int fd;

	if (kind == ROSTER_WHOLE)
		ck_assert_int_eq(roster_add_group(w, &groups[0]), 0);
	for (uint32_t i = first; i < end; i++) {
		const struct roster_user u = { .key = i, .name = name, .uid = 100000 + i, .gid = 2000, .home = home,
			.gecos = gecos, .shell = "/bin/sh", .contact = "", .groups = all_groups, .group_count = 1 };

		(void)snprintf(name, sizeof name, "u%u", i);
		(void)snprintf(home, sizeof home, "/home/u%u", i);
		ck_assert_int_eq(roster_add_user(w, &u), 0);
	}
	ck_assert_int_eq(roster_seal(w, &fd), 0);
	roster_writer_free(w);
	return fd;
}

/* Generation of the base that readers find; whether it has a delta. */
static uint64_t
base_generation(bool *ret_delta)
{
	struct snapshot s, base;
	uint64_t generation;

	open_snapshot(&s);
	base = (struct snapshot){ .base = s.base, .size = s.size };
	generation = snapshot_generation(&base);
	*ret_delta = s.delta != NULL;
	snapshot_close(&s);
	return generation;
}

/* Whoever was changed is seen so, everybody else as he was, and web has all of them. */
static void
sees_all(const uint8_t *said)
{
	struct snapshot_group g;
	struct snapshot_user u;
	struct snapshot s;
	char name[16], want[16];

	open_snapshot(&s);
	ck_assert_uint_eq(snapshot_user_count(&s), MANY);
	for (uint32_t i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof name, "u%u", i);
		(void)snprintf(want, sizeof want, "g%u", said[i]);
		ck_assert_int_eq(snapshot_find_user(&s, name, &u), 1);
		ck_assert_str_eq(u.gecos, want);
	}
	ck_assert_int_eq(snapshot_find_group(&s, "web", &g), 1);
	ck_assert_uint_eq(g.member_count, MANY);
	snapshot_close(&s);
}

/* Deltas come upon a base until a new one was written in the background; nothing that came meanwhile is lost. */
START_TEST(compacts)
{
	static uint8_t said[MANY];
	unsigned deltas = 0, bases = 0;
	uint64_t base = 1, now;
	char gecos[16];
	bool delta;

	begin();
	memset(said, 0, sizeof said);
	ck_assert_uint_eq(send_roster(seal_many(ROSTER_WHOLE, 0, MANY, "g0")).users, MANY);
	ck_assert_uint_eq(base_generation(&delta), 1);
	ck_assert(!delta);
	for (uint32_t i = 0; i < 2000 && bases < 3; i++) {
		uint32_t at = i * 7 % (MANY - 8);

		(void)snprintf(gecos, sizeof gecos, "g%u", i % 250 + 1);
		memset(said + at, (int)(i % 250 + 1), 8);
		ck_assert_uint_eq(send_change(seal_many(ROSTER_CHANGE, at, at + 8, gecos)).accepted, 1);
		now = base_generation(&delta);
		deltas += delta;
		if (now == base)
			continue;
		base = now;
		bases++;
		sees_all(said);
	}
	ck_assert_uint_eq(bases, 3);
	ck_assert_uint_gt(deltas, 50);
	sees_all(said);
	ck_assert_ptr_null(strstr(get_status(), "fault="));
	end();
}
END_TEST

/* What cannot be written anew stays, and deltas come upon it as before. */
START_TEST(cannot_compact)
{
	static uint8_t said[MANY];
	char path[PATH_MAX + 32], gecos[16];
	bool delta, failed = false;

	begin();
	memset(said, 0, sizeof said);
	ck_assert_uint_eq(send_roster(seal_many(ROSTER_WHOLE, 0, MANY, "g0")).users, MANY);
	(void)snprintf(path, sizeof path, "%s/.base.1.snap.new", paths.nss);
	ck_assert_int_eq(mkdir(path, 0755), 0);		/* in the way of the new base alone */
	for (uint32_t i = 0; i < 500 && !failed; i++) {
		(void)snprintf(gecos, sizeof gecos, "g%u", i % 250 + 1);
		memset(said + i * 8, (int)(i % 250 + 1), 8);
		ck_assert_uint_eq(send_change(seal_many(ROSTER_CHANGE, i * 8, i * 8 + 8, gecos)).accepted, 1);
		failed = has_logged("cannot write a new base: ", 0);
	}
	ck_assert(failed);
	ck_assert_uint_eq(send_change(seal_many(ROSTER_CHANGE, MANY - 1, MANY, "g77")).accepted, 1);
	said[MANY - 1] = 77;
	sees_all(said);
	ck_assert_uint_eq(base_generation(&delta), 1);
	ck_assert(delta);
	ck_assert_int_eq(rmdir(path), 0);
	end();
}
END_TEST

/* After a restart it is not known what a delta that is there has: another one must not come in its place without it. */
START_TEST(delta_of_before_a_restart)
{
	char away[PATH_MAX + 8];
	bool delta;

	begin();
	ck_assert_uint_eq(send_roster(seal_many(ROSTER_WHOLE, 0, MANY, "g0")).users, MANY);
	ck_assert_uint_eq(send_change(seal_many(ROSTER_CHANGE, MANY, MANY + 1, "g0")).accepted, 1);
	ck_assert_uint_eq(base_generation(&delta), 1);
	ck_assert(delta);
	stop_daemon();
	start_daemon();
	(void)snprintf(away, sizeof away, "%s.away", paths.nss);
	ck_assert_int_eq(rename(paths.nss, away), 0);
	ck_assert_uint_eq(send_roster(seal_many(ROSTER_WHOLE, 0, MANY + 1, "g0")).accepted, 0);	/* as it is published */
	ck_assert_int_eq(rename(away, paths.nss), 0);
	ck_assert_uint_eq(send_change(seal_many(ROSTER_CHANGE, 9, 10, "g2")).users, MANY + 1);
	shows("u9", 100009, 1);
	shows("u5000", 105000, 1);
	end();
}
END_TEST

START_TEST(ends_who_must_leave)
{
	struct roster_user ada = make_ada(), eve = { .key = 2, .name = "eve", .uid = 2000, .gid = 2000, .home = "/home/eve" };
	pid_t pid;

	if (!suite_as_root())
		return;
	begin_with_two();
	pid = start_process(OWNER);
	ck_assert_uint_eq(send_change(change_users(&eve, 1)).accepted, 1);
	ck_assert(!is_gone(pid, 500));
	ada.key = 1;
	ada.not_after_utc_sec = (int64_t)now_sec() + 3;
	ck_assert_uint_eq(send_change(change_users(&ada, 1)).accepted, 1);
	ck_assert(is_gone(pid, 10000));
	ck_assert((int64_t)now_sec() >= ada.not_after_utc_sec);
	ck_assert(has_logged("reason=expired", WAIT_MS));
	ada.not_after_utc_sec = 0;
	ck_assert_uint_eq(send_change(change_users(&ada, 1)).accepted, 1);
	pid = start_process(OWNER);
	ck_assert(!is_gone(pid, 1500));
	ada.flags = ROSTER_ENDED;
	ck_assert_uint_eq(send_change(change_users(&ada, 1)).accepted, 1);
	ck_assert(is_gone(pid, 5000));
	ada.flags = 0;
	ck_assert_uint_eq(send_change(change_users(&ada, 1)).accepted, 1);
	pid = start_process(OWNER);
	ada.name = "eva";		/* her uid is another person's now */
	ada.home = "/home/eva";
	ck_assert_uint_eq(send_change(change_users(&ada, 1)).accepted, 1);
	ck_assert(is_gone(pid, 5000));
	pid = start_process(OWNER);
	ck_assert_uint_eq(send_change(roster_maker_change(NULL, 0, NULL, 0, NULL, 0, &key_1, 1)).users, 1);
	ck_assert(is_gone(pid, 5000));
	ck_assert(has_logged("reason=unknown-user", WAIT_MS));
	end();
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ changes, 0 }, { others_come_in, 0 }, { drops_whom_nobody_knows, 0 }, { refuses, 0 },
		{ local_accounts, 0 }, { cannot_write, 0 }, { compacts, 0 }, { cannot_compact, 0 }, { delta_of_before_a_restart, 0 }, { ends_who_must_leave, 0 },
	};

	return suite_run("publisher_changes", rows, ROWS(rows), 60);
}

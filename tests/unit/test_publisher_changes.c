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
	const uint64_t unknown[] = { 1, 77 };
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
	answer = send_message(&m, roster_maker_change(NULL, 0, &joe, 1, NULL, 0, unknown, 2));	/* drops whom nobody knows */
	ck_assert(answer.accepted == 0 && answer.whole_wanted == 1);
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
		{ changes, 0 }, { others_come_in, 0 }, { refuses, 0 }, { local_accounts, 0 }, { cannot_write, 0 },
		{ ends_who_must_leave, 0 },
	};

	return suite_run("publisher_changes", rows, ROWS(rows), 60);
}

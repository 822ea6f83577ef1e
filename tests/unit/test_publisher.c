/*
 * test_publisher.c - the publisher as a process: `ismsd publisher --root DIR`, rosters over its socket, what it publishes.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/channel.h"
#include "common/paths.h"
#include "common/snapshot.h"
#include "common/verdict.h"
#include "daemon/loop.h"
#include "tests/unit/publisher_scene.h"
#include "tests/unit/roster_maker.h"
#include "tests/unit/suite.h"

START_TEST(publishes)
{
	struct roster_user users[] = { make_ada(), { .name = "bob", .uid = 2000, .gid = 2000 },
		{ .name = "eve", .uid = 0, .gid = 2000 }, { .name = "joe", .uid = 2001, .gid = 27 } };
	struct msg_roster_result answer;
	struct snapshot s;
	struct snapshot_user u;
	struct snapshot_group g;
	uint32_t gids[8];
	int64_t before, after;

	begin();
	before = loop_clock_sec(CLOCK_REALTIME);
	answer = send_roster(roster_maker_seal(groups, 3, users, 4));
	after = loop_clock_sec(CLOCK_REALTIME);	/* time() may be a tick late */
	ck_assert_msg(answer.accepted == 1, "%s", answer.text);
	ck_assert_uint_eq(answer.users, 1);
	ck_assert_uint_eq(answer.refused, 5);
	open_snapshot(&s);
	ck_assert_uint_eq(snapshot_generation(&s), 1);
	ck_assert_int_ge(snapshot_created_utc_sec(&s), before);
	ck_assert_int_le(snapshot_created_utc_sec(&s), after);
	ck_assert_int_ge(snapshot_valid_until_utc_sec(&s), before + 60);	/* since it was told, not since it was written */
	ck_assert_int_le(snapshot_valid_until_utc_sec(&s), after + 60);
	ck_assert_str_eq(snapshot_contact(&s), "help@example.com");
	ck_assert_int_eq(snapshot_find_user(&s, "ada", &u), 1);
	ck_assert_str_eq(u.shell, "/usr/sbin/nologin");
	ck_assert_str_eq(u.gecos, "Ada? \"L\"");
	ck_assert_uint_eq(u.group_count, 3);
	ck_assert_int_eq(snapshot_user_gids(&s, &u, gids), 1);
	ck_assert_uint_eq(gids[0], 900);	/* log-read: policy, /etc/group and roster agree */
	ck_assert_uint_eq(gids[1], 991);	/* isms-mfa; never sudo, root, nor the directory's own "low" = 900 */
	ck_assert_uint_eq(gids[2], 3000);
	ck_assert_int_eq(snapshot_find_user(&s, "bob", &u), 0);
	ck_assert_int_eq(snapshot_find_uid(&s, 0, &u), 0);
	ck_assert_int_eq(snapshot_find_group(&s, "sudo", &g), 0);
	ck_assert_int_eq(snapshot_find_group(&s, "web", &g), 1);
	ck_assert(snapshot_local_gid(&s, 900) && snapshot_local_gid(&s, 991) && !snapshot_local_gid(&s, 27));
	snapshot_close(&s);
	ck_assert(has_logged("snapshot published generation=1 users=1 refused=5", WAIT_MS));
	ck_assert(has_logged("user bob (2000): the name stands in /etc/passwd", 0));
	ck_assert_ptr_nonnull(strstr(get_status(), "refused_entry=user eve (0): the uid lies outside"));
	ck_assert_ptr_nonnull(strstr(get_status(), "users=1\ngroups=1\n"));
	end();
}
END_TEST

START_TEST(republishes)
{
	struct roster_user ada = make_ada();
	struct snapshot s;
	struct snapshot_user u;

	begin();
	ck_assert_uint_eq(send_roster(roster_maker_seal(groups, 1, &ada, 0)).accepted, 1);
	ada.group_count = 1;
	ck_assert_uint_eq(send_roster(roster_maker_seal(groups, 1, &ada, 1)).accepted, 1);
	await_users(2, 1);
	/* The same again writes nothing. */
	ck_assert_uint_eq(send_roster(roster_maker_seal(groups, 1, &ada, 1)).accepted, 1);
	await_users(2, 1);
	/* A local account of her name: hers is withdrawn. */
	write_etc("passwd", "root:x:0:0::/root:/bin/sh\nada:x:1600:1600::/home/ada:/bin/sh\n");
	await_users(3, 0);
	write_etc("passwd", "root:x:0:0::/root:/bin/sh\n");
	await_generation(4, &s);
	ck_assert_int_eq(snapshot_find_user(&s, "ada", &u), 1);
	ck_assert_uint_eq(u.group_count, 3);
	snapshot_close(&s);
	/* A range of subordinate ids that holds hers: the same. */
	write_etc("subuid", "bob:300000:65536\n");
	await_users(5, 0);
	ck_assert_ptr_nonnull(strstr(get_status(), "the uid lies in a range of /etc/subuid"));
	write_etc("subuid", "");
	await_users(6, 1);
	/* Her name is taken from the line of the local group. */
	write_etc("group", "root:x:0:\nlog-read:x:900:\nisms-mfa:x:991:\n");
	await_generation(7, &s);
	ck_assert_int_eq(snapshot_find_user(&s, "ada", &u), 1);
	ck_assert_uint_eq(u.group_count, 2);
	snapshot_close(&s);
	/* Another setting, by SIGHUP; then a bad one, which changes nothing. */
	write_etc("isms/isms.conf", "[login]\ncontact = other@example.com\n");
	ck_assert_int_eq(kill(daemon_pid, SIGHUP), 0);
	await_generation(8, &s);
	ck_assert_str_eq(snapshot_contact(&s), "other@example.com");
	snapshot_close(&s);
	write_etc("isms/isms.conf", "[login]\ncontakt = other@example.com\n");
	ck_assert_int_eq(kill(daemon_pid, SIGHUP), 0);
	ck_assert(has_logged("configuration rejected", WAIT_MS));
	end();
}
END_TEST

START_TEST(rejects)
{
	static const char junk[] = "ISMSROS2 and then nothing that makes sense";
	struct roster_user ada = make_ada();
	const struct message_info *info;
	struct msg_roster_result answer;
	uint8_t frame[PROTO_FRAME_MAX];
	size_t len;
	int fd;

	begin();
	ada.group_count = 0;
	ck_assert_uint_eq(send_roster(roster_maker_seal(NULL, 0, &ada, 1)).accepted, 1);
	fd = memfd_create("junk", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ck_assert_int_eq(write(fd, junk, sizeof junk), sizeof junk);
	answer = send_roster(dup(fd));				/* not sealed */
	ck_assert_uint_eq(answer.accepted, 0);
	ck_assert_uint_gt(strlen(answer.text), 0);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, ROSTER_SEALS), 0);
	ck_assert_uint_eq(send_roster(fd).accepted, 0);		/* malformed */
	ck_assert_uint_eq(send_roster(open("/dev/zero", O_RDONLY)).accepted, 0);
	ck_assert(has_logged("snapshot rejected", WAIT_MS));
	await_users(1, 1);
	/* A roster without its descriptor is hung up on, and so is one of a peer without the right. */
	fd = connect_to();
	ck_assert_int_eq(channel_send(fd, MSG_ROSTER, &(const struct msg_roster){ .serial = 1 },
	    channel_now_ms() + WAIT_MS), 0);
	ck_assert_int_eq(channel_recv(fd, frame, sizeof frame, channel_now_ms() + WAIT_MS, &info, &len), -ECONNRESET);
	(void)close(fd);
	end();
}
END_TEST

START_TEST(survives_a_restart)
{
	struct roster_user users[] = { make_ada(), { .name = "eve", .uid = OWNER, .gid = 2000 } };
	struct snapshot s;
	struct snapshot_user u;

	begin();
	users[0].group_count = 0;
	ck_assert_uint_eq(send_roster(roster_maker_seal(NULL, 0, users, 1)).accepted, 1);
	stop_daemon();
	start_daemon();
	ck_assert_ptr_nonnull(strstr(get_status(), "generation=1\n"));
	ck_assert_ptr_nonnull(strstr(get_status(), "last_roster_age_sec=never\n"));
	/* What is published counts until the first roster comes, but not against this host's own accounts of now. */
	ck_assert_uint_eq(end_sessions("ada", OWNER), 0);
	write_etc("subuid", "bob:300000:65536\n");
	ck_assert_uint_eq(end_sessions("ada", OWNER), ENOENT);
	write_etc("subuid", "");
	write_etc("passwd", "root:x:0:0::/root:/bin/sh\nada2:x:300125:1600::/home/ada2:/bin/sh\n");
	ck_assert_uint_eq(end_sessions("ada", OWNER), ENOENT);
	write_etc("passwd", "root:x:0:0::/root:/bin/sh\n");
	/* Who held the uid before the restart keeps it. */
	ck_assert_uint_eq(send_roster(roster_maker_seal(NULL, 0, users, 2)).users, 1);
	await_generation(2, &s);
	ck_assert(snapshot_find_user(&s, "ada", &u) == 1 && snapshot_find_user(&s, "eve", &u) == 0);
	snapshot_close(&s);
	end();
}
END_TEST

/*
 * What systemd kept comes in force when all of it is there; else what is published stands: who left with the change that
 * cannot be read, or is missing, must not be back.
 */
START_TEST(resumes_all_or_nothing)
{
	static const char *const missing[] = { "change.9.8.1000", "change.a.9.1000", "change.9.8.1000" };
	struct roster_user users[] = { make_ada(), { .name = "eve", .uid = 2000, .gid = 2000 } };
	const uint64_t key_2 = 2;
	struct kept kept[] = {
		{ "roster.8.1000.0.0", -1 }, { missing[_i], -1 },
	};
	struct snapshot s;

	begin();
	users[0].group_count = 0;
	kept[0].fd = roster_maker_seal(NULL, 0, users, 2);
	kept[1].fd = _i == 0 ? memfd_create("mark", MFD_CLOEXEC) :
	    roster_maker_change(NULL, 0, NULL, 0, NULL, 0, &key_2, 1);
	ck_assert_uint_eq(send_roster(dup(kept[0].fd)).users, 2);
	ck_assert_uint_eq(send_change(roster_maker_change(NULL, 0, NULL, 0, NULL, 0, &key_2, 1)).users, 1);
	await_users(2, 1);
	stop_daemon();
	start_daemon_with(kept, 2);
	ck_assert_ptr_nonnull(strstr(get_status(), "generation="));	/* it has started */
	open_snapshot(&s);
	ck_assert_uint_eq(snapshot_user_count(&s), 1);
	ck_assert(snapshot_generation(&s) == 2 || _i == 2);
	snapshot_close(&s);
	ck_assert_uint_eq(vouch(9).accepted, _i == 2);
	ck_assert_uint_eq(vouch(8).whole_wanted, 1);
	ck_assert_int_eq(has_logged("what is published stands", 0), _i != 2);
	ck_assert_uint_eq(send_roster(roster_maker_seal(NULL, 0, users, 2)).users, 2);
	(void)close(kept[0].fd);
	(void)close(kept[1].fd);
	end();
}
END_TEST

START_TEST(cannot_write)
{
	struct roster_user ada = make_ada();
	struct msg_roster_result answer;
	char away[PATH_MAX + 8];

	begin();
	ada.group_count = 0;
	(void)snprintf(away, sizeof away, "%s.away", paths.nss);
	ck_assert_int_eq(rename(paths.nss, away), 0);
	answer = send_roster(roster_maker_seal(NULL, 0, &ada, 1));
	ck_assert_uint_eq(answer.accepted, 0);
	ck_assert_ptr_nonnull(strstr(get_status(), "fault=the snapshot could not be written"));
	ck_assert_int_eq(rename(away, paths.nss), 0);
	write_etc("group", "root:x:0:\n");			/* any reason to build: it is written now */
	await_users(1, 1);
	end();
}
END_TEST

START_TEST(puts_back_what_is_gone)
{
	struct roster_user ada = make_ada();
	char path[PATH_MAX + 16];

	begin();
	ada.group_count = 0;
	ck_assert_uint_eq(vouch(serial).whole_wanted, 1);	/* for what? */
	ck_assert_uint_eq(send_roster(roster_maker_seal(NULL, 0, &ada, 1)).accepted, 1);
	ck_assert_uint_eq(vouch(serial).accepted, 1);		/* nothing to write */
	ck_assert_uint_eq(vouch(serial + 1).accepted, 0);
	ck_assert_uint_eq(vouch(serial + 1).whole_wanted, 1);
	await_users(1, 1);
	(void)snprintf(path, sizeof path, "%s/%s", paths.nss, SNAPSHOT_BASE_NAME);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_uint_eq(vouch(serial).accepted, 1);
	await_users(2, 1);
	end();
}
END_TEST

/* What a process that has looked somebody up sees of the epoch page from then on. */
static const _Atomic uint64_t *
map_epoch(void)
{
	char path[PATH_MAX + 16];
	void *page;
	int fd;

	(void)snprintf(path, sizeof path, "%s/%s", paths.nss, SNAPSHOT_EPOCH_NAME);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	page = mmap(NULL, SNAPSHOT_EPOCH_SIZE, PROT_READ, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(page, MAP_FAILED);
	(void)close(fd);
	return page;
}

static bool
becomes_other(const _Atomic uint64_t *page, uint64_t than)
{
	for (int ms = 0; ms < WAIT_MS && atomic_load(page) == than; ms += 10)
		(void)usleep(10000);
	return atomic_load(page) != than;
}

/* A page that is gone, or another one, is told to those who have the old one; a start tells in any case. */
START_TEST(tells_of_the_page)
{
	struct roster_user ada = make_ada();
	const _Atomic uint64_t *page;
	char path[PATH_MAX + 16];
	uint64_t before;

	begin();
	ada.group_count = 0;
	ck_assert_uint_eq(send_roster(roster_maker_seal(NULL, 0, &ada, 1)).accepted, 1);
	await_users(1, 1);
	page = map_epoch();
	before = atomic_load(page);
	ck_assert_uint_ne(before, 0);
	ck_assert_uint_eq(vouch(serial).accepted, 1);
	ck_assert_uint_eq(atomic_load(page), before);	/* its twin: the page as it was */
	stop_daemon();
	start_daemon();			/* perhaps its predecessor died before it could tell */
	ck_assert(becomes_other(page, before));
	ck_assert_uint_ne(atomic_load(page), 0);
	ck_assert_uint_eq(send_roster(roster_maker_seal(NULL, 0, &ada, 1)).accepted, 1);
	(void)snprintf(path, sizeof path, "%s/%s", paths.nss, SNAPSHOT_EPOCH_NAME);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_uint_eq(vouch(serial).accepted, 1);
	ck_assert_uint_eq(atomic_load(page), 0);
	(void)munmap((void *)(uintptr_t)page, SNAPSHOT_EPOCH_SIZE);
	end();
}
END_TEST

START_TEST(ps06a_ends_at_the_instant)
{
	struct roster_user ada = make_ada();
	double at;
	pid_t pid;

	if (!suite_as_root())
		return;
	begin();
	pid = start_process(OWNER);
	ada.group_count = 0;
	ada.not_after_utc_sec = (int64_t)now_sec() + 6;
	ck_assert_uint_eq(send_roster(roster_maker_seal(NULL, 0, &ada, 1)).accepted, 1);
	ck_assert_ptr_null(strstr(get_status(), "next_end=none"));
	/* Extended (PS07a), then brought nearer again. */
	ada.not_after_utc_sec += 3600;
	ck_assert_uint_eq(send_roster(roster_maker_seal(NULL, 0, &ada, 1)).accepted, 1);
	ck_assert(!is_gone(pid, 7000));
	ada.not_after_utc_sec = (int64_t)now_sec() + 2;
	ck_assert_uint_eq(send_roster(roster_maker_seal(NULL, 0, &ada, 1)).accepted, 1);
	ck_assert(is_gone(pid, 10000));
	at = now_sec();
	ck_assert(at >= (double)ada.not_after_utc_sec && at < (double)ada.not_after_utc_sec + 5);
	ck_assert(has_logged("sessions terminated user=ada uid=300125 reason=expired not_after=", WAIT_MS));
	end();
}
END_TEST

/* Local accounts are the front's to judge, and ended by name and uid if this host's own policy names them; root never. */
START_TEST(ends_local_accounts_by_policy)
{
	begin();
	write_etc("passwd", "root:x:0:0::/root:/bin/sh\nbob:x:300125:1500::/:/bin/sh\nsys:x:300:300::/:/bin/sh\neva:x:300126:1::/:/bin/sh\n");
	ck_assert_uint_eq(end_sessions("bob", OWNER), ENOENT);
	write_etc("isms/policy.conf", "[role any]\nmatch = any\nallow-services = sshd\n[local]\nmanage = bob sys\n");
	ck_assert_int_eq(kill(daemon_pid, SIGHUP), 0);
	while (end_sessions("bob", OWNER) != 0)
		(void)usleep(5000);
	ck_assert_uint_eq(end_sessions("bob", OWNER + 1), ENOENT);
	ck_assert_uint_eq(end_sessions("eva", OWNER + 1), ENOENT);	/* local, and not named */
	ck_assert_uint_eq(end_sessions("root", 0), ENOENT);
	ck_assert_uint_eq(end_sessions("sys", 300), EPERM);		/* below the floor of what is ever ended */
	write_etc("passwd", "root:x:0:0::/root:/bin/sh\nbob:x:0:0::/:/bin/sh\n");
	ck_assert_uint_eq(end_sessions("bob", 0), ENOENT);
	ck_assert_uint_eq(end_sessions("bob", OWNER), ENOENT);
	end();
}
END_TEST

START_TEST(ends_who_must_leave)
{
	struct roster_user ada = make_ada();
	pid_t pid;

	if (!suite_as_root())
		return;
	begin();
	ada.group_count = 0;
	ck_assert_uint_eq(send_roster(roster_maker_seal(NULL, 0, &ada, 1)).accepted, 1);
	pid = start_process(OWNER);
	ck_assert_uint_eq(end_sessions("ada", 0), ENOENT);
	ck_assert_uint_eq(end_sessions("ada", OWNER + 1), ENOENT);
	ck_assert_uint_eq(end_sessions("root", 0), ENOENT);
	ck_assert_uint_eq(end_sessions("bob", 1500), ENOENT);
	ck_assert(!is_gone(pid, 500));
	ck_assert_uint_eq(end_sessions("ada", OWNER), 0);
	ck_assert(is_gone(pid, 5000));
	ck_assert(has_logged("reason=forbidden-group", WAIT_MS));
	pid = start_process(OWNER);		/* a new login of one who may */
	ck_assert(!is_gone(pid, 1500));
	ada.flags |= ROSTER_ENDED;
	ck_assert_uint_eq(send_roster(roster_maker_seal(NULL, 0, &ada, 1)).accepted, 1);
	ck_assert(is_gone(pid, 5000));
	ck_assert(has_logged("reason=disabled", WAIT_MS));
	ada.flags = 0;
	ck_assert_uint_eq(send_roster(roster_maker_seal(NULL, 0, &ada, 1)).accepted, 1);
	pid = start_process(OWNER);
	/* A local user's rootless container has ids of his range: whoever bore one before, it is his now. */
	write_etc("subuid", "bob:300000:65536\n");
	ck_assert_uint_eq(send_roster(roster_maker_seal(NULL, 0, &ada, 1)).accepted, 1);
	ck_assert(!is_gone(pid, 3000));
	write_etc("subuid", "");
	ck_assert_uint_eq(send_roster(roster_maker_seal(NULL, 0, &ada, 1)).accepted, 1);
	ck_assert_uint_eq(send_roster(roster_maker_seal(NULL, 0, &ada, 0)).accepted, 1);
	ck_assert(is_gone(pid, 5000));
	ck_assert(has_logged("reason=unknown-user", WAIT_MS));
	ck_assert_ptr_nonnull(strstr(get_status(), "live_sessions_ended=3\n"));
	end();
}
END_TEST

START_TEST(first_roster_after_a_restart)
{
	struct roster_user ada = make_ada();
	pid_t pid;

	if (!suite_as_root())
		return;
	begin();
	ada.group_count = 0;
	ck_assert_uint_eq(send_roster(roster_maker_seal(NULL, 0, &ada, 1)).accepted, 1);
	pid = start_process(OWNER);
	stop_daemon();
	start_daemon();
	ck_assert(!is_gone(pid, 300));
	ck_assert_uint_eq(send_roster(roster_maker_seal(NULL, 0, &ada, 0)).accepted, 1);	/* left meanwhile */
	ck_assert(is_gone(pid, 5000));
	end();
}
END_TEST

/* An emergency is answered whether anybody has a terminal; somebody who is told of one after the other is told no more. */
START_TEST(tells_of_emergencies)
{
	const struct msg_emergency m = { .user = "glas", .by = "uid=carol", .reason = "test of isms-access", .until_utc_sec = 1 };
	struct msg_done answer;
	unsigned told = 0;

	begin();
	for (int i = 0; i < 20; i++) {
		int fd = connect_to();

		ck_assert_int_eq(channel_ask(fd, MSG_EMERGENCY, &m, MSG_DONE, &answer, channel_now_ms() + 60000), 0);
		(void)close(fd);
		ck_assert(answer.error == (i < 16 ? 0 : EBUSY));
		told += answer.error == 0;
	}
	ck_assert_uint_eq(told, 16);
	end();
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ publishes, 0 }, { republishes, 0 }, { rejects, 0 }, { survives_a_restart, 0 },
		{ resumes_all_or_nothing, 3 }, { cannot_write, 0 },
		{ puts_back_what_is_gone, 0 }, { tells_of_the_page, 0 }, { ps06a_ends_at_the_instant, 0 },
		{ ends_local_accounts_by_policy, 0 }, { ends_who_must_leave, 0 }, { first_roster_after_a_restart, 0 },
		{ tells_of_emergencies, 0 },
	};

	return suite_run("publisher", rows, ROWS(rows), 60);
}

/*
 * test_publisher.c - the publisher as a process: `ismsd publisher --root DIR`, rosters over its socket, what it publishes.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/channel.h"
#include "common/paths.h"
#include "common/snapshot.h"
#include "common/verdict.h"
#include "tests/unit/roster_maker.h"
#include "tests/unit/suite.h"

#define OWNER	300125u		/* a uid that this machine does not use */
#define WAIT_MS	60000

static char root[64];
static struct paths paths;
static pid_t daemon_pid;
static int log_fd;

/* ---- files ---- */

static void
write_etc(const char *name, const char *text)
{
	char path[PATH_MAX], temp[PATH_MAX + 8];
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/etc/%s", root, name);
	(void)snprintf(temp, sizeof temp, "%s.new", path);
	f = fopen(temp, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(temp, 0644), 0);
	ck_assert_int_eq(rename(temp, path), 0);
}

static void
make_folder(const char *path)
{
	char full[PATH_MAX];

	(void)snprintf(full, sizeof full, "%s%s", root, path);
	ck_assert_int_eq(mkdir(full, 0755), 0);
}

static void
start_daemon(void)
{
	char log[PATH_MAX];
	uid_t self = geteuid();

	(void)snprintf(log, sizeof log, "%s/log", root);
	log_fd = open(log, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	ck_assert_int_ge(log_fd, 0);
	daemon_pid = fork();
	ck_assert_int_ge(daemon_pid, 0);
	if (daemon_pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)dup2(log_fd, STDERR_FILENO);
		(void)execl(TEST_BUILDDIR "/ismsd", "ismsd", "publisher", "--root", root, (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < WAIT_MS / 20; i++) {
		int fd;

		if (channel_connect(paths.publisher_socket, &self, 1, channel_now_ms() + WAIT_MS, &fd) == 0) {
			(void)close(fd);
			return;
		}
		(void)usleep(20000);
	}
	ck_abort_msg("the publisher did not start");
}

static void
begin(void)
{
	static const char *const folders[] = { "/etc", "/etc/isms", "/var", "/var/lib", "/var/lib/isms",
		"/var/lib/isms/nss" };

	(void)snprintf(root, sizeof root, "%s/isms-pub-XXXXXX", suite_folder());
	ck_assert_ptr_nonnull(mkdtemp(root));
	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
		make_folder(folders[i]);
	ck_assert_int_eq(paths_init(root, &paths), 0);
	write_etc("passwd", "root:x:0:0::/root:/bin/sh\nbob:x:1500:1500::/home/bob:/bin/sh\n");
	write_etc("group", "root:x:0:\nlog-read:x:900:ada\nsudo:x:27:ada\nisms-mfa:x:991:\n");
	write_etc("isms/isms.conf", "[nss]\nvalid-for = 60s\n[login]\nend-grace = 1s\ncontact = help@example.com\n");
	write_etc("isms/policy.conf", "[role any]\nmatch = any\nallow-services = sshd\nkeep-groups = log-read web\n");
	start_daemon();
}

static void
stop_daemon(void)
{
	int status;

	ck_assert_int_eq(kill(daemon_pid, SIGTERM), 0);
	ck_assert_int_eq(waitpid(daemon_pid, &status, 0), daemon_pid);
	ck_assert_int_eq(status, 0);
	(void)close(log_fd);
}

static void
end(void)
{
	char command[128];

	stop_daemon();
	(void)snprintf(command, sizeof command, "rm -r %s", root);
	ck_assert_int_eq(system(command), 0);
}

/* Whether the log has a text, within ms. */
static bool
has_logged(const char *text, int ms)
{
	for (;; ms -= 20) {
		char log[65536];
		ssize_t n = pread(log_fd, log, sizeof log - 1, 0);

		ck_assert_int_ge(n, 0);
		log[n] = '\0';
		if (strstr(log, text) != NULL)
			return true;
		if (ms <= 0)
			return false;
		(void)usleep(20000);
	}
}

/* ---- messages ---- */

static int
connect_to(void)
{
	uid_t self = geteuid();
	int fd;

	ck_assert_int_eq(channel_connect(paths.publisher_socket, &self, 1, channel_now_ms() + WAIT_MS, &fd), 0);
	return fd;
}

static void
receive(int fd, enum message want, void *ret, size_t size)
{
	static uint8_t frame[PROTO_PRIVATE_MAX];
	const struct message_info *info;
	size_t len;

	ck_assert_int_eq(channel_recv(fd, frame, sizeof frame, channel_now_ms() + WAIT_MS, &info, &len), 0);
	ck_assert_int_eq(info->number, want);
	ck_assert_uint_eq(info->struct_size, size);
	ck_assert_int_eq(proto_decode(info, frame, len, ret), 0);
}

static uint64_t serial = 7;	/* of the state that was sent last */

static struct msg_roster_result
send_message(const struct msg_roster *m, int memfd)
{
	struct msg_roster_result answer;
	int fd = connect_to();

	ck_assert_int_eq(channel_send_fd(fd, MSG_ROSTER, m, memfd, channel_now_ms() + WAIT_MS), 0);
	receive(fd, MSG_ROSTER_RESULT, &answer, sizeof answer);
	ck_assert_uint_eq(answer.serial, m->serial);
	(void)close(fd);
	(void)close(memfd);
	return answer;
}

/* A whole one. */
static struct msg_roster_result
send_roster(int memfd)
{
	const struct msg_roster m = { .serial = ++serial };

	return send_message(&m, memfd);
}

static struct msg_roster_result
vouch(uint64_t for_serial)
{
	const struct msg_roster_vouch m = { .serial = for_serial };
	struct msg_roster_result answer;
	int fd = connect_to();

	ck_assert_int_eq(channel_send(fd, MSG_ROSTER_VOUCH, &m, channel_now_ms() + WAIT_MS), 0);
	receive(fd, MSG_ROSTER_RESULT, &answer, sizeof answer);
	ck_assert_uint_eq(answer.serial, for_serial);
	(void)close(fd);
	return answer;
}

static const char *
get_status(void)
{
	static struct msg_report answer;
	const struct msg_publisher_status m = { .end_ = { 0 } };
	int fd = connect_to();

	ck_assert_int_eq(channel_send(fd, MSG_PUBLISHER_STATUS, &m, channel_now_ms() + WAIT_MS), 0);
	receive(fd, MSG_REPORT, &answer, sizeof answer);
	(void)close(fd);
	return answer.lines;
}

static uint32_t
end_sessions(const char *user, uint32_t uid)
{
	struct msg_sessions_end m = { .uid = uid, .reason = REASON_FORBIDDEN_GROUP, .txn = "t1" };
	struct msg_done answer;
	int fd = connect_to();

	(void)snprintf(m.user, sizeof m.user, "%s", user);
	ck_assert_int_eq(channel_send(fd, MSG_SESSIONS_END, &m, channel_now_ms() + WAIT_MS), 0);
	receive(fd, MSG_DONE, &answer, sizeof answer);
	(void)close(fd);
	return answer.error;
}

static void
open_snapshot(struct snapshot *ret)
{
	char path[PATH_MAX + 16];

	(void)snprintf(path, sizeof path, "%s/%s", paths.nss, SNAPSHOT_BASE_NAME);
	ck_assert_int_eq(snapshot_open(path, geteuid(), ret), 0);
	ck_assert_int_eq(snapshot_check_whole(ret), 0);
}

/* Wait until what is published has a generation; returns with it open. */
static void
await_generation(uint64_t generation, struct snapshot *ret)
{
	char path[PATH_MAX + 16];

	(void)snprintf(path, sizeof path, "%s/%s", paths.nss, SNAPSHOT_BASE_NAME);
	for (int i = 0; i < WAIT_MS / 20; i++) {
		if (access(path, R_OK) == 0) {
			open_snapshot(ret);
			if (snapshot_generation(ret) == generation)
				return;
			snapshot_close(ret);
		}
		(void)usleep(20000);
	}
	ck_abort_msg("generation did not appear");
}

static void
await_users(uint64_t generation, uint32_t users)
{
	struct snapshot s;

	await_generation(generation, &s);
	ck_assert_uint_eq(snapshot_user_count(&s), users);
	snapshot_close(&s);
}

/* ---- tests ---- */

static const struct roster_group groups[] = { { 1, 3000, "web" }, { 2, 900, "low" }, { 3, 3001, "sudo" } };
static const uint32_t all_groups[] = { 3000, 900, 3001 };
static const char *const locals[] = { "log-read", "sudo", "root", "absent" };

static struct roster_user
make_ada(void)
{
	return (struct roster_user){ .name = "ada", .uid = OWNER, .gid = OWNER, .gecos = "Ada: \"L\"",
		.home = "/home/ada", .shell = "/tmp/evil", .flags = ROSTER_MFA, .groups = all_groups, .group_count = 3,
		.locals = locals, .local_count = 4 };
}

START_TEST(publishes)
{
	struct roster_user users[] = { make_ada(), { .name = "bob", .uid = 2000, .gid = 2000 },
		{ .name = "eve", .uid = 0, .gid = 2000 }, { .name = "joe", .uid = 2001, .gid = 27 } };
	struct msg_roster_result answer;
	struct snapshot s;
	struct snapshot_user u;
	struct snapshot_group g;
	uint32_t gids[8];

	begin();
	answer = send_roster(roster_maker_seal(groups, 3, users, 4));
	ck_assert_msg(answer.accepted == 1, "%s", answer.text);
	ck_assert_uint_eq(answer.users, 1);
	ck_assert_uint_eq(answer.refused, 5);
	open_snapshot(&s);
	ck_assert_uint_eq(snapshot_generation(&s), 1);
	ck_assert_int_eq(snapshot_valid_until_utc_sec(&s) - snapshot_created_utc_sec(&s), 60);
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

/* A process of a uid; its parent reaps it. */
static pid_t
start_process(uint32_t uid)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
			_exit(1);
		for (;;)
			(void)pause();
	}
	return pid;
}

static bool
is_gone(pid_t pid, int ms)
{
	for (;; ms -= 5) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return true;
		if (ms <= 0)
			return false;
		(void)usleep(5000);
	}
}

static double
now_sec(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

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

int
main(void)
{
	const struct suite_row rows[] = {
		{ publishes, 0 }, { republishes, 0 }, { rejects, 0 }, { survives_a_restart, 0 }, { cannot_write, 0 },
		{ puts_back_what_is_gone, 0 }, { ps06a_ends_at_the_instant, 0 }, { ends_who_must_leave, 0 },
		{ first_roster_after_a_restart, 0 },
	};

	return suite_run("publisher", rows, ROWS(rows), 60);
}

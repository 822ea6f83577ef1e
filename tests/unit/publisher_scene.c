/*
 * publisher_scene.c - see publisher_scene.h. Test programs only.
 */
#include <config.h>

#include "tests/unit/publisher_scene.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/channel.h"
#include "common/verdict.h"
#include "tests/unit/suite.h"

char root[64];
struct paths paths;
pid_t daemon_pid;
uint64_t serial = 7;

static int log_fd;

/* ---- files ---- */

void
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

/* In the child: what systemd kept, from the first descriptor that it passes on. */
static void
pass_kept(const struct kept *kept, unsigned count)
{
	char names[256] = "", number[16];

	for (unsigned i = 0; i < count; i++)
		if (dup2(kept[i].fd, 100 + (int)i) < 0)		/* out of the way first */
			_exit(126);
	for (unsigned i = 0; i < count; i++) {
		size_t used = strlen(names);

		if (dup2(100 + (int)i, 3 + (int)i) < 0)
			_exit(126);
		(void)snprintf(names + used, sizeof names - used, "%s%s", i > 0 ? ":" : "", kept[i].name);
	}
	(void)snprintf(number, sizeof number, "%u", count);
	(void)setenv("LISTEN_FDS", number, 1);
	(void)setenv("LISTEN_FDNAMES", names, 1);
	(void)snprintf(number, sizeof number, "%d", (int)getpid());
	(void)setenv("LISTEN_PID", number, 1);
}

void
start_daemon(void)
{
	start_daemon_with(NULL, 0);
}

void
start_daemon_with(const struct kept *kept, unsigned count)
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
		if (count > 0)
			pass_kept(kept, count);
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

void
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

void
stop_daemon(void)
{
	int status;

	ck_assert_int_eq(kill(daemon_pid, SIGTERM), 0);
	ck_assert_int_eq(waitpid(daemon_pid, &status, 0), daemon_pid);
	ck_assert_int_eq(status, 0);
	(void)close(log_fd);
}

void
end(void)
{
	char command[128];

	stop_daemon();
	(void)snprintf(command, sizeof command, "rm -r %s", root);
	ck_assert_int_eq(system(command), 0);
}

/* Whether the log has a text, within ms. */
bool
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

int
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

struct msg_roster_result
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
struct msg_roster_result
send_roster(int memfd)
{
	const struct msg_roster m = { .serial = ++serial };

	return send_message(&m, memfd);
}

struct msg_roster_result
send_change(int memfd)
{
	const struct msg_roster m = { .serial = serial + 1, .after = serial };

	serial++;
	return send_message(&m, memfd);
}

struct msg_roster_result
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

const char *
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

uint32_t
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

void
open_snapshot(struct snapshot *ret)
{
	char path[PATH_MAX + 16];

	(void)snprintf(path, sizeof path, "%s/%s", paths.nss, SNAPSHOT_BASE_NAME);
	ck_assert_int_eq(snapshot_open_state(path, geteuid(), ret), 0);
	ck_assert_int_eq(snapshot_check_whole(ret), 0);
}

/* Wait until what is published has a generation; returns with it open. */
void
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

void
await_users(uint64_t generation, uint32_t users)
{
	struct snapshot s;

	await_generation(generation, &s);
	ck_assert_uint_eq(snapshot_user_count(&s), users);
	snapshot_close(&s);
}

/* ---- processes ---- */

/* A process of a uid, which it has when this returns; its parent reaps it. */
pid_t
start_process(uint32_t uid)
{
	int ready[2];
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe(ready), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	(void)close(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	return pid;
}

bool
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

double
now_sec(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* ---- people ---- */

const struct roster_group groups[3] = { { 1, 3000, "web" }, { 2, 900, "low" }, { 3, 3001, "sudo" } };
const uint32_t all_groups[3] = { 3000, 900, 3001 };
static const char *const locals[] = { "log-read", "sudo", "root", "absent" };

struct roster_user
make_ada(void)
{
	return (struct roster_user){ .name = "ada", .uid = OWNER, .gid = OWNER, .gecos = "Ada: \"L\"",
		.home = "/home/ada", .shell = "/tmp/evil", .flags = ROSTER_MFA, .groups = all_groups, .group_count = 3,
		.locals = locals, .local_count = 4 };
}

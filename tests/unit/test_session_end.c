/*
 * test_session_end.c - whose processes are found and hit, whose are not, and what terminals are written to.
 *
 * As root: real processes of uids that nobody has are put out. As anybody else: the parts that need no right.
 */
#include <config.h>

#include "daemon/session_end.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "daemon/loop.h"
#include "daemon/proc_scan.h"
#include "daemon/session_warn.h"
#include "tests/unit/suite.h"

#define OWNER	300123u		/* uids of the managed range that this machine does not use */
#define OTHER	300124u

static int64_t skipped_ms;	/* by which this test's clock runs ahead, so that it need not wait */

int64_t __real_loop_now_ms(void);
int64_t __wrap_loop_now_ms(void);

int64_t
__wrap_loop_now_ms(void)
{
	return __real_loop_now_ms() + skipped_ms;
}

/* A process of a uid that ignores what it can; ready when it returns. */
static pid_t
start_process(uint32_t uid, bool stubborn)
{
	int ready[2];
	pid_t pid;
	char c;

	ck_assert_int_eq(pipe(ready), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (stubborn) {
			(void)signal(SIGTERM, SIG_IGN);
			(void)signal(SIGHUP, SIG_IGN);
		}
		if (setresuid(uid, uid, uid) < 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	(void)close(ready[1]);
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	(void)close(ready[0]);
	return pid;
}

static bool
is_running(pid_t pid)
{
	return waitpid(pid, NULL, WNOHANG) == 0;
}

static void
stop_process(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

START_TEST(reads_itself)
{
	struct proc_facts facts;

	ck_assert_int_eq(proc_read("/proc", getpid(), &facts), 0);
	ck_assert_uint_eq(facts.uids[0], getuid());
	ck_assert_uint_eq(facts.uids[1], geteuid());
	ck_assert(proc_belongs(&facts, getuid()));
	ck_assert(!proc_belongs(&facts, OWNER));
	ck_assert_int_eq(proc_read("/nonexistent", getpid(), &facts), -ENOENT);
	ck_assert_int_eq(proc_read("/proc", 0x7ffffff0, &facts), -ESRCH);
}
END_TEST

START_TEST(has_groups)
{
	const uint32_t gids[] = { 4000000000u, getgid(), 4000000001u };
	size_t which = 9;

	ck_assert_int_eq(proc_has_group("/proc", getpid(), gids, 3, &which), 1);
	ck_assert_uint_eq(which, 1);
	ck_assert_int_eq(proc_has_group("/proc", getpid(), gids, 1, &which), 0);
	ck_assert_int_eq(proc_has_group("/proc", 0x7ffffff0, gids, 3, &which), 0);
}
END_TEST

/* Supplementary groups, in the order in which they matter, and after many others. */
START_TEST(has_supplementary_groups)
{
	static const uint32_t gids[] = { 70000, 2000 }, none[] = { 7, 20, 200, 700 };
	char folder[256], path[300];
	size_t which;
	FILE *f;

	(void)snprintf(folder, sizeof folder, "%s/proc", suite_folder());
	ck_assert_int_eq(mkdir(folder, 0755), 0);
	(void)snprintf(path, sizeof path, "%s/77", folder);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	(void)snprintf(path, sizeof path, "%s/77/status", folder);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	(void)fprintf(f, "Name:\tx\nUid:\t1 1 1 1\nGid:\t2000\t7\t7\t7\nFDSize:\t64\nGroups:\t");
	for (unsigned i = 0; i < 6000; i++)
		(void)fprintf(f, "%u ", 10000 + i);
	(void)fprintf(f, "70000 \nNStgid:\t7\n");
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(proc_has_group(folder, 77, gids, 2, &which), 1);
	ck_assert_uint_eq(which, 0);
	ck_assert_int_eq(proc_has_group(folder, 77, gids + 1, 1, &which), 1);
	ck_assert_int_eq(proc_has_group(folder, 77, none, 4, &which), 0);
}
END_TEST

START_TEST(belongs_by_any_id)
{
	for (unsigned i = 0; i < 5; i++) {
		struct proc_facts facts = { .login_uid = i == 4 ? OWNER : PROC_NO_UID };

		if (i < 4)
			facts.uids[i] = OWNER;
		ck_assert(proc_belongs(&facts, OWNER));
		ck_assert(!proc_belongs(&facts, OTHER));
	}
}
END_TEST

START_TEST(never_signalled)
{
	static const int signals[] = { SIGTERM, 0 };

	ck_assert_int_eq(proc_signal("/proc", 1, OWNER, signals), -EPERM);
	ck_assert_int_eq(proc_signal("/proc", 0, OWNER, signals), -EPERM);
	ck_assert_int_eq(proc_signal("/proc", -1, OWNER, signals), -EPERM);
	ck_assert_int_eq(proc_signal("/proc", getpid(), getuid(), signals), -EPERM);
	ck_assert_int_eq(proc_signal("/proc", getppid(), 0, signals), -EPERM);
	ck_assert_int_eq(proc_signal("/proc", getppid(), OWNER, signals), getppid() > 1 ? 0 : -EPERM);
	ck_assert_int_eq(proc_signal("/proc", 0x7ffffff0, OWNER, signals), 0);
}
END_TEST

START_TEST(finds_live_uids)
{
	uint32_t *uids = NULL;
	size_t count = 0, hits = 0;
	pid_t pid;

	if (!suite_as_root())
		return;
	pid = start_process(OWNER, false);
	ck_assert_int_eq(proc_live_uids("/proc", NULL, &uids, &count), 0);
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_ge(uids[i], 1000);
		ck_assert(i == 0 || uids[i - 1] < uids[i]);
		hits += uids[i] == OWNER;
	}
	ck_assert_uint_eq(hits, 1);
	free(uids);
	stop_process(pid);
}
END_TEST

/* A /proc that hides the processes of others: logind's own files name who is there. */
START_TEST(finds_users_of_logind)
{
	static const char *const names[] = { "300124", "300123", "1000", "999", "0", "4294967295", "99999999999", "12x",
		".#300125" };
	static const uint32_t expected[] = { 1000, OWNER, OTHER };
	char folder[48], path[64];
	uint32_t *uids = NULL;
	size_t count = 0, proc = 0;

	(void)snprintf(folder, sizeof folder, "%s/isms-users-XXXXXX", suite_folder());
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(proc_live_uids(folder, NULL, &uids, &proc), 0);	/* a /proc without processes */
	ck_assert_uint_eq(proc, 0);
	for (size_t i = 0; i < ROWS(names); i++) {
		(void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		ck_assert_int_eq(close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
	}
	ck_assert_int_eq(proc_live_uids("/proc/self/net", folder, &uids, &count), 0);
	ck_assert_uint_eq(count, ROWS(expected));
	for (size_t i = 0; i < count; i++)
		ck_assert_uint_eq(uids[i], expected[i]);
	free(uids);
	for (size_t i = 0; i < ROWS(names); i++) {
		(void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		ck_assert_int_eq(unlink(path), 0);
	}
	ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

/* ---- the whole course, without logind ---- */

static sd_event *loop;
static struct session_end *ender;
static struct session_end_result last;
static unsigned done_count;
static bool due_answer;
static const struct session_end_order order = { .uid = OWNER, .name = "ada", .reason = REASON_EXPIRED };

static bool
on_ask_due(const struct session_end_order *asked, void *arg)
{
	(void)arg;
	ck_assert_uint_eq(asked->uid, OWNER);
	return due_answer;
}

static void
on_done(const struct session_end_result *result, void *arg)
{
	(void)arg;
	last = *result;
	done_count++;
}

static void
begin(void)
{
	const struct session_end_hooks hooks = { .due = on_ask_due, .done = on_done };

	done_count = 0;
	due_answer = true;
	ck_assert_int_ge(sd_event_new(&loop), 0);
	ck_assert_int_eq(session_end_new(loop, &hooks, &ender), 0);
	session_end_set_grace(ender, 1);
}

static void
end(void)
{
	session_end_free(ender);
	sd_event_unref(loop);
}

/* Run the loop for a while, or until an end is reported. */
static void
run_for(int64_t ms)
{
	int64_t until = loop_now_ms() + ms;
	unsigned before = done_count;

	while (loop_now_ms() < until && done_count == before)
		ck_assert_int_ge(sd_event_run(loop, 20000), 0);
}

/* Run the loop until a process of ours has ended. */
static bool
ends_within(pid_t pid, int64_t ms)
{
	int64_t until = loop_now_ms() + ms;

	while (is_running(pid)) {
		if (loop_now_ms() >= until)
			return false;
		ck_assert_int_ge(sd_event_run(loop, 20000), 0);
	}
	return true;
}

/* Run the loop until no end is under way any more. */
static bool
rests_within(int64_t ms)
{
	int64_t until = loop_now_ms() + ms;

	while (session_end_active(ender) > 0) {
		if (loop_now_ms() >= until)
			return false;
		ck_assert_int_ge(sd_event_run(loop, 20000), 0);
	}
	return true;
}

START_TEST(refuses_ids)
{
	static const uint32_t ids[] = { 0, 1, 999, 61184, 65534, 65535, UINT32_MAX };
	struct session_end_order never = order;

	begin();
	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
		never.uid = ids[i];
		ck_assert_int_eq(session_end_begin(ender, &never), -EPERM);
	}
	ck_assert_uint_eq(session_end_active(ender), 0);
	end();
}
END_TEST

START_TEST(ps06a_expiry_live)
{
	pid_t tame, stubborn, other;
	int64_t began;

	if (!suite_as_root())
		return;
	tame = start_process(OWNER, false);
	stubborn = start_process(OWNER, true);
	other = start_process(OTHER, false);
	begin();
	began = loop_now_ms();
	ck_assert_int_eq(session_end_begin(ender, &order), 0);
	ck_assert_int_eq(session_end_begin(ender, &order), 0);	/* twice is once */
	ck_assert(ends_within(tame, 4000));	/* asked */
	if (loop_now_ms() - began < 1000)	/* the time of grace; the loop stands still */
		ck_assert(is_running(stubborn));
	run_for(4000);
	ck_assert_uint_eq(done_count, 1);
	ck_assert_int_lt(loop_now_ms() - began, 5000);
	ck_assert_uint_eq(last.processes, 2);
	ck_assert_uint_eq(last.survivors, 0);
	ck_assert(!is_running(stubborn));	/* killed */
	ck_assert(is_running(other));
	ck_assert_uint_eq(session_end_active(ender), 0);
	ck_assert_uint_eq(session_end_total(ender), 1);
	/* What a login that was under way brings up is ended too. */
	tame = start_process(OWNER, false);
	run_for(4000);
	ck_assert_uint_eq(done_count, 2);
	ck_assert(!is_running(tame));
	end();
	stop_process(other);
}
END_TEST

/* A process that makes new ones of a uid, faster than they are killed: something of it is alive at every look. */
static pid_t
start_spring(uint32_t uid)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid != 0)
		return pid;
	(void)signal(SIGCHLD, SIG_IGN);
	for (;;) {
		pid = fork();
		if (pid == 0) {
			if (setresuid(uid, uid, uid) < 0)
				_exit(1);
			for (;;)
				(void)pause();
		}
		(void)usleep(5000);
	}
}

START_TEST(survivors_are_not_forgotten)
{
	pid_t spring, late;

	if (!suite_as_root())
		return;
	spring = start_spring(OWNER);
	begin();
	(void)usleep(100000);
	ck_assert_int_eq(session_end_begin(ender, &order), 0);
	run_for(500);
	skipped_ms = 5000;
	run_for(4000);
	ck_assert_uint_eq(done_count, 1);
	ck_assert_uint_gt(last.survivors, 0);
	skipped_ms = 60000;			/* long after the half minute of a watch */
	run_for(2500);
	ck_assert_uint_eq(session_end_active(ender), 1);
	late = start_process(OWNER, true);
	ck_assert(ends_within(late, 10000));
	due_answer = false;			/* extended: no more */
	ck_assert(rests_within(10000));
	late = start_process(OWNER, true);
	run_for(1500);
	ck_assert(is_running(late));
	stop_process(late);
	stop_process(spring);
	due_answer = true;			/* collects what is left */
	ck_assert_int_eq(session_end_begin(ender, &order), 0);
	run_for(3000);
	skipped_ms = 0;
	end();
}
END_TEST

START_TEST(ps07a_grace_race)
{
	pid_t stubborn;

	if (!suite_as_root())
		return;
	stubborn = start_process(OWNER, true);
	begin();
	session_end_set_grace(ender, 4);
	ck_assert_int_eq(session_end_begin(ender, &order), 0);
	run_for(300);
	due_answer = false;			/* extended within the grace time */
	ck_assert(rests_within(10000));
	ck_assert_uint_eq(done_count, 0);
	ck_assert(is_running(stubborn));
	end();
	stop_process(stubborn);
}
END_TEST

START_TEST(nobody_there)
{
	begin();
	ck_assert_int_eq(session_end_begin(ender, &order), 0);
	ck_assert(rests_within(10000));
	ck_assert_uint_eq(done_count, 0);	/* no event for nothing */
	end();
}
END_TEST

START_TEST(once)
{
	struct session_end_order now = order;
	pid_t pid;

	if (!suite_as_root())
		return;
	now.once = true;
	due_answer = false;			/* not asked */
	pid = start_process(OWNER, false);
	begin();
	due_answer = false;
	ck_assert_int_eq(session_end_begin(ender, &now), 0);
	run_for(4000);
	ck_assert_uint_eq(done_count, 1);
	ck_assert(!is_running(pid));
	pid = start_process(OWNER, false);	/* a new login of a user who may */
	run_for(1500);
	ck_assert(is_running(pid));
	end();
	stop_process(pid);
}
END_TEST

/* A first thread that has ended looks like a zombie; the process lives on. */
static void *
stay(void *arg)
{
	(void)arg;
	for (;;)
		(void)pause();
	return NULL;
}

START_TEST(without_first_thread)
{
	pthread_t thread;
	pid_t pid;

	if (!suite_as_root())
		return;
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		(void)signal(SIGTERM, SIG_IGN);
		(void)signal(SIGHUP, SIG_IGN);
		if (setresuid(OWNER, OWNER, OWNER) < 0 || pthread_create(&thread, NULL, stay, NULL) != 0)
			_exit(1);
		pthread_exit(NULL);
	}
	(void)usleep(100000);
	ck_assert(is_running(pid));
	begin();
	ck_assert_int_eq(session_end_begin(ender, &order), 0);
	run_for(4000);
	ck_assert_uint_eq(done_count, 1);
	ck_assert(!is_running(pid));
	end();
}
END_TEST

/* ---- terminals ---- */

static const char *only;	/* of all terminals, which may be other people's, /dev has this one */

struct dirent *__real_readdir(DIR *dir);
struct dirent *__wrap_readdir(DIR *dir);

struct dirent *
__wrap_readdir(DIR *dir)
{
	struct dirent *d = __real_readdir(dir);

	while (d != NULL && only != NULL && strcmp(d->d_name, only) != 0)
		d = __real_readdir(dir);
	return d;
}

static bool
warn_owner(uint32_t uid, char *buf, size_t size, void *arg)
{
	const uint32_t *owner = arg;

	if (uid != *owner)
		return false;
	session_warn_before(buf, size, 1782856800, 1782856740, "help\x1b[2J\n@example.com");
	return true;
}

START_TEST(warns_on_terminals)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave;
	bool as_root = suite_as_root();
	uint32_t owner = as_root ? OWNER : getuid();	/* below 1000 nobody is written to */
	char text[1024];
	ssize_t n;

	ck_assert_int_ge(master, 0);
	ck_assert_int_eq(grantpt(master), 0);
	ck_assert_int_eq(unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(slave, 0);
	only = strrchr(ptsname(master), '/') + 1;
	if (as_root)
		ck_assert_int_eq(fchown(slave, owner, (gid_t)-1), 0);
	ck_assert_uint_eq(session_warn_each("/dev", warn_owner, &owner), owner >= 1000);
	if (owner < 1000)
		goto out;
	n = read(master, text, sizeof text - 1);
	ck_assert_int_gt(n, 0);
	text[n] = '\0';
	ck_assert_ptr_nonnull(strstr(text, "2026-06-30T22:00:00Z"));
	ck_assert_ptr_nonnull(strstr(text, "help?[2J?@example.com"));
	ck_assert_ptr_null(strchr(text, '\x1b'));
	/* A stopped terminal is not waited for. */
	ck_assert_int_eq(tcflow(slave, TCOOFF), 0);
	(void)session_warn_each("/dev", warn_owner, &owner);
	ck_assert_int_eq(tcflow(slave, TCOON), 0);
out:
	(void)close(slave);
	(void)close(master);
	ck_assert_uint_eq(session_warn_each("/nonexistent", warn_owner, &owner), 0);
	only = NULL;
}
END_TEST

START_TEST(texts_are_bounded)
{
	char buf[SESSION_WARN_TEXT_MAX], contact[1024];
	struct msg_emergency m = { .until_utc_sec = INT64_MAX, .used = 1 };

	memset(contact, 'x', sizeof contact - 1);
	contact[sizeof contact - 1] = '\0';
	session_warn_before(buf, sizeof buf, INT64_MAX, 0, contact);
	ck_assert_uint_lt(strlen(buf), sizeof buf - 1);
	session_warn_ended(buf, sizeof buf, contact);
	ck_assert_uint_lt(strlen(buf), sizeof buf - 1);
	memset(m.user, 'u', sizeof m.user - 1);
	memset(m.by, 'b', sizeof m.by - 1);
	memset(m.reason, 'r', sizeof m.reason - 1);
	session_warn_emergency(buf, sizeof buf, &m);
	ck_assert_uint_lt(strlen(buf), sizeof buf - 1);
	m = (struct msg_emergency){ .user = "glas", .by = "uid=carol,ou=people", .reason = "disk\x1b[2J\nis full", .until_utc_sec = 1782856800 };
	session_warn_emergency(buf, sizeof buf, &m);
	ck_assert_str_eq(buf, "\r\n*** Break-glass account glas was armed by carol until 2026-06-30T22:00:00Z: disk?[2J?is full\r\n");
	m.used = 1;
	session_warn_emergency(buf, sizeof buf, &m);
	ck_assert_str_eq(buf, "\r\n*** Break-glass account glas is used, armed by carol until 2026-06-30T22:00:00Z: disk?[2J?is full\r\n");
}
END_TEST

int
main(void)
{
	const struct suite_row rows[] = {
		{ reads_itself, 0 }, { has_groups, 0 }, { has_supplementary_groups, 0 },
		{ belongs_by_any_id, 0 }, { never_signalled, 0 }, { finds_live_uids, 0 }, { finds_users_of_logind, 0 },
		{ refuses_ids, 0 }, { ps06a_expiry_live, 0 }, { survivors_are_not_forgotten, 0 }, { ps07a_grace_race, 0 }, { nobody_there, 0 }, { once, 0 },
		{ without_first_thread, 0 }, { warns_on_terminals, 0 }, { texts_are_bounded, 0 },
	};

	return suite_run("session_end", rows, ROWS(rows), 30);
}

/*
 * test_nss_process.c - what the built module does to the process that it is in, and that to it: faults of
 * the file, system calls, descriptors, threads, forks, dlclose.
 */
#include <config.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "common/snapshot_format.h"
#include "daemon/snapshot_build.h"
#include "tests/nss/module.h"
#include "tests/nss/scratch.h"
#include "tests/nss/test_nss.h"

static char buf[65536];
static struct passwd pw;
static struct group gr;
static int error;

static enum nss_status
look_up(void)
{
	return module.getpwnam_r("u1", &pw, buf, sizeof buf, &error);
}

static void
pass(long ms)
{
	const struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	(void)nanosleep(&time, NULL);
}

static long
now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The path is asked once a second at most, which is three opens; a busy machine may take some seconds for a test. */
static bool
opened_rarely(int since, long began_ms)
{
	return module_opens - since <= 6 + 3 * (int)((now_ms() - began_ms) / 1000);
}

/* ---- faults of the file ---- */

/* One event, few opens however many ask, and picked up without a restart. */
static void
missing_then_there(void)
{
	long began_ms = now_ms();

	module_load();
	for (int i = 0; i < 1000; i++)
		MUST(look_up() == NSS_STATUS_UNAVAIL && error == ENOENT);
	MUST(opened_rarely(0, began_ms));
	MUST(module_sends == 1);
	MUST(strstr(module_last_event, "MESSAGE_ID=b7deb787cb7548bab7bc1481065f583d\n") != NULL);
	MUST(strstr(module_last_event, "missing") != NULL && strstr(module_last_event, "libnss_isms") != NULL);
	module_publish(&many_users, &plain_header);
	pass(1100);
	MUST(look_up() == NSS_STATUS_SUCCESS);
	MUST(module_sends == 1 && !module_strange_open);
}

/* Each kind of fault its own event, once; an older mapping serves on, and the cure is found. */
static void
refused_and_cured(void)
{
	const char *base;
	long began_ms;
	int opens;

	module_publish(&many_users, &plain_header);
	module_load();
	MUST(look_up() == NSS_STATUS_SUCCESS);
	module_publish(&many_users, &plain_header);
	base = scratch_path(SNAPSHOT_BASE_NAME);
	MUST(chmod(base, 0666) == 0);
	opens = module_opens;
	began_ms = now_ms();
	for (int i = 0; i < 100; i++)
		MUST(look_up() == NSS_STATUS_SUCCESS);
	MUST(module_sends == 1 && strstr(module_last_event, "refused") != NULL && opened_rarely(opens, began_ms));
	MUST(chmod(base, 0644) == 0);
	pass(1100);
	MUST(look_up() == NSS_STATUS_SUCCESS && module_mappings() == 1);
	opens = module_opens;
	MUST(look_up() == NSS_STATUS_SUCCESS && module_opens == opens);
}

static void
header_refused(void)
{
	scratch_write(SNAPSHOT_BASE_NAME, "ISMSSNAP and no more", 20);
	module_load();
	for (int i = 0; i < 10; i++)
		MUST(look_up() == NSS_STATUS_UNAVAIL && error == EINVAL);
	MUST(module_sends == 1 && module_mappings() == 0);
}

/* A corrupt record makes its own lookup unavailable and no other. */
static void
record_corrupt(void)
{
	struct snapshot_builder *b = population_build(&many_users);
	struct snapshot_user_record *record;
	struct snapshot_image image;
	struct snapshot_user user;
	struct snapshot s;

	MUST(snapshot_image_make(b, &plain_header, &image) == 0);
	s = (struct snapshot){ .base = image.bytes, .size = image.size };
	MUST(snapshot_find_user(&s, "u1", &user) == 1);
	record = (void *)(uintptr_t)(user.gecos - SNAPSHOT_USER_STRINGS);
	record->home_len = UINT16_MAX;
	module_publish_image(&image);
	module_load();
	for (int i = 0; i < 10; i++) {
		MUST(look_up() == NSS_STATUS_UNAVAIL && error == EINVAL);
		MUST(module.getpwuid_r(POPULATION_UID + 1, &pw, buf, sizeof buf, &error) == NSS_STATUS_UNAVAIL);
		MUST(module.getpwnam_r("u2", &pw, buf, sizeof buf, &error) == NSS_STATUS_SUCCESS);
	}
	MUST(module_sends == 1 && strstr(module_last_event, "corrupt record") != NULL);
	snapshot_image_done(&image);
	snapshot_builder_free(b);
}

/* Without an epoch page (a chroot that has the snapshot only) the path is asked once a second. */
static void
no_epoch(void)
{
	struct snapshot_header_in next = plain_header;
	struct population fewer = many_users;
	long began_ms = now_ms();

	module_publish(&many_users, &plain_header);
	MUST(unlink(scratch_path(SNAPSHOT_EPOCH_NAME)) == 0);
	module_load();
	for (int i = 0; i < 100; i++)
		MUST(look_up() == NSS_STATUS_SUCCESS);
	MUST(opened_rarely(0, began_ms));
	fewer.users = 1;
	next.generation = 2;
	module_publish(&fewer, &next);
	pass(1100);
	MUST(look_up() == NSS_STATUS_NOTFOUND && module_sends == 0);
}

/* ---- system calls, descriptors ---- */

/* After this, anything but leaving kills. */
static void
forbid_system_calls(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	const struct sock_fprog filter = { sizeof code / sizeof code[0], code };

	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
}

static void
no_system_call_when_warm(void)
{
	gid_t room[64] = { 0 }, *gids = room;
	char name[16];

	if (getenv("ISMS_VALGRIND") != NULL)
		return;		/* it makes system calls of its own */
	module_publish(&many_users, &plain_header);
	module_load();
	MUST(look_up() == NSS_STATUS_SUCCESS);
	(void)module.setpwent(0);
	forbid_system_calls();
	for (int i = 0; i < 20000; i++) {
		long start = 1, size = 64;

		(void)snprintf(name, sizeof name, "u%d", i % 400);
		MUST(module.getpwnam_r(name, &pw, buf, sizeof buf, &error) ==
		    (i % 400 < 200 ? NSS_STATUS_SUCCESS : NSS_STATUS_NOTFOUND));
		(void)module.getpwuid_r(POPULATION_UID + (uid_t)i, &pw, buf, sizeof buf, &error);
		(void)module.getgrgid_r(POPULATION_GID + (gid_t)i % 100, &gr, buf, sizeof buf, &error);
		MUST(module.getgrnam_r("everybody", &gr, buf, sizeof buf, &error) == NSS_STATUS_SUCCESS);
		MUST(module.getgrnam_r("everybody", &gr, buf, 100, &error) == NSS_STATUS_TRYAGAIN);
		(void)module.initgroups_dyn(name, 1, &start, &size, &gids, -1, &error);
		(void)module.getpwent_r(&pw, buf, sizeof buf, &error);
	}
	(void)syscall(SYS_exit_group, 0);	/* at once: sanitizers do more in _exit() */
}

/* The program closed everything and has its own files on all low numbers. */
static void
ns08a_fd_hijack(void)
{
	struct stat mine, st;
	int held;

	module_publish(&many_users, &plain_header);
	module_load();
	MUST(look_up() == NSS_STATUS_SUCCESS);
	(void)close_range(3, ~0U, 0);
	for (int fd = 3; fd < 64; fd++)
		MUST(open("/dev/zero", O_RDONLY | O_CLOEXEC) == fd);
	MUST(fstat(3, &mine) == 0);
	held = module_descriptors();
	for (int i = 0; i < 100; i++) {
		module_publish(&many_users, &plain_header);	/* so that the module opens again */
		MUST(look_up() == NSS_STATUS_SUCCESS);
	}
	for (int fd = 3; fd < 64; fd++)
		MUST(fstat(fd, &st) == 0 && st.st_ino == mine.st_ino && st.st_dev == mine.st_dev);
	MUST(module_descriptors() == held);
}

/* Standard descriptors closed, hostile environment, hostile folder: two paths are opened, nothing stays open. */
static void
ns09a_env_cwd(void)
{
	static const char *const hostile[] = {
		"LD_LIBRARY_PATH", "TMPDIR", "HOME", "LANG", "LC_ALL", "LOCPATH", "NLSPATH", "TZ", "ISMS_NSS_DIR",
		"ISMS_TEST_NSS", "MALLOC_TRACE", "RES_OPTIONS", "HOSTALIASES",
	};

	module_publish(&many_users, &plain_header);
	module_load();
	MUST(mkdir(scratch_path("cwd"), 0755) == 0 && chdir(scratch_path("cwd")) == 0);
	for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++)
		MUST(setenv(hostile[i], "./evil", 1) == 0);
	for (int i = 0; i < 10; i++) {
		module_publish(&many_users, &plain_header);
		MUST(look_up() == NSS_STATUS_SUCCESS);
	}
	MUST(!module_strange_open && module_opens == 20);
}

/* ---- threads ---- */

enum { THREADS = 32, SWAPS = 200 };

static _Atomic uint64_t published;
static _Atomic bool stop;

/* Valgrind runs one thread at a time: whoever never rests there keeps the processor from all others. */
static void
rest(unsigned done)
{
	static _Atomic unsigned between;

	if (between == 0)
		between = getenv("ISMS_VALGRIND") == NULL ? 256 : 1;
	if (done % between == 0)
		pass(1);
}

/* Everybody of a generation says so in two places. */
static void
add_generation(struct snapshot_builder *b, uint64_t generation)
{
	char gecos[32], home[32], name[16];

	(void)snprintf(gecos, sizeof gecos, "%llu", (unsigned long long)generation);
	(void)snprintf(home, sizeof home, "/home/%llu", (unsigned long long)generation);
	for (uint32_t i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof name, "u%u", i);
		MUST(snapshot_builder_add_user(b, 4000 + i, 4000, name, gecos, home, "/bin/sh", NULL, 0) == 0);
	}
}

/* One in eight is a base, the others are deltas. */
static void
publish_generation(uint64_t generation)
{
	struct snapshot_header_in header = plain_header;
	struct snapshot_builder *b;
	struct snapshot base = { 0 };

	header.generation = generation;
	if (generation % 8 == 1) {
		b = snapshot_builder_new();
	} else {
		MUST(snapshot_open(scratch_path("./" SNAPSHOT_BASE_NAME), getuid(), &base) == 0);
		b = snapshot_builder_new_delta(&base);
		for (uint32_t i = 0; i < 100; i++)
			MUST(snapshot_builder_hide_user(b, 4000 + i) == 0);
	}
	add_generation(b, generation);
	MUST(snapshot_builder_publish(b, scratch_path("."), &header) == 0);
	snapshot_builder_free(b);
	snapshot_close(&base);
	atomic_store(&published, generation);
}

/* Each answer is of one generation, and of none older than what was published before the question. */
static void *
look_up_for_ever(void *arg)
{
	char own[1024], name[16];
	struct passwd user;
	unsigned i = (unsigned)(uintptr_t)arg;
	int own_error;

	while (!atomic_load(&stop)) {
		uint64_t least = atomic_load(&published), got;

		(void)snprintf(name, sizeof name, "u%u", i++ % 100);
		rest(i);
		MUST(module.getpwnam_r(name, &user, own, sizeof own, &own_error) == NSS_STATUS_SUCCESS);
		got = strtoull(user.pw_gecos, NULL, 10);
		MUST(got >= least && strcmp(user.pw_name, name) == 0);
		MUST(strtoull(user.pw_dir + strlen("/home/"), NULL, 10) == got);
	}
	return NULL;
}

static void
start_threads(pthread_t *threads, int count)
{
	for (int i = 0; i < count; i++)
		MUST(pthread_create(&threads[i], NULL, look_up_for_ever, (void *)(uintptr_t)i) == 0);
}

static void
end_threads(const pthread_t *threads, int count)
{
	atomic_store(&stop, true);
	for (int i = 0; i < count; i++)
		MUST(pthread_join(threads[i], NULL) == 0);
}

static void
ns07a_threads(void)
{
	pthread_t threads[THREADS];
	uint64_t generation = 1;

	publish_generation(generation);
	module_load();
	start_threads(threads, THREADS);
	for (int i = 0; i < SWAPS; i++) {
		publish_generation(++generation);
		pass(1);
	}
	end_threads(threads, THREADS);
	publish_generation(++generation);
	MUST(look_up() == NSS_STATUS_SUCCESS && module_mappings() == 1 && module_delta_mappings() <= 1);
	MUST(module_sends == 0 && !module_strange_open);
}

/* A process forked amid lookups and swaps can look up, list, and map the next snapshot; it waits for nothing. */
static void
child_of_threads(uint64_t generation)
{
	(void)alarm(120);
	MUST(look_up() == NSS_STATUS_SUCCESS);
	MUST(module.setpwent(0) == NSS_STATUS_SUCCESS);
	MUST(module.getpwent_r(&pw, buf, sizeof buf, &error) == NSS_STATUS_SUCCESS);
	if (generation % 10 == 0) {
		publish_generation(generation + 1000000);
		MUST(look_up() == NSS_STATUS_SUCCESS && strtoull(pw.pw_gecos, NULL, 10) == generation + 1000000);
	}
	_exit(0);
}

static void *
list_for_ever(void *arg)
{
	char own[1024];
	struct passwd user;
	unsigned i = 0;
	int own_error;

	(void)arg;
	while (!atomic_load(&stop)) {
		rest(i++);
		if (module.getpwent_r(&user, own, sizeof own, &own_error) != NSS_STATUS_SUCCESS)
			(void)module.setpwent(0);
	}
	return NULL;
}

static void
ns05a_fork(void)
{
	pthread_t threads[4], lister;
	uint64_t generation = 1;

	publish_generation(generation);
	module_load();
	start_threads(threads, 4);
	MUST(pthread_create(&lister, NULL, list_for_ever, NULL) == 0);
	for (int i = 0; i < 100; i++) {
		int status = 1;
		pid_t pid;

		publish_generation(++generation);
		pid = fork();
		if (pid == 0)
			child_of_threads(generation);
		MUST(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
		if (generation % 10 == 0) {
			generation += 1000000;
			atomic_store(&published, generation);
		}
	}
	end_threads(threads, 4);
	MUST(pthread_join(lister, NULL) == 0);
}

static void *
look_up_and_wait(void *arg)
{
	pthread_barrier_t *barrier = arg;

	MUST(look_up() == NSS_STATUS_SUCCESS);
	(void)pthread_barrier_wait(barrier);	/* looked up */
	(void)pthread_barrier_wait(barrier);	/* closed */
	return NULL;
}

static void
ns06a_dlclose(void)
{
	pthread_barrier_t barrier;
	pthread_t thread;

	module_publish(&many_users, &plain_header);
	for (int i = 0; i < 10; i++) {
		module_load();
		MUST(pthread_barrier_init(&barrier, NULL, 2) == 0);
		MUST(pthread_create(&thread, NULL, look_up_and_wait, &barrier) == 0);
		(void)pthread_barrier_wait(&barrier);
		MUST(dlclose(module.handle) == 0);
		(void)pthread_barrier_wait(&barrier);
		MUST(pthread_join(thread, NULL) == 0);
		MUST(look_up() == NSS_STATUS_SUCCESS);	/* never unloaded: a thread could be inside */
	}
	MUST(module_mappings() == 1);
}

/* Old mappings go at once when nobody reads them. */
static void
many_generations(void)
{
	module_load();
	for (uint64_t generation = 1; generation <= 100; generation++) {
		publish_generation(generation);
		MUST(look_up() == NSS_STATUS_SUCCESS && strtoull(pw.pw_gecos, NULL, 10) == generation);
		MUST(module_mappings() == 1 && module_delta_mappings() == (generation % 8 != 1));
	}
}

static bool
shows(uint64_t generation)
{
	return look_up() == NSS_STATUS_SUCCESS && strtoull(pw.pw_gecos, NULL, 10) == generation;
}

/* A descriptor that was missing once, or for some time: nobody sees an older generation than before, if it can be helped. */
static void
no_way_back(void)
{
	publish_generation(1);
	module_load();
	MUST(shows(1));
	publish_generation(2);
	module_fail_opens = 1;
	for (int i = 0; i < 100; i++)
		MUST(shows(2));
	MUST(module_fail_opens == 0 && module_sends == 0);
	publish_generation(3);
	module_fail_opens = 3;
	MUST(shows(2));			/* there is nothing else */
	MUST(module_fail_opens == 1);
	for (int i = 0; i < 10; i++)	/* and so for a second, as no lookup has been given a newer one */
		(void)look_up();
	pass(1100);
	MUST(shows(3));			/* at the second try */
	for (int i = 0; i < 100; i++)
		MUST(shows(3));
	MUST(module_fail_opens == 0 && module_mappings() == 1);
}

static sigjmp_buf out_of_lookup;
static volatile sig_atomic_t in_lookup;

static void
throw_out(int number)
{
	(void)number;
	if (in_lookup)
		siglongjmp(out_of_lookup, 1);
}

/* Lookups that a signal handler threw out of the module leave their marks; the next answers are right all the same. */
static void
abandoned_lookups(void)
{
	const struct itimerval often = { { 0, 150 }, { 0, 150 } }, never = { { 0, 0 }, { 0, 0 } };
	volatile uint64_t generation = 1;
	volatile int thrown = 0;

	if (getenv("ISMS_VALGRIND") != NULL)
		return;		/* a timer that fits its pace would be a test of valgrind */
	publish_generation(generation);
	module_load();
	(void)signal(SIGALRM, throw_out);
	for (int i = 0; i < 20000 && thrown < 200; i++) {
		if (i % 10 == 0)
			publish_generation(++generation);
		MUST(setitimer(ITIMER_REAL, &often, NULL) == 0);
		if (sigsetjmp(out_of_lookup, 1) == 0) {
			in_lookup = true;
			for (int k = 0; k < 1000; k++)
				(void)look_up();
		} else {
			thrown++;
		}
		in_lookup = false;
		MUST(setitimer(ITIMER_REAL, &never, NULL) == 0);
		MUST(look_up() == NSS_STATUS_SUCCESS && strtoull(pw.pw_gecos, NULL, 10) == generation);
	}
	MUST(thrown > 0);
}

const struct process_test process_tests[] = {
	{ "missing_then_there", missing_then_there }, { "refused_and_cured", refused_and_cured },
	{ "header_refused", header_refused }, { "record_corrupt", record_corrupt }, { "no_epoch", no_epoch },
	{ "no_system_call_when_warm", no_system_call_when_warm }, { "ns08a_fd_hijack", ns08a_fd_hijack },
	{ "ns09a_env_cwd", ns09a_env_cwd }, { "ns07a_threads", ns07a_threads }, { "ns05a_fork", ns05a_fork },
	{ "ns06a_dlclose", ns06a_dlclose }, { "many_generations", many_generations },
	{ "abandoned_lookups", abandoned_lookups }, { "no_way_back", no_way_back },
};
const int process_test_count = sizeof process_tests / sizeof process_tests[0];

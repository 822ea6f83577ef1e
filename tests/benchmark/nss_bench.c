/*
 * nss_bench.c - the module called directly: ns per lookup, bytes per user, time of a publication.
 *
 *   nss_bench [USERS...]      default: 10000 100000
 *
 * Built by `make check`, run by hand or by tests/bench, never a timed test. Uniform random keys, warm;
 * each figure is the median of seven rounds. Every user is in 21 groups, so that sizes compare with BENCH.
 */
#include <config.h>

#include <dlfcn.h>
#include <grp.h>
#include <nss.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/snapshot.h"
#include "tests/nss/population.h"
#include "tests/nss/scratch.h"

enum { KEYS = 1 << 18, ROUNDS = 7 };

static enum nss_status (*ask_getpwnam)(const char *, struct passwd *, char *, size_t, int *);
static enum nss_status (*ask_getpwuid)(uid_t, struct passwd *, char *, size_t, int *);
static enum nss_status (*ask_getgrnam)(const char *, struct group *, char *, size_t, int *);
static enum nss_status (*ask_getgrgid)(gid_t, struct group *, char *, size_t, int *);
static enum nss_status (*ask_initgroups)(const char *, gid_t, long *, long *, gid_t **, long, int *);

static struct population people = { .per_user = 20 };
static uint32_t keys[KEYS];
static char names[KEYS][12], misses[KEYS][12];
static size_t room;

static double
now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void
must(int good)
{
	if (good)
		return;
	fputs("nss_bench: a lookup went wrong\n", stderr);
	scratch_remove();
	exit(1);
}

/* ---- one call of each kind: i chooses the key ---- */

static void
by_name(uint32_t i, char *buf)
{
	struct passwd pw;
	int error;

	must(ask_getpwnam(names[i], &pw, buf, room, &error) == NSS_STATUS_SUCCESS);
}

static void
one_name(uint32_t i, char *buf)
{
	by_name(i & 7, buf);
}

static void
by_uid(uint32_t i, char *buf)
{
	struct passwd pw;
	int error;

	must(ask_getpwuid(POPULATION_UID + keys[i], &pw, buf, room, &error) == NSS_STATUS_SUCCESS);
}

static void
no_name(uint32_t i, char *buf)
{
	struct passwd pw;
	int error;

	must(ask_getpwnam(misses[i], &pw, buf, room, &error) == NSS_STATUS_NOTFOUND);
}

static void
by_gid(uint32_t i, char *buf)
{
	struct group gr;
	int error;

	must(ask_getgrgid(POPULATION_GID + keys[i] % people.groups, &gr, buf, room, &error) == NSS_STATUS_SUCCESS);
}

static void
groups_of(uint32_t i, char *buf)
{
	long start = 1, size = 64;
	gid_t *gids = (gid_t *)(void *)buf;
	int error;

	must(ask_initgroups(names[i], 1, &start, &size, &gids, -1, &error) == NSS_STATUS_SUCCESS);
}

static void
everybody(uint32_t i, char *buf)
{
	struct group gr;
	int error;

	(void)i;
	must(ask_getgrnam("everybody", &gr, buf, room, &error) == NSS_STATUS_SUCCESS);
}

static const struct {
	const char *name;
	void (*call)(uint32_t, char *);
	uint32_t calls;
} operations[] = {
	{ "getpwnam, one of 8", one_name, KEYS }, { "getpwnam, any user", by_name, KEYS },
	{ "getpwuid, any user", by_uid, KEYS }, { "getpwnam, absent", no_name, KEYS },
	{ "getgrgid, any group", by_gid, KEYS }, { "initgroups, 21 groups", groups_of, KEYS },
	{ "getgrnam, everybody", everybody, 50 },
};

/* ---- measuring ---- */

static int
compare(const void *one, const void *other)
{
	double a = *(const double *)one, b = *(const double *)other;

	return (a > b) - (a < b);
}

static double
round_ns(void (*call)(uint32_t, char *), uint32_t calls, char *buf)
{
	double begin = now_ns();

	for (uint32_t i = 0; i < calls; i++)
		call(i, buf);
	return (now_ns() - begin) / calls;
}

static void *
in_thread(void *arg)
{
	char *buf = malloc(room);

	must(buf != NULL);
	for (unsigned i = 0; i < ROUNDS; i++)
		*(double *)arg += round_ns(by_name, KEYS, buf) / ROUNDS;
	free(buf);
	return NULL;
}

/* Lookups a second of several threads together. */
static void
measure_threads(unsigned count)
{
	pthread_t threads[8];
	double ns[8] = { 0 }, total = 0;

	for (unsigned i = 0; i < count; i++)
		must(pthread_create(&threads[i], NULL, in_thread, &ns[i]) == 0);
	for (unsigned i = 0; i < count; i++) {
		must(pthread_join(threads[i], NULL) == 0);
		total += 1e3 / ns[i];
	}
	printf("  %-24s %10.1f million a second in %u\n", "getpwnam, threads", total, count);
}

static void
measure(char *buf)
{
	for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
		double ns[ROUNDS];

		(void)round_ns(operations[i].call, operations[i].calls, buf);
		for (unsigned k = 0; k < ROUNDS; k++)
			ns[k] = round_ns(operations[i].call, operations[i].calls, buf);
		qsort(ns, ROUNDS, sizeof ns[0], compare);
		printf("  %-24s %10.1f ns (best %.1f)\n", operations[i].name, ns[ROUNDS / 2], ns[0]);
	}
	measure_threads(1);
	measure_threads(2);
	measure_threads(8);
}

static void
publish(uint32_t users)
{
	static const struct snapshot_header_in header = { .generation = 1 };
	struct snapshot_builder *b;
	double begin, built, done;
	struct stat st;

	people.users = users;
	people.groups = users / 5 + 1;
	room = 32 * (size_t)users + 65536;
	begin = now_ns();
	b = population_build(&people);
	built = now_ns();
	must(snapshot_builder_publish(b, scratch_path("."), &header) == 0);
	done = now_ns();
	snapshot_builder_free(b);
	must(stat(scratch_path(SNAPSHOT_BASE_NAME), &st) == 0);
	printf("%u users, %u groups: %.1f bytes a user; collected in %.2f s, published in %.2f s\n", users, people.groups,
	    (double)st.st_size / users, (built - begin) / 1e9, (done - built) / 1e9);
	for (uint32_t i = 0; i < KEYS; i++) {
		keys[i] = (uint32_t)random() % users;
		(void)snprintf(names[i], sizeof names[i], "u%u", keys[i]);
		(void)snprintf(misses[i], sizeof misses[i], "v%u", keys[i]);
	}
}

static void
load(void)
{
	void *module;

	(void)setenv("ISMS_TEST_NSS", scratch_path("."), 1);
	module = dlopen(TEST_BUILDDIR "/.libs/libnss_isms_test.so", RTLD_NOW | RTLD_LOCAL);
	must(module != NULL);
	*(void **)&ask_getpwnam = dlsym(module, "_nss_isms_getpwnam_r");
	*(void **)&ask_getpwuid = dlsym(module, "_nss_isms_getpwuid_r");
	*(void **)&ask_getgrnam = dlsym(module, "_nss_isms_getgrnam_r");
	*(void **)&ask_getgrgid = dlsym(module, "_nss_isms_getgrgid_r");
	*(void **)&ask_initgroups = dlsym(module, "_nss_isms_initgroups_dyn");
}

int
main(int argc, char **argv)
{
	static const char *const sizes[] = { "10000", "100000" };
	int count = argc > 1 ? argc - 1 : 2;
	char *buf;

	scratch_make();
	(void)scratch_begin();
	load();
	for (int i = 0; i < count; i++) {
		publish((uint32_t)strtoul(argc > 1 ? argv[i + 1] : sizes[i], NULL, 10));
		buf = malloc(room);
		must(buf != NULL);
		measure(buf);
		free(buf);
	}
	scratch_remove();
	return 0;
}

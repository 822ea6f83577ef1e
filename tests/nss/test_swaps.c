/*
 * test_swaps.c - SN07a: readers of the built module, in threads and in processes, while bases and deltas come.
 *
 *   test_swaps [PUBLICATIONS LOOKUPS [THREADS PROCESSES]]       default: 60 20000 8 2
 *
 * One process with all the threads, and so many of one thread each, look up until the publications have come and the
 * lookups are done. Every answer says in each of its parts of which generation it is: so an answer of two, or of one
 * older than what was published before the question, shows. At the end nobody has more mappings, descriptors or memory
 * than after the first tenth. Prints what was done. tests/suites/swaps runs it at length.
 */
#include <config.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "common/snapshot.h"
#include "tests/nss/module.h"
#include "tests/nss/scratch.h"

/* Every COMPACTION-th publication is a base; two in three of these were written aside, with a delta upon it. */
enum { USERS = 40, CREW = 10, RESIDENTS = 10, COMPACTION = 10, NOW_GID = 1000000 };
enum { THREADS_MAX = 64, PROCESSES_MAX = 16 };

static struct shared {
	_Atomic uint64_t begun, published;	/* generations */
	_Atomic uint64_t lookups;
	_Atomic int weighed;			/* times that processes have looked at their size */
	_Atomic int ended;			/* processes whose threads have */
	_Atomic bool nearly, stop, last;
} *shared;

static char base_path[256];
static uint64_t in_base;		/* the generation of the people in the published base */
static unsigned publications = 60, lookups = 20000, threads = 8, processes = 2;

static void
pass_us(long us)
{
	const struct timespec time = { .tv_nsec = us * 1000 };

	(void)nanosleep(&time, NULL);
}

/* ---- states ---- */

/*
 * u0..u39 (uid 4000 on) have the generation in gecos and home and are in the group "now", whose gid says it; c0..c9
 * (uid 5000 on), whose names do, are in "crew". r0..r9 (uid 6000 on) are as the base has them.
 */
static void
add_changing(struct snapshot_builder *b, uint64_t generation)
{
	const uint32_t now = NOW_GID + (uint32_t)generation, crew = 5000;
	char name[40], gecos[24], home[40];

	MUST(snapshot_builder_add_group(b, now, "now") == 0 && snapshot_builder_add_group(b, crew, "crew") == 0);
	(void)snprintf(gecos, sizeof gecos, "%llu", (unsigned long long)generation);
	(void)snprintf(home, sizeof home, "/home/%llu", (unsigned long long)generation);
	for (uint32_t i = 0; i < USERS; i++) {
		(void)snprintf(name, sizeof name, "u%u", i);
		MUST(snapshot_builder_add_user(b, 4000 + i, 4000, name, gecos, home, "/bin/sh", &now, 1) == 0);
	}
	for (uint32_t i = 0; i < CREW; i++) {
		(void)snprintf(name, sizeof name, "c%u-%llu", i, (unsigned long long)generation);
		MUST(snapshot_builder_add_user(b, 5000 + i, 4000, name, gecos, home, "/bin/sh", &crew, 1) == 0);
	}
}

static struct snapshot_builder *
build_base(uint64_t generation)
{
	struct snapshot_builder *b = snapshot_builder_new();
	char name[16];

	MUST(b != NULL);
	add_changing(b, generation);
	for (uint32_t i = 0; i < RESIDENTS; i++) {
		(void)snprintf(name, sizeof name, "r%u", i);
		MUST(snapshot_builder_add_user(b, 6000 + i, 4000, name, "resident", "/home/r", "/bin/sh", NULL, 0) == 0);
	}
	return b;
}

static struct snapshot_builder *
build_delta(const struct snapshot *base, uint64_t generation)
{
	struct snapshot_builder *b = snapshot_builder_new_delta(base);

	MUST(b != NULL);
	for (uint32_t i = 0; i < USERS; i++)
		MUST(snapshot_builder_hide_user(b, 4000 + i) == 0);
	for (uint32_t i = 0; i < CREW; i++)
		MUST(snapshot_builder_hide_user(b, 5000 + i) == 0);
	MUST(snapshot_builder_hide_group(b, NOW_GID + (uint32_t)in_base) == 0);
	MUST(snapshot_builder_hide_group(b, 5000) == 0);
	add_changing(b, generation);
	MUST(snapshot_builder_keep_members(b, 5000) == 0);
	return b;
}

static struct snapshot_header_in
header_of(uint64_t generation)
{
	return (struct snapshot_header_in){ .generation = generation, .enumerate = true };
}

/*
 * Write a base under its temporary name and publish it with this generation as its delta. The people in it are of some
 * generations ago, as they are when a child has written it meanwhile: nobody may see them.
 */
static void
publish_aside(uint64_t generation)
{
	const struct snapshot_header_in before = header_of(generation - 1), header = header_of(generation);
	struct snapshot_builder *b;
	struct snapshot written;

	in_base = generation - 8;
	b = build_base(in_base);
	MUST(snapshot_builder_write(b, scratch_path("."), &before) == 0);
	snapshot_builder_free(b);
	MUST(snapshot_open_written(scratch_path("."), &written) == 0);
	b = build_delta(&written, generation);
	MUST(snapshot_builder_write(b, scratch_path("."), &header) == 0);
	snapshot_builder_free(b);
	snapshot_close(&written);
	MUST(snapshot_publish_written(scratch_path("."), true) == 0);
}

static void
publish(uint64_t generation)
{
	const struct snapshot_header_in header = header_of(generation);
	uint64_t turn = (generation / 2) % COMPACTION;
	struct snapshot base = { 0 };
	struct snapshot_builder *b;

	atomic_store(&shared->begun, generation);
	if (turn == 0 && generation / 2 / COMPACTION % 3 != 0) {
		publish_aside(generation);
	} else {
		if (turn == 0 || generation == 2) {
			in_base = generation;
			b = build_base(generation);
		} else {
			MUST(snapshot_open(scratch_path("./" SNAPSHOT_BASE_NAME), getuid(), &base) == 0);
			b = build_delta(&base, generation);
		}
		MUST(snapshot_builder_publish(b, scratch_path("."), &header) == 0);
		snapshot_builder_free(b);
		snapshot_close(&base);
	}
	atomic_store(&shared->published, generation);
}

/* ---- readers ---- */

static uint64_t
number(const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 10);

	MUST(end != text && *end == '\0');
	return value;
}

/* What all of an answer says, and its question allows. */
static void
judge(uint64_t least, uint64_t got)
{
	MUST(got >= least);
	MUST(got <= atomic_load(&shared->begun));
}

static void
judge_user(const struct passwd *pw, uint64_t least)
{
	uint64_t got = number(pw->pw_gecos);

	MUST(strncmp(pw->pw_dir, "/home/", strlen("/home/")) == 0 && number(pw->pw_dir + strlen("/home/")) == got);
	if (pw->pw_name[0] == 'c')
		MUST(number(strchr(pw->pw_name, '-') + 1) == got);
	judge(least, got);
}

static void
look_up_user(unsigned i, uint64_t least)
{
	char buf[512], name[16];
	struct passwd pw;
	int error;

	(void)snprintf(name, sizeof name, "u%u", i % USERS);
	MUST(module.getpwnam_r(name, &pw, buf, sizeof buf, &error) == NSS_STATUS_SUCCESS);
	MUST(strcmp(pw.pw_name, name) == 0);
	judge_user(&pw, least);
}

static void
look_up_uid(unsigned i, uint64_t least)
{
	char buf[512];
	struct passwd pw;
	int error;

	MUST(module.getpwuid_r(5000 + i % CREW, &pw, buf, sizeof buf, &error) == NSS_STATUS_SUCCESS);
	MUST(pw.pw_uid == 5000 + i % CREW);
	judge_user(&pw, least);
}

static void
look_up_resident(unsigned i, uint64_t least)
{
	char buf[512];
	struct passwd pw;
	int error;

	(void)least;
	MUST(module.getpwuid_r(6000 + i % RESIDENTS, &pw, buf, sizeof buf, &error) == NSS_STATUS_SUCCESS);
	MUST(strcmp(pw.pw_gecos, "resident") == 0);
	MUST(module.getpwnam_r("nobody-here", &pw, buf, sizeof buf, &error) == NSS_STATUS_NOTFOUND);
}

static void
look_up_crew(unsigned i, uint64_t least)
{
	uint64_t got = 0;
	struct group gr;
	char buf[2048];
	int error;

	(void)i;
	MUST(module.getgrgid_r(5000, &gr, buf, sizeof buf, &error) == NSS_STATUS_SUCCESS);
	for (unsigned k = 0; k < CREW; k++) {
		uint64_t said;

		MUST(gr.gr_mem[k] != NULL);
		said = number(strchr(gr.gr_mem[k], '-') + 1);
		MUST(k == 0 || said == got);
		got = said;
	}
	MUST(gr.gr_mem[CREW] == NULL);
	judge(least, got);
}

static void
look_up_now(unsigned i, uint64_t least)
{
	long start = 1, size = 8;
	gid_t room[8] = { 0 }, *gids = room;
	char name[16];
	int error;

	(void)snprintf(name, sizeof name, "u%u", i % USERS);
	MUST(module.initgroups_dyn(name, 4000, &start, &size, &gids, -1, &error) == NSS_STATUS_SUCCESS);
	MUST(start == 2 && gids == room);
	judge(least, gids[1] - NOW_GID);
}

/* The list may go on in another generation than it began in; each record is of one. */
static void
look_up_next(unsigned i, uint64_t least)
{
	char buf[512];
	struct passwd pw;
	int error;

	(void)i;
	if (module.getpwent_r(&pw, buf, sizeof buf, &error) != NSS_STATUS_SUCCESS)
		MUST(module.setpwent(0) == NSS_STATUS_SUCCESS);
	else if (pw.pw_name[0] != 'r')
		judge_user(&pw, least);
}

/* As a process that begins, or the PAM module: the files as they are now, whatever the page says. */
static void
look_up_fresh(unsigned i, uint64_t least)
{
	struct snapshot_user user;
	struct snapshot s;
	char name[16];

	(void)snprintf(name, sizeof name, "u%u", i % USERS);
	MUST(snapshot_open_state(base_path, getuid(), &s) == 0);
	MUST(snapshot_find_user(&s, name, &user) == 1);
	judge(least, number(user.gecos));
	snapshot_close(&s);
}

static void *
look_up_for_ever(void *arg)
{
	static void (*const kinds[])(unsigned, uint64_t) = {
		look_up_user, look_up_uid, look_up_resident, look_up_crew, look_up_now, look_up_next, look_up_fresh,
	};

	for (unsigned i = (unsigned)(uintptr_t)arg; !atomic_load(&shared->stop); i++) {
		kinds[i % (sizeof kinds / sizeof kinds[0])](i / 7, atomic_load(&shared->published));
		if (i % 16 == 0)
			atomic_fetch_add(&shared->lookups, 16);
	}
	return NULL;
}

/* ---- growth ---- */

/* Kilobytes of address space. Under a sanitizer it tells nothing. */
static long
space_kb(void)
{
	char line[256];
	FILE *status = fopen("/proc/self/status", "re");
	long kb = 0;

	MUST(status != NULL);
	while (fgets(line, sizeof line, status) != NULL)
		if (sscanf(line, "VmSize: %ld kB", &kb) == 1)
			break;
	(void)fclose(status);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	kb = 0;
#endif
	return kb;
}

static void
wait_for(const _Atomic bool *flag)
{
	while (!atomic_load(flag))
		pass_us(1000);
}

/* One process of so many threads; ends with the test. */
static _Noreturn void
read_for_ever(unsigned count)
{
	pthread_t readers[THREADS_MAX];
	int descriptors;
	long early_kb;

	module_load();
	descriptors = module_descriptors();
	for (unsigned i = 0; i < count; i++)
		MUST(pthread_create(&readers[i], NULL, look_up_for_ever, (void *)(uintptr_t)i) == 0);
	while (atomic_load(&shared->published) < (uint64_t)publications / 5)
		pass_us(1000);
	early_kb = space_kb();
	atomic_fetch_add(&shared->weighed, 1);
	wait_for(&shared->nearly);
	/* at either time each thread may have mapped both files for itself, 32 KB of them */
	MUST(space_kb() <= early_kb + 64 * (long)count + 512);
	atomic_fetch_add(&shared->weighed, 1);
	for (unsigned i = 0; i < count; i++)
		MUST(pthread_join(readers[i], NULL) == 0);
	atomic_fetch_add(&shared->ended, 1);
	wait_for(&shared->last);
	look_up_user(0, atomic_load(&shared->published));	/* what the threads were in goes with this one */
	MUST(module_mappings() == 1 && module_delta_mappings() == 1);
	MUST(module_descriptors() == descriptors);
	MUST(module_sends == 0);
	_exit(0);
}

static void
wait_for_all(const _Atomic int *count, unsigned times)
{
	while (atomic_load(count) < (int)((processes + 1) * times))
		pass_us(1000);
}

static void
wait_for_lookups(uint64_t wanted)
{
	while (atomic_load(&shared->lookups) < wanted)
		pass_us(200);
}

/* Generations are even: that between is the base's that is written aside. */
static void
run(void)
{
	pid_t readers[PROCESSES_MAX + 1];
	int status = 1;

	publish(2);
	for (unsigned i = 0; i <= processes; i++) {
		readers[i] = fork();
		MUST(readers[i] >= 0);
		if (readers[i] == 0)
			read_for_ever(i == 0 ? threads : 1);
	}
	for (uint64_t n = 2; n <= publications; n++) {
		publish(n * 2);
		/* by and by, while the readers are at it; and nobody misses the first tenth */
		wait_for_lookups((uint64_t)lookups * n / publications);
		if (n == publications / 2)
			wait_for_all(&shared->weighed, 1);
	}
	atomic_store(&shared->nearly, true);
	wait_for_all(&shared->weighed, 2);
	atomic_store(&shared->stop, true);
	wait_for_all(&shared->ended, 1);
	publish((uint64_t)publications * 2 + 2);
	atomic_store(&shared->last, true);
	for (unsigned i = 0; i <= processes; i++)
		MUST(waitpid(readers[i], &status, 0) == readers[i] && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	MUST(atomic_load(&shared->lookups) >= lookups);
	printf("%u publications, %llu lookups in %u threads and %u processes\n", publications,
	    (unsigned long long)atomic_load(&shared->lookups), threads, processes);
}

int
main(int argc, char **argv)
{
	if (argc >= 3) {
		publications = (unsigned)strtoul(argv[1], NULL, 10);
		lookups = (unsigned)strtoul(argv[2], NULL, 10);
	}
	if (argc >= 5) {
		threads = (unsigned)strtoul(argv[3], NULL, 10);
		processes = (unsigned)strtoul(argv[4], NULL, 10);
	}
	MUST(publications >= 20 && threads >= 1 && threads <= THREADS_MAX && processes <= PROCESSES_MAX);
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	MUST(shared != MAP_FAILED);
	scratch_make();
	(void)scratch_begin();
	(void)snprintf(base_path, sizeof base_path, "%s", scratch_path("./" SNAPSHOT_BASE_NAME));
	(void)alarm(540);	/* below SUITE_PATIENCE_SEC */
	run();
	scratch_remove();
	return 0;
}

/*
 * machine.c - what the machine itself takes for what a lookup cannot do without: none of it is ours or a peer's work.
 *
 *   bench_machine MS FILE      "OPERATION NANOSECONDS", for about MS each:
 *                              stat    of nsswitch.conf, which glibc makes in every lookup
 *                              reads   two, one after the other, anywhere in FILE, which is mapped
 *                              copy    10,000 names and a pointer to each of them
 *                              bare    getpwnam of any user in FILE, a snapshot of people.h: hash, one probe, one record,
 *                                      the copy, and nothing else: no check, no count of readers, no other generation
 *                              user    what bare does, by our module, and by turns with it
 *                              large   what copy does, by our module: the members of "everybody"
 *   bench_machine first        the first lookup of this process: with a module that does nothing, what glibc takes
 *   bench_machine groups MS    init-10 and init-100: getgrouplist, with that module what glibc takes
 *
 * Built by `make check`, run by tests/bench. Goals of DESIGN 5 that are missed are to be read by these.
 */
#define _GNU_SOURCE

#include "common/snapshot_parts.h"
#include "tests/benchmark/asker.h"
#include "tests/benchmark/people.h"

#include <dlfcn.h>
#include <err.h>
#include <fcntl.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_LEN = 5 };	/* of u0 .. u9999, in the mean a little less */

static enum nss_status (*ask_getpwnam)(const char *, struct passwd *, char *, size_t, int *);
static enum nss_status (*ask_getgrnam)(const char *, struct group *, char *, size_t, int *);

static const uint8_t *file;
static size_t file_size;

static bool
one_stat(struct asker *a, uint32_t n)
{
	struct stat st;

	(void)a;
	(void)n;
	return stat("/etc/nsswitch.conf", &st) == 0;
}

/* Where the second one goes is not known before the first one is done, as with a slot of a table and its record. */
static bool
two_reads(struct asker *a, uint32_t n)
{
	uint64_t at;

	(void)n;
	for (unsigned i = 0; i < 2; i++) {
		at = asker_below(a, (uint32_t)(file_size - sizeof at));
		memcpy(&at, file + at, sizeof at);
		a->random ^= at;
		if (a->random == 0)
			a->random = 1;
	}
	return true;
}

static bool
copy_names(struct asker *a, uint32_t n)
{
	static char names[PEOPLE_LARGE * (NAME_LEN + 1)];
	char **pointers = (char **)(void *)a->room, *to = a->room + PEOPLE_LARGE * sizeof *pointers;

	(void)n;
	memcpy(to, names, sizeof names);
	for (uint32_t i = 0; i < PEOPLE_LARGE; i++)
		pointers[i] = to + i * (NAME_LEN + 1);
	__asm__ volatile("" : : "r"(pointers) : "memory");	/* they are wanted */
	return true;
}

/* A user's answer, from a record that is believed. */
static void
copy_user(const struct snapshot_user_record *record, const char *name, size_t len, char *room, struct passwd *ret)
{
	const char *strings = (const char *)record + SNAPSHOT_USER_STRINGS;
	size_t gecos = (record->list_count & SNAPSHOT_NAME_IN_HOME) != 0 ? 0 : len + 1;
	size_t both = (size_t)record->gecos_len + record->home_len + 2;
	const char *shell = (const char *)file + header_of(file)->section[SECTION_SHELLS].at + (size_t)record->shell * 4;
	uint16_t shell_len;

	memcpy(&shell_len, shell, sizeof shell_len);
	memcpy(room, name, len + 1);
	memcpy(room + len + 1, strings + gecos, both);
	memcpy(room + len + 1 + both, shell + sizeof shell_len, shell_len + 1u);
	*ret = (struct passwd){
		.pw_name = room, .pw_passwd = room + len, .pw_uid = record->uid, .pw_gid = record->gid,
		.pw_gecos = room + len + 1, .pw_dir = room + len + 2 + record->gecos_len, .pw_shell = room + len + 1 + both,
	};
}

static bool
bare_lookup(struct asker *a, uint32_t n)
{
	const struct snapshot_header *h = header_of(file);
	const uint8_t *users = file + h->section[SECTION_USERS].at;
	char name[PEOPLE_NAME];
	struct passwd pw;
	struct probe p;
	uint32_t ref;
	size_t len;

	(void)n;
	people_name(asker_below(a, h->user_count), name);
	len = strlen(name);
	p = probe_begin(file, SECTION_USER_NAMES, h->user_ref_bits, hash_name(h, name, len));
	while (probe_next(&p, &ref) > 0) {
		const struct snapshot_user_record *record = (const void *)(users + ((size_t)ref - 1) * 4);
		const char *own = (const char *)record + SNAPSHOT_USER_STRINGS + user_name_at(record);

		if (record->name_len != len || memcmp(own, name, len) != 0)
			continue;
		copy_user(record, own, len, a->room, &pw);
		__asm__ volatile("" : : "r"(&pw) : "memory");
		return true;
	}
	return false;
}

static bool
module_user(struct asker *a, uint32_t n)
{
	char name[PEOPLE_NAME];
	struct passwd pw;
	int error;

	(void)n;
	people_name(asker_below(a, header_of(file)->user_count), name);
	return ask_getpwnam(name, &pw, a->room, ASKER_ROOM, &error) == NSS_STATUS_SUCCESS;
}

static bool
module_large(struct asker *a, uint32_t n)
{
	struct group gr;
	int error;

	(void)n;
	return ask_getgrnam("everybody", &gr, a->room, ASKER_ROOM, &error) == NSS_STATUS_SUCCESS;
}

static bool
groups_of(uint32_t i)
{
	gid_t gids[128];
	int count = 128;
	char name[PEOPLE_NAME];

	people_name(i, name);
	return getgrouplist(name, PEOPLE_ID, gids, &count) > 0 && (uint32_t)count == people_groups_of(i);
}

static bool
in_10(struct asker *a, uint32_t n)
{
	(void)a;
	(void)n;
	return groups_of(2);
}

static bool
in_100(struct asker *a, uint32_t n)
{
	(void)a;
	(void)n;
	return groups_of(50);
}

struct operation {
	const char *name;
	call_fn call;
};
enum { OPERATIONS_MAX = 2, TURNS = 9 };

static double
batch_ns(const struct operation *o, struct asker *a, uint32_t calls)
{
	double start = asker_now_ns(CLOCK_MONOTONIC);

	for (uint32_t n = 0; n < calls; n++)
		if (!o->call(a, n))
			errx(1, "%s failed", o->name);
	return asker_now_ns(CLOCK_MONOTONIC) - start;
}

/* Medians of batches, for about ms each operation. By turns: whoever shares the processor slows down both of two. */
static void
measure(const struct operation *operations, size_t count, double ms)
{
	double ns[OPERATIONS_MAX][TURNS], want = ms * 1e6 / TURNS;
	uint32_t calls[OPERATIONS_MAX];
	struct asker a;

	asker_begin(&a, 0);
	for (size_t i = 0; i < count; i++)	/* which also warms up */
		for (calls[i] = 1; batch_ns(&operations[i], &a, calls[i]) < want / 2; calls[i] *= 2)
			;
	for (unsigned turn = 0; turn < TURNS; turn++)
		for (size_t i = 0; i < count; i++)
			ns[i][turn] = batch_ns(&operations[i], &a, calls[i]) / calls[i];
	for (size_t i = 0; i < count; i++)
		printf("%s %.1f\n", operations[i].name, asker_median(ns[i], TURNS));
	free(a.room);
}

static void
first_lookup(void)
{
	char room[1024];
	struct passwd pw, *found;
	double start = asker_now_ns(CLOCK_MONOTONIC);

	(void)getpwnam_r("u7", &pw, room, sizeof room, &found);
	printf("first %.1f\n", asker_now_ns(CLOCK_MONOTONIC) - start);
}

static void
map(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size < 4096)
		err(1, "%s", path);
	file_size = (size_t)st.st_size;
	file = (const uint8_t *)mmap(NULL, file_size, PROT_READ, MAP_SHARED, fd, 0);
	if ((const void *)file == MAP_FAILED)
		err(1, "%s", path);
}

static void
load_module(void)
{
	void *module = dlopen("libnss_isms.so.2", RTLD_NOW | RTLD_LOCAL);

	if (module == NULL)
		errx(1, "%s", dlerror());
	*(void **)&ask_getpwnam = dlsym(module, "_nss_isms_getpwnam_r");
	*(void **)&ask_getgrnam = dlsym(module, "_nss_isms_getgrnam_r");
	if (ask_getpwnam == NULL || ask_getgrnam == NULL)
		errx(1, "%s", dlerror());
}

int
main(int argc, char **argv)
{
	static const struct operation init[] = { { "init-10", in_10 }, { "init-100", in_100 } };
	static const struct operation stats = { "stat", one_stat }, reads = { "reads", two_reads };
	static const struct operation users[] = { { "bare", bare_lookup }, { "user", module_user } };
	static const struct operation names[] = { { "copy", copy_names }, { "large", module_large } };
	bool groups = argc == 3 && strcmp(argv[1], "groups") == 0;
	double ms = argc == 3 ? strtod(argv[groups ? 2 : 1], NULL) : 0;

	if (argc == 2 && strcmp(argv[1], "first") == 0) {
		first_lookup();
		return 0;
	}
	if (ms <= 0)
		errx(2, "usage: bench_machine MS FILE | first | groups MS");
	if (groups) {
		measure(init, 2, ms);
		return 0;
	}
	map(argv[2]);
	load_module();
	measure(&stats, 1, ms);
	measure(&reads, 1, ms);
	measure(users, 2, ms);
	measure(names, 2, ms);
	return 0;
}

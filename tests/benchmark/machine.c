/*
 * machine.c - what the machine itself takes for what a lookup cannot do without: none of it is ours or a peer's work.
 *
 *   bench_machine MS FILE      "OPERATION NANOSECONDS", for about MS each:
 *                              stat    of nsswitch.conf, which glibc makes in every lookup
 *                              reads   two, one after the other, anywhere in FILE, which is mapped
 *                              copy    10,000 names and a pointer to each of them
 *                              bare    getpwnam of any user in FILE, a snapshot of people.h: hash, one probe, one record,
 *                                      the copy, and nothing else: no check, no count of readers, no other generation
 *   bench_machine first        the first lookup of this process: with a module that does nothing, what glibc takes
 *   bench_machine groups MS    init-10 and init-100: getgrouplist, with that module what glibc takes
 *
 * Built by `make check`, run by tests/bench. Goals of DESIGN 5 that are missed are to be read by these.
 */
#define _GNU_SOURCE

#include "common/snapshot_parts.h"
#include "tests/benchmark/asker.h"
#include "tests/benchmark/people.h"

#include <err.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BATCHES = 9, NAME_LEN = 5 };	/* of u0 .. u9999, in the mean a little less */

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

/* The median of several batches, of about so long together. */
static void
measure(const char *operation, call_fn call, double ms)
{
	double ns[BATCHES], start, want = ms * 1e6 / BATCHES;
	uint32_t calls = 1;
	struct asker a;

	asker_begin(&a, 0);
	for (unsigned i = 0; i < BATCHES;) {
		start = asker_now_ns(CLOCK_MONOTONIC);
		for (uint32_t n = 0; n < calls; n++)
			if (!call(&a, n))
				err(1, "%s", operation);
		ns[i] = asker_now_ns(CLOCK_MONOTONIC) - start;
		if (i == 0 && ns[i] < want / 2) {	/* longer batches, which also warm up */
			calls *= 2;
			continue;
		}
		ns[i++] /= calls;
	}
	printf("%s %.1f\n", operation, asker_median(ns, BATCHES));
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

int
main(int argc, char **argv)
{
	bool groups = argc == 3 && strcmp(argv[1], "groups") == 0;
	double ms = argc == 3 ? strtod(argv[groups ? 2 : 1], NULL) : 0;

	if (argc == 2 && strcmp(argv[1], "first") == 0) {
		first_lookup();
		return 0;
	}
	if (ms <= 0)
		errx(2, "usage: bench_machine MS FILE | first | groups MS");
	if (groups) {
		measure("init-10", in_10, ms);
		measure("init-100", in_100, ms);
		return 0;
	}
	map(argv[2]);
	measure("stat", one_stat, ms);
	measure("reads", two_reads, ms);
	measure("copy", copy_names, ms);
	measure("bare", bare_lookup, ms);
	return 0;
}

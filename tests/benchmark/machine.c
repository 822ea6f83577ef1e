/*
 * machine.c - what the machine itself takes for what a lookup cannot do without: none of it is ours or a peer's work.
 *
 *   bench_machine MS FILE      "OPERATION NANOSECONDS", for about MS each:
 *                              stat    of nsswitch.conf, which glibc makes in every lookup
 *                              reads   two, one after the other, anywhere in FILE, which is mapped
 *                              copy    10,000 names and a pointer to each of them
 *   bench_machine first        the first lookup of this process: with a module that does nothing, what glibc takes
 *
 * Built by `make check`, run by tests/bench. Goals of DESIGN 5 that are missed are to be read by these.
 */
#define _GNU_SOURCE

#include "tests/benchmark/asker.h"
#include "tests/benchmark/people.h"

#include <err.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BATCHES = 9, NAME_LEN = 5 };	/* of u0 .. u9999, in the mean a little less */

static const char *file;
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
		a->random ^= a->random << 13;
		a->random ^= a->random >> 7;
		a->random ^= a->random << 17;
		at = a->random % (file_size - sizeof at);
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

static int
compare(const void *one, const void *other)
{
	double a = *(const double *)one, b = *(const double *)other;

	return (a > b) - (a < b);
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
	qsort(ns, BATCHES, sizeof ns[0], compare);
	printf("%s %.1f\n", operation, ns[BATCHES / 2]);
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

int
main(int argc, char **argv)
{
	double ms = argc == 3 ? strtod(argv[1], NULL) : 0;
	struct stat st;
	int fd;

	if (argc == 2 && strcmp(argv[1], "first") == 0) {
		first_lookup();
		return 0;
	}
	if (ms <= 0)
		errx(2, "usage: bench_machine MS FILE | first");
	fd = open(argv[2], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size < 4096)
		err(1, "%s", argv[2]);
	file_size = (size_t)st.st_size;
	file = mmap(NULL, file_size, PROT_READ, MAP_SHARED, fd, 0);
	if (file == MAP_FAILED)
		err(1, "%s", argv[2]);
	measure("stat", one_stat, ms);
	measure("reads", two_reads, ms);
	measure("copy", copy_names, ms);
	return 0;
}

/*
 * test_hostile.c - mutants of base and delta whose headers fit, and what readers make of them.
 *
 *   test_hostile [MUTANTS [SEED]]       default: 20000, and a seed of the clock's
 *
 * Takes valid files apart as a forger would who knows the layout: fields of records, slots, lists, lengths, spans of
 * sections get values that hurt, then the checksum is made anew. Whatever a mutant says, no answer is below the floor
 * (tests/fuzz/fuzz_snapshot_ask.c aborts) and nobody reads beyond a file: both end where the next byte kills. A mutant
 * that did lies in the working folder afterwards. tests/suites/hostile-snapshot makes more of them.
 */
#include <config.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "common/snapshot_format.h"
#include "daemon/snapshot_build.h"
#include "tests/fuzz/fuzz_snapshot.h"
#include "tests/nss/crowd.h"

enum { ROOM = 1 << 17, PAGE = 4096, BROOD = 500, WHOLE = 16 };

/* One file: as it was built, and its mutant at the end of a mapping. */
static struct specimen {
	struct snapshot_image good;
	uint8_t *end, *bytes;
} base, delta;

static struct crowd before, now;		/* whom they were built of */
static uint64_t dice;
static unsigned long accepted, whole;

static uint32_t
roll(uint32_t sides)
{
	dice = dice * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(dice >> 33) % sides;
}

static void
must(bool condition, const char *what)
{
	if (condition)
		return;
	perror(what);
	exit(1);
}

/* ---- specimens ---- */

static void
make_room(struct specimen *s)
{
	void *map = mmap(NULL, ROOM + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(map != MAP_FAILED, "mmap");
	s->end = (uint8_t *)map + ROOM;
	must(mprotect(s->end, PAGE, PROT_NONE) == 0, "mprotect");
}

static void
take(struct specimen *s, struct snapshot_builder *b, uint64_t generation)
{
	const struct snapshot_header_in header = crowd_header(generation);

	snapshot_image_done(&s->good);
	must(snapshot_image_make(b, &header, &s->good) == 0 && s->good.size <= ROOM, "image");
	snapshot_builder_free(b);
	s->bytes = s->end - s->good.size;
}

/* Other people: from hardly any to a crowd. */
static void
breed(void)
{
	struct snapshot s;

	crowd_begin(&before, dice, 2 + roll(25));
	now = before;
	for (uint32_t i = roll(40); i > 0; i--)
		crowd_change(&now);
	take(&base, crowd_build(&before), 7);
	s = (struct snapshot){ .base = base.good.bytes, .size = base.good.size };
	take(&delta, crowd_build_delta(&now, &before, &s), 8);
}

/* ---- mutation ---- */

static struct snapshot_header *
header_of(const struct specimen *s)
{
	return (void *)s->bytes;
}

static uint32_t
evil(const struct specimen *s, uint32_t was)
{
	static const uint32_t values[] = {
		0, 1, 2, 27, 999, 1000, 60001, 61184, 65534, 65535, 65536, 0x7fff, 0x8000, INT32_MAX, 0x80000000u, UINT32_MAX,
		SNAPSHOT_PROBE_MAX, 32, 33, 0x01010101, 0x2f2f2f2f, 0x3a3a3a3a, 0x2e2e2e2e, 0x746f6f72,
	};
	const struct snapshot_span *span = &header_of(s)->section[roll(SECTION_COUNT)];

	switch (roll(8)) {
	case 0: return was + 1;
	case 1: return was - 1;
	case 2: return was ^ 1u << roll(32);
	case 3: return span->size;
	case 4: return span->size / 4 + roll(3);
	case 5: return roll(UINT32_MAX);
	default: return values[roll(sizeof values / sizeof values[0])];
	}
}

/* Change so many bytes at a place. */
static void
strike(const struct specimen *s, size_t at, size_t width)
{
	uint32_t value = 0;

	if (at + width > s->good.size)
		return;
	memcpy(&value, s->bytes + at, width);
	value = evil(s, value);
	memcpy(s->bytes + at, &value, width);
}

/* What the checks of the header let through: everything behind what says that it is a header of this file. */
static void
strike_header(const struct specimen *s)
{
	const size_t from = offsetof(struct snapshot_header, flags), to = offsetof(struct snapshot_header, base_generation);

	if (roll(4) == 0)
		strike(s, offsetof(struct snapshot_header, hidden_user_count) + 4 * roll(4), 4);
	else
		strike(s, from + 4 * roll((uint32_t)(to - from) / 4), 4);
}

static void
strike_section(const struct specimen *s)
{
	const struct snapshot_span *span = &header_of(s)->section[roll(SECTION_COUNT)];
	static const size_t widths[] = { 1, 2, 4, 4 };
	size_t width = widths[roll(4)];
	uint32_t other;

	if (span->size < 8)
		return;
	if (roll(4) != 0) {
		strike(s, span->at + roll(span->size / (uint32_t)width) * width, width);
		return;
	}
	/* one word in the place of another: a reference to somebody else, an id twice */
	if ((uint64_t)span->at + span->size > s->good.size)
		return;
	memcpy(&other, s->bytes + span->at + 4 * roll(span->size / 4), sizeof other);
	memcpy(s->bytes + span->at + 4 * roll(span->size / 4), &other, sizeof other);
}

static void
mutate(const struct specimen *s)
{
	struct snapshot_header *h = header_of(s);

	memcpy(s->bytes, s->good.bytes, s->good.size);
	for (uint32_t i = 1 + roll(4); i > 0; i--) {
		if (roll(10) == 0)
			strike_header(s);
		else
			strike_section(s);
	}
	h->header_crc = snapshot_header_checksum(h);
}

/* Everything, also of those whom no list names any more. */
static void
ask(const struct snapshot *s)
{
	fuzz_snapshot_ask(s);
	for (unsigned i = 0; i < CROWD_USERS; i++)
		if (now.users[i].there)
			fuzz_snapshot_ask_for(s, now.users[i].name, now.users[i].uid);
	for (unsigned i = 0; i < CROWD_GROUPS; i++)
		if (now.groups[i].there)
			fuzz_snapshot_ask_for(s, now.groups[i].name, now.groups[i].gid);
}

static void
try_mutant(unsigned long turn)
{
	const struct snapshot s = {
		.base = base.bytes, .size = base.good.size, .delta = delta.bytes, .delta_size = delta.good.size,
	};
	struct snapshot alone = { .base = base.bytes, .size = base.good.size };
	uint32_t which = roll(3);

	memcpy(base.bytes, base.good.bytes, base.good.size);
	memcpy(delta.bytes, delta.good.bytes, delta.good.size);
	if (which != 0)
		mutate(&base);
	if (which != 1)
		mutate(&delta);
	if (snapshot_check(&alone) == 0 && which == 1)
		ask(&alone);
	if (snapshot_check(&s) < 0)
		return;
	accepted++;
	ask(&s);
	if (turn % WHOLE == 0)
		whole += snapshot_check_whole(&s) == 0;
}

/* ---- findings ---- */

static void
keep(const char *name, const struct specimen *s)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd >= 0 && write(fd, s->bytes, s->good.size) == (ssize_t)s->good.size)
		(void)close(fd);
}

static void
on_finding(int number)
{
	keep("hostile.base", &base);
	keep("hostile.delta", &delta);
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}

int
main(int argc, char **argv)
{
	unsigned long mutants = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL);

	dice = seed;
	(void)signal(SIGABRT, on_finding);
	(void)signal(SIGSEGV, on_finding);
	make_room(&base);
	make_room(&delta);
	printf("seed %llu\n", (unsigned long long)seed);
	(void)fflush(stdout);
	for (unsigned long i = 0; i < mutants; i++) {
		if (i % BROOD == 0)
			breed();
		try_mutant(i);
	}
	printf("%lu mutants: %lu behind an accepted header, %lu of %lu whole\n", mutants, accepted, whole, mutants / WHOLE);
	/* mutants that nobody looks at would prove nothing */
	must(accepted >= mutants / 2, "too few mutants were accepted");
	snapshot_image_done(&base.good);
	snapshot_image_done(&delta.good);
	return 0;
}

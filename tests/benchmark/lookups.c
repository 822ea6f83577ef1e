/*
 * lookups.c - asks glibc for the people of people.h, as programs do, and says how long it took.
 *
 *   bench_lookups USERS prime MS                    ask once for everybody, for as long: prints how many answers there
 *                                                   were, "NAMES GIDS INITS"; those are what "run" asks for
 *   bench_lookups USERS run MS KEYS [MODULE]        every operation, for about as long each: "OPERATION NANOSECONDS" or
 *                                                   "OPERATION -"; with MODULE, libnss_MODULE.so.2 called directly, too
 *   bench_lookups USERS answers MS                  wait until the first and the last user are there: milliseconds
 *   bench_lookups USERS ask MS                      ask for anybody without a pause: how many answers, and how many failed
 *   bench_lookups USERS shell NAME SHELL MS         wait until NAME has this shell: when, in seconds since 1970
 *   bench_lookups USERS known|new MS CAP            one of those asked for before, or one never asked for, again and
 *                                                   again: "LONGEST-MS ANSWERS FAILURES"; ends at CAP ms within a call, too
 *
 * Which service is asked, nsswitch.conf says. Keys are uniformly random unless the operation says else. Built by `make
 * check`, run by tests/bench.
 */
#define _GNU_SOURCE

#include "tests/benchmark/asker.h"
#include "tests/benchmark/people.h"

#include <dlfcn.h>
#include <err.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { INITS = 1000, FEW = 1000, BATCHES = 5, FRESH = 15 };

static uint32_t users, groups, names, gids, inits;	/* the last three: of how many keys the answers are known */
static enum nss_status (*ask_module)(const char *, struct passwd *, char *, size_t, int *);

/* ---- keys: the n-th of each kind, spread over the whole population ---- */

static uint32_t
nth_user(uint32_t n)
{
	return (uint32_t)((uint64_t)n * 15485863 % users);	/* a prime: everybody once */
}

static uint32_t
nth_group(uint32_t n)
{
	return (uint32_t)((uint64_t)n * 15485863 % groups);
}

/* A user in so many groups; of 1,000 and of 100 users. */
static uint32_t
nth_in(uint32_t in, uint32_t n)
{
	uint32_t i = (uint32_t)((uint64_t)(n % INITS) * users / INITS);

	if (in == 100)
		return i / 100 * 100 + 50;
	return i % 100 / 2 == 25 ? i - i % 2 - 2 : i - i % 2;
}

/* ---- operations ---- */

static bool
ask_name(struct asker *a, const char *name, uint32_t i)
{
	struct passwd pw, *found;

	return getpwnam_r(name, &pw, a->room, ASKER_ROOM, &found) == 0 && found != NULL && found->pw_uid == PEOPLE_ID + i;
}

static bool
name_of(struct asker *a, uint32_t i)
{
	char name[PEOPLE_NAME];

	people_name(i, name);
	return ask_name(a, name, i);
}

static bool
one_name(struct asker *a, uint32_t n)
{
	(void)n;
	return ask_name(a, "u7", 7);
}

static bool
any_name(struct asker *a, uint32_t n)
{
	(void)n;
	return name_of(a, nth_user(asker_below(a, names)));
}

/* Where all that is asked for lies in the processor's cache, and in that of a service that has not been asked for more. */
static bool
few_names(struct asker *a, uint32_t n)
{
	(void)n;
	return name_of(a, nth_user(asker_below(a, names < FEW ? names : FEW)));
}

static bool
all_names(struct asker *a, uint32_t n)
{
	(void)n;
	return name_of(a, asker_below(a, users));
}

static bool
any_uid(struct asker *a, uint32_t n)
{
	uid_t uid = PEOPLE_ID + nth_user(asker_below(a, names));
	struct passwd pw, *found;

	(void)n;
	return getpwuid_r(uid, &pw, a->room, ASKER_ROOM, &found) == 0 && found != NULL && found->pw_uid == uid;
}

static bool
gid_of(struct asker *a, uint32_t j)
{
	struct group gr, *found;

	return getgrgid_r(PEOPLE_ID + j, &gr, a->room, ASKER_ROOM, &found) == 0 && found != NULL && found->gr_gid == PEOPLE_ID + j &&
	    found->gr_mem[0] != NULL;
}

static bool
any_gid(struct asker *a, uint32_t n)
{
	(void)n;
	return gid_of(a, nth_group(asker_below(a, gids)));
}

static bool
missing(struct asker *a, const char *name)
{
	struct passwd pw, *found;

	(void)getpwnam_r(name, &pw, a->room, ASKER_ROOM, &found);
	return found == NULL;
}

static bool
new_miss(struct asker *a, uint32_t n)
{
	uint64_t some = (uint64_t)asker_below(a, UINT32_MAX) << 28 | asker_below(a, 1 << 28);
	char name[17] = "v";	/* and 15 letters */

	(void)n;
	for (unsigned i = 1; i < sizeof name - 1; i++, some >>= 4)
		name[i] = (char)('a' + (some & 15));
	return missing(a, name);
}

static bool
known_miss(struct asker *a, uint32_t n)
{
	const char name[] = { 'w', (char)('0' + n % 10), '\0' };

	return missing(a, name);
}

static bool
miss_uid(struct asker *a, uint32_t n)
{
	struct passwd pw, *found;

	(void)n;
	(void)getpwuid_r(3000000 + asker_below(a, 900000000), &pw, a->room, ASKER_ROOM, &found);
	return found == NULL;
}

static bool
groups_of(struct asker *a, uint32_t i)
{
	int count = 256;
	char name[PEOPLE_NAME];

	people_name(i, name);
	return getgrouplist(name, PEOPLE_ID + i % groups, (gid_t *)(void *)a->room, &count) > 0 &&
	    (uint32_t)count == people_groups_of(i);
}

static bool
in_10(struct asker *a, uint32_t n)
{
	(void)n;
	return groups_of(a, nth_in(10, asker_below(a, inits)));
}

static bool
in_100(struct asker *a, uint32_t n)
{
	(void)n;
	return groups_of(a, nth_in(100, asker_below(a, inits)));
}

static bool
large_group(struct asker *a, uint32_t n)
{
	uint32_t members = users < PEOPLE_LARGE ? users : PEOPLE_LARGE;
	struct group gr, *found;

	(void)n;
	return getgrnam_r("everybody", &gr, a->room, ASKER_ROOM, &found) == 0 && found != NULL &&
	    found->gr_mem[members - 1] != NULL && found->gr_mem[members] == NULL;
}

static bool
directly(struct asker *a, uint32_t n)
{
	char name[PEOPLE_NAME];
	struct passwd pw;
	int error;

	(void)n;
	people_name(nth_user(asker_below(a, names)), name);
	return ask_module(name, &pw, a->room, ASKER_ROOM, &error) == NSS_STATUS_SUCCESS;
}

/* ---- measuring ---- */

static double
batch_ns(struct asker *a, call_fn call, uint32_t calls)
{
	double start = asker_now_ns(CLOCK_MONOTONIC);

	for (uint32_t n = 0; n < calls && !a->failed; n++)
		a->failed = !call(a, n);
	return asker_now_ns(CLOCK_MONOTONIC) - start;
}

/* The shorter of two: one of them may have been kept off the processor. */
static double
undisturbed_ns(struct asker *a, call_fn call, uint32_t calls)
{
	double one = batch_ns(a, call, calls), other = batch_ns(a, call, calls);

	return one < other ? one : other;
}

/* For about ms: ever longer batches, which also warm up; then several, of which the median counts. */
static void
measure(struct asker *a, call_fn call, double ms)
{
	double want = ms * 1e6 / BATCHES, took = undisturbed_ns(a, call, 1), ns[BATCHES] = { 0 };
	uint32_t calls = 1;

	while (!a->failed && took < want / 2) {
		calls = took < want / 20 ? calls * 10 : (uint32_t)(calls * want / took) + 1;
		took = undisturbed_ns(a, call, calls);
	}
	a->ns = took / calls;
	if (took > want * BATCHES)	/* one call takes longer than all batches should */
		return;
	for (unsigned n = 0; n < BATCHES; n++)
		ns[n] = batch_ns(a, call, calls) / calls;
	a->ns = asker_median(ns, BATCHES);
}

static void
say(const char *operation, double ns, bool failed)
{
	if (failed)
		printf("%s -\n", operation);
	else
		printf("%s %.1f\n", operation, ns);
	(void)fflush(stdout);
}

static void
measure_one(const char *operation, call_fn call, double ms)
{
	struct asker a;

	asker_begin(&a, 0);
	measure(&a, call, ms);
	say(operation, a.ns, a.failed);
	free(a.room);
}

/* ---- several at once ---- */

/* What is to be compared with each other, by turns: a machine that others use, too, is faster now and slower then. */
static const struct crowd_row {
	const char *name;
	call_fn call;
	unsigned count;
	bool processes, module;
} crowd_rows[] = {
	{ "threads-2", any_name, 2, false, false }, { "threads-8", any_name, 8, false, false },
	{ "direct-1", directly, 1, false, true }, { "direct-2", directly, 2, false, true },
	{ "direct-2p", directly, 2, true, true }, { "direct-8", directly, 8, false, true },
};
enum { CROWDS = sizeof crowd_rows / sizeof crowd_rows[0] };

static void
measure_crowds(double ms)
{
	double ns[CROWDS][BATCHES] = { 0 }, median;

	for (unsigned turn = 0; turn < BATCHES; turn++)
		for (size_t i = 0; i < CROWDS; i++)
			if (!crowd_rows[i].module || ask_module != NULL)
				ns[i][turn] = asker_crowd_ns(crowd_rows[i].call, crowd_rows[i].count, crowd_rows[i].processes, ms);
	for (size_t i = 0; i < CROWDS; i++) {
		if (crowd_rows[i].module && ask_module == NULL)
			continue;
		median = asker_median(ns[i], BATCHES);
		say(crowd_rows[i].name, median, ns[i][0] == 0);
	}
}

static void
enumerate(void)
{
	struct passwd pw, *found;
	static char room[65536];
	uint32_t count = 0;
	double start = asker_now_ns(CLOCK_MONOTONIC);

	setpwent();
	while (getpwent_r(&pw, room, sizeof room, &found) == 0)
		count++;
	endpwent();
	say("enumerate", (asker_now_ns(CLOCK_MONOTONIC) - start) / (count ? count : 1), count < users);
}

/* The first call of a process: of several new ones, each of which says how long its call took. */
static void
fresh_process(const char *self, const char *size)
{
	double ns[FRESH] = { 0 };
	bool failed = false;

	for (unsigned n = 0; n < FRESH; n++) {
		char command[256];
		FILE *child;

		(void)snprintf(command, sizeof command, "exec %s %s first", self, size);
		child = popen(command, "r");
		if (child == NULL || fscanf(child, "%lf", &ns[n]) != 1)
			failed = true;
		if (child != NULL)
			(void)pclose(child);
	}
	say("first", asker_median(ns, FRESH), failed);
}

static const struct {
	const char *name;
	call_fn call;
} operations[] = {
	{ "one-name", one_name }, { "few-names", few_names }, { "name", any_name }, { "all-names", all_names },
	{ "uid", any_uid }, { "gid", any_gid }, { "miss-new", new_miss }, { "miss-again", known_miss },
	{ "miss-uid", miss_uid }, { "init-10", in_10 }, { "init-100", in_100 }, { "large", large_group },
};

static void
run(const char *self, const char *size, double ms, const char *module)
{
	char path[64], symbol[64];

	if (module != NULL) {
		(void)snprintf(path, sizeof path, "libnss_%s.so.2", module);
		(void)snprintf(symbol, sizeof symbol, "_nss_%s_getpwnam_r", module);
		*(void **)&ask_module = dlsym(dlopen(path, RTLD_NOW), symbol);
	}
	fresh_process(self, size);
	for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
		measure_one(operations[i].name, operations[i].call, ms);
	if (ask_module != NULL)
		measure_one("direct", directly, ms);
	measure_crowds(ms / 2);
	enumerate();
}

/* ---- waiting ---- */

/* Ask for everybody once, as long as there is time: groups of users first, then users, then groups. */
static void
prime(struct asker *a, double ms)
{
	double start = asker_now_ns(CLOCK_MONOTONIC);
	uint32_t n;

#define LEFT(share) (asker_now_ns(CLOCK_MONOTONIC) - start < ms * 1e6 * (share))
	(void)large_group(a, 0);
	(void)one_name(a, 0);
	for (n = 0; n < INITS && LEFT(.4); n++) {
		(void)groups_of(a, nth_in(10, n));
		(void)groups_of(a, nth_in(100, n));
	}
	inits = n;
	for (n = 0; n < users && LEFT(.75); n++)
		(void)name_of(a, nth_user(n));
	names = n;
	for (n = 0; n < groups && LEFT(1); n++)
		(void)gid_of(a, nth_group(n));
	gids = n;
#undef LEFT
	printf("%u %u %u\n", names, gids, inits);
}

static void
until_answers(struct asker *a, double ms)
{
	double start = asker_now_ns(CLOCK_MONOTONIC);

	while (!name_of(a, 0) || !name_of(a, users - 1)) {
		if (asker_now_ns(CLOCK_MONOTONIC) - start > ms * 1e6)
			errx(1, "nobody is there");
		(void)usleep(1000);
	}
	printf("%.1f\n", (asker_now_ns(CLOCK_MONOTONIC) - start) / 1e6);
}

static void
ask(struct asker *a, double ms)
{
	double start = asker_now_ns(CLOCK_MONOTONIC);
	uint64_t answers = 0, failures = 0;

	for (uint32_t i = 0; (i & 63) != 0 || asker_now_ns(CLOCK_MONOTONIC) - start < ms * 1e6; i++) {
		bool good = i % 3 == 0 ? any_name(a, i) : i % 3 == 1 ? any_uid(a, i) : any_gid(a, i);

		answers += good;
		failures += !good;
	}
	printf("%llu %llu\n", (unsigned long long)answers, (unsigned long long)failures);
}

static void
until_shell(struct asker *a, const char *name, const char *shell, double ms)
{
	double start = asker_now_ns(CLOCK_MONOTONIC);
	struct passwd pw, *found;

	while (getpwnam_r(name, &pw, a->room, ASKER_ROOM, &found) != 0 || found == NULL || strcmp(found->pw_shell, shell) != 0) {
		if (asker_now_ns(CLOCK_MONOTONIC) - start > ms * 1e6)
			errx(1, "no change was seen");
		(void)usleep(200);
	}
	printf("%.6f\n", asker_now_ns(CLOCK_REALTIME) / 1e9);
}

static void
no_end(int signal)
{
	static const char said[] = "cap 0 0\n";

	(void)signal;
	(void)!write(STDOUT_FILENO, said, sizeof said - 1);
	_exit(0);
}

static void
longest_wait(struct asker *a, bool known, double ms, double cap_ms)
{
	double start = asker_now_ns(CLOCK_MONOTONIC), longest = 0;
	unsigned answers = 0, failures = 0;

	(void)signal(SIGALRM, no_end);
	(void)alarm((unsigned)(cap_ms / 1e3));
	while (asker_now_ns(CLOCK_MONOTONIC) - start < ms * 1e6) {
		double begun = asker_now_ns(CLOCK_MONOTONIC), took;
		bool good = known ? one_name(a, 0) : new_miss(a, 0);

		took = asker_now_ns(CLOCK_MONOTONIC) - begun;
		longest = took > longest ? took : longest;
		answers += good;
		failures += !good;
		(void)usleep(2000);
	}
	printf("%.3f %u %u\n", longest / 1e6, answers, failures);
}

int
main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[2] : "";
	double ms = argc > 3 ? strtod(argv[3], NULL) : 0;
	struct asker a = { 0 };

	users = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
	groups = people_groups(users);
	if (users < 1000)
		errx(2, "usage: bench_lookups USERS prime|run|answers|shell|known|new ...");
	asker_begin(&a, 0);
	if (strcmp(what, "first") == 0) {
		double start = asker_now_ns(CLOCK_MONOTONIC);
		bool good = one_name(&a, 0);

		start = asker_now_ns(CLOCK_MONOTONIC) - start;
		if (good)
			printf("%.1f\n", start);
	} else if (strcmp(what, "prime") == 0) {
		prime(&a, ms);
	} else if (strcmp(what, "run") == 0 && argc > 4 && sscanf(argv[4], "%u,%u,%u", &names, &gids, &inits) == 3) {
		run(argv[0], argv[1], ms, argc > 5 ? argv[5] : NULL);
	} else if (strcmp(what, "answers") == 0) {
		until_answers(&a, ms);
	} else if (strcmp(what, "ask") == 0 && argc == 4) {
		ask(&a, ms);
	} else if (strcmp(what, "shell") == 0 && argc == 6) {
		until_shell(&a, argv[3], argv[4], strtod(argv[5], NULL));
	} else if ((strcmp(what, "known") == 0 || strcmp(what, "new") == 0) && argc == 5) {
		longest_wait(&a, what[0] == 'k', ms, strtod(argv[4], NULL));
	} else {
		errx(2, "what?");
	}
	free(a.room);
	return 0;
}

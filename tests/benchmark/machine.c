/*
 * machine.c - what two threads that share nothing do of what one does: no lookup can do more on such a machine.
 *
 *   bench_machine MS      prints "machine-1 NS" and "machine-2 NS": a round of work in one thread, and in each of two
 */
#define _GNU_SOURCE	/* built by tests/bench alone */
#include <err.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 2, STEPS = 24, ROOM = 4096 };

static atomic_bool end;

struct worker {
	_Alignas(128) uint8_t room[ROOM];
	double ns;
};

static double
now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* A round takes about as long as a lookup, and needs nothing but a core and its cache. */
static void *
work(void *arg)
{
	struct worker *w = arg;
	double start = now_ns();
	uint64_t x = 1, rounds = 0;

	while (!atomic_load_explicit(&end, memory_order_relaxed)) {
		for (unsigned i = 0; i < STEPS; i++) {
			x = (x ^ w->room[x >> 52]) * UINT64_C(0x9e3779b97f4a7c15);
			w->room[x >> 52] = (uint8_t)(x >> 32);
		}
		rounds++;
	}
	w->ns = (now_ns() - start) / (double)rounds;
	return NULL;
}

static void
measure(unsigned count, useconds_t usec)
{
	static struct worker workers[THREADS];
	pthread_t threads[THREADS];
	double rate = 0;

	atomic_store(&end, false);
	for (unsigned n = 0; n < count; n++)
		if (pthread_create(&threads[n], NULL, work, &workers[n]) != 0)
			errx(1, "thread");
	(void)usleep(usec);
	atomic_store(&end, true);
	for (unsigned n = 0; n < count; n++) {
		(void)pthread_join(threads[n], NULL);
		rate += 1 / workers[n].ns;
	}
	printf("machine-%u %.1f\n", count, count / rate);
}

int
main(int argc, char **argv)
{
	char *end_of = NULL;
	unsigned long ms = argc == 2 ? strtoul(argv[1], &end_of, 10) : 0;

	if (ms < 1 || ms > 60000 || *end_of != '\0')
		errx(2, "usage: bench_machine MS, from 1 to 60000");
	measure(1, (useconds_t)ms * 1000);
	measure(THREADS, (useconds_t)ms * 1000);
	return 0;
}

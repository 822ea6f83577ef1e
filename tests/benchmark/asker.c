/*
 * asker.c - see asker.h. Part of bench_lookups and bench_machine.
 */
#define _GNU_SOURCE

#include "tests/benchmark/asker.h"

#include <err.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

double
asker_now_ns(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int
compare(const void *one, const void *other)
{
	double a = *(const double *)one, b = *(const double *)other;

	return (a > b) - (a < b);
}

double
asker_median(double *figures, unsigned count)
{
	qsort(figures, count, sizeof *figures, compare);
	return figures[count / 2];
}

void
asker_begin(struct asker *a, uint64_t seed)
{
	a->random = seed * 0x9e3779b97f4a7c15u ^ (uint64_t)asker_now_ns(CLOCK_REALTIME);
	a->room = malloc(ASKER_ROOM);
	a->failed = false;
	if (a->room == NULL)
		err(1, "memory");
}

/* Shared by threads or processes; what each of them writes has a pair of cache lines of its own. */
struct crowd {
	atomic_bool end;
	struct job {
		_Alignas(128) struct asker asker;
		call_fn call;
		atomic_bool *end;
	} jobs[ASKER_CROWD];
};

/* No batches here: who waits for a processor that another one has, waits. */
static void *
do_job(void *arg)
{
	struct job *job = arg;
	double start = asker_now_ns(CLOCK_MONOTONIC);
	uint32_t calls = 0;

	do
		job->asker.failed = !job->call(&job->asker, calls++);
	while (!job->asker.failed && !atomic_load_explicit(job->end, memory_order_relaxed));
	job->asker.ns = (asker_now_ns(CLOCK_MONOTONIC) - start) / calls;
	return NULL;
}

static void
start_job(struct job *job, pthread_t *ret_thread, pid_t *ret_pid)
{
	if (ret_pid == NULL) {
		if (pthread_create(ret_thread, NULL, do_job, job) != 0)
			err(1, "thread");
	} else if ((*ret_pid = fork()) < 0) {
		err(1, "process");
	} else if (*ret_pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)do_job(job);
		_exit(0);
	}
}

double
asker_crowd_ns(call_fn call, unsigned count, bool processes, double ms)
{
	struct crowd *c = mmap(NULL, sizeof *c, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_t threads[ASKER_CROWD];
	pid_t pids[ASKER_CROWD];
	bool failed = false;
	double rate = 0;
	int status;

	if (c == MAP_FAILED)
		err(1, "memory");
	for (unsigned n = 0; n < count; n++) {
		asker_begin(&c->jobs[n].asker, n + 1);
		c->jobs[n].call = call;
		c->jobs[n].end = &c->end;
		start_job(&c->jobs[n], &threads[n], processes ? &pids[n] : NULL);
	}
	(void)usleep((useconds_t)(ms * 1e3));
	atomic_store(&c->end, true);
	for (unsigned n = 0; n < count; n++) {
		if (processes ? waitpid(pids[n], &status, 0) != pids[n] || status != 0 : pthread_join(threads[n], NULL) != 0)
			errx(1, "one ended early");
		rate += 1 / c->jobs[n].asker.ns;
		failed = failed || c->jobs[n].asker.failed;
		free(c->jobs[n].asker.room);
	}
	(void)munmap(c, sizeof *c);
	return failed ? 0 : count / rate;
}

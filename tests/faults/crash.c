/*
 * crash.c - for each system call of an operation: what if the process is killed there, if the call fails, if the disk
 * is full (CASES SN01a, SN02a, DM06a, OT09a)?
 *
 * crash_points [-v] [NAME...]   all operations, or those whose names contain one of these. A line for each: its calls,
 * and the faults that they met. tests/run crash runs it.
 */
#include <config.h>

#include "tests/faults/crash.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/nss/module.h"
#include "tests/nss/scratch.h"

#define CALLS_MAX	5000
#define TOLD_MAX	5	/* failures of an operation that are told */

static const char *folder;
static bool verbose;

const char *
crash_folder(void)
{
	return folder;
}

void
crash_wrong(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vfprintf(stdout, format, ap);
	va_end(ap);
	(void)fputc('\n', stdout);
	(void)fflush(NULL);
	_exit(1);
}

bool
crash_in_child(void (*run)(const void *arg), const void *arg)
{
	int status = 1;
	pid_t pid;

	(void)fflush(NULL);
	pid = fork();
	if (pid == 0) {
		(void)alarm(120);
		run(arg);
		(void)fflush(NULL);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return false;
	if (WIFSIGNALED(status))
		(void)printf("a child died of signal %d\n", WTERMSIG(status));
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	return ftw->level == 0 ? 0 : remove(path);
}

struct point {
	const struct crash_operation *operation;
	struct trace_result result;
	bool again;
};

static void
run_prepare(const void *arg)
{
	((const struct crash_operation *)arg)->prepare();
}

static void
run_judge(const void *arg)
{
	const struct point *p = arg;

	p->operation->judge(&p->result, p->again);
}

/* One fault at one call. Returns whether all was well; *ret->result.ended: there is no such call. */
static bool
one_point(const struct crash_operation *o, bool again, enum fault fault, unsigned at, struct point *ret)
{
	bool well;
	int r;

	*ret = (struct point){ .operation = o, .again = again };
	(void)nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	if (!crash_in_child(run_prepare, o))
		return false;
	if (o->before != NULL)
		o->before();
	r = trace_run(&o->steps, again, fault, at, &ret->result);
	if (r < 0)
		(void)printf("cannot be traced: %s\n", strerror(-r));
	if (ret->result.crashed)
		(void)printf("it died by itself\n");
	if (ret->result.again_failed)
		(void)printf("what came after it failed\n");
	well = r == 0 && !ret->result.crashed && !ret->result.again_failed &&
	    (fault != FAULT_NONE && !ret->result.hit ? true : crash_in_child(run_judge, ret));
	if (o->after != NULL)
		o->after();
	return well;
}

/* One kind of fault at every call. Returns how many were not well. */
static unsigned
all_points(const struct crash_operation *o, bool again, enum fault fault, unsigned *points)
{
	unsigned failures = 0;
	struct point p;

	for (unsigned at = 1; at < CALLS_MAX; at++) {
		bool well = one_point(o, again, fault, at, &p);

		*points += p.result.hit;
		if (well && p.result.ended)
			break;
		if (verbose && p.result.hit)
			(void)printf("%s: call %u (%llu) %s%s: %s\n", o->name, at, (unsigned long long)p.result.call,
			    fault_names[fault], again ? ", and again" : "", p.result.answered ? p.result.answer < 0 ?
			    "failed" : "done" : "no answer");
		if (well)
			continue;
		(void)printf("%s: call %u (system call %llu) %s%s, answer %s %d: see above\n", o->name, at,
		    (unsigned long long)p.result.call, fault_names[fault], again ? ", and again" : "",
		    p.result.answered ? "" : "none", p.result.answer);
		if (++failures >= TOLD_MAX)
			break;
	}
	return failures;
}

static bool
all_faults(const struct crash_operation *o)
{
	unsigned points = 0, failures = 0;
	struct point plain;

	for (int again = 0; again < (o->steps.again != NULL ? 2 : 1); again++)
		if (!one_point(o, again, FAULT_NONE, 0, &plain) || !plain.result.answered || plain.result.answer < 0) {
			(void)printf("FAIL %s: without a fault, answer %d\n", o->name, plain.result.answer);
			return false;
		}
	for (enum fault fault = FAULT_NONE + 1; fault < FAULT_COUNT; fault++) {
		bool kills = fault == FAULT_KILL_BEFORE || fault == FAULT_KILL_AFTER;

		for (int again = 0; again < (o->steps.again != NULL && !kills ? 2 : 1); again++)
			failures += all_points(o, again, fault, &points);
	}
	if (plain.result.calls < o->floor) {
		(void)printf("fewer than %u system calls\n", o->floor);
		failures++;
	}
	/* Before and after each call a kill, and each of two errors at it: that many at the least. */
	if (points < 4 * plain.result.calls)
		failures++;
	(void)printf("%s %s: %u system calls, %u faults\n", failures == 0 ? "ok" : "FAIL", o->name, plain.result.calls,
	    points);
	return failures == 0;
}

static bool
is_chosen(const char *name, int argc, char **argv)
{
	bool chosen = optind >= argc;

	for (int i = optind; i < argc; i++)
		chosen = chosen || strstr(name, argv[i]) != NULL;
	return chosen;
}

int
main(int argc, char **argv)
{
	const struct crash_operation *const lists[] = { crash_publish, crash_replica, crash_state };
	int option, ran = 0, failed = 0;

	while ((option = getopt(argc, argv, "v")) >= 0) {
		if (option != 'v')
			return 2;
		verbose = true;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	(void)umask(077);
	scratch_make();
	folder = scratch_begin();
	module_load();
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		for (const struct crash_operation *o = lists[i]; o->name != NULL; o++) {
			if (!is_chosen(o->name, argc, argv))
				continue;
			ran++;
			failed += !all_faults(o);
		}
	}
	scratch_remove();
	return ran > 0 && failed == 0 ? 0 : 1;
}

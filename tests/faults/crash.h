/*
 * crash.h - operations whose every system call meets every fault, and what must be true afterwards.
 */
#ifndef ISMS_TESTS_CRASH_H
#define ISMS_TESTS_CRASH_H

#include "tests/faults/trace.h"

struct crash_operation {
	const char *name;		/* begins with the case's id */
	unsigned floor;			/* with fewer system calls it was not the operation */
	void (*prepare)(void);		/* the old state, in crash_folder(), which is empty; in a child that then ends */
	void (*before)(void);		/* in the parent, after it; NULL: nothing */
	struct trace_steps steps;
	/*
	 * What is there now, in a process that has seen nothing of it: crash_wrong() if it must not be.
	 *
	 *  again  steps.again has been run, well
	 */
	void (*judge)(const struct trace_result *t, bool again);
	void (*after)(void);		/* in the parent, last; NULL: nothing */
};

/* Each ends with a row without a name. */
extern const struct crash_operation crash_publish[], crash_replica[], crash_state[];

/* A folder of ours alone, with nothing in it before each prepare(). */
const char *crash_folder(void);

/* Say what is wrong, and end the process. */
_Noreturn void crash_wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Run in a child. Returns whether it ended well: without crash_wrong(), and with status 0. */
bool crash_in_child(void (*run)(const void *arg), const void *arg);

#endif

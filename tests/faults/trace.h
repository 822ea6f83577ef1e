/*
 * trace.h - runs an operation in a child under ptrace and lets one of its system calls meet a fault.
 */
#ifndef ISMS_TESTS_TRACE_H
#define ISMS_TESTS_TRACE_H

#include <stdbool.h>
#include <stdint.h>

enum fault {
	FAULT_NONE,
	FAULT_KILL_BEFORE,	/* kill -9 as the call is entered: it does nothing */
	FAULT_KILL_AFTER,	/* kill -9 as the call returns */
	FAULT_EIO,		/* the call does nothing and fails with EIO; close and munmap do their work all the same */
	FAULT_ENOSPC,		/* the same with ENOSPC */
	FAULT_SHORT,		/* half of a write comes through, and from then on the disk is full */
	FAULT_FULL,		/* from this call on whatever needs room on a disk fails with ENOSPC */
	FAULT_COUNT
};
extern const char *const fault_names[FAULT_COUNT];

struct trace_steps {
	void (*begin)(void);	/* before the calls count; NULL: nothing */
	int (*run)(void);	/* whose calls are counted and meet the fault; what it returns is the answer */
	bool (*again)(void);	/* after the answer, without a fault: what must go well now; NULL: the child is killed there */
};

struct trace_result {
	bool hit;		/* the call was there, and the fault is one that it can meet */
	bool ended;		/* there was no such call any more */
	bool answered;		/* run() had returned */
	int answer;
	bool crashed;		/* died, but not of our kill */
	bool again_failed;
	uint64_t call;		/* the system call's number */
	unsigned calls;		/* counted until the answer or the death */
};

/*
 * Run the steps in a child.
 *
 *  again  whether steps->again is run too
 *  at     the call of run() that meets the fault, counted from 1
 *
 * Returns 0, or -errno when there is no child or it cannot be traced.
 */
int trace_run(const struct trace_steps *steps, bool again, enum fault fault, unsigned at, struct trace_result *ret);

#endif

/*
 * trace.c - see trace.h. Test programs only.
 *
 * Each call of the child stops twice, when it is entered and when it returns. A call that shall fail is entered with a
 * number that the kernel does not know; what it returns is then written over.
 */
#include <config.h>

#include "tests/faults/trace.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

const char *const fault_names[FAULT_COUNT] = {
	[FAULT_NONE] = "no fault", [FAULT_KILL_BEFORE] = "killed before", [FAULT_KILL_AFTER] = "killed after",
	[FAULT_EIO] = "EIO", [FAULT_ENOSPC] = "ENOSPC", [FAULT_SHORT] = "half written", [FAULT_FULL] = "full from",
};

/* Where both processes see it. */
struct shared {
	bool answered;
	int answer;
};

struct trace {
	const struct trace_steps *steps;
	bool again;
	enum fault fault;
	unsigned at;
	struct trace_result *ret;
	volatile struct shared *shared;
	pid_t pid;
	bool failing;		/* the call that is under way fails, with this result */
	long result;
	bool killed;
};

/* ---- the machine's registers ---- */

#if defined(__x86_64__)
static int
poke(pid_t pid, size_t at, unsigned long long value)
{
	return ptrace(PTRACE_POKEUSER, pid, (void *)at, (void *)(uintptr_t)value) < 0 ? -errno : 0;
}

static int
skip_call(pid_t pid)
{
	return poke(pid, offsetof(struct user, regs.orig_rax), ~0ull);
}

static int
set_result(pid_t pid, long value)
{
	return poke(pid, offsetof(struct user, regs.rax), (unsigned long long)value);
}

static int
set_third(pid_t pid, uint64_t value)
{
	return poke(pid, offsetof(struct user, regs.rdx), value);
}
#elif defined(__aarch64__)
static int
set_register(pid_t pid, unsigned at, uint64_t value)
{
	struct user_regs_struct regs;
	struct iovec iov = { &regs, sizeof regs };

	if (ptrace(PTRACE_GETREGSET, pid, (void *)(uintptr_t)NT_PRSTATUS, &iov) < 0)
		return -errno;
	regs.regs[at] = value;
	return ptrace(PTRACE_SETREGSET, pid, (void *)(uintptr_t)NT_PRSTATUS, &iov) < 0 ? -errno : 0;
}

static int
skip_call(pid_t pid)
{
	int none = -1;
	struct iovec iov = { &none, sizeof none };

	return ptrace(PTRACE_SETREGSET, pid, (void *)(uintptr_t)NT_ARM_SYSTEM_CALL, &iov) < 0 ? -errno : 0;
}

static int
set_result(pid_t pid, long value)
{
	return set_register(pid, 0, (uint64_t)value);
}

static int
set_third(pid_t pid, uint64_t value)
{
	return set_register(pid, 2, value);
}
#else				/* compiles everywhere, and says so where it is run */
static int skip_call(pid_t pid) { (void)pid; return -ENOTSUP; }
static int set_result(pid_t pid, long value) { (void)pid; (void)value; return -ENOTSUP; }
static int set_third(pid_t pid, uint64_t value) { (void)pid; (void)value; return -ENOTSUP; }
#endif

/* ---- which calls ---- */

static bool
is_write(uint64_t call)
{
	return call == SYS_write || call == SYS_pwrite64;
}

/* What a full disk refuses. */
static bool
needs_room(const struct __ptrace_syscall_info *info)
{
	static const uint64_t calls[] = {
		SYS_write, SYS_pwrite64, SYS_writev, SYS_pwritev, SYS_fallocate, SYS_ftruncate, SYS_fsync, SYS_fdatasync,
		SYS_mkdirat, SYS_linkat, SYS_symlinkat, SYS_renameat, SYS_renameat2,
#ifdef SYS_rename
		SYS_rename, SYS_mkdir, SYS_link, SYS_symlink,
#endif
	};

	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
		if (info->entry.nr == calls[i])
			return true;
	return info->entry.nr == SYS_openat && (info->entry.args[2] & O_CREAT) != 0;
}

/* A descriptor or a mapping is gone, whatever these return. */
static bool
works_all_the_same(uint64_t call)
{
	return call == SYS_close || call == SYS_munmap;
}

/* ---- the child ---- */

static _Noreturn void
be_traced(const struct trace *t)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(2);
	(void)raise(SIGSTOP);		/* to be told that we are watched */
	if (t->steps->begin != NULL)
		t->steps->begin();
	(void)alarm(120);
	(void)raise(SIGSTOP);		/* from here on calls count */
	t->shared->answer = t->steps->run();
	t->shared->answered = true;
	(void)raise(SIGSTOP);		/* no more */
	_exit(t->steps->again == NULL || t->steps->again() ? 0 : 1);
}

/* ---- the parent ---- */

static void
finish_off(struct trace *t)
{
	t->killed = true;
	(void)kill(t->pid, SIGKILL);
}

static int
fail_call(struct trace *t, const struct __ptrace_syscall_info *info)
{
	t->failing = true;
	t->result = t->fault == FAULT_EIO ? -EIO : -ENOSPC;
	if (info->entry.nr == SYS_brk)
		t->result = 0;		/* it knows no errors: an end below what was asked for */
	return works_all_the_same(info->entry.nr) ? 0 : skip_call(t->pid);
}

static int
meet(struct trace *t, const struct __ptrace_syscall_info *info)
{
	t->ret->hit = true;
	t->ret->call = info->entry.nr;
	switch (t->fault) {
	case FAULT_KILL_BEFORE:
		finish_off(t);
		return 0;
	case FAULT_EIO:
	case FAULT_ENOSPC:
		return fail_call(t, info);
	case FAULT_SHORT:
		if (is_write(info->entry.nr) && info->entry.args[2] > 1)
			return set_third(t->pid, info->entry.args[2] / 2);
		t->ret->hit = false;
		finish_off(t);
		return 0;
	case FAULT_FULL:
		if (needs_room(info))
			return fail_call(t, info);
		t->ret->hit = false;	/* the same as from the next one on */
		finish_off(t);
		return 0;
	case FAULT_NONE:
	case FAULT_KILL_AFTER:
	case FAULT_COUNT:
		break;
	}
	return 0;
}

static int
on_enter(struct trace *t, const struct __ptrace_syscall_info *info)
{
	bool kills = t->fault == FAULT_KILL_BEFORE || t->fault == FAULT_KILL_AFTER;

	if (t->shared->answered && !kills)
		return 0;		/* of raise(), which is not the operation's */
	t->ret->calls++;
	if (t->ret->calls == t->at && t->fault != FAULT_NONE)
		return meet(t, info);
	if (t->ret->calls > t->at && (t->fault == FAULT_SHORT || t->fault == FAULT_FULL) && needs_room(info))
		return fail_call(t, info);
	return 0;
}

static int
on_leave(struct trace *t)
{
	if (t->fault == FAULT_KILL_AFTER && t->ret->calls == t->at) {
		finish_off(t);
		return 0;
	}
	if (!t->failing)
		return 0;
	t->failing = false;
	return set_result(t->pid, t->result);
}

static int
on_call(struct trace *t)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, t->pid, (void *)sizeof info, &info) < 0)
		return -errno;
	return info.op == PTRACE_SYSCALL_INFO_ENTRY ? on_enter(t, &info) : on_leave(t);
}

/* Go on until the next stop. Returns its signal, 0 when the child has ended, or -errno. */
static int
go_on(struct trace *t, long request, int signal)
{
	int status;

	if (ptrace((enum __ptrace_request)request, t->pid, NULL, (void *)(intptr_t)signal) < 0 && errno != ESRCH)
		return -errno;
	if (waitpid(t->pid, &status, 0) != t->pid)
		return -errno;
	if (WIFSTOPPED(status))
		return WSTOPSIG(status);
	t->ret->crashed = !t->killed && !(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
	t->ret->again_failed = WIFEXITED(status) && WEXITSTATUS(status) == 1;
	return 0;
}

/* The calls that count. Returns SIGSTOP at the answer, 0 when the child has ended, or -errno. */
static int
watch_calls(struct trace *t)
{
	int stop, pass = 0, r;

	for (;;) {
		stop = go_on(t, PTRACE_SYSCALL, pass);
		if (stop <= 0)
			return stop;
		pass = 0;
		if (stop == (SIGTRAP | 0x80)) {
			r = on_call(t);
			if (r < 0)
				return r;
		} else if (stop == SIGSTOP && t->shared->answered) {
			return stop;
		} else {
			pass = stop;
		}
	}
}

static int
watch(struct trace *t)
{
	int stop, status, r;

	if (waitpid(t->pid, &status, 0) != t->pid || !WIFSTOPPED(status))
		return -ECHILD;
	if (ptrace(PTRACE_SETOPTIONS, t->pid, NULL, (void *)(uintptr_t)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)) < 0)
		return -errno;
	stop = go_on(t, PTRACE_CONT, 0);
	if (stop != SIGSTOP)
		return stop < 0 ? stop : -ECHILD;
	stop = watch_calls(t);
	if (stop < 0)
		return stop;
	t->ret->ended = !t->ret->hit && stop == SIGSTOP;
	while (stop > 0) {
		if (!t->again)
			finish_off(t);
		r = go_on(t, PTRACE_CONT, stop == SIGSTOP ? 0 : stop);
		if (r < 0)
			return r;
		stop = r;
	}
	return 0;
}

int
trace_run(const struct trace_steps *steps, bool again, enum fault fault, unsigned at, struct trace_result *ret)
{
	struct trace t = { .steps = steps, .again = again, .fault = fault, .at = at, .ret = ret };
	int status, r;

	*ret = (struct trace_result){ .hit = false };
	t.shared = mmap(NULL, sizeof *t.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (t.shared == MAP_FAILED)
		return -errno;
	(void)fflush(NULL);
	t.pid = fork();
	if (t.pid == 0)
		be_traced(&t);
	r = t.pid < 0 ? -errno : watch(&t);
	if (r < 0 && t.pid > 0) {
		(void)kill(t.pid, SIGKILL);
		(void)waitpid(t.pid, &status, 0);
	}
	ret->answered = t.shared->answered;
	ret->answer = t.shared->answer;
	(void)munmap((void *)(uintptr_t)t.shared, sizeof *t.shared);
	return r;
}

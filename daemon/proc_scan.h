/*
 * proc_scan.h - whose processes run, from /proc, and signals that reach exactly the process that was judged.
 *
 * A process belongs to a user by any of its uids or by its audit login uid, which also names what the user started
 * through sudo or cron (MEASURED 7). Needs a /proc that shows other users' processes; CAP_KILL to signal.
 */
#ifndef ISMS_PROC_SCAN_H
#define ISMS_PROC_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROC_NO_UID UINT32_MAX

struct proc_facts {
	pid_t pid;
	uint32_t uids[4];	/* real, effective, saved, file system */
	uint32_t login_uid;	/* PROC_NO_UID: none */
};

/*
 * Visit every process but ourselves and PID 1.
 *
 *  proc   "/proc"
 *  visit  called with each; one that ends meanwhile may be missing
 *
 * Returns 0, or -errno when the folder cannot be read.
 */
int proc_scan(const char *proc, void (*visit)(const struct proc_facts *facts, void *arg), void *arg);

/* One process. Returns 0, -ESRCH when it is gone, or -EBADMSG when its files cannot be understood. */
int proc_read(const char *proc, pid_t pid, struct proc_facts *ret);

/*
 * Whether a process has one of some groups, as its real or a supplementary group: the others are also those of a program
 * that is installed set-group-id, which anybody may run.
 *
 *  gids       in the order in which they matter
 *  ret_which  the first of them that it has
 *
 * Returns 1; 0: none of them, or it is gone; or -errno.
 */
int proc_has_group(const char *proc, pid_t pid, const uint32_t *gids, size_t count, size_t *ret_which);

/* Whether a process belongs to a user. */
bool proc_belongs(const struct proc_facts *facts, uint32_t uid);

/*
 * The uids, 1000 and above, to which processes belong, or of whom logind keeps a state: a /proc that is mounted with
 * hidepid shows nothing of other users to who has no CAP_SYS_PTRACE.
 *
 *  users     logind's folder with a file for each user who is logged in or lingers; NULL, or missing: none
 *  ret_uids  sorted, each once; the caller frees it; NULL when there are none
 *
 * Returns 0 or -errno.
 */
int proc_live_uids(const char *proc, const char *users, uint32_t **ret_uids, size_t *ret_count);

/*
 * Signal a process if it still belongs to a user: opened first, judged again, and only then signalled, so that a
 * process which got a recycled id is never hit.
 *
 *  signals  sent in this order; ends with 0
 *
 * Returns 1 when it was signalled, 0 when it is gone or another's, or -errno.
 */
int proc_signal(const char *proc, pid_t pid, uint32_t uid, const int *signals);

#endif

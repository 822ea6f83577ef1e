/*
 * proc_scan.c - reads /proc/PID/status and /proc/PID/loginuid, and signals through pidfds.
 *
 * Runs in the publisher, as uid 0 with CAP_KILL. It must never signal by a bare process id, never itself, never
 * PID 1, and never a process that it has not judged after pinning it.
 */
#include <config.h>

#include "daemon/proc_scan.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#define FIRST_USER_UID 1000u
#define STATUS_BYTES_MAX (1024 * 1024)	/* 65,536 groups */

/* Read the beginning of a small file below a process's folder. */
static int
read_start(int proc_fd, pid_t pid, const char *file, char *buf, size_t size)
{
	char path[64];
	size_t used = 0;
	ssize_t n;
	int fd, r = 0;

	(void)snprintf(path, sizeof path, "%d/%s", (int)pid, file);
	fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	while (used < size - 1) {
		n = read(fd, buf + used, size - 1 - used);
		if (n < 0)
			r = -errno;
		if (n <= 0)
			break;
		used += (size_t)n;
	}
	buf[used] = '\0';
	(void)close(fd);
	return r;
}

static int
parse_uids(const char *status, uint32_t ret[4])
{
	const char *line = strstr(status, "\nUid:");
	unsigned long id[4];

	if (line == NULL || sscanf(line, "\nUid: %lu %lu %lu %lu", &id[0], &id[1], &id[2], &id[3]) != 4)
		return -EBADMSG;
	for (unsigned i = 0; i < 4; i++)
		ret[i] = (uint32_t)id[i];
	return 0;
}

static int
read_facts(int proc_fd, pid_t pid, struct proc_facts *ret)
{
	struct proc_facts facts = { .pid = pid, .login_uid = PROC_NO_UID };
	char buf[1024];
	int r;

	r = read_start(proc_fd, pid, "status", buf, sizeof buf);
	if (r < 0)
		return r == -ENOENT ? -ESRCH : r;
	r = parse_uids(buf, facts.uids);
	if (r < 0)
		return r;
	/* Kernels without auditing have no such file: then the uids alone count. */
	if (read_start(proc_fd, pid, "loginuid", buf, sizeof buf) == 0 && isdigit((unsigned char)buf[0]))
		facts.login_uid = (uint32_t)strtoul(buf, NULL, 10);
	*ret = facts;
	return 0;
}

static int
open_proc(const char *proc)
{
	int fd = open(proc, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int
proc_read(const char *proc, pid_t pid, struct proc_facts *ret)
{
	int r, fd = open_proc(proc);

	if (fd < 0)
		return fd;
	r = read_facts(fd, pid, ret);
	(void)close(fd);
	return r;
}

/* The first numbers of a line. */
static void
look_in_line(const char *status, const char *line, size_t numbers, const uint32_t *gids, size_t *which)
{
	const char *at = strstr(status, line);
	char *end;

	for (at = at != NULL ? at + strlen(line) : ""; *at != '\n' && *at != '\0' && numbers-- > 0; at = end) {
		unsigned long gid = strtoul(at, &end, 10);

		if (end == at)
			return;
		for (size_t i = 0; i < *which; i++)
			if (gids[i] == gid)
				*which = i;
		end += strspn(end, " \t");
	}
}

int
proc_has_group(const char *proc, pid_t pid, const uint32_t *gids, size_t count, size_t *ret_which)
{
	size_t which = count;
	char *buf = malloc(STATUS_BYTES_MAX);
	int r, fd = buf != NULL ? open_proc(proc) : -ENOMEM;

	if (fd < 0) {
		free(buf);
		return fd;
	}
	r = read_start(fd, pid, "status", buf, STATUS_BYTES_MAX);
	(void)close(fd);
	if (r == 0) {
		look_in_line(buf, "\nGid:", 1, gids, &which);
		look_in_line(buf, "\nGroups:", SIZE_MAX, gids, &which);
		*ret_which = which;
	}
	free(buf);
	return r == -ENOENT || r == -ESRCH ? 0 : r < 0 ? r : which < count;
}

bool
proc_belongs(const struct proc_facts *facts, uint32_t uid)
{
	for (unsigned i = 0; i < 4; i++) {
		if (facts->uids[i] == uid)
			return true;
	}
	return facts->login_uid == uid;
}

int
proc_scan(const char *proc, void (*visit)(const struct proc_facts *facts, void *arg), void *arg)
{
	int fd = open_proc(proc);
	const struct dirent *d;
	struct proc_facts facts;
	DIR *dir;
	long pid;
	int r = 0;

	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (dir == NULL) {
		r = -errno;
		(void)close(fd);
		return r;
	}
	while (errno = 0, (d = readdir(dir)) != NULL) {
		if (!isdigit((unsigned char)d->d_name[0]))
			continue;
		pid = strtol(d->d_name, NULL, 10);
		if (pid <= 1 || pid == (long)getpid() || read_facts(fd, (pid_t)pid, &facts) < 0)
			continue;
		visit(&facts, arg);
	}
	if (errno != 0)
		r = -errno;
	(void)closedir(dir);
	return r;
}

struct uid_set {
	uint32_t *list;		/* owned */
	size_t count, room;
	uint32_t last;		/* neighbours in /proc are often of one user */
	bool failed;
};

static void
add_uid(struct uid_set *set, uint32_t uid)
{
	uint32_t *list;

	if (uid < FIRST_USER_UID || uid == PROC_NO_UID || uid == set->last)
		return;
	if (set->count == set->room) {
		list = reallocarray(set->list, set->room > 0 ? set->room * 2 : 64, sizeof *list);
		if (list == NULL) {
			set->failed = true;
			return;
		}
		set->list = list;
		set->room = set->room > 0 ? set->room * 2 : 64;
	}
	set->list[set->count++] = uid;
	set->last = uid;
}

static void
collect_uids(const struct proc_facts *facts, void *arg)
{
	for (unsigned i = 0; i < 4; i++)
		add_uid(arg, facts->uids[i]);
	add_uid(arg, facts->login_uid);
}

static int
compare_uid(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Files are named by uid; those that logind is about to rename are not. */
static void
collect_users(const char *folder, struct uid_set *set)
{
	DIR *dir = opendir(folder);
	const struct dirent *d;

	while (dir != NULL && (d = readdir(dir)) != NULL) {
		size_t len = strlen(d->d_name);
		unsigned long long uid = strtoull(d->d_name, NULL, 10);

		if (len > 0 && len <= 10 && strspn(d->d_name, "0123456789") == len && uid < UINT32_MAX)
			add_uid(set, (uint32_t)uid);
	}
	if (dir != NULL)
		(void)closedir(dir);
}

int
proc_live_uids(const char *proc, const char *users, uint32_t **ret_uids, size_t *ret_count)
{
	struct uid_set set = { .last = PROC_NO_UID };
	size_t kept = 0;
	int r;

	r = proc_scan(proc, collect_uids, &set);
	if (users != NULL)
		collect_users(users, &set);
	if (r >= 0 && set.failed)
		r = -ENOMEM;
	if (r < 0) {
		free(set.list);
		return r;
	}
	if (set.count > 0)
		qsort(set.list, set.count, sizeof *set.list, compare_uid);
	for (size_t i = 0; i < set.count; i++) {
		if (kept == 0 || set.list[kept - 1] != set.list[i])
			set.list[kept++] = set.list[i];
	}
	*ret_uids = set.list;
	*ret_count = kept;
	return 0;
}

int
proc_signal(const char *proc, pid_t pid, uint32_t uid, const int *signals)
{
	struct proc_facts facts;
	struct pollfd alive;
	int fd, r;

	if (pid <= 1 || pid == getpid() || uid < FIRST_USER_UID)
		return -EPERM;
	fd = pidfd_open(pid, 0);
	if (fd < 0)
		return errno == ESRCH || errno == EINVAL ? 0 : -errno;
	r = proc_read(proc, pid, &facts);
	if (r < 0 || !proc_belongs(&facts, uid)) {
		r = r == -ESRCH ? 0 : r;
		goto out;
	}
	/* Still alive after it was judged: hence the id was not recycled in between, and it is the one that was judged. */
	alive = (struct pollfd){ .fd = fd, .events = POLLIN };
	if (poll(&alive, 1, 0) != 0) {
		r = 0;
		goto out;
	}
	r = *signals == 0;
	for (; *signals != 0; signals++) {
		if (pidfd_send_signal(fd, *signals, NULL, 0) < 0) {
			if (errno != ESRCH)
				r = -errno;
			break;		/* gone: after the first signal, by it */
		}
		r = 1;
	}
out:
	(void)close(fd);
	return r;
}

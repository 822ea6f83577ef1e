/*
 * guarded_list.c - the list of local accounts under policy, on its way to pam_isms (see guarded_list.h).
 *
 * Runs in the publisher, at start, at each reload, and as often as the directory process vouches for the roster. A
 * published list is never written again: a reader sees the old one or the new one, whole. It must never list root.
 */
#include <config.h>

#include "daemon/guarded_list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "common/guarded.h"
#include "daemon/local_accounts.h"
#include "daemon/report.h"

#define TEMP "." GUARDED_FILE ".new"

/* Any of the accounts of a name will do: root by another name must not be refused by a slip of the pen. */
static bool
is_root(const struct local_accounts *local, const char *name)
{
	for (size_t i = 0; i < local->user_count; i++)
		if (local->users[i].uid == 0 && strcmp(local->users[i].name, name) == 0)
			return true;
	return false;
}

/* The list as text, to be freed; NULL without memory. */
static char *
make(const struct policy *policy, const struct local_accounts *local)
{
	char *text = malloc(GUARDED_BYTES_MAX + 1), *at = text;
	const char *name;

	if (text == NULL)
		return NULL;
	*at = '\0';
	for (size_t i = 0; (name = policy_local_managed(policy, i)) != NULL; i++) {
		size_t len = strlen(name);

		if (is_root(local, name)) {
			report_log(LOG_ERR, "[local] manage: %s has uid 0 and is never under policy; remove the name", name);
			continue;
		}
		if ((size_t)(text + GUARDED_BYTES_MAX - at) < len + 1)
			break;		/* policy_load() takes no such list */
		memcpy(at, name, len);
		at[len] = '\n';
		at += len + 1;
		*at = '\0';
	}
	return text;
}

/* Whether the file says so already, and is readable for all. */
static bool
is_current(int dir_fd, const char *text)
{
	size_t len = strlen(text);
	char *found = malloc(len + 1);
	int fd = openat(dir_fd, GUARDED_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	bool same = found != NULL && fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == (off_t)len &&
	    (st.st_mode & 0777) == 0644 && read(fd, found, len + 1) == (ssize_t)len && memcmp(found, text, len) == 0;

	if (fd >= 0)
		(void)close(fd);
	free(found);
	return same;
}

static int
replace(int dir_fd, const char *text)
{
	size_t len = strlen(text);
	int fd, r = 0;

	if (unlinkat(dir_fd, TEMP, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(dir_fd, TEMP, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	errno = 0;
	if (write(fd, text, len) != (ssize_t)len)
		r = errno != 0 ? -errno : -ENOSPC;
	else if (fchmod(fd, 0644) < 0 || fsync(fd) < 0)
		r = -errno;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r == 0 && (renameat(dir_fd, TEMP, dir_fd, GUARDED_FILE) < 0 || fsync(dir_fd) < 0))
		r = -errno;
	if (r < 0)
		(void)unlinkat(dir_fd, TEMP, 0);
	return r;
}

void
guarded_list_publish(const struct paths *paths, const struct policy *policy)
{
	struct local_accounts local;
	int dir_fd, r;
	char *text = NULL;

	r = local_accounts_load(paths, &local);
	if (r < 0)
		local = (struct local_accounts){ 0 };	/* the module sees by itself who is root */
	text = make(policy, &local);
	local_accounts_done(&local);
	dir_fd = open(paths->nss, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (text == NULL)
		r = -ENOMEM;
	else if (dir_fd < 0)
		r = -errno;
	else
		r = is_current(dir_fd, text) ? 0 : replace(dir_fd, text);
	if (r < 0)
		report_log(LOG_ERR, "%s/%s cannot be written: %s; [local] manage is in force as before", paths->nss, GUARDED_FILE,
		    strerror(-r));
	if (dir_fd >= 0)
		(void)close(dir_fd);
	free(text);
}

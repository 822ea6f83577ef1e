/*
 * scan_setid.c - programs of users that run as their user or their group whoever starts them, for scan.h.
 *
 * Runs in isms-userctl, as root, in folders that users own: only scan_file.h opens anything there, and nothing but folders.
 * Such a copy gives its group on after a grant of it has ended (isms-policy(5), privileged).
 */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "tools/scan_file.h"
#include "tools/scan_parts.h"

#define FIRST_USER_UID	1000		/* below: what packages have installed, also where a system account lives */
#define FILES_MAX	200000		/* of one home */
#define DEPTH_MAX	40

struct walk {
	struct scan *scan;		/* borrowed */
	const char *who;		/* borrowed */
	dev_t device;			/* what is mounted in a home may hang */
	unsigned left;			/* how many files are still looked at */
	bool incomplete;
};

/* The kernel heeds set-group-id only beside the group's x. */
static void
note_file(const struct walk *w, const struct stat *st, const char *where)
{
	const struct identities *all = &w->scan->account->identities;
	bool user = (st->st_mode & S_ISUID) != 0, group = (st->st_mode & S_ISGID) != 0 && (st->st_mode & S_IXGRP) != 0;
	const char *name = NULL;
	char detail[128];

	if (!S_ISREG(st->st_mode) || st->st_uid < FIRST_USER_UID || (!user && !group))
		return;
	for (size_t i = 0; i < all->group_count && name == NULL; i++)
		if (all->groups[i].gid == st->st_gid)
			name = all->groups[i].name;
	(void)snprintf(detail, sizeof detail, "runs as %s%s%s", user ? "its user" : "", user && group ? " and " : "",
	    group ? "group " : "");
	if (group && name != NULL)
		(void)snprintf(detail + strlen(detail), sizeof detail - strlen(detail), "%s", name);
	else if (group)
		(void)snprintf(detail + strlen(detail), sizeof detail - strlen(detail), "%u", (unsigned)st->st_gid);
	scan_note(w->scan, DECLARED_SETID, w->who, where, detail);
}

/* Takes the descriptor. */
static void
walk_folder(struct walk *w, int fd, const char *path, unsigned depth)
{
	char where[SCAN_PATH_MAX];
	const struct dirent *e;
	DIR *dir = fdopendir(fd);
	struct stat st;

	if (dir == NULL) {
		(void)close(fd);
		return;
	}
	while ((e = readdir(dir)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (w->left == 0 || (size_t)snprintf(where, sizeof where, "%s/%s", path, e->d_name) >= sizeof where) {
			w->incomplete = true;
			break;
		}
		w->left--;
		if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_dev != w->device)
			continue;
		note_file(w, &st, where);
		if (!S_ISDIR(st.st_mode))
			continue;
		fd = depth < DEPTH_MAX ? scan_file_below(dirfd(dir), e->d_name, O_DIRECTORY) : -ELOOP;
		if (fd >= 0)
			walk_folder(w, fd, where, depth + 1);
		w->incomplete = w->incomplete || fd == -ELOOP;
	}
	(void)closedir(dir);
}

void
scan_setid(struct scan *s, int home, const char *home_path, const char *who)
{
	struct walk w = { .scan = s, .who = who, .left = FILES_MAX };
	struct statvfs fs;
	struct stat st;
	int fd;

	if (fstat(home, &st) < 0 || fstatvfs(home, &fs) < 0 || (fs.f_flag & ST_NOSUID) != 0)
		return;
	fd = scan_file_below(home, ".", O_DIRECTORY);
	if (fd < 0)
		return;
	w.device = st.st_dev;
	walk_folder(&w, fd, home_path, 0);
	if (w.incomplete)
		scan_note_fault(s, DECLARED_SETID, who, home_path, -EOVERFLOW);
}

/*
 * scan_jobs.c - sudo rules, crontabs, at jobs and lingering users, for scan.h.
 *
 * Runs in isms-userctl, as root. What packages bring for root to run is found as well: a package is no declaration.
 */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/scan_file.h"
#include "tools/scan_parts.h"

#define INCLUDES_MAX 8

typedef void take_file(struct scan *s, int folder, const char *folder_path, const char *name);

/* Call take() for each entry of a folder that no user owns. */
static void
each_entry(struct scan *s, const char *path, take_file *take)
{
	char whole[SCAN_PATH_MAX];
	const struct dirent *e;
	DIR *dir;
	int fd;

	(void)snprintf(whole, sizeof whole, "%s%s", s->in->root, path);
	fd = scan_file_folder(whole);
	dir = fd >= 0 ? fdopendir(fd) : NULL;
	while (dir != NULL && (e = readdir(dir)) != NULL)
		if (e->d_name[0] != '.')
			take(s, fd, whole, e->d_name);
	if (dir != NULL)
		(void)closedir(dir);
	else if (fd >= 0)
		(void)close(fd);
}

/* Returns 0 or -errno; a file that is not there is nothing to tell. */
static int
read_below(struct scan *s, enum declared_what what, const char *who, int folder, const char *folder_path, const char *name,
    char **ret, size_t *ret_len, char where[static SCAN_PATH_MAX], struct stat *ret_st)
{
	int r = scan_file_below(folder, name, 0);

	(void)snprintf(where, SCAN_PATH_MAX, "%s/%.255s", folder_path, name);
	if (r >= 0)
		r = scan_file_read(r, ret, ret_len, ret_st);
	if (r < 0 && r != -EISDIR)
		scan_note_fault(s, what, who, where, r);
	return r;
}

/* ---- sudo ---- */

static void scan_sudoers(struct scan *s, const char *path, int depth);

static void
take_rule(void *arg, const struct scan_text_item *item)
{
	const struct scan_place *place = arg;
	char path[SCAN_PATH_MAX];
	size_t len = strlen(item->detail);

	if (!item->is_include) {
		if (strcmp(item->who, "root") != 0)	/* who may do everything gains nothing */
			scan_note_item(arg, item);
		return;
	}
	(void)snprintf(path, sizeof path, "%s%s", item->detail[0] == '/' ? "" : "/etc/", item->detail);
	if (place->depth >= INCLUDES_MAX || len == 0)
		scan_note_fault(place->scan, DECLARED_SUDO, "", place->path, -ELOOP);
	else
		scan_sudoers(place->scan, path, place->depth + 1);
}

static void
scan_sudoers_text(struct scan *s, int folder, const char *folder_path, const char *name, int depth)
{
	char where[SCAN_PATH_MAX], *text = NULL;
	struct scan_place place = { .scan = s, .what = DECLARED_SUDO, .path = where, .depth = depth };
	size_t len = 0;

	if (read_below(s, DECLARED_SUDO, "", folder, folder_path, name, &text, &len, where, NULL) < 0)
		return;
	scan_text_sudoers(text, len, take_rule, &place);
	free(text);
}

/* As sudo: what has a dot in its name or ends in ~ is left out. */
static void
take_sudoers(struct scan *s, int folder, const char *folder_path, const char *name)
{
	if (strchr(name, '.') == NULL && name[strlen(name) - 1] != '~')
		scan_sudoers_text(s, folder, folder_path, name, INCLUDES_MAX);
}

/* A file, or with a slash at its end all files of a folder. */
static void
scan_sudoers(struct scan *s, const char *path, int depth)
{
	char parent[SCAN_PATH_MAX];
	const char *name = strrchr(path, '/');
	int folder;

	if (name == NULL || name - path > 255)
		return;
	if (name[1] == '\0') {
		each_entry(s, path, take_sudoers);
		return;
	}
	(void)snprintf(parent, sizeof parent, "%.4000s%.*s", s->in->root, (int)(name - path), path);
	folder = scan_file_folder(parent);
	if (folder < 0)
		return;
	scan_sudoers_text(s, folder, parent, name + 1, depth);
	(void)close(folder);
}

/* ---- cron, at, lingering ---- */

static void
scan_crontab(struct scan *s, int folder, const char *folder_path, const char *name, const char *who)
{
	char where[SCAN_PATH_MAX], *text = NULL;
	struct scan_place place = { .scan = s, .what = DECLARED_CRON, .who = who, .path = where };
	size_t len = 0;

	if (read_below(s, DECLARED_CRON, who != NULL ? who : "", folder, folder_path, name, &text, &len, where, NULL) < 0)
		return;
	scan_text_crontab(text, len, who == NULL, scan_note_item, &place);
	free(text);
}

static void
take_system_crontab(struct scan *s, int folder, const char *folder_path, const char *name)
{
	scan_crontab(s, folder, folder_path, name, NULL);
}

static void
take_user_crontab(struct scan *s, int folder, const char *folder_path, const char *name)
{
	scan_crontab(s, folder, folder_path, name, name);
}

static char *
name_of_uid(const struct scan *s, uid_t uid, char *buf, size_t size)
{
	const struct identities *all = &s->account->identities;
	const char *name;
	json_t *value;

	(void)snprintf(buf, size, "%u", (unsigned)uid);
	for (size_t i = 0; i < all->user_count; i++)
		if (all->users[i].uid == uid && all->users[i].state == FACTS_MANAGED)
			(void)snprintf(buf, size, "%s", all->users[i].name);
	json_object_foreach(s->local, name, value)
		if (json_integer_value(value) == (json_int_t)uid)
			(void)snprintf(buf, size, "%s", name);
	return buf;
}

/* The owner of the file is whom atd runs it as. */
static void
take_at_job(struct scan *s, int folder, const char *folder_path, const char *name)
{
	char where[SCAN_PATH_MAX], who[64], *text = NULL;
	struct stat st;
	size_t len = 0;

	if (read_below(s, DECLARED_AT, "", folder, folder_path, name, &text, &len, where, &st) < 0)
		return;
	free(text);
	scan_note(s, DECLARED_AT, name_of_uid(s, st.st_uid, who, sizeof who), where, name);
}

static void
take_lingering(struct scan *s, int folder, const char *folder_path, const char *name)
{
	char where[SCAN_PATH_MAX];

	(void)folder;
	(void)snprintf(where, sizeof where, "%s/%.255s", folder_path, name);
	scan_note(s, DECLARED_UNIT, name, where, "lingers: units run without a session");
}

void
scan_jobs(struct scan *s)
{
	char etc[SCAN_PATH_MAX];
	int folder;

	scan_sudoers(s, "/etc/sudoers", 0);
	(void)snprintf(etc, sizeof etc, "%s/etc", s->in->root);
	folder = scan_file_folder(etc);
	if (folder >= 0) {
		scan_crontab(s, folder, etc, "crontab", NULL);
		(void)close(folder);
	}
	each_entry(s, "/etc/cron.d", take_system_crontab);
	each_entry(s, "/var/spool/cron/crontabs", take_user_crontab);
	each_entry(s, "/var/spool/cron", take_user_crontab);	/* elsewhere than on Debian */
	each_entry(s, "/var/spool/cron/atjobs", take_at_job);
	each_entry(s, "/var/spool/at", take_at_job);
	each_entry(s, "/var/lib/systemd/linger", take_lingering);
}

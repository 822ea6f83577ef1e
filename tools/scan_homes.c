/*
 * scan_homes.c - keys and units in home folders, for scan.h.
 *
 * Runs in isms-userctl, as root, in folders that users own: only scan_file.h opens anything there. Looked at are the
 * homes of /etc/passwd and of the directory, and whatever else lies in the folders of [nss] home-prefixes.
 */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/scan_file.h"
#include "tools/scan_parts.h"

#define UNITS_MAX 200	/* of one folder */

/* One file of keys, below a folder. */
static void
scan_keys(struct scan *s, int folder, const char *folder_path, const char *path, const char *who)
{
	char whole[SCAN_PATH_MAX], *text = NULL;
	struct scan_place place = { .scan = s, .what = DECLARED_KEYS, .who = who, .path = whole };
	size_t len = 0;
	int r = scan_file_below(folder, path, 0);

	(void)snprintf(whole, sizeof whole, "%s%s%s", folder_path, folder_path[strlen(folder_path) - 1] == '/' ? "" : "/", path);
	if (r >= 0)
		r = scan_file_read(r, &text, &len, NULL);
	if (r < 0) {
		scan_note_fault(s, DECLARED_KEYS, who, whole, r);
		return;
	}
	scan_text_keys(text, len, scan_note_item, &place);
	free(text);
}

static void
scan_units(struct scan *s, int home, const char *home_path, const char *folder, const char *who)
{
	char where[SCAN_PATH_MAX];
	const struct dirent *e;
	unsigned count = 0;
	DIR *dir;
	int fd = scan_file_below(home, folder, O_DIRECTORY);

	(void)snprintf(where, sizeof where, "%s/%s", home_path, folder);
	if (fd < 0) {
		scan_note_fault(s, DECLARED_UNIT, who, where, fd);
		return;
	}
	dir = fdopendir(fd);
	if (dir == NULL) {
		(void)close(fd);
		return;
	}
	while ((e = readdir(dir)) != NULL && count < UNITS_MAX) {
		const char *dot = strrchr(e->d_name, '.');

		if (e->d_name[0] == '.' || dot == NULL || strcmp(dot, ".wants") == 0 || strcmp(dot, ".requires") == 0 ||
		    strcmp(dot, ".d") == 0)
			continue;
		count++;
		(void)snprintf(where, sizeof where, "%s/%s/%.255s", home_path, folder, e->d_name);
		scan_note(s, DECLARED_UNIT, who, where, e->d_name);
	}
	(void)closedir(dir);
}

/* A pattern of AuthorizedKeysFile for somebody: %u, %h, %U and %%. Returns false for what is too long. */
static bool
expand(const char *pattern, size_t len, const char *who, const char *home, unsigned uid, char *buf, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		char number[16];
		const char *part = NULL;

		if (pattern[i] != '%' || i + 1 == len) {
			if (used + 1 >= size)
				return false;
			buf[used++] = pattern[i];
			continue;
		}
		(void)snprintf(number, sizeof number, "%u", uid);
		i++;
		part = pattern[i] == 'u' ? who : pattern[i] == 'h' ? home : pattern[i] == 'U' ? number : "%";
		used += (size_t)snprintf(buf + used, size - used, "%s", part);
		if (used >= size)
			return false;
	}
	buf[used] = '\0';
	return true;
}

/* The last part of a path, in its folder, which may be a link that root made. Returns a descriptor or -errno. */
static int
open_home(const char *path)
{
	char parent[SCAN_PATH_MAX];
	const char *name = strrchr(path, '/');
	int folder, fd;

	if (name == NULL || name[1] == '\0' || strlen(path) >= sizeof parent)
		return -ENOENT;
	(void)snprintf(parent, sizeof parent, "%.*s/", (int)(name - path), path);
	folder = scan_file_folder(parent);
	if (folder < 0)
		return folder;
	fd = scan_file_below(folder, name + 1, O_DIRECTORY);
	(void)close(folder);
	return fd;
}

/* Keys elsewhere than in the home: /etc/ssh/keys/%u. What stands there for all is looked at once for each. */
static void
scan_keys_of_host(struct scan *s, const char *path, const char *who)
{
	char parent[SCAN_PATH_MAX];
	const char *name = strrchr(path, '/');
	int folder;

	(void)snprintf(parent, sizeof parent, "%s%.*s/", s->in->root, (int)(name - path), path);
	folder = scan_file_folder(parent);
	if (folder < 0)
		return;
	scan_keys(s, folder, parent, name + 1, who);
	(void)close(folder);
}

static void
scan_home(struct scan *s, const char *who, const char *home, unsigned uid)
{
	char path[SCAN_PATH_MAX], whole[SCAN_PATH_MAX];
	size_t len;
	int fd;

	(void)snprintf(whole, sizeof whole, "%s%s", s->in->root, home);
	fd = open_home(whole);
	if (fd == -ELOOP)
		scan_note_fault(s, DECLARED_KEYS, who, whole, fd);
	for (const char *at = s->key_files + strspn(s->key_files, " "); *at != '\0'; at += len, at += strspn(at, " ")) {
		len = strcspn(at, " ");
		if (!expand(at, len, who, home, uid, path, sizeof path))
			continue;
		if (path[0] == '/' && strncmp(path, home, strlen(home)) == 0 && path[strlen(home)] == '/')
			memmove(path, path + strlen(home) + 1, strlen(path + strlen(home) + 1) + 1);
		if (path[0] == '/')
			scan_keys_of_host(s, path, who);
		else if (fd >= 0)
			scan_keys(s, fd, whole, path, who);
	}
	if (fd < 0)
		return;
	scan_units(s, fd, whole, ".config/systemd/user", who);
	scan_units(s, fd, whole, ".local/share/systemd/user", who);
	scan_setid(s, fd, whole, who);
	(void)close(fd);
}

/* Each home once: many system accounts share one; nobody's is "/" or /nonexistent. */
static void
scan_home_once(struct scan *s, const char *who, const char *home, unsigned uid)
{
	if (home == NULL || home[0] != '/' || home[1] == '\0' || strlen(home) > 255 || json_object_get(s->homes, home) != NULL)
		return;
	(void)json_object_set_new_nocheck(s->homes, home, json_true());
	scan_home(s, who, home, uid);
}

/* Homes that belong to no account any more, or not yet. */
static void
scan_prefix(struct scan *s, const char *prefix, size_t len)
{
	char path[SCAN_PATH_MAX], home[SCAN_PATH_MAX];
	const struct dirent *e;
	DIR *dir;

	(void)snprintf(path, sizeof path, "%s%.*s", s->in->root, (int)len, prefix);
	dir = opendir(path);
	while (dir != NULL && (e = readdir(dir)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		(void)snprintf(home, sizeof home, "%.*s%s%s", (int)len, prefix, len > 0 && prefix[len - 1] == '/' ? "" : "/", e->d_name);
		scan_home_once(s, "", home, 0);
	}
	if (dir != NULL)
		(void)closedir(dir);
}

void
scan_homes(struct scan *s)
{
	const struct identities *all = &s->account->identities;
	const char *prefixes = s->in->settings.nss_home_prefixes;
	const struct passwd *row;
	size_t len;
	FILE *f = fopen(s->in->paths.passwd, "re");

	while (f != NULL && (row = fgetpwent(f)) != NULL)
		scan_home_once(s, row->pw_name, row->pw_dir, row->pw_uid);
	if (f != NULL)
		(void)fclose(f);
	for (size_t i = 0; i < all->user_count; i++)
		if (all->users[i].state == FACTS_MANAGED)
			scan_home_once(s, all->users[i].name, all->users[i].home, all->users[i].uid);
	for (prefixes += strspn(prefixes, " "); *prefixes != '\0'; prefixes += len, prefixes += strspn(prefixes, " ")) {
		len = strcspn(prefixes, " ");
		scan_prefix(s, prefixes, len);
	}
}

/*
 * setup_files.c - the files that `setup` makes, each of which it can take back.
 *
 * Runs in isms-userctl setup. Must never overwrite or remove a file that it has not made itself.
 */
#include <config.h>

#include "tools/setup_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The shipped files, line by line, made at build time from daemon/isms.conf and daemon/policy.conf. */
static const char *const settings_lines[] = {
#include "tools/isms_conf.inc"
	NULL
};
static const char *const policy_lines[] = {
#include "tools/policy_conf.inc"
	NULL
};

static void
note(struct setup_made *made, const char *path, int is_folder)
{
	if (made->count == SETUP_MADE_MAX)
		return;
	(void)snprintf(made->list[made->count].path, sizeof made->list[0].path, "%s", path);
	made->list[made->count++].is_folder = is_folder;
}

void
setup_files_note(struct setup_made *made, const char *path)
{
	note(made, path, 0);
}

int
setup_files_folder(struct setup_made *made, const char *path, mode_t mode, uid_t owner, gid_t group)
{
	struct stat st;

	if (mkdir(path, mode) < 0) {
		if (errno != EEXIST)
			return -errno;
		return stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
	}
	note(made, path, 1);
	if (chmod(path, mode) < 0 || (owner != (uid_t)-1 && chown(path, owner, group) < 0))	/* umask took bits */
		return -errno;
	return 1;
}

static int
write_whole(struct setup_made *made, const char *path, const char *text, mode_t mode, gid_t group)
{
	size_t len = strlen(text), done = 0;
	ssize_t n = 0;
	int fd, r = 0;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EEXIST ? 0 : -errno;
	note(made, path, 0);
	while (done < len && r == 0) {
		n = write(fd, text + done, len - done);
		if (n < 0 && errno != EINTR)
			r = -errno;
		else if (n > 0)
			done += (size_t)n;
	}
	if (r == 0 && ((group != (gid_t)-1 && fchown(fd, (uid_t)-1, group) < 0) || fchmod(fd, mode) < 0 || fsync(fd) < 0))
		r = -errno;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	return r < 0 ? r : 1;
}

int
setup_files_write(struct setup_made *made, const char *path, const char *text)
{
	return write_whole(made, path, text, 0644, (gid_t)-1);
}

int
setup_files_secret(struct setup_made *made, const char *path, const char *text, gid_t group)
{
	return write_whole(made, path, text, 0640, group);
}

void
setup_files_undo(struct setup_made *made)
{
	while (made->count > 0) {
		made->count--;
		if (made->list[made->count].is_folder)
			(void)rmdir(made->list[made->count].path);
		else
			(void)unlink(made->list[made->count].path);
	}
}

/* Put ours in the place of a line "#KEY = ..." of the shipped file. Returns whether it was one of ours. */
static int
put_line(FILE *to, const char *line, const struct setup_value *values)
{
	for (; values->key != NULL; values++) {
		size_t len = strlen(values->key);

		if (values->value == NULL || values->value[0] == '\0' || line[0] != '#' ||
		    strncmp(line + 1, values->key, len) != 0 || strncmp(line + 1 + len, " = ", 3) != 0)
			continue;
		(void)fprintf(to, "%s = %s\n", values->key, values->value);
		return 1;
	}
	return 0;
}

char *
setup_files_settings(const struct setup_value *values)
{
	char *text = NULL;
	size_t size = 0, i;
	FILE *to;

	to = open_memstream(&text, &size);
	if (to == NULL)
		return NULL;
	for (i = 0; settings_lines[i] != NULL; i++)
		if (!put_line(to, settings_lines[i], values))
			(void)fputs(settings_lines[i], to);
	if (fclose(to) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

char *
setup_files_policy(void)
{
	char *text = NULL;
	size_t size = 0, i;
	FILE *to;

	to = open_memstream(&text, &size);
	if (to == NULL)
		return NULL;
	for (i = 0; policy_lines[i] != NULL; i++)
		(void)fputs(policy_lines[i], to);
	if (fclose(to) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

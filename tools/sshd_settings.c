/*
 * sshd_settings.c - reads sshd_config the way sshd does, for isms-userctl doctor.
 *
 * Must never run sshd: its test mode needs host keys and root, and says nothing of a folder elsewhere.
 */
#include <config.h>

#include "tools/sshd_settings.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEPTH_MAX 16

enum block { BLOCK_NONE, BLOCK_MFA, BLOCK_OTHER };

struct reader {
	const char *root;
	struct sshd_settings *settings;
	const char *path;	/* of the file that is read */
	bool use_pam_set, kbd_set;
	enum block block;
	int depth;
};

static void read_file(struct reader *r, const char *path);

/* Next word of a line, quotes removed, a comment is the end; NULL when there is none. Moves *text behind it. */
static char *
word(char **text)
{
	char *start, *end;

	*text += strspn(*text, " \t\r\n=");
	if (**text == '\0' || **text == '#')
		return NULL;
	if (**text == '"') {
		start = ++*text;
		end = strchr(start, '"');
		if (end == NULL)
			end = start + strlen(start);
	} else {
		start = *text;
		end = start + strcspn(start, " \t\r\n=");
	}
	*text = *end != '\0' ? end + 1 : end;
	*end = '\0';
	return start;
}

static void
include(struct reader *r, const char *pattern)
{
	enum block block = r->block;
	char path[PATH_MAX];
	glob_t found;
	size_t i;

	(void)snprintf(path, sizeof path, "%s%s%s", r->root, pattern[0] == '/' ? "" : "/etc/ssh/", pattern);
	if (r->depth >= DEPTH_MAX || glob(path, 0, NULL, &found) != 0)
		return;
	r->depth++;
	for (i = 0; i < found.gl_pathc; i++) {
		r->block = block;	/* a Match block of a file ends with it */
		read_file(r, found.gl_pathv[i]);
	}
	r->block = block;
	r->depth--;
	globfree(&found);
}

static void
match(struct reader *r, char *rest)
{
	const char *criterion = word(&rest), *value = word(&rest);

	r->block = BLOCK_OTHER;
	if (criterion != NULL && strcasecmp(criterion, "all") == 0)
		r->block = BLOCK_NONE;
	else if (criterion != NULL && value != NULL && strcasecmp(criterion, "Group") == 0 && strcmp(value, "isms-mfa") == 0) {
		r->block = BLOCK_MFA;
		r->settings->match_mfa = true;
	}
}

/* The first value counts. */
static void
keep_first(const struct reader *r, struct sshd_value *to, const char *value)
{
	if (to->text[0] != '\0')
		return;
	(void)snprintf(to->text, sizeof to->text, "%s", value);
	(void)snprintf(to->file, sizeof to->file, "%s", r->path + strlen(r->root));
}

static void
keyword(struct reader *r, const char *name, const char *value)
{
	struct sshd_settings *s = r->settings;
	bool kbd = strcasecmp(name, "KbdInteractiveAuthentication") == 0 ||
	    strcasecmp(name, "ChallengeResponseAuthentication") == 0;	/* its old name */

	if (r->block == BLOCK_MFA) {
		s->match_mfa_methods |= strcasecmp(name, "AuthenticationMethods") == 0;
		s->match_mfa_kbd |= kbd && strcasecmp(value, "yes") == 0;
	}
	if (r->block != BLOCK_NONE)
		return;
	if (strcasecmp(name, "UsePAM") == 0 && !r->use_pam_set) {
		r->use_pam_set = true;
		s->use_pam = strcasecmp(value, "yes") == 0;
	} else if (kbd && !r->kbd_set) {
		r->kbd_set = true;
		s->kbd_interactive = strcasecmp(value, "yes") == 0;
	} else if (strcasecmp(name, "AuthorizedKeysCommand") == 0) {
		keep_first(r, &s->keys_command, value);
	} else if (strcasecmp(name, "AuthorizedKeysCommandUser") == 0) {
		keep_first(r, &s->keys_user, value);
	}
}

/* Whatever block it stands in: an inventory asks where keys may lie. */
static void
add_key_file(struct sshd_settings *s, const char *value)
{
	size_t used = strlen(s->key_files);

	if (strcmp(value, "none") != 0 && used + strlen(value) + 2 < sizeof s->key_files)
		(void)snprintf(s->key_files + used, sizeof s->key_files - used, "%s%s", used > 0 ? " " : "", value);
}

static void
read_file(struct reader *r, const char *path)
{
	char *line = NULL, *rest, *name, *value;
	size_t room = 0;
	FILE *f;

	f = fopen(path, "re");
	if (f == NULL)
		return;
	r->settings->found = true;
	while (getline(&line, &room, f) > 0) {
		r->path = path;		/* again, after an Include */
		rest = line;
		name = word(&rest);
		if (name == NULL)
			continue;
		if (strcasecmp(name, "Match") == 0) {
			match(r, rest);
			continue;
		}
		value = word(&rest);
		if (value == NULL)
			continue;
		if (strcasecmp(name, "Include") == 0)
			for (; value != NULL; value = word(&rest))
				include(r, value);
		else if (strcasecmp(name, "AuthorizedKeysFile") == 0)
			for (; value != NULL; value = word(&rest))
				add_key_file(r->settings, value);
		else
			keyword(r, name, value);
	}
	free(line);
	(void)fclose(f);
}

int
sshd_settings_read(const char *root, struct sshd_settings *ret)
{
	struct reader r = { .root = root, .settings = ret };
	char path[PATH_MAX];

	*ret = (struct sshd_settings){ .kbd_interactive = true };
	(void)snprintf(path, sizeof path, "%s/etc/ssh/sshd_config", root);
	read_file(&r, path);
	return ret->found ? 0 : -ENOENT;
}

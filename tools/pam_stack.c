/*
 * pam_stack.c - the modules that a PAM service runs in one stage, for isms-userctl doctor.
 *
 * Must never load a module or call libpam: the files of another root can be looked at as well.
 */
#include <config.h>

#include "tools/pam_stack.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define DEPTH_MAX 16

struct walk {
	const char *root, *type;
	pam_stack_each *each;
	void *arg;
	bool stopped;
	int depth;
};

static int walk_service(struct walk *w, const char *service);

/* Path of a service's file: an absolute name, else in the two folders of libpam. Returns whether it is there. */
static bool
find_file(const char *root, const char *service, char *path, size_t size)
{
	static const char *const folders[] = { "/etc/pam.d/", "/usr/lib/pam.d/" };
	size_t i;

	if (service[0] == '/') {
		(void)snprintf(path, size, "%s%s", root, service);
		return access(path, R_OK) == 0;
	}
	for (i = 0; i < 2; i++) {
		(void)snprintf(path, size, "%s%s%s", root, folders[i], service);
		if (access(path, R_OK) == 0)
			return true;
	}
	return false;
}

/* One word; a control in brackets is one word. NULL at the end. */
static char *
word(char **text)
{
	char *start, *end;

	*text += strspn(*text, " \t\r\n");
	if (**text == '\0' || **text == '#')
		return NULL;
	start = *text;
	if (*start == '[') {
		end = strchr(start, ']');
		end = end != NULL ? end + 1 : start + strlen(start);
	} else
		end = start + strcspn(start, " \t\r\n");
	*text = *end != '\0' ? end + 1 : end;
	*end = '\0';
	return start;
}

static int
take_line(struct walk *w, char *line)
{
	char *type = word(&line), *control, *module, *slash;

	if (type == NULL)
		return 0;
	if (strcmp(type, "@include") == 0) {
		module = word(&line);
		return module != NULL ? walk_service(w, module) : 0;
	}
	if (strcasecmp(type[0] == '-' ? type + 1 : type, w->type) != 0)
		return 0;
	control = word(&line);
	module = word(&line);
	if (control == NULL || module == NULL)
		return 0;
	if (strcasecmp(control, "include") == 0 || strcasecmp(control, "substack") == 0)
		return walk_service(w, module);
	slash = strrchr(module, '/');
	line += strspn(line, " \t\r\n");
	line[strcspn(line, "#\r\n")] = '\0';
	w->stopped = !w->each(slash != NULL ? slash + 1 : module, control, line, w->arg);
	return 0;
}

static int
walk_service(struct walk *w, const char *service)
{
	char path[PATH_MAX], *line = NULL;
	size_t room = 0, used = 0;
	ssize_t n;
	int r = 0;
	FILE *f;

	if (w->depth >= DEPTH_MAX)
		return -ELOOP;
	if (!find_file(w->root, service, path, sizeof path))
		return -ENOENT;
	f = fopen(path, "re");
	if (f == NULL)
		return -ENOENT;
	w->depth++;
	while (r == 0 && !w->stopped && (n = getdelim(&line, &room, '\n', f)) > 0) {
		char *joined = NULL, *copy;

		/* A backslash before the line end joins lines. */
		copy = strdup(line);
		while (copy != NULL && (used = strlen(copy)) >= 2 && copy[used - 1] == '\n' && copy[used - 2] == '\\' &&
		    getdelim(&line, &room, '\n', f) > 0) {
			copy[used - 2] = ' ';
			copy[used - 1] = '\0';
			if (asprintf(&joined, "%s%s", copy, line) < 0)
				joined = NULL;
			free(copy);
			copy = joined;
		}
		r = copy != NULL ? take_line(w, copy) : -ENOMEM;
		free(copy);
	}
	free(line);
	(void)fclose(f);
	w->depth--;
	return r;
}

int
pam_stack_walk(const char *root, const char *service, const char *type, pam_stack_each *each, void *arg)
{
	struct walk w = { .root = root, .type = type, .each = each, .arg = arg };

	return walk_service(&w, service);
}

bool
pam_stack_exists(const char *root, const char *service)
{
	char path[PATH_MAX];

	return find_file(root, service, path, sizeof path);
}

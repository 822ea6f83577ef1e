/*
 * policy_names.c - lists of words as policy.conf has them.
 *
 * Runs in ismsd and isms-userctl. Must never compare but byte by byte: a service "SSHD" is not "sshd",
 * and a list of groups never matches a user or a host.
 */
#include <config.h>

#include "common/policy_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
names_add(struct names *names, const char *word)
{
	size_t len = strlen(word) + 1;
	char *text = realloc(names->text, names->size + len);

	if (text == NULL)
		return -ENOMEM;
	memcpy(text + names->size, word, len);
	names->text = text;
	names->size += len;
	return 0;
}

const char *
names_next(const struct names *names, const char *word)
{
	const char *next = word == NULL ? names->text : word + strlen(word) + 1;

	return names->size > 0 && next < names->text + names->size ? next : NULL;
}

bool
names_has(const struct names *names, const char *word)
{
	for (const char *w = names_next(names, NULL); w != NULL; w = names_next(names, w)) {
		if (strcmp(w, word) == 0)
			return true;
	}
	return false;
}

void
names_done(struct names *names)
{
	free(names->text);
	*names = (struct names){ 0 };
}

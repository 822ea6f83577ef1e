/*
 * invocation.c - what the verbs of isms-userctl share: settings, confirmation, local accounts.
 *
 * Runs in isms-userctl only. Must never ask a question where nobody can answer it.
 */
#include <config.h>

#include "tools/invocation.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/output.h"

enum exit_code
invocation_settings(struct invocation *in)
{
	char error[1024] = "";
	int r;

	r = settings_load(in->paths.etc, &in->settings, error, sizeof error);
	if (r == 0)
		return EXIT_DONE;
	if (error[0] != '\0')
		output_error("%s", error);
	else
		output_error("%s/isms.conf: %s", in->paths.etc, strerror(-r));
	return EXIT_REFUSED;
}

bool
invocation_is_set_up(const struct invocation *in)
{
	char path[PATH_MAX + 32];

	(void)snprintf(path, sizeof path, "%s/isms.conf", in->paths.etc);
	return access(path, F_OK) == 0;
}

bool
invocation_asks(const struct invocation *in)
{
	return !in->yes && !in->dry_run && isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}

bool
invocation_confirm(const struct invocation *in, const char *question)
{
	char answer[16] = "";

	if (!invocation_asks(in))
		return true;
	(void)fprintf(stderr, "%s [y/N] ", question);
	if (fgets(answer, sizeof answer, stdin) != NULL && (strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0))
		return true;
	output_error("nothing was changed");
	return false;
}

int64_t
invocation_local_uid(const struct invocation *in, const char *name)
{
	const struct passwd *row;
	int64_t uid = -1;
	FILE *f;

	f = fopen(in->paths.passwd, "re");
	if (f == NULL)
		return -1;
	while (uid < 0 && (row = fgetpwent(f)) != NULL)
		if (strcmp(row->pw_name, name) == 0)
			uid = row->pw_uid;
	(void)fclose(f);
	return uid;
}

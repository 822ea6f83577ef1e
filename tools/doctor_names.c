/*
 * doctor_names.c - isms-userctl doctor: who else answers for users and groups on this host.
 *
 * Must never look names up through NSS: the files say what NSS will do.
 */
#include <config.h>

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/policy.h"
#include "tools/doctor.h"
#include "tools/group_view.h"

#define CHECK "names"

/* The sources of a database of nsswitch.conf, "files isms"; "" when it has no line. */
static void
read_sources(const struct doctor *d, const char *database, char *ret, size_t size)
{
	char path[PATH_MAX], *line = NULL, *at;
	size_t room = 0, len = strlen(database);
	FILE *f;

	ret[0] = '\0';
	(void)snprintf(path, sizeof path, "%s/etc/nsswitch.conf", d->in->root);
	f = fopen(path, "re");
	while (f != NULL && getline(&line, &room, f) > 0) {
		at = line + strspn(line, " \t");
		if (strncmp(at, database, len) != 0 || at[len] != ':')
			continue;
		at += len + 1;
		at += strspn(at, " \t");
		at[strcspn(at, "#\n")] = '\0';
		(void)snprintf(ret, size, "%s", at);
	}
	free(line);
	if (f != NULL)
		(void)fclose(f);
}

/* Position of a source among the words, from 1; 0: not there. */
static int
position(const char *sources, const char *name)
{
	size_t n, len = strlen(name);
	int at = 0;

	while (*sources != '\0') {
		sources += strspn(sources, " \t");
		n = strcspn(sources, " \t");
		if (n > 0 && sources[0] != '[')
			at++;
		if (n == len && strncmp(sources, name, n) == 0)
			return at;
		sources += n;
	}
	return 0;
}

/* Whom another source alone names is judged by nobody: pam_isms lets pass who is not of the directory. */
static void
check_other_sources(struct doctor *d)
{
	static const char *const databases[] = { "passwd", "group", "shadow", "initgroups" };
	static const char *const others[] = { "sss", "ldap", "winbind" };
	char sources[256];

	for (size_t i = 0; i < sizeof databases / sizeof databases[0]; i++) {
		read_sources(d, databases[i], sources, sizeof sources);
		for (size_t k = 0; k < sizeof others / sizeof others[0]; k++)
			if (position(sources, others[k]) != 0)
				doctor_note(d, CHECK, FINDING_WARN, "once isms-userctl status shows all your users, take it out of that line; "
				    "it may stay where none of its people can log in", "nsswitch.conf: %s is also served by %s: whom isms does not "
				    "publish enters by it, unjudged", databases[i], others[k]);
	}
}

static void
check_nsswitch(struct doctor *d)
{
	static const char *const databases[] = { "passwd", "group" };
	char sources[256];
	size_t i;

	for (i = 0; i < 2; i++) {
		read_sources(d, databases[i], sources, sizeof sources);
		if (position(sources, "isms") == 0)
			doctor_note(d, CHECK, FINDING_BAD, i == 0 ? "write \"passwd: files isms\" into /etc/nsswitch.conf" :
			    "write \"group: files isms\" into /etc/nsswitch.conf", "nsswitch.conf: %s has no isms: the directory's names "
			    "are unknown here", databases[i]);
		else if (position(sources, "files") == 0 || position(sources, "files") > position(sources, "isms"))
			doctor_note(d, CHECK, FINDING_BAD, "put files first", "nsswitch.conf: %s asks isms before files", databases[i]);
		else
			doctor_note(d, CHECK, FINDING_OK, NULL, "nsswitch.conf: %s: %s", databases[i], sources);
	}
	read_sources(d, "initgroups", sources, sizeof sources);
	if (position(sources, "isms") == 1)
		doctor_note(d, CHECK, FINDING_OK, NULL, "nsswitch.conf: initgroups: %s", sources);
	else
		doctor_note(d, CHECK, FINDING_BAD, "write \"initgroups: isms files\" into /etc/nsswitch.conf",
		    "nsswitch.conf: initgroups does not begin with isms: local groups that policy drops come back");
}

static void
check_nscd(struct doctor *d)
{
	static const char *const sockets[] = { "/run/nscd/socket", "/var/run/nscd/socket" };
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof path, "%s%s", d->in->root, sockets[i]);
		if (access(path, F_OK) < 0)
			continue;
		doctor_note(d, CHECK, FINDING_BAD, "stop and disable nscd: lookups are faster without it",
		    "nscd caches users and groups: ended people keep their groups until its cache forgets them");
		return;
	}
}

/* A group that ismsd alone fills; what: what sshd cannot know without it. */
static void
check_own_group(struct doctor *d, const char *name, const char *what)
{
	char cure[64];
	const struct group *row;
	bool found = false;
	FILE *f;

	f = fopen(d->in->paths.group, "re");
	while (f != NULL && !found && (row = fgetgrent(f)) != NULL) {
		if (strcmp(row->gr_name, name) != 0)
			continue;
		found = true;
		(void)snprintf(cure, sizeof cure, "remove the members: gpasswd -M '' %s", name);
		if (row->gr_mem[0] != NULL)
			doctor_note(d, CHECK, FINDING_WARN, cure, "/etc/group lists members of %s; ismsd alone decides who is in it", name);
		else
			doctor_note(d, CHECK, FINDING_OK, NULL, "the group %s exists", name);
	}
	if (f != NULL)
		(void)fclose(f);
	if (!found)
		doctor_note(d, CHECK, FINDING_BAD, "systemd-sysusers isms.conf", "there is no group %s: sshd cannot know %s", name, what);
}

/* DESIGN 3.14: sg and newgrp read /etc/group again. */
static void
check_group_lines(struct doctor *d)
{
	struct policy *policy = NULL;
	char error[512] = "";
	json_t *leaks, *leak;
	size_t i;

	if (d->account == NULL || policy_load(d->in->paths.etc, &policy, error, sizeof error) < 0)
		return;
	leaks = group_view_leaks(&d->account->identities, policy, d->in->paths.group);
	json_array_foreach(leaks, i, leak)
		doctor_note(d, CHECK, FINDING_WARN, "take the name out of the line, or name the group in keep-groups of a role",
		    "/etc/group lists %s in %s: sg and newgrp give that group back",
		    json_string_value(json_object_get(leak, "user")), json_string_value(json_object_get(leak, "group")));
	json_decref(leaks);
	policy_free(policy);
}

void
doctor_names(struct doctor *d)
{
	check_nsswitch(d);
	check_other_sources(d);
	check_nscd(d);
	check_own_group(d, "isms-mfa", "who needs a second factor");
	check_own_group(d, "isms-service", "what is a service account");
	check_group_lines(d);
}

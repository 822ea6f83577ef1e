/*
 * doctor_local.c - isms-userctl doctor: local accounts that [local] manage puts under policy.
 *
 * Must never change anything. It tells of an account that seems to be under policy and is not, which nothing else does: to
 * the module a name that is not listed is one like any other.
 */
#include <config.h>

#include <grp.h>
#include <limits.h>
#include <shadow.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/guarded.h"
#include "common/policy.h"
#include "tools/doctor.h"
#include "tools/local_managed.h"

#define CHECK "local"
#define RELOAD "systemctl reload ismsd-publisher ismsd-front ismsd-directory"

/* What pam_isms reads, as text to be freed; "" when there is none. */
static char *
published(const struct doctor *d)
{
	char path[PATH_MAX + 32], *text = calloc(1, GUARDED_BYTES_MAX + 1);
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/" GUARDED_FILE, d->in->paths.nss);
	f = text != NULL ? fopen(path, "re") : NULL;
	if (f != NULL) {
		text[fread(text, 1, GUARDED_BYTES_MAX, f)] = '\0';
		(void)fclose(f);
	}
	return text;
}

static bool
has_line(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (; *text != '\0'; text += strcspn(text, "\n"), text += *text == '\n')
		if (strncmp(text, name, len) == 0 && (text[len] == '\n' || text[len] == '\0'))
			return true;
	return false;
}

static bool
is_group_member(const struct doctor *d, const char *group, const char *name)
{
	const struct group *row;
	bool found = false;
	FILE *f = fopen(d->in->paths.group, "re");

	while (f != NULL && (row = fgetgrent(f)) != NULL)
		for (char **m = row->gr_mem; strcmp(row->gr_name, group) == 0 && *m != NULL; m++)
			found = found || strcmp(*m, name) == 0;
	if (f != NULL)
		(void)fclose(f);
	return found;
}

static bool
has_empty_password(const struct doctor *d, const char *name)
{
	char path[PATH_MAX];
	const struct spwd *row;
	bool found = false;
	FILE *f;

	(void)snprintf(path, sizeof path, "%s", d->in->paths.passwd);
	(void)snprintf(strrchr(path, '/'), sizeof "/shadow", "/shadow");
	f = fopen(path, "re");
	while (f != NULL && (row = fgetspent(f)) != NULL)
		found = found || (strcmp(row->sp_namp, name) == 0 && row->sp_pwdp[0] == '\0');
	if (f != NULL)
		(void)fclose(f);
	return found;
}

static void
look_at_entry(struct doctor *d, const struct policy *policy, const char *name)
{
	const struct identity *user = identities_find(&d->account->identities, name);
	struct facts *facts = malloc(sizeof *facts);
	char cure[128];

	if (user == NULL) {
		(void)snprintf(cure, sizeof cure, "isms-userctl add %s --local --kind ...", name);
		doctor_note(d, CHECK, FINDING_WARN, cure, "%s is under policy and has no entry in the directory: refused", name);
	} else if (facts != NULL) {
		identity_facts(&d->account->identities, user, facts);
		(void)snprintf(cure, sizeof cure, "gpasswd -a %s isms-mfa", name);
		if (policy_needs_mfa(policy, policy_match(policy, facts), facts->token_count) &&
		    !is_group_member(d, "isms-mfa", name))
			doctor_note(d, CHECK, FINDING_WARN, cure, "%s is not in the local group isms-mfa: sshd asks for no code after a key",
			    name);
	}
	free(facts);
}

static void
look_at(struct doctor *d, const struct policy *policy, const char *list, const char *name)
{
	if (!has_line(list, name))
		doctor_note(d, CHECK, FINDING_BAD, RELOAD, "%s is named in [local] manage and not under policy yet", name);
	if (has_empty_password(d, name))
		doctor_note(d, CHECK, FINDING_BAD, "set a password, or lock it", "%s has an empty local password", name);
	if (d->account != NULL)
		look_at_entry(d, policy, name);
}

void
doctor_local(struct doctor *d)
{
	struct policy *policy = NULL;
	char error[1024], *list, *at, *line;
	const char *name;
	size_t i;

	if (policy_load(d->in->paths.etc, &policy, error, sizeof error) < 0)
		return;		/* doctor_service() says so */
	list = published(d);
	for (i = 0; list != NULL && (name = policy_local_managed(policy, i)) != NULL; i++)
		look_at(d, policy, list, name);
	if (i > 0 && local_managed_check(d->in, policy) != EXIT_DONE)
		doctor_note(d, CHECK, FINDING_BAD, "see the messages above", "[local] manage does not fit the accounts of this host");
	at = list;
	while (at != NULL && (line = strsep(&at, "\n")) != NULL)
		if (line[0] != '\0' && !policy_manages_local(policy, line))
			doctor_note(d, CHECK, FINDING_BAD, RELOAD, "%s is not named in [local] manage any more and still under policy", line);
	free(list);
	policy_free(policy);
}

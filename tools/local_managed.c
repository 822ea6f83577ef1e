/*
 * local_managed.c - checks [local] manage against the accounts of this host (see local_managed.h).
 *
 * Runs in isms-userctl only, and changes nothing. Who is under policy is refused while ismsd is away: it must insist on
 * somebody who is not, and can mend the host (DESIGN 4.3).
 */
#include <config.h>

#include "tools/local_managed.h"

#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <shadow.h>
#include <stdio.h>
#include <string.h>

#include "tools/output.h"

/* Whether root itself can log in by a password: often it is locked, and then counts for nothing. */
static bool
root_has_password(const struct invocation *in)
{
	char path[PATH_MAX];
	const struct spwd *row;
	bool found = false;
	FILE *f;

	(void)snprintf(path, sizeof path, "%s", in->paths.passwd);
	(void)snprintf(strrchr(path, '/'), sizeof "/shadow", "/shadow");
	f = fopen(path, "re");
	while (f != NULL && (row = fgetspent(f)) != NULL)
		found |= strcmp(row->sp_namp, "root") == 0 && row->sp_pwdp[0] == '$';
	if (f != NULL)
		(void)fclose(f);
	return found;
}

/* A member of sudo, wheel or admin that is not under policy. */
static bool
administrator_outside(const struct invocation *in, const struct policy *policy)
{
	static const char *const names[] = { "sudo", "wheel", "admin" };
	const struct group *row;
	bool found = false;
	char **member;
	FILE *f;

	f = fopen(in->paths.group, "re");
	while (f != NULL && (row = fgetgrent(f)) != NULL)
		for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
			for (member = row->gr_mem; strcmp(row->gr_name, names[i]) == 0 && *member != NULL; member++)
				found |= !policy_manages_local(policy, *member) && invocation_local_uid(in, *member) >= 0;
	if (f != NULL)
		(void)fclose(f);
	return found;
}

/* Another name of a managed uid, which pam_isms refuses: it would be the way around. */
static bool
has_twin(const struct invocation *in, const struct policy *policy, const char *name, int64_t uid)
{
	const struct passwd *row;
	bool found = false;
	FILE *f;

	f = fopen(in->paths.passwd, "re");
	while (f != NULL && (row = fgetpwent(f)) != NULL) {
		if ((int64_t)row->pw_uid != uid || policy_manages_local(policy, row->pw_name))
			continue;
		output_error("[local] manage: %s has the uid of %s and is refused everywhere; remove it, or name it, too", row->pw_name,
		    name);
		found = true;
	}
	if (f != NULL)
		(void)fclose(f);
	return found;
}

uint32_t
local_managed_uid(const struct invocation *in, const struct identity *user)
{
	int64_t uid = invocation_local_uid(in, user->name);
	struct policy *policy = NULL;
	char error[1024];
	bool is_named;

	(void)policy_load(in->paths.etc, &policy, error, sizeof error);
	is_named = policy_manages_local(policy, user->name);
	policy_free(policy);
	return is_named && uid > 0 ? (uint32_t)uid : user->uid;
}

enum exit_code
local_managed_check(const struct invocation *in, const struct policy *policy)
{
	enum exit_code code = EXIT_DONE;
	const char *name;
	size_t i;

	for (i = 0; (name = policy_local_managed(policy, i)) != NULL; i++) {
		int64_t uid = invocation_local_uid(in, name);

		if (uid > 0) {
			if (has_twin(in, policy, name, uid))
				code = EXIT_REFUSED;
			continue;
		}
		output_error(uid == 0 ? "[local] manage: %s has uid 0 and can never be managed" :
		    "[local] manage: %s is not in /etc/passwd", name);
		code = EXIT_REFUSED;
	}
	if (i > 0 && !administrator_outside(in, policy) && !root_has_password(in)) {
		output_error("[local] manage: no local administrator (group sudo, wheel or admin, or root with a password) stays "
		    "outside; one must, or a failure of ismsd locks everybody out");
		code = EXIT_REFUSED;
	}
	return code;
}

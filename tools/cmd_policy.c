/*
 * cmd_policy.c - isms-userctl policy check, policy show: policy.conf as the front would read it.
 *
 * Must never change anything. `check` also insists that one local administrator stays outside of
 * [local] manage, so that no policy can lock everybody out (DESIGN 4.3).
 */
#include <config.h>

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/policy.h"
#include "tools/account.h"
#include "tools/invocation.h"
#include "tools/output.h"

static const struct column columns[] = {
	{ "role", "ROLE" }, { "count", "USERS" }, { "users", "MATCHES" }, { NULL, NULL },
};

static bool
is_managed(const struct policy *policy, const char *name)
{
	const char *managed;
	size_t i;

	for (i = 0; (managed = policy_local_managed(policy, i)) != NULL; i++)
		if (strcmp(managed, name) == 0)
			return true;
	return false;
}

/* A member of sudo, wheel or admin that is not under policy. Root's own password is not counted: it is often locked. */
static bool
administrator_outside(const struct invocation *in, const struct policy *policy)
{
	static const char *const names[] = { "sudo", "wheel", "admin" };
	const struct group *row;
	bool found = false;
	char **member;
	size_t i;
	FILE *f;

	f = fopen(in->paths.group, "re");
	while (f != NULL && (row = fgetgrent(f)) != NULL)
		for (i = 0; i < sizeof names / sizeof names[0]; i++)
			for (member = row->gr_mem; strcmp(row->gr_name, names[i]) == 0 && *member != NULL; member++)
				found |= !is_managed(policy, *member) && invocation_local_uid(in, *member) >= 0;
	if (f != NULL)
		(void)fclose(f);
	return found;
}

/* What the parser cannot know: the local accounts of this host. */
static enum exit_code
check_local(const struct invocation *in, const struct policy *policy)
{
	enum exit_code code = EXIT_DONE;
	const char *name;
	int64_t uid;
	size_t i;

	for (i = 0; (name = policy_local_managed(policy, i)) != NULL; i++) {
		uid = invocation_local_uid(in, name);
		if (uid > 0)
			continue;
		output_error(uid == 0 ? "[local] manage: %s has uid 0 and can never be managed" :
		    "[local] manage: %s is not in /etc/passwd", name);
		code = EXIT_REFUSED;
	}
	if (i > 0 && !administrator_outside(in, policy)) {
		output_error("[local] manage: no local administrator (group sudo, wheel or admin) stays outside; one must, "
		    "or a failure of ismsd locks everybody out");
		code = EXIT_REFUSED;
	}
	return code;
}

static enum exit_code
load(const struct invocation *in, struct policy **ret)
{
	char error[1024] = "";

	if (policy_load(in->paths.etc, ret, error, sizeof error) == 0)
		return EXIT_DONE;
	if (error[0] != '\0')
		output_error("%s", error);
	else
		output_error("%s/policy.conf cannot be read; isms-userctl setup writes a first one", in->paths.etc);
	return EXIT_REFUSED;
}

enum exit_code
cmd_policy_check(struct invocation *in)
{
	struct policy *policy = NULL;
	enum exit_code code;
	size_t roles = 0;

	code = load(in, &policy);
	if (code == EXIT_DONE) {
		roles = policy_role_count(policy);
		code = check_local(in, policy);
	}
	if (code == EXIT_DONE && roles == 0)
		output_error("policy.conf has no role: every managed user is refused");
	policy_free(policy);
	if (in->json) {
		json_t *result = json_pack("{s:s, s:b, s:i}", "file", in->paths.etc, "ok", code == EXIT_DONE, "roles", (int)roles);

		(void)output_json(result);
		json_decref(result);
	} else if (code == EXIT_DONE)
		output_line("%s/policy.conf: %zu role%s, every rule is right", in->paths.etc, roles, roles == 1 ? "" : "s");
	return code;
}

/* One object per role: its name and the users that it matches. */
static json_t *
describe(const struct account *account, const struct policy *policy)
{
	size_t roles = policy_role_count(policy), role, i;
	struct facts *facts = malloc(sizeof *facts);
	json_t *rows = json_array(), *users, *row;

	for (role = 0; role < roles; role++)
		(void)json_array_append_new(rows, json_pack("{s:o, s:i, s:[]}", "role",
		    output_string(policy_role_name(policy, role)), "count", 0, "users"));
	for (i = 0; facts != NULL && i < account->identities.user_count; i++) {
		uint64_t matched;

		identity_facts(&account->identities, &account->identities.users[i], facts);
		matched = facts->state == FACTS_MANAGED ? policy_match(policy, facts) : 0;
		for (role = 0; role < roles; role++) {
			if ((matched >> role & 1) == 0)
				continue;
			row = json_array_get(rows, role);
			users = json_object_get(row, "users");
			(void)json_array_append_new(users, output_string(facts->user));
			(void)json_object_set_new(row, "count", json_integer((json_int_t)json_array_size(users)));
		}
	}
	free(facts);
	return rows;
}

enum exit_code
cmd_policy_show(struct invocation *in)
{
	struct policy *policy = NULL;
	struct account account;
	enum exit_code code;
	json_t *rows;

	code = account_open(in, NULL, DIRECTORY_READ, &account);
	if (code == EXIT_DONE)
		code = load(in, &policy);
	if (code == EXIT_DONE) {
		rows = describe(&account, policy);
		if (in->json)
			(void)output_json(rows);
		else
			output_table(rows, columns);
		json_decref(rows);
	}
	policy_free(policy);
	account_done(&account);
	return code;
}

/*
 * cmd_policy.c - isms-userctl policy check, policy show: policy.conf as the front would read it.
 *
 * Must never change anything. `check` also insists that one local administrator stays outside of
 * [local] manage, so that no policy can lock everybody out (DESIGN 4.3).
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/policy.h"
#include "tools/account.h"
#include "tools/invocation.h"
#include "tools/local_managed.h"
#include "tools/output.h"

static const struct column columns[] = {
	{ "role", "ROLE" }, { "count", "USERS" }, { "users", "MATCHES" }, { NULL, NULL },
};

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
		code = local_managed_check(in, policy);
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

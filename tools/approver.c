/*
 * approver.c - who approves (see approver.h).
 *
 * Runs in isms-userctl only. Must never take the environment's word for who acts, and never let anybody approve for himself.
 */
#include <config.h>

#include "tools/approver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/audit.h"
#include "tools/directory_ldap.h"
#include "tools/output.h"

/* An account of the directory as approver: one whom a login would be granted today. */
static enum exit_code
check_account(const struct identity *id, int64_t now_utc_sec)
{
	const char *state = account_state(id, now_utc_sec);

	if (strcmp(state, "active") == 0)
		return EXIT_DONE;
	output_error("%s is %s and approves nothing", id->name, state);
	return EXIT_REFUSED;
}

static enum exit_code
check_dn(const struct invocation *in, const struct account *account, const char *dn, const struct identity *member)
{
	char *ndn = entry_normalise_dn(dn), actor[256];
	enum exit_code code = EXIT_DONE;

	if (ndn == NULL) {
		output_error("\"%.200s\" is no DN: who approves cannot be said", dn);
		return EXIT_REFUSED;
	}
	for (size_t i = 0; code == EXIT_DONE && i < account->identities.user_count; i++)
		if (strcmp(account->identities.users[i].entry->ndn, ndn) == 0)
			code = check_account(&account->identities.users[i], in->now_utc_sec);
	/* Whoever has an operator's entry besides his account is one person: his login says so. */
	if (code == EXIT_DONE && (strcmp(ndn, member->entry->ndn) == 0 ||
	    strcmp(audit_actor(actor, sizeof actor), member->name) == 0)) {
		output_error("%s: nobody approves for himself; ask another one", member->name);
		code = EXIT_REFUSED;
	}
	free(ndn);
	return code;
}

static enum exit_code
by_account(const struct account *account, const char *as, char *ret, size_t size)
{
	char actor[256];
	const char *name = as != NULL ? as : audit_actor(actor, sizeof actor);
	const struct identity *id = identities_find(&account->identities, name);

	if (id != NULL && (size_t)snprintf(ret, size, "%s", id->entry->dn) < size)
		return EXIT_DONE;
	if (as != NULL)
		output_error("--as %.64s: no such account in the directory", as);
	else
		output_error("%.64s is no account of the directory: log in as one (sudo keeps who you are), or name one: --as USER", name);
	return as != NULL ? EXIT_REFUSED : EXIT_USAGE;
}

enum exit_code
approver_find(const struct invocation *in, const struct account *account, const char *as, const struct identity *member,
    char *ret, size_t size)
{
	bool is_server = directory_is_server(account->directory);
	bool is_named = is_server && in->who.way != OPERATOR_UNNAMED && in->who.way != OPERATOR_EXTERNAL;
	enum exit_code code = EXIT_DONE;

	if (as != NULL && (is_named || (in->root[0] == '\0' && geteuid() != 0))) {
		output_error("--as is for root alone: who binds to a server approves as himself");
		return EXIT_USAGE;
	}
	if (is_named)
		(void)directory_ldap_whoami((const struct ldap_directory *)account->directory, ret, size);
	else
		code = by_account(account, as, ret, size);
	return code == EXIT_DONE ? check_dn(in, account, ret, member) : code;
}

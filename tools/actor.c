/*
 * actor.c - see actor.h.
 *
 * Runs in isms-userctl only. Must never take the actor from the environment, and never let anybody approve, decide or arm
 * for himself, by whatever name.
 */
#include <config.h>

#include "tools/actor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/audit.h"
#include "tools/output.h"

static const struct {
	const char *does, *himself;	/* words of messages; himself NULL: also for himself, whoever he is */
	bool needs_account;		/* an operator's entry without one is not enough */
	bool needs_bind;		/* at a server: nobody else's word, not root's either */
} acts[] = {
	[ACT_EXEMPT] = { "approves", "approves for himself", false, false },
	[ACT_GRANT] = { "approves", "approves for himself", true, false },
	[ACT_REQUEST] = { "asks", NULL, false, false },
	[ACT_DECIDE] = { "decides", "decides about himself", false, false },
	[ACT_ARM] = { "arms", "arms himself", true, true },
};

static bool
may_say_who(const struct invocation *in)
{
	return in->root[0] != '\0' || geteuid() == 0;
}

enum exit_code
actor_find(const struct invocation *in, const struct account *account, enum act act, const char *as, char *ret, size_t size)
{
	bool is_server = directory_is_server(account->directory);
	bool is_named = is_server && in->who.way != OPERATOR_UNNAMED && in->who.way != OPERATOR_EXTERNAL;
	const struct identity *who;
	char login[256] = "";

	if (as != NULL && (is_named || !may_say_who(in))) {
		output_error("--as is for root alone; who binds to a server acts as himself");
		return EXIT_USAGE;
	}
	(void)directory_whoami(account->directory, ret, size);
	if (is_named)
		return EXIT_DONE;
	who = account_find_dn(account, ret);
	if (who == NULL && is_server && acts[act].needs_bind) {
		output_error("who %s must be an account of the directory: bind as one (--bind-dn); nothing was changed",
		    acts[act].does);
		return EXIT_REFUSED;
	}
	if (who == NULL)
		who = identities_find(&account->identities, audit_actor(login, sizeof login));
	if (who != NULL && as != NULL && strcmp(who->name, as) != 0) {
		output_error("--as: you are known as %s", who->name);
		return EXIT_REFUSED;
	}
	if (who == NULL && as != NULL)
		who = identities_find(&account->identities, as);
	if (who != NULL && (size_t)snprintf(ret, size, "%s", who->entry->dn) < size)
		return EXIT_DONE;
	if (as != NULL)
		output_error("--as %.64s: no such account in the directory", as);
	else
		output_error("%.64s is no account of the directory: log in as one (sudo keeps who you are), or say who %s: --as USER",
		    login, acts[act].does);
	return as != NULL ? EXIT_REFUSED : EXIT_USAGE;
}

const char *
actor_refusal(const struct invocation *in, const struct account *account, enum act act, const char *dn,
    const struct identity *whom, char *buf, size_t size)
{
	const struct identity *who = account_find_dn(account, dn);
	const char *state = who != NULL ? account_state(who, in->now_utc_sec) : "active";
	char *ndn = entry_normalise_dn(dn);

	if (ndn == NULL)
		(void)snprintf(buf, size, "\"%.200s\" is no DN: who %s cannot be said", dn, acts[act].does);
	else if (acts[act].himself != NULL && whom != NULL && actor_is(account, dn, whom))
		(void)snprintf(buf, size, "nobody %s; somebody else has to", acts[act].himself);
	else if (acts[act].needs_account && who == NULL)
		(void)snprintf(buf, size, "%.200s is no account of the directory, and %s nothing: bind as a person who may (--bind-dn uid=...)",
		    dn, acts[act].does);
	else if (acts[act].himself != NULL && strcmp(state, "active") != 0)
		(void)snprintf(buf, size, "%.64s is %s, and %s nothing", who->name, state, acts[act].does);
	else if (acts[act].himself != NULL && who != NULL && (who->kind == KIND_SERVICE || who->kind == KIND_BREAK_GLASS))
		(void)snprintf(buf, size, "%.64s is no person's account, and %s nothing", who->name, acts[act].does);
	else
		buf = NULL;
	free(ndn);
	return buf;
}

enum exit_code
actor_may(const struct invocation *in, const struct account *account, enum act act, const char *dn,
    const struct identity *whom)
{
	char why[ACCOUNT_DN_MAX];

	if (actor_refusal(in, account, act, dn, whom, why, sizeof why) == NULL)
		return EXIT_DONE;
	output_error("%s: %s", whom->name, why);
	return EXIT_REFUSED;
}

bool
actor_is(const struct account *account, const char *dn, const struct identity *who)
{
	char name[256], known[ACCOUNT_DN_MAX], *ndn;
	bool is;

	if (who->name[0] != '\0' && strcmp(audit_actor(name, sizeof name), who->name) == 0)
		return true;
	ndn = entry_normalise_dn(dn != NULL ? dn : directory_whoami(account->directory, known, sizeof known));
	is = ndn != NULL && strcmp(ndn, who->entry->ndn) == 0;
	free(ndn);
	return is;
}

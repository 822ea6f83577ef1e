/*
 * actor.c - see actor.h.
 *
 * Runs in isms-userctl only. Must never take the actor from the environment.
 */
#include <config.h>

#include "tools/actor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/audit.h"

char *
actor_dn(const struct account *account, char *buf, size_t size)
{
	const struct identity *who;
	char name[256];

	buf[0] = '\0';
	if (directory_is_server(account->directory)) {
		(void)directory_whoami(account->directory, buf, size);
		return buf;
	}
	who = identities_find(&account->identities, audit_actor(name, sizeof name));
	if (who != NULL)
		(void)snprintf(buf, size, "%s", who->entry->dn);
	return buf;
}

bool
actor_is(const struct account *account, const struct identity *who)
{
	char name[256], dn[ACCOUNT_DN_MAX], *ndn;
	bool is;

	if (who->name[0] != '\0' && strcmp(audit_actor(name, sizeof name), who->name) == 0)
		return true;
	ndn = entry_normalise_dn(actor_dn(account, dn, sizeof dn));
	is = ndn != NULL && strcmp(ndn, who->entry->ndn) == 0;
	free(ndn);
	return is;
}

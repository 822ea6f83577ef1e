/*
 * fuzz_directory.c - LDIF bytes -> entries -> identities, facts and tokens, with what may never come out of them.
 * covers: common/ldif_parse.c common/identity.c common/identity_groups.c common/identity_time.c common/identity_token.c common/identity_user.c
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "common/identity.h"
#include "common/ldif_store.h"
#include "common/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct { struct settings settings; struct msg_token tokens[4]; struct facts facts; } s;	/* large */
	struct identities all = { 0 }, again = { 0 };
	struct entries entries = { 0 };
	char error[256];

	settings_defaults(&s.settings);
	if (ldif_store_parse((const char *)data, size, "fuzz", &entries, error, sizeof error) == 0 &&
	    identities_build(&entries, &s.settings, &all) == 0)
		(void)identities_build_after(&entries, &s.settings, &all, &again);
	for (size_t i = 0; i < again.user_count; i++) {
		const struct identity *u = &again.users[i];

		identity_facts(&again, u, &s.facts);
		(void)identity_tokens(&entries, u->entry, s.tokens, 4);
		if (u->state == FACTS_MANAGED && (!snapshot_id_allowed(u->uid) || !snapshot_id_allowed(u->gid) || u->home[0] != '/' ||
		    !snapshot_name_allowed(u->name, strlen(u->name)) || s.facts.kind == KIND_UNKNOWN || strpbrk(u->gecos, ":\n") != NULL))
			abort();
	}
	identities_done(&again);
	identities_done(&all);
	entries_done(&entries);
	return 0;
}

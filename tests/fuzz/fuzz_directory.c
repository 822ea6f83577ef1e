/*
 * fuzz_directory.c - LDIF bytes -> entries -> identities, facts and tokens, with what may never come out of them.
 */
#include <config.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/identity.h"
#include "common/ldif_store.h"
#include "common/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct settings settings;
	static struct msg_token tokens[4];
	static struct facts facts;
	struct identities all = { 0 };
	struct entries entries = { 0 };
	char error[256];

	settings_defaults(&settings);
	if (ldif_store_parse((const char *)data, size, "fuzz", &entries, error, sizeof error) == 0 &&
	    identities_build(&entries, &settings, &all) == 0)
		for (size_t i = 0; i < all.user_count; i++) {
			const struct identity *u = &all.users[i];

			identity_facts(&all, u, &facts);
			(void)identity_tokens(&entries, u->entry, tokens, 4);
			if (u->state == FACTS_MANAGED && (!snapshot_id_allowed(u->uid) || !snapshot_id_allowed(u->gid) ||
			    !snapshot_name_allowed(u->name, strlen(u->name)) || facts.kind == KIND_UNKNOWN ||
			    strpbrk(u->gecos, ":\n") != NULL || strpbrk(u->home, ":\n ") != NULL || u->home[0] != '/'))
				abort();
		}
	identities_done(&all);
	entries_done(&entries);
	return 0;
}

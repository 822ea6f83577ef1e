/*
 * identity_below.c - which entries may be accounts and groups, by where they stand.
 *
 * Pure; directory process and isms-userctl. It must never hand on an entry that is none where it stands: not even its
 * name may be in anybody's way.
 */
#include <config.h>

#include <string.h>

#include "common/entry_place.h"
#include "common/identity_parts.h"

bool
identity_is_below(const char *ndn, const char *nbase)
{
	size_t len = strlen(ndn), base_len = strlen(nbase);

	if (len < base_len || strcmp(ndn + len - base_len, nbase) != 0)
		return false;
	return len == base_len || ndn[len - base_len - 1] == ',';
}

int
identity_list_below(const struct entries *entries, const char *nbase, struct identities *all, const struct entry **ret,
    size_t *ret_count)
{
	const unsigned ours = 1U << ENTRY_ACCOUNT | 1U << ENTRY_GROUP;
	char fault[ENTRY_PLACE_FAULT_SIZE];
	int r = 0;

	*ret_count = 0;
	for (size_t i = 0; i < entries->count && r == 0; i++) {
		const struct entry *e = entries->list[i];
		unsigned misplaced;

		if (!identity_is_below(e->ndn, nbase))
			continue;
		misplaced = entry_misplaced(e, nbase, fault);
		if (misplaced != 0)
			r = identity_add_fault(all, e, fault);
		if ((misplaced & ours) == 0)
			ret[(*ret_count)++] = e;
	}
	return r;
}

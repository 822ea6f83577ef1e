/*
 * grant_parties.h - the entries that grants name, as they will be once changes are taken in. The files of the grant
 * book alone use it.
 */
#ifndef ISMS_GRANT_PARTIES_H
#define ISMS_GRANT_PARTIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/grant_nesting.h"
#include "daemon/census.h"
#include "daemon/entry_changes.h"

struct party {
	const char *ndn;		/* borrowed */
	struct entry *e;		/* borrowed; of several the lowest id, a group before what is none; NULL: none */
	uint8_t id[ENTRY_ID_SIZE];
	bool gone;			/* the server has it no more */
	bool many;			/* several have this DN: nobody can say who it is */
	struct grant_reach *reach;	/* one reference; by grant_reaches_find(): of a group; else NULL */
};

/* What the census has in place of an entry of the directory. */
struct party_base {
	uint8_t id[ENTRY_ID_SIZE];
	struct entry *e;		/* the directory's */
	bool gone;
};

struct parties {
	struct party *list;		/* owned; sorted by ndn */
	size_t count;
	struct party_id *ids;		/* owned; sorted */
	size_t id_count;
	struct candidate *candidates;	/* owned, with their entries */
	size_t candidate_count;
};

struct party_sources {
	const struct census *census;
	const struct entry_changes *changes;
	const struct party_base *bases;	/* sorted by id */
	size_t base_count;
	const char *nbase;		/* what lies elsewhere is not taken in */
};

/*
 * Find each of them.
 *
 *  ndns  borrowed; in any order, also several times
 *  from  borrowed during the call; what is found lives as long as ret
 *  ret   zeroed; free with parties_done()
 *
 * Returns 0 or -errno.
 */
int parties_find(const struct party_sources *from, const char *const *ndns, size_t count, struct parties *ret);
void parties_done(struct parties *p);

/* grant_reach.c: what membership of those that are groups comes to, as it will be, too. Returns 0 or -errno. */
int grant_reaches_find(const struct party_sources *from, const struct settings *settings, struct parties *p);

/* The party of a DN that parties_find() was given. */
const struct party *parties_get(const struct parties *p, const char *ndn);

/* Whether the changes say something of the id of a base, or of an entry that was found. */
bool parties_changed(const struct parties *p, const uint8_t id[ENTRY_ID_SIZE]);

#endif

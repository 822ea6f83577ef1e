/*
 * doctor_targets.h - entries of a directory on which a host's rights can be tried: people who work on this host's group
 * of hosts and people who do not, their tokens, groups, the host itself.
 */
#ifndef ISMS_DOCTOR_TARGETS_H
#define ISMS_DOCTOR_TARGETS_H

#include <ldap.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/attribute_map.h"
#include "common/entry.h"
#include "common/settings.h"

enum target_id {
#define TARGET(id, names, title, cure) TARGET_##id,
#define RIGHT(...)
#include "tools/doctor_directory.def"
#undef TARGET
#undef RIGHT
	TARGET_COUNT
};

#define TARGET_DNS_MAX 4

struct targets {
	struct entries entries;			/* owned; people, groups and the host's entry, without secrets */
	char host_dn[512];			/* as the server knows who is bound; "" for nobody */
	const struct entry **own;		/* owned list, sorted by address; who works on this host's group */
	size_t own_count, own_room;
	bool knows_own;				/* the host's group was found, and it lists the host */
	char why[512];				/* !knows_own: why, in words */
	char *dns[TARGET_COUNT][TARGET_DNS_MAX];	/* owned; NULL for none */
};

/*
 * Read what whoever is bound may see, and choose.
 *
 *  ret    free with targets_done() in either case
 *  fault  receives what is wrong
 *
 * Returns 0, -ENOMEM, or -errno of ldap_handle_error(); -EDOM when the server limits how much may be read.
 */
int targets_find(struct targets *ret, LDAP *ld, const struct settings *settings, const struct attribute_map *map,
    char *fault, size_t size);
void targets_done(struct targets *t);

/* Whether the owner of a token, or a person, works on this host's group. dn: anything. */
bool targets_is_own(const struct targets *t, const char *dn);

/* Whether a token is linked by somebody who works here. */
bool targets_is_own_token(const struct targets *t, const char *dn);

#endif

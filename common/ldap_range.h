/*
 * ldap_range.h - values that a server gives in parts: "member;range=0-1499" (Active Directory, MS-ADTS 3.1.1.3.1.3.3).
 */
#ifndef ISMS_LDAP_RANGE_H
#define ISMS_LDAP_RANGE_H

#include <ldap.h>

#include "common/attribute_map.h"
#include "common/entry.h"

/*
 * Fetch what is missing of an entry's members, so that they are all in "member". Nothing is asked where nothing is missing.
 *
 *  e            as ldap_entry_take() gave it
 *  timeout_sec  of each part
 *
 * Returns 0, -ENOMEM, -E2BIG beyond LDAP_RANGE_BYTES_MAX, or another -errno: then e is not the whole entry.
 */
#define LDAP_RANGE_BYTES_MAX	((size_t)256 << 20)
int ldap_range_complete(LDAP *ld, const struct attribute_map *map, int timeout_sec, struct entry *e);

/*
 * Read "range=FIRST-LAST" or "range=FIRST-*".
 *
 *  ret_last  UINT32_MAX for the last part
 *
 * Returns 0 or -EINVAL.
 */
int ldap_range_parse(const char *option, uint32_t *ret_first, uint32_t *ret_last);

#endif

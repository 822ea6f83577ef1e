/*
 * nss_pack.h - records into the caller's buffer, wholly: nothing of the result points anywhere else.
 */
#ifndef ISMS_NSS_PACK_H
#define ISMS_NSS_PACK_H

#include <grp.h>
#include <pwd.h>
#include <stddef.h>

#include "common/snapshot.h"

/* Fill in *ret from user. Returns 1, or -ERANGE when size is too small; then neither is touched. */
int nss_pack_user(const struct snapshot_user *user, struct passwd *ret, char *buf, size_t size);

/* Fill in *ret from group. Returns 1, -ERANGE as above, or -EBADMSG for a corrupt list of members. */
int nss_pack_group(const struct snapshot_group *group, struct group *ret, char *buf, size_t size);

#endif

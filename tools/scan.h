/*
 * scan.h - what of this host lets somebody in or runs for him and nobody has declared: local accounts, keys, sudo rules,
 * crontabs, at jobs, units of users.
 */
#ifndef ISMS_SCAN_H
#define ISMS_SCAN_H

#include <jansson.h>

#include "tools/account.h"

/*
 * Look at this host; an array of objects: what, who, where, detail, state.
 *
 *  account  the directory, open: whose account is managed and good needs no declaration, but for keys of a service account
 *  ret      owned by the caller, written on success
 *
 * Returns EXIT_DONE, or has said what is wrong.
 */
enum exit_code scan_host(struct invocation *in, const struct account *account, json_t **ret);

#endif

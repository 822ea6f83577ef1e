/*
 * exemption_rows.h - exemptions of the directory as JSON rows, for the verbs that show them.
 */
#ifndef ISMS_EXEMPTION_ROWS_H
#define ISMS_EXEMPTION_ROWS_H

#include <jansson.h>
#include <stdint.h>

#include "tools/account.h"

/* One entry of class ismsExemption, with what it comes to now: active, not yet, ended, or why never. */
json_t *exemption_row(const struct account *account, const struct entry *e, int64_t now_utc_sec);

/*
 * All exemptions, or those of one user.
 *
 *  user  DN, normalised; NULL: all
 */
json_t *exemption_rows(const struct account *account, const char *user, int64_t now_utc_sec);

#endif

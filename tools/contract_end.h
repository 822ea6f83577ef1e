/*
 * contract_end.h - the attributes by which directories state the end of an account (DESIGN 3.8).
 */
#ifndef ISMS_CONTRACT_END_H
#define ISMS_CONTRACT_END_H

#include <stddef.h>
#include <stdint.h>

#include "common/entry.h"
#include "tools/directory_edit.h"

#define CONTRACT_END_TEXT_MAX 32

/* In order: pwdEndTime, shadowExpire, then those that are only moved along where an entry has them. */
enum contract_end { END_PWD, END_SHADOW, END_KERBEROS, END_AD, END_OWN, END_COUNT };

/* Name of the attribute. */
const char *contract_end_attribute(enum contract_end end);

/*
 * The attribute that states an end to the second in a directory: pwdEndTime where it has it, else ismsNotAfter.
 *
 * Returns 0, or -EOPNOTSUPP for one that has neither.
 */
int contract_end_pick(const struct directory *d, enum contract_end *ret);

/*
 * What an entry says.
 *
 *  ret_utc_sec  the first instant at which the account is over
 *
 * Returns 1; 0 when it has none, or one that means "never"; -EBADMSG for several values or a malformed one.
 */
int contract_end_read(const struct entry *e, enum contract_end end, int64_t *ret_utc_sec);

/*
 * An instant as a value of the attribute; shadowExpire knows days only and gets the first UTC day that
 * starts at or after it, so that it never ends an account early. Returns buf.
 */
char *contract_end_format(enum contract_end end, int64_t utc_sec, char buf[static CONTRACT_END_TEXT_MAX]);

/*
 * An instant as a clock of the zone shows it: "2027-02-01 00:00:00 +01:00 Europe/Berlin".
 *
 * Returns buf; it is "" when the zone cannot be read.
 */
char *contract_end_local(int64_t utc_sec, const char *zone, char *buf, size_t size);

#endif

/*
 * entry_older.h - whether an entry can be about another one that it names by DN: whoever comes later under the DN of one
 * who left is another person, to whom grants and exemptions of the former one would fall (THREATS 5.5). Pure.
 */
#ifndef ISMS_ENTRY_OLDER_H
#define ISMS_ENTRY_OLDER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/entry.h"

/* When an entry was made, by the directory's word (createTimestamp); 0: not known. */
int64_t entry_created_utc_sec(const struct entry *e);

/*
 * Whether something that was made at a time was there before the entry that it names, and so is about another one.
 *
 *  made_utc_sec  entry_created_utc_sec() of what names it
 *  named         NULL: nobody
 *
 * False where one of the two is not known.
 */
bool entry_is_older(int64_t made_utc_sec, const struct entry *named);

#endif

/*
 * entry_mark.h - when an entry was changed last, as servers of one directory tell alike: entryCSN, else modifyTimestamp.
 *
 * Pure. By it what a server that lags behind tells is known to be older than what is held (THREATS 5.5).
 */
#ifndef ISMS_ENTRY_MARK_H
#define ISMS_ENTRY_MARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/entry.h"

/*
 * A CSN of OpenLDAP, "20261126084712.123456Z#000000#001#000000".
 *
 * Returns microseconds since 1970, and in the lowest 12 bits the server that made the change; 0: it is none.
 */
uint64_t entry_mark_csn(const char *text, size_t len);

/*
 * Take the mark out of the attributes of an entry: e->mark, 0 where there is none, or where servers do not tell alike.
 *
 *  alike  false for a kind of server that has a time of its own for each entry, as Active Directory has
 */
void entry_mark_take(struct entry *e, bool alike);

/* Whether a is of an earlier change than b, as far as both are known. */
bool entry_mark_older(uint64_t a, uint64_t b);

/* Which of a directory's servers made the change. */
int entry_mark_server(uint64_t mark);

/*
 * How far a server says to know its directory.
 *
 *  cookie  of content synchronisation (RFC 4533); OpenLDAP lists in it a CSN of each server that takes changes
 *  server  whose changes are asked about; -1, or one that is not listed: the newest of all
 *
 * Returns a mark; 0: it does not say.
 */
uint64_t entry_mark_known(const uint8_t *cookie, size_t len, int server);

#endif

/*
 * held.h - what an account holds for a time, for isms-userctl show: its grants and exemptions.
 */
#ifndef ISMS_HELD_H
#define ISMS_HELD_H

#include <jansson.h>

#include "tools/account.h"

/* Set "grants" and "exemptions", as the lists of grant and exempt have them; what has ended is left to those. */
void held_add(json_t *object, const struct invocation *in, const struct account *account);

/* Replace both by lines of words. */
void held_put_into_words(json_t *object, const struct account *account);

#endif

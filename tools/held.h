/*
 * held.h - what an account holds for a time, for isms-userctl show: its grants, exemptions and requests.
 */
#ifndef ISMS_HELD_H
#define ISMS_HELD_H

#include <jansson.h>

#include "tools/account.h"

/* Set "grants", "exemptions" and "requests", as the lists of those verbs have them; what is over is left to those. */
void held_add(json_t *object, const struct invocation *in, const struct account *account);

/* Replace all by lines of words. */
void held_put_into_words(json_t *object, const struct account *account);

#endif

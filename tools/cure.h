/*
 * cure.h - what would have to change for a refusal to become an admission, in words for administrators.
 */
#ifndef ISMS_CURE_H
#define ISMS_CURE_H

#include <stddef.h>

#include "common/verdict.h"

/* One sentence, in which USER stands for the account; "" where nothing has to change. Never NULL. */
const char *cure_of(enum reason reason);

/* The same with the account's name in it. Returns buf. */
char *cure_for(enum reason reason, const char *user, char *buf, size_t size);

#endif

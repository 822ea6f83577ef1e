/*
 * cure.h - what would have to change for a refusal to become an admission, in words for administrators.
 */
#ifndef ISMS_CURE_H
#define ISMS_CURE_H

#include "common/verdict.h"

/* One sentence; "" where nothing has to change. Never NULL. */
const char *cure_of(enum reason reason);

#endif

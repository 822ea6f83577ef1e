/*
 * fuzz_snapshot.h - everything that can be asked of a snapshot whose header was accepted.
 */
#ifndef ISMS_TESTS_FUZZ_SNAPSHOT_H
#define ISMS_TESTS_FUZZ_SNAPSHOT_H

#include "common/snapshot.h"

/* Ask, and abort when an answer is one that may never be given. */
void fuzz_snapshot_ask(const struct snapshot *s);

#endif

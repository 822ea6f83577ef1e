/*
 * fuzz_snapshot.h - everything that can be asked of a snapshot whose header was accepted.
 */
#ifndef ISMS_TESTS_FUZZ_SNAPSHOT_H
#define ISMS_TESTS_FUZZ_SNAPSHOT_H

#include "common/snapshot.h"

/* Ask, and abort when an answer is one that may never be given. */
void fuzz_snapshot_ask(const struct snapshot *s);

/* The same for one name and one id, of users and of groups. */
void fuzz_snapshot_ask_for(const struct snapshot *s, const char *name, uint32_t id);

#endif

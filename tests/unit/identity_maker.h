/*
 * identity_maker.h - a small directory written line by line, and what becomes of it.
 *
 *   begin(); add_user("ada", 2000, "shadowExpire: 0\n"); build_after(NULL); facts_of("ada")->state ...; end();
 */
#ifndef ISMS_TESTS_IDENTITY_MAKER_H
#define ISMS_TESTS_IDENTITY_MAKER_H

#include "common/identity.h"

#define BASE "dc=isms,dc=local"
#define UUID "6f7e5c8a-0b1d-4c1e-9a53-2f3a4b5c6d7e"

/* The directory of now. */
extern struct settings settings;
extern struct entries entries;
extern struct identities all;
extern const struct identity_holders *holders;	/* of build_after(); begin() sets it to NULL */
extern struct facts facts;	/* of the last facts_of() */
extern char *text;		/* its LDIF */

/* Start with an empty text and default settings. */
void begin(void);
/* Append LDIF. */
void add(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Append a good contractor; more is attribute lines. */
void add_user(const char *name, unsigned uid, const char *more);
/* Append user ada with the attribute of this line replaced by it; "-NAME": without it. */
void add_changed(const char *change);
/* Parse and build; previous may be NULL. */
void build_after(const struct identities *previous);
/* Facts of a user, in facts. */
const struct facts *facts_of(const char *name);
/* Free it all. */
void end(void);

#endif

/*
 * entry.h - directory entries in memory: a DN and attributes with values, as LDIF and LDAP deliver them.
 *
 * Attribute names and DNs compare without case (DNs also without spaces around separators); an
 * attribute with options ("uid;lang-en") is another attribute and is never used (RP10a).
 */
#ifndef ISMS_ENTRY_H
#define ISMS_ENTRY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"

#define ENTRY_VALUE_MAX (64 * 1024)
#define ENTRY_ATTRIBUTES_MAX 256	/* of different names, options included; an entry with more is refused */
#define ENTRY_FAULT "ismsFault"		/* what server_schema.h could not translate, in words; the entry is refused for it */

struct value {
	char *bytes;		/* a NUL follows that is not counted */
	size_t len;
};

struct attribute {
	const char *name;
	struct value *values;
	uint32_t count, room;	/* room: of values, for entry.c */
};

/* All of it lies in one arena, the struct too. */
struct entry {
	struct arena memory;	/* owned */
	atomic_uint refs;	/* an entry that several hold is never changed again */
	uint32_t room;		/* of attributes, for entry.c */
	char *dn;		/* as written */
	char *ndn;		/* normalised for comparison */
	struct attribute *attributes;
	size_t count;
	uint64_t names;		/* of attributes: which entry_name_bit() there may be */
	uint64_t mark;		/* of its last change (entry_mark.h); 0: unknown. It is no part of what the entry says */
	size_t bytes;		/* that it takes in memory, about; what was taken away again included */
	bool waits;		/* he has another uidNumber on the server, shown once a person has looked; the rest is as it is */
	bool gone;		/* the server has it no more; shown until a person has looked, and nobody can prove to be it */
};

struct entries {
	struct entry **list;	/* owned; in the order in which they were added */
	size_t count, room;
	void *by_ndn;		/* owned; tree.h, no hash that an entry's author could aim at */
};

/* Returns NULL without memory, or for what is no DN. */
struct entry *entry_new(const char *dn);
/*
 * The same of one of which is known what will come: more is fine, too.
 *
 *  pool   its memory comes from there; NULL: from nowhere special
 *  bytes  of names and values, with a NUL each
 */
struct entry *entry_new_of(struct arena_pool *pool, const char *dn, size_t attributes, size_t values, size_t bytes);
struct entry *entry_ref(struct entry *e);	/* one more holder, of any thread */
void entry_free(struct entry *e);		/* one holder less; the last one wipes the values: some are secrets */
void entries_done(struct entries *all);

/* Returns 0 and owns e from then on; or -ENOMEM, -EEXIST for a DN that is there already: e stays the caller's. */
int entries_add(struct entries *all, struct entry *e);
/* By DN; NULL when absent. */
struct entry *entries_find(const struct entries *all, const char *dn);
/* Unlink and free; returns whether it was there. */
bool entries_remove(struct entries *all, const char *dn);

/* One of 64 bits, by which most names that an entry has not are told without a look at those that it has. */
uint64_t entry_name_bit(const char *name);
/* All values of a name, or NULL. */
const struct attribute *entry_attribute(const struct entry *e, const char *name);
/* First value, or NULL. */
const char *entry_value(const struct entry *e, const char *name);
/* The only value: 1; none: 0; several, or one with NUL or beyond ENTRY_VALUE_MAX: -EBADMSG (THREATS I10). */
int entry_single(const struct entry *e, const char *name, const char **ret);
bool entry_has_class(const struct entry *e, const char *object_class);
/* Compares DNs and object classes as such, anything else byte by byte. */
bool entry_has_value(const struct entry *e, const char *name, const char *value);

/* Whether all values of a name are the same, in the same order; both may lack it. */
bool entry_same_values(const struct entry *a, const struct entry *b, const char *name);
/* Whether two entries say the same: DN as written, attributes in any order, values in theirs; waits too, gone apart. */
bool entry_same(const struct entry *a, const struct entry *b);

/* Edit. Each returns 0 or -ENOMEM; remove of what is absent is 0. */
int entry_add_value(struct entry *e, const char *name, const void *bytes, size_t len);
/*
 * The attribute of a name, with room for so many more values; it is there from then on, perhaps with none.
 *
 * Returns NULL without memory. Valid until the entry has another attribute.
 */
struct attribute *entry_need(struct entry *e, const char *name, size_t values);
/* The same of a name that outlives the entry: there is no copy of it. */
struct attribute *entry_need_lasting(struct entry *e, const char *name, size_t values);
/* One more value of an attribute of the entry. */
int entry_append(struct entry *e, struct attribute *a, const void *bytes, size_t len);
int entry_add_all(struct entry *e, const struct entry *from);	/* every value of another one */
int entry_set(struct entry *e, const char *name, const char *value);	/* NULL removes the attribute */
int entry_remove_value(struct entry *e, const char *name, const char *value);

/* Normalise a DN: lower case, no spaces around "," and "=". Returns a new string or NULL. */
char *entry_normalise_dn(const char *dn);
/* Value escaped for use in a DN (RFC 4514); new string or NULL. */
char *entry_escape_rdn(const char *value);

#endif

/*
 * server_schema.h - [directory] schema: what a kind of server has in place of the standard schema, and its translation.
 *
 * Pure. An entry is translated where it is taken (ldap_entry.c), so that nothing behind it knows of kinds of servers.
 * What cannot be translated is a fault of that entry, which is refused (THREATS I10), and never a default.
 */
#ifndef ISMS_SERVER_SCHEMA_H
#define ISMS_SERVER_SCHEMA_H

#include "common/entry.h"
#include "common/settings.h"
#include "common/sid.h"

enum server_kind {
	SERVER_STANDARD,	/* RFC 2307 and 2307bis, entryUUID */
	SERVER_389,		/* 389-ds, FreeIPA: the same, with nsUniqueId */
	SERVER_AD,		/* Active Directory, Samba */
	SERVER_KIND_COUNT
};

struct server_schema {
	enum server_kind kind;
	bool fold_groups;	/* [directory] fold-group-names */
	struct sid_range sids;	/* [directory] id-from-sid */
};

/* The kind that a word of [directory] schema names. Returns 0 or -EINVAL. */
int server_schema_kind(const char *word, enum server_kind *ret);

/* What settings, which are checked already, say. */
void server_schema_init(struct server_schema *ret, const struct settings *settings);

/* A name of ours and the server's name for it. */
struct server_name {
	const char *ours, *theirs;
};

/* The names in which a kind of server differs; ends with ours == NULL. attribute-map goes before them. */
const struct server_name *server_schema_names(enum server_kind kind);

/* Attributes that a translation needs besides those of the standard schema; ends with NULL. */
const char *const *server_schema_attributes(enum server_kind kind);

/*
 * Filters for users and groups; ends with NULL. Where there are several, users come before groups: a user who is renamed
 * between the two has another name than his groups have for him, and is seen to when he is asked for changes.
 */
const char *const *server_schema_filters(enum server_kind kind);

/* The same in one, for what may also have been one: computers, lists of mail. */
const char *server_schema_filter_of_all(enum server_kind kind);

/* Whether the narrower filters find this entry: a user or group, or what is nobody but may become one. */
bool server_schema_is_listed(const struct server_schema *schema, const struct entry *e);

/*
 * Make a server's entry one of the standard schema; its attributes have our names already.
 *
 * Returns 0 or -ENOMEM.
 */
int server_schema_translate(const struct server_schema *schema, struct entry *e);

#endif

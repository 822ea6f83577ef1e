/*
 * directory_ldap.h - what the files of the LDAP kind of directory share with each other; nobody else includes it.
 */
#ifndef ISMS_DIRECTORY_LDAP_H
#define ISMS_DIRECTORY_LDAP_H

#include <ldap.h>

#include "common/attribute_map.h"
#include "common/ldap_handle.h"
#include "tools/directory_edit.h"
#include "tools/ldap_schema.h"

enum pending_kind { PENDING_ADD, PENDING_MODIFY, PENDING_REMOVE, PENDING_PASSWORD };

/* One operation that commit sends, in the order in which the entries were first touched. */
struct pending {
	enum pending_kind kind;
	char *dn;			/* owned */
	struct entry *before;		/* owned; PENDING_MODIFY: as it was read, or left by the step before */
	struct entry *after;		/* owned; of a step that others follow: what it makes; NULL: what there is at commit */
	const char *guard;		/* borrowed; of a later step: this attribute is still as in before; else NULL */
	struct secret *password;	/* owned; PENDING_PASSWORD */
	enum directory_fate fate;	/* after commit */
};

struct ldap_directory {
	struct directory base;
	const struct settings *settings;
	LDAP *ld;
	char uri[LDAP_HANDLE_URI_MAX + 1];
	int timeout_sec;
	bool editing;
	struct attribute_map map;
	struct ldap_schema schema;
	struct entries entries;		/* changes handed over included */
	struct pending *pending;	/* owned */
	size_t pending_count, pending_room;
};

/*
 * Read attributes of entries below a DN, page by page, all or nothing.
 *
 *  dn,scope  where
 *  ret       entries are added; one that is there already is left as it is
 *  error     receives what is wrong
 *
 * Returns 0 or -errno.
 */
int directory_ldap_read(struct ldap_directory *l, const char *dn, int scope, struct entries *ret, char *error,
    size_t size);

/* As directory_commit(). */
int directory_ldap_commit(struct ldap_directory *l, char *error, size_t size);

/* Forget what was not sent, passwords wiped. */
void directory_ldap_forget(struct ldap_directory *l);

/* The name under which the server knows who is bound; "nobody" when it does not say. Returns buf. */
char *directory_ldap_whoami(const struct ldap_directory *l, char *buf, size_t size);

#endif

/*
 * directory_edit.h - read and change a directory, whichever kind it is.
 *
 * A verb opens the directory, looks at its entries, hands over changes, and commits. Each kind is one
 * struct directory_ops: directory_ldif.c edits the embedded file under its lock, all changes or none;
 * one over LDAP sends each change as one modify operation that asserts the old value.
 */
#ifndef ISMS_DIRECTORY_EDIT_H
#define ISMS_DIRECTORY_EDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/entry.h"
#include "common/settings.h"

enum directory_mode { DIRECTORY_READ, DIRECTORY_EDIT };

enum change_op {
	CHANGE_REPLACE,		/* value becomes the only one; NULL removes the attribute */
	CHANGE_ADD,		/* one more value; there already: nothing changes */
	CHANGE_DELETE,		/* this value */
};

struct change {
	enum change_op op;
	const char *attribute, *value;	/* borrowed */
};

struct directory;

struct directory_ops {
	/* Whether uri is of this kind. */
	bool (*takes)(const char *uri);
	/* Open and read; error receives what is wrong. Returns 0 or -errno. */
	int (*open)(const char *uri, const char *root, enum directory_mode mode, struct directory **ret, char *error,
	    size_t size);
	/* What is there, changes handed over included; borrowed, changed by every change. */
	const struct entries *(*entries)(const struct directory *d);
	/* As directory_add() ... directory_close() below. */
	int (*add)(struct directory *d, struct entry *e);
	int (*modify)(struct directory *d, const char *dn, const struct change *changes, size_t count);
	int (*remove)(struct directory *d, const char *dn);
	int (*commit)(struct directory *d);
	void (*close)(struct directory *d);
};

/* The first member of each kind's own struct. */
struct directory {
	const struct directory_ops *ops;
	bool dry_run;
};

extern const struct directory_ops directory_ldif;

/*
 * Open the directory that the settings name.
 *
 *  root     "" or the folder of --root
 *  dry_run  changes are made in memory only
 *  error    receives "WHERE: what is wrong; what to do"
 *
 * Returns 0; -EPROTONOSUPPORT for a kind of uri that is not known; or what ops->open returned.
 */
int directory_open(const struct settings *settings, const char *root, enum directory_mode mode, bool dry_run,
    struct directory **ret, char *error, size_t size);

/* All entries, also what was changed since; valid until the next change. */
const struct entries *directory_entries(const struct directory *d);

/* Add an entry; owns e from then on, also on failure. Returns 0, -EEXIST or -ENOMEM. */
int directory_add(struct directory *d, struct entry *e);

/* Change an entry. Returns 0, -ENOENT or -ENOMEM. */
int directory_modify(struct directory *d, const char *dn, const struct change *changes, size_t count);

/* Returns 0 or -ENOENT. */
int directory_remove(struct directory *d, const char *dn);

/* Make the changes real; nothing may be changed afterwards. Returns 0 or -errno: then nothing was changed. */
int directory_commit(struct directory *d);

/* Close; what was not committed is forgotten. NULL is fine. */
void directory_close(struct directory *d);

#endif

/*
 * directory_edit.h - read and change a directory, whichever kind it is.
 *
 * A verb opens the directory, looks at its entries, hands over changes, and commits. Each kind is one
 * struct directory_ops: directory_ldif.c edits the embedded file under its lock, all changes or none;
 * directory_ldap.c sends each changed entry as one operation that asserts what was read.
 */
#ifndef ISMS_DIRECTORY_EDIT_H
#define ISMS_DIRECTORY_EDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/entry.h"
#include "common/settings.h"
#include "tools/operator.h"

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

/* What became of an entry's changes. */
enum directory_fate {
	FATE_NOT_DONE,
	FATE_DONE,
	FATE_TAKEN_BACK,		/* done, and undone since a later one failed */
	FATE_UNKNOWN,			/* the server did not answer */
};

struct directory_ops {
	/* Whether uri is of this kind. */
	bool (*takes)(const char *uri);
	/* Open and read; error receives what is wrong. Returns 0 or -errno. */
	int (*open)(const struct settings *settings, struct operator *who, const char *root, enum directory_mode mode,
	    struct directory **ret, char *error, size_t size);
	/* What is there, changes handed over included; borrowed, changed by every change. */
	const struct entries *(*entries)(const struct directory *d);
	/* As directory_add() ... directory_close() below. */
	int (*add)(struct directory *d, struct entry *e);
	int (*modify)(struct directory *d, const char *dn, const struct change *changes, size_t count);
	int (*remove)(struct directory *d, const char *dn);
	int (*commit)(struct directory *d, char *error, size_t size);
	void (*close)(struct directory *d);
	/* As the functions below; NULL where everything is known, nothing auxiliary, and passwords are hashed here. */
	bool (*knows)(const struct directory *d, const char *attribute);
	bool (*is_auxiliary)(const struct directory *d, const char *object_class);
	int (*set_password)(struct directory *d, const char *dn, const char *password);
	/* As directory_whoami(); NULL where nobody is bound. */
	char *(*whoami)(const struct directory *d, char *buf, size_t size);
	/* As directory_step() and directory_fate(); NULL where all changes are made or none. */
	int (*step)(struct directory *d, const char *dn, const char *guard);
	enum directory_fate (*fate)(const struct directory *d, const char *dn);
};

/* The first member of each kind's own struct. */
struct directory {
	const struct directory_ops *ops;
	bool dry_run;
	/* Called by commit after each operation that a server has done; NULL: nobody waits. */
	void (*progress)(size_t done, size_t total, void *arg);
	void *progress_arg;
};

extern const struct directory_ops directory_ldif, directory_ldap;

/*
 * Open the directory that the settings name.
 *
 *  settings must outlive it
 *  who      as whom to bind, where the directory is on a server; NULL: nobody was named
 *  root     "" or the folder of --root
 *  dry_run  changes are made in memory only
 *  error    receives "WHERE: what is wrong; what to do"
 *
 * Returns 0; -EPROTONOSUPPORT for a kind of uri that is not known; or what ops->open returned, of a server: -EINVAL
 * when nobody was named, -EACCES for an identity that is refused, anything else for a server that is not there.
 */
int directory_open(const struct settings *settings, struct operator *who, const char *root, enum directory_mode mode,
    bool dry_run, struct directory **ret, char *error, size_t size);

/* All entries, also what was changed since; valid until the next change. */
const struct entries *directory_entries(const struct directory *d);

/* Add an entry; owns e from then on, also on failure. Returns 0, -EEXIST or -ENOMEM. */
int directory_add(struct directory *d, struct entry *e);

/* Change an entry. Returns 0, -ENOENT or -ENOMEM. */
int directory_modify(struct directory *d, const char *dn, const struct change *changes, size_t count);

/*
 * What is handed over for an entry after this is a change of its own: for rules of a server that judge a change by the
 * entry as it was. A file makes all changes or none, as ever.
 *
 *  dn     an entry that was changed
 *  guard  an attribute that the changes before this left with a value; borrowed, lives as long as d. Where somebody else
 *         has written it before the later change comes, that one is not made
 *
 * Returns 0, -ENOENT or -ENOMEM.
 */
int directory_step(struct directory *d, const char *dn, const char *guard);

/* Returns 0 or -ENOENT. */
int directory_remove(struct directory *d, const char *dn);

/*
 * Make the changes real; nothing may be changed afterwards.
 *
 *  error  receives what failed; of a server also what was done nevertheless and what was not
 *
 * Returns 0 or -errno: of a file, then nothing was changed; of a server -EACCES when it refuses, -ESTALE when somebody
 * else was faster, -EHOSTUNREACH or -ETIMEDOUT when it does not answer.
 */
int directory_commit(struct directory *d, char *error, size_t size);

/* What became of the changes of an entry when directory_commit() failed. */
enum directory_fate directory_fate(const struct directory *d, const char *dn);

/* Whether an attribute exists there and may be written; where that cannot be said, it may. */
bool directory_knows(const struct directory *d, const char *attribute);

/* Whether a class is auxiliary there, so that an entry of it needs another, structural one. */
bool directory_is_auxiliary(const struct directory *d, const char *object_class);

/*
 * Whether a server has the directory: it hashes passwords itself (directory_set_password()), gives new entries their
 * entryUUID at commit, and its secrets are never read.
 */
bool directory_is_server(const struct directory *d);

/* Under which DN a server knows the operator; "nobody" when it does not say, "" for a file. Returns buf. */
char *directory_whoami(const struct directory *d, char *buf, size_t size);

/* Set the password of an entry at commit, after all that was handed over before. Returns 0 or -ENOMEM. */
int directory_set_password(struct directory *d, const char *dn, const char *password);

/* Apply changes to an entry in memory; for the kinds. Returns 0 or -ENOMEM. */
int directory_change_entry(struct entry *e, const struct change *changes, size_t count);

/* Close; what was not committed is forgotten. NULL is fine. */
void directory_close(struct directory *d);

#endif

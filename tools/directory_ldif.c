/*
 * directory_ldif.c - the embedded directory as a kind of struct directory_ops (ldif_store.h).
 *
 * Runs in isms-userctl only. Must never leave the file half written or under another owner: all changes
 * are made in memory under the file's lock, and one rename makes them real.
 */
#include <config.h>

#include "tools/directory_edit.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/ldif_store.h"

#define LOCK_WAIT_MS	5000
#define SCHEME		"file://"

struct ldif_directory {
	struct directory base;
	bool editing, changed;
	struct ldif_edit edit;		/* editing */
	struct entries entries;		/* reading */
};

static struct entries *
entries_of(const struct directory *d)
{
	struct ldif_directory *l = (struct ldif_directory *)(uintptr_t)d;

	return l->editing ? &l->edit.entries : &l->entries;
}

static bool
takes(const char *uri)
{
	return strncmp(uri, SCHEME "/", strlen(SCHEME) + 1) == 0;
}

static int
open_ldif(const struct settings *settings, struct operator *who, const char *root, enum directory_mode mode,
    struct directory **ret, char *error, size_t size)
{
	const char *uri = settings->directory_uri;
	char path[PATH_MAX];
	struct ldif_directory *l;
	int n, r;

	(void)who;	/* a file asks nobody's name: who may open it, may edit it */
	n = snprintf(path, sizeof path, "%s%s", root, uri + strlen(SCHEME));
	if (n < 0 || (size_t)n >= sizeof path)
		return -ENAMETOOLONG;
	l = calloc(1, sizeof *l);
	if (l == NULL)
		return -ENOMEM;
	l->editing = mode == DIRECTORY_EDIT;
	if (l->editing)
		r = ldif_store_begin(path, LOCK_WAIT_MS, &l->edit, error, size);
	else
		r = ldif_store_read(path, &l->entries, error, size);
	if (r < 0) {
		if (error[0] == '\0')
			(void)snprintf(error, size, "%s: %s", path, strerror(-r));
		free(l);
		return r;
	}
	*ret = &l->base;	/* now owned by the caller */
	return 0;
}

static struct ldif_directory *
ldif_of(struct directory *d)
{
	return (struct ldif_directory *)(uintptr_t)d;
}

static const struct entries *
read_entries(const struct directory *d)
{
	return entries_of(d);
}

static int
add(struct directory *d, struct entry *e)
{
	int r;

	r = entries_add(entries_of(d), e);
	if (r < 0)
		entry_free(e);
	else
		ldif_of(d)->changed = true;
	return r;
}

static int
modify(struct directory *d, const char *dn, const struct change *changes, size_t count)
{
	struct entry *e = entries_find(entries_of(d), dn);

	if (e == NULL)
		return -ENOENT;
	ldif_of(d)->changed = true;
	return directory_change_entry(e, changes, count);
}

static int
remove_entry(struct directory *d, const char *dn)
{
	if (!entries_remove(entries_of(d), dn))
		return -ENOENT;
	ldif_of(d)->changed = true;
	return 0;
}

static int
commit(struct directory *d, char *error, size_t size)
{
	struct ldif_directory *l = ldif_of(d);
	int r;

	if (!l->editing)
		return -EROFS;
	if (!l->changed)
		return 0;	/* close ends the edit; nobody has to read the same again */
	r = ldif_store_commit(&l->edit);	/* ends the edit, also on failure */
	l->edit = (struct ldif_edit){ .lock_fd = -1 };
	l->editing = false;
	if (r < 0)
		(void)snprintf(error, size, "the directory could not be written: %s; nothing was changed", strerror(-r));
	return r;
}

static void
close_ldif(struct directory *d)
{
	struct ldif_directory *l = ldif_of(d);

	if (l->editing)
		ldif_store_abort(&l->edit);
	else
		entries_done(&l->entries);
	free(l);
}

const struct directory_ops directory_ldif = {
	.takes = takes, .open = open_ldif, .entries = read_entries, .add = add, .modify = modify,
	.remove = remove_entry, .commit = commit, .close = close_ldif,
};

/*
 * directory_edit.c - picks the kind of directory and keeps dry runs dry.
 *
 * Runs in isms-userctl only. Must never write with --dry-run: that is decided here, once, for every verb.
 */
#include <config.h>

#include "tools/directory_edit.h"

#include <errno.h>
#include <stdio.h>

static const struct directory_ops *const kinds[] = { &directory_ldif };

int
directory_open(const struct settings *settings, const char *root, enum directory_mode mode, bool dry_run,
    struct directory **ret, char *error, size_t size)
{
	size_t i;
	int r;

	error[0] = '\0';
	for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (!kinds[i]->takes(settings->directory_uri))
			continue;
		r = kinds[i]->open(settings->directory_uri, root, dry_run ? DIRECTORY_READ : mode, ret, error, size);
		if (r == 0) {
			(*ret)->ops = kinds[i];
			(*ret)->dry_run = dry_run;
		}
		return r;
	}
	(void)snprintf(error, size, "[directory] uri %s: not a kind of directory that this version can edit",
	    settings->directory_uri);
	return -EPROTONOSUPPORT;
}

const struct entries *
directory_entries(const struct directory *d)
{
	return d->ops->entries(d);
}

int
directory_add(struct directory *d, struct entry *e)
{
	return d->ops->add(d, e);
}

int
directory_modify(struct directory *d, const char *dn, const struct change *changes, size_t count)
{
	return d->ops->modify(d, dn, changes, count);
}

int
directory_remove(struct directory *d, const char *dn)
{
	return d->ops->remove(d, dn);
}

int
directory_commit(struct directory *d)
{
	return d->dry_run ? 0 : d->ops->commit(d);
}

void
directory_close(struct directory *d)
{
	if (d != NULL)
		d->ops->close(d);
}

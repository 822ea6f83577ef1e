/*
 * directory_edit.c - picks the kind of directory and keeps dry runs dry.
 *
 * Runs in isms-userctl only. Must never write with --dry-run: that is decided here, once, for every verb.
 */
#include <config.h>

#include "tools/directory_edit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct directory_ops *const kinds[] = { &directory_ldif, &directory_ldap };

int
directory_open(const struct settings *settings, struct operator *who, const char *root, enum directory_mode mode,
    bool dry_run, struct directory **ret, char *error, size_t size)
{
	size_t i;
	int r;

	error[0] = '\0';
	for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (!kinds[i]->takes(settings->directory_uri))
			continue;
		r = kinds[i]->open(settings, who, root, dry_run ? DIRECTORY_READ : mode, ret, error, size);
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
directory_step(struct directory *d, const char *dn, const char *guard)
{
	return d->ops->step != NULL ? d->ops->step(d, dn, guard) : 0;
}

int
directory_remove(struct directory *d, const char *dn)
{
	return d->ops->remove(d, dn);
}

int
directory_change_entry(struct entry *e, const struct change *changes, size_t count)
{
	size_t i;
	int r = 0;

	for (i = 0; i < count && r == 0; i++) {
		const struct change *c = &changes[i];

		switch (c->op) {
		case CHANGE_REPLACE:
			r = entry_set(e, c->attribute, c->value);
			break;
		case CHANGE_ADD:
			if (!entry_has_value(e, c->attribute, c->value))
				r = entry_add_value(e, c->attribute, c->value, strlen(c->value));
			break;
		case CHANGE_DELETE:
			r = entry_remove_value(e, c->attribute, c->value);
			break;
		}
	}
	return r;
}

int
directory_commit(struct directory *d, char *error, size_t size)
{
	error[0] = '\0';
	return d->dry_run ? 0 : d->ops->commit(d, error, size);
}

enum directory_fate
directory_fate(const struct directory *d, const char *dn)
{
	return d->ops->fate != NULL ? d->ops->fate(d, dn) : FATE_NOT_DONE;
}

bool
directory_knows(const struct directory *d, const char *attribute)
{
	return d->ops->knows == NULL || d->ops->knows(d, attribute);
}

bool
directory_is_auxiliary(const struct directory *d, const char *object_class)
{
	return d->ops->is_auxiliary != NULL && d->ops->is_auxiliary(d, object_class);
}

bool
directory_is_server(const struct directory *d)
{
	return d->ops->set_password != NULL;
}

char *
directory_whoami(const struct directory *d, char *buf, size_t size)
{
	buf[0] = '\0';
	return d->ops->whoami != NULL ? d->ops->whoami(d, buf, size) : buf;
}

int
directory_set_password(struct directory *d, const char *dn, const char *password)
{
	return d->ops->set_password(d, dn, password);
}

void
directory_close(struct directory *d)
{
	if (d != NULL)
		d->ops->close(d);
}

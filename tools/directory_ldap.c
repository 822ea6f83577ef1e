/*
 * directory_ldap.c - an LDAP server as a kind of struct directory_ops.
 *
 * Runs in isms-userctl only, as the person who runs it (operator.h). Changes are made in memory, where the verbs look
 * at them, and sent by commit (directory_ldap_write.c). Must never send what only the server may make.
 */
#include <config.h>

#include "tools/directory_ldap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "common/ldap_servers.h"
#include "tools/directory_edit.h"

/* A server makes these itself. */
static const char *const made_there[] = { "entryUUID", "entryCSN", "createTimestamp", "modifyTimestamp", "modifiersName" };

static struct ldap_directory *
ldap_of(const struct directory *d)
{
	return (struct ldap_directory *)(uintptr_t)d;
}

static bool
takes(const char *uri)
{
	return strncmp(uri, "ldap", 4) == 0;
}

/* ---- opening ---- */

char *
directory_ldap_whoami(const struct ldap_directory *l, char *buf, size_t size)
{
	struct berval *id = NULL;

	if (ldap_whoami_s(l->ld, &id, NULL, NULL) == LDAP_SUCCESS && id != NULL && id->bv_len > 0)
		(void)snprintf(buf, size, "%s", strncmp(id->bv_val, "dn:", 3) == 0 ? id->bv_val + 3 : id->bv_val);
	else
		(void)snprintf(buf, size, "nobody");
	ber_bvfree(id);
	return buf;
}

/* One server: connected, safe, bound. */
static int
connect_one(struct ldap_directory *l, struct operator *who, char *error, size_t size)
{
	struct timeval timeout = { .tv_sec = l->timeout_sec };
	int r;

	r = ldap_handle_open(l->settings, l->uri, &l->ld, error, size);
	if (r < 0)
		return r == -ENOMEM ? r : -EHOSTUNREACH;	/* one that cannot be trusted is not there */
	(void)ldap_set_option(l->ld, LDAP_OPT_TIMEOUT, &timeout);
	r = operator_bind(who, l->ld, l->uri, l->timeout_sec, error, size);
	if (r < 0) {
		ldap_handle_close(l->ld);
		l->ld = NULL;
	}
	return r;
}

/* The first server that answers. What one of them refuses is not tried at the next. */
static int
connect_any(struct ldap_directory *l, struct operator *who, char *error, size_t size)
{
	struct ldap_servers servers;
	size_t used = 0;
	int r;

	/* Before anything is sent. */
	if (ldap_handle_uri(l->settings->directory_uri, 0, l->uri) && !operator_is_named(who, l->uri)) {
		(void)snprintf(error, size, "%s: say who you are: --bind-dn DN, or run as root against ldapi://", l->uri);
		return -EINVAL;
	}
	r = ldap_servers_find(l->settings, "", &servers);
	if (r < 0)
		(void)snprintf(error, size, "%s", servers.fault);
	for (unsigned n = 0; ldap_handle_uri(servers.uris, n, l->uri); n++) {
		if (n > 0 && used + 2 < size)
			used += (size_t)snprintf(error + used, size - used, "; ");
		r = connect_one(l, who, error + used, size - used);
		if (r != -EHOSTUNREACH && r != -ETIMEDOUT)
			return r;
		used += strlen(error + used);
	}
	return r;
}

static void
close_ldap(struct directory *d)
{
	struct ldap_directory *l = ldap_of(d);

	directory_ldap_forget(l);
	entries_done(&l->entries);
	ldap_schema_done(&l->schema);
	ldap_handle_close(l->ld);
	free(l);
}

static int
open_ldap(const struct settings *settings, struct operator *who, const char *root, enum directory_mode mode,
    struct directory **ret, char *error, size_t size)
{
	struct ldap_directory *l = calloc(1, sizeof *l);
	int r;

	(void)root;	/* a server is not below a folder */
	if (l == NULL)
		return -ENOMEM;
	l->settings = settings;
	l->timeout_sec = (int)settings->directory_operation_timeout;
	l->editing = mode == DIRECTORY_EDIT;
	r = attribute_map_of(&l->map, settings, error, size);
	if (r == 0 && l->editing && l->map.schema.kind == SERVER_AD) {	/* what it has is a translation */
		(void)snprintf(error, size, "users and groups of an Active Directory are changed by its own tools");
		r = -EACCES;
	}
	if (r == 0)
		r = connect_any(l, who, error, size);
	if (r == 0)
		r = directory_ldap_read(l, settings->directory_base, LDAP_SCOPE_SUBTREE, &l->entries, error, size);
	if (r == 0)
		r = ldap_schema_load(&l->schema, l->ld, settings->directory_base, l->timeout_sec);
	if (r < 0) {
		if (error[0] == '\0')
			(void)snprintf(error, size, "%s: %s", l->uri, strerror(-r));
		close_ldap(&l->base);
		return r;
	}
	*ret = &l->base;	/* now owned by the caller */
	return 0;
}

/* ---- changes in memory ---- */

static const struct entries *
read_entries(const struct directory *d)
{
	return &ldap_of(d)->entries;
}

static struct entry *
copy_entry(const struct entry *e)
{
	struct entry *copy = entry_new(e->dn);
	int r = copy != NULL ? 0 : -ENOMEM;

	for (size_t i = 0; i < e->count && r == 0; i++)
		for (size_t j = 0; j < e->attributes[i].count && r == 0; j++)
			r = entry_add_value(copy, e->attributes[i].name, e->attributes[i].values[j].bytes,
			    e->attributes[i].values[j].len);
	if (r == 0)
		return copy;
	entry_free(copy);
	return NULL;
}

/* Note an operation; owns before and password from then on, also on failure. */
static int
note(struct ldap_directory *l, enum pending_kind kind, const char *dn, struct entry *before, struct secret *password)
{
	struct pending *p;
	char *copy = strdup(dn);

	if (l->pending_count == l->pending_room) {
		p = reallocarray(l->pending, l->pending_room + 16, sizeof *p);
		if (p != NULL) {
			l->pending = p;
			l->pending_room += 16;
		}
	}
	if (copy == NULL || l->pending_count == l->pending_room) {
		free(copy);
		entry_free(before);
		if (password != NULL)
			secret_done(password);
		free(password);
		return -ENOMEM;
	}
	l->pending[l->pending_count++] = (struct pending){ .kind = kind, .dn = copy, .before = before, .password = password };
	return 0;
}

static void
pending_done(struct pending *p)
{
	free(p->dn);
	entry_free(p->before);
	entry_free(p->after);
	if (p->password != NULL)
		secret_done(p->password);
	free(p->password);
}

void
directory_ldap_forget(struct ldap_directory *l)
{
	for (size_t i = 0; i < l->pending_count; i++)
		pending_done(&l->pending[i]);
	free(l->pending);
	l->pending = NULL;
	l->pending_count = l->pending_room = 0;
}

static bool
same_dn(const char *a, const char *b)
{
	char *x = entry_normalise_dn(a), *y = entry_normalise_dn(b);
	bool same = x != NULL && y != NULL && strcmp(x, y) == 0;

	free(x);
	free(y);
	return same;
}

/* An operation of a kind that is noted for an entry and takes more changes; NULL when there is none. */
static struct pending *
find_pending(const struct ldap_directory *l, enum pending_kind kind, const char *dn)
{
	for (size_t i = 0; i < l->pending_count; i++)
		if (l->pending[i].kind == kind && l->pending[i].after == NULL && same_dn(l->pending[i].dn, dn))
			return &l->pending[i];
	return NULL;
}

static void
drop_pending(struct ldap_directory *l, enum pending_kind kind, const char *dn)
{
	struct pending *p = find_pending(l, kind, dn);

	if (p == NULL)
		return;
	pending_done(p);
	memmove(p, p + 1, (l->pending_count - (size_t)(p - l->pending) - 1) * sizeof *p);
	l->pending_count--;
}

static int
add(struct directory *d, struct entry *e)
{
	struct ldap_directory *l = ldap_of(d);
	int r;

	for (size_t i = 0; i < sizeof made_there / sizeof made_there[0]; i++)
		(void)entry_set(e, made_there[i], NULL);
	r = entries_add(&l->entries, e);
	if (r < 0) {
		entry_free(e);
		return r;
	}
	return note(l, PENDING_ADD, e->dn, NULL, NULL);
}

static int
modify(struct directory *d, const char *dn, const struct change *changes, size_t count)
{
	struct ldap_directory *l = ldap_of(d);
	struct entry *e = entries_find(&l->entries, dn), *before;
	int r = 0;

	if (e == NULL)
		return -ENOENT;
	if (find_pending(l, PENDING_ADD, dn) == NULL && find_pending(l, PENDING_MODIFY, dn) == NULL) {
		before = copy_entry(e);
		r = before != NULL ? note(l, PENDING_MODIFY, e->dn, before, NULL) : -ENOMEM;
	}
	return r == 0 ? directory_change_entry(e, changes, count) : r;
}

static int
step(struct directory *d, const char *dn, const char *guard)
{
	struct ldap_directory *l = ldap_of(d);
	const struct entry *e = entries_find(&l->entries, dn);
	struct pending *first = find_pending(l, PENDING_MODIFY, dn);
	struct entry *before;
	int r;

	if (e == NULL || first == NULL)
		return -ENOENT;
	before = copy_entry(e);
	first->after = copy_entry(e);
	if (before == NULL || first->after == NULL) {
		entry_free(before);
		return -ENOMEM;
	}
	r = note(l, PENDING_MODIFY, e->dn, before, NULL);	/* first may lie elsewhere after it */
	if (r == 0)
		l->pending[l->pending_count - 1].guard = guard;
	return r;
}

static int
remove_entry(struct directory *d, const char *dn)
{
	struct ldap_directory *l = ldap_of(d);
	bool is_new = find_pending(l, PENDING_ADD, dn) != NULL;
	int r = 0;

	if (entries_find(&l->entries, dn) == NULL)
		return -ENOENT;
	drop_pending(l, PENDING_ADD, dn);
	drop_pending(l, PENDING_MODIFY, dn);
	drop_pending(l, PENDING_PASSWORD, dn);
	if (!is_new)
		r = note(l, PENDING_REMOVE, dn, NULL, NULL);
	if (r == 0)
		(void)entries_remove(&l->entries, dn);	/* dn may have been its own */
	return r;
}

static int
set_password(struct directory *d, const char *dn, const char *password)
{
	struct secret *copy = calloc(1, sizeof *copy);

	if (copy == NULL)
		return -ENOMEM;
	(void)snprintf(copy->text, sizeof copy->text, "%s", password);
	copy->len = strlen(copy->text);
	return note(ldap_of(d), PENDING_PASSWORD, dn, NULL, copy);
}

static int
commit(struct directory *d, char *error, size_t size)
{
	struct ldap_directory *l = ldap_of(d);
	int r;

	if (!l->editing)
		return -EROFS;
	r = directory_ldap_commit(l, error, size);
	for (size_t i = 0; i < l->pending_count; i++)	/* what became of each is asked for still */
		if (l->pending[i].password != NULL)
			secret_done(l->pending[i].password);
	l->editing = false;
	return r;
}

/* The worst of all its operations. */
static enum directory_fate
fate(const struct directory *d, const char *dn)
{
	static const int badness[] = { [FATE_DONE] = 0, [FATE_TAKEN_BACK] = 1, [FATE_NOT_DONE] = 2, [FATE_UNKNOWN] = 3 };
	const struct ldap_directory *l = ldap_of(d);
	enum directory_fate worst = FATE_DONE;

	for (size_t i = 0; i < l->pending_count; i++)
		if (same_dn(l->pending[i].dn, dn) && badness[l->pending[i].fate] > badness[worst])
			worst = l->pending[i].fate;
	return worst;
}

/* ---- what the server has ---- */

static bool
knows(const struct directory *d, const char *attribute)
{
	const struct ldap_directory *l = ldap_of(d);

	return ldap_schema_writable(&l->schema, attribute_map_theirs(&l->map, attribute));
}

static bool
is_auxiliary(const struct directory *d, const char *object_class)
{
	return ldap_schema_auxiliary(&ldap_of(d)->schema, object_class);
}

static char *
whoami(const struct directory *d, char *buf, size_t size)
{
	return directory_ldap_whoami(ldap_of(d), buf, size);
}

const struct directory_ops directory_ldap = {
	.takes = takes, .open = open_ldap, .entries = read_entries, .add = add, .modify = modify,
	.remove = remove_entry, .commit = commit, .close = close_ldap, .knows = knows, .is_auxiliary = is_auxiliary,
	.set_password = set_password, .whoami = whoami, .step = step, .fate = fate,
};

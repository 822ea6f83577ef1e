/*
 * directory_ldap_write.c - sends the changes of a verb to an LDAP server.
 *
 * Runs in isms-userctl only. A server has no transaction over several entries, so the order is that in which the
 * verbs hand them over (what opens an account comes last), and whatever fails, it is said exactly what was done and
 * what was not. Must never overwrite what somebody else wrote since it was read: each entry's changes are one modify
 * that asserts the entryCSN that was read (RFC 4528).
 */
#include <config.h>

#include "tools/directory_ldap.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/ldap_escape.h"
#include "common/recovery_code.h"

/* ---- one modify or add, as libldap takes it ---- */

struct mods {
	LDAPMod **list;		/* owned, ended by NULL; values are borrowed from entries */
	size_t count;
	bool failed;		/* out of memory */
};

static void
mods_done(struct mods *mods)
{
	for (size_t i = 0; i < mods->count; i++) {
		LDAPMod *m = mods->list[i];

		for (size_t j = 0; m->mod_bvalues != NULL && m->mod_bvalues[j] != NULL; j++)
			free(m->mod_bvalues[j]);
		free(m->mod_bvalues);
		free(m->mod_type);
		free(m);
	}
	free(mods->list);
	*mods = (struct mods){ 0 };
}

/* Add one change of an attribute, without values yet; NULL without memory. */
static LDAPMod *
mods_add(struct mods *mods, int op, const char *type, size_t room)
{
	LDAPMod *m = calloc(1, sizeof *m);
	LDAPMod **list = reallocarray(mods->list, mods->count + 2, sizeof(LDAPMod *));

	if (list != NULL)
		mods->list = list;
	if (m != NULL) {
		m->mod_op = op | LDAP_MOD_BVALUES;
		m->mod_type = strdup(type);
		m->mod_bvalues = room > 0 ? calloc(room + 1, sizeof(struct berval *)) : NULL;
	}
	if (list == NULL || m == NULL || m->mod_type == NULL || (room > 0 && m->mod_bvalues == NULL)) {
		if (m != NULL) {
			free(m->mod_type);
			free(m->mod_bvalues);
		}
		free(m);
		mods->failed = true;
		return NULL;
	}
	mods->list[mods->count++] = m;
	mods->list[mods->count] = NULL;
	return m;
}

static bool
holds(const struct attribute *a, const struct value *v)
{
	for (size_t i = 0; a != NULL && i < a->count; i++)
		if (a->values[i].len == v->len && memcmp(a->values[i].bytes, v->bytes, v->len) == 0)
			return true;
	return false;
}

/* One change with all values of a that "without" lacks; nothing when there are none. */
static void
mods_add_values(struct mods *mods, int op, const char *type, const struct attribute *a, const struct attribute *without)
{
	LDAPMod *m = NULL;
	size_t n = 0;

	for (size_t i = 0; a != NULL && i < a->count && !mods->failed; i++) {
		if (holds(without, &a->values[i]))
			continue;
		if (m == NULL)
			m = mods_add(mods, op, type, a->count);
		if (m == NULL)
			return;
		m->mod_bvalues[n] = calloc(1, sizeof(struct berval));
		if (m->mod_bvalues[n] == NULL) {
			mods->failed = true;
			return;
		}
		m->mod_bvalues[n]->bv_val = a->values[i].bytes;
		m->mod_bvalues[n++]->bv_len = a->values[i].len;
	}
}

/*
 * What changed of one attribute. Old values are named, so that where there is no entryCSN to assert another's change
 * of the same attribute is noticed all the same; those of the password policy are the server's own and replaced, and so
 * is a set of recovery codes, of which none may stay behind that the operator is not shown.
 */
static void
mods_add_difference(struct mods *mods, const char *type, const struct attribute *before, const struct attribute *after)
{
	if (after == NULL)
		(void)mods_add(mods, LDAP_MOD_DELETE, type, 0);
	else if (before == NULL && strcasecmp(after->name, RECOVERY_ATTRIBUTE) == 0)
		mods_add_values(mods, LDAP_MOD_REPLACE, type, after, NULL);
	else if (before != NULL && (strncasecmp(type, "pwd", 3) == 0 || strcasecmp(after->name, RECOVERY_ATTRIBUTE) == 0)) {
		if (before->count != after->count || !holds(before, &after->values[0]))
			mods_add_values(mods, LDAP_MOD_REPLACE, type, after, NULL);
	} else {
		mods_add_values(mods, LDAP_MOD_DELETE, type, before, after);
		mods_add_values(mods, LDAP_MOD_ADD, type, after, before);
	}
}

static void
mods_of_change(const struct ldap_directory *l, struct mods *mods, const struct entry *before, const struct entry *after)
{
	for (size_t i = 0; i < before->count; i++)
		mods_add_difference(mods, attribute_map_theirs(&l->map, before->attributes[i].name), &before->attributes[i],
		    entry_attribute(after, before->attributes[i].name));
	for (size_t i = 0; i < after->count; i++)
		if (entry_attribute(before, after->attributes[i].name) == NULL)
			mods_add_difference(mods, attribute_map_theirs(&l->map, after->attributes[i].name), NULL,
			    &after->attributes[i]);
}

static void
mods_of_entry(const struct ldap_directory *l, struct mods *mods, const struct entry *e)
{
	char *rdn = strndup(e->dn, strcspn(e->dn, "="));
	const struct attribute *naming = rdn != NULL ? entry_attribute(e, rdn) : NULL;

	for (size_t i = 0; i < e->count; i++)
		mods_add_values(mods, LDAP_MOD_ADD, attribute_map_theirs(&l->map, e->attributes[i].name), &e->attributes[i], NULL);
	/* What names the entry must stand in it under that name, also where ours is mapped to another. */
	if (naming != NULL && strcasecmp(attribute_map_theirs(&l->map, rdn), rdn) != 0 &&
	    attribute_map_ours(&l->map, rdn) == NULL)
		mods_add_values(mods, LDAP_MOD_ADD, rdn, naming, NULL);
	mods->failed = mods->failed || rdn == NULL;
	free(rdn);
}

/* ---- sending; each returns a result code of LDAP ---- */

/* The control that refuses the change of an entry that is no longer what was read; NULL where that cannot be said. */
static int
make_assertion(const struct ldap_directory *l, const struct entry *before, LDAPControl **ret)
{
	const char *csn = entry_value(before, "entryCSN");
	char *filter;
	int code;

	if (csn == NULL)
		return LDAP_SUCCESS;
	filter = ldap_escape_equality("entryCSN", csn, strlen(csn));
	if (filter == NULL)
		return LDAP_NO_MEMORY;
	code = ldap_create_assertion_control(l->ld, filter, 1, ret);
	free(filter);
	return code;
}

/*
 * What a later step relies on, taken away and put back by the change itself: which entryCSN the step before made is not
 * known, and a value that is no longer there cannot be taken away, on any server.
 */
static void
mods_add_guard(const struct ldap_directory *l, struct mods *mods, const struct pending *p)
{
	const char *type = attribute_map_theirs(&l->map, p->guard);
	const struct attribute *a = entry_attribute(p->before, p->guard);

	mods_add_values(mods, LDAP_MOD_DELETE, type, a, NULL);
	mods_add_values(mods, LDAP_MOD_ADD, type, a, NULL);
}

static int
send_modify(const struct ldap_directory *l, const struct pending *p)
{
	const struct entry *after = p->after != NULL ? p->after : entries_find(&l->entries, p->dn);
	LDAPControl *controls[2] = { NULL, NULL };
	struct mods mods = { 0 };
	int code, msgid = 0;

	mods_of_change(l, &mods, p->before, after);
	if (p->guard != NULL)
		mods_add_guard(l, &mods, p);
	code = mods.failed ? LDAP_NO_MEMORY : LDAP_SUCCESS;
	if (code == LDAP_SUCCESS && p->guard == NULL)
		code = make_assertion(l, p->before, &controls[0]);
	if (code == LDAP_SUCCESS && mods.count > 0) {
		code = ldap_modify_ext(l->ld, p->dn, mods.list, controls, NULL, &msgid);
		if (code == LDAP_SUCCESS)
			code = ldap_handle_wait(l->ld, msgid, l->timeout_sec);
	}
	if (controls[0] != NULL)
		ldap_control_free(controls[0]);
	mods_done(&mods);
	return code;
}

static int
send_add(const struct ldap_directory *l, const struct pending *p)
{
	struct mods mods = { 0 };
	int code, msgid = 0;

	mods_of_entry(l, &mods, entries_find(&l->entries, p->dn));
	code = mods.failed ? LDAP_NO_MEMORY : ldap_add_ext(l->ld, p->dn, mods.list, NULL, NULL, &msgid);
	mods_done(&mods);
	return code == LDAP_SUCCESS ? ldap_handle_wait(l->ld, msgid, l->timeout_sec) : code;
}

static int
send_remove(const struct ldap_directory *l, const char *dn)
{
	int msgid = 0, code = ldap_delete_ext(l->ld, dn, NULL, NULL, &msgid);

	return code == LDAP_SUCCESS ? ldap_handle_wait(l->ld, msgid, l->timeout_sec) : code;
}

/* A password policy takes pwdReset away with a new password: what was asked for is said again. */
static int
send_reset_again(const struct ldap_directory *l, const struct pending *p)
{
	const struct entry *e = entries_find(&l->entries, p->dn);
	const struct attribute *reset = e != NULL ? entry_attribute(e, "pwdReset") : NULL;
	struct mods mods = { 0 };
	int code, msgid = 0;

	if (reset == NULL)
		return LDAP_SUCCESS;
	mods_add_values(&mods, LDAP_MOD_REPLACE, attribute_map_theirs(&l->map, "pwdReset"), reset, NULL);
	code = mods.failed ? LDAP_NO_MEMORY : ldap_modify_ext(l->ld, p->dn, mods.list, NULL, NULL, &msgid);
	mods_done(&mods);
	return code == LDAP_SUCCESS ? ldap_handle_wait(l->ld, msgid, l->timeout_sec) : code;
}

/* RFC 3062: the server hashes, by its own policy. */
static int
send_password(const struct ldap_directory *l, const struct pending *p)
{
	struct berval user = { .bv_val = p->dn, .bv_len = strlen(p->dn) };
	struct berval password = { .bv_val = p->password->text, .bv_len = p->password->len };
	int code, msgid = 0;

	code = ldap_passwd(l->ld, &user, NULL, &password, NULL, NULL, &msgid);
	if (code == LDAP_SUCCESS)
		code = ldap_handle_wait(l->ld, msgid, l->timeout_sec);
	return code == LDAP_SUCCESS ? send_reset_again(l, p) : code;
}

static int
send_one(const struct ldap_directory *l, const struct pending *p)
{
	switch (p->kind) {
	case PENDING_ADD:
		return send_add(l, p);
	case PENDING_MODIFY:
		return send_modify(l, p);
	case PENDING_REMOVE:
		return send_remove(l, p->dn);
	case PENDING_PASSWORD:
		return send_password(l, p);
	}
	return LDAP_OTHER;
}

/* ---- what went wrong, in words ---- */

static void put(char *error, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void
put(char *error, size_t size, const char *format, ...)
{
	size_t used = strlen(error);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(error + used, size - used, format, args);
	va_end(args);
}

/* Returns -errno of directory_commit(). */
static int
explain(const struct ldap_directory *l, const struct pending *p, int code, char *error, size_t size)
{
	char *more = NULL, who[256];
	int r;

	(void)ldap_get_option(l->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &more);
	error[0] = '\0';
	if (code == LDAP_ASSERTION_FAILED || code == LDAP_NO_SUCH_ATTRIBUTE)
		put(error, size, "somebody else changed %.255s meanwhile; look again", p->dn);
	else if (code == LDAP_INSUFFICIENT_ACCESS)
		put(error, size, "%.255s: the directory does not allow this (as %s)", p->dn, directory_ldap_whoami(l, who, sizeof who));
	else if (code == LDAP_ALREADY_EXISTS)
		put(error, size, "%.255s is there already: somebody else made it meanwhile, or %s may not see it; look again", p->dn,
		    directory_ldap_whoami(l, who, sizeof who));
	else if (code == LDAP_REFERRAL)
		put(error, size, "%s takes no changes; put a server that does first in [directory] uri", l->uri);
	else
		put(error, size, "%.255s: %s: %s", p->dn, p->kind == PENDING_PASSWORD ? "its password" : l->uri, ldap_err2string(code));
	if (more != NULL && more[0] != '\0' && code != LDAP_ASSERTION_FAILED)
		put(error, size, " (%.200s)", more);
	ldap_memfree(more);
	r = ldap_handle_error(code);
	if (code == LDAP_ASSERTION_FAILED || code == LDAP_NO_SUCH_ATTRIBUTE || code == LDAP_ALREADY_EXISTS)
		return -ESTALE;
	return r == -EHOSTUNREACH || r == -ETIMEDOUT || r == -ENOMEM ? r : -EACCES;
}

#define NAMED_MAX 8		/* of each fate; of more, how many */

/* "; done before that: change cn=used-ids,..., add ...", where there is anything of that fate. */
static void
put_fate(const struct ldap_directory *l, enum directory_fate fate, const char *title, char *error, size_t size)
{
	static const char *const words[] = {
		[PENDING_ADD] = "add", [PENDING_MODIFY] = "change", [PENDING_REMOVE] = "remove", [PENDING_PASSWORD] = "password of",
	};
	size_t count = 0;

	for (size_t i = 0; i < l->pending_count; i++) {
		if (l->pending[i].fate != fate)
			continue;
		if (count < NAMED_MAX)
			put(error, size, "%s %s %.255s", count == 0 ? title : ",", words[l->pending[i].kind], l->pending[i].dn);
		count++;
	}
	if (count > NAMED_MAX)
		put(error, size, " and %zu more", count - NAMED_MAX);
}

/* Take back what was added by the first `done` operations, the last first; the password of an entry goes with it. */
static void
take_back(struct ldap_directory *l, size_t done)
{
	for (size_t i = done; i-- > 0;) {
		if (l->pending[i].kind != PENDING_ADD || send_remove(l, l->pending[i].dn) != LDAP_SUCCESS)
			continue;
		for (size_t j = i; j < done; j++)
			if (strcmp(l->pending[j].dn, l->pending[i].dn) == 0)
				l->pending[j].fate = FATE_TAKEN_BACK;
	}
}

/* Say what became of each operation after number `failed` failed. */
static void
report(struct ldap_directory *l, size_t failed, bool unanswered, char *error, size_t size)
{
	bool stands = false;

	if (unanswered)
		l->pending[failed].fate = FATE_UNKNOWN;
	else
		take_back(l, failed);
	for (size_t i = 0; i < l->pending_count; i++)
		stands = stands || l->pending[i].fate == FATE_DONE || l->pending[i].fate == FATE_UNKNOWN;
	put_fate(l, FATE_DONE, "; done before that:", error, size);
	put_fate(l, FATE_TAKEN_BACK, "; done and taken back:", error, size);
	put_fate(l, FATE_UNKNOWN, "; whether this was done is not known:", error, size);
	if (stands)
		put_fate(l, FATE_NOT_DONE, "; not done:", error, size);
	else
		put(error, size, "; nothing was changed");
}

/* What the server made of a new entry: entryUUID and the like, for whoever shows it. Not being able to read it is no failure. */
static void
read_again(struct ldap_directory *l, const char *dn)
{
	struct entries found = { 0 };
	const struct entry *there;
	struct entry *mine = entries_find(&l->entries, dn);
	char ignored[512] = "";

	if (directory_ldap_read(l, dn, LDAP_SCOPE_BASE, &found, ignored, sizeof ignored) == 0 && found.count == 1 && mine != NULL) {
		there = found.list[0];
		(void)entry_set(mine, "entryUUID", entry_value(there, "entryUUID"));
		(void)entry_set(mine, "createTimestamp", entry_value(there, "createTimestamp"));
	}
	entries_done(&found);
}

int
directory_ldap_commit(struct ldap_directory *l, char *error, size_t size)
{
	int code, r;

	for (size_t i = 0; i < l->pending_count; i++) {
		code = send_one(l, &l->pending[i]);
		if (code == LDAP_SUCCESS) {
			l->pending[i].fate = FATE_DONE;
			if (l->base.progress != NULL)
				l->base.progress(i + 1, l->pending_count, l->base.progress_arg);
			continue;
		}
		r = explain(l, &l->pending[i], code, error, size);
		report(l, i, r == -EHOSTUNREACH || r == -ETIMEDOUT, error, size);
		return r;
	}
	for (size_t i = 0; i < l->pending_count; i++)
		if (l->pending[i].kind == PENDING_ADD)
			read_again(l, l->pending[i].dn);
	return 0;
}

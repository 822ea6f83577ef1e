/*
 * doctor_targets.c - entries on which a host's rights can be tried (see doctor_targets.h).
 *
 * Runs in isms-userctl only. Must never ask for a secret, nor take somebody for one of the host's own people whom the
 * directory's rules would not: the host's group counts only if it lists the host.
 */
#include <config.h>

#include "tools/doctor_targets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

#include "common/identity.h"
#include "common/ldap_entry.h"
#include "common/ldap_escape.h"
#include "common/ldap_handle.h"

#define READ_SEC 60	/* all people and groups, in one answer, as the directory process asks for them */

static const char *const links[] = { "oathTOTPToken", "oathHOTPToken" };

/* ---- reading ---- */

static int
take_all(struct targets *t, LDAP *ld, LDAPMessage *res, const struct attribute_map *map)
{
	LDAPMessage *msg;
	int r = 0;

	for (msg = ldap_first_entry(ld, res); msg != NULL && r == 0; msg = ldap_next_entry(ld, msg)) {
		struct entry *e = NULL;

		r = ldap_entry_take(ld, msg, map, NULL, &e);
		if (r == 0)
			r = entries_add(&t->entries, e);
		if (r < 0)
			entry_free(e);
		if (r == -EEXIST)
			r = 0;
	}
	return r;
}

static int
read_some(struct targets *t, LDAP *ld, const char *dn, int scope, const char *filter, const struct attribute_map *map,
    char *fault, size_t size)
{
	static const char *const wanted[] = { "objectClass", "uid", "cn", "uidNumber", "gidNumber", "member", "seeAlso",
		"oathTOTPToken", "oathHOTPToken", "oathTOTPLastTimeStep", "oathHOTPCounter", NULL };
	char *theirs[sizeof wanted / sizeof wanted[0]];
	struct timeval timeout = { .tv_sec = READ_SEC };
	LDAPMessage *res = NULL;
	int code, r;

	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
		theirs[i] = wanted[i] != NULL ? (char *)(uintptr_t)attribute_map_theirs(map, wanted[i]) : NULL;
	code = ldap_search_ext_s(ld, dn, scope, filter, theirs, 0, NULL, NULL, &timeout, 0, &res);
	r = take_all(t, ld, res, map);
	(void)ldap_msgfree(res);
	if (code == LDAP_SUCCESS)
		return r;
	(void)snprintf(fault, size, "reading %.255s: %s", dn, ldap_err2string(code));
	return code == LDAP_SIZELIMIT_EXCEEDED || code == LDAP_TIMELIMIT_EXCEEDED || code == LDAP_ADMINLIMIT_EXCEEDED ? -EDOM :
	    ldap_handle_error(code);
}

static void
read_name(struct targets *t, LDAP *ld)
{
	struct berval *id = NULL;

	if (ldap_whoami_s(ld, &id, NULL, NULL) == LDAP_SUCCESS && id != NULL && id->bv_len > 3 &&
	    strncmp(id->bv_val, "dn:", 3) == 0)
		(void)snprintf(t->host_dn, sizeof t->host_dn, "%s", id->bv_val + 3);
	ber_bvfree(id);
}

/* ---- who works here ---- */

static int
by_address(const void *a, const void *b)
{
	const struct entry *const *x = a, *const *y = b;

	return *x < *y ? -1 : *x > *y;
}

static bool
is_own(const struct targets *t, const struct entry *e)
{
	return t->own_count > 0 && bsearch(&e, t->own, t->own_count, sizeof(struct entry *), by_address) != NULL;
}

static int
add_own(struct targets *t, const struct entry *e)
{
	size_t room = t->own_room > 0 ? 2 * t->own_room : 64;
	const struct entry **grown;

	if (t->own_count == t->own_room) {
		grown = reallocarray(t->own, room, sizeof(struct entry *));
		if (grown == NULL)
			return -ENOMEM;
		t->own = grown;
		t->own_room = room;
	}
	t->own[t->own_count++] = e;
	return 0;
}

/* The people of a group, and of groups in it as far as the depth goes. */
static int
add_members(struct targets *t, const struct entry *group, unsigned depth)
{
	const struct attribute *members = entry_attribute(group, "member");
	int r = 0;

	for (size_t i = 0; members != NULL && i < members->count && r == 0; i++) {
		const struct entry *e = entries_find(&t->entries, members->values[i].bytes);

		if (e == NULL || e == group)
			continue;
		if (entry_has_class(e, "posixAccount"))
			r = add_own(t, e);
		else if (depth > 0 && entry_attribute(e, "member") != NULL)
			r = add_members(t, e, depth - 1);
	}
	return r;
}

static int
find_own(struct targets *t)
{
	const struct entry *host = t->host_dn[0] != '\0' ? entries_find(&t->entries, t->host_dn) : NULL;
	const struct attribute *groups = host != NULL ? entry_attribute(host, "seeAlso") : NULL;
	int r = 0;

	if (groups == NULL)
		(void)snprintf(t->why, sizeof t->why, host == NULL ? "this host does not see its own entry" :
		    "%.255s names no group of hosts in seeAlso", t->host_dn);
	for (size_t i = 0; groups != NULL && i < groups->count && r == 0; i++) {
		const struct entry *group = entries_find(&t->entries, groups->values[i].bytes);

		if (group == NULL || !entry_has_value(group, "member", t->host_dn)) {
			(void)snprintf(t->why, sizeof t->why, "%.200s does not list %.200s as a member", groups->values[i].bytes,
			    t->host_dn);
			continue;
		}
		t->knows_own = true;
		if (t->dns[TARGET_HOST_GROUP][0] == NULL)
			t->dns[TARGET_HOST_GROUP][0] = strdup(group->dn);
		r = add_members(t, group, 1);	/* as the sample of access rules has it */
	}
	if (t->own_count > 0)
		qsort(t->own, t->own_count, sizeof(struct entry *), by_address);
	return r;
}

bool
targets_is_own(const struct targets *t, const char *dn)
{
	const struct entry *e = entries_find(&t->entries, dn);

	return e != NULL && is_own(t, e);
}

bool
targets_is_own_token(const struct targets *t, const char *dn)
{
	for (size_t i = 0; i < t->own_count; i++)
		if (entry_has_value(t->own[i], links[0], dn) || entry_has_value(t->own[i], links[1], dn))
			return true;
	return false;
}

/* ---- choosing ---- */

static void
choose(struct targets *t, enum target_id id, const char *dn)
{
	size_t i;

	for (i = 0; i < TARGET_DNS_MAX && dn != NULL; i++) {
		if (t->dns[id][i] == NULL) {
			t->dns[id][i] = strdup(dn);
			return;
		}
		if (strcasecmp(t->dns[id][i], dn) == 0)
			return;
	}
}

/* An entry of the sample, by its name: the host may not see it. */
static void
choose_named(struct targets *t, enum target_id id, const char *cn, const char *unit, const char *base)
{
	char dn[1280];

	if (ldap_escape_dn(dn, sizeof dn, "cn", cn, unit, base) == 0)
		choose(t, id, dn);
}

static void
choose_folder(struct targets *t, const char *dn)
{
	const char *parent = strchr(dn, ',');

	if (parent != NULL && strpbrk(dn, "\\\"") == NULL)
		choose(t, TARGET_FOLDER, parent + 1);
}

/* One more person, if he is the first of his sort: works here or not, with such a token or not. */
static void
choose_person(struct targets *t, const struct entry *e, bool seen[2])
{
	bool own = is_own(t, e);

	for (size_t i = 0; i < 2; i++) {
		const char *token = entry_value(e, links[i]);
		enum target_id id = own ? TARGET_OWN_TOKEN : TARGET_OTHER_TOKEN;

		if (token == NULL || !t->knows_own || t->dns[id][1] != NULL)
			continue;
		choose(t, id, token);
		choose_folder(t, token);
	}
	if (seen[own])
		return;
	seen[own] = true;
	choose(t, TARGET_PERSON, e->dn);
	if (t->knows_own)
		choose(t, own ? TARGET_OWN_PERSON : TARGET_OTHER_PERSON, e->dn);
	if (own && t->knows_own)
		choose(t, TARGET_OWN_USE, e->dn);
	choose_folder(t, e->dn);
}

static void
choose_all(struct targets *t, const char *base)
{
	bool seen[2] = { false, false };

	for (size_t i = 0; i < t->entries.count; i++) {
		const struct entry *e = t->entries.list[i];

		if (entry_has_class(e, "posixAccount"))
			choose_person(t, e, seen);
		else if (entry_has_class(e, "posixGroup") && t->dns[TARGET_GROUP][0] == NULL) {
			choose(t, TARGET_GROUP, e->dn);
			choose_folder(t, e->dn);
		}
	}
	for (size_t i = 0; i < t->entries.count && t->dns[TARGET_PERSON][1] == NULL; i++)	/* two, whoever they are */
		if (entry_has_class(t->entries.list[i], "posixAccount"))
			choose(t, TARGET_PERSON, t->entries.list[i]->dn);
	if (t->host_dn[0] != '\0')
		choose(t, TARGET_HOST, t->host_dn);
	choose(t, TARGET_FOLDER, base);
	choose_named(t, TARGET_USED_IDS, "used-ids", NULL, base);
	choose_named(t, TARGET_OPERATOR_GROUP, "account-operators", "ou=roles", base);
	choose_named(t, TARGET_OPERATOR_GROUP, "token-operators", "ou=roles", base);
}

int
targets_find(struct targets *ret, LDAP *ld, const struct settings *settings, const struct attribute_map *map,
    char *fault, size_t size)
{
	static const char filter[] = "(|(objectClass=posixAccount)(objectClass=posixGroup)(objectClass=groupOfNames)"
	    "(objectClass=groupOfMembers))";
	char ignored[512];
	int r;

	*ret = (struct targets){ .knows_own = false };
	read_name(ret, ld);
	r = read_some(ret, ld, settings->directory_base, LDAP_SCOPE_SUBTREE, filter, map, fault, size);
	if (r == 0 && ret->host_dn[0] != '\0')	/* not being able to read it is found out later */
		(void)read_some(ret, ld, ret->host_dn, LDAP_SCOPE_BASE, "(objectClass=*)", map, ignored, sizeof ignored);
	if (r == 0)
		r = find_own(ret);
	if (r == 0)
		choose_all(ret, settings->directory_base);
	return r;
}

void
targets_done(struct targets *t)
{
	for (size_t i = 0; i < TARGET_COUNT; i++)
		for (size_t j = 0; j < TARGET_DNS_MAX; j++)
			free(t->dns[i][j]);
	free(t->own);
	entries_done(&t->entries);
	*t = (struct targets){ .knows_own = false };
}

/*
 * doctor_secrets.c - isms-userctl doctor --directory: which secrets may be read (see doctor_secrets.h).
 *
 * Must never ask for the value of a secret: the server names the attributes that it would show (typesOnly, RFC 4511
 * 4.5.1.6), so that none travels or lies in memory here.
 */
#include <config.h>

#include "tools/doctor_secrets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

#define CHECK		"directory"
#define SEARCH_SEC	60

/* Nobody may read these. */
static const char *const forbidden[] = { "userPassword", "pwdHistory" };

struct seen {
	size_t passwords, tokens, foreign, own;	/* entries that show one; own: a token of somebody who works here */
	char password_dn[200], foreign_dn[200];	/* the first of them */
};

/* The owner of a token that no account links yet: the pending one of an enrolment. */
static bool
owner_is_own(LDAP *ld, const struct attribute_map *map, const struct targets *targets, const char *dn)
{
	char *name = (char *)(uintptr_t)attribute_map_theirs(map, "owner"), *attributes[] = { name, NULL };
	struct timeval timeout = { .tv_sec = SEARCH_SEC };
	struct berval **values = NULL;
	LDAPMessage *res = NULL, *msg = NULL;
	bool own = false;

	if (ldap_search_ext_s(ld, dn, LDAP_SCOPE_BASE, "(objectClass=*)", attributes, 0, NULL, NULL, &timeout, 0, &res) ==
	    LDAP_SUCCESS)
		msg = ldap_first_entry(ld, res);
	if (msg != NULL)
		values = ldap_get_values_len(ld, msg, name);
	for (size_t i = 0; values != NULL && values[i] != NULL; i++)
		own = own || targets_is_own(targets, values[i]->bv_val);
	ldap_value_free_len(values);
	(void)ldap_msgfree(res);
	return own;
}

static void
see_token(LDAP *ld, const struct attribute_map *map, const struct targets *targets, const char *dn, struct seen *seen)
{
	seen->tokens++;
	if (targets_is_own_token(targets, dn))
		seen->own++;
	else if (seen->foreign < 10 && !owner_is_own(ld, map, targets, dn)) {	/* enough is enough */
		if (seen->foreign++ == 0)
			(void)snprintf(seen->foreign_dn, sizeof seen->foreign_dn, "%s", dn);
	}
}

static void
see_entry(LDAP *ld, LDAPMessage *msg, const struct attribute_map *map, const struct targets *targets, struct seen *seen)
{
	char *dn = ldap_get_dn(ld, msg), *name;
	bool password = false, token = false;
	BerElement *ber = NULL;

	for (name = ldap_first_attribute(ld, msg, &ber); name != NULL; name = ldap_next_attribute(ld, msg, ber)) {
		for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++)
			password = password || strcasecmp(name, attribute_map_theirs(map, forbidden[i])) == 0;
		token = token || strcasecmp(name, attribute_map_theirs(map, "oathSecret")) == 0;
		ldap_memfree(name);
	}
	ber_free(ber, 0);
	if (password && dn != NULL && seen->passwords++ == 0)
		(void)snprintf(seen->password_dn, sizeof seen->password_dn, "%s", dn);
	if (token && dn != NULL)
		see_token(ld, map, targets, dn, seen);
	ldap_memfree(dn);
}

static int
look(LDAP *ld, const char *dn, int scope, const struct attribute_map *map, const struct targets *targets,
    struct seen *seen)
{
	char *attributes[] = { (char *)(uintptr_t)attribute_map_theirs(map, forbidden[0]),
		(char *)(uintptr_t)attribute_map_theirs(map, forbidden[1]),
		(char *)(uintptr_t)attribute_map_theirs(map, "oathSecret"), NULL };
	char filter[512];	/* one true part is enough, whichever of these may not be searched */
	struct timeval timeout = { .tv_sec = SEARCH_SEC };
	LDAPMessage *res = NULL, *msg;
	int code;

	(void)snprintf(filter, sizeof filter, "(|(objectClass=*)(%.100s=*)(%.100s=*)(%.100s=*))", attributes[0],
	    attributes[1], attributes[2]);
	code = ldap_search_ext_s(ld, dn, scope, filter, attributes, 1, NULL, NULL, &timeout, 0, &res);
	for (msg = ldap_first_entry(ld, res); msg != NULL; msg = ldap_next_entry(ld, msg))
		see_entry(ld, msg, map, targets, seen);
	(void)ldap_msgfree(res);
	return code;
}

/* Where all entries cannot be looked at, because the base may not be seen: at those that are tried on. */
static void
look_at_some(LDAP *ld, const struct attribute_map *map, const struct targets *targets, struct seen *seen)
{
	static const enum target_id ids[] = { TARGET_PERSON, TARGET_OWN_TOKEN, TARGET_OTHER_TOKEN };

	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
		for (size_t k = 0; k < TARGET_DNS_MAX && targets->dns[ids[i]][k] != NULL; k++)
			(void)look(ld, targets->dns[ids[i]][k], LDAP_SCOPE_BASE, map, targets, seen);
}

/* How many entries have a password that may be searched for: not shown, but guessed byte by byte. */
static int
searchable(LDAP *ld, const char *base, const struct attribute_map *map)
{
	const char *name = attribute_map_theirs(map, forbidden[0]);
	char *nothing[] = { (char *)(uintptr_t)LDAP_NO_ATTRS, NULL }, filter[128];
	struct timeval timeout = { .tv_sec = SEARCH_SEC };
	LDAPMessage *res = NULL;
	int count;

	(void)snprintf(filter, sizeof filter, "(%.100s=*)", name);
	(void)ldap_search_ext_s(ld, base, LDAP_SCOPE_SUBTREE, filter, nothing, 0, NULL, NULL, &timeout, 1, &res);
	count = ldap_count_entries(ld, res);
	(void)ldap_msgfree(res);
	return count > 0 ? count : 0;
}

/* One of the entries that are tried on has such a secret, and says whether a guess at it is right. */
static bool
comparable(struct probe *p, char *const *dns, const char *attribute)
{
	for (size_t i = 0; i < TARGET_DNS_MAX && dns[i] != NULL; i++)
		if (probe_compare(p, dns[i], attribute, "isms-doctor") == ANSWER_YES)
			return true;
	return false;
}

/* All tokens of the people who work here, by their links. */
static size_t
tokens_needed(const struct targets *targets)
{
	static const char *const links[] = { "oathTOTPToken", "oathHOTPToken" };
	size_t count = 0;

	for (size_t i = 0; i < targets->own_count; i++) {
		if (i > 0 && targets->own[i] == targets->own[i - 1])
			continue;	/* in the group twice */
		for (size_t k = 0; k < 2; k++) {
			const struct attribute *a = entry_attribute(targets->own[i], links[k]);

			count += a != NULL ? a->count : 0;
		}
	}
	return count;
}

/* The seeds that this host reads, against those that it should. */
static void
report_tokens(struct doctor *d, const char *uri, const struct targets *targets, const struct seen *seen, bool compares)
{
	static const char cure[] = "let hosts read oathSecret by a set of their own group alone (acl-sample.ldif)";
	size_t needed = tokens_needed(targets);

	if (!targets->knows_own && seen->tokens > 0)
		doctor_note(d, CHECK, FINDING_UNKNOWN, "name the host's group first", "%s: this host may read the secret of %zu "
		    "token%s; whose is not known", uri, seen->tokens, seen->tokens == 1 ? "" : "s");
	else if (seen->foreign > 0)
		doctor_note(d, CHECK, FINDING_BAD, cure, "%s: this host may read secrets of tokens of people who do not work here: "
		    "oathSecret of %s", uri, seen->foreign_dn);
	else if (compares)
		doctor_note(d, CHECK, FINDING_BAD, cure, "%s: this host may compare secrets of tokens of people who do not work here",
		    uri);
	if (seen->own < needed)
		doctor_note(d, CHECK, FINDING_BAD, cure, "%s: of %zu token%s of people who work here this host may read the secret "
		    "of %zu", uri, needed, needed == 1 ? "" : "s", seen->own);
	else if (targets->knows_own && seen->foreign == 0 && !compares)
		doctor_note(d, CHECK, FINDING_OK, NULL, "%s: this host reads the secret of %zu token%s, of people who work here, "
		    "and of no other", uri, needed, needed == 1 ? "" : "s");
}

void
doctor_secrets(struct doctor *d, const char *uri, struct probe *p, const struct attribute_map *map,
    const struct targets *targets, bool nobody)
{
	const char *who = nobody ? "whoever gives no name" : "this host", *base = d->in->settings.directory_base;
	static const char cure[] = "let nobody read userPassword: by self =xw, by anonymous auth, by * none (acl-sample.ldif)";
	struct seen seen = { 0 };
	int code;

	code = look(p->ld, base, LDAP_SCOPE_SUBTREE, map, targets, &seen);
	if (code != LDAP_SUCCESS)
		look_at_some(p->ld, map, targets, &seen);
	if (seen.passwords > 0)
		doctor_note(d, CHECK, FINDING_BAD, cure, "%s: %s may read the password of %zu entr%s: userPassword of %s", uri, who,
		    seen.passwords, seen.passwords == 1 ? "y" : "ies", seen.password_dn);
	else if (searchable(p->ld, base, map) > 0)
		doctor_note(d, CHECK, FINDING_BAD, cure, "%s: %s may search for userPassword, by which it can be guessed piece by "
		    "piece", uri, who);
	else if (comparable(p, targets->dns[TARGET_PERSON], attribute_map_theirs(map, forbidden[0])))
		doctor_note(d, CHECK, FINDING_BAD, cure, "%s: %s may compare userPassword, by which guesses go round the locks", uri,
		    who);
	else if (code != LDAP_SUCCESS && !(nobody && probe_refused(code)))
		doctor_note(d, CHECK, FINDING_UNKNOWN, "give hosts size and time without limit (olcLimits, acl-sample.ldif)",
		    "%s: not all entries were looked at for secrets: %s", uri, ldap_err2string(code));
	else
		doctor_note(d, CHECK, FINDING_OK, NULL, "%s: %s reads no password", uri, who);
	if (!nobody)
		report_tokens(d, uri, targets, &seen,
		    comparable(p, targets->dns[TARGET_OTHER_TOKEN], attribute_map_theirs(map, "oathSecret")));
	else if (seen.tokens > 0)
		doctor_note(d, CHECK, FINDING_BAD, cure, "%s: %s may read the secret of %zu token%s", uri, who, seen.tokens,
		    seen.tokens == 1 ? "" : "s");
}

/*
 * doctor_directory.c - isms-userctl doctor --directory: whether the servers give this host what it needs, and no more.
 *
 * Binds as the host does (bind-dn of isms.conf) and then as nobody, and compares what is allowed with the promises of
 * doctor_directory.def. Must never change anything at a server, whatever that would allow (directory_probe.h), never
 * ask for the value of a secret, and never call good what could not be tried: that is said to be unknown.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/ldap_handle.h"
#include "common/ldap_servers.h"
#include "tools/directory_probe.h"
#include "tools/doctor.h"
#include "tools/doctor_secrets.h"
#include "tools/doctor_targets.h"
#include "tools/ldap_schema.h"

#define CHECK "directory"
#define CONTEXTS_MAX 32

enum reading { MUST, MAY_NOT, ANY };
enum naming { FOUND, GUESSED };
enum { NONE = 0, ADD = 1, REMOVE = 2 };

struct right {
	enum target_id target;
	const char *attribute, *value;
	enum reading reading;
	unsigned changes;
};

static const struct { enum naming naming; const char *title, *cure; } targets_text[] = {
#define TARGET(id, naming, title, cure) { naming, title, cure },
#define RIGHT(...)
#include "tools/doctor_directory.def"
#undef TARGET
#undef RIGHT
};

static const struct right rights[] = {
#define TARGET(...)
#define RIGHT(target, attribute, value, reading, changes) { TARGET_##target, attribute, value, reading, changes },
#include "tools/doctor_directory.def"
#undef TARGET
#undef RIGHT
};

struct server {
	struct doctor *d;
	char uri[LDAP_HANDLE_URI_MAX + 1];
	struct attribute_map map;
	struct ldap_schema schema;
	struct targets targets;
	const char *proven;	/* borrowed from targets; where the server obeyed the no-op control. NULL: nowhere */
	char *contexts[CONTEXTS_MAX];	/* owned; suffixes of its databases, normalised */
};

/* What came of the rights of one target, as lists of attributes. */
enum list { TOO_MUCH_READ, TOO_MUCH_CHANGE, TOO_LITTLE_READ, TOO_LITTLE_CHANGE, NOT_KNOWN, LIST_COUNT };
struct result {
	char words[LIST_COUNT][384];
	unsigned where[LIST_COUNT];	/* at which of the entries that were tried: bit k for the k-th */
};

static void
put_word(struct result *result, enum list list, const char *word, unsigned where)
{
	char *text = result->words[list];
	size_t used = strlen(text);

	(void)snprintf(text + used, sizeof result->words[list] - used, "%s%s", used > 0 ? ", " : "", word);
	result->where[list] |= where;
}

/* ---- one right ---- */

/* At which of the entries it is so, as above. */
struct outcome { unsigned read, no_read, change[2], no_change[2], unknown; };

/* The suffix of the database that holds a DN; NULL when the server does not say. */
static const char *
context_of(const struct server *s, const char *dn)
{
	char *ndn = entry_normalise_dn(dn);
	const char *found = NULL;
	size_t len = ndn != NULL ? strlen(ndn) : 0, longest = 0;

	for (size_t i = 0; ndn != NULL && i < CONTEXTS_MAX && s->contexts[i] != NULL; i++) {
		size_t n = strlen(s->contexts[i]);

		if (n >= longest && n <= len && strcmp(ndn + len - n, s->contexts[i]) == 0 &&
		    (n == len || ndn[len - n - 1] == ',')) {
			found = s->contexts[i];
			longest = n;
		}
	}
	free(ndn);
	return found;
}

/* Another database, of another kind perhaps, has shown nothing. One that is glued beneath unnamed is not told apart. */
static bool
is_proven(const struct server *s, const char *dn)
{
	const char *context = s->proven != NULL ? context_of(s, s->proven) : NULL;

	return context != NULL && context_of(s, dn) == context;
}

static bool
is_of_noop(const struct right *right)
{
	return strcmp(right->attribute, "children") == 0 || strcmp(right->attribute, "entry") == 0;
}

static enum answer
try_change(const struct server *s, struct probe *p, const struct right *right, const char *dn, bool remove)
{
	const char *name = attribute_map_theirs(&s->map, right->attribute);
	const char *const *people = (const char *const *)(uintptr_t)s->targets.dns[TARGET_PERSON];

	if (is_of_noop(right))
		p->obeys_noop = is_proven(s, dn);
	if (strcmp(right->attribute, "children") == 0)
		return probe_create(p, dn);
	if (strcmp(right->attribute, "entry") == 0)
		return people[1] != NULL ? probe_rename(p, dn, people[dn == people[0]]) : ANSWER_UNKNOWN;
	return remove ? probe_remove(p, dn, name, right->value) : probe_add(p, dn, name, right->value);
}

/* One right at the k-th entry, into what is known of it already. */
static void
try_right(const struct server *s, struct probe *p, const struct right *right, unsigned k, struct outcome *o)
{
	const char *dn = s->targets.dns[right->target][k];
	unsigned bit = 1u << k;
	enum answer read = ANSWER_NO, change[2];

	if (right->reading != ANY) {
		read = probe_read(p, dn, attribute_map_theirs(&s->map, right->attribute));
		o->read |= read == ANSWER_YES ? bit : 0;
		o->no_read |= read == ANSWER_NO ? bit : 0;
	}
	for (int i = 0; i < 2; i++) {
		change[i] = try_change(s, p, right, dn, i == 1);
		o->change[i] |= change[i] == ANSWER_YES ? bit : 0;
		o->no_change[i] |= change[i] == ANSWER_NO ? bit : 0;
	}
	/* One of the two is enough to tell: a password policy may judge one before the rights are looked at. */
	if (read == ANSWER_UNKNOWN || (change[0] == ANSWER_UNKNOWN && change[1] == ANSWER_UNKNOWN) ||
	    (right->changes != NONE && (change[0] == ANSWER_UNKNOWN || change[1] == ANSWER_UNKNOWN)))
		o->unknown |= bit;
}

/* nobody: promises nothing but that nothing may be read or changed. */
static void
judge_right(const struct right *right, bool nobody, const struct outcome *o, struct result *result)
{
	static const char *const suffixes[] = { "", " (add)", " (remove)", "" };
	unsigned promised = nobody ? NONE : right->changes, more = 0, less = 0, where_more = 0, where_less = 0;
	char word[96];

	for (unsigned i = 0; i < 2; i++) {
		unsigned bit = i == 0 ? ADD : REMOVE;

		if (o->change[i] != 0 && (promised & bit) == 0) {
			more |= bit;
			where_more |= o->change[i];
		}
		if (o->no_change[i] != 0 && (promised & bit) != 0) {
			less |= bit;
			where_less |= o->no_change[i];
		}
	}
	if (o->read != 0 && (nobody || right->reading == MAY_NOT))
		put_word(result, TOO_MUCH_READ, right->attribute, o->read);
	if (o->no_read != 0 && !nobody && right->reading == MUST)
		put_word(result, TOO_LITTLE_READ, right->attribute, o->no_read);
	/* "(add)" says that taking away is refused, or is as it should be: one of the two must be known. */
	(void)snprintf(word, sizeof word, "%s%s", right->attribute,
	    (o->no_change[0] | o->no_change[1]) != 0 || promised != NONE ? suffixes[more] : "");
	if (more != 0)
		put_word(result, TOO_MUCH_CHANGE, word, where_more);
	(void)snprintf(word, sizeof word, "%s%s", right->attribute, suffixes[less]);
	if (less != 0)
		put_word(result, TOO_LITTLE_CHANGE, word, where_less);
	if (o->unknown != 0)
		put_word(result, NOT_KNOWN, right->attribute, o->unknown);
}

/* Whether the server has such an attribute at all; slapd's own words stand for themselves. */
static bool
exists(const struct server *s, const char *attribute)
{
	return strcmp(attribute, "children") == 0 || strcmp(attribute, "entry") == 0 ||
	    ldap_schema_writable(&s->schema, attribute_map_theirs(&s->map, attribute));
}

/* ---- one target ---- */

/* The names of some of the entries. Returns buf. */
static const char *
names(const struct server *s, enum target_id id, unsigned where, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t k = 0; k < TARGET_DNS_MAX && s->targets.dns[id][k] != NULL && used < size; k++)
		if ((where & 1u << k) != 0)
			used += (size_t)snprintf(buf + used, size - used, "%s%.150s", used > 0 ? " and " : "", s->targets.dns[id][k]);
	return buf;
}

/* What is too much or too little, each in a sentence. Returns whether there was any. */
static bool
report_lists(struct server *s, enum target_id id, bool nobody, const struct result *result)
{
	static const char *const verbs[] = {
		[TOO_MUCH_READ] = "may read", [TOO_MUCH_CHANGE] = "may change", [TOO_LITTLE_READ] = "may not read",
		[TOO_LITTLE_CHANGE] = "may not change",
	};
	const char *cure = nobody ? "end every rule with \"by * none\" (acl-sample.ldif)" : targets_text[id].cure;
	char on[320];
	bool any = false;

	for (unsigned i = 0; i < NOT_KNOWN; i++) {
		if (result->words[i][0] == '\0')
			continue;
		any = true;
		doctor_note(s->d, CHECK, nobody && i == TOO_MUCH_READ ? FINDING_WARN : FINDING_BAD, cure, "%s: %s: %s %s %s of %s%s",
		    s->uri, targets_text[id].title, nobody ? "whoever gives no name" : "this host", verbs[i], result->words[i],
		    names(s, id, result->where[i], on, sizeof on), i != TOO_LITTLE_CHANGE ? "" :
		    id == TARGET_OWN_USE ? ", so that no login is noted there" : ", so that no code would count");
	}
	return any;
}

/* unseen: at which of the entries every answer was that there is none, bit by bit. */
static void
report(struct server *s, enum target_id id, bool nobody, const struct probe *p, const struct result *result,
    unsigned unseen)
{
	bool any = report_lists(s, id, nobody, result);
	char on[640];

	if (!nobody && unseen != 0)
		doctor_note(s->d, CHECK, FINDING_UNKNOWN, "look, as an operator, whether it is there and under that name",
		    "%s: %s: not seen by this host: %s", s->uri, targets_text[id].title, names(s, id, unseen, on, sizeof on));
	names(s, id, ~unseen, on, sizeof on);
	if (result->words[NOT_KNOWN][0] != '\0')
		doctor_note(s->d, CHECK, FINDING_UNKNOWN, "try a server that takes changes, with people and tokens in it",
		    "%s: %s: not known what %s may do to %s: %s", s->uri, targets_text[id].title,
		    nobody ? "whoever gives no name" : "this host", result->words[NOT_KNOWN], p->why);
	else if (!any && !nobody && on[0] != '\0')
		doctor_note(s->d, CHECK, FINDING_OK, NULL, "%s: %s: what is needed and nothing else, tried on %s", s->uri,
		    targets_text[id].title, on);
}

/* Whether the server has any attribute of a target. */
static bool
has_rights(const struct server *s, enum target_id id)
{
	for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++)
		if (rights[i].target == id && exists(s, rights[i].attribute))
			return true;
	return false;
}

static void
check_target(struct server *s, enum target_id id, bool nobody, struct probe *p)
{
	bool is_own = id == TARGET_OWN_TOKEN || id == TARGET_OWN_PERSON || id == TARGET_OWN_USE;
	struct result result = { 0 };
	unsigned seen = 0, tried = 0;

	if (!has_rights(s, id))
		return;
	if (s->targets.dns[id][0] == NULL) {
		if (!nobody && s->targets.knows_own)	/* else it was said what is missing */
			doctor_note(s->d, CHECK, FINDING_UNKNOWN, is_own ? "put people into the group of hosts that this host is in, "
			    "enrol one, and look again" : "look again once there is one", "%s: %s: there is none to try on", s->uri,
			    targets_text[id].title);
		return;
	}
	for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++) {
		struct outcome o = { 0 };

		if (rights[i].target != id || !exists(s, rights[i].attribute))
			continue;
		if (nobody && is_of_noop(&rights[i]) && s->proven == NULL)	/* it was said that this cannot be tried */
			continue;
		for (unsigned k = 0; k < TARGET_DNS_MAX && s->targets.dns[id][k] != NULL; k++) {
			p->seen = false;
			try_right(s, p, &rights[i], k, &o);
			seen |= p->seen ? 1u << k : 0;
			tried |= 1u << k;
		}
		judge_right(&rights[i], nobody, &o, &result);
	}
	report(s, id, nobody, p, &result, targets_text[id].naming == GUESSED ? tried & ~seen : 0);
}

/* ---- one server ---- */

static void
check_sync(struct server *s, LDAP *ld)
{
	static char refresh_only[] = { 0x30, 0x03, 0x0a, 0x01, 0x01 };	/* RFC 4533 2.2: mode 1, no cookie */
	LDAPControl control = { .ldctl_oid = (char *)(uintptr_t)LDAP_CONTROL_SYNC, .ldctl_iscritical = 1,
		.ldctl_value = { .bv_len = sizeof refresh_only, .bv_val = refresh_only } };
	LDAPControl *controls[] = { &control, NULL };
	char *nothing[] = { (char *)(uintptr_t)LDAP_NO_ATTRS, NULL };
	struct timeval timeout = { .tv_sec = (time_t)s->d->in->settings.directory_operation_timeout };
	LDAPMessage *res = NULL;
	int code;

	code = ldap_search_ext_s(ld, s->d->in->settings.directory_base, LDAP_SCOPE_BASE, "(objectClass=*)", nothing, 0,
	    controls, NULL, &timeout, 0, &res);
	(void)ldap_msgfree(res);
	if (code == LDAP_SUCCESS)
		doctor_note(s->d, CHECK, FINDING_OK, NULL, "%s: content synchronisation is allowed", s->uri);
	else if (code == LDAP_UNAVAILABLE_CRITICAL_EXTENSION)
		doctor_note(s->d, CHECK, FINDING_WARN, "add the overlay syncprov to the database",
		    "%s: no content synchronisation: changes are seen after up to [directory] poll-interval", s->uri);
	else
		doctor_note(s->d, CHECK, FINDING_BAD, "let this host read the base with the sync control",
		    "%s: content synchronisation is refused to this host: %s", s->uri, ldap_err2string(code));
}

/* Values of the server's root entry, for ldap_value_free_len(); NULL: it does not say. */
static struct berval **
root_values(const struct server *s, LDAP *ld, const char *attribute)
{
	char *attributes[] = { (char *)(uintptr_t)attribute, NULL };
	struct timeval timeout = { .tv_sec = (time_t)s->d->in->settings.directory_operation_timeout };
	struct berval **values = NULL;
	LDAPMessage *res = NULL, *msg = NULL;

	if (ldap_search_ext_s(ld, "", LDAP_SCOPE_BASE, "(objectClass=*)", attributes, 0, NULL, NULL, &timeout, 0, &res) ==
	    LDAP_SUCCESS)
		msg = ldap_first_entry(ld, res);
	if (msg != NULL)
		values = ldap_get_values_len(ld, msg, attribute);
	(void)ldap_msgfree(res);
	return values;
}

static void
read_contexts(struct server *s, LDAP *ld)
{
	struct berval **values = root_values(s, ld, "namingContexts");
	size_t count = 0;

	for (size_t i = 0; values != NULL && values[i] != NULL && count < CONTEXTS_MAX; i++) {
		s->contexts[count] = entry_normalise_dn(values[i]->bv_val);	/* libldap ends each with a NUL */
		count += s->contexts[count] != NULL;
	}
	ldap_value_free_len(values);
}

/* Whether the server says that it has a control; also where it does not say: *ret_known. */
static bool
offers(const struct server *s, LDAP *ld, const char *oid, bool *ret_known)
{
	struct berval **values = root_values(s, ld, "supportedControl");
	bool found = false;

	*ret_known = values != NULL;
	for (size_t i = 0; values != NULL && values[i] != NULL && !found; i++)
		found = values[i]->bv_len == strlen(oid) && memcmp(values[i]->bv_val, oid, values[i]->bv_len) == 0;
	ldap_value_free_len(values);
	return found;
}

static void
check_policy(struct server *s, LDAP *ld)
{
	bool known = false;

	if (offers(s, ld, LDAP_CONTROL_PASSWORDPOLICYREQUEST, &known))
		doctor_note(s->d, CHECK, FINDING_OK, NULL, "%s: a password policy is there (what it says, and how passwords are "
		    "stored, no host can see)", s->uri);
	else if (known)
		doctor_note(s->d, CHECK, FINDING_WARN, "load the module ppolicy and add its overlay to the database",
		    "%s: no password policy: the server counts no wrong passwords, and disable and --must-change do not work",
		    s->uri);
	else
		doctor_note(s->d, CHECK, FINDING_UNKNOWN, "let everybody read the root entry (dn.base=\"\")",
		    "%s: whether there is a password policy is not known: the root entry cannot be read", s->uri);
}

static void
check_tls(struct server *s, LDAP *ld)
{
	char *version = NULL;

	if (strncasecmp(s->uri, "ldapi:", 6) == 0) {
		doctor_note(s->d, CHECK, FINDING_OK, NULL, "%s: a socket of this host, no network", s->uri);
		return;
	}
	if (ldap_tls_inplace(ld) == 0) {
		doctor_note(s->d, CHECK, FINDING_BAD, "take allow-cleartext out of isms.conf",
		    "%s: no TLS: whoever is on the way reads passwords and seeds", s->uri);
		return;
	}
	(void)ldap_get_option(ld, LDAP_OPT_X_TLS_VERSION, &version);
	doctor_note(s->d, CHECK, FINDING_OK, NULL, "%s: %s%s, certificate and name verified", s->uri,
	    strncasecmp(s->uri, "ldap:", 5) == 0 ? "StartTLS, " : "", version != NULL ? version : "TLS");
	ldap_memfree(version);
}

/* A token's mark in place of itself: shows that the server obeys what keeps probe_create() from creating. */
static void
prove_noop(struct server *s, struct probe *p)
{
	static const char *const marks[] = { "oathTOTPLastTimeStep", "oathHOTPCounter" };
	const char *dn = s->targets.dns[TARGET_OWN_TOKEN][0];

	for (size_t i = 0; dn != NULL && i < 2 && !p->obeys_noop; i++) {
		char *name = (char *)(uintptr_t)attribute_map_theirs(&s->map, marks[i]);
		char *attributes[] = { name, NULL };
		struct timeval timeout = { .tv_sec = p->timeout_sec };
		struct berval **values = NULL;
		LDAPMessage *res = NULL, *msg = NULL;

		if (ldap_search_ext_s(p->ld, dn, LDAP_SCOPE_BASE, "(objectClass=*)", attributes, 0, NULL, NULL, &timeout, 0, &res) ==
		    LDAP_SUCCESS)
			msg = ldap_first_entry(p->ld, res);
		if (msg != NULL)
			values = ldap_get_values_len(p->ld, msg, name);
		if (values != NULL && values[0] != NULL)	/* libldap ends each with a NUL */
			(void)probe_swap(p, dn, name, values[0]->bv_val);
		ldap_value_free_len(values);
		(void)ldap_msgfree(res);
	}
	s->proven = p->obeys_noop ? dn : NULL;
}

/* Everything that is tried as this host. */
static void
check_host(struct server *s, LDAP *ld)
{
	const struct settings *settings = &s->d->in->settings;
	struct probe p = { .ld = ld, .timeout_sec = (int)settings->directory_operation_timeout };
	char fault[512] = "";
	int r;

	check_tls(s, ld);
	check_policy(s, ld);
	check_sync(s, ld);
	r = ldap_schema_load(&s->schema, ld, settings->directory_base, p.timeout_sec);
	if (r == 0)
		r = targets_find(&s->targets, ld, settings, &s->map, fault, sizeof fault);
	if (r < 0) {
		doctor_note(s->d, CHECK, FINDING_BAD, r == -EDOM ?
		    "give hosts size and time without limit (olcLimits, acl-sample.ldif)" :
		    "let hosts read people and groups (acl-sample.ldif)", "%s: this host cannot read the directory: %s", s->uri,
		    fault[0] != '\0' ? fault : strerror(-r));
		return;
	}
	if (!s->targets.knows_own)
		doctor_note(s->d, CHECK, FINDING_BAD, "name the host's group in its seeAlso, and list the host in the group's member",
		    "%s: which tokens are of people who work here is not known: %s", s->uri, s->targets.why);
	doctor_secrets(s->d, s->uri, &p, &s->map, &s->targets, false);
	read_contexts(s, ld);
	prove_noop(s, &p);
	for (unsigned id = 0; id < TARGET_COUNT; id++)
		check_target(s, (enum target_id)id, false, &p);
	if (p.takes_no_changes)
		doctor_note(s->d, CHECK, FINDING_BAD, "name a server that takes changes first in [directory] uri",
		    "%s: the server takes no changes: no code counts there", s->uri);
}

/* The same on a connection that nobody has bound. */
static void
check_nobody(struct server *s)
{
	const struct settings *settings = &s->d->in->settings;
	struct probe p = { .timeout_sec = (int)settings->directory_operation_timeout };
	char fault[512] = "";

	if (ldap_handle_open(settings, s->uri, &p.ld, fault, sizeof fault) < 0) {
		doctor_note(s->d, CHECK, FINDING_UNKNOWN, "look again", "%s: what whoever gives no name may do is not known: %s",
		    s->uri, fault);
		return;
	}
	doctor_secrets(s->d, s->uri, &p, &s->map, &s->targets, true);
	for (unsigned id = 0; id < TARGET_COUNT; id++)
		check_target(s, (enum target_id)id, true, &p);
	ldap_handle_close(p.ld);
}

static void
check_server(struct server *s)
{
	const struct settings *settings = &s->d->in->settings;
	char fault[1024] = "";
	LDAP *ld = NULL;
	int r;

	r = ldap_handle_open(settings, s->uri, &ld, fault, sizeof fault);
	if (r == 0)
		r = ldap_handle_bind_host(settings, s->uri, ld, fault, sizeof fault);
	if (r < 0)
		doctor_note(s->d, CHECK, FINDING_BAD, r == -EACCES ?
		    "mend [directory] bind-dn, or the password in bind-password-file" : "mend the server or the way to it", "%s", fault);
	else
		check_host(s, ld);
	ldap_handle_close(ld);
	if (r == 0 && strcmp(settings->directory_bind_dn, "anonymous") != 0)
		check_nobody(s);
	ldap_schema_done(&s->schema);
	for (size_t i = 0; i < CONTEXTS_MAX; i++)
		free(s->contexts[i]);
	targets_done(&s->targets);
}

void
doctor_directory(struct doctor *d)
{
	const struct settings *settings = &d->in->settings;
	struct ldap_servers servers;
	char fault[256] = "";

	if (!settings_uses_ldap(settings)) {
		doctor_note(d, CHECK, FINDING_OK, NULL, "the directory is a file that the directory process alone reads: %s",
		    settings->directory_uri);
		return;
	}
	if (strcmp(settings->directory_bind_dn, "external") == 0) {
		doctor_note(d, CHECK, FINDING_UNKNOWN, "give this host a bind-dn and a password",
		    "bind-dn is external: what the user isms-dir may do at ldapi:// cannot be tried by another user");
		return;
	}
	(void)ldap_servers_find(settings, "", &servers);
	if (servers.fault[0] != '\0')
		doctor_note(d, CHECK, FINDING_BAD,
		    "mend the SRV records or [directory] uri, and allow the name servers in IPAddressAllow=", "%s", servers.fault);
	if (servers.ttl_sec > 0 && servers.count > 0)
		doctor_note(d, CHECK, FINDING_OK, NULL, "DNS names these servers: %s", servers.uris);
	for (unsigned n = 0;; n++) {
		struct server s = { .d = d };

		if (!ldap_handle_uri(servers.uris, n, s.uri))
			return;
		if (attribute_map_of(&s.map, settings, fault, sizeof fault) < 0) {
			doctor_note(d, CHECK, FINDING_BAD, "isms-userctl config check", "attribute-map: %s", fault);
			return;
		}
		if (s.map.schema.kind == SERVER_AD) {
			doctor_note(d, CHECK, FINDING_UNKNOWN, "look there what the host's user may do: it needs no right but to read",
			    "%s: an Active Directory's rights are not tried", s.uri);
			continue;
		}
		check_server(&s);
	}
}

/*
 * directory_probe.c - access rights at an LDAP server, found out without using them (see directory_probe.h).
 *
 * Runs in isms-userctl only. Must never send a change that could be done if the server allowed everything, and never
 * take an answer that it does not understand for a refusal.
 */
#include <config.h>

#include "tools/directory_probe.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

#include "common/ldap_handle.h"

bool
probe_refused(int code)
{
	return code == LDAP_INSUFFICIENT_ACCESS || code == LDAP_NO_SUCH_OBJECT || code == LDAP_STRONG_AUTH_REQUIRED ||
	    code == LDAP_INAPPROPRIATE_AUTH || code == LDAP_CONFIDENTIALITY_REQUIRED;
}

/* Every answer goes through here. */
static void
note(struct probe *p, int code)
{
	p->seen = p->seen || code != LDAP_NO_SUCH_OBJECT;
}

/* Whether it may be asked for what only the no-op control keeps from being done. */
static bool
is_safe(struct probe *p)
{
	if (!p->obeys_noop)
		(void)snprintf(p->why, sizeof p->why, "the server has not shown there that it obeys the no-op control");
	return p->obeys_noop;
}

/* ---- reading ---- */

/* How many entries a filter finds at dn: 0 or 1, or -1 for unknown; *ret_has: the attribute came with it. */
static int
find(struct probe *p, const char *dn, const char *filter, const char *attribute, bool *ret_has)
{
	char *attributes[] = { (char *)(uintptr_t)attribute, NULL };
	struct timeval timeout = { .tv_sec = p->timeout_sec };
	LDAPMessage *res = NULL, *msg;
	BerElement *ber = NULL;
	char *name = NULL;
	int code, found = -1;

	*ret_has = false;
	code = ldap_search_ext_s(p->ld, dn, LDAP_SCOPE_BASE, filter, attributes, 1, NULL, NULL, &timeout, 0, &res);
	msg = code == LDAP_SUCCESS ? ldap_first_entry(p->ld, res) : NULL;
	if (msg != NULL) {
		name = ldap_first_attribute(p->ld, msg, &ber);
		*ret_has = name != NULL;
	}
	ldap_memfree(name);
	ber_free(ber, 0);
	(void)ldap_msgfree(res);
	note(p, code);
	if (code == LDAP_SUCCESS)
		found = msg != NULL;
	else if (probe_refused(code))
		found = 0;
	else
		(void)snprintf(p->why, sizeof p->why, "%s", ldap_err2string(code));
	return found;
}

enum answer
probe_read(struct probe *p, const char *dn, const char *attribute)
{
	char filter[128];
	bool has;
	int found;

	/* True for every entry, unless the attribute may not be searched: then it is undefined (RFC 4511 4.5.1.7). */
	(void)snprintf(filter, sizeof filter, "(|(%.50s=*)(!(%.50s=*)))", attribute, attribute);
	found = find(p, dn, filter, attribute, &has);
	if (found == 0)		/* what may be read and not be searched shows itself to a filter that does not name it */
		found = find(p, dn, "(objectClass=*)", attribute, &has) < 0 ? -1 : 0;
	if (found < 0)
		return ANSWER_UNKNOWN;
	if (found == 0 || has)
		return has ? ANSWER_YES : ANSWER_NO;
	(void)snprintf(filter, sizeof filter, "(%.50s=*)", attribute);
	found = find(p, dn, filter, attribute, &has);
	if (found < 0)
		return ANSWER_UNKNOWN;
	return found == 0 || has ? ANSWER_YES : ANSWER_NO;	/* is there, and is not shown */
}

enum answer
probe_compare(struct probe *p, const char *dn, const char *attribute, const char *value)
{
	struct berval bv = { .bv_val = (char *)(uintptr_t)value, .bv_len = strlen(value) };
	int code, msgid = 0;

	code = ldap_compare_ext(p->ld, dn, attribute, &bv, NULL, NULL, &msgid);
	if (code == LDAP_SUCCESS)
		code = ldap_handle_wait(p->ld, msgid, p->timeout_sec);
	note(p, code);
	if (code == LDAP_COMPARE_TRUE || code == LDAP_COMPARE_FALSE)
		return ANSWER_YES;
	if (probe_refused(code))
		return ANSWER_NO;
	(void)snprintf(p->why, sizeof p->why, "%s", ldap_err2string(code));
	return ANSWER_UNKNOWN;
}

/* ---- changing ---- */

/* The control, critical: a server that does not know it does nothing at all. */
static LDAPControl **
noop(void)
{
	static LDAPControl control = { .ldctl_oid = (char *)(uintptr_t)LDAP_CONTROL_NOOP, .ldctl_iscritical = 1 };
	static LDAPControl *controls[] = { &control, NULL };

	return controls;
}

/* What a result says of the right to do it. */
static enum answer
judge(struct probe *p, int code)
{
	note(p, code);
	if (probe_refused(code))
		return ANSWER_NO;
	switch (code) {
	case LDAP_SUCCESS:
	case LDAP_X_NO_OPERATION:
	case LDAP_NO_SUCH_ATTRIBUTE:		/* allowed, but not possible: nothing else was wrong */
	case LDAP_TYPE_OR_VALUE_EXISTS:
		return ANSWER_YES;
	case LDAP_UNAVAILABLE_CRITICAL_EXTENSION:
		(void)snprintf(p->why, sizeof p->why, "the server has no no-op control, without which nothing is tried");
		return ANSWER_UNKNOWN;
	case LDAP_REFERRAL:
	case LDAP_UNWILLING_TO_PERFORM:
		p->takes_no_changes = true;
		(void)snprintf(p->why, sizeof p->why, "the server takes no changes (%s)", ldap_err2string(code));
		return ANSWER_UNKNOWN;
	default:
		(void)snprintf(p->why, sizeof p->why, "%s", ldap_err2string(code));
		return ANSWER_UNKNOWN;
	}
}

static enum answer
modify(struct probe *p, const char *dn, LDAPMod **mods)
{
	int code, msgid = 0;

	code = ldap_modify_ext(p->ld, dn, mods, noop(), NULL, &msgid);
	if (code == LDAP_SUCCESS)
		code = ldap_handle_wait(p->ld, msgid, p->timeout_sec);
	if (code == LDAP_X_NO_OPERATION)
		p->obeys_noop = true;
	return judge(p, code);
}

/* The same change twice in one modify: if the first can be done, the second cannot. */
static enum answer
modify_twice(struct probe *p, const char *dn, int op, const char *attribute, const char *value)
{
	char *values[] = { (char *)(uintptr_t)value, NULL };
	LDAPMod mod = { .mod_op = op, .mod_type = (char *)(uintptr_t)attribute, .mod_values = values };
	LDAPMod *mods[] = { &mod, &mod, NULL };

	return modify(p, dn, mods);
}

enum answer
probe_add(struct probe *p, const char *dn, const char *attribute, const char *value)
{
	return modify_twice(p, dn, LDAP_MOD_ADD, attribute, value);
}

enum answer
probe_remove(struct probe *p, const char *dn, const char *attribute, const char *value)
{
	return modify_twice(p, dn, LDAP_MOD_DELETE, attribute, value);
}

enum answer
probe_swap(struct probe *p, const char *dn, const char *attribute, const char *value)
{
	char *values[] = { (char *)(uintptr_t)value, NULL };
	LDAPMod removal = { .mod_op = LDAP_MOD_DELETE, .mod_type = (char *)(uintptr_t)attribute, .mod_values = values };
	LDAPMod addition = { .mod_op = LDAP_MOD_ADD, .mod_type = (char *)(uintptr_t)attribute, .mod_values = values };
	LDAPMod *mods[] = { &removal, &addition, NULL };

	return modify(p, dn, mods);
}

enum answer
probe_create(struct probe *p, const char *parent)
{
	static char name[] = "isms-doctor-tries", object_class[] = "device", cn[] = "cn", oc[] = "objectClass";
	char dn[1280], *names[] = { name, NULL }, *classes[] = { object_class, NULL };
	LDAPMod a = { .mod_op = LDAP_MOD_ADD, .mod_type = oc, .mod_values = classes };
	LDAPMod b = { .mod_op = LDAP_MOD_ADD, .mod_type = cn, .mod_values = names };
	LDAPMod *mods[] = { &a, &b, NULL };
	int code, msgid = 0;

	if (!is_safe(p))
		return ANSWER_UNKNOWN;
	if (snprintf(dn, sizeof dn, "cn=%s,%s", name, parent) >= (int)sizeof dn) {
		(void)snprintf(p->why, sizeof p->why, "its name is too long");
		return ANSWER_UNKNOWN;
	}
	code = ldap_add_ext(p->ld, dn, mods, noop(), NULL, &msgid);
	if (code == LDAP_SUCCESS)
		code = ldap_handle_wait(p->ld, msgid, p->timeout_sec);
	return judge(p, code);
}

enum answer
probe_rename(struct probe *p, const char *dn, const char *taken)
{
	const char *parent = strchr(dn, ','), *comma = strchr(taken, ',');
	char rdn[256];
	int code, msgid = 0;

	if (!is_safe(p))
		return ANSWER_UNKNOWN;
	/* Names that need escaping are left alone: a wrong cut would make a new name of them. */
	if (parent == NULL || comma == NULL || strpbrk(dn, "\\\"+") != NULL || strpbrk(taken, "\\\"+") != NULL ||
	    strcasecmp(parent, comma) != 0 || strcasecmp(dn, taken) == 0 ||
	    snprintf(rdn, sizeof rdn, "%.*s", (int)(comma - taken), taken) >= (int)sizeof rdn) {
		(void)snprintf(p->why, sizeof p->why, "there are no two names side by side");
		return ANSWER_UNKNOWN;
	}
	code = ldap_rename(p->ld, dn, rdn, NULL, 0, noop(), NULL, &msgid);
	if (code == LDAP_SUCCESS)
		code = ldap_handle_wait(p->ld, msgid, p->timeout_sec);
	return code == LDAP_ALREADY_EXISTS ? ANSWER_YES : judge(p, code);
}

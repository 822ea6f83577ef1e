/*
 * entry_dn.c - distinguished names: one normal form to compare by, and values escaped for use in one.
 *
 * Used by the directory process and isms-userctl. A DN of plain ASCII is normalised here; one with
 * escapes, quotes or other bytes goes through libldap's parser, so that all spellings of it agree.
 * It must never let a typed name become more than one value of one RDN (THREATS 5.4).
 */
#include <config.h>

#include "common/entry.h"

#include <ldap.h>
#include <stdlib.h>
#include <string.h>

#include "common/ldap_escape.h"

/* Whether the simple way below is the whole grammar for this DN. */
static bool
is_plain(const char *dn)
{
	bool seen_equals = false;

	for (; *dn != '\0'; dn++) {
		if ((unsigned char)*dn < ' ' || (unsigned char)*dn > '~' || strchr("\\\"+#;<>", *dn) != NULL)
			return false;
		if (*dn == '=' && seen_equals)
			return false;
		seen_equals = *dn == '=' || (seen_equals && *dn != ',');
	}
	return true;
}

static void
lower(char *s)
{
	for (; *s != '\0'; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s - 'A' + 'a');
}

/* Copy [from,to) without outer spaces; returns the end of the copy, or NULL when nothing is left. */
static char *
copy_trimmed(char *out, const char *from, const char *to)
{
	while (from < to && *from == ' ')
		from++;
	while (to > from && to[-1] == ' ')
		to--;
	if (from == to)
		return NULL;
	memcpy(out, from, (size_t)(to - from));
	return out + (to - from);
}

/* "Uid = ada , ou=people" -> "uid=ada,ou=people"; NULL for what is no DN. */
static char *
normalise_plain(const char *dn)
{
	char *all = malloc(strlen(dn) + 1), *out = all;

	if (all == NULL)
		return NULL;
	if (dn[strspn(dn, " ")] == '\0') {
		all[0] = '\0';
		return all;
	}
	for (;;) {
		const char *end = dn + strcspn(dn, ",");
		const char *equals = memchr(dn, '=', (size_t)(end - dn));

		out = equals != NULL ? copy_trimmed(out, dn, equals) : NULL;
		if (out != NULL) {
			*out++ = '=';
			out = copy_trimmed(out, equals + 1, end);
		}
		if (out == NULL) {
			free(all);
			return NULL;
		}
		if (*end == '\0')
			break;
		*out++ = ',';
		dn = end + 1;
	}
	*out = '\0';
	lower(all);
	return all;
}

static char *
normalise_any(const char *dn)
{
	LDAPDN parsed = NULL;
	char *text = NULL, *copy = NULL;

	if (ldap_str2dn(dn, &parsed, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS)
		return NULL;
	if (ldap_dn2str(parsed, &text, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS && text != NULL) {
		copy = strdup(text);
		if (copy != NULL)
			lower(copy);
	}
	ldap_memfree(text);
	ldap_dnfree(parsed);
	return copy;
}

char *
entry_normalise_dn(const char *dn)
{
	return is_plain(dn) ? normalise_plain(dn) : normalise_any(dn);
}

char *
entry_escape_rdn(const char *value)
{
	return ldap_escape_rdn(value, strlen(value));
}

/*
 * ldap_escape.c - values as parts of filters and DNs.
 *
 * Used by the directory process and isms-userctl. It must never let a byte through that ends the value, opens another
 * term of a filter, or begins another RDN.
 */
#include <config.h>

#include "common/ldap_escape.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *
put_hex(char *out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	*out++ = '\\';
	*out++ = hex[c >> 4];
	*out++ = hex[c & 15];
	return out;
}

char *
ldap_escape_filter(const void *value, size_t len)
{
	const unsigned char *bytes = value;
	char *all = len < SIZE_MAX / 3 ? malloc(len * 3 + 1) : NULL, *out = all;

	if (all == NULL)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = bytes[i];

		/* Everything but plain printable ASCII, so that no reader of the filter needs to know a character set. */
		if (c < ' ' || c > '~' || strchr("\\*()", c) != NULL)
			out = put_hex(out, c);
		else
			*out++ = (char)c;
	}
	*out = '\0';
	return all;
}

char *
ldap_escape_equality(const char *attribute, const void *value, size_t len)
{
	char *escaped = ldap_escape_filter(value, len), *filter = NULL;

	if (escaped != NULL && asprintf(&filter, "(%s=%s)", attribute, escaped) < 0)
		filter = NULL;
	free(escaped);
	return filter;
}

char *
ldap_escape_rdn(const void *value, size_t len)
{
	const unsigned char *bytes = value;
	char *all = len < SIZE_MAX / 3 ? malloc(len * 3 + 1) : NULL, *out = all;

	if (all == NULL)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = bytes[i];
		bool edge = (c == ' ' && (i == 0 || i == len - 1)) || (c == '#' && i == 0);

		if (c < ' ' || c == 0x7f) {
			out = put_hex(out, c);
			continue;
		}
		if (edge || strchr("\\\"+,;<>=", c) != NULL)
			*out++ = '\\';
		*out++ = (char)c;
	}
	*out = '\0';
	return all;
}

int
ldap_escape_dn(char *buf, size_t size, const char *type, const char *value, const char *units, const char *parent)
{
	char *escaped = ldap_escape_rdn(value, strlen(value));
	int n;

	buf[0] = '\0';
	if (escaped == NULL)
		return -ENOMEM;
	n = snprintf(buf, size, "%s=%s%s%s%s%s", type, escaped, units != NULL ? "," : "", units != NULL ? units : "",
	    parent[0] != '\0' ? "," : "", parent);
	free(escaped);
	if (n >= 0 && (size_t)n < size)
		return 0;
	buf[0] = '\0';	/* a DN that was cut would name another entry */
	return -ENAMETOOLONG;
}

/*
 * ldap_range.c - values that a server gives in parts (see ldap_range.h).
 *
 * Directory process (on its threads) and isms-userctl. It must never take a part of a group for the whole: whoever is
 * missing is without what the group gives, and without what it restricts.
 */
#include <config.h>

#include "common/ldap_range.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

#include "common/ldap_entry.h"
#include "common/ldap_handle.h"

#define NAME_MAX_BYTES	128

static const char mark[] = ";range=";

/* Digits without a leading zero; returns where they end, NULL for none. */
static const char *
read_number(const char *text, uint32_t *ret)
{
	uint64_t n = 0;
	size_t len = 0;

	for (; text[len] >= '0' && text[len] <= '9' && len < 10; len++)
		n = n * 10 + (unsigned)(text[len] - '0');
	if (len == 0 || (len > 1 && text[0] == '0') || n >= UINT32_MAX)
		return NULL;
	*ret = (uint32_t)n;
	return text + len;
}

int
ldap_range_parse(const char *option, uint32_t *ret_first, uint32_t *ret_last)
{
	uint32_t first = 0, last = UINT32_MAX;
	const char *at;

	if (strncasecmp(option, mark + 1, sizeof mark - 2) != 0)
		return -EINVAL;
	at = read_number(option + sizeof mark - 2, &first);
	if (at == NULL || *at != '-')
		return -EINVAL;
	at = strcmp(at, "-*") == 0 ? at + 2 : read_number(at + 1, &last);
	if (at == NULL || *at != '\0' || last < first)
		return -EINVAL;
	*ret_first = first;
	*ret_last = last;
	return 0;
}

/* The attribute of which a part is there; NULL: none. */
static const struct attribute *
find_part(const struct entry *e, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < e->count; i++)
		if (strncasecmp(e->attributes[i].name, name, len) == 0 &&
		    strncasecmp(e->attributes[i].name + len, mark, sizeof mark - 1) == 0)
			return &e->attributes[i];
	return NULL;
}

/*
 * Take a part over from an entry, which may be the same one.
 *
 *  next  the first that is wanted; receives the one after the part, 0 after the last
 */
static int
take_part(struct entry *to, struct entry *from, const char *name, uint32_t *next)
{
	const struct attribute *part = find_part(from, name);
	char full[NAME_MAX_BYTES];
	uint32_t first, last;
	size_t count;
	int r = 0;

	if (part == NULL || strlen(part->name) >= sizeof full ||
	    ldap_range_parse(part->name + strlen(name) + 1, &first, &last) < 0 || first != *next)
		return -EPROTO;
	count = part->count;
	if (last != UINT32_MAX && count != (size_t)last - first + 1)
		return -EPROTO;
	(void)snprintf(full, sizeof full, "%s", part->name);
	for (size_t i = 0; i < count && r == 0; i++) {
		part = entry_attribute(from, full);	/* "member" may be new, and the list another one */
		r = entry_add_value(to, "member", part->values[i].bytes, part->values[i].len);
	}
	if (r == 0)
		r = entry_set(from, full, NULL);
	*next = last == UINT32_MAX ? 0 : last + 1;
	return r == 0 && to->bytes > LDAP_RANGE_BYTES_MAX ? -E2BIG : r;
}

static int
fetch_part(LDAP *ld, const struct attribute_map *map, int timeout_sec, struct entry *e, const char *name, uint32_t *next)
{
	struct timeval timeout = { .tv_sec = timeout_sec };
	char wanted[NAME_MAX_BYTES + 32], *attributes[] = { wanted, NULL };
	LDAPMessage *res = NULL, *msg;
	struct entry *more = NULL;
	int code, r;

	(void)snprintf(wanted, sizeof wanted, "%.100s%s%u-*", name, mark, (unsigned)*next);
	code = ldap_search_ext_s(ld, e->dn, LDAP_SCOPE_BASE, "(objectClass=*)", attributes, 0, NULL, NULL, &timeout, 2, &res);
	r = code == LDAP_SUCCESS ? 0 : ldap_handle_error(code);
	msg = r == 0 ? ldap_first_entry(ld, res) : NULL;
	if (r == 0)
		r = msg != NULL ? ldap_entry_take(ld, msg, map, NULL, &more) : -ENOENT;
	(void)ldap_msgfree(res);
	if (r == 0)
		r = take_part(e, more, name, next);
	entry_free(more);
	return r;
}

int
ldap_range_complete(LDAP *ld, const struct attribute_map *map, int timeout_sec, struct entry *e)
{
	const char *name = attribute_map_theirs(map, "member");
	uint32_t next = 0;
	int r;

	if (find_part(e, name) == NULL)
		return 0;
	r = take_part(e, e, name, &next);
	while (r == 0 && next != 0)
		r = fetch_part(ld, map, timeout_sec, e, name, &next);
	return r;
}

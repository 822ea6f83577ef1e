/*
 * ldap_entry.c - see ldap_entry.h. Directory process (threads too) and isms-userctl.
 *
 * Seeds pass through here: they are copied to where they are wanted and wiped in the message, which libldap only frees.
 */
#include <config.h>

#include "common/ldap_entry.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "common/last_use.h"

static bool
is_one_of(const char *const *names, const char *name)
{
	for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
		size_t len = strlen(names[i]);

		if ((name[0] | 0x20) == (names[i][0] | 0x20) &&	/* spares most of the calls */
		    strncasecmp(name, names[i], len) == 0 && (name[len] == '\0' || name[len] == ';'))	/* with options too */
			return true;
	}
	return false;
}

/*
 * Whether there is room for an attribute. Beyond ENTRY_ATTRIBUTES_MAX one more is taken, by which identity.h sees that
 * there were too many, and whatever says whose the entry is and who is in it: that is refused, and never overlooked.
 */
static bool
has_room(const struct entry *e, const char *name)
{
	static const char *const always[] = { "objectClass", "entryUUID", "uid", "cn", "uidNumber", "gidNumber", "member",
		"memberUid", NULL };

	if (e->count <= ENTRY_ATTRIBUTES_MAX || entry_attribute(e, name) != NULL)
		return true;
	for (size_t i = 0; always[i] != NULL; i++)
		if (strcasecmp(name, always[i]) == 0)
			return true;
	return false;
}

/*
 * All values of one attribute, which are wiped where they stand. ours may be NULL: nothing is taken. What is too long is
 * cut where it still can be seen to be.
 */
static int
take_values(struct entry *e, const char *ours, struct berval *values)
{
	bool some = ours != NULL && values != NULL && values[0].bv_val != NULL;
	struct attribute *a = some ? entry_need(e, ours, 0) : NULL;
	int r = some && a == NULL ? -ENOMEM : 0;

	for (size_t i = 0; values != NULL && values[i].bv_val != NULL; i++) {
		size_t len = values[i].bv_len <= ENTRY_VALUE_MAX ? values[i].bv_len : ENTRY_VALUE_MAX + 1;

		if (a != NULL && r == 0)
			r = entry_append(e, a, values[i].bv_val, len);
		explicit_bzero(values[i].bv_val, values[i].bv_len);
	}
	return r;
}

/* Not by ldap_next_attribute(), which ends alike after the last attribute and at one that it does not understand. */
static int
take_attributes(LDAP *ld, LDAPMessage *msg, BerElement *ber, const struct attribute_map *map, const char *const *without,
    struct entry *e)
{
	const char *const hosts_write[] = { attribute_map_theirs(map, LAST_USE_ATTRIBUTE), NULL };
	struct berval name, *values;
	const char *ours;
	int r = 0;

	while (r == 0) {
		values = NULL;
		if (ldap_get_attribute_ber(ld, msg, ber, &name, &values) != LDAP_SUCCESS)
			return -EBADMSG;
		if (name.bv_val == NULL)
			return 0;
		ours = attribute_map_ours(map, name.bv_val);
		if (is_one_of(without, name.bv_val) || (ours != NULL && is_one_of(without, ours)))
			ours = NULL;
		if (is_one_of(hosts_write, name.bv_val) && strchr(name.bv_val, ';') != NULL)
			ours = NULL;		/* with options any host could fill the entry, and have people refused on all */
		if (ours != NULL && !has_room(e, ours))
			ours = NULL;
		r = take_values(e, ours, values);
		ber_memfree(values);
	}
	return r;
}

int
ldap_entry_take(LDAP *ld, LDAPMessage *msg, const struct attribute_map *map, const char *const *without,
    struct entry **ret)
{
	struct berval dn = { 0 };
	BerElement *ber = NULL;
	struct entry *e;
	int r;

	if (ldap_get_dn_ber(ld, msg, &ber, &dn) != LDAP_SUCCESS)
		return -EBADMSG;
	e = dn.bv_val != NULL ? entry_new(dn.bv_val) : NULL;
	r = e != NULL ? take_attributes(ld, msg, ber, map, without, e) : -EBADMSG;
	ber_free(ber, 0);
	if (r == 0)
		r = server_schema_translate(&map->schema, e);
	if (r < 0) {
		entry_free(e);
		return r;
	}
	*ret = e;
	return 0;
}

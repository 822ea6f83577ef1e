/*
 * ldap_entry.c - see ldap_entry.h. Directory process (threads too) and isms-userctl.
 */
#include <config.h>

#include "common/ldap_entry.h"

#include <errno.h>
#include <string.h>

/* All values of one attribute. Returns 0 or -ENOMEM. */
static int
add_values(struct entry *e, const char *name, struct berval **values)
{
	for (size_t i = 0; values != NULL && values[i] != NULL; i++) {
		int r = entry_add_value(e, name, values[i]->bv_val, values[i]->bv_len);

		if (r < 0)
			return r;
	}
	return 0;
}

int
ldap_entry_take(LDAP *ld, LDAPMessage *msg, const struct attribute_map *map, struct entry **ret)
{
	BerElement *ber = NULL;
	struct entry *e;
	char *dn, *name;
	int r = 0;

	dn = ldap_get_dn(ld, msg);
	if (dn == NULL)
		return -EBADMSG;
	e = entry_new(dn);
	ldap_memfree(dn);
	if (e == NULL)
		return -EBADMSG;
	for (name = ldap_first_attribute(ld, msg, &ber); name != NULL && r == 0; name = ldap_next_attribute(ld, msg, ber)) {
		const char *ours = attribute_map_ours(map, name);
		struct berval **values = ldap_get_values_len(ld, msg, name);

		if (ours != NULL)
			r = add_values(e, ours, values);
		for (size_t i = 0; values != NULL && values[i] != NULL; i++)
			explicit_bzero(values[i]->bv_val, values[i]->bv_len);	/* seeds pass through here */
		ldap_value_free_len(values);
		ldap_memfree(name);
	}
	ldap_memfree(name);	/* left over by an error */
	ber_free(ber, 0);
	if (r < 0) {
		entry_free(e);
		return r;
	}
	*ret = e;
	return 0;
}

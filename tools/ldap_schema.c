/*
 * ldap_schema.c - which attributes and classes an LDAP server has.
 *
 * Runs in isms-userctl only. Must never turn what a server does not show into a refusal: without a schema everything
 * is tried, and the server has the last word.
 */
#include <config.h>

#include "tools/ldap_schema.h"

#include <errno.h>
#include <ldap_schema.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

#include "common/ldap_handle.h"

static int
append(char ***list, size_t *count, size_t *room, const char *name)
{
	char *copy;

	if (*count == *room) {
		size_t more = *room == 0 ? 256 : *room * 2;
		char **grown = reallocarray(*list, more, sizeof **list);

		if (grown == NULL)
			return -ENOMEM;
		*list = grown;
		*room = more;
	}
	copy = strdup(name);
	if (copy == NULL)
		return -ENOMEM;
	(*list)[(*count)++] = copy;
	return 0;
}

static int
compare(const void *a, const void *b)
{
	return strcasecmp(*(char *const *)a, *(char *const *)b);
}

static bool
contains(char **list, size_t count, const char *name)
{
	return count > 0 && bsearch(&name, list, count, sizeof *list, compare) != NULL;
}

static int
take_attribute(struct ldap_schema *s, const char *text)
{
	const char *where = NULL;
	LDAPAttributeType *type;
	int code = 0, r = 0;

	type = ldap_str2attributetype(text, &code, &where, LDAP_SCHEMA_ALLOW_ALL);
	if (type == NULL)
		return 0;	/* a definition that libldap does not understand; none of those that we write */
	for (size_t i = 0; r == 0 && !type->at_no_user_mod && type->at_names != NULL && type->at_names[i] != NULL; i++)
		r = append(&s->writable, &s->writable_count, &s->writable_room, type->at_names[i]);
	ldap_attributetype_free(type);
	return r;
}

static int
take_class(struct ldap_schema *s, const char *text)
{
	const char *where = NULL;
	LDAPObjectClass *class;
	int code = 0, r = 0;

	class = ldap_str2objectclass(text, &code, &where, LDAP_SCHEMA_ALLOW_ALL);
	if (class == NULL)
		return 0;
	for (size_t i = 0; r == 0 && class->oc_kind == LDAP_SCHEMA_AUXILIARY && class->oc_names != NULL &&
	    class->oc_names[i] != NULL; i++)
		r = append(&s->auxiliary, &s->auxiliary_count, &s->auxiliary_room, class->oc_names[i]);
	ldap_objectclass_free(class);
	return r;
}

/* One entry by its DN; *ret is freed by ldap_msgfree() and may hold no entry. */
static int
read_entry(LDAP *ld, const char *dn, const char *filter, const char *const *attributes, int timeout_sec, LDAPMessage **ret)
{
	struct timeval timeout = { .tv_sec = timeout_sec };
	int code;

	code = ldap_search_ext_s(ld, dn, LDAP_SCOPE_BASE, filter, (char **)(uintptr_t)attributes, 0, NULL, NULL, &timeout, 1, ret);
	code = code == LDAP_SUCCESS ? 0 : ldap_handle_error(code);
	return code == -EHOSTUNREACH || code == -ETIMEDOUT || code == -ENOMEM ? code : 0;
}

static int
take_values(struct ldap_schema *s, LDAP *ld, LDAPMessage *entry, const char *attribute,
    int (*take)(struct ldap_schema *, const char *))
{
	struct berval **values = ldap_get_values_len(ld, entry, attribute);
	int r = 0;

	for (size_t i = 0; values != NULL && values[i] != NULL && r == 0; i++)
		r = take(s, values[i]->bv_val);
	ldap_value_free_len(values);
	return r;
}

static int
read_schema(struct ldap_schema *s, LDAP *ld, const char *dn, int timeout_sec)
{
	static const char *const wanted[] = { "attributeTypes", "objectClasses", NULL };
	LDAPMessage *found = NULL, *entry;
	int r = read_entry(ld, dn, "(objectClass=subschema)", wanted, timeout_sec, &found);

	entry = r == 0 && found != NULL ? ldap_first_entry(ld, found) : NULL;
	if (entry != NULL)
		r = take_values(s, ld, entry, "attributeTypes", take_attribute);
	if (r == 0 && entry != NULL)
		r = take_values(s, ld, entry, "objectClasses", take_class);
	(void)ldap_msgfree(found);
	if (s->writable_count > 0)
		qsort(s->writable, s->writable_count, sizeof *s->writable, compare);
	if (s->auxiliary_count > 0)
		qsort(s->auxiliary, s->auxiliary_count, sizeof *s->auxiliary, compare);
	s->is_known = s->writable_count > 0;
	return r;
}

int
ldap_schema_load(struct ldap_schema *ret, LDAP *ld, const char *dn, int timeout_sec)
{
	static const char *const wanted[] = { "subschemaSubentry", NULL };
	LDAPMessage *found = NULL, *entry;
	struct berval **values = NULL;
	int r;

	memset(ret, 0, sizeof *ret);
	r = read_entry(ld, dn, "(objectClass=*)", wanted, timeout_sec, &found);
	entry = r == 0 && found != NULL ? ldap_first_entry(ld, found) : NULL;
	if (entry != NULL)
		values = ldap_get_values_len(ld, entry, wanted[0]);
	if (values != NULL && values[0] != NULL)
		r = read_schema(ret, ld, values[0]->bv_val, timeout_sec);
	ldap_value_free_len(values);
	(void)ldap_msgfree(found);
	return r;
}

static void
list_done(char **list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(list[i]);
	free(list);
}

void
ldap_schema_done(struct ldap_schema *schema)
{
	list_done(schema->writable, schema->writable_count);
	list_done(schema->auxiliary, schema->auxiliary_count);
	memset(schema, 0, sizeof *schema);
}

bool
ldap_schema_writable(const struct ldap_schema *schema, const char *attribute)
{
	return !schema->is_known || contains(schema->writable, schema->writable_count, attribute);
}

bool
ldap_schema_auxiliary(const struct ldap_schema *schema, const char *object_class)
{
	return contains(schema->auxiliary, schema->auxiliary_count, object_class);
}

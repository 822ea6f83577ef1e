/*
 * ldap_origin.c - what the content of a replica depends on: whoever asks for something else begins with an empty one.
 *
 * Directory process.
 */
#include <config.h>

#include <stdio.h>

#include "common/server_schema.h"
#include "daemon/ldap_sync_parts.h"

void
ldap_origin(const struct settings *settings, char *buf, size_t size)
{
	const char *const *own = NULL;
	enum server_kind kind;
	size_t at = (size_t)snprintf(buf, size, "%s\n%s\n%s\n%s %s %d\n", settings->directory_base,
	    settings->directory_attribute_map, settings->directory_bind_dn, settings->directory_schema,
	    settings->directory_id_from_sid, settings->directory_fold_group_names);

	for (size_t i = 0; ldap_session_attributes[i] != NULL && at < size; i++)
		at += (size_t)snprintf(buf + at, size - at, " %s", ldap_session_attributes[i]);
	if (server_schema_kind(settings->directory_schema, &kind) == 0)
		own = server_schema_attributes(kind);
	for (; own != NULL && *own != NULL && at < size; own++)
		at += (size_t)snprintf(buf + at, size - at, " %s", *own);
}

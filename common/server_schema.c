/*
 * server_schema.c - what each kind of server has in place of the standard schema (see server_schema.h).
 *
 * Directory process and isms-userctl. It must never take a value for what it is not: an entry of which a part cannot be
 * understood carries ENTRY_FAULT, and identity.h refuses it.
 */
#include <config.h>

#include "common/server_schema.h"

#include <errno.h>
#include <string.h>

#include "common/active_directory.h"

static const char *const words[SERVER_KIND_COUNT] = {
	[SERVER_STANDARD] = "rfc2307", [SERVER_389] = "389-ds", [SERVER_AD] = "active-directory",
};

static const struct server_name standard_names[] = { { .ours = NULL } };
static const struct server_name names_389[] = { { "entryUUID", "nsUniqueId" }, { .ours = NULL } };
static const struct server_name ad_names[] = {
	{ "uid", "sAMAccountName" }, { "entryUUID", "objectGUID" }, { "homeDirectory", "unixHomeDirectory" }, { .ours = NULL },
};

static const char *const no_attributes[] = { NULL };
static const char *const ad_attributes[] = {
	"sAMAccountType", "objectSid", "primaryGroupID", "lockoutTime", "msDS-User-Account-Control-Computed",
	"msDS-UserPasswordExpiryTimeComputed", NULL
};

/* sAMAccountType (MS-SAMR 2.2.1.9): users, global and universal groups, groups of the domain; security groups alone. */
static const char standard_filter[] = "(|(objectClass=posixAccount)(objectClass=posixGroup)(objectClass=groupOfNames)"
    "(objectClass=groupOfMembers)(objectClass=ismsGrant)(objectClass=ismsExemption))";
static const char *const standard_filters[] = { standard_filter, NULL };
static const char *const ad_filters[] = {
	"(sAMAccountType=805306368)", "(|(sAMAccountType=268435456)(sAMAccountType=536870912))", NULL
};

int
server_schema_kind(const char *word, enum server_kind *ret)
{
	for (int k = 0; k < SERVER_KIND_COUNT; k++)
		if (strcmp(word, words[k]) == 0) {
			*ret = (enum server_kind)k;
			return 0;
		}
	return -EINVAL;
}

void
server_schema_init(struct server_schema *ret, const struct settings *settings)
{
	*ret = (struct server_schema){ .kind = SERVER_STANDARD, .fold_groups = settings->directory_fold_group_names };
	(void)server_schema_kind(settings->directory_schema, &ret->kind);
	(void)sid_range_parse(settings->directory_id_from_sid, &ret->sids);
}

const struct server_name *
server_schema_names(enum server_kind kind)
{
	return kind == SERVER_AD ? ad_names : kind == SERVER_389 ? names_389 : standard_names;
}

const char *const *
server_schema_attributes(enum server_kind kind)
{
	return kind == SERVER_AD ? ad_attributes : no_attributes;
}

const char *const *
server_schema_filters(enum server_kind kind)
{
	return kind == SERVER_AD ? ad_filters : standard_filters;
}

const char *
server_schema_filter_of_all(enum server_kind kind)
{
	return kind == SERVER_AD ? "(|(objectClass=user)(objectClass=group))" : standard_filter;
}

bool
server_schema_is_listed(const struct server_schema *schema, const struct entry *e)
{
	return schema->kind != SERVER_AD || active_directory_is_account(e);
}

/* nsUniqueId is a UUID in four groups of eight: "66446001-1dd211b2-66445f01-02cd0001". */
static int
translate_unique_id(struct entry *e)
{
	const struct attribute *a = entry_attribute(e, "entryUUID");
	char text[37];
	size_t at = 0;

	if (a == NULL || a->count != 1 || a->values[0].len != 35)
		return 0;
	for (size_t i = 0; i < 35; i++) {
		const char c = a->values[0].bytes[i];

		if ((c == '-') != (i % 9 == 8))
			return 0;	/* some other form: identity.h judges it as it is */
		if (c == '-')
			continue;
		if (at == 8 || at == 13 || at == 18 || at == 23)
			text[at++] = '-';
		text[at++] = c;
	}
	text[at] = '\0';
	return entry_set(e, "entryUUID", text);
}

int
server_schema_translate(const struct server_schema *schema, struct entry *e)
{
	switch (schema->kind) {
	case SERVER_AD:
		return active_directory_translate(schema, e);
	case SERVER_389:
		return translate_unique_id(e);
	default:
		return 0;
	}
}

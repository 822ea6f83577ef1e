/*
 * active_directory.c - entries of Active Directory and Samba -> entries of the standard schema (see active_directory.h).
 *
 * Directory process and isms-userctl. It must never make a user of a computer, nor one id of two SIDs, and never leave a
 * lock behind: what it does not know it leaves for identity.h to judge.
 */
#include <config.h>

#include "common/active_directory.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* sAMAccountType (MS-SAMR 2.2.1.9). Everything else is a computer, a trust or a list of mail. */
#define TYPE_USER	"805306368"
#define TYPE_GROUP	"268435456"
#define TYPE_ALIAS	"536870912"

char *
active_directory_guid(const uint8_t g[static 16], char buf[static 37])
{
	(void)snprintf(buf, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", g[3], g[2], g[1], g[0],
	    g[5], g[4], g[7], g[6], g[8], g[9], g[10], g[11], g[12], g[13], g[14], g[15]);
	return buf;
}

static int translate_fault(struct entry *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The first fault stands. */
static int
translate_fault(struct entry *e, const char *format, ...)
{
	char text[200];
	va_list args;

	if (entry_attribute(e, ENTRY_FAULT) != NULL)
		return 0;
	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	return entry_set(e, ENTRY_FAULT, text);
}

/* objectGUID, which came as entryUUID. */
static int
translate_guid(struct entry *e)
{
	const struct attribute *a = entry_attribute(e, "entryUUID");
	char text[37];

	if (a == NULL || a->count != 1 || a->values[0].len != 16)
		return 0;
	return entry_set(e, "entryUUID", active_directory_guid((const uint8_t *)a->values[0].bytes, text));
}

/* Names compare without case there; a user's name here has none. */
static void
fold(struct entry *e, const char *name, bool spaces)
{
	const struct attribute *a = entry_attribute(e, name);

	for (size_t i = 0; a != NULL && i < a->count; i++)
		for (char *c = a->values[i].bytes; c < a->values[i].bytes + a->values[i].len; c++) {
			if (*c >= 'A' && *c <= 'Z')
				*c = (char)(*c - 'A' + 'a');
			else if (*c == ' ' && spaces)
				*c = '_';
		}
}

static int
add_class(struct entry *e, const char *object_class)
{
	return entry_has_class(e, object_class) ? 0 : entry_add_value(e, "objectClass", object_class, strlen(object_class));
}

/* Classes by which others tell users and groups: they are for us to say. */
static int
drop_classes(struct entry *e)
{
	static const char *const classes[] = { "posixAccount", "posixGroup", "groupOfNames", "groupOfMembers" };
	int r = 0;

	for (size_t i = 0; i < sizeof classes / sizeof classes[0] && r == 0; i++)
		r = entry_remove_value(e, "objectClass", classes[i]);
	return r;
}

bool
active_directory_is_account(const struct entry *e)
{
	const char *type = NULL;

	return entry_single(e, "sAMAccountType", &type) == 1 &&
	    (strcmp(type, TYPE_USER) == 0 || strcmp(type, TYPE_GROUP) == 0 || strcmp(type, TYPE_ALIAS) == 0);
}

/* Nothing is left by which somebody could be in a group, or be anybody. */
static int
make_nobody(struct entry *e)
{
	int r = 0;

	for (size_t i = e->count; i > 0 && r == 0; i--)
		if (strcasecmp(e->attributes[i - 1].name, "entryUUID") != 0 &&
		    strcasecmp(e->attributes[i - 1].name, "sAMAccountType") != 0)
			r = entry_set(e, e->attributes[i - 1].name, NULL);
	return r;
}

/* The entry's SID. Returns 1, 0: there is none that can be read, with the fault noted, or -ENOMEM. */
static int
read_sid(struct entry *e, struct sid *ret)
{
	const struct attribute *a = entry_attribute(e, "objectSid");
	int r;

	if (a != NULL && a->count == 1 && sid_decode(a->values[0].bytes, a->values[0].len, ret) == 0)
		return 1;
	r = translate_fault(e, "objectSid is %s", a == NULL ? "missing: may this host read it?" : "no SID");
	return r;
}

/* An id that is made of a number of the domain. */
static int
set_id(const struct server_schema *schema, struct entry *e, const char *name, uint32_t rid)
{
	char text[16];
	uint32_t id;

	if (sid_range_id(&schema->sids, rid, &id) < 0)
		return translate_fault(e, "%s: number %u of the domain is beyond the range of [directory] id-from-sid; lengthen it",
		    name, (unsigned)rid);
	(void)snprintf(text, sizeof text, "%u", (unsigned)id);
	return entry_set(e, name, text);
}

/* uidNumber of a user or gidNumber of a group, by the entry's own SID. */
static int
set_own_id(const struct server_schema *schema, struct entry *e, const char *name)
{
	char text[SID_TEXT_SIZE];
	struct sid sid;
	uint32_t rid;
	int r;

	r = read_sid(e, &sid);
	if (r <= 0)
		return r;
	if (sid_rid(&sid, &schema->sids.domain, &rid) < 0)
		return translate_fault(e, "objectSid %.80s is not of the domain of [directory] id-from-sid", sid_format(&sid, text));
	return set_id(schema, e, name, rid);
}

/* Digits alone. Returns 0 or -EINVAL. */
static int
read_rid(const char *text, uint32_t *ret)
{
	uint64_t n = 0;

	if (text == NULL || text[0] == '\0')
		return -EINVAL;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9' || n > UINT32_MAX / 10)
			return -EINVAL;
		n = n * 10 + (unsigned)(*text - '0');
	}
	*ret = (uint32_t)n;
	return n <= UINT32_MAX ? 0 : -EINVAL;
}

static int
set_ids_by_sid(const struct server_schema *schema, struct entry *e)
{
	const char *primary = NULL;
	uint32_t rid;
	int r;

	r = entry_set(e, "uidNumber", NULL);
	if (r == 0)
		r = entry_set(e, "gidNumber", NULL);
	if (r == 0)
		r = set_own_id(schema, e, "uidNumber");
	if (r == 0 && (entry_single(e, "primaryGroupID", &primary) != 1 || read_rid(primary, &rid) < 0))
		r = translate_fault(e, "primaryGroupID is missing or no number");
	else if (r == 0)
		r = set_id(schema, e, "gidNumber", rid);
	return r;
}

static int
translate_user(const struct server_schema *schema, struct entry *e)
{
	static const char *const always[] = { "userAccountControl", "accountExpires" };
	const struct attribute *names = entry_attribute(e, "uid");
	int r = 0;

	/* Without an id nobody is a user of this kind of host; a name with a $ is a machine's. */
	if (!schema->sids.there && entry_attribute(e, "uidNumber") == NULL)
		return make_nobody(e);
	if (names != NULL && names->count == 1 && names->values[0].len > 0 &&
	    names->values[0].bytes[names->values[0].len - 1] == '$')
		return make_nobody(e);
	fold(e, "uid", false);
	/* Every user there has these: without them it cannot be told whether he is disabled, or when he ends. */
	for (size_t i = 0; r == 0 && i < sizeof always / sizeof always[0]; i++)
		if (entry_attribute(e, always[i]) == NULL)
			r = translate_fault(e, "%s is missing: may this host read it?", always[i]);
	if (r == 0 && schema->sids.there)
		r = set_ids_by_sid(schema, e);
	return r == 0 ? add_class(e, "posixAccount") : r;
}

/* Whose primary group it is the users say by number: it has to be found by it, where ids are not made of numbers. */
static int
set_token(struct entry *e)
{
	struct sid sid;
	uint32_t rid;
	char text[16];
	int r;

	r = read_sid(e, &sid);
	if (r <= 0 || sid_rid(&sid, NULL, &rid) < 0)
		return r < 0 ? r : 0;
	(void)snprintf(text, sizeof text, "%u", (unsigned)rid);
	return entry_set(e, "primaryGroupToken", text);
}

/* A group's cn is whatever its container calls it; its name in the domain is sAMAccountName, which came as uid. */
static int
translate_group(const struct server_schema *schema, struct entry *e)
{
	const struct attribute *sids = entry_attribute(e, "objectSid");
	const char *name = NULL;
	struct sid sid;
	int r;

	if (sids != NULL && sids->count == 1 && sid_decode(sids->values[0].bytes, sids->values[0].len, &sid) == 0 &&
	    sid_is_builtin(&sid))
		return make_nobody(e);
	if (schema->fold_groups)
		fold(e, "uid", true);
	r = entry_single(e, "uid", &name) == 1 ? entry_set(e, "cn", name) :
	    translate_fault(e, "sAMAccountName is missing, or there are several");
	if (r == 0)
		r = entry_set(e, "uid", NULL);
	if (r == 0)	/* left behind by old tools: who is in a group of a domain its members say */
		r = entry_set(e, "memberUid", NULL);
	if (r < 0)
		return r;
	if (!schema->sids.there) {
		r = set_token(e);
		return r == 0 ? add_class(e, entry_attribute(e, "gidNumber") != NULL ? "posixGroup" : "groupOfNames") : r;
	}
	r = entry_set(e, "gidNumber", NULL);
	if (r == 0)
		r = set_own_id(schema, e, "gidNumber");
	return r == 0 ? add_class(e, "posixGroup") : r;
}

int
active_directory_translate(const struct server_schema *schema, struct entry *e)
{
	const char *type = NULL;
	int r = translate_guid(e);

	if (r < 0 || entry_attribute(e, "sAMAccountType") == NULL)	/* no account of the domain: perhaps a token */
		return r;
	if (e->count > ENTRY_ATTRIBUTES_MAX)	/* what is dropped below must not hide it */
		r = translate_fault(e, "has more than %d attributes", ENTRY_ATTRIBUTES_MAX);
	if (r == 0)
		r = drop_classes(e);
	if (r < 0)
		return r;
	if (entry_single(e, "sAMAccountType", &type) != 1)
		type = "";
	if (strcmp(type, TYPE_USER) == 0)
		r = translate_user(schema, e);
	else if (strcmp(type, TYPE_GROUP) == 0 || strcmp(type, TYPE_ALIAS) == 0)
		r = translate_group(schema, e);
	else
		return make_nobody(e);
	return r == 0 ? entry_set(e, "objectSid", NULL) : r;
}

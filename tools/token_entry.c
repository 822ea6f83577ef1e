/*
 * token_entry.c - tokens as entries of the directory: add, link, unlink, delete.
 *
 * Runs in isms-userctl only. A token counts while a user links to it and not before; so the link is the
 * last change of an enrolment and the first of a removal. Must never delete what another user links to.
 */
#include <config.h>

#include "tools/token.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/civil_date.h"
#include "tools/account.h"

static const char *const hash_oids[] = {
	[TOKEN_SHA1] = "1.2.840.113549.2.7", [TOKEN_SHA256] = "1.2.840.113549.2.9", [TOKEN_SHA512] = "1.2.840.113549.2.11",
};

/* All attributes of a new token; class and attributes of its parameters are in the same entry. */
static int
fill(struct entry *e, const struct token *token, const char *owner_dn, int64_t now_utc_sec)
{
	bool hotp = token->type == TOKEN_HOTP;
	char digits[8], uuid[37], now[32];
	const struct { const char *name, *value; } rows[] = {
		{ "objectClass", "top" }, { "objectClass", "device" }, { "objectClass", token_link(token->type) },
		{ "objectClass", hotp ? "oathHOTPParams" : "oathTOTPParams" },
		{ "cn", token->serial }, { "oathTokenSerialNumber", token->serial }, { "owner", owner_dn },
		{ hotp ? "oathHOTPParams" : "oathTOTPParams", token->dn },
		{ "oathOTPLength", digits }, { "oathHMACAlgorithm", hash_oids[token->algorithm] },
		{ hotp ? "oathHOTPCounter" : "oathTOTPTimeStepPeriod", hotp ? "0" : "30" },
		{ hotp ? "oathHOTPLookAhead" : "oathTOTPTimeStepWindow", hotp ? "10" : "1" },
		{ "oathSecretTime", now }, { "entryUUID", uuid }, { "createTimestamp", now },
	};
	size_t i;
	int r;

	(void)snprintf(digits, sizeof digits, "%u", token->digits);
	(void)civil_date_format_generalized(now_utc_sec, now);
	r = account_make_uuid(uuid);
	for (i = 0; i < sizeof rows / sizeof rows[0] && r == 0; i++)
		r = entry_add_value(e, rows[i].name, rows[i].value, strlen(rows[i].value));
	if (r == 0)
		r = entry_add_value(e, "oathSecret", token->secret, token->secret_len);
	return r;
}

int
token_add(const struct token *token, struct directory *directory, const char *owner_dn, int64_t now_utc_sec)
{
	struct entry *e = entry_new(token->dn);
	int r;

	if (e == NULL)
		return -ENOMEM;
	r = fill(e, token, owner_dn, now_utc_sec);
	if (r < 0) {
		entry_free(e);
		return r;
	}
	return directory_add(directory, e);	/* now owned by the directory */
}

int
token_activate(const struct token *token, struct directory *directory, const char *user_dn, uint64_t factor)
{
	bool hotp = token->type == TOKEN_HOTP;
	char text[24];
	const struct change used = { CHANGE_REPLACE, hotp ? "oathHOTPCounter" : "oathTOTPLastTimeStep", text };
	const struct change links[] = {
		{ CHANGE_ADD, "objectClass", hotp ? "oathHOTPUser" : "oathTOTPUser" },
		{ CHANGE_ADD, token_link(token->type), token->dn },
	};
	int r;

	/* HOTP keeps the next counter, TOTP the last step */
	(void)snprintf(text, sizeof text, "%llu", (unsigned long long)factor + (hotp ? 1 : 0));
	r = directory_modify(directory, token->dn, &used, 1);
	return r < 0 ? r : directory_modify(directory, user_dn, links, 2);
}

static bool
linked_by_anybody(const struct entries *entries, const char *attribute, const char *dn)
{
	size_t i;

	for (i = 0; i < entries->count; i++)
		if (entry_has_value(entries->list[i], attribute, dn))
			return true;
	return false;
}

/* The i-th link of a user that is to be removed, as a copy; NULL when there is none left. */
static char *
next_link(const struct entries *entries, const char *user_dn, const char *attribute, const char *serial,
    const char *keep_dn)
{
	const struct entry *user = entries_find(entries, user_dn), *token;
	const struct attribute *links = user != NULL ? entry_attribute(user, attribute) : NULL;
	char *keep = keep_dn != NULL ? entry_normalise_dn(keep_dn) : NULL;
	const char *its;
	char *found = NULL;
	size_t i;

	for (i = 0; links != NULL && i < links->count && found == NULL; i++) {
		token = entries_find(entries, links->values[i].bytes);
		its = token != NULL ? entry_value(token, "oathTokenSerialNumber") : NULL;
		if (serial != NULL && (its == NULL || strcmp(its, serial) != 0))
			continue;
		if (keep != NULL && token != NULL && strcmp(token->ndn, keep) == 0)
			continue;
		found = strdup(links->values[i].bytes);
	}
	free(keep);
	return found;
}

/* Unlink one token and delete it if nobody else has it. */
static int
remove_one(struct directory *directory, const char *user_dn, const char *attribute, const char *dn,
    void (*removed)(const char *serial, void *arg), void *arg)
{
	const struct change unlink = { CHANGE_DELETE, attribute, dn };
	const struct entry *token = entries_find(directory_entries(directory), dn);
	const char *serial = token != NULL ? entry_value(token, "oathTokenSerialNumber") : NULL;
	int r;

	removed(serial != NULL ? serial : dn, arg);	/* before the entry goes */
	r = directory_modify(directory, user_dn, &unlink, 1);
	if (r == 0 && token != NULL && !linked_by_anybody(directory_entries(directory), attribute, dn))
		r = directory_remove(directory, dn);
	return r;
}

int
token_remove(struct directory *directory, const char *user_dn, const char *serial, const char *keep_dn,
    void (*removed)(const char *serial, void *arg), void *arg)
{
	static const struct { const char *link, *user_class; } kinds[] = {
		{ "oathTOTPToken", "oathTOTPUser" }, { "oathHOTPToken", "oathHOTPUser" },
	};
	const struct entry *user;
	int count = 0, r = 0;
	size_t i;
	char *dn;

	for (i = 0; i < 2 && r == 0; i++) {
		const struct change declass = { CHANGE_DELETE, "objectClass", kinds[i].user_class };

		while (r == 0 && (dn = next_link(directory_entries(directory), user_dn, kinds[i].link, serial, keep_dn)) != NULL) {
			r = remove_one(directory, user_dn, kinds[i].link, dn, removed, arg);
			free(dn);
			count++;
		}
		user = entries_find(directory_entries(directory), user_dn);
		if (r == 0 && user != NULL && entry_attribute(user, kinds[i].link) == NULL &&
		    entry_has_class(user, kinds[i].user_class))
			r = directory_modify(directory, user_dn, &declass, 1);	/* the class demands a link */
	}
	return r < 0 ? r : count;
}

int
token_remove_pending(struct directory *directory, const char *user_dn)
{
	const struct entries *entries = directory_entries(directory);
	size_t i = 0;

	while (i < entries->count) {
		const struct entry *e = entries->list[i];
		const char *link = entry_has_class(e, "oathHOTPToken") ? "oathHOTPToken" : "oathTOTPToken";

		if (!entry_has_class(e, link) || !entry_has_value(e, "owner", user_dn) ||
		    linked_by_anybody(entries, link, e->dn)) {
			i++;
			continue;
		}
		if (directory_remove(directory, e->dn) < 0)
			return -ENOMEM;
		entries = directory_entries(directory);
		i = 0;
	}
	return 0;
}

/*
 * cmd_inventory.c - isms-userctl inventory: the accounts that are no person's own, and with --scan what of this host lets
 * somebody in and nobody has declared.
 *
 * Must never leave an account out because nobody answers for it: that is what it is for.
 */
#include <config.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/civil_date.h"
#include "tools/account.h"
#include "tools/invocation.h"
#include "tools/output.h"
#include "tools/output_csv.h"
#include "tools/scan.h"
#include "tools/standing.h"

#define ADDED_MARK "isms-added="	/* last word of the comment of a key that isms-userctl added */

static const struct column columns[] = {
	{ "user", "USER" }, { "kind", "KIND" }, { "state", "STATE" }, { "owner", "OWNER" }, { "owner_state", "OWNER IS" },
	{ "owner_end", "OWNER UNTIL" }, { "not_after", "END" }, { "keys", "KEYS" }, { "oldest_key", "OLDEST KEY" },
	{ "last_use", "LAST USE" }, { "armed_until", "ARMED UNTIL" }, { NULL, NULL },
};
static const struct column scan_columns[] = {
	{ "what", "WHAT" }, { "who", "WHO" }, { "state", "STATE" }, { "where", "WHERE" }, { "detail", "DETAIL" }, { NULL, NULL },
};

/* When a key was added, by its comment; 0: not known. */
static int64_t
key_added(const char *key)
{
	const char *word = strrchr(key, ' ');
	int64_t utc_sec = 0;

	if (word == NULL || strncmp(word + 1, ADDED_MARK, strlen(ADDED_MARK)) != 0)
		return 0;
	word += 1 + strlen(ADDED_MARK);
	return civil_date_parse_generalized(word, strlen(word), &utc_sec) == 0 ? utc_sec : 0;
}

/* How many keys the entry holds, and when the oldest of which that is known was added. */
static json_int_t
count_keys(const struct entry *e, int64_t *ret_oldest_utc_sec)
{
	static const char *const names[] = { "ismsKey", "sshPublicKey" };
	json_int_t count = 0;
	int64_t added;

	*ret_oldest_utc_sec = 0;
	for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
		const struct attribute *a = entry_attribute(e, names[n]);

		for (size_t i = 0; a != NULL && i < a->count; i++) {
			added = key_added(a->values[i].bytes);
			count++;
			if (added != 0 && (*ret_oldest_utc_sec == 0 || added < *ret_oldest_utc_sec))
				*ret_oldest_utc_sec = added;
		}
	}
	return count;
}

/* The name in a DN as of a sponsor. */
static json_t *
name_in(const char *dn)
{
	struct identity of = { .sponsor = (char *)(uintptr_t)dn };
	char name[256];

	return dn == NULL || dn[0] == '\0' ? json_null() : output_string(account_sponsor_name(&of, name, sizeof name));
}

static json_t *
row(const struct account *account, const struct identity *id, int64_t now_utc_sec)
{
	const char *owner = entry_value(id->entry, "owner"), *command = entry_value(id->entry, "ismsCommand");
	const struct attribute *sources = entry_attribute(id->entry, "ismsSource");
	int64_t oldest_utc_sec, armed_utc_sec = standing_instant(id->entry, "ismsArmedUntil");
	json_int_t keys = count_keys(id->entry, &oldest_utc_sec);
	const struct identity *who = NULL;
	json_t *from = json_array();
	enum standing standing;

	if (owner == NULL)
		owner = id->sponsor;
	standing = standing_of(account, owner, now_utc_sec, &who);
	if (who != NULL && !identity_is_person(who))
		standing = STANDING_MISSING;
	for (size_t i = 0; sources != NULL && i < sources->count; i++)
		(void)json_array_append_new(from, output_string(sources->values[i].bytes));
	return json_pack("{s:o, s:o, s:s, s:o, s:s, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "user",
	    output_string(id->name[0] != '\0' ? id->name : id->claimed_name), "kind",
	    output_string(account_kind_name(id->kind)), "state", account_state(id, now_utc_sec), "owner", name_in(owner),
	    "owner_state", standing_word(standing), "owner_end", output_time(who != NULL ? who->not_after_utc_sec : 0),
	    "not_after", output_time(id->not_after_utc_sec), "keys", keys, "oldest_key", output_time(oldest_utc_sec), "last_use",
	    output_time(standing_instant(id->entry, "ismsLastUse")), "armed_until",
	    output_time(armed_utc_sec > now_utc_sec ? armed_utc_sec : 0), "armed_by",
	    armed_utc_sec > now_utc_sec ? name_in(entry_value(id->entry, "ismsArmedBy")) : json_null(), "sources", from, "command",
	    output_string(command), "display", output_string(id->display));
}

/* Service and break-glass accounts, and those whose kind cannot be told. */
static json_t *
accounts(const struct account *account, int64_t now_utc_sec)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < account->identities.user_count; i++) {
		const struct identity *id = &account->identities.users[i];

		if (!identity_is_person(id))
			(void)json_array_append_new(rows, row(account, id, now_utc_sec));
	}
	return rows;
}

static void
print(const struct invocation *in, json_t *rows, json_t *found)
{
	json_t *result;

	if (command_line_has(&in->line, OPTION_inventory_csv))
		output_csv(found != NULL ? found : rows, found != NULL ? scan_columns : columns);
	else if (in->json) {
		result = json_pack("{s:O}", "accounts", rows);
		if (found != NULL)
			(void)json_object_set(result, "host", found);
		(void)output_json(result);
		json_decref(result);
	} else {
		output_table(rows, columns);
		if (found == NULL)
			return;
		(void)printf("\n");
		output_table(found, scan_columns);
		output_line("%zu found on this host that nobody has declared", json_array_size(found));
	}
}

enum exit_code
cmd_inventory(struct invocation *in)
{
	bool scans = command_line_has(&in->line, OPTION_inventory_scan);
	json_t *rows = NULL, *found = NULL;
	struct account account;
	enum exit_code code;

	if (scans && geteuid() != 0 && in->root[0] == '\0') {
		output_error("inventory --scan: only root may do this; run it with sudo");
		return EXIT_REFUSED;
	}
	code = account_open(in, NULL, DIRECTORY_READ, &account);
	if (code == EXIT_DONE) {
		rows = accounts(&account, in->now_utc_sec);
		if (scans)
			code = scan_host(in, &account, &found);
	}
	if (code == EXIT_DONE)
		print(in, rows, found);
	json_decref(rows);
	json_decref(found);
	account_done(&account);
	return code;
}

/*
 * cmd_key.c - isms-userctl key add|remove|list USER: the public keys of an account.
 *
 * Must never add a key to an account that could not use it without saying so, and never remove another one than was named.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/account.h"
#include "tools/audit.h"
#include "tools/invocation.h"
#include "tools/key_entry.h"
#include "tools/output.h"

static const struct column columns[] = {
	{ "user", "User" }, { "added", "Added" }, { "removed", "Removed" }, { "keys", "Keys now" }, { "note", "Note" },
	{ NULL, NULL },
};

static const struct column list_columns[] = {
	{ "fingerprint", "FINGERPRINT" }, { "type", "TYPE" }, { "added", "ADDED" }, { "age_days", "DAYS" },
	{ "last_use", "LAST USE" }, { "attribute", "ATTRIBUTE" }, { "fault", "FAULT" }, { "comment", "COMMENT" }, { NULL, NULL },
};

/* One change, whether it was made or would be; the entry itself is no longer there. */
static void
tell(const struct invocation *in, const struct identity *id, const char *what, const char *fingerprint, size_t left,
    const char *note)
{
	char change[AUTHORIZED_KEY_PRINT_SIZE + 32];
	json_t *result = json_object();
	struct event event;

	event_begin(&event, EVENT_ACCOUNT_CHANGED, "isms-userctl");
	event_add(&event, FIELD_ID_USER, id->name);
	event_add_int(&event, FIELD_ID_UID, id->uid);
	event_add(&event, FIELD_ID_KIND, account_kind_name(id->kind));
	event_add(&event, FIELD_ID_KEY, fingerprint);
	(void)snprintf(change, sizeof change, "key %s", what);
	event_add(&event, FIELD_ID_NEW, change);
	audit_send(&event, in);
	(void)json_object_set_new(result, "user", json_string(id->name));
	(void)json_object_set_new(result, what, json_string(fingerprint));
	(void)json_object_set_new(result, "keys", json_integer((json_int_t)left));
	(void)json_object_set_new(result, "dry_run", json_boolean(in->dry_run));
	(void)json_object_set_new(result, "note", json_string(in->dry_run ? "dry run: nothing was changed" : note));
	if (in->json)
		(void)output_json(result);
	else
		output_record(result, columns);
	json_decref(result);
}

/* *ret_left: how many keys there are then. */
static enum exit_code
write_changes(const struct invocation *in, struct account *account, const struct change *changes, size_t count,
    size_t *ret_left)
{
	const char *user = in->line.operands[0];

	if (directory_modify(account->directory, account->identity->entry->dn, changes, count) < 0 ||
	    account_refresh(in, account, user) < 0) {
		output_error("%s: out of memory; nothing was changed", user);
		return EXIT_UNREACHABLE;
	}
	(void)key_entry_has(account->identity->entry, "", ret_left);
	return account_commit(account);
}

static enum exit_code
add(struct invocation *in, struct account *account, const struct authorized_key *key, const char *value)
{
	const struct entry *e = account->identity->entry;
	struct change changes[2];
	size_t count = 0, has;
	enum exit_code code;

	if (!directory_knows(account->directory, "ismsKey")) {
		output_error("%s: the server has no attribute ismsKey; load the schema isms.ldif; nothing was changed",
		    account->identity->name);
		return EXIT_REFUSED;
	}
	if (key_entry_has(e, key->fingerprint, &has)) {
		output_error("%s: has the key %s already", account->identity->name, key->fingerprint);
		return EXIT_REFUSED;
	}
	if (has >= AUTHORIZED_KEYS_MAX) {
		output_error("%s: has %d keys, which is the most; remove one first", account->identity->name, AUTHORIZED_KEYS_MAX);
		return EXIT_REFUSED;
	}
	if (!entry_has_class(e, "ismsAccount"))
		changes[count++] = (struct change){ CHANGE_ADD, "objectClass", "ismsAccount" };
	changes[count++] = (struct change){ CHANGE_ADD, "ismsKey", value };
	code = write_changes(in, account, changes, count, &has);
	if (code == EXIT_DONE)
		tell(in, account->identity, "added", key->fingerprint, has, account->identity->kind == KIND_SERVICE ?
		    "of use from the networks of ismsSource, for ismsCommand" : "of use at the next login");
	return code;
}

enum exit_code
cmd_key_add(struct invocation *in)
{
	const char *path = command_line_value(&in->line, OPTION_key_add_key_file);
	char value[KEY_ENTRY_SIZE];
	struct authorized_key key;
	struct account account;
	enum exit_code code;

	if (path == NULL) {
		output_error("--key-file is missing: the public key, as ssh-keygen writes it to .pub");
		return EXIT_USAGE;
	}
	code = key_entry_read(in, path, &key, value);
	if (code != EXIT_DONE)
		return code;
	code = account_open(in, in->line.operands[0], DIRECTORY_EDIT, &account);
	if (code == EXIT_DONE)
		code = add(in, &account, &key, value);
	account_done(&account);
	return code;
}

/* Every value that is this key, whatever its comment. */
static size_t
find_values(const struct entry *e, const char *fingerprint, struct change changes[static AUTHORIZED_KEYS_MAX])
{
	static const char *const names[] = { "ismsKey", "sshPublicKey" };
	struct authorized_key key;
	size_t count = 0;

	for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
		const struct attribute *a = entry_attribute(e, names[n]);

		for (size_t i = 0; a != NULL && i < a->count && count < AUTHORIZED_KEYS_MAX; i++)
			if (authorized_key_parse(a->values[i].bytes, a->values[i].len, &key, NULL) == 0 &&
			    strcmp(key.fingerprint, fingerprint) == 0)
				changes[count++] = (struct change){ CHANGE_DELETE, names[n], a->values[i].bytes };
	}
	return count;
}

/* Changes borrow from the entry that they change. */
static enum exit_code
take_away(const struct invocation *in, struct account *account, struct change *changes, size_t count, size_t *ret_left)
{
	enum exit_code code = EXIT_UNREACHABLE;
	char *copies[AUTHORIZED_KEYS_MAX] = { NULL };
	size_t made = 0;

	for (; made < count && (copies[made] = strdup(changes[made].value)) != NULL; made++)
		changes[made].value = copies[made];
	if (made == count)
		code = write_changes(in, account, changes, count, ret_left);
	for (size_t i = 0; i < made; i++)
		free(copies[i]);
	return code;
}

enum exit_code
cmd_key_remove(struct invocation *in)
{
	const char *print = in->line.operands[1];
	struct change changes[AUTHORIZED_KEYS_MAX];
	struct account account;
	enum exit_code code;
	size_t count, left = 0;

	if (!authorized_key_is_print(print)) {
		output_error("\"%.64s\" is no fingerprint; isms-userctl key list shows them: SHA256:...", print);
		return EXIT_USAGE;
	}
	code = account_open(in, in->line.operands[0], DIRECTORY_EDIT, &account);
	if (code == EXIT_DONE) {
		count = find_values(account.identity->entry, print, changes);
		if (count == 0) {
			output_error("%s: has no key %s; see isms-userctl key list", in->line.operands[0], print);
			code = EXIT_REFUSED;
		} else
			code = take_away(in, &account, changes, count, &left);
	}
	if (code == EXIT_DONE)
		tell(in, account.identity, "removed", print, left, "no new login by it; a running session goes on: isms-userctl disable ends all");
	account_done(&account);
	return code;
}

enum exit_code
cmd_key_list(struct invocation *in)
{
	struct account account;
	enum exit_code code;
	json_t *rows;

	code = account_open(in, in->line.operands[0], DIRECTORY_READ, &account);
	if (code == EXIT_DONE) {
		rows = key_entry_list(account.identity->entry, in->now_utc_sec);
		key_entry_add_uses(in, account.identity->name, rows);
		if (in->json)
			(void)output_json(rows);
		else
			output_table(rows, list_columns);
		json_decref(rows);
	}
	account_done(&account);
	return code;
}

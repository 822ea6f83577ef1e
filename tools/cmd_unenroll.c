/*
 * cmd_unenroll.c - isms-userctl unenroll USER: takes tokens away from an account, and with the last of them the recovery
 * codes, which stand in for a token.
 *
 * Must never delete a token that another account links to too.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/recovery_code.h"
#include "tools/account.h"
#include "tools/audit.h"
#include "tools/invocation.h"
#include "tools/output.h"
#include "tools/token.h"

static const struct column columns[] = {
	{ "user", "User" }, { "removed", "Removed" }, { "recovery_codes", "Recovery codes" },
	{ "note", "Note" }, { NULL, NULL },
};

static void
note_removed(const char *serial, void *arg)
{
	(void)json_array_append_new(arg, output_string(serial));
}

/* Take the recovery codes of an account without tokens. Returns how many there were, or -errno. */
static int
remove_codes(const struct account *account)
{
	const struct change gone = { CHANGE_REPLACE, RECOVERY_ATTRIBUTE, NULL };
	const char *dn = account->identity->entry->dn;
	const struct entry *user = entries_find(directory_entries(account->directory), dn);
	unsigned codes = user != NULL ? recovery_codes_count(user) : 0;
	int r;

	if (codes == 0 || entry_attribute(user, token_link(TOKEN_TOTP)) != NULL ||
	    entry_attribute(user, token_link(TOKEN_HOTP)) != NULL)
		return 0;
	r = directory_modify(account->directory, dn, &gone, 1);
	return r < 0 ? r : (int)codes;
}

static void
record(const struct invocation *in, const char *user, const json_t *removed, int codes)
{
	struct event event;
	json_t *serial;
	size_t i;

	json_array_foreach(removed, i, serial) {
		event_begin(&event, EVENT_TOKEN_REMOVED, "isms-userctl");
		event_add(&event, FIELD_ID_USER, user);
		event_add(&event, FIELD_ID_TOKEN, json_string_value(serial));
		audit_send(&event, in);
	}
	if (codes > 0) {
		event_begin(&event, EVENT_RECOVERY_REVOKED, "isms-userctl");
		event_add(&event, FIELD_ID_USER, user);
		event_add_int(&event, FIELD_ID_OLD, codes);
		event_add_int(&event, FIELD_ID_NEW, 0);
		audit_send(&event, in);
	}
}

static void
print(const struct invocation *in, const char *user, json_t *removed, int codes)
{
	json_t *result = json_pack("{s:s, s:O, s:b}", "user", user, "removed", removed, "dry_run", in->dry_run);

	if (in->json)
		(void)json_object_set_new(result, "recovery_codes_revoked", json_integer(codes));
	else if (codes > 0)
		(void)json_object_set_new(result, "recovery_codes", json_sprintf("%d revoked", codes));
	if (in->json)
		(void)output_json(result);
	else {
		if (in->dry_run)
			(void)json_object_set_new(result, "note", json_string("dry run: nothing was changed"));
		output_record(result, columns);
	}
	json_decref(result);
}

static enum exit_code
unenroll(struct invocation *in, struct account *account, json_t *removed)
{
	const char *user = in->line.operands[0], *serial = command_line_value(&in->line, OPTION_unenroll_token);
	const char *dn = account->identity->entry->dn;
	enum exit_code code;
	int count, codes = 0;

	count = token_remove(account->directory, dn, serial, NULL, note_removed, removed);
	if (count >= 0 && serial == NULL && token_remove_pending(account->directory, dn) < 0)
		count = -ENOMEM;
	if (count > 0)
		codes = remove_codes(account);
	if (count < 0 || codes < 0) {
		output_error("%s: %s; nothing was changed", user, strerror(count < 0 ? -count : -codes));
		return EXIT_UNREACHABLE;
	}
	if (count == 0) {
		output_error(serial != NULL ? "%s has no such token; see isms-userctl show %s" :
		    "%s has no token; isms-userctl enroll %s makes one", user, user);
		return EXIT_REFUSED;
	}
	code = account_commit(account);
	if (code != EXIT_DONE)
		return code;
	record(in, user, removed, codes);
	print(in, user, removed, codes);
	return EXIT_DONE;
}

/* Without the lock: nobody waits for a person to think. */
static enum exit_code
look_and_ask(struct invocation *in, const char *user)
{
	struct account account;
	char question[256];
	enum exit_code code;

	code = account_open(in, user, DIRECTORY_READ, &account);
	if (code == EXIT_DONE) {
		(void)snprintf(question, sizeof question, "%s (%s): remove %s?", user, account.identity->entry_id,
		    command_line_has(&in->line, OPTION_unenroll_token) ? "the token" : "all tokens");
		if (!invocation_confirm(in, question))
			code = EXIT_REFUSED;
	}
	account_done(&account);
	return code;
}

enum exit_code
cmd_unenroll(struct invocation *in)
{
	json_t *removed;
	struct account account;
	enum exit_code code = EXIT_DONE;

	if (invocation_asks(in))
		code = look_and_ask(in, in->line.operands[0]);
	if (code != EXIT_DONE)
		return code;
	removed = json_array();
	code = account_open(in, in->line.operands[0], DIRECTORY_EDIT, &account);
	if (code == EXIT_DONE)
		code = unenroll(in, &account, removed);
	account_done(&account);
	json_decref(removed);
	return code;
}

/*
 * cmd_set_sponsor.c - isms-userctl set-sponsor USER SPONSOR: who answers for an account, the owner of a service account.
 *
 * Must never name one who could not answer today, nor let anybody choose who answers for him.
 */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "tools/account.h"
#include "tools/actor.h"
#include "tools/audit.h"
#include "tools/grant_edit.h"
#include "tools/invocation.h"
#include "tools/output.h"

static const struct column columns[] = {
	{ "user", "User" }, { "old", "Answered" }, { "new", "Answers now" }, { "note", "Note" }, { NULL, NULL },
};

/* Who is to answer: a person of the directory whose access stands. NULL after it has said why not. */
static const struct identity *
find_sponsor(const struct invocation *in, const struct account *account, const char *name)
{
	const struct identity *who;
	const char *state;

	if (!account_name_allowed("user", name))
		return NULL;
	who = identities_find(&account->identities, name);
	state = who != NULL ? account_state(who, in->now_utc_sec) : "";
	if (who == NULL)
		output_error("%s: no such account in the directory; see isms-userctl list", name);
	else if (!identity_is_person(who))
		output_error("%s: no person; only a person answers for an account", name);
	else if (strcmp(state, "active") != 0)
		output_error("%s: is %s, and cannot answer for anything", name, state);
	else if (who == account->identity)
		output_error("%s: nobody answers for himself; name somebody else", name);
	else
		return who;
	return NULL;
}

static void
tell(const struct invocation *in, const struct identity *id, const char *old, const char *new, bool changed)
{
	char was[300], is[300];
	json_t *result;
	struct event event;

	(void)snprintf(was, sizeof was, "answered for by %.255s", old[0] != '\0' ? old : "nobody");
	(void)snprintf(is, sizeof is, "answered for by %.255s", new);
	event_begin(&event, EVENT_ACCOUNT_CHANGED, "isms-userctl");
	event_add(&event, FIELD_ID_USER, id->name);
	event_add_int(&event, FIELD_ID_UID, id->uid);
	event_add(&event, FIELD_ID_KIND, account_kind_name(id->kind));
	event_add(&event, FIELD_ID_OLD, was);
	event_add(&event, FIELD_ID_NEW, is);
	if (changed)
		audit_send(&event, in);
	result = json_pack("{s:s, s:o, s:s, s:b, s:b}", "user", id->name, "old", output_string(old[0] != '\0' ? old : NULL), "new",
	    new, "changed", changed, "dry_run", in->dry_run);
	if (!changed || in->dry_run)
		(void)json_object_set_new(result, "note", json_string(changed ? "dry run: nothing was changed" : "was so already"));
	if (in->json)
		(void)output_json(result);
	else
		output_record(result, columns);
	json_decref(result);
}

static enum exit_code
set_sponsor(const struct invocation *in, struct account *account)
{
	const struct identity *id = account->identity, *who = find_sponsor(in, account, in->line.operands[1]);
	const char *attribute = id->kind == KIND_SERVICE ? "owner" : "manager", *before;
	char old[ACCOUNT_DN_MAX], new[64];
	struct change changes[2];
	enum exit_code code = EXIT_DONE;
	size_t count = 0;

	if (who == NULL)
		return EXIT_REFUSED;
	if (actor_is(account, NULL, id)) {
		output_error("%s: nobody chooses who answers for him; ask another administrator", id->name);
		return EXIT_REFUSED;
	}
	before = entry_value(id->entry, attribute);
	(void)grant_name_of(account, before, old, sizeof old);
	(void)snprintf(new, sizeof new, "%.63s", who->name);
	if (account_find_dn(account, before) == who) {
		tell(in, id, old, new, false);
		return EXIT_DONE;
	}
	if (!directory_knows(account->directory, attribute)) {
		output_error("%s: the server has no attribute %s for it; load the schema isms.ldif", id->name, attribute);
		return EXIT_REFUSED;
	}
	if (directory_knows(account->directory, "ismsNotAfter") && !entry_has_class(id->entry, "ismsAccount"))
		changes[count++] = (struct change){ CHANGE_ADD, "objectClass", "ismsAccount" };
	changes[count++] = (struct change){ CHANGE_REPLACE, attribute, who->entry->dn };
	if (directory_modify(account->directory, id->entry->dn, changes, count) < 0)
		return grant_out_of_memory(id->name);
	code = account_commit(account);
	if (code == EXIT_DONE)
		tell(in, id, old, new, true);
	return code;
}

enum exit_code
cmd_set_sponsor(struct invocation *in)
{
	struct account account;
	enum exit_code code = account_open(in, in->line.operands[0], DIRECTORY_EDIT, &account);

	if (code == EXIT_DONE)
		code = set_sponsor(in, &account);
	account_done(&account);
	return code;
}

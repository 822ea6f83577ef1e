/*
 * cmd_show.c - isms-userctl show USER: everything that is known of an account.
 *
 * Must never show a password hash or a token's secret.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/civil_date.h"
#include "common/last_use.h"
#include "common/policy.h"
#include "common/recovery_code.h"
#include "tools/account.h"
#include "tools/ask_daemon.h"
#include "tools/contract_end.h"
#include "tools/grant_edit.h"
#include "tools/group_view.h"
#include "tools/held.h"
#include "tools/invocation.h"
#include "tools/key_entry.h"
#include "tools/output.h"
#include "tools/report.h"

#define TOKENS_MAX 16

static const struct column columns[] = {
	{ "user", "User" }, { "display", "Name" }, { "uid", "Id" }, { "kind", "Kind" }, { "state", "State" },
	{ "fault", "Fault" }, { "not_before", "Begin" }, { "not_after", "End" }, { "not_after_local", "" },
	{ "ends", "Ends known" }, { "disabled_source", "Disabled by" }, { "locked_until", "Locked until" },
	{ "must_change", "Must change" }, { "password_set", "Password set" }, { "sponsor", "Sponsor" },
	{ "owner", "Owner" }, { "sources", "Keys from" }, { "command", "Keys run" }, { "armed_until", "Armed until" },
	{ "armed_by", "Armed by" }, { "armed_reason", "Armed for" }, { "keys", "Keys" }, { "last_use", "Last use" },
	{ "reviewed_at", "Reviewed" }, { "reviewed_by", "Reviewed by" }, { "local", "Local account" },
	{ "home", "Home" }, { "shell", "Shell" }, { "roles", "Roles" }, { "groups", "Groups" }, { "grants", "Grants" },
	{ "exemptions", "Exemptions" }, { "requests", "Requests" }, { "tokens", "Tokens" },
	{ "recovery_codes", "Recovery codes" }, { "login_now", "Login now" },
	{ "failures", "Failures" },
	{ "created", "Created" }, { "dn", "Entry" }, { "entry_id", "Entry id" }, { NULL, NULL },
};

static void
set(json_t *object, const char *key, json_t *value)
{
	(void)json_object_set_new(object, key, value);
}

static void
describe_identity(json_t *object, const struct invocation *in, const struct identity *id)
{
	const char *zone = in->settings.login_time_zone;
	char text[256];

	set(object, "user", output_string(id->name));
	set(object, "display", output_string(id->display));
	set(object, "uid", id->uid != 0 ? json_integer(id->uid) : json_null());
	set(object, "gid", id->gid != 0 ? json_integer(id->gid) : json_null());
	set(object, "kind", output_string(account_kind_name(id->kind)));
	set(object, "state", json_string(account_state(id, in->now_utc_sec)));
	set(object, "fault", output_string(id->fault));
	set(object, "not_before", output_time(id->not_before_utc_sec));
	set(object, "not_after", output_time(id->not_after_utc_sec));
	if (id->not_after_utc_sec != 0)
		set(object, "not_after_local", output_string(contract_end_local(id->not_after_utc_sec, zone, text, sizeof text)));
	set(object, "not_after_source", output_string(id->not_after_source[0] != '\0' ? id->not_after_source : NULL));
	set(object, "disabled", json_boolean(id->disabled));
	set(object, "disabled_source", output_string(id->disabled ? id->disabled_source : NULL));
	set(object, "locked_until", output_time(id->locked_until_utc_sec));
	set(object, "must_change", json_boolean(id->must_change));
	set(object, "password_set", json_boolean(id->password_set));
	set(object, "sponsor", output_string(account_sponsor_name(id, text, sizeof text)[0] != '\0' ? text : NULL));
	set(object, "owner", output_string(id->owner));
	set(object, "sources", output_string(id->sources));
	set(object, "command", output_string(id->command));
	set(object, "armed_until", output_time(id->armed_until_utc_sec));
	set(object, "armed_by", output_string(id->armed_by));
	set(object, "armed_reason", output_string(id->armed_reason));
	set(object, "last_use", output_time(last_use_of(id->entry)));
	set(object, "reviewed_at", output_time(report_time_of(id->entry, "ismsReviewedAt")));
	set(object, "reviewed_by", output_string(entry_value(id->entry, "ismsReviewedBy")));
	if (id->local)
		set(object, "local", json_true());
	set(object, "home", output_string(id->local ? NULL : id->home));
	set(object, "shell", output_string(id->local ? NULL : id->shell));
	set(object, "dn", output_string(id->entry->dn));
	set(object, "entry_id", output_string(id->entry_id));
}

/* Every end attribute that the entry has; the earliest counts. */
static json_t *
describe_ends(const struct entry *e)
{
	json_t *list = json_array(), *row;
	int64_t utc_sec = 0;
	const char *name;
	unsigned end;
	int r;

	for (end = 0; end < END_COUNT; end++) {
		name = contract_end_attribute((enum contract_end)end);
		if (entry_attribute(e, name) == NULL)
			continue;
		r = contract_end_read(e, (enum contract_end)end, &utc_sec);
		row = json_pack("{s:s, s:o}", "attribute", name, "end",
		    r == 1 ? output_time(utc_sec) : json_string(r == 0 ? "never" : "malformed"));
		(void)json_array_append_new(list, row);
	}
	return list;
}

static json_t *
describe_tokens(const struct account *account)
{
	const struct entries *entries = directory_entries(account->directory);
	const struct entry *user = account->identity->entry;
	static const char *const hashes[] = { "?", "sha1", "sha256", "sha512" };
	struct msg_token *tokens = calloc(TOKENS_MAX, sizeof *tokens);
	json_t *list = json_array(), *row;
	size_t count, i;

	if (tokens == NULL)
		return list;
	if (directory_is_server(account->directory))
		count = identity_tokens_seen(entries, user, tokens, TOKENS_MAX);
	else
		count = identity_tokens(entries, user, tokens, TOKENS_MAX);
	for (i = 0; i < count && i < TOKENS_MAX; i++) {
		const struct msg_token *t = &tokens[i];

		row = json_pack("{s:o, s:s, s:i, s:s}", "serial", output_string(t->serial), "type",
		    t->type == TOKEN_HOTP ? "hotp" : "totp", "digits", (int)t->digits, "algorithm",
		    hashes[t->algorithm <= TOKEN_SHA512 ? t->algorithm : 0]);
		if (t->fault[0] != '\0')
			(void)json_object_set_new(row, "fault", output_string(t->fault));
		(void)json_array_append_new(list, row);
	}
	explicit_bzero(tokens, TOKENS_MAX * sizeof *tokens);
	free(tokens);
	return list;
}

static json_t *
describe_roles(const struct identities *all, const struct identity *user, const struct policy *policy)
{
	struct facts *facts = malloc(sizeof *facts);
	json_t *list = json_array();
	uint64_t roles = 0;
	size_t i;

	if (facts != NULL) {
		identity_facts(all, user, facts);
		roles = policy_match(policy, facts);
	}
	for (i = 0; i < policy_role_count(policy); i++)
		if ((roles >> i & 1) != 0)
			(void)json_array_append_new(list, output_string(policy_role_name(policy, i)));
	free(facts);
	return list;
}

/* Failures that the front counts for the user: "3", or "3, locked until ..."; 0 when it names none. */
static json_int_t
failures_of(const json_t *facts, const char *key)
{
	const json_t *value = json_object_get(facts, key);

	if (json_is_integer(value))
		return json_integer_value(value);
	return json_is_string(value) ? strtoll(json_string_value(value), NULL, 10) : 0;
}

/* What sshd would be told if password and code were right; nothing when the front does not answer. */
static void
describe_login(json_t *object, const struct invocation *in, const char *user)
{
	struct msg_why why = { 0 };
	struct msg_report *report = calloc(1, sizeof *report);
	json_t *facts;

	(void)snprintf(why.user, sizeof why.user, "%s", user);
	(void)snprintf(why.service, sizeof why.service, "sshd");
	if (report != NULL && ask_daemon_why(in, &why, false, report) == 0) {
		facts = ask_daemon_report(report);
		set(object, "login_now", json_pack("{s:s, s:s}", "verdict", verdict_token((enum verdict)report->verdict),
		    "reason", reason_token((enum reason)report->reason)));
		set(object, "failures", json_integer(failures_of(facts, "failures_remote") + failures_of(facts, "failures_local") +
		    failures_of(facts, "failures_others")));
		set(object, "front", facts);
	}
	free(report);
}

static const char *
text_of(const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));

	return text != NULL ? text : "";
}

/* Rows of objects as lines of words: only how they are shown differs from the JSON. */
static void
put_into_words(const struct account *account, json_t *object)
{
	static const char *const people[] = { "owner", "armed_by", "reviewed_by" };
	char name[ACCOUNT_DN_MAX];
	json_t *ends = json_array(), *groups = json_array(), *tokens = json_array(), *keys = json_array(), *row;
	size_t i;

	json_array_foreach(json_object_get(object, "ends"), i, row)
		(void)json_array_append_new(ends, json_sprintf("%s %s", text_of(row, "attribute"), text_of(row, "end")));
	json_array_foreach(json_object_get(object, "groups"), i, row)
		(void)json_array_append_new(groups, json_sprintf("%s%s: %s by %s", text_of(row, "group"),
		    json_is_true(json_object_get(row, "local")) ? " (local)" : "", text_of(row, "effect"), text_of(row, "by")));
	json_array_foreach(json_object_get(object, "tokens"), i, row)
		(void)json_array_append_new(tokens, json_sprintf("%s: %s, %d digits, %s%s%s", text_of(row, "serial"),
		    text_of(row, "type"), (int)json_integer_value(json_object_get(row, "digits")), text_of(row, "algorithm"),
		    text_of(row, "fault")[0] != '\0' ? "; cannot be used: " : "", text_of(row, "fault")));
	json_array_foreach(json_object_get(object, "keys"), i, row)
		(void)json_array_append_new(keys, text_of(row, "fault")[0] != '\0' ?
		    json_sprintf("%s: %s", text_of(row, "attribute"), text_of(row, "fault")) :
		    json_sprintf("%s %s %s, added %s, last used here %s", text_of(row, "type"), text_of(row, "fingerprint"),
		    text_of(row, "comment"), text_of(row, "added")[0] != '\0' ? text_of(row, "added") : "at a time not known",
		    text_of(row, "last_use")[0] != '\0' ? text_of(row, "last_use") : "never"));
	for (i = 0; i < sizeof people / sizeof people[0]; i++)
		if (json_is_string(json_object_get(object, people[i])))
			set(object, people[i], output_string(grant_name_of(account, text_of(object, people[i]), name, sizeof name)));
	set(object, "keys", keys);
	row = json_object_get(object, "login_now");
	if (row != NULL)
		set(object, "login_now", json_sprintf("%s (%s)", text_of(row, "verdict"), text_of(row, "reason")));
	set(object, "ends", ends);
	set(object, "groups", groups);
	set(object, "tokens", tokens);
}

static void
print(const struct invocation *in, const struct account *account)
{
	const struct identity *id = account->identity;
	const char *created = entry_value(id->entry, "createTimestamp");
	json_t *object = json_object();
	struct policy *policy = NULL;
	char error[512] = "";
	int64_t utc_sec = 0;

	describe_identity(object, in, id);
	set(object, "ends", describe_ends(id->entry));
	if (created != NULL && civil_date_parse_generalized(created, strlen(created), &utc_sec) == 0)
		set(object, "created", output_time(utc_sec));
	held_add(object, in, account);
	set(object, "tokens", describe_tokens(account));
	set(object, "keys", key_entry_list(id->entry, in->now_utc_sec));
	key_entry_add_uses(in, id->name, json_object_get(object, "keys"));
	set(object, "recovery_codes", json_integer(recovery_codes_count(id->entry)));
	if (policy_load(in->paths.etc, &policy, error, sizeof error) == 0) {
		set(object, "roles", describe_roles(&account->identities, id, policy));
		set(object, "groups", group_view(&account->identities, id, policy, in->paths.group));
	} else
		output_error("%s", error[0] != '\0' ? error : "policy.conf cannot be read");
	policy_free(policy);
	describe_login(object, in, id->name);
	if (in->json)
		(void)output_json(object);
	else {
		put_into_words(account, object);
		held_put_into_words(object, account);
		output_record(object, columns);
	}
	json_decref(object);
}

enum exit_code
cmd_show(struct invocation *in)
{
	struct account account;
	enum exit_code code;

	code = account_open(in, in->line.operands[0], DIRECTORY_READ, &account);
	if (code == EXIT_DONE)
		print(in, &account);
	account_done(&account);
	return code;
}

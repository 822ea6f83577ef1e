/*
 * cmd_status.c - isms-userctl status: the three processes, the snapshot, refused entries, clock, tokens.
 *
 * Must never hide that a process does not answer: its row says so, with the cure, and the exit status is 3.
 */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/policy.h"
#include "common/snapshot.h"
#include "tools/account.h"
#include "tools/ask_daemon.h"
#include "tools/group_view.h"
#include "tools/invocation.h"
#include "tools/output.h"

static const struct column snapshot_columns[] = {
	{ "generation", "Generation" }, { "created", "Created" }, { "age_sec", "Age in seconds" },
	{ "valid_until", "Valid until" }, { "users", "Users" }, { "groups", "Groups" }, { "fault", "Fault" }, { NULL, NULL },
};
static const struct column directory_columns[] = {
	{ "accounts", "Accounts" }, { "active", "Active" }, { "broken", "Refused" }, { "with_token", "With a token" },
	{ "without_token", "Without one" }, { "refused", "" }, { "note", "Note" }, { NULL, NULL },
};

/* Ask one process for its report; its object, or {"answers": false, "cure"}. */
static json_t *
ask(const struct invocation *in, enum process process, bool *all_answer)
{
	static const enum message numbers[PROCESS_COUNT] = {
		[PROCESS_FRONT] = MSG_STATUS, [PROCESS_DIRECTORY] = MSG_DIRECTORY_STATUS, [PROCESS_PUBLISHER] = MSG_PUBLISHER_STATUS,
	};
	struct msg_report *report = calloc(1, sizeof *report);
	char nothing[1] = "", cure[128];
	json_t *object = NULL;
	int r = -ENOMEM;

	if (report != NULL)
		r = ask_daemon(in, process, numbers[process], nothing, MSG_REPORT, report);
	if (r == 0) {
		object = ask_daemon_report(report);
		(void)json_object_set_new(object, "answers", json_true());
	} else {
		*all_answer = false;
		object = json_pack("{s:b, s:s, s:s}", "answers", 0, "error", strerror(-r), "cure",
		    ask_daemon_cure(in, process, cure, sizeof cure));
	}
	free(report);
	return object;
}

/* The published file itself, as every process of this host sees it; is_read: what is in the directory has not all come yet. */
static json_t *
describe_snapshot(const struct invocation *in, bool is_read)
{
	char path[PATH_MAX + 32];
	struct snapshot s = { 0 };
	json_t *object;
	int r;

	(void)snprintf(path, sizeof path, "%s/" SNAPSHOT_BASE_NAME, in->paths.nss);
	r = snapshot_open_state(path, in->root[0] != '\0' ? geteuid() : 0, &s);
	if (r == -ENOENT && is_read)
		return json_pack("{s:s+, s:s}", "fault", path, ": not published yet", "cure",
		    "wait, and look again: the directory is being read");
	if (r < 0)
		return json_pack("{s:s+, s:s}", "fault", path, r == -EPERM ? ": wrong owner or mode" : r == -EBADMSG || r == -ESTALE ?
		    ": corrupt" : r == -ENOENT ? ": not published yet" : ": cannot be read", "cure",
		    invocation_is_set_up(in) ? "systemctl restart ismsd-publisher ismsd-directory" : "isms-userctl setup");
	object = json_pack("{s:I, s:o, s:I, s:o, s:i, s:i}", "generation", (json_int_t)snapshot_generation(&s), "created",
	    output_time(snapshot_created_utc_sec(&s)), "age_sec",
	    (json_int_t)(in->now_utc_sec - snapshot_created_utc_sec(&s)), "valid_until",
	    output_time(snapshot_valid_until_utc_sec(&s)), "users", (int)snapshot_user_count(&s), "groups",
	    (int)snapshot_group_count(&s));
	if (in->now_utc_sec >= snapshot_valid_until_utc_sec(&s))
		(void)json_object_set_new(object, "fault", json_string(
		    "not confirmed for [nss] valid-for: see connected, lost_since and fault of the directory"));
	snapshot_close(&s);
	return object;
}

/* Accounts, tokens, and what the directory holds but nobody can use. */
static json_t *
describe_directory(const struct invocation *in, const struct account *account)
{
	int active = 0, broken = 0, with_token = 0;
	json_t *refused = json_array();
	size_t i;

	for (i = 0; i < account->identities.user_count; i++) {
		const struct identity *id = &account->identities.users[i];

		active += strcmp(account_state(id, in->now_utc_sec), "active") == 0;
		broken += id->state != FACTS_MANAGED;
		with_token += id->token_count > 0;
	}
	for (i = 0; i < account->identities.fault_count; i++)
		(void)json_array_append_new(refused, output_string(account->identities.faults[i].text));
	return json_pack("{s:i, s:i, s:i, s:i, s:i, s:o}", "accounts", (int)account->identities.user_count, "active", active,
	    "broken", broken, "with_token", with_token, "without_token", (int)account->identities.user_count - with_token,
	    "refused", refused);
}

static void
print_object(const char *heading, const json_t *object)
{
	struct column rows[64];
	size_t count = 0;
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, key, value) {
		(void)value;
		if (count + 1 < sizeof rows / sizeof rows[0])
			rows[count++] = (struct column){ key, key };
	}
	rows[count] = (struct column){ NULL, NULL };
	output_line("%s", heading);
	output_record(object, rows);
	output_line("%s", "");
}

static void
print_leaks(const json_t *leaks)
{
	json_t *leak;
	size_t i;

	json_array_foreach(leaks, i, leak)
		output_line("/etc/group lists %s in %s: sg and newgrp give that group back; take the name out of the line",
		    json_string_value(json_object_get(leak, "user")), json_string_value(json_object_get(leak, "group")));
}

static void
print(const struct invocation *in, const json_t *result)
{
	char heading[64];
	unsigned p;

	if (in->json) {
		(void)output_json(result);
		return;
	}
	for (p = 0; p < PROCESS_COUNT; p++) {
		(void)snprintf(heading, sizeof heading, "[%s] %s", ask_daemon_name((enum process)p), ask_daemon_unit((enum process)p));
		print_object(heading, json_object_get(result, ask_daemon_name((enum process)p)));
	}
	output_line("[snapshot]");
	output_record(json_object_get(result, "snapshot"), snapshot_columns);
	output_line("%s", "");
	output_line("[accounts]");
	output_record(json_object_get(result, "accounts"), directory_columns);
	print_leaks(json_object_get(result, "sg_newgrp"));
}

enum exit_code
cmd_status(struct invocation *in)
{
	json_t *result = json_object(), *leaks;
	struct policy *policy = NULL;
	struct account account;
	bool all_answer = true;
	char error[512] = "";
	enum exit_code code;
	unsigned p;

	for (p = 0; p < PROCESS_COUNT; p++)
		(void)json_object_set_new(result, ask_daemon_name((enum process)p), ask(in, (enum process)p, &all_answer));
	(void)json_object_set_new(result, "snapshot", describe_snapshot(in, json_object_get(json_object_get(result,
	    ask_daemon_name(PROCESS_DIRECTORY)), "reading") != NULL));
	memset(&account, 0, sizeof account);
	code = invocation_settings(in);
	if (code == EXIT_DONE && account_needs_name(in))
		(void)json_object_set_new(result, "accounts", json_pack("{s:s}", "note",
		    "not read: the directory is on a server; give --bind-dn DN or --sasl gssapi"));
	else if (code == EXIT_DONE)
		code = account_open(in, NULL, DIRECTORY_READ, &account);
	if (account.directory != NULL && code == EXIT_DONE) {
		(void)json_object_set_new(result, "accounts", describe_directory(in, &account));
		if (policy_load(in->paths.etc, &policy, error, sizeof error) == 0) {
			leaks = group_view_leaks(&account.identities, policy, in->paths.group);
			(void)json_object_set_new(result, "sg_newgrp", leaks);
		} else
			output_error("%s", error);
	}
	policy_free(policy);
	account_done(&account);
	print(in, result);
	json_decref(result);
	return all_answer ? code : EXIT_UNREACHABLE;
}

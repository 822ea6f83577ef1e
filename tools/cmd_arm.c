/*
 * cmd_arm.c - isms-userctl arm USER, disarm USER: a break-glass account for a limited time.
 *
 * Must never arm for nobody: who arms is an account of the directory that could log in itself, and never the one that is
 * armed. Disarming needs no more than the right to write: it takes away.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/civil_date.h"
#include "tools/account.h"
#include "tools/actor.h"
#include "tools/audit.h"
#include "tools/invocation.h"
#include "tools/output.h"

#define REASON_MAX 128

static const struct column columns[] = {
	{ "user", "User" }, { "old", "Old state" }, { "new", "New state" }, { "armed_by", "Armed by" },
	{ "reason", "Reason" }, { "note", "Note" }, { NULL, NULL },
};

/* What can be judged without the directory. */
static enum exit_code
read_options(struct invocation *in, int64_t *ret_sec)
{
	const char *span = command_line_value(&in->line, OPTION_arm_for_span);
	int64_t longest = (int64_t)in->settings.login_longest_arming;
	char text[32], safe[4 * REASON_MAX + 1];

	if (span == NULL || in->reason == NULL) {
		output_error("--for and --reason are needed: arm USER --for 1h --reason \"what for\"");
		return EXIT_USAGE;
	}
	if (civil_date_parse_duration(span, CIVIL_DATE_MAX_SEC, ret_sec) < 0 || *ret_sec <= 0) {
		output_error("--for \"%.64s\" is no time; write 30m or 2h", span);
		return EXIT_USAGE;
	}
	if (in->reason[0] == '\0' || strlen(in->reason) > REASON_MAX ||
	    strcmp(output_sanitise(in->reason, safe, sizeof safe), in->reason) != 0) {
		output_error("--reason needs plain text of at most %d bytes", REASON_MAX);
		return EXIT_USAGE;
	}
	if (*ret_sec > longest) {
		output_error("--for %s is longer than [login] longest-arming, %s", span, civil_date_format_span(longest, text));
		return EXIT_REFUSED;
	}
	return EXIT_DONE;
}

static void
describe_state(const struct identity *id, int64_t now_utc_sec, char *buf, size_t size)
{
	char until[32];

	if (id->armed_until_utc_sec > now_utc_sec)
		(void)snprintf(buf, size, "armed until %s", civil_date_format(id->armed_until_utc_sec, until));
	else
		(void)snprintf(buf, size, "not armed");
}

static void
tell(const struct invocation *in, const struct identity *id, enum event_id event_id, const char *old, const char *by)
{
	json_t *result = json_object();
	struct event event;
	char new[64];

	describe_state(id, in->now_utc_sec, new, sizeof new);
	event_begin(&event, event_id, "isms-userctl");
	event_add(&event, FIELD_ID_USER, id->name);
	event_add_int(&event, FIELD_ID_UID, id->uid);
	event_add(&event, FIELD_ID_KIND, account_kind_name(id->kind));
	event_add(&event, FIELD_ID_OLD, old);
	event_add(&event, FIELD_ID_NEW, new);
	event_add(&event, FIELD_ID_ARMED_BY, by);
	audit_send(&event, in);
	(void)json_object_set_new(result, "user", json_string(id->name));
	(void)json_object_set_new(result, "old", json_string(old));
	(void)json_object_set_new(result, "new", json_string(new));
	(void)json_object_set_new(result, "until", output_time(id->armed_until_utc_sec));
	(void)json_object_set_new(result, "armed_by", output_string(by[0] != '\0' ? by : NULL));
	(void)json_object_set_new(result, "reason", output_string(in->reason));
	(void)json_object_set_new(result, "dry_run", json_boolean(in->dry_run));
	if (in->dry_run)
		(void)json_object_set_new(result, "note", json_string("dry run: nothing was changed"));
	if (in->json)
		(void)output_json(result);
	else
		output_record(result, columns);
	json_decref(result);
}

static enum exit_code
write_changes(const struct invocation *in, struct account *account, const struct change *changes, size_t count)
{
	const char *user = in->line.operands[0];

	if (directory_modify(account->directory, account->identity->entry->dn, changes, count) < 0 ||
	    account_refresh(in, account, user) < 0) {
		output_error("%s: out of memory; nothing was changed", user);
		return EXIT_UNREACHABLE;
	}
	return account_commit(account);
}

static enum exit_code
check_target(const struct invocation *in, const struct account *account)
{
	const struct identity *id = account->identity;
	const char *state = account_state(id, in->now_utc_sec);

	if (id->state == FACTS_MANAGED && id->kind != KIND_BREAK_GLASS) {
		output_error("%s: is of kind %s; break-glass accounts alone are armed", id->name, account_kind_name(id->kind));
		return EXIT_REFUSED;
	}
	if (strcmp(state, "active") != 0) {
		output_error("%s: is %s, and would be refused however it is armed; nothing was changed", id->name, state);
		return EXIT_REFUSED;
	}
	if (directory_knows(account->directory, "ismsArmedUntil"))
		return EXIT_DONE;
	output_error("%s: the server has no attribute ismsArmedUntil; load the schema isms.ldif; nothing was changed", id->name);
	return EXIT_REFUSED;
}

/*
 * Put a name in place of another's. By the sample of access rules who armed it alone writes the end and the reason, and a
 * server judges by the entry as it was: the name comes first, as a change of its own. What it leaves until the next one
 * counts for nothing that did not count before: an end that is over goes, and one that holds moves by the next change
 * alone, so that nobody who works there is thrown out in between.
 */
static int
sign(const struct invocation *in, struct account *account, const char *dn)
{
	const struct identity *id = account->identity;
	struct change changes[4];
	size_t count = 0;
	int r;

	if (id->armed_by != NULL && account_find_dn(account, id->armed_by) == account_find_dn(account, dn))
		return 0;
	if (!entry_has_class(id->entry, "ismsAccount"))
		changes[count++] = (struct change){ CHANGE_ADD, "objectClass", "ismsAccount" };
	changes[count++] = (struct change){ CHANGE_REPLACE, "ismsArmedBy", dn };
	changes[count++] = (struct change){ CHANGE_REPLACE, "ismsArmedReason", NULL };
	if (id->armed_until_utc_sec <= in->now_utc_sec)
		changes[count++] = (struct change){ CHANGE_REPLACE, "ismsArmedUntil", NULL };
	r = directory_modify(account->directory, id->entry->dn, changes, count);
	return r == 0 ? directory_step(account->directory, id->entry->dn, "ismsArmedBy") : r;
}

static enum exit_code
arm(struct invocation *in, struct account *account, int64_t sec)
{
	struct change changes[2];
	char old[64], until[32], by[33], dn[ACCOUNT_DN_MAX];
	enum exit_code code = check_target(in, account);

	if (code != EXIT_DONE)
		return code;
	code = actor_find(in, account, ACT_ARM, command_line_value(&in->line, OPTION_arm_as_user), dn, sizeof dn);
	if (code == EXIT_DONE)
		code = actor_may(in, account, ACT_ARM, dn, account->identity);
	if (code != EXIT_DONE)
		return code;
	(void)snprintf(by, sizeof by, "%s", account_find_dn(account, dn)->name);
	describe_state(account->identity, in->now_utc_sec, old, sizeof old);
	if (sign(in, account, dn) < 0) {
		output_error("%s: out of memory; nothing was changed", in->line.operands[0]);
		return EXIT_UNREACHABLE;
	}
	changes[0] = (struct change){ CHANGE_REPLACE, "ismsArmedUntil", civil_date_format_generalized(in->now_utc_sec + sec, until) };
	changes[1] = (struct change){ CHANGE_REPLACE, "ismsArmedReason", in->reason };
	code = write_changes(in, account, changes, 2);
	if (code == EXIT_DONE)
		tell(in, account->identity, EVENT_BREAKGLASS_ARMED, old, by);
	return code;
}

enum exit_code
cmd_arm(struct invocation *in)
{
	struct account account = { .directory = NULL };
	enum exit_code code;
	int64_t sec = 0;

	code = account_open(in, in->line.operands[0], DIRECTORY_EDIT, &account);
	if (code == EXIT_DONE)
		code = read_options(in, &sec);
	if (code == EXIT_DONE)
		code = arm(in, &account, sec);
	account_done(&account);
	return code;
}

static enum exit_code
disarm(struct invocation *in, struct account *account)
{
	static const struct change changes[] = {
		{ CHANGE_REPLACE, "ismsArmedUntil", NULL }, { CHANGE_REPLACE, "ismsArmedBy", NULL },
		{ CHANGE_REPLACE, "ismsArmedReason", NULL },
	};
	enum exit_code code;
	char old[64];

	if (account->identity->state == FACTS_MANAGED && account->identity->kind != KIND_BREAK_GLASS) {
		output_error("%s: is of kind %s; break-glass accounts alone are armed", account->identity->name,
		    account_kind_name(account->identity->kind));
		return EXIT_REFUSED;
	}
	describe_state(account->identity, in->now_utc_sec, old, sizeof old);
	code = write_changes(in, account, changes, sizeof changes / sizeof changes[0]);
	if (code == EXIT_DONE)
		tell(in, account->identity, EVENT_ACCOUNT_CHANGED, old, "");
	return code;
}

enum exit_code
cmd_disarm(struct invocation *in)
{
	struct account account;
	enum exit_code code;

	code = account_open(in, in->line.operands[0], DIRECTORY_EDIT, &account);
	if (code == EXIT_DONE)
		code = disarm(in, &account);
	account_done(&account);
	return code;
}

/*
 * cmd_grant.c - isms-userctl grant USER GROUP, ungrant USER GROUP: membership of a group for a limited time.
 *
 * Must never write a grant that would count for nothing, nor let one end by being forgotten: an ended one stays as
 * evidence of who had what.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/civil_date.h"
#include "common/grant.h"
#include "tools/account.h"
#include "tools/actor.h"
#include "tools/audit.h"
#include "tools/grant_edit.h"
#include "tools/invocation.h"
#include "tools/output.h"

static const struct column list_columns[] = {
	{ "name", "GRANT" }, { "user", "USER" }, { "group", "GROUP" }, { "state", "STATE" }, { "from", "FROM" },
	{ "until", "UNTIL" }, { "approver", "APPROVER" }, { "ticket", "TICKET" }, { "reason", "REASON" },
	{ NULL, NULL },
};

static const struct column columns[] = {
	{ "user", "User" }, { "group", "Group" }, { "name", "Grant" }, { "from", "From" }, { "until", "Until" },
	{ "length", "  for" }, { "approver", "Approver" }, { "reason", "Reason" }, { "ended", "Ended" },
	{ "note", "Note" }, { NULL, NULL },
};

static enum exit_code
list(struct invocation *in)
{
	struct account account;
	enum exit_code code = account_open(in, NULL, DIRECTORY_READ, &account);
	json_t *rows = NULL;

	if (code == EXIT_DONE)
		rows = grant_rows(in, &account, NULL, NULL);
	if (rows != NULL && command_line_has(&in->line, OPTION_grant_active))
		rows = grant_only(rows, "active", "future");
	if (code == EXIT_DONE && in->json)
		(void)output_json(rows);
	else if (code == EXIT_DONE)
		output_table(rows, list_columns);
	json_decref(rows);
	account_done(&account);
	return code;
}

/* --from, and --until or --for. */
static enum exit_code
parse_times(const struct invocation *in, int64_t *ret_from, int64_t *ret_until)
{
	const char *from = command_line_value(&in->line, OPTION_grant_from);
	const char *until = command_line_value(&in->line, OPTION_grant_until);
	const char *span = command_line_value(&in->line, OPTION_grant_for);
	const char *zone = in->settings.login_time_zone;
	int64_t sec;

	*ret_from = in->now_utc_sec;
	if ((until == NULL) == (span == NULL)) {
		output_error("grant needs either --until WHEN or --for SPAN");
		return EXIT_USAGE;
	}
	if (from != NULL && civil_date_parse_until(from, zone, in->now_utc_sec, ret_from) < 0) {
		output_error("--from \"%.64s\" is no time; write 2026-12-31T18:00:00Z or +8h", from);
		return EXIT_USAGE;
	}
	if (until != NULL && civil_date_parse_until(until, zone, in->now_utc_sec, ret_until) < 0) {
		output_error("--until \"%.64s\" is no time; write 2026-12-31, 2026-12-31T18:00:00Z or +8h", until);
		return EXIT_USAGE;
	}
	if (span != NULL && civil_date_parse_duration(span, GRANT_LONGEST_MAX_SEC, &sec) < 0) {
		output_error("--for \"%.64s\" is no span; write 30d, 8h or 15m", span);
		return EXIT_USAGE;
	}
	if (span != NULL)
		*ret_until = *ret_from + sec;
	if (*ret_until > *ret_from && *ret_until > in->now_utc_sec)
		return EXIT_DONE;
	output_error(*ret_until <= *ret_from ? "the grant would end before it begins" : "this end is in the past");
	return EXIT_REFUSED;
}

static void
record(const struct invocation *in, enum event_id id, const struct grant_about *about, int64_t until_utc_sec,
    const char *approver)
{
	struct event event;
	char date[32];

	event_begin(&event, id, "isms-userctl");
	event_add(&event, FIELD_ID_USER, about->member->name);
	event_add_int(&event, FIELD_ID_UID, about->member->uid);
	event_add(&event, FIELD_ID_GROUPS, about->group->name);
	event_add(&event, FIELD_ID_UNTIL, civil_date_format(until_utc_sec, date));
	if (approver != NULL)
		event_add(&event, FIELD_ID_APPROVER, approver);
	audit_send(&event, in);
}

static enum exit_code
grant(struct invocation *in, struct account *account)
{
	const char *user = in->line.operands[0];
	char approver[ACCOUNT_DN_MAX], dn[ACCOUNT_DN_MAX], name[16], by[ACCOUNT_DN_MAX], length[32];
	struct grant_new new = { .name = name, .approver_dn = approver, .reason = in->reason, .ticket = in->ticket };
	struct grant_about about;
	enum exit_code code;
	json_t *result;

	code = parse_times(in, &new.from_utc_sec, &new.until_utc_sec);
	if (code == EXIT_DONE)
		code = grant_find(account, user, in->line.operands[1], &about);
	if (code == EXIT_DONE)
		code = actor_find(in, account, ACT_GRANT, command_line_value(&in->line, OPTION_grant_as), approver,
		    sizeof approver);
	if (code == EXIT_DONE)
		code = grant_may(in, account, &about, approver, new.until_utc_sec - new.from_utc_sec);
	if (code != EXIT_DONE)
		return code;
	if (!grant_is_known(account))
		return EXIT_REFUSED;
	new.about = &about;
	if (grant_make_name('g', name) < 0 || grant_put(in, account, &new, dn, sizeof dn) < 0)
		return grant_out_of_memory(user);
	code = account_commit(account);
	if (code != EXIT_DONE)
		return code;
	(void)grant_name_of(account, approver, by, sizeof by);
	record(in, EVENT_GRANT_ADDED, &about, new.until_utc_sec, by);
	result = json_pack("{s:s, s:s, s:s, s:o, s:o, s:s, s:o, s:o}", "user", user, "group", about.group->name, "name",
	    name, "from", output_time(new.from_utc_sec), "until", output_time(new.until_utc_sec), "length",
	    civil_date_format_span(new.until_utc_sec - new.from_utc_sec, length), "approver", output_string(by),
	    "reason", output_string(in->reason));
	grant_print(in, result, columns);
	json_decref(result);
	return EXIT_DONE;
}

enum exit_code
cmd_grant(struct invocation *in)
{
	struct account account;
	enum exit_code code;
	bool lists = command_line_has(&in->line, OPTION_grant_list) || command_line_has(&in->line, OPTION_grant_active);

	if (lists && in->line.operand_count == 0)
		return list(in);
	if (lists || in->line.operand_count != 2 || in->reason == NULL || in->reason[0] == '\0') {
		output_error(lists || in->line.operand_count != 2 ? "grant needs USER GROUP, or --list alone" :
		    "grant needs --reason TEXT: why somebody gets this group");
		return EXIT_USAGE;
	}
	code = account_open(in, NULL, DIRECTORY_EDIT, &account);
	if (code == EXIT_DONE)
		code = grant(in, &account);
	account_done(&account);
	return code;
}

/* ---- ungrant ---- */

/* End one that counts or will; what has not begun was nobody's and goes. Returns 1 when it was to end, 0, or -errno. */
static int
end_one(const struct invocation *in, struct account *account, const struct entry *e)
{
	int64_t from = grant_time(e, "ismsFrom"), until = grant_time(e, "ismsUntil");
	char text[32];
	const struct change change = { CHANGE_REPLACE, "ismsUntil",
		civil_date_format_generalized(in->now_utc_sec, text) };
	int r;

	if (until != 0 && until <= in->now_utc_sec)
		return 0;
	r = from >= in->now_utc_sec ? directory_remove(account->directory, e->dn) :
	    directory_modify(account->directory, e->dn, &change, 1);
	return r < 0 ? r : 1;
}

static int
end_all(const struct invocation *in, struct account *account, const struct grant_about *about)
{
	const struct entries *all = directory_entries(account->directory);
	int ended = 0, r = 0;

	for (size_t i = all->count; i > 0 && r >= 0; i--) {	/* a removal moves those behind it */
		const struct entry *e = all->list[i - 1];

		if (!grant_is(e) || !entry_has_value(e, "ismsMember", about->member->entry->dn) ||
		    !entry_has_value(e, "ismsGroup", about->group->entry->dn))
			continue;
		r = end_one(in, account, e);
		ended += r > 0;
	}
	return r < 0 ? r : ended;
}

static enum exit_code
ungrant(struct invocation *in, struct account *account)
{
	const char *user = in->line.operands[0];
	struct grant_about about;
	enum exit_code code = grant_find(account, user, in->line.operands[1], &about);
	json_t *result;
	int ended;

	if (code != EXIT_DONE)
		return code;
	ended = end_all(in, account, &about);
	if (ended < 0)
		return grant_out_of_memory(user);
	if (ended == 0) {
		output_error("%s: no grant of %s that counts or will; see isms-userctl grant --list", user,
		    about.group->name);
		return EXIT_REFUSED;
	}
	code = account_commit(account);
	if (code != EXIT_DONE)
		return code;
	record(in, EVENT_GRANT_REMOVED, &about, in->now_utc_sec, NULL);
	result = json_pack("{s:s, s:s, s:i, s:o}", "user", user, "group", about.group->name, "ended", ended, "until",
	    output_time(in->now_utc_sec));
	grant_print(in, result, columns);
	json_decref(result);
	return EXIT_DONE;
}

enum exit_code
cmd_ungrant(struct invocation *in)
{
	struct account account;
	enum exit_code code = account_open(in, NULL, DIRECTORY_EDIT, &account);

	if (code == EXIT_DONE)
		code = ungrant(in, &account);
	account_done(&account);
	return code;
}

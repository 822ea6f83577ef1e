/*
 * cmd_request.c - isms-userctl request USER GROUP, approve REQUEST: somebody asks for a group, somebody else decides.
 *
 * Must never let the member or whoever asked decide, nor one request become two grants.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/civil_date.h"
#include "common/entry_place.h"
#include "common/grant.h"
#include "common/ldap_escape.h"
#include "tools/account.h"
#include "tools/actor.h"
#include "tools/audit.h"
#include "tools/grant_edit.h"
#include "tools/invocation.h"
#include "tools/output.h"

static const struct column list_columns[] = {
	{ "name", "REQUEST" }, { "user", "USER" }, { "group", "GROUP" }, { "span", "FOR" }, { "state", "STATE" },
	{ "requester", "REQUESTER" }, { "requested", "SINCE" }, { "turnaround", "TIME" }, { "decider", "DECIDED BY" },
	{ "reason", "REASON" }, { NULL, NULL },
};

static const struct column columns[] = {
	{ "name", "Request" }, { "user", "User" }, { "group", "Group" }, { "span", "For" }, { "state", "State" },
	{ "until", "Granted until" }, { "requester", "Requester" }, { "decider", "Decided by" },
	{ "turnaround", "After" }, { "note", "Note" }, { NULL, NULL },
};

/* ---- asking ---- */

static enum exit_code
list(struct invocation *in)
{
	struct account account;
	enum exit_code code = account_open(in, NULL, DIRECTORY_READ, &account);
	json_t *rows = NULL;

	if (code == EXIT_DONE)
		rows = grant_request_rows(in, &account, NULL);
	if (rows != NULL && command_line_has(&in->line, OPTION_request_open))
		rows = grant_only(rows, "open", NULL);
	if (code == EXIT_DONE && in->json)
		(void)output_json(rows);
	else if (code == EXIT_DONE)
		output_table(rows, list_columns);
	json_decref(rows);
	account_done(&account);
	return code;
}

/* Hand a request over. Returns 0 or -errno. */
static int
put_request(const struct invocation *in, struct account *account, const struct grant_about *about, const char *name,
    const char *requester)
{
	char now[32], dn[ACCOUNT_DN_MAX];
	const struct { const char *name, *value; } texts[] = {
		{ "objectClass", "ismsRequest" }, { "cn", name }, { "ismsMember", about->member->entry->dn },
		{ "ismsGroup", about->group->entry->dn }, { "ismsReason", in->reason }, { "ismsTicket", in->ticket },
		{ "ismsState", "open" }, { "ismsSpan", command_line_value(&in->line, OPTION_request_for) },
		{ "ismsRequestedBy", requester },
		{ "ismsRequestedAt", civil_date_format_generalized(in->now_utc_sec, now) },
	};
	int r = account_need_unit(in, account->directory, GRANT_REQUEST_UNIT);
	struct entry *e;

	if (r == 0)
		r = ldap_escape_dn(dn, sizeof dn, "cn", name, "ou=" GRANT_REQUEST_UNIT, in->settings.directory_base);
	e = r == 0 ? entry_new(dn) : NULL;
	if (e == NULL)
		return r < 0 ? r : -ENOMEM;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0] && r == 0; i++)
		if (texts[i].value != NULL)
			r = entry_set(e, texts[i].name, texts[i].value);
	if (r == 0)
		return directory_add(account->directory, e);	/* now owned by the directory */
	entry_free(e);
	return r;
}

static void
record(const struct invocation *in, enum event_id id, const char *user, const char *group, const char *old,
    const char *new)
{
	struct event event;

	event_begin(&event, id, "isms-userctl");
	event_add(&event, FIELD_ID_USER, user);
	event_add(&event, FIELD_ID_GROUPS, group);
	if (old != NULL)
		event_add(&event, FIELD_ID_OLD, old);
	event_add(&event, FIELD_ID_NEW, new);
	audit_send(&event, in);
}

static enum exit_code
request(struct invocation *in, struct account *account)
{
	const char *user = in->line.operands[0], *group = in->line.operands[1];
	const char *span = command_line_value(&in->line, OPTION_request_for);
	char requester[ACCOUNT_DN_MAX], name[16], by[ACCOUNT_DN_MAX];
	struct grant_about about;
	int64_t sec = 0;
	enum exit_code code;
	json_t *result;

	if (civil_date_parse_duration(span, GRANT_LONGEST_MAX_SEC, &sec) < 0 || sec == 0) {
		output_error("--for \"%.64s\" is no span; write 30d, 8h or 15m", span);
		return EXIT_USAGE;
	}
	code = grant_find(account, user, group, &about);
	if (code == EXIT_DONE)
		code = actor_find(in, account, ACT_REQUEST, command_line_value(&in->line, OPTION_request_as), requester,
		    sizeof requester);
	if (code != EXIT_DONE)
		return code;
	if (grant_fits(in, account, &about, sec) != EXIT_DONE || !grant_is_known(account))
		return EXIT_REFUSED;
	if (grant_make_name('r', name) < 0 || put_request(in, account, &about, name, requester) < 0)
		return grant_out_of_memory(user);
	code = account_commit(account);
	if (code != EXIT_DONE)
		return code;
	record(in, EVENT_REQUEST_ADDED, user, group, NULL, name);
	result = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "name", name, "user", user, "group", group, "span", span,
	    "state", "open", "requester", output_string(grant_name_of(account, requester, by, sizeof by)));
	grant_print(in, result, columns);
	json_decref(result);
	return EXIT_DONE;
}

enum exit_code
cmd_request(struct invocation *in)
{
	bool lists = command_line_has(&in->line, OPTION_request_list) || command_line_has(&in->line, OPTION_request_open);
	struct account account;
	enum exit_code code;

	if (lists && in->line.operand_count == 0)
		return list(in);
	if (lists || in->line.operand_count != 2 || in->reason == NULL || in->reason[0] == '\0' ||
	    !command_line_has(&in->line, OPTION_request_for)) {
		output_error("request needs USER GROUP --for SPAN --reason TEXT, or --list alone");
		return EXIT_USAGE;
	}
	code = account_open(in, NULL, DIRECTORY_EDIT, &account);
	if (code == EXIT_DONE)
		code = request(in, &account);
	account_done(&account);
	return code;
}

/* ---- deciding ---- */

struct decision {
	struct invocation *in;
	struct account account;
	const struct entry *e;		/* borrowed; the request */
	bool refuses;
	char dn[ACCOUNT_DN_MAX], decider[ACCOUNT_DN_MAX];
	struct grant_about about;
	int64_t length_sec, until_utc_sec;
};

static enum exit_code
find_request(struct decision *d)
{
	const char *name = d->in->line.operands[0], *state = NULL;

	if (ldap_escape_dn(d->dn, sizeof d->dn, "cn", name, "ou=" GRANT_REQUEST_UNIT,
	    d->in->settings.directory_base) == 0)
		d->e = entries_find(directory_entries(d->account.directory), d->dn);
	if (d->e == NULL || !entry_counts(d->e, ENTRY_REQUEST, d->account.base)) {
		output_error("%.64s: no such request; see isms-userctl request --list", name);
		return EXIT_REFUSED;
	}
	if (entry_single(d->e, "ismsState", &state) != 1 || strcmp(state, "open") != 0) {
		output_error("%.64s: decided already: %.32s", name, state != NULL ? state : "unknown");
		return EXIT_REFUSED;
	}
	return EXIT_DONE;
}

/* Whose and of what, by the DNs of the request. */
static enum exit_code
find_about(struct decision *d)
{
	const char *member = NULL, *group = NULL, *span = NULL;
	char *ndn;

	if (entry_single(d->e, "ismsMember", &member) == 1)
		d->about.member = account_find_dn(&d->account, member);
	ndn = entry_single(d->e, "ismsGroup", &group) == 1 ? entry_normalise_dn(group) : NULL;
	for (size_t i = 0; ndn != NULL && i < d->account.identities.group_count; i++) {
		const struct identity_group *g = &d->account.identities.groups[i];

		if (strcmp(g->entry->ndn, ndn) == 0 && g->gid != 0)
			d->about.group = g;
	}
	free(ndn);
	if (d->about.member == NULL || d->about.group == NULL) {
		output_error("%s: the request is about a user or group that is not there any more",
		    d->in->line.operands[0]);
		return EXIT_REFUSED;
	}
	if (entry_single(d->e, "ismsSpan", &span) == 1 &&
	    civil_date_parse_duration(span, GRANT_LONGEST_MAX_SEC, &d->length_sec) == 0 && d->length_sec > 0)
		return EXIT_DONE;
	output_error("%s: the request does not say for how long", d->in->line.operands[0]);
	return EXIT_REFUSED;
}

/* Nobody decides about himself, nor about what he asked for. */
static enum exit_code
judge(struct decision *d)
{
	const char *requester = entry_value(d->e, "ismsRequestedBy");
	const struct identity *asked = requester != NULL ? account_find_dn(&d->account, requester) : NULL;
	enum exit_code code = actor_may(d->in, &d->account, ACT_DECIDE, d->decider, d->about.member);

	if (code != EXIT_DONE)
		return code;
	if (asked != NULL && actor_is(&d->account, d->decider, asked)) {
		output_error("%s: nobody decides about his own request; somebody else has to", asked->name);
		return EXIT_REFUSED;
	}
	if (d->refuses)
		return EXIT_DONE;
	return grant_may(d->in, &d->account, &d->about, d->decider, d->length_sec);
}

static int
write_decision(struct decision *d)
{
	char now[32], dn[ACCOUNT_DN_MAX];
	const char *reason = d->in->reason != NULL ? d->in->reason : entry_value(d->e, "ismsReason");
	const char *ticket = d->in->ticket != NULL ? d->in->ticket : entry_value(d->e, "ismsTicket");
	const struct grant_new new = { .name = d->in->line.operands[0], .about = &d->about, .approver_dn = d->decider,
		.from_utc_sec = d->in->now_utc_sec, .until_utc_sec = d->until_utc_sec, .reason = reason,
		.ticket = ticket, .request_dn = d->dn };
	const struct change changes[] = {
		{ CHANGE_REPLACE, "ismsState", d->refuses ? "refused" : "granted" },
		{ CHANGE_REPLACE, "ismsDecidedBy", d->decider },
		{ CHANGE_REPLACE, "ismsDecidedAt", civil_date_format_generalized(d->in->now_utc_sec, now) },
	};
	int r = d->refuses ? 0 : grant_put(d->in, &d->account, &new, dn, sizeof dn);

	return r < 0 ? r : directory_modify(d->account.directory, d->dn, changes, sizeof changes / sizeof changes[0]);
}

static void
record_grant(const struct decision *d)
{
	char by[ACCOUNT_DN_MAX], date[32];
	struct event event;

	event_begin(&event, EVENT_GRANT_ADDED, "isms-userctl");
	event_add(&event, FIELD_ID_USER, d->about.member->name);
	event_add_int(&event, FIELD_ID_UID, d->about.member->uid);
	event_add(&event, FIELD_ID_GROUPS, d->about.group->name);
	event_add(&event, FIELD_ID_UNTIL, civil_date_format(d->until_utc_sec, date));
	event_add(&event, FIELD_ID_APPROVER, grant_name_of(&d->account, d->decider, by, sizeof by));
	audit_send(&event, d->in);
}

static void
say(struct decision *d)
{
	int64_t took = d->in->now_utc_sec - grant_time(d->e, "ismsRequestedAt");
	char by[ACCOUNT_DN_MAX], span[32];
	json_t *result;

	(void)grant_name_of(&d->account, d->decider, by, sizeof by);
	result = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:I, s:s}", "name", d->in->line.operands[0], "user",
	    d->about.member->name, "group", d->about.group->name, "state", d->refuses ? "refused" : "granted", "until",
	    d->refuses ? json_null() : output_time(d->until_utc_sec), "decider", output_string(by), "turnaround_sec",
	    (json_int_t)took, "turnaround", civil_date_format_span(took, span));
	grant_print(d->in, result, columns);
	json_decref(result);
}

static enum exit_code
decide(struct decision *d)
{
	enum exit_code code = find_request(d);
	int r;

	if (code == EXIT_DONE)
		code = find_about(d);
	if (code == EXIT_DONE)
		code = actor_find(d->in, &d->account, ACT_DECIDE, command_line_value(&d->in->line, OPTION_approve_as), d->decider,
		    sizeof d->decider);
	if (code == EXIT_DONE)
		code = judge(d);
	if (code != EXIT_DONE)
		return code;
	d->until_utc_sec = d->in->now_utc_sec + d->length_sec;
	r = write_decision(d);
	if (r == -EEXIST) {
		output_error("%s: there is a grant of this name already", d->in->line.operands[0]);
		return EXIT_REFUSED;
	}
	if (r < 0)
		return grant_out_of_memory(d->in->line.operands[0]);
	code = account_commit(&d->account);
	if (code != EXIT_DONE)
		return code;
	record(d->in, EVENT_REQUEST_DECIDED, d->about.member->name, d->about.group->name, "open",
	    d->refuses ? "refused" : "granted");
	if (!d->refuses)
		record_grant(d);
	say(d);
	return EXIT_DONE;
}

enum exit_code
cmd_approve(struct invocation *in)
{
	struct decision d = { .in = in, .refuses = command_line_has(&in->line, OPTION_approve_refuse) };
	enum exit_code code = account_open(in, NULL, DIRECTORY_EDIT, &d.account);

	if (code == EXIT_DONE)
		code = decide(&d);
	account_done(&d.account);
	return code;
}

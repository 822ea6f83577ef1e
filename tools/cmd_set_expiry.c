/*
 * cmd_set_expiry.c - isms-userctl set-expiry USER WHEN: sets, moves or removes the end of a contract.
 *
 * Must never write an end that another attribute of the entry makes void: what the daemon would read from
 * the changed entry is compared with what was asked, before anything is written. Nobody extends his own end.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/civil_date.h"
#include "tools/account.h"
#include "tools/actor.h"
#include "tools/audit.h"
#include "tools/bulk.h"
#include "tools/contract_end.h"
#include "tools/invocation.h"
#include "tools/output.h"
#include "tools/term.h"

#define CHANGES_MAX (END_COUNT + 2)

static const struct column columns[] = {
	{ "user", "User" }, { "entry_id", "Entry" }, { "old", "Old end" }, { "old_local", "" }, { "old_source", "  from" },
	{ "new", "New end" }, { "new_local", "" }, { "also_changed", "Moved too" }, { "fault", "Still broken" },
	{ "note", "Note" }, { NULL, NULL },
};

struct expiry {
	struct invocation *in;
	const char *user;
	int64_t end_utc_sec;		/* 0: none */
	int64_t old_utc_sec;
	struct account *account;	/* borrowed */
	struct change changes[CHANGES_MAX];
	char texts[END_COUNT][CONTRACT_END_TEXT_MAX];
	size_t count;
	json_t *result;			/* owned */
};

/* The WHEN of the command line. */
static enum exit_code
parse_when(struct expiry *x)
{
	const char *when = x->in->line.operands[1];
	int r;

	if (strcmp(when, "none") == 0)
		return EXIT_DONE;
	r = civil_date_parse_until(when, x->in->settings.login_time_zone, x->in->now_utc_sec, &x->end_utc_sec);
	if (r == -ENOENT) {
		output_error("[login] time-zone %s: no such zone below /usr/share/zoneinfo; install tzdata or change isms.conf",
		    x->in->settings.login_time_zone);
		return EXIT_REFUSED;
	}
	if (r < 0) {
		output_error("\"%.64s\" is no time; write 2026-12-31, 2026-12-31T18:00:00Z, +90d or none", when);
		return EXIT_USAGE;
	}
	return EXIT_DONE;
}

/* Rules that need no second look at the entry. */
static enum exit_code
judge(const struct expiry *x)
{
	const struct identity *id = x->account->identity;

	if (x->end_utc_sec == 0 && id->kind != KIND_EMPLOYEE && id->kind != KIND_BREAK_GLASS) {
		output_error("%s: only employees and break-glass accounts may be without an end; give a date", x->user);
		return EXIT_REFUSED;
	}
	if (x->end_utc_sec != 0 && x->end_utc_sec <= x->in->now_utc_sec &&
	    !command_line_has(&x->in->line, OPTION_set_expiry_force)) {
		output_error("%s: this end is in the past and would end all sessions now; use disable, or --force if it is meant",
		    x->user);
		return EXIT_REFUSED;
	}
	if (x->end_utc_sec != 0 && id->not_before_utc_sec != 0 && x->end_utc_sec <= id->not_before_utc_sec) {
		output_error("%s: the contract begins after this end; change pwdStartTime first", x->user);
		return EXIT_REFUSED;
	}
	if (x->old_utc_sec != 0 && (x->end_utc_sec == 0 || x->end_utc_sec > x->old_utc_sec) && actor_is(x->account, NULL, id)) {
		output_error("%s: nobody extends the own contract; ask another administrator", x->user);
		return EXIT_REFUSED;
	}
	return EXIT_DONE;
}

static void
add_change(struct expiry *x, enum change_op op, const char *attribute, const char *value)
{
	x->changes[x->count++] = (struct change){ op, attribute, value };
}

/* The classes of the attributes that are written. */
static void
add_classes(struct expiry *x, enum contract_end exact, bool mirrors)
{
	const struct entry *e = x->account->identity->entry;

	if (exact == END_OWN && !entry_has_class(e, "ismsAccount"))
		add_change(x, CHANGE_ADD, "objectClass", "ismsAccount");
	if (mirrors && !entry_has_class(e, "shadowAccount"))
		add_change(x, CHANGE_ADD, "objectClass", "shadowAccount");
}

/*
 * Set the exact end (pwdEndTime, or ismsNotAfter where a server lacks it) and shadowExpire; move along what the entry
 * has besides and what would end it earlier.
 */
static enum exit_code
plan(struct expiry *x)
{
	const struct entry *e = x->account->identity->entry;
	bool mirrors = directory_knows(x->account->directory, contract_end_attribute(END_SHADOW));
	enum contract_end exact = END_PWD;
	json_t *also = json_array();
	int64_t its_utc_sec = 0;
	bool moves_along;
	unsigned end;
	int r;

	(void)json_object_set_new(x->result, "also_changed", also);
	if (contract_end_pick(x->account->directory, &exact) < 0 && x->end_utc_sec != 0) {
		output_error("%s: the server knows neither pwdEndTime nor ismsNotAfter; load the overlay ppolicy or the schema isms.ldif",
		    x->user);
		return EXIT_REFUSED;
	}
	if (x->end_utc_sec != 0)
		add_classes(x, exact, mirrors);
	for (end = 0; end < END_COUNT; end++) {
		const char *name = contract_end_attribute((enum contract_end)end);

		if (x->end_utc_sec == 0) {
			if (entry_attribute(e, name) != NULL)
				add_change(x, CHANGE_REPLACE, name, NULL);
			continue;
		}
		r = contract_end_read(e, (enum contract_end)end, &its_utc_sec);
		moves_along = end != exact && !(end == END_SHADOW && mirrors);
		if (moves_along && (r == 0 || (r == 1 && its_utc_sec >= x->end_utc_sec)))
			continue;
		if (moves_along)
			(void)json_array_append_new(also, json_string(name));
		add_change(x, CHANGE_REPLACE, name,
		    contract_end_format((enum contract_end)end, x->end_utc_sec, x->texts[end]));
	}
	return EXIT_DONE;
}

/* What the daemon would now read must be what was asked. */
static enum exit_code
verify(struct expiry *x)
{
	const struct identity *id;

	if (account_refresh(x->in, x->account, x->user) < 0) {
		output_error("%s: out of memory; nothing was changed", x->user);
		return EXIT_UNREACHABLE;
	}
	id = x->account->identity;
	if (id->state != FACTS_MANAGED)
		(void)json_object_set_new(x->result, "fault", output_string(id->fault));
	else if (id->not_after_utc_sec != x->end_utc_sec) {
		output_error("%s: %s would still end the account at another time; change it first; nothing was changed", x->user,
		    id->not_after_source);
		return EXIT_REFUSED;
	}
	/* Whoever shortens a term that is too long need not shorten it to the last day at once. */
	return x->end_utc_sec != 0 && (x->old_utc_sec == 0 || x->end_utc_sec > x->old_utc_sec) ?
	    term_check(x->in, x->account) : EXIT_DONE;
}

static void
describe(struct expiry *x)
{
	const struct identity *id = x->account->identity;
	const char *zone = x->in->settings.login_time_zone;
	char local[128];

	(void)json_object_set_new(x->result, "user", json_string(x->user));
	(void)json_object_set_new(x->result, "entry_id", output_string(id->entry_id));
	(void)json_object_set_new(x->result, "old", output_time(x->old_utc_sec));
	if (x->old_utc_sec != 0) {
		(void)json_object_set_new(x->result, "old_local",
		    output_string(contract_end_local(x->old_utc_sec, zone, local, sizeof local)));
		(void)json_object_set_new(x->result, "old_source", output_string(id->not_after_source));
	}
	(void)json_object_set_new(x->result, "new", output_time(x->end_utc_sec));
	if (x->end_utc_sec != 0)
		(void)json_object_set_new(x->result, "new_local",
		    output_string(contract_end_local(x->end_utc_sec, zone, local, sizeof local)));
	(void)json_object_set_new(x->result, "dry_run", json_boolean(x->in->dry_run));
}

static void
record(const struct invocation *in, const struct identity *id, const char *old, const char *new)
{
	struct event event;

	event_begin(&event, EVENT_ACCOUNT_EXPIRY_CHANGED, "isms-userctl");
	event_add(&event, FIELD_ID_USER, id->name);
	event_add_int(&event, FIELD_ID_UID, id->uid);
	event_add(&event, FIELD_ID_KIND, account_kind_name(id->kind));
	event_add(&event, FIELD_ID_OLD, old);
	event_add(&event, FIELD_ID_NEW, new);
	audit_send(&event, in);
}

static void
print(struct expiry *x)
{
	if (x->in->json) {
		(void)output_json(x->result);
		return;
	}
	if (x->old_utc_sec == 0)
		(void)json_object_set_new(x->result, "old", json_string("none"));
	if (x->end_utc_sec == 0)
		(void)json_object_set_new(x->result, "new", json_string("none"));
	if (x->in->dry_run)
		(void)json_object_set_new(x->result, "note", json_string("dry run: nothing was changed"));
	output_record(x->result, columns);
}

/* Ask with both ends and the entry's id, so that nobody moves a namesake's end. */
static bool
confirm(const struct expiry *x)
{
	char question[256], old[32] = "none", new[32] = "none";

	if (x->old_utc_sec != 0)
		(void)civil_date_format(x->old_utc_sec, old);
	if (x->end_utc_sec != 0)
		(void)civil_date_format(x->end_utc_sec, new);
	(void)snprintf(question, sizeof question, "%s (%s): end %s -> %s?", x->user, x->account->identity->entry_id, old, new);
	return invocation_confirm(x->in, question);
}

/* Without the lock: what would be done, shown to whoever sits there. */
static enum exit_code
look_and_ask(struct expiry *x)
{
	struct account account;
	enum exit_code code;

	x->account = &account;
	code = account_open(x->in, x->user, DIRECTORY_READ, &account);
	if (code == EXIT_DONE)
		code = parse_when(x);
	if (code == EXIT_DONE) {
		x->old_utc_sec = account.identity->not_after_utc_sec;
		code = judge(x);
	}
	if (code == EXIT_DONE && !confirm(x))
		code = EXIT_REFUSED;
	account_done(&account);
	return code;
}

/* Hand the new end of x->account->identity to the directory, in memory still. */
static enum exit_code
prepare(struct expiry *x, bool asked)
{
	enum exit_code code;

	code = parse_when(x);
	if (code != EXIT_DONE)
		return code;
	if (asked && x->old_utc_sec != x->account->identity->not_after_utc_sec) {
		output_error("%s: somebody else moved the end meanwhile; nothing was changed, look again", x->user);
		return EXIT_REFUSED;
	}
	x->old_utc_sec = x->account->identity->not_after_utc_sec;
	code = judge(x);
	if (code != EXIT_DONE)
		return code;
	describe(x);
	code = plan(x);
	if (code != EXIT_DONE)
		return code;
	if (directory_modify(x->account->directory, x->account->identity->entry->dn, x->changes, x->count) < 0) {
		output_error("%s: out of memory; nothing was changed", x->user);
		return EXIT_UNREACHABLE;
	}
	return verify(x);
}

/* ---- many at once ---- */

static const struct column many_columns[] = {
	{ "user", "USER" }, { "old", "OLD END" }, { "new", "NEW END" }, { "also_changed", "MOVED TOO" }, { "fault", "STILL BROKEN" },
	{ NULL, NULL },
};

static enum exit_code
plan_one(struct invocation *in, struct account *account, size_t i, void *arg, json_t **ret_row)
{
	struct expiry x = { .in = in, .user = in->line.operands[0], .account = account, .result = json_object() };
	enum exit_code code = account_find(account, x.user);

	(void)i;
	(void)arg;
	if (code == EXIT_DONE)
		code = prepare(&x, false);
	if (code == EXIT_DONE) {
		(void)json_object_set_new(x.result, "dn", output_string(account->identity->entry->dn));
		*ret_row = json_incref(x.result);
	}
	json_decref(x.result);
	return code;
}

static void
record_one(const struct invocation *in, const struct account *account, const json_t *row)
{
	const struct identity *id = identities_find(&account->identities, json_string_value(json_object_get(row, "user")));
	const char *old = json_string_value(json_object_get(row, "old")), *new = json_string_value(json_object_get(row, "new"));

	if (id != NULL)
		record(in, id, old != NULL ? old : "none", new != NULL ? new : "none");
}

static const struct bulk_verb many = {
	.file = OPTION_set_expiry_from_csv, .question = "move the ends", .columns = many_columns, .plan = plan_one,
	.record = record_one,
};

enum exit_code
cmd_set_expiry(struct invocation *in)
{
	struct expiry x = { .in = in, .user = in->line.operands[0], .result = NULL };
	bool asks = invocation_asks(in), is_many = false;
	enum exit_code code = bulk_wanted(in, OPTION_set_expiry_from_csv, &is_many);
	struct account account;

	if (code == EXIT_DONE && is_many)
		return bulk_run(in, &many);
	if (code == EXIT_DONE && asks)
		code = look_and_ask(&x);
	if (code != EXIT_DONE)
		return code;
	x.account = &account;
	x.result = json_object();
	code = account_open(in, x.user, DIRECTORY_EDIT, &account);
	if (code == EXIT_DONE)
		code = prepare(&x, asks);
	if (code == EXIT_DONE)
		code = account_commit(&account);
	if (code == EXIT_DONE) {
		char old[32] = "none", new[32] = "none";

		record(in, account.identity, x.old_utc_sec != 0 ? civil_date_format(x.old_utc_sec, old) : old,
		    x.end_utc_sec != 0 ? civil_date_format(x.end_utc_sec, new) : new);
		print(&x);
	}
	account_done(&account);
	json_decref(x.result);
	return code;
}

/*
 * cmd_review.c - isms-userctl review start, list, export: begins a review of access, and shows what it is about.
 *
 * Must never leave an account out that still has access, nor show a review as done while one waits.
 */
#include <config.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/civil_date.h"
#include "common/ldap_escape.h"
#include "tools/account.h"
#include "tools/invocation.h"
#include "tools/output.h"
#include "tools/output_csv.h"
#include "tools/review.h"

#define DUE_SEC	(30 * 86400)

static const struct column started[] = {
	{ "review", "Review" }, { "scope", "About" }, { "reviewer", "Reviewer" }, { "due", "Due" },
	{ "items", "Accounts" },
	{ "note", "Note" }, { NULL, NULL },
};
static const struct column listed[] = {
	{ "review", "REVIEW" }, { "user", "USER" }, { "kind", "KIND" }, { "state", "STATE" }, { "not_after", "END" },
	{ "last_use", "LAST USE" }, { "tokens", "TOKENS" }, { "groups", "GROUPS" }, { "due", "DUE" },
	{ "overdue", "OVERDUE" },
	{ "stale", "TOO OLD" }, { NULL, NULL },
};
static const struct column exported[] = {
	{ "review", "review" }, { "scope", "scope" }, { "user", "user" }, { "display", "name" }, { "kind", "kind" },
	{ "state", "state" }, { "sponsor", "sponsor" }, { "not_after", "end" }, { "last_use", "last use" },
	{ "tokens", "tokens" }, { "groups", "groups" }, { "due", "due" }, { "overdue", "overdue" },
	{ "decision", "decision" },
	{ "decided_by", "decided by" }, { "decided_at", "decided at" }, { "reason", "reason" }, { "ticket", "ticket" },
	{ "seen", "seen" }, { NULL, NULL },
};

/* ---- start ---- */

struct start {
	struct invocation *in;
	const char *scope;
	char name[REVIEW_NAME_MAX + 1], dn[ACCOUNT_DN_MAX], reviewer[ACCOUNT_DN_MAX];
	int64_t due_utc_sec;
};

static enum exit_code
read_start(struct start *x)
{
	const struct command_line *line = &x->in->line;
	const char *due = command_line_value(line, OPTION_review_start_due);
	const char *name = command_line_value(line, OPTION_review_start_name);
	char date[32];

	x->scope = command_line_value(line, OPTION_review_start_scope);
	if (x->scope == NULL)
		x->scope = "all";
	if (!review_scope_allowed(x->scope))
		return EXIT_USAGE;
	x->due_utc_sec = x->in->now_utc_sec + DUE_SEC;
	if (due != NULL && (civil_date_parse_until(due, x->in->settings.login_time_zone, x->in->now_utc_sec,
	    &x->due_utc_sec) < 0 ||
	    x->due_utc_sec <= x->in->now_utc_sec)) {
		output_error("--due \"%.64s\" is no time to come; write 2026-12-31 or +30d", due);
		return EXIT_USAGE;
	}
	(void)snprintf(x->name, sizeof x->name, "%.10s-%.50s", civil_date_format(x->in->now_utc_sec, date), x->scope);
	if (name != NULL && (strlen(name) > REVIEW_NAME_MAX || name[0] == '\0')) {
		output_error("--name needs 1 to %d characters", REVIEW_NAME_MAX);
		return EXIT_USAGE;
	}
	if (name != NULL)
		(void)snprintf(x->name, sizeof x->name, "%s", name);
	for (char *p = x->name; *p != '\0'; p++) {
		if (name == NULL && *p == ':')
			*p = '-';
		if (!isalnum((unsigned char)*p) && strchr("-_.", *p) == NULL) {
			output_error("\"%.64s\" cannot be the name of a review: letters, digits, \"-\", \"_\", \".\"",
			    x->name);
			return EXIT_USAGE;
		}
	}
	return EXIT_DONE;
}

/* Add the values that are given. Returns 0 or -ENOMEM. */
static int
fill_entry(const struct start *x, struct entry *e)
{
	char opened[32], due[32];
	const struct { const char *name, *value; } rows[] = {
		{ "objectClass", "ismsReview" }, { "cn", x->name }, { "ismsScope", x->scope },
		{ "ismsReviewer", x->reviewer[0] != '\0' ? x->reviewer : NULL },
		{ "ismsOpenedAt", civil_date_format_generalized(x->in->now_utc_sec, opened) },
		{ "ismsUntil", civil_date_format_generalized(x->due_utc_sec, due) },
		{ "ismsReason", x->in->reason }, { "ismsTicket", x->in->ticket },
	};
	int r = entry_set(e, "objectClass", "top");

	for (size_t i = 0; i < sizeof rows / sizeof rows[0] && r == 0; i++)
		if (rows[i].value != NULL)
			r = entry_add_value(e, rows[i].name, rows[i].value, strlen(rows[i].value));
	return r;
}

static int
add_review(struct start *x, struct account *account)
{
	struct entry *e;
	int r = account_need_unit(x->in, account->directory, REVIEW_UNIT);

	if (r == 0)
		r = ldap_escape_dn(x->dn, sizeof x->dn, "cn", x->name, "ou=" REVIEW_UNIT,
		    x->in->settings.directory_base);
	if (r < 0)
		return r;
	if (entries_find(directory_entries(account->directory), x->dn) != NULL)
		return -EEXIST;
	e = entry_new(x->dn);
	r = e != NULL ? fill_entry(x, e) : -ENOMEM;
	if (r < 0) {
		entry_free(e);
		return r;
	}
	return directory_add(account->directory, e);	/* now owned by the directory */
}

/* The group or reviewer that the command line names must be there. */
static enum exit_code
check_names(struct start *x, const struct account *account)
{
	const char *reviewer = command_line_value(&x->in->line, OPTION_review_start_reviewer);
	const char *group = strncmp(x->scope, "group:", 6) == 0 ? x->scope + 6 : NULL;
	const struct identity *id;
	bool found = group == NULL;

	for (size_t i = 0; i < account->identities.group_count && !found; i++)
		found = strcmp(account->identities.groups[i].name, group) == 0;
	if (!found) {
		output_error("%.64s: no such group in the directory; nothing was changed", group);
		return EXIT_REFUSED;
	}
	if (reviewer == NULL)
		return EXIT_DONE;
	id = identities_find(&account->identities, reviewer);
	if (id == NULL || id->disabled) {
		output_error("%.64s: no such account in the directory that could decide; nothing was changed",
		    reviewer);
		return EXIT_REFUSED;
	}
	(void)snprintf(x->reviewer, sizeof x->reviewer, "%s", id->entry->dn);
	return EXIT_DONE;
}

/* How many it is about; to be asked before the commit, after which nobody may look at the entries. */
static unsigned
count_items(const struct start *x, const struct account *account)
{
	const struct entry *e = entries_find(directory_entries(account->directory), x->dn);
	struct review review;

	return e != NULL && review_of(e, account->base, &review) ? review_open_items(account, &review, x->in->now_utc_sec) : 0;
}

static void
print_start(const struct start *x, unsigned items)
{
	const char *reviewer = command_line_value(&x->in->line, OPTION_review_start_reviewer);
	json_t *result;

	result = json_pack("{s:s, s:s, s:o, s:o, s:i, s:b}", "review", x->name, "scope", x->scope, "reviewer",
	    output_string(reviewer), "due", output_time(x->due_utc_sec), "items",
	    (int)items, "dry_run", x->in->dry_run);
	if (x->in->json)
		(void)output_json(result);
	else {
		if (x->in->dry_run)
			(void)json_object_set_new(result, "note", json_string("dry run: nothing was changed"));
		output_record(result, started);
	}
	json_decref(result);
}

enum exit_code
cmd_review_start(struct invocation *in)
{
	struct start x = { .in = in };
	struct account account = { 0 };
	enum exit_code code = invocation_settings(in);
	unsigned items = 0;
	int r;

	if (code == EXIT_DONE)
		code = read_start(&x);
	if (code == EXIT_DONE)
		code = account_open(in, NULL, DIRECTORY_EDIT, &account);
	if (code == EXIT_DONE)
		code = check_names(&x, &account);
	if (code == EXIT_DONE && !directory_knows(account.directory, "ismsScope")) {
		output_error("the server has no reviews; load isms.ldif of this version; nothing was changed");
		code = EXIT_REFUSED;
	}
	if (code == EXIT_DONE) {
		r = add_review(&x, &account);
		if (r == -EEXIST)
			output_error("%s: there is a review of this name; give another one: --name", x.name);
		else if (r < 0)
			output_error("%s: %s; nothing was changed", x.name, strerror(-r));
		items = count_items(&x, &account);
		code = r == 0 ? account_commit(&account) : r == -EEXIST ? EXIT_REFUSED : EXIT_UNREACHABLE;
	}
	if (code == EXIT_DONE)
		print_start(&x, items);
	account_done(&account);
	return code;
}

/* ---- list ---- */

static void
add_items(json_t *rows, const struct invocation *in, const struct account *account, const struct review *review,
    int64_t seen_utc_sec)
{
	bool overdue_only = command_line_has(&in->line, OPTION_review_list_overdue);

	for (size_t i = 0; i < account->identities.user_count; i++) {
		const struct identity *id = &account->identities.users[i];

		if (!review_has(account, review, id, in->now_utc_sec) || review_decision(account, review,
		    id->name) != NULL)
			continue;
		if (!overdue_only || (review->due_utc_sec != 0 && in->now_utc_sec >= review->due_utc_sec))
			(void)json_array_append_new(rows, review_row(in, account, review, id, seen_utc_sec));
	}
}

enum exit_code
cmd_review_list(struct invocation *in)
{
	const char *name = command_line_value(&in->line, OPTION_review_list_review);
	int64_t seen_utc_sec = in->now_utc_sec;
	struct account account;
	struct review review;
	json_t *rows = json_array();
	enum exit_code code;

	code = review_seen(in, command_line_value(&in->line, OPTION_review_list_seen), &seen_utc_sec);
	memset(&account, 0, sizeof account);
	if (code == EXIT_DONE)
		code = account_open(in, NULL, DIRECTORY_READ, &account);
	if (code == EXIT_DONE && name != NULL)
		code = review_find(&account, name, &review);
	if (code == EXIT_DONE) {
		const struct entries *all = directory_entries(account.directory);

		for (size_t i = 0; i < all->count; i++)
			if (review_of(all->list[i], account.base, &review) &&
			    (name != NULL ? strcmp(review.name, name) == 0 : review.closed_utc_sec == 0))
				add_items(rows, in, &account, &review, seen_utc_sec);
		if (in->json)
			(void)output_json(rows);
		else
			output_table(rows, listed);
	}
	json_decref(rows);
	account_done(&account);
	return code;
}

/* ---- export ---- */

/* Whoever was decided about is in the export, also when he has no access any more. */
enum exit_code
cmd_review_export(struct invocation *in)
{
	struct account account;
	struct review review;
	json_t *rows = json_array();
	enum exit_code code;

	code = account_open(in, NULL, DIRECTORY_READ, &account);
	if (code == EXIT_DONE)
		code = review_find(&account, command_line_value(&in->line, OPTION_review_export_review), &review);
	for (size_t i = 0; code == EXIT_DONE && i < account.identities.user_count; i++) {
		const struct identity *id = &account.identities.users[i];

		if (review_has(&account, &review, id, in->now_utc_sec) || review_decision(&account, &review,
		    id->name) != NULL)
			(void)json_array_append_new(rows, review_row(in, &account, &review, id, in->now_utc_sec));
	}
	if (code == EXIT_DONE && in->json)
		(void)output_json(rows);
	else if (code == EXIT_DONE)
		output_csv(rows, exported);
	json_decref(rows);
	account_done(&account);
	return code;
}

/*
 * cmd_report.c - isms-userctl report: what auditors ask aloud, as rows with names, never as a score alone.
 *
 * Must never leave an exception or an account with access out: what cannot be read is said to be so.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/civil_date.h"
#include "common/entry_place.h"
#include "common/last_use.h"
#include "common/policy.h"
#include "tools/account.h"
#include "tools/invocation.h"
#include "tools/output.h"
#include "tools/report.h"
#include "tools/review.h"

#define SPAN_MAX_SEC	(200LL * 366 * 86400)
#define EXPIRING_SEC	(30 * 86400)
#define DORMANT_SEC	(90 * 86400)
#define LEAVERS		3	/* auditors ask for the last three */

struct summary {
	const struct invocation *in;
	struct account account;
	struct policy *policy;		/* owned; NULL: it cannot be read, then nobody knows the roles */
	int64_t expiring_sec, dormant_sec;
	int people, people_with_token;
	json_t *result, *may_enter, *expiring, *dormant, *without_code, *without_sponsor, *exceptions, *reviews;
};

static const struct column account_columns[] = {
	{ "user", "USER" }, { "kind", "KIND" }, { "display", "NAME" }, { "sponsor", "SPONSOR" }, { "not_after", "END" },
	{ "tokens", "TOKENS" }, { "last_use", "LAST USE" }, { "reviewed_at", "REVIEWED" }, { "groups", "GROUPS" },
	{ "roles", "ROLES" },
	{ NULL, NULL },
};
static const struct column exception_columns[] = {
	{ "user", "USER" }, { "control", "CONTROL" }, { "until", "UNTIL" }, { "active", "ACTIVE" },
	{ "approver", "APPROVER" },
	{ "reason", "REASON" }, { "ticket", "TICKET" }, { NULL, NULL },
};
static const struct column review_columns[] = {
	{ "review", "REVIEW" }, { "scope", "ABOUT" }, { "due", "DUE" }, { "open", "OPEN" }, { "overdue", "OVERDUE" },
	{ "closed", "CLOSED" }, { NULL, NULL },
};

int64_t
report_time_of(const struct entry *e, const char *name)
{
	const char *text = NULL;
	int64_t utc_sec = 0;

	if (entry_single(e, name, &text) != 1 || civil_date_parse_generalized(text, strlen(text), &utc_sec) < 0)
		return 0;
	return utc_sec;
}

static json_t *
name_in_dn(const char *dn)
{
	struct identity of = { .sponsor = NULL };
	char name[ACCOUNT_DN_MAX];
	json_t *text;

	if (dn == NULL || *dn == '\0')
		return json_null();
	of.sponsor = entry_normalise_dn(dn);
	text = output_string(account_sponsor_name(&of, name, sizeof name));
	free(of.sponsor);
	return text;
}

/* Roles of this host's policy; who has none enters no host that has the same. */
static json_t *
roles_of(const struct summary *x, const struct identity *id)
{
	struct facts *facts = x->policy != NULL ? malloc(sizeof *facts) : NULL;
	json_t *list = facts != NULL ? json_array() : json_null();
	uint64_t roles = 0;

	if (facts != NULL) {
		identity_facts(&x->account.identities, id, facts);
		roles = policy_match(x->policy, facts);
	}
	for (size_t i = 0; facts != NULL && i < policy_role_count(x->policy); i++)
		if ((roles >> i & 1) != 0)
			(void)json_array_append_new(list, output_string(policy_role_name(x->policy, i)));
	free(facts);
	return list;
}

static json_t *
account_row(const struct summary *x, const struct identity *id)
{
	json_t *groups = json_array();

	for (uint32_t i = 0; i < id->group_count; i++)
		(void)json_array_append_new(groups, output_string(x->account.identities.groups[id->groups[i]].name));
	return json_pack("{s:o, s:o, s:s, s:o, s:o, s:o, s:i, s:o, s:o, s:o, s:o}", "user", output_string(id->name),
	    "kind", output_string(account_kind_name(id->kind)), "state", account_state(id, x->in->now_utc_sec),
	    "display", output_string(id->display), "sponsor", name_in_dn(id->sponsor), "not_after",
	    output_time(id->not_after_utc_sec),
	    "tokens", (int)id->token_count, "last_use", output_time(last_use_of(id->entry)), "reviewed_at",
	    output_time(report_time_of(id->entry, "ismsReviewedAt")), "groups", groups,
	    "roles", roles_of(x, id));
}

/* Not there for so long; who never was counts from when the account was made, where that is known. */
static bool
is_dormant(const struct summary *x, const struct identity *id)
{
	int64_t since = last_use_of(id->entry);

	if (since == 0)
		since = report_time_of(id->entry, "createTimestamp");
	return since == 0 || x->in->now_utc_sec - since >= x->dormant_sec;
}

static void
look_at(struct summary *x, const struct identity *id)
{
	bool is_person = id->kind != KIND_SERVICE && id->kind != KIND_BREAK_GLASS;

	if (strcmp(account_state(id, x->in->now_utc_sec), "active") != 0)
		return;
	(void)json_array_append_new(x->may_enter, account_row(x, id));
	if (id->not_after_utc_sec != 0 && id->not_after_utc_sec <= x->in->now_utc_sec + x->expiring_sec)
		(void)json_array_append_new(x->expiring, account_row(x, id));
	if (is_dormant(x, id))
		(void)json_array_append_new(x->dormant, account_row(x, id));
	if (id->kind == KIND_CONTRACTOR && (id->sponsor == NULL || id->sponsor[0] == '\0'))
		(void)json_array_append_new(x->without_sponsor, account_row(x, id));
	if (is_person && id->token_count == 0)
		(void)json_array_append_new(x->without_code, account_row(x, id));
	x->people += is_person;
	x->people_with_token += is_person && id->token_count > 0;
}

/* Every entry that lowers a control for somebody, also one that is over: nobody should have to ask for those. */
static void
look_at_exception(struct summary *x, const struct entry *e)
{
	int64_t from = report_time_of(e, "ismsFrom"), until = report_time_of(e, "ismsUntil");
	bool active = until != 0 && x->in->now_utc_sec < until && x->in->now_utc_sec >= from;

	(void)json_array_append_new(x->exceptions, json_pack("{s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o}", "user",
	    name_in_dn(entry_value(e, "ismsMember")), "control", output_string(entry_value(e, "ismsControl")), "until",
	    output_time(until), "active", active, "approver", name_in_dn(entry_value(e, "ismsApprover")), "reason",
	    output_string(entry_value(e, "ismsReason")), "ticket", output_string(entry_value(e, "ismsTicket")), "entry",
	    output_string(e->dn)));
}

static void
look_at_review(struct summary *x, const struct review *review)
{
	unsigned open = review->closed_utc_sec != 0 ? 0 : review_open_items(&x->account, review, x->in->now_utc_sec);
	bool overdue = open > 0 && review->due_utc_sec != 0 && x->in->now_utc_sec >= review->due_utc_sec;

	(void)json_array_append_new(x->reviews, json_pack("{s:s, s:s, s:o, s:o, s:i, s:b, s:o}", "review",
	    review->name, "scope",
	    review->scope, "opened", output_time(review->opened_utc_sec), "due", output_time(review->due_utc_sec),
	    "open",
	    (int)open, "overdue", overdue, "closed", output_time(review->closed_utc_sec)));
}

static void
gather(struct summary *x)
{
	const struct entries *all = directory_entries(x->account.directory);
	struct review review;
	int percent;

	for (size_t i = 0; i < x->account.identities.user_count; i++)
		look_at(x, &x->account.identities.users[i]);
	for (size_t i = 0; i < all->count; i++) {
		if (entry_counts(all->list[i], ENTRY_EXEMPTION, x->account.base))
			look_at_exception(x, all->list[i]);
		else if (review_of(all->list[i], x->account.base, &review))
			look_at_review(x, &review);
	}
	percent = x->people > 0 ? 100 * x->people_with_token / x->people : 100;
	x->result = json_pack("{s:o, s:i, s:O, s:O, s:O, s:O, s:{s:i, s:i, s:i, s:O}, s:O, s:O}", "time",
	    output_time(x->in->now_utc_sec), "accounts", (int)x->account.identities.user_count, "may_enter",
	    x->may_enter,
	    "exceptions", x->exceptions, "expiring", x->expiring, "dormant", x->dormant, "mfa", "people", x->people,
	    "with_token", x->people_with_token, "percent", percent, "without", x->without_code, "without_sponsor",
	    x->without_sponsor, "reviews", x->reviews);
}

static void
section(const char *title, const json_t *rows, const struct column *columns)
{
	output_line("%s: %zu", title, json_array_size(rows));
	if (json_array_size(rows) > 0)
		output_table(rows, columns);
	output_line("%s", "");
}

static void
print(const struct summary *x)
{
	char date[32];

	if (x->in->json) {
		(void)output_json(x->result);
		return;
	}
	output_line("State of %s, %zu accounts", civil_date_format(x->in->now_utc_sec, date),
	    x->account.identities.user_count);
	output_line("%s", "");
	section("Active accounts (who of them may enter here, and where else: who-can, matrix)", x->may_enter,
	    account_columns);
	section("Exceptions", x->exceptions, exception_columns);
	section("Expiring", x->expiring, account_columns);
	section("Dormant", x->dormant, account_columns);
	section("Contractors without a sponsor", x->without_sponsor, account_columns);
	output_line("Second factor: %d of %d people have a token", x->people_with_token, x->people);
	section("Without one", x->without_code, account_columns);
	section("Reviews", x->reviews, review_columns);
}

static enum exit_code
read_span(const struct invocation *in, enum option_id option, const char *name, int64_t *ret_sec)
{
	const char *text = command_line_value(&in->line, option);

	if (text == NULL || civil_date_parse_duration(text, SPAN_MAX_SEC, ret_sec) == 0)
		return EXIT_DONE;
	output_error("--%s \"%.32s\" is no span; write 30d or 8h", name, text);
	return EXIT_USAGE;
}

static enum exit_code
summarise(struct invocation *in)
{
	struct summary x = { .in = in, .expiring_sec = EXPIRING_SEC, .dormant_sec = DORMANT_SEC };
	json_t **const lists[] = { &x.may_enter, &x.expiring, &x.dormant, &x.without_code, &x.without_sponsor,
	    &x.exceptions,
		&x.reviews };
	char error[512] = "";
	enum exit_code code = read_span(in, OPTION_report_expiring, "expiring", &x.expiring_sec);

	if (code == EXIT_DONE)
		code = read_span(in, OPTION_report_dormant, "dormant", &x.dormant_sec);
	if (code != EXIT_DONE)
		return code;
	code = account_open(in, NULL, DIRECTORY_READ, &x.account);
	if (code == EXIT_DONE && policy_load(in->paths.etc, &x.policy, error, sizeof error) < 0)
		output_error("%s; roles are left out", error);
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
		*lists[i] = json_array();
	if (code == EXIT_DONE) {
		gather(&x);
		print(&x);
	}
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
		json_decref(*lists[i]);
	json_decref(x.result);
	policy_free(x.policy);
	account_done(&x.account);
	return code;
}

enum exit_code
cmd_report(struct invocation *in)
{
	const char *operand = in->line.operand_count > 0 ? in->line.operands[0] : NULL;
	bool leavers = command_line_has(&in->line, OPTION_report_leavers);
	uint32_t count = LEAVERS;
	char *end = NULL;

	if (operand != NULL && !leavers) {
		output_error("\"%.64s\" goes with --leavers", operand);
		return EXIT_USAGE;
	}
	if (operand != NULL) {
		/* strtoul takes blanks and signs */
		if (operand[0] >= '0' && operand[0] <= '9' && strlen(operand) < 6)
			count = (uint32_t)strtoul(operand, &end, 10);
		if (count == 0 || end == NULL || *end != '\0') {
			output_error("--leavers needs a number from 1 to 99999");
			return EXIT_USAGE;
		}
	}
	return leavers ? report_leavers(in, count) : summarise(in);
}

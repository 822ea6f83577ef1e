/*
 * cmd_review_decide.c - isms-userctl review confirm, review remove: one person's word on another one's access.
 *
 * Each account has its own result, and the exit code tells whether all came through. Must never take a decision of
 * anybody about himself, on data that he did not see lately, or twice; nor count access as removed that is not.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/civil_date.h"
#include "tools/account.h"
#include "tools/actor.h"
#include "tools/audit.h"
#include "tools/invocation.h"
#include "tools/leave_steps.h"
#include "tools/output.h"
#include "tools/review.h"

#define BULK	10	/* with more than these, somebody must have said yes */

static const struct column columns[] = {
	{ "user", "USER" }, { "decision", "DECISION" }, { "result", "RESULT" }, { "note", "NOTE" },
	{ "event_id", "EVENT" },
	{ NULL, NULL },
};

struct deciding {
	struct invocation *in;
	bool remove;
	const char *review_name, *as, *seen;
	char reviewer[ACCOUNT_DN_MAX];
	int64_t seen_utc_sec;
	json_t *users;			/* owned: names */
	json_t *rows;			/* owned */
	bool failed;
};

static const char *
word(const struct deciding *x)
{
	return x->remove ? "remove" : "confirm";
}

static void
add_row(struct deciding *x, const char *user, const char *result, const char *note, const char *event_id)
{
	x->failed = x->failed || strcmp(result, "refused") == 0 || strcmp(result, "failed") == 0;
	(void)json_array_append_new(x->rows, json_pack("{s:o, s:s, s:s, s:o, s:o}", "user", output_string(user),
	    "decision",
	    word(x), "result", result, "note", output_string(note), "event_id", output_string(event_id)));
}

/* Why this person may not decide about an account; NULL: he may. */
static const char *
refusal(const struct deciding *x, const struct account *account, const struct review *review, const char *user,
    char *buf,
    size_t size)
{
	const struct identity *id = identities_find(&account->identities, user);
	const struct entry *before = review_decision(account, review, user);
	char *reviewer = entry_normalise_dn(x->reviewer);
	char *named = review->reviewer_dn != NULL ? entry_normalise_dn(review->reviewer_dn) : NULL;
	const char *why = NULL;

	if (id == NULL)
		why = "no such account in the directory";
	else if (reviewer == NULL || (review->reviewer_dn != NULL && named == NULL))
		why = "who decides has no usable name";
	else if (strcmp(reviewer, id->entry->ndn) == 0 || actor_is(account, id))	/* also as an operator of another name */
		why = "nobody decides about himself";
	else if (named != NULL && strcmp(named, reviewer) != 0)
		why = "the review names another reviewer";
	else if (before != NULL) {
		(void)snprintf(buf, size, "decided already: %.32s; see review export", entry_value(before,
		    "ismsDecision") != NULL ?
		    entry_value(before, "ismsDecision") : "?");
		why = buf;
	} else if (!review_has(account, review, id, x->in->now_utc_sec))
		why = "not in this review: out of its scope, or without access";
	else
		why = review_stale(x->in, x->seen_utc_sec, buf, size);
	free(reviewer);
	free(named);
	return why;
}

/* ---- the changes of one decision ---- */

/* Take what is reviewed away. Returns 0 or -errno; -EMLINK: a member by another group alone. */
static int
take_away(struct account *account, const struct review *review, const struct identity *id)
{
	const char *group = review_group(review);
	const struct identity *before = account->identity;
	bool was_in = false;
	int r = -EMLINK;

	if (group == NULL) {
		r = leave_lock(account, id->entry);
		return r < 0 ? r : 0;
	}
	account->identity = id;
	for (size_t i = 0; i < account->identities.group_count; i++) {
		if (strcmp(account->identities.groups[i].name, group) != 0)
			continue;
		r = leave_group(account, account->identities.groups[i].entry, &was_in);
		break;
	}
	account->identity = before;
	return r == 0 && !was_in ? -EMLINK : r;
}

static int
note_on_account(const struct deciding *x, struct account *account, const struct identity *id)
{
	char now[32];
	const struct change changes[] = {
		{ CHANGE_REPLACE, "ismsReviewedAt", civil_date_format_generalized(x->in->now_utc_sec, now) },
		{ CHANGE_REPLACE, "ismsReviewedBy", x->reviewer }, { CHANGE_ADD, "objectClass", "ismsAccount" },
	};

	return directory_modify(account->directory, id->entry->dn, changes, entry_has_class(id->entry, "ismsAccount") ?
	    2 : 3);
}

static int
add_decision(const struct deciding *x, struct account *account, const struct review *review, const struct identity *id)
{
	char dn[ACCOUNT_DN_MAX], now[32];
	const struct { const char *name, *value; } rows[] = {
		{ "objectClass", "top" }, { "objectClass", "ismsReviewDecision" }, { "cn", id->name },
		    { "ismsCampaign", review->dn },
		{ "ismsMember", id->entry->dn }, { "ismsDecision", word(x) }, { "ismsDecidedBy", x->reviewer },
		{ "ismsDecidedAt", civil_date_format_generalized(x->in->now_utc_sec, now) },
		{ "ismsReason", x->in->reason },
		{ "ismsTicket", x->in->ticket },
	};
	struct entry *e;
	int r = review_decision_dn(review, id->name, dn, sizeof dn);

	if (r < 0)
		return r;
	e = entry_new(dn);
	r = e != NULL ? 0 : -ENOMEM;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0] && r == 0; i++)
		if (rows[i].value != NULL)
			r = entry_add_value(e, rows[i].name, rows[i].value, strlen(rows[i].value));
	if (r == 0)
		return directory_add(account->directory, e);	/* now owned by the directory */
	entry_free(e);
	return r;
}

/* First what counts, then that it was said: what is half done is not called decided. */
static int
decide_one(const struct deciding *x, struct account *account, const struct review *review, const char *user)
{
	const struct identity *id = identities_find(&account->identities, user);
	int r = x->remove ? take_away(account, review, id) : 0;

	if (r == 0)
		r = note_on_account(x, account, id);
	return r == 0 ? add_decision(x, account, review, id) : r;
}

/* The last decision closes the review. */
static int
close_review(const struct deciding *x, struct account *account, const struct review *review)
{
	char now[32];
	const struct change closed = { CHANGE_REPLACE, "ismsClosedAt",
	    civil_date_format_generalized(x->in->now_utc_sec, now) };

	if (review->closed_utc_sec != 0 || review_open_items(account, review, x->in->now_utc_sec) > 0)
		return 0;
	return directory_modify(account->directory, review->dn, &closed, 1);
}

static void
record(struct deciding *x, const struct account *account, const struct review *review, const char *user)
{
	const struct identity *id = identities_find(&account->identities, user);
	char event_id[37] = "";
	struct event event;

	(void)account_make_uuid(event_id);
	event_begin(&event, EVENT_REVIEW_DECIDED, "isms-userctl");
	event_add(&event, FIELD_ID_USER, user);
	if (id != NULL && id->uid != 0)
		event_add_int(&event, FIELD_ID_UID, id->uid);
	event_add(&event, FIELD_ID_KIND, id != NULL ? account_kind_name(id->kind) : NULL);
	event_add(&event, FIELD_ID_REVIEW, review->name);
	event_add(&event, FIELD_ID_NEW, word(x));
	event_add(&event, FIELD_ID_GROUPS, review_group(review));
	event_add(&event, FIELD_ID_ID, event_id);
	audit_send(&event, x->in);
	if (x->remove && review_group(review) == NULL) {
		event_begin(&event, EVENT_ACCOUNT_DISABLED, "isms-userctl");
		event_add(&event, FIELD_ID_USER, user);
		event_add(&event, FIELD_ID_REVIEW, review->name);
		event_add(&event, FIELD_ID_NEW, "disabled");
		audit_send(&event, x->in);
	}
	add_row(x, user, x->in->dry_run ? "planned" : "done", NULL, x->in->dry_run ? NULL : event_id);
}

/* ---- several at once ---- */

/*
 * Decide about users[from..to) in one change. Those who may not be decided about get their row, if rows are wanted.
 *
 * Returns EXIT_DONE; else nothing was changed, or on a server perhaps a part, and error says so.
 */
static enum exit_code
decide_together(struct deciding *x, size_t from, size_t to, char *error, size_t size)
{
	bool *chosen = calloc(to, sizeof *chosen);
	struct account account;
	struct review review;
	char buf[256];
	const char *user, *why;
	enum exit_code code;
	int r = chosen != NULL ? 0 : -ENOMEM;

	code = account_open(x->in, NULL, DIRECTORY_EDIT, &account);
	if (code == EXIT_DONE)
		code = review_find(&account, x->review_name, &review);
	for (size_t i = from; code == EXIT_DONE && i < to && r == 0; i++) {
		user = json_string_value(json_array_get(x->users, i));
		why = refusal(x, &account, &review, user, buf, sizeof buf);
		if (why != NULL) {
			add_row(x, user, "refused", why, NULL);
			continue;
		}
		r = decide_one(x, &account, &review, user);
		if (r == -EMLINK) {
			add_row(x, user, "refused", "a member by another group: remove that, or him from it", NULL);
			r = 0;
			continue;
		}
		chosen[i] = r == 0;
	}
	if (code == EXIT_DONE && r == 0)
		r = close_review(x, &account, &review);
	if (code == EXIT_DONE && r == 0)
		r = directory_commit(account.directory, error, size);
	if (code == EXIT_DONE && r < 0 && error[0] == '\0')
		(void)snprintf(error, size, "%s", strerror(-r));
	for (size_t i = from; code == EXIT_DONE && r == 0 && i < to; i++)
		if (chosen[i])
			record(x, &account, &review, json_string_value(json_array_get(x->users, i)));
	free(chosen);
	account_done(&account);
	return code == EXIT_DONE && r < 0 ? EXIT_UNREACHABLE : code;
}

/* All in one change; where that fails, one by one, so that each has a result of its own. */
static enum exit_code
decide_all(struct deciding *x)
{
	size_t count = json_array_size(x->users);
	char error[4096] = "";
	enum exit_code code = decide_together(x, 0, count, error, sizeof error);

	if (code == EXIT_DONE || error[0] == '\0')
		return code;
	(void)json_array_clear(x->rows);
	x->failed = false;
	for (size_t i = 0; i < count; i++) {
		error[0] = '\0';
		code = decide_together(x, i, i + 1, error, sizeof error);
		if (code != EXIT_DONE && error[0] == '\0')
			return code;
		if (code != EXIT_DONE)
			add_row(x, json_string_value(json_array_get(x->users, i)), "failed", error, NULL);
	}
	return EXIT_DONE;
}

/* ---- what is asked for ---- */

static enum exit_code
take_users(struct deciding *x, const struct account *account, const struct review *review, bool all)
{
	for (unsigned i = 0; i < x->in->line.operand_count; i++)
		(void)json_array_append_new(x->users, output_string(x->in->line.operands[i]));
	for (size_t i = 0; all && i < account->identities.user_count; i++) {
		const struct identity *id = &account->identities.users[i];

		/* Of all, what is somebody else's to decide is no fault. */
		if (review_has(account, review, id, x->in->now_utc_sec) && review_decision(account, review,
		    id->name) == NULL)
			(void)json_array_append_new(x->users, output_string(id->name));
	}
	if (json_array_size(x->users) > 0)
		return EXIT_DONE;
	output_error("review %s needs accounts, or --all%s", word(x), all ? ": none waits for a decision" : "");
	return all ? EXIT_REFUSED : EXIT_USAGE;
}

/* Without the lock: nobody waits for a person to think. */
static enum exit_code
look_and_ask(struct deciding *x, bool all)
{
	struct account account;
	struct review review;
	char question[256];
	enum exit_code code;

	code = account_open(x->in, NULL, DIRECTORY_READ, &account);
	if (code == EXIT_DONE)
		code = review_find(&account, x->review_name, &review);
	if (code == EXIT_DONE)
		code = review_decider(x->in, &account, x->as, x->reviewer, sizeof x->reviewer);
	if (code == EXIT_DONE)
		code = take_users(x, &account, &review, all);
	if (code == EXIT_DONE) {
		(void)snprintf(question, sizeof question, "%s: %s %zu accounts%s?", review.name, word(x),
		    json_array_size(x->users),
		    !x->remove ? "" : review_group(&review) != NULL ? ", out of the group" : ", which are disabled");
		if (json_array_size(x->users) > BULK && !x->in->yes && !x->in->dry_run && !invocation_asks(x->in)) {
			output_error("%zu accounts in one go, and no terminal to ask on: say --yes; nothing was changed",
			    json_array_size(x->users));
			code = EXIT_REFUSED;
		} else if (!invocation_confirm(x->in, question))
			code = EXIT_REFUSED;
	}
	account_done(&account);
	return code;
}

/* The rows in the order in which the accounts were named. */
static void
sort_rows(struct deciding *x)
{
	json_t *sorted = json_array(), *row;
	const json_t *user;
	size_t i, k;

	json_array_foreach(x->users, i, user)
		json_array_foreach(x->rows, k, row)
			if (json_equal(json_object_get(row, "user"), user)) {
				(void)json_array_append(sorted, row);
				break;
			}
	json_decref(x->rows);
	x->rows = sorted;
}

static enum exit_code
decide(struct deciding *x, bool all)
{
	enum exit_code code;

	x->seen_utc_sec = x->in->now_utc_sec;
	x->users = json_array();
	x->rows = json_array();
	code = invocation_settings(x->in);
	if (code == EXIT_DONE)
		code = review_seen(x->in, x->seen, &x->seen_utc_sec);
	if (code == EXIT_DONE && all && x->in->line.operand_count > 0) {
		output_error("name accounts, or say --all; not both");
		code = EXIT_USAGE;
	}
	if (code == EXIT_DONE)
		code = look_and_ask(x, all);
	if (code == EXIT_DONE)
		code = decide_all(x);
	sort_rows(x);
	if (code == EXIT_DONE && x->in->json)
		(void)output_json(x->rows);
	else if (json_array_size(x->rows) > 0)
		output_table(x->rows, columns);
	json_decref(x->users);
	json_decref(x->rows);
	return code == EXIT_DONE && x->failed ? EXIT_REFUSED : code;
}

enum exit_code
cmd_review_confirm(struct invocation *in)
{
	struct deciding x = {
		.in = in,
		.review_name = command_line_value(&in->line, OPTION_review_confirm_review),
		.as = command_line_value(&in->line, OPTION_review_confirm_as),
		.seen = command_line_value(&in->line, OPTION_review_confirm_seen),
	};

	return decide(&x, command_line_has(&in->line, OPTION_review_confirm_all));
}

enum exit_code
cmd_review_remove(struct invocation *in)
{
	struct deciding x = {
		.in = in,
		.remove = true,
		.review_name = command_line_value(&in->line, OPTION_review_remove_review),
		.as = command_line_value(&in->line, OPTION_review_remove_as),
		.seen = command_line_value(&in->line, OPTION_review_remove_seen),
	};

	return decide(&x, command_line_has(&in->line, OPTION_review_remove_all));
}

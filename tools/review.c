/*
 * review.c - reviews in the directory (see review.h).
 *
 * Runs in isms-userctl only. Must never take an account out of a review's sight but for having no access, nor a
 * decision of another campaign for one of this.
 */
#include <config.h>

#include "tools/review.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/civil_date.h"
#include "common/entry_place.h"
#include "common/last_use.h"
#include "common/ldap_escape.h"
#include "tools/output.h"

bool
review_scope_allowed(const char *scope)
{
	if (strlen(scope) < REVIEW_SCOPE_MAX && (strcmp(scope, "all") == 0 ||
	    (strncmp(scope, "kind:", 5) == 0 && account_kind_find(scope + 5) != KIND_UNKNOWN) ||
	    (strncmp(scope, "group:", 6) == 0 && scope[6] != '\0')))
		return true;
	output_error("\"%.64s\" is no scope; write all, kind:contractor or group:NAME", scope);
	return false;
}

static int64_t
time_of(const struct entry *e, const char *name)
{
	const char *text = NULL;
	int64_t utc_sec = 0;

	if (entry_single(e, name, &text) != 1 || civil_date_parse_generalized(text, strlen(text), &utc_sec) < 0)
		return 0;
	return utc_sec;
}

bool
review_of(const struct entry *e, const char *base, struct review *ret)
{
	const char *name = entry_value(e, "cn"), *scope = entry_value(e, "ismsScope");

	if (!entry_counts(e, ENTRY_REVIEW, base) || name == NULL || scope == NULL || strlen(name) > REVIEW_NAME_MAX ||
	    strlen(scope) >= REVIEW_SCOPE_MAX || strlen(e->dn) >= sizeof ret->dn)
		return false;
	*ret = (struct review){ .reviewer_dn = entry_value(e, "ismsReviewer"), .opened_utc_sec = time_of(e,
	    "ismsOpenedAt"),
		.due_utc_sec = time_of(e, "ismsUntil"), .closed_utc_sec = time_of(e, "ismsClosedAt") };
	(void)snprintf(ret->name, sizeof ret->name, "%s", name);
	(void)snprintf(ret->dn, sizeof ret->dn, "%s", e->dn);
	(void)snprintf(ret->scope, sizeof ret->scope, "%s", scope);
	return true;
}

enum exit_code
review_find(const struct account *account, const char *name, struct review *ret)
{
	const struct entries *all = directory_entries(account->directory);
	struct review one;
	unsigned found = 0;

	for (size_t i = 0; i < all->count; i++) {
		if (!review_of(all->list[i], account->base, &one) || (name != NULL ? strcmp(one.name, name) != 0 :
		    one.closed_utc_sec != 0))
			continue;
		*ret = one;
		found++;
	}
	if (found == 1)
		return EXIT_DONE;
	if (name != NULL)
		output_error("%.64s: no such review; see isms-userctl review list", name);
	else if (found == 0)
		output_error("no review is open%s; isms-userctl review start begins one",
		    directory_is_server(account->directory) ? ", or the server shows you none" : "");
	else
		output_error("%u reviews are open; say which: --review NAME", found);
	return EXIT_REFUSED;
}

const char *
review_group(const struct review *review)
{
	return strncmp(review->scope, "group:", 6) == 0 ? review->scope + 6 : NULL;
}

static bool
is_member(const struct account *account, const struct identity *id, const char *group)
{
	for (uint32_t i = 0; i < id->group_count; i++)
		if (strcmp(account->identities.groups[id->groups[i]].name, group) == 0)
			return true;
	return false;
}

bool
review_has(const struct account *account, const struct review *review, const struct identity *id, int64_t now_utc_sec)
{
	const char *group = review_group(review);

	if (id->name[0] == '\0' || id->disabled || (id->not_after_utc_sec != 0 && now_utc_sec >= id->not_after_utc_sec))
		return false;
	if (group != NULL)
		return is_member(account, id, group);
	return strncmp(review->scope, "kind:", 5) != 0 || id->kind == account_kind_find(review->scope + 5);
}

int
review_decision_dn(const struct review *review, const char *user, char *buf, size_t size)
{
	return ldap_escape_dn(buf, size, "cn", user, NULL, review->dn);
}

const struct entry *
review_decision(const struct account *account, const struct review *review, const char *user)
{
	char dn[ACCOUNT_DN_MAX];

	if (review_decision_dn(review, user, dn, sizeof dn) < 0)
		return NULL;
	return entries_find(directory_entries(account->directory), dn);
}

unsigned
review_open_items(const struct account *account, const struct review *review, int64_t now_utc_sec)
{
	unsigned count = 0;

	for (size_t i = 0; i < account->identities.user_count; i++) {
		const struct identity *id = &account->identities.users[i];

		count += review_has(account, review, id, now_utc_sec) && review_decision(account, review,
		    id->name) == NULL;
	}
	return count;
}

const char *
review_stale(const struct invocation *in, int64_t seen_utc_sec, char *buf, size_t size)
{
	char date[32];

	if (seen_utc_sec > in->now_utc_sec)
		(void)snprintf(buf, size, "looked at in the future");
	else if (in->now_utc_sec - seen_utc_sec > (int64_t)in->settings.login_max_data_age)
		(void)snprintf(buf, size, "looked at %s ago: data older than max-data-age are not signed",
		    civil_date_format_span(in->now_utc_sec - seen_utc_sec, date));
	else
		return NULL;
	return buf;
}

enum exit_code
review_seen(const struct invocation *in, const char *text, int64_t *ret_utc_sec)
{
	int64_t span = 0;

	if (text == NULL)
		return EXIT_DONE;
	if (civil_date_parse_duration(text, in->now_utc_sec, &span) == 0)
		*ret_utc_sec = in->now_utc_sec - span;
	else if (strchr(text, 'T') == NULL || civil_date_parse_until(text, "UTC", in->now_utc_sec, ret_utc_sec) < 0) {
		output_error("--seen \"%.64s\" is no time; write 2026-12-31T18:00:00Z, or 2h for so long ago", text);
		return EXIT_USAGE;
	}
	return EXIT_DONE;
}

/* The names of the groups of an account. */
static json_t *
groups_of(const struct account *account, const struct identity *id)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < id->group_count; i++)
		(void)json_array_append_new(list, output_string(account->identities.groups[id->groups[i]].name));
	return list;
}

static void
add_decision(json_t *row, const struct entry *decision)
{
	char name[ACCOUNT_DN_MAX];
	const char *by = entry_value(decision, "ismsDecidedBy");
	const struct identity who = { .sponsor = (char *)(uintptr_t)by };

	(void)json_object_set_new(row, "decision", output_string(entry_value(decision, "ismsDecision")));
	(void)json_object_set_new(row, "decided_at", output_time(time_of(decision, "ismsDecidedAt")));
	(void)json_object_set_new(row, "decided_by", output_string(account_sponsor_name(&who, name, sizeof name)));
	(void)json_object_set_new(row, "reason", output_string(entry_value(decision, "ismsReason")));
	(void)json_object_set_new(row, "ticket", output_string(entry_value(decision, "ismsTicket")));
}

json_t *
review_row(const struct invocation *in, const struct account *account, const struct review *review,
    const struct identity *id, int64_t seen_utc_sec)
{
	const struct entry *decision = review_decision(account, review, id->name);
	bool is_late = review->due_utc_sec != 0 && in->now_utc_sec >= review->due_utc_sec && decision == NULL;
	char sponsor[ACCOUNT_DN_MAX], text[128];
	json_t *row;

	(void)account_sponsor_name(id, sponsor, sizeof sponsor);
	row = json_pack("{s:s, s:s, s:o, s:o, s:s, s:o, s:o, s:i, s:o, s:o, s:o, s:o, s:b, s:o, s:I, s:o}", "review",
	    review->name,
	    "scope", review->scope, "user", output_string(id->name), "kind",
	    output_string(account_kind_name(id->kind)), "state",
	    account_state(id, in->now_utc_sec), "display", output_string(id->display), "sponsor",
	    output_string(sponsor[0] != '\0' ? sponsor : NULL), "tokens", (int)id->token_count, "not_after",
	    output_time(id->not_after_utc_sec), "groups", groups_of(account, id), "last_use",
	    output_time(last_use_of(id->entry)),
	    "due", output_time(review->due_utc_sec), "overdue", is_late, "seen", output_time(seen_utc_sec),
	    "data_age_sec",
	    (json_int_t)(in->now_utc_sec - seen_utc_sec), "stale",
	    output_string(review_stale(in, seen_utc_sec, text, sizeof text)));
	if (row != NULL && decision != NULL)
		add_decision(row, decision);
	return row;
}

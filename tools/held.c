/*
 * held.c - what an account holds for a time (see held.h).
 *
 * Runs in isms-userctl only. What counts, will count, or was meant to and never will is there: who looks why somebody is
 * in a group, or is not, must not have to look elsewhere.
 */
#include <config.h>

#include "tools/held.h"

#include <stdio.h>
#include <string.h>

#include "common/civil_date.h"
#include "tools/exemption_rows.h"
#include "tools/grant_edit.h"
#include "tools/output.h"

static const char *
text_of(const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));

	return text != NULL ? text : "";
}

/* Without what has ended, whatever else is wrong with it. */
static json_t *
without_ended(json_t *rows, int64_t now_utc_sec)
{
	json_t *left = json_array(), *row;
	char now[32];
	size_t i;

	(void)civil_date_format(now_utc_sec, now);
	json_array_foreach(rows, i, row) {
		const char *until = text_of(row, "until");

		/* Instants of one form sort as texts. */
		if (until[0] == '\0' || strcmp(until, now) > 0)
			(void)json_array_append(left, row);
	}
	json_decref(rows);
	return left;
}

void
held_add(json_t *object, const struct invocation *in, const struct account *account)
{
	const char *ndn = account->identity->entry->ndn;

	(void)json_object_set_new(object, "grants", without_ended(grant_rows(in, account, ndn, NULL), in->now_utc_sec));
	(void)json_object_set_new(object, "exemptions",
	    without_ended(exemption_rows(account, ndn, in->now_utc_sec), in->now_utc_sec));
	(void)json_object_set_new(object, "requests", grant_only(grant_request_rows(in, account, ndn), "open", NULL));
}

/* "web: active until T, by bob: why (ticket)"; the begin where it is yet to come, the fault where it never counts. */
static json_t *
line_of(const struct account *account, const json_t *row, const char *what)
{
	const char *state = text_of(row, "state"), *fault = text_of(row, "fault"), *bound = text_of(row, "bound");
	const char *until = text_of(row, "until"), *reason = text_of(row, "reason"), *ticket = text_of(row, "ticket");
	bool comes = strcmp(state, "future") == 0 || strcmp(state, "not yet") == 0;
	char by[ACCOUNT_DN_MAX];

	(void)grant_name_of(account, text_of(row, "approver"), by, sizeof by);
	return json_sprintf("%s: %s%s%s%s%s%s%s%s%s%s, by %s%s%s%s%s%s", text_of(row, what), state, fault[0] != '\0' ? " (" : "",
	    fault, fault[0] != '\0' ? ")" : "", comes ? ", from " : "", comes ? text_of(row, "from") : "",
	    until[0] != '\0' ? fault[0] != '\0' ? ", until " : " until " : "", until, bound[0] != '\0' ? ", for " : "",
	    strcmp(bound, "nothing") == 0 ? "any login" : bound, by, reason[0] != '\0' ? ": " : "", reason,
	    ticket[0] != '\0' ? " (" : "", ticket, ticket[0] != '\0' ? ")" : "");
}

void
held_put_into_words(json_t *object, const struct account *account)
{
	static const struct { const char *key, *what; } lists[] = { { "grants", "group" }, { "exemptions", "control" } };
	json_t *row, *requests = json_array();
	size_t i;

	json_array_foreach(json_object_get(object, "requests"), i, row)
		(void)json_array_append_new(requests, json_sprintf("%s: %s for %s, waits for isms-userctl approve", text_of(row, "name"),
		    text_of(row, "group"), text_of(row, "span")));
	(void)json_object_set_new(object, "requests", requests);
	for (size_t n = 0; n < sizeof lists / sizeof lists[0]; n++) {
		json_t *words = json_array();

		json_array_foreach(json_object_get(object, lists[n].key), i, row)
			(void)json_array_append_new(words, line_of(account, row, lists[n].what));
		(void)json_object_set_new(object, lists[n].key, words);
	}
}

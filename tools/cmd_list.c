/*
 * cmd_list.c - isms-userctl list: the accounts of the directory, one a line.
 *
 * Must never leave out an entry that is refused: it is shown as broken, with the fault in --json.
 */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "common/civil_date.h"
#include "tools/account.h"
#include "tools/invocation.h"
#include "tools/output.h"

#define SPAN_MAX_SEC (200LL * 366 * 86400)

static const struct column columns[] = {
	{ "user", "USER" }, { "uid", "ID" }, { "kind", "KIND" }, { "state", "STATE" }, { "not_after", "END" },
	{ "tokens", "TOKENS" }, { "sponsor", "SPONSOR" }, { "display", "NAME" }, { NULL, NULL },
};

static json_t *
row(const struct identity *id, int64_t now_utc_sec)
{
	char sponsor[256];
	json_t *object;

	object = json_pack("{s:o, s:o, s:o, s:s, s:o, s:i, s:o, s:o}", "user", output_string(id->name), "uid",
	    id->uid != 0 ? json_integer(id->uid) : json_null(), "kind", output_string(account_kind_name(id->kind)), "state",
	    account_state(id, now_utc_sec), "not_after", output_time(id->not_after_utc_sec), "tokens", (int)id->token_count,
	    "sponsor", output_string(account_sponsor_name(id, sponsor, sizeof sponsor)[0] != '\0' ? sponsor : NULL), "display",
	    output_string(id->display != NULL && id->display[0] != '\0' ? id->display : NULL));
	if (object != NULL && id->state != FACTS_MANAGED)
		(void)json_object_set_new(object, "fault", output_string(id->fault));
	return object;
}

/* Whether it ends within span seconds from now, or has ended. */
static bool
expires(const struct identity *id, int64_t now_utc_sec, int64_t span_sec)
{
	return id->not_after_utc_sec != 0 && id->not_after_utc_sec <= now_utc_sec + span_sec;
}

enum exit_code
cmd_list(struct invocation *in)
{
	const char *kind = command_line_value(&in->line, OPTION_list_kind);
	const char *expiring = command_line_value(&in->line, OPTION_list_expiring);
	struct account account;
	int64_t span_sec = 0;
	json_t *rows;
	enum exit_code code;
	size_t i;

	if (expiring != NULL && civil_date_parse_duration(expiring, SPAN_MAX_SEC, &span_sec) < 0) {
		output_error("--expiring \"%.32s\" is no span; write 30d or 8h", expiring);
		return EXIT_USAGE;
	}
	code = account_open(in, NULL, DIRECTORY_READ, &account);
	rows = json_array();
	for (i = 0; code == EXIT_DONE && i < account.identities.user_count; i++) {
		const struct identity *id = &account.identities.users[i];

		if (kind != NULL && id->kind != account_kind_find(kind))
			continue;
		if (expiring == NULL || expires(id, in->now_utc_sec, span_sec))
			(void)json_array_append_new(rows, row(id, in->now_utc_sec));
	}
	if (code == EXIT_DONE && in->json)
		(void)output_json(rows);
	else if (code == EXIT_DONE)
		output_table(rows, columns);
	json_decref(rows);
	account_done(&account);
	return code;
}

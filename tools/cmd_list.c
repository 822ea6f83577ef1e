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
#include "tools/output_csv.h"
#include "tools/standing.h"

#define SPAN_MAX_SEC (200LL * 366 * 86400)

static const struct column columns[] = {
	{ "user", "USER" }, { "uid", "ID" }, { "kind", "KIND" }, { "state", "STATE" }, { "not_after", "END" },
	{ "tokens", "TOKENS" }, { "sponsor", "SPONSOR" }, { "display", "NAME" }, { NULL, NULL },
};
static const struct column more_columns[] = {
	{ "user", "USER" }, { "uid", "ID" }, { "kind", "KIND" }, { "state", "STATE" }, { "not_after", "END" },
	{ "tokens", "TOKENS" }, { "sponsor", "SPONSOR" }, { "sponsor_state", "SPONSOR IS" }, { "last_use", "LAST USE" },
	{ "display", "NAME" }, { NULL, NULL },
};

/* What was asked for. */
struct filter {
	const char *kind;		/* NULL: any */
	int64_t expiring_sec, dormant_sec;	/* -1: not asked for */
	bool without_sponsor;
	int mfa;			/* 1 with, 0 without a token, -1 not asked for */
};

static json_t *
row(const struct account *account, const struct identity *id, int64_t now_utc_sec)
{
	char sponsor[256];
	json_t *object;

	object = json_pack("{s:o, s:o, s:o, s:s, s:o, s:i, s:o, s:s, s:o, s:o}", "user", output_string(id->name), "uid",
	    id->uid != 0 ? json_integer(id->uid) : json_null(), "kind", output_string(account_kind_name(id->kind)), "state",
	    account_state(id, now_utc_sec), "not_after", output_time(id->not_after_utc_sec), "tokens", (int)id->token_count,
	    "sponsor", output_string(account_sponsor_name(id, sponsor, sizeof sponsor)[0] != '\0' ? sponsor : NULL),
	    "sponsor_state", standing_word(standing_of(account, id->sponsor, now_utc_sec, NULL)), "last_use",
	    output_time(standing_instant(id->entry, "ismsLastUse")), "display",
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

static bool
fits(const struct filter *f, const struct account *account, const struct identity *id, int64_t now_utc_sec)
{
	if (f->kind != NULL && id->kind != account_kind_find(f->kind))
		return false;
	if (f->expiring_sec >= 0 && !expires(id, now_utc_sec, f->expiring_sec))
		return false;
	if (f->dormant_sec >= 0 && !standing_is_dormant(id, f->dormant_sec, now_utc_sec))
		return false;
	if (f->without_sponsor && standing_of(account, id->sponsor, now_utc_sec, NULL) == STANDING_VALID)
		return false;
	return f->mfa < 0 || (id->token_count > 0) == (f->mfa == 1);
}

/* The span of an option; untouched where it was not given. */
static enum exit_code
read_span(const struct invocation *in, enum option_id option, int64_t *ret_sec)
{
	const char *text = command_line_value(&in->line, option);

	if (text == NULL || civil_date_parse_duration(text, SPAN_MAX_SEC, ret_sec) == 0)
		return EXIT_DONE;
	output_error("--%s \"%.32s\" is no span; write 30d or 8h", option_rows[option].name, text);
	return EXIT_USAGE;
}

static enum exit_code
read_options(const struct invocation *in, struct filter *ret)
{
	const char *mfa = command_line_value(&in->line, OPTION_list_mfa);
	enum exit_code code;

	*ret = (struct filter){ .kind = command_line_value(&in->line, OPTION_list_kind), .expiring_sec = -1, .dormant_sec = -1,
		.without_sponsor = command_line_has(&in->line, OPTION_list_without_sponsor),
		.mfa = mfa == NULL ? -1 : strcmp(mfa, "yes") == 0 };
	code = read_span(in, OPTION_list_expiring, &ret->expiring_sec);
	return code == EXIT_DONE ? read_span(in, OPTION_list_dormant, &ret->dormant_sec) : code;
}

enum exit_code
cmd_list(struct invocation *in)
{
	struct account account;
	struct filter filter;
	json_t *rows;
	enum exit_code code;
	size_t i;

	code = read_options(in, &filter);
	if (code != EXIT_DONE)
		return code;
	code = account_open(in, NULL, DIRECTORY_READ, &account);
	rows = json_array();
	for (i = 0; code == EXIT_DONE && i < account.identities.user_count; i++)
		if (fits(&filter, &account, &account.identities.users[i], in->now_utc_sec))
			(void)json_array_append_new(rows, row(&account, &account.identities.users[i], in->now_utc_sec));
	if (code == EXIT_DONE && command_line_has(&in->line, OPTION_list_csv))
		output_csv(rows, more_columns);
	else if (code == EXIT_DONE && in->json)
		(void)output_json(rows);
	else if (code == EXIT_DONE)
		output_table(rows, filter.without_sponsor || filter.dormant_sec >= 0 ? more_columns : columns);
	json_decref(rows);
	account_done(&account);
	return code;
}

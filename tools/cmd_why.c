/*
 * cmd_why.c - isms-userctl why USER: what a login would be told, by which rule, and what would change it.
 *
 * Must never decide anything here: the running front judges, with the policy and facts that it has.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/authorized_key.h"
#include "common/civil_date.h"
#include "common/verdict.h"
#include "tools/account.h"
#include "tools/ask_daemon.h"
#include "tools/cure.h"
#include "tools/factors.h"
#include "tools/invocation.h"
#include "tools/output.h"

static const struct column columns[] = {
	{ "user", "User" }, { "service", "Service" }, { "at", "At" }, { "proven", "If proven" }, { "verdict", "Verdict" },
	{ "reason", "Reason" }, { "meaning", "Meaning" }, { "cure", "What to change" }, { NULL, NULL },
};

static enum exit_code
read_options(struct invocation *in, struct msg_why *why)
{
	const char *service = command_line_value(&in->line, OPTION_why_service);
	const char *rhost = command_line_value(&in->line, OPTION_why_rhost);
	const char *key = command_line_value(&in->line, OPTION_why_key);
	const char *at = command_line_value(&in->line, OPTION_why_at);
	const char *factors = command_line_value(&in->line, OPTION_why_factors);
	enum exit_code code = EXIT_DONE;

	service = service != NULL ? service : "sshd";
	if (strlen(service) >= sizeof why->service || (rhost != NULL && strlen(rhost) >= sizeof why->rhost)) {
		output_error("--service or --rhost is too long");
		return EXIT_USAGE;
	}
	if (factors != NULL && factors_parse(factors, &why->factors) < 0) {
		output_error("--factors \"%.64s\": name some of password, key, otp, comma separated, or none", factors);
		return EXIT_USAGE;
	}
	if (at != NULL) {
		code = invocation_settings(in);
		if (code != EXIT_DONE)
			return code;
		if (civil_date_parse_until(at, in->settings.login_time_zone, in->now_utc_sec, &why->at_utc_sec) < 0) {
			output_error("--at \"%.64s\" is no time; write 2026-12-31T18:00:00Z or +90d", at);
			return EXIT_USAGE;
		}
	}
	if (key != NULL && !authorized_key_is_print(key)) {
		output_error("--key \"%.80s\" is no fingerprint; write SHA256: and 43 letters (ssh-keygen -l)", key);
		return EXIT_USAGE;
	}
	(void)snprintf(why->key, sizeof why->key, "%s", key != NULL ? key : "");
	(void)snprintf(why->user, sizeof why->user, "%s", in->line.operands[0]);
	(void)snprintf(why->service, sizeof why->service, "%s", service);
	(void)snprintf(why->rhost, sizeof why->rhost, "%s", rhost != NULL ? rhost : "");
	why->ruid = getuid();
	return code;
}

/* The front's own lines, whatever they are, as text: keys in its order. */
static void
print_facts(const json_t *facts)
{
	struct column rows[64] = { { NULL, NULL } };
	/* shown above already */
	static const struct column done[] = { { "verdict", "" }, { "reason", "" }, { "user", "" }, { "service", "" },
		{ "text", "" }, { NULL, NULL } };
	const struct column *shown;
	size_t count = 0;
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)facts, key, value) {
		for (shown = done; shown->key != NULL && strcmp(shown->key, key) != 0; shown++)
			;
		if (shown->key == NULL && count + 1 < sizeof rows / sizeof rows[0])
			rows[count++] = (struct column){ key, key };
	}
	rows[count] = (struct column){ NULL, NULL };
	if (count > 0)
		(void)printf("\n");
	output_record(facts, rows);
}

static void
print(const struct invocation *in, const struct msg_why *why, const struct msg_report *report)
{
	enum verdict verdict = (enum verdict)report->verdict;
	enum reason reason = (enum reason)report->reason;
	char cure[512] = "";
	json_t *facts = ask_daemon_report(report), *result;

	/* Nobody to the directory, which is all that the front knows of him; one under policy it refuses instead. */
	if (reason == REASON_UNKNOWN_USER && verdict == VERDICT_NOT_OURS && invocation_local_uid(in, why->user) >= 0)
		reason = REASON_NOT_MANAGED;
	if (verdict != VERDICT_ALLOW)
		(void)cure_for(reason, why->user, cure, sizeof cure);
	result = json_pack("{s:s, s:s, s:o, s:o, s:s, s:s, s:s, s:o, s:O}", "user", why->user, "service", why->service,
	    "at", output_time(why->at_utc_sec != 0 ? why->at_utc_sec : in->now_utc_sec), "proven",
	    factors_json(why->factors), "verdict", verdict_token(verdict), "reason", reason_token(reason), "meaning",
	    reason_text(reason), "cure", output_string(cure[0] != '\0' ? cure : NULL), "facts", facts);
	if (in->json)
		(void)output_json(result);
	else {
		output_record(result, columns);
		print_facts(facts);
	}
	json_decref(result);
	json_decref(facts);
}

enum exit_code
cmd_why(struct invocation *in)
{
	struct msg_report *report;
	struct msg_why why = { 0 };
	enum exit_code code;
	int r;

	if (strcmp(in->line.operands[0], "root") == 0) {
		output_error("root is never judged: nothing of isms-access decides about it");
		return EXIT_REFUSED;
	}
	if (!account_name_allowed("user", in->line.operands[0]))
		return EXIT_REFUSED;
	code = read_options(in, &why);
	if (code != EXIT_DONE)
		return code;
	report = calloc(1, sizeof *report);
	if (report == NULL)
		return EXIT_UNREACHABLE;
	r = ask_daemon_why(in, &why, command_line_has(&in->line, OPTION_why_factors), report);
	if (r < 0)
		code = ask_daemon_complain(PROCESS_FRONT, r);
	else {
		print(in, &why, report);
		code = report->verdict == VERDICT_ALLOW ? EXIT_DONE : EXIT_REFUSED;
	}
	free(report);
	return code;
}

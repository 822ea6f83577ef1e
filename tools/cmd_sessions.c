/*
 * cmd_sessions.c - isms-userctl sessions: who is in now, since when, from where, proven with what, until when and why.
 *
 * Must never leave out a session that one of the two does not know: logind knows those of local users, the front those
 * that have no place in logind (su, a job of cron).
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/civil_date.h"
#include "tools/ask_daemon.h"
#include "tools/factors.h"
#include "tools/invocation.h"
#include "tools/logind_sessions.h"
#include "tools/output.h"
#include "tools/output_csv.h"

#define PAGES_MAX 64

static const struct column columns[] = {
	{ "user", "USER" }, { "session", "SESSION" }, { "service", "SERVICE" }, { "from", "FROM" }, { "tty", "TTY" },
	{ "since", "SINCE" }, { "proven", "PROVEN" }, { "ends", "ENDS" }, { "ends_by", "BY" }, { NULL, NULL },
};

/* One "PID UID FACTORS OPENED TXN USER SERVICE TTY" of the front as an object; NULL for what is none. */
static json_t *
live_row(const char *text)
{
	char txn[33], user[33], service[65], tty[65] = "";
	long long opened_utc_sec;
	unsigned uid, factors;
	int pid;

	if (sscanf(text, "%d %u %u %lld %32s %32s %64s %64[^\n]", &pid, &uid, &factors, &opened_utc_sec, txn, user, service, tty) < 7)
		return NULL;
	return json_pack("{s:s, s:I, s:i, s:o, s:I, s:s, s:s, s:o, s:b}", "user", user, "uid", (json_int_t)uid, "leader", pid,
	    "proven", factors_json(factors), "since", (json_int_t)opened_utc_sec, "txn", txn, "service", service, "tty",
	    output_string(tty[0] != '\0' ? tty : NULL), "managed", 1);
}

/* All pages of the front. Returns 0 or -errno of ask_daemon(). */
static int
ask_front(const struct invocation *in, json_t *live)
{
	struct msg_report *report = calloc(1, sizeof *report);
	struct msg_sessions_get get = { .from = 0 };
	int r = report != NULL ? 0 : -ENOMEM;
	char *line, *save;

	for (unsigned page = 0; r == 0 && page < PAGES_MAX && (page == 0 || get.from != 0); page++) {
		r = ask_daemon(in, PROCESS_FRONT, MSG_SESSIONS_GET, &get, MSG_REPORT, report);
		get.from = 0;
		if (r < 0)
			break;
		save = NULL;
		for (line = strtok_r(report->lines, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
			json_t *row = strncmp(line, "session=", 8) == 0 ? live_row(line + 8) : NULL;

			if (row != NULL)
				(void)json_array_append_new(live, row);
			if (strncmp(line, "next=", 5) == 0)
				get.from = (uint32_t)strtoul(line + 5, NULL, 10);
		}
	}
	free(report);
	return r;
}

/* The session of logind that the same process opened. */
static json_t *
find_leader(const json_t *rows, const json_t *live)
{
	json_int_t leader = json_integer_value(json_object_get(live, "leader"));
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
		if (leader != 0 && json_integer_value(json_object_get(row, "leader")) == leader &&
		    json_equal(json_object_get(row, "uid"), json_object_get(live, "uid")))
			return row;
	return NULL;
}

/* What the front knows, into what logind knows; the rest beside it. */
static void
join(json_t *rows, const json_t *live)
{
	json_t *row, *at;
	size_t i;

	json_array_foreach(live, i, row) {
		at = find_leader(rows, row);
		if (at != NULL) {
			(void)json_object_set(at, "proven", json_object_get(row, "proven"));
			(void)json_object_set(at, "managed", json_true());
			(void)json_object_set(at, "txn", json_object_get(row, "txn"));
		} else
			(void)json_array_append(rows, row);
	}
}

/* The front's own words on somebody: his end, and the longest session of his roles. */
static void
tell_end(const struct invocation *in, json_t *row)
{
	const char *user = json_string_value(json_object_get(row, "user")), *service = json_string_value(json_object_get(row, "service"));
	int64_t since = json_integer_value(json_object_get(row, "since")), ends = 0, longest;
	struct msg_report *report = calloc(1, sizeof *report);
	struct msg_why why = { 0 };
	const char *text;
	json_t *facts;

	(void)snprintf(why.user, sizeof why.user, "%s", user != NULL ? user : "");
	(void)snprintf(why.service, sizeof why.service, "%s", service != NULL ? service : "sshd");
	if (report == NULL || ask_daemon_why(in, &why, false, report) < 0) {
		free(report);
		return;
	}
	facts = ask_daemon_report(report);
	text = json_string_value(json_object_get(facts, "not_after"));
	(void)json_object_set_new(row, "managed", json_boolean(text != NULL));
	if (text != NULL && civil_date_parse_until(text, "UTC", 0, &ends) == 0) {
		const char *source = json_string_value(json_object_get(facts, "not_after_source"));

		(void)json_object_set_new(row, "ends_by", output_string(source != NULL ? source : "contract"));
	}
	longest = json_integer_value(json_object_get(facts, "max_session_sec"));
	if (longest > 0 && since > 0 && (ends == 0 || since + longest < ends)) {
		ends = since + longest;
		(void)json_object_set_new(row, "ends_by", json_string("max-session"));
	}
	if (json_object_get(facts, "disabled") != NULL) {
		ends = in->now_utc_sec;
		(void)json_object_set_new(row, "ends_by", json_string("disabled"));
	}
	(void)json_object_set_new(row, "ends", output_time(ends));
	json_decref(facts);
	free(report);
}

static void
finish(const struct invocation *in, json_t *rows)
{
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		tell_end(in, row);
		(void)json_object_set_new(row, "since", output_time(json_integer_value(json_object_get(row, "since"))));
		if (json_object_get(row, "proven") == NULL)
			(void)json_object_set_new(row, "proven", json_null());
	}
}

enum exit_code
cmd_sessions(struct invocation *in)
{
	json_t *rows = NULL, *live = json_array();
	enum exit_code code = EXIT_DONE;
	int r;

	r = ask_front(in, live);
	if (r < 0)
		code = ask_daemon_complain(PROCESS_FRONT, r);
	/* Below a folder there is no logind: that of this system has nothing to do with it. */
	if (code == EXIT_DONE && (in->root[0] != '\0' || (r = logind_sessions(&rows)) < 0)) {
		if (in->root[0] == '\0')
			output_error("logind does not answer: %s; sessions of local users are not shown", strerror(-r));
		rows = json_array();
	}
	if (code == EXIT_DONE) {
		join(rows, live);
		finish(in, rows);
		if (command_line_has(&in->line, OPTION_sessions_csv))
			output_csv(rows, columns);
		else if (in->json)
			(void)output_json(rows);
		else
			output_table(rows, columns);
	}
	json_decref(rows);
	json_decref(live);
	return code;
}

/*
 * cmd_events.c - isms-userctl events: what a SIEM receives, as text or as one JSON object a line.
 *
 * Must never show an event as ours that none of our processes wrote: those are left out and counted, or
 * with --all marked. A format is a function of the same object, so that others can be added.
 */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "common/civil_date.h"
#include "tools/account.h"
#include "tools/invocation.h"
#include "tools/journal_events.h"
#include "tools/output.h"

static const char *
field(const json_t *event, const char *key)
{
	const char *text = json_string_value(json_object_get(event, key));

	return text != NULL ? text : "";
}

static void
print_text(const json_t *event)
{
	bool genuine = json_is_true(json_object_get(event, "genuine"));

	output_line("%s %s%s%s%s%s", field(event, "time"), field(event, "host"), genuine ? " " : " [not genuine: uid ",
	    genuine ? "" : field(event, "uid"), genuine ? "" : "] ", field(event, "MESSAGE"));
}

static void
print_json(const json_t *event)
{
	(void)output_json_line(event);		/* output_finish() tells of errors */
}

static const struct {
	const char *name;
	void (*print)(const json_t *event);
} formats[] = {
	{ "text", print_text }, { "json", print_json },
};

/* --since: an instant, or a span back from now. */
static enum exit_code
parse_since(const struct invocation *in, int64_t *ret_utc_usec)
{
	const char *since = command_line_value(&in->line, OPTION_events_since);
	int64_t sec = 0;

	if (since == NULL)
		return EXIT_DONE;
	if (civil_date_parse_duration(since, in->now_utc_sec, &sec) == 0)
		sec = in->now_utc_sec - sec;
	else if (strchr(since, 'T') == NULL || civil_date_parse_until(since, "UTC", in->now_utc_sec, &sec) < 0) {
		output_error("--since \"%.64s\" is no time; write 2h, 3d or 2026-12-31T18:00:00Z", since);
		return EXIT_USAGE;
	}
	*ret_utc_usec = sec > 0 ? sec * 1000000 : 1;
	return EXIT_DONE;
}

static enum exit_code
run(const struct invocation *in, struct journal_events *journal, void (*print)(const json_t *))
{
	bool all = command_line_has(&in->line, OPTION_events_all), follow = command_line_has(&in->line, OPTION_events_follow);
	bool genuine = false;
	unsigned long left_out = 0;
	json_t *event = NULL;
	int r;

	while ((r = journal_events_next(journal, follow, &genuine, &event)) > 0) {
		if (genuine || all) {
			print(event);
			if (follow && output_finish() < 0)
				r = -1;	/* nobody reads any more */
		} else
			left_out++;
		json_decref(event);
		if (r < 0)
			return EXIT_DONE;
	}
	if (left_out > 0)
		output_error("left out, because no process of ours wrote them: %lu; --all shows them", left_out);
	if (r < 0)
		output_error("the journal cannot be read further: %s", strerror(-r));
	return r < 0 ? EXIT_UNREACHABLE : EXIT_DONE;
}

enum exit_code
cmd_events(struct invocation *in)
{
	const char *user = command_line_value(&in->line, OPTION_events_user);
	const char *name = command_line_value(&in->line, OPTION_events_format);
	struct journal_events *journal = NULL;
	int64_t since_utc_usec = 0;
	enum exit_code code;
	size_t format = 0;
	int r;

	if (user != NULL && !account_name_allowed("user", user))
		return EXIT_REFUSED;
	if (command_line_has(&in->line, OPTION_events_follow))
		since_utc_usec = -1;
	code = parse_since(in, &since_utc_usec);
	if (code != EXIT_DONE)
		return code;
	if (name == NULL)
		name = in->json ? "json" : "text";
	while (strcmp(formats[format].name, name) != 0)	/* the table of options lets no other name through */
		format++;
	r = journal_events_open(in->root, user, since_utc_usec, &journal);
	if (r < 0) {
		output_error("the journal cannot be opened: %s; is systemd-journald running?", strerror(-r));
		return EXIT_UNREACHABLE;
	}
	code = run(in, journal, formats[format].print);
	journal_events_close(journal);
	return code;
}

/*
 * report_leavers.c - who left, and the proof that access ended: from events of ours in the journal, and the directory.
 *
 * Runs in isms-userctl only. Must never take an entry of the journal for an event that no process of ours wrote
 * (JL04a), nor call a leaver out who could still enter.
 */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "tools/account.h"
#include "tools/journal_events.h"
#include "tools/output.h"
#include "tools/report.h"

struct leavers {
	struct invocation *in;
	json_t *runs;		/* owned; by ISMS_TXN, in the order of their first event */
	json_t *granted;	/* owned; the last login of each name */
	json_t *ended;		/* owned; the end of the sessions of each name since the last login */
	json_t *latest;		/* owned; the last run of each name */
};

static const struct column step_columns[] = {
	{ "step", "STEP" }, { "state", "STATE" }, { "time", "TIME" }, { "count", "COUNT" }, { "what", "WHAT" },
	{ "fault", "FAULT" }, { "host", "HOST" }, { "event_id", "EVENT" }, { NULL, NULL },
};
static const struct column left_columns[] = {
	{ "user", "Left" }, { "state", "Account now" }, { "left_over", "Left over" }, { "actor", "By" },
	{ "ticket", "Ticket" },
	{ "reason", "Reason" }, { "last_login", "Last login" }, { "sessions_ended", "Sessions ended" },
	{ "first_denied", "First refused" }, { "admitted_after", "ADMITTED AFTER" }, { "note", "Note" }, { NULL, NULL },
};

static const char *
field(const json_t *event, const char *key)
{
	const char *text = json_string_value(json_object_get(event, key));

	return text != NULL ? text : "";
}

static json_t *
or_null(const char *text)
{
	return text[0] != '\0' ? json_string(text) : json_null();
}

/* The id of the event itself; else its number on its host; else where it stands in this host's journal. */
static json_t *
event_id(const json_t *event)
{
	const char *id = field(event, "ISMS_ID"), *seq = field(event, "ISMS_SEQ");

	if (id[0] != '\0')
		return json_string(id);
	if (seq[0] != '\0')
		return json_sprintf("%s@%s", seq, field(event, "host"));
	return or_null(field(event, "cursor"));
}

/* When, and by which event. */
static json_t *
moment(const json_t *event)
{
	return json_pack("{s:s, s:s, s:o, s:o}", "time", field(event, "time"), "host", field(event, "host"), "reason",
	    or_null(field(event, "ISMS_REASON")), "event_id", event_id(event));
}

static json_t *
run_of(struct leavers *x, const json_t *event)
{
	const char *txn = field(event, "ISMS_TXN"), *user = field(event, "ISMS_USER");
	json_t *run = json_object_get(x->runs, txn), *last;

	if (run != NULL)
		return run;
	last = json_object_get(x->granted, user);
	run = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:[]}", "user", user, "txn", txn, "left_at", field(event,
	    "time"),
	    "actor", or_null(field(event, "ISMS_ACTOR")), "ticket", or_null(field(event, "ISMS_TICKET")), "reason",
	    or_null(field(event, "ISMS_NOTE")), "last_login", last != NULL ? json_incref(last) : json_null(), "steps");
	/* The lock was seen, and the sessions ended, before leave had told of it. */
	last = json_object_get(x->ended, user);
	if (last != NULL)
		(void)json_object_set(run, "sessions_ended", last);
	(void)json_object_set_new(x->runs, txn, run);
	(void)json_object_set(x->latest, user, run);
	return run;
}

static void
take_step(struct leavers *x, const json_t *event)
{
	json_t *steps = json_object_get(run_of(x, event), "steps");

	(void)json_array_append_new(steps, json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:s, s:o}", "step", field(event,
	    "ISMS_STEP"),
	    "state", field(event, "ISMS_NEW"), "time", field(event, "time"), "count", field(event, "ISMS_COUNT"),
	    "what",
	    or_null(field(event, "ISMS_OLD")), "fault", or_null(field(event, "ISMS_FAULT")), "host", field(event,
	    "host"),
	    "event_id", event_id(event)));
}

static void
set_once(json_t *run, const char *key, const json_t *event)
{
	if (json_object_get(run, key) == NULL)
		(void)json_object_set_new(run, key, moment(event));
}

static void
take(struct leavers *x, const json_t *event)
{
	const char *name = field(event, "ISMS_EVENT"), *user = field(event, "ISMS_USER");
	json_t *run = json_object_get(x->latest, user);

	if (strcmp(name, "account.left") == 0)
		take_step(x, event);
	else if (strcmp(name, "login.granted") == 0 && run != NULL)
		set_once(run, "admitted_after", event);
	else if (strcmp(name, "login.granted") == 0) {
		(void)json_object_set_new(x->granted, user, moment(event));
		(void)json_object_del(x->ended, user);
	} else if (run == NULL && strcmp(name, "session.terminated") == 0)
		(void)json_object_set_new(x->ended, user, moment(event));
	else if (run != NULL && strcmp(name, "session.terminated") == 0)
		set_once(run, "sessions_ended", event);
	else if (run != NULL && strcmp(name, "login.denied") == 0)
		set_once(run, "first_denied", event);
	else if (strcmp(name, "account.enabled") == 0)	/* what comes after it is no longer the leaver's */
		(void)json_object_del(x->latest, user);
}

static enum exit_code
read_journal(struct leavers *x)
{
	struct journal_events *journal = NULL;
	bool genuine = false;
	json_t *event = NULL;
	int r;

	r = journal_events_open(x->in->root, NULL, 0, &journal);
	while (r >= 0 && (r = journal_events_next(journal, false, &genuine, &event)) > 0) {
		if (genuine)
			take(x, event);
		json_decref(event);
	}
	journal_events_close(journal);
	if (r >= 0)
		return EXIT_DONE;
	output_error("the journal cannot be read: %s; is systemd-journald running?", strerror(-r));
	return EXIT_UNREACHABLE;
}

/* What of access the directory still has of him: nothing, if all steps were done. */
static json_t *
left_over(const struct account *account, const struct identity *id)
{
	static const char *const names[] = { "ismsKey", "sshPublicKey", "ipaSshPubKey" };
	json_t *list = json_array();
	unsigned keys = 0, groups = 0;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		keys += entry_attribute(id->entry, names[i]) != NULL;
	for (uint32_t i = 0; i < id->group_count; i++)
		groups += account->identities.groups[id->groups[i]].gid != id->gid;
	if (id->token_count > 0)
		(void)json_array_append_new(list, json_sprintf(id->token_count == 1 ? "%u token" : "%u tokens", id->token_count));
	if (keys > 0)
		(void)json_array_append_new(list, json_string("keys"));
	if (groups > 0)
		(void)json_array_append_new(list, json_sprintf(groups == 1 ? "%u group" : "%u groups", groups));
	return list;
}

static void
compare(struct leavers *x, const struct account *account, json_t *run)
{
	const struct identity *id = identities_find(&account->identities, field(run, "user"));

	(void)json_object_set_new(run, "state", json_string(id != NULL ? account_state(id, x->in->now_utc_sec) :
	    "removed"));
	(void)json_object_set_new(run, "left_over", id != NULL ? left_over(account, id) : json_array());
}

/* Who is disabled, and no event of this host's journal says how. */
static void
add_others(struct leavers *x, const struct account *account, json_t *list, size_t count)
{
	for (size_t i = 0; i < account->identities.user_count && json_array_size(list) < count; i++) {
		const struct identity *id = &account->identities.users[i];
		json_t *run;

		if (!id->disabled || json_object_get(x->latest, id->name) != NULL)
			continue;
		run = json_pack("{s:s, s:s, s:[]}", "user", id->name, "note",
		    "disabled; how is not in this host's journal: ask where isms-userctl leave was run", "steps");
		(void)json_array_append_new(list, run);
	}
}

static void
print(const struct invocation *in, const json_t *list)
{
	const json_t *steps;
	json_t *run;
	size_t i;

	if (in->json) {
		(void)output_json(list);
		return;
	}
	json_array_foreach(list, i, run) {
		steps = json_object_get(run, "steps");
		output_record(run, left_columns);
		if (json_array_size(steps) > 0)
			output_table(steps, step_columns);
		output_line("%s", "");
	}
	if (json_array_size(list) == 0)
		output_line("nobody has left");
}

enum exit_code
report_leavers(struct invocation *in, uint32_t count)
{
	struct leavers x = { .in = in, .runs = json_object(), .granted = json_object(), .ended = json_object(),
		.latest = json_object() };
	size_t all, skipped = 0, i;
	json_t *list = json_array(), *run;
	struct account account;
	enum exit_code code;
	const char *txn;

	code = account_open(in, NULL, DIRECTORY_READ, &account);
	if (code == EXIT_DONE)
		code = read_journal(&x);
	if (code == EXIT_DONE) {
		all = json_object_size(x.runs);
		json_object_foreach(x.runs, txn, run)
			if (skipped++ + count >= all)
				(void)json_array_insert(list, 0, run);	/* the latest first */
		add_others(&x, &account, list, count);
		json_array_foreach(list, i, run)
			compare(&x, &account, run);
		print(in, list);
	}
	json_decref(list);
	json_decref(x.runs);
	json_decref(x.granted);
	json_decref(x.ended);
	json_decref(x.latest);
	account_done(&account);
	return code;
}

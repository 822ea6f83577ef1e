/*
 * cmd_leave.c - isms-userctl leave USER: puts a person out for good, step by step, and says what each step came to.
 *
 * The lock comes first and by itself, so that nothing that fails later keeps the person in; a step that fails is said,
 * in the report, in its event and by the exit code, and the others are done all the same. It can be run again: it does
 * what is left to do. Must never call a step done that is not.
 */
#include <config.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/proto.h"
#include "common/verdict.h"
#include "tools/account.h"
#include "tools/ask_daemon.h"
#include "tools/audit.h"
#include "tools/invocation.h"
#include "tools/leave_steps.h"
#include "tools/local_managed.h"
#include "tools/output.h"

#define SESSIONS_WAIT_MS	6000	/* end-grace and what killing takes */
#define LOOK_MS			50
#define LEAVE_STEPS_MAX		16

struct leaver {
	struct invocation *in;
	const char *user;
	char txn[37];			/* ties the steps of one run together */
	char name[33];
	uint32_t uid;
	enum kind kind;
	json_t *steps, *answers_for;	/* owned */
	bool idle[LEAVE_STEPS_MAX];	/* there was nothing to do when it was looked at */
	bool failed;
};

static const struct column columns[] = {
	{ "step", "STEP" }, { "state", "STATE" }, { "time", "TIME" }, { "count", "COUNT" }, { "items", "WHAT" },
	{ "note", "NOTE" }, { "event_id", "EVENT" }, { NULL, NULL },
};

/* "a, b, c", for one field of an event; what does not fit is cut there, never in the report. */
static void
join_items(const json_t *items, char *buf, size_t size)
{
	const json_t *text;
	size_t used = 0, i;

	buf[0] = '\0';
	json_array_foreach(items, i, text)
		if (used < size)
			used += (size_t)snprintf(buf + used, size - used, "%s%s", i > 0 ? ", " : "",
			    json_string_value(text));
}

static void
record(const struct leaver *x, const char *step, const char *state, const json_t *items, const char *note,
    const char *id)
{
	struct event event;
	char text[512];

	join_items(items, text, sizeof text);
	event_begin(&event, EVENT_ACCOUNT_LEFT, "isms-userctl");
	event_add(&event, FIELD_ID_USER, x->name);
	if (x->uid != 0)
		event_add_int(&event, FIELD_ID_UID, x->uid);
	event_add(&event, FIELD_ID_KIND, account_kind_name(x->kind));
	event_add(&event, FIELD_ID_STEP, step);
	event_add(&event, FIELD_ID_NEW, state);
	event_add_int(&event, FIELD_ID_COUNT, (int64_t)json_array_size(items));
	event_add(&event, FIELD_ID_OLD, text);
	event_add(&event, FIELD_ID_FAULT, note);
	event_add(&event, FIELD_ID_TXN, x->txn);
	event_add(&event, FIELD_ID_ID, id);
	audit_send(&event, x->in);
}

/* The events that watchers know of such changes, whoever makes them. */
static void
record_known(const struct leaver *x, const char *step, const json_t *items)
{
	bool is_lock = strcmp(step, "disable") == 0, is_token = strcmp(step, "tokens") == 0;
	struct event event;
	const json_t *text;
	size_t i;

	if (!is_lock && !is_token && strcmp(step, "recovery-codes") != 0)
		return;
	json_array_foreach(items, i, text) {
		event_begin(&event, is_lock ? EVENT_ACCOUNT_DISABLED : is_token ? EVENT_TOKEN_REMOVED :
		    EVENT_RECOVERY_REVOKED,
		    "isms-userctl");
		event_add(&event, FIELD_ID_USER, x->name);
		event_add(&event, is_token ? FIELD_ID_TOKEN : FIELD_ID_OLD, is_lock ? "active" :
		    json_string_value(text));
		event_add(&event, FIELD_ID_NEW, is_lock ? "disabled" : is_token ? NULL : "0");
		event_add(&event, FIELD_ID_TXN, x->txn);
		audit_send(&event, x->in);
	}
}

/* A step is over: into the report and the journal. Takes items over. */
static void
tell(struct leaver *x, const char *step, const char *state, json_t *items, const char *note)
{
	char id[37] = "";
	json_t *row;

	(void)account_make_uuid(id);
	if (strcmp(state, "failed") == 0) {
		x->failed = true;
		output_error("%s: %s: %s", x->user, step, note);
	}
	row = json_pack("{s:s, s:s, s:o, s:i, s:o, s:o, s:o}", "step", step, "state", state, "time",
	    output_time((int64_t)time(NULL)), "count", (int)json_array_size(items), "items", items, "note",
	    output_string(note[0] != '\0' ? note : NULL), "event_id", x->in->dry_run ? json_null() : json_string(id));
	(void)json_array_append_new(x->steps, row);
	record(x, step, state, items, note, id);
	if (strcmp(state, "done") == 0)
		record_known(x, step, items);
}

/* ---- in the directory ---- */

/* One change of the directory, alone. Returns its state; note says why it failed. */
static const char *
apply_once(struct leaver *x, const struct leave_step *step, const char *only, json_t *items, char *note, size_t size)
{
	const char *state = "failed";
	struct account account;
	char error[4096] = "";
	int r;

	if (account_open(x->in, x->user, DIRECTORY_EDIT, &account) != EXIT_DONE) {
		(void)snprintf(note, size, "the directory could not be read again");
		account_done(&account);
		return state;
	}
	r = step->apply(&account, only, items);
	if (r == 0 && json_array_size(items) == 0)
		state = "nothing";
	else if (r == 0 && (r = directory_commit(account.directory, error, sizeof error)) == 0)
		state = x->in->dry_run ? "planned" : "done";
	if (r < 0)
		(void)snprintf(note, size, "%.400s", error[0] != '\0' ? error : r == -EOPNOTSUPP ?
		    "the server has no attribute of a lock; load the overlay ppolicy" : strerror(-r));
	account_done(&account);
	return state;
}

/* What could not go together goes one by one: a single entry that somebody may not change keeps no other. */
static void
apply_one_by_one(struct leaver *x, const struct leave_step *step, json_t *items)
{
	json_t *done = json_array(), *failed = json_array(), *one, *text;
	char note[512] = "";
	size_t i;

	json_array_foreach(items, i, text) {
		one = json_array();
		if (strcmp(apply_once(x, step, json_string_value(text), one, note, sizeof note), "failed") == 0)
			(void)json_array_append(failed, text);
		else
			(void)json_array_extend(done, one);
		json_decref(one);
	}
	if (json_array_size(done) > 0)
		tell(x, step->name, "done", json_incref(done), "");
	if (json_array_size(failed) > 0)
		tell(x, step->name, "failed", json_incref(failed), note);
	json_decref(done);
	json_decref(failed);
	json_decref(items);
}

static void
run_step(struct leaver *x, size_t i)
{
	const struct leave_step *step = &leave_steps[i];
	json_t *items = json_array();
	char note[512] = "";
	const char *state = "nothing";

	if (!x->idle[i])
		state = apply_once(x, step, NULL, items, note, sizeof note);

	if (strcmp(state, "failed") == 0 && step->others && json_array_size(items) > 1)
		apply_one_by_one(x, step, items);
	else
		tell(x, step->name, state, items, note);
}

/* ---- on this host ---- */

static unsigned
processes_of(uint32_t uid)
{
	DIR *proc = opendir("/proc");
	const struct dirent *d;
	unsigned count = 0;
	struct stat st;

	while (proc != NULL && (d = readdir(proc)) != NULL)
		count += isdigit((unsigned char)d->d_name[0]) && fstatat(dirfd(proc), d->d_name, &st, 0) == 0 &&
		    st.st_uid == uid;
	if (proc != NULL)
		(void)closedir(proc);
	return count;
}

/* The publisher ends what runs, now; the same is about to be done by the lock, as on every host. */
static const char *
end_sessions(const struct leaver *x, unsigned before, char *note, size_t size)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
	struct msg_sessions_end msg = { .uid = x->uid, .reason = REASON_DISABLED };
	struct msg_done done;
	unsigned left = before;
	int r;

	(void)snprintf(msg.user, sizeof msg.user, "%s", x->name);
	r = ask_daemon(x->in, PROCESS_PUBLISHER, MSG_SESSIONS_END, &msg, MSG_DONE, &done);
	for (int i = 0; i < SESSIONS_WAIT_MS / LOOK_MS && (left = processes_of(x->uid)) > 0; i++)
		(void)nanosleep(&pause, NULL);
	if (left == 0)
		return "done";
	if (r < 0)
		(void)snprintf(note, size, "%u processes still run; the publisher could not be asked: %s", left,
		    strerror(-r));
	else
		(void)snprintf(note, size, "%u processes still run%s%.200s", left, done.error != 0 ? ": " : "",
		    done.text);
	return "failed";
}

static void
run_sessions(struct leaver *x)
{
	bool here = x->in->root[0] == '\0' && geteuid() == 0 && x->uid != 0;
	unsigned before = here ? processes_of(x->uid) : 0;
	const char *state = "nothing";
	json_t *items = json_array();
	char note[512] = "";

	if (!here)
		(void)snprintf(note, sizeof note, "not root on a host: each host ends them when it sees the lock");
	if (before > 0) {
		(void)json_array_append_new(items, json_sprintf("%u processes", before));
		state = x->in->dry_run ? "planned" : end_sessions(x, before, note, sizeof note);
	}
	tell(x, "sessions", state, items, note);
}

/* ---- the verb ---- */

static void
print(const struct leaver *x)
{
	json_t *result = json_pack("{s:s, s:s, s:b, s:b, s:O, s:O}", "user", x->user, "txn", x->txn, "dry_run",
	    x->in->dry_run,
	    "complete", !x->failed, "steps", x->steps, "answers_for", x->answers_for);
	const json_t *name;
	size_t i;

	if (x->in->json)
		(void)output_json(result);
	else {
		output_table(x->steps, columns);
		json_array_foreach(x->answers_for, i, name)
			output_line("%s still answers for %s: isms-userctl set-sponsor %s SOMEBODY-ELSE", x->user, json_string_value(name),
			    json_string_value(name));
		if (x->in->dry_run)
			output_line("dry run: nothing was changed");
	}
	json_decref(result);
}

/* A large directory is not read again for what there is not. In memory alone: nothing of this is committed. */
static void
find_idle(struct leaver *x, struct account *account)
{
	json_t *items;

	for (size_t i = 0; leave_steps[i].name != NULL && i < LEAVE_STEPS_MAX; i++) {
		items = json_array();
		x->idle[i] = leave_steps[i].apply(account, NULL, items) == 0 && json_array_size(items) == 0;
		json_decref(items);
	}
}

/* Look first: is there such an account, and is it meant? Without the lock: nobody waits for a person to think. */
static enum exit_code
look_and_ask(struct leaver *x)
{
	struct account account;
	char question[256];
	enum exit_code code;

	code = account_open(x->in, x->user, DIRECTORY_READ, &account);
	if (code == EXIT_DONE) {
		(void)snprintf(x->name, sizeof x->name, "%s", account.identity->name);
		x->uid = local_managed_uid(x->in, account.identity);
		x->kind = account.identity->kind;
		(void)leave_answers_for(&account, x->answers_for);
		(void)snprintf(question, sizeof question,
		    "%s (%s): disable, end sessions, take tokens, codes, keys, grants, exemptions, groups away?",
		    x->user, account.identity->entry_id);
		if (!invocation_confirm(x->in, question))
			code = EXIT_REFUSED;
		find_idle(x, &account);
	}
	account_done(&account);
	return code;
}

enum exit_code
cmd_leave(struct invocation *in)
{
	struct leaver x = { .in = in, .user = in->line.operands[0], .steps = json_array(), .answers_for =
	    json_array() };
	enum exit_code code = EXIT_UNREACHABLE;

	if (account_make_uuid(x.txn) < 0)
		output_error("no random bytes for the ids of events; nothing was changed");
	else
		code = look_and_ask(&x);
	if (code == EXIT_DONE) {
		run_step(&x, 0);
		run_sessions(&x);
		for (size_t i = 1; leave_steps[i].name != NULL; i++)
			run_step(&x, i);
		print(&x);
		code = x.failed ? EXIT_REFUSED : EXIT_DONE;
	}
	json_decref(x.steps);
	json_decref(x.answers_for);
	return code;
}

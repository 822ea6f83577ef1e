/*
 * cmd_snapshot.c - isms-userctl snapshot show, approve, reject: what the directory process holds back (THREATS 5.5).
 *
 * Must never decide silently: the directory process writes the event, with the person who asked.
 */
#include <config.h>

#include <errno.h>
#include <string.h>

#include "tools/ask_daemon.h"
#include "tools/audit.h"
#include "tools/invocation.h"
#include "tools/output.h"

/* What is held back, in words; NULL for nothing. *ret_report keeps it alive. */
static const char *
ask_held(const struct invocation *in, json_t **ret_report, int *ret_error)
{
	static struct msg_report report;
	struct msg_directory_status msg = { { 0 } };

	*ret_report = NULL;
	*ret_error = ask_daemon(in, PROCESS_DIRECTORY, MSG_DIRECTORY_STATUS, &msg, MSG_REPORT, &report);
	if (*ret_error < 0)
		return NULL;
	*ret_report = ask_daemon_report(&report);
	return json_string_value(json_object_get(*ret_report, "held"));
}

/* Names are a string, or a list of them. */
static void
show_users(const json_t *users)
{
	const json_t *user;
	size_t i;

	if (json_is_string(users))
		output_line("  %s", json_string_value(users));
	json_array_foreach(users, i, user)
		output_line("  %s", json_string_value(user));
}

/* Entries that the server has as they were before, by DN. */
static void
show_older(const json_t *report)
{
	const char *older = json_string_value(json_object_get(report, "older"));

	if (older != NULL)
		output_line("  older than known: %s", older);
}

enum exit_code
cmd_snapshot_show(struct invocation *in)
{
	json_t *report, *result;
	const char *held;
	int error;

	held = ask_held(in, &report, &error);
	if (error < 0)
		return ask_daemon_complain(PROCESS_DIRECTORY, error);
	result = json_pack("{s:b, s:s?, s:O?, s:O?}", "held", held != NULL, "what", held, "users",
	    json_object_get(report, "held_user"), "older", json_object_get(report, "older"));
	if (in->json)
		(void)output_json(result);
	else if (held == NULL)
		output_line("Nothing is held back. How old it is: confirmed, in isms-userctl status.");
	else {
		output_line("Held back: %s.", held);
		show_users(json_object_get(report, "held_user"));
		show_older(report);
		output_line("Look at the directory. If it is right: isms-userctl snapshot approve");
	}
	json_decref(result);
	json_decref(report);
	return EXIT_DONE;
}

static const char *
why_refused(int error)
{
	switch (error) {
	case ESTALE:
		return "what is held has changed; look again: isms-userctl snapshot show";
	case ENOTCONN:
		return "the directory is not connected: nobody can say what would be approved. Once it is, look again: "
		    "isms-userctl snapshot show";
	case ENOENT:
		return "nothing is held back any more";
	default:
		return strerror(error);
	}
}

static enum exit_code
decide(struct invocation *in, bool approve)
{
	struct msg_hold_decide msg = { .approve = approve };
	struct msg_done done = { .error = 0 };
	const char *held;
	json_t *report, *result;
	int r;

	held = ask_held(in, &report, &r);
	if (r < 0)
		return ask_daemon_complain(PROCESS_DIRECTORY, r);
	if (held == NULL) {
		output_error("nothing is held back");
		json_decref(report);
		return EXIT_REFUSED;
	}
	msg.removed = (uint32_t)json_integer_value(json_object_get(report, "held_removed"));
	msg.renumbered = (uint32_t)json_integer_value(json_object_get(report, "held_renumbered"));
	msg.who = (uint32_t)json_integer_value(json_object_get(report, "held_who"));
	if (!in->json) {
		output_line("%s", held);
		show_users(json_object_get(report, "held_user"));
		show_older(report);
	}
	json_decref(report);
	if (!invocation_confirm(in, approve ? "Let it happen?" : "Keep it back?"))
		return EXIT_REFUSED;
	(void)audit_actor(msg.actor, sizeof msg.actor);
	if (!in->dry_run) {
		r = ask_daemon(in, PROCESS_DIRECTORY, MSG_HOLD_DECIDE, &msg, MSG_DONE, &done);
		if (r < 0)
			return ask_daemon_complain(PROCESS_DIRECTORY, r);
	}
	if (done.error != 0) {
		output_error("%s", why_refused((int)done.error));
		return EXIT_REFUSED;
	}
	result = json_pack("{s:b, s:b}", "approved", approve, "dry_run", in->dry_run);
	if (in->json)
		(void)output_json(result);
	else
		output_line("%s%s", approve ? "approved" : "rejected: mend the directory", in->dry_run ? " (dry run: nothing was changed)" : "");
	json_decref(result);
	return EXIT_DONE;
}

enum exit_code
cmd_snapshot_approve(struct invocation *in)
{
	return decide(in, true);
}

enum exit_code
cmd_snapshot_reject(struct invocation *in)
{
	return decide(in, false);
}
